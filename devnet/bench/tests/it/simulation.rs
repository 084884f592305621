use std::num::NonZeroUsize;

use alloy_primitives::{Address, TxKind, U256};
use parapet_bench::{
    Case,
    bound::{self, Dependencies, span},
    conflicts::{self, Accounts, SlotSource},
    costs::Costs,
    footprint,
    simulate::{Replayed, Simulated, Simulator},
    suite,
};
use parapet_executor::{Mode, Workers, run_block};
use parapet_monitor::NoMonitor;
use parapet_types::Transaction;
use parapet_workloads::{Kind, generate};
use proptest::prelude::*;

use crate::{
    bounds::{chain, threads},
    ground::{Ground, account},
};

const GAS: u64 = 2_000_000;
const COSTS: Costs = Costs { ahead_ns: 700, commit_ns: 300, direct_ns: 500, wake_ns: 9_000 };

/// A block of which only dependencies matter.
struct Abstract {
    transactions: Vec<Transaction>,
    durations: Vec<u64>,
    dependencies: Dependencies,
    slots: Vec<Vec<SlotSource>>,
}

impl Abstract {
    /// All that transactions depend on are slots of one contract.
    fn new(durations: Vec<u64>, dependencies: Dependencies) -> Self {
        let count = durations.len();
        let mut ground = Ground::with_accounts(count as u8);
        (0..count as u8).for_each(|number| {
            let input = [[1, 2, 3, 4].as_slice(), account(number).into_word().as_slice()].concat();
            ground.send(account(number), TxKind::Call(CONTRACT), 0, &input);
        });
        let source = |writer: &u32| SlotSource { writer: *writer, account: CONTRACT, slot: U256::from(*writer) };
        let slots = (0..count).map(|index| dependencies.of(index).iter().map(source).collect()).collect();
        Self { transactions: ground.case("abstract").transactions, durations, dependencies, slots }
    }

    fn run(&self, simulator: &mut Simulator, costs: Costs) -> Simulated {
        let replayed = Replayed {
            transactions: &self.transactions,
            durations_ns: &self.durations,
            gas_used: &vec![100_000; self.durations.len()],
            dependencies: &self.dependencies,
            slots: &self.slots,
        };
        simulator.run(replayed, costs)
    }

    fn once(&self, count: usize, costs: Costs) -> Simulated {
        self.run(&mut Simulator::new(threads(count)), costs)
    }
}

const CONTRACT: Address = Address::repeat_byte(0xc0);

/// A generated workload, with the gas of its transactions for durations.
fn workload(kind: Kind) -> (Case, Abstract) {
    let case = suite::case(generate(kind, GAS));
    let drawn = footprint::record(&case).unwrap();
    let made = Abstract {
        transactions: case.transactions.clone(),
        durations: drawn.transactions.iter().map(|transaction| transaction.gas_used).collect(),
        dependencies: conflicts::dependencies(&drawn, Accounts::Commutative),
        slots: conflicts::slot_sources(&drawn),
    };
    (case, made)
}

#[test]
fn one_core_takes_as_long_as_the_sequential_run() {
    let made = Abstract::new(vec![3, 1, 4, 1, 5], chain(5));
    let simulated = made.once(1, COSTS);
    assert_eq!((simulated.makespan_ns, simulated.busy_ns, simulated.incarnations), (14, 14, 5));
    for kind in Kind::ALL {
        let (_, made) = workload(kind);
        let work: u64 = made.durations.iter().sum();
        let simulated = made.once(1, Costs::NONE);
        assert_eq!((simulated.makespan_ns, simulated.busy_ns), (work, work), "{kind}");
    }
}

#[test]
fn independent_transactions_keep_two_cores_busy_to_the_end() {
    let simulated = Abstract::new(vec![10; 100], Dependencies::none(100)).once(2, Costs::NONE);
    assert_eq!((simulated.makespan_ns, simulated.wasted, simulated.incarnations), (500, 0, 100));
}

#[test]
fn a_simulation_comes_out_the_same_each_time() {
    let (_, made) = workload(Kind::Erc20OneRecipient);
    assert_eq!(made.once(7, COSTS), made.once(7, COSTS));
}

#[test]
fn no_workload_is_faster_than_its_bound_or_runs_a_transaction_more_than_twice() {
    for kind in Kind::ALL {
        let (_, made) = workload(kind);
        for count in [2, 4, 16, 64] {
            let mut simulator = Simulator::new(threads(count));
            for run in 0..3 {
                let simulated = made.run(&mut simulator, COSTS);
                let work: u64 = made.durations.iter().sum();
                let least = span(&made.durations, &made.dependencies).max(work.div_ceil(count as u64));
                assert!(simulated.makespan_ns >= least, "{kind}, {count} cores, run {run}: {simulated:?}, {least}");
                // A list schedule need not be the best; it is behind that by less than this (Graham 1969).
                let list = bound::makespan(&made.durations, &made.dependencies, threads(count));
                let count = count as u64;
                assert!(simulated.makespan_ns * (2 * count - 1) >= list * count, "{kind}, {count} cores, run {run}");
                assert_eq!(simulated.incarnations, made.durations.len() + simulated.wasted, "{kind}, {count} cores");
                assert!(simulated.wasted <= made.durations.len());
            }
        }
    }
}

#[test]
fn more_cores_help_where_transactions_are_independent_and_not_where_they_are_a_chain() {
    let makespan = |kind, count| {
        let (_, made) = workload(kind);
        let mut simulator = Simulator::new(threads(count));
        (0..3).map(|_| made.run(&mut simulator, COSTS).makespan_ns).last().unwrap()
    };
    assert!(makespan(Kind::SwapsIndependent, 8) * 4 < makespan(Kind::SwapsIndependent, 1));
    assert!(makespan(Kind::SwapsOnePool, 8) * 100 >= makespan(Kind::SwapsOnePool, 1) * 95);
}

#[test]
fn it_decides_as_the_executor_does_where_no_race_decides() {
    // Of a serial block and of plain transfers nothing depends on who is faster.
    for kind in [Kind::Erc20Chain, Kind::SwapsOnePool, Kind::TransfersOneSender, Kind::TransfersIndependent] {
        let (case, made) = workload(kind);
        let (workers, mut simulator) = (Workers::new(NonZeroUsize::new(2).unwrap()), Simulator::new(threads(2)));
        for run in 0..4 {
            let block = run_block(&case.input(), &NoMonitor, Mode::Parallel(&workers)).unwrap();
            let report = block.report().unwrap();
            let simulated = made.run(&mut simulator, COSTS);
            if run > 1 {
                assert_eq!(simulated.as_one as u64, report.as_one, "{kind}, run {run}");
                assert_eq!(simulated.wasted as u64, report.again, "{kind}, run {run}");
            }
        }
    }
}

fn block() -> impl Strategy<Value = (Vec<u64>, Dependencies)> {
    prop::collection::vec((1_u64..10_000, prop::collection::vec(any::<prop::sample::Index>(), 0..4)), 1..90).prop_map(
        |transactions| {
            let durations = transactions.iter().map(|(duration, _)| *duration).collect();
            let on = transactions.iter().enumerate().map(|(index, (_, on))| {
                if index == 0 { Vec::new() } else { on.iter().map(|earlier| earlier.index(index) as u32).collect() }
            });
            (durations, Dependencies::new(on.collect()))
        },
    )
}

fn costs() -> impl Strategy<Value = Costs> {
    (0_u64..500, 0_u64..500, 0_u64..500, 0_u64..20_000).prop_map(|(ahead_ns, commit_ns, direct_ns, wake_ns)| Costs {
        ahead_ns,
        commit_ns,
        direct_ns,
        wake_ns,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_simulated_run_beats_work_by_cores_or_the_longest_chain(
        (durations, on) in block(),
        costs in costs(),
        count in 1_usize..17,
    ) {
        let made = Abstract::new(durations, on);
        let mut simulator = Simulator::new(threads(count));
        for _ in 0..3 {
            let simulated = made.run(&mut simulator, costs);
            let work: u64 = made.durations.iter().sum();
            prop_assert!(simulated.makespan_ns >= span(&made.durations, &made.dependencies));
            prop_assert!(simulated.makespan_ns >= work.div_ceil(count as u64));
            prop_assert!(simulated.busy_ns >= work);
            prop_assert_eq!(simulated.incarnations, made.durations.len() + simulated.wasted);
            prop_assert!(simulated.wasted <= made.durations.len());
        }
    }
}

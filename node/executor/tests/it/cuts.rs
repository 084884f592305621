//! Where a block is cut, by gas, by its guards' fuel or by its deadline, is the same in every mode.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{Address, B256, TxKind, U256};
use parapet_executor::{
    Admission, BlockError, BlockInput, Deadline, Listing, Mode, Point, TxError, Workers, execute_block,
};
use parapet_monitor::{Fuel, FuelSpent, Monitor, NoMonitor};
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, ChainParams, ExecutedBlock, ExecutionLimits, GuardParams, REGISTRY,
    StateChanges, Transaction,
};

use crate::world::{ETHER, ONE, Scripted, asm, block, params, transaction, with_gas_limit, world};

/// A deadline that passes when it is asked for the n-th time.
#[derive(Debug)]
struct After {
    asked: AtomicU64,
    passes_at: u64,
}

impl After {
    fn new(passes_at: u64) -> Self {
        Self { asked: AtomicU64::new(0), passes_at }
    }
}

impl Deadline for After {
    fn has_passed(&self, _: usize) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1 >= self.passes_at
    }
}

struct Cut<'a> {
    params: ChainParams,
    admission: Admission,
    transactions: &'a [Transaction],
    monitor: &'a dyn Monitor,
    deadline: Option<u64>,
}

impl Cut<'_> {
    fn run(&self, mode: Mode<'_>) -> Result<ExecutedBlock<TxError>, BlockError> {
        let world = world(&[(ONE, asm::join(&[&asm::sstore(0, 1), &asm::STOP])), (REGISTRY, asm::STOP.to_vec())]);
        let world = world.apply(&rich_strangers()).unwrap();
        let at = Point { params: &self.params, world: &world, ancestors: &Ancestors::new(), block: &block() };
        let deadline = self.deadline.map(After::new);
        let input = BlockInput {
            at,
            transactions: self.transactions,
            admission: self.admission,
            access_list: Listing::Ignore,
            deadline: deadline.as_ref().map(|deadline| deadline as &dyn Deadline),
        };
        let executed = execute_block(&input, self.monitor, mode);
        if let (Some(deadline), Some(passes_at)) = (deadline, self.deadline) {
            let asked = deadline.asked.into_inner();
            assert_eq!(asked, passes_at.min(self.transactions.len() as u64), "asked once for each, until it passed");
        }
        executed
    }

    /// Which candidates are left out, and why; in every mode the same.
    fn left_out(&self) -> Vec<(usize, String)> {
        let sequential = self.run(Mode::Sequential).unwrap();
        for threads in [1, 2, 4] {
            let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
            // The second time what was learned from the first may make a stretch of it.
            for _ in 0..2 {
                let parallel = self.run(Mode::Parallel(&workers)).unwrap();
                assert_eq!(reasons(&parallel), reasons(&sequential), "{threads} threads");
                assert_eq!(parallel.included, sequential.included);
                assert_eq!(parallel.changes, sequential.changes);
            }
        }
        reasons(&sequential)
    }

    fn refusal(&self) -> (usize, String) {
        let workers = Workers::new(NonZeroUsize::new(2).unwrap());
        let [one, other] = [Mode::Sequential, Mode::Parallel(&workers)].map(|mode| match self.run(mode) {
            Err(BlockError::Transaction { index, source }) => (index, source.to_string()),
            other => panic!("the block should be refused: {other:?}"),
        });
        assert_eq!(one, other);
        one
    }
}

fn reasons(block: &ExecutedBlock<TxError>) -> Vec<(usize, String)> {
    block.left_out.iter().map(|left| (left.candidate, left.reason.to_string())).collect()
}

fn with_fuel(block_fuel_max: u64) -> ChainParams {
    ChainParams { guards: GuardParams { block_fuel_max: Fuel(block_fuel_max), ..GuardParams::default() }, ..params() }
}

/// Somebody of whom nothing else is in the block, so that who comes later does not wait for who is left out.
fn stranger(number: u64) -> Address {
    Address::from_word(B256::from(U256::from(number + 0x7777_0000_0000)))
}

fn rich_strangers() -> StateChanges {
    let info = AccountInfo { balance: U256::from(ETHER), ..AccountInfo::default() };
    let rich = AccountChange { info: Some(info), ..AccountChange::default() };
    let accounts = (0..100).map(|number| (stranger(number), rich.clone())).collect();
    StateChanges { accounts, ..StateChanges::default() }
}

/// A call by a stranger, with so much gas.
fn call_of(number: u64, to: Address, gas_limit: u64) -> Transaction {
    let transaction = with_gas_limit(&transaction(0, TxKind::Call(to), 0, &[]), gas_limit);
    Transaction::new_unchecked(transaction.into_inner(), stranger(number))
}

fn calls(count: u64) -> Vec<Transaction> {
    (0..count).map(|nonce| transaction(nonce, TxKind::Call(ONE), 0, &[])).collect()
}

fn spending(fuel: u64) -> Scripted {
    Scripted { spent: FuelSpent { binding: Fuel(fuel / 2), observing: Fuel(fuel - fuel / 2) }, ..Scripted::default() }
}

#[test]
fn a_transaction_whose_guards_do_not_fit_is_left_out() {
    let transactions = calls(12);
    let monitor = spending(100_000);
    let cut = Cut {
        params: with_fuel(799_999),
        admission: Admission::Build,
        transactions: &transactions,
        monitor: &monitor,
        deadline: None,
    };
    let left_out = cut.left_out();
    assert_eq!(left_out[0], (7, "its guards take 100000 fuel, 99999 are left in the block".to_owned()));
    assert_eq!(left_out.len(), 5);
    let import = Cut { admission: Admission::Import, ..cut };
    assert_eq!(import.refusal().0, 7);
}

#[test]
fn no_more_than_a_few_are_run_for_nothing_when_guards_have_filled_the_block() {
    // One fits, and leaves less than any other one takes.
    let transactions: Vec<_> = (0..100).map(|number| call_of(number, ONE, 300_000)).collect();
    let monitor = spending(100_000);
    let cut = Cut {
        params: with_fuel(150_000),
        admission: Admission::Build,
        transactions: &transactions,
        monitor: &monitor,
        deadline: None,
    };
    let left_out = cut.left_out();
    assert_eq!(left_out.len(), 99);
    let ran = left_out.iter().take_while(|(_, reason)| reason.starts_with("its guards take 100000 fuel")).count();
    assert_eq!(ran, 16);
    let unrun = "its gas could pay for 150000 fuel of guards, 50000 are left in the block";
    assert!(left_out[ran..].iter().all(|(_, reason)| reason == unrun), "{:?}", &left_out[ran..]);
}

#[test]
fn who_cannot_pay_for_more_than_is_left_is_run_however_many_were_run_for_nothing() {
    // The block holds one of them. 40,000 gas pay for 160,000 fuel at most, and there are so many left; one that calls the
    // registry is beside it.
    let gas_limit = |number| if number == 30 { 40_000 } else { 300_000 };
    let to = |number| if number == 39 { REGISTRY } else { ONE };
    let transactions: Vec<_> = (0..40).map(|number| call_of(number, to(number), gas_limit(number))).collect();
    let monitor = spending(200_000);
    let cut = Cut {
        params: with_fuel(360_000),
        admission: Admission::Build,
        transactions: &transactions,
        monitor: &monitor,
        deadline: None,
    };
    let left_out: Vec<String> = cut.left_out().into_iter().map(|(_, reason)| reason).collect();
    let ran = left_out.iter().filter(|reason| reason.starts_with("its guards take")).count();
    assert_eq!((left_out.len(), ran), (38, 17), "{left_out:?}");
}

#[test]
fn a_transaction_to_the_registry_is_not_kept_out_by_guards() {
    let mut transactions = calls(12);
    transactions.splice(9..12, (9..12).map(|nonce| transaction(nonce, TxKind::Call(REGISTRY), 0, &[])));
    let monitor = spending(100_000);
    let cut = Cut {
        params: with_fuel(900_000),
        admission: Admission::Build,
        transactions: &transactions,
        monitor: &monitor,
        deadline: None,
    };
    assert_eq!(cut.left_out(), [], "nine fill the block, and those to the registry are beside it");
}

#[test]
fn what_comes_after_the_deadline_is_left_out() {
    let transactions = calls(12);
    for passes_at in [1, 2, 6, 12] {
        let cut = Cut {
            params: params(),
            admission: Admission::Build,
            transactions: &transactions,
            monitor: &NoMonitor,
            deadline: Some(passes_at),
        };
        let left_out = cut.left_out();
        let candidates: Vec<u64> = left_out.iter().map(|(candidate, _)| *candidate as u64).collect();
        assert_eq!(candidates, (passes_at - 1..12).collect::<Vec<_>>());
    }
}

#[test]
fn the_deadline_is_asked_once_for_each_even_where_a_transaction_runs_twice() {
    // All of them write the same slot and all are judged, so that much is run ahead in vain.
    let transactions = calls(100);
    let monitor = spending(10);
    let cut = Cut {
        params: params(),
        admission: Admission::Build,
        transactions: &transactions,
        monitor: &monitor,
        deadline: Some(80),
    };
    let candidates: Vec<usize> = cut.left_out().into_iter().map(|(candidate, _)| candidate).collect();
    assert_eq!(candidates, (79..100).collect::<Vec<_>>());
}

#[test]
fn a_chain_may_allow_longer_code_and_more_gas_than_ethereum() {
    // Runtime code of 30,000 zero bytes: PUSH2 30000 PUSH0 RETURN.
    let create = transaction(0, TxKind::Create, 0, &[0x61, 0x75, 0x30, 0x5f, 0xf3]);
    let dear = with_gas_limit(&create, 20_000_000);
    let limits = ExecutionLimits { code_bytes_max: Some(30_000), transaction_gas_max: Some(u64::MAX) };
    let run = |limits, transaction: &Transaction| {
        let cut = Cut {
            params: ChainParams { limits, ..params() },
            admission: Admission::Build,
            transactions: std::slice::from_ref(transaction),
            monitor: &NoMonitor,
            deadline: None,
        };
        cut.left_out();
        cut.run(Mode::Sequential).unwrap().included.first().map(|included| included.executed.succeeded())
    };
    assert_eq!(run(limits, &dear), Some(true));
    assert_eq!(run(ExecutionLimits::ETHEREUM, &dear), None, "EIP-7825");
    let cheap = with_gas_limit(&create, 8_000_000);
    assert_eq!(run(ExecutionLimits { code_bytes_max: Some(29_999), ..limits }, &cheap), Some(false));
    assert_eq!(run(ExecutionLimits::ETHEREUM, &cheap), Some(false), "EIP-170");
}

use parapet_bench::{
    bound::{Dependencies, span},
    policy::{Chains, Costs, Meeting, Order, Policy},
    simulate::simulate,
};
use proptest::prelude::*;

use crate::bounds::{chain, threads};

fn free(count: usize) -> Policy {
    Policy { costs: Costs::NONE, ..Policy::on(threads(count)) }
}

#[test]
fn one_thread_takes_as_long_as_the_sequential_run() {
    let simulated = simulate(&[3, 1, 4], &Dependencies::none(3), &free(1));
    assert_eq!((simulated.makespan_ns, simulated.busy_ns, simulated.incarnations), (8, 8, 3));
}

#[test]
fn independent_transactions_keep_two_threads_busy_to_the_end() {
    let simulated = simulate(&[10; 100], &Dependencies::none(100), &free(2));
    assert_eq!((simulated.makespan_ns, simulated.wasted), (500, 0));
}

#[test]
fn a_chain_that_is_foreseen_is_never_speculated_on() {
    let policy = Policy { accuracy: 1.0, ..free(8) };
    let simulated = simulate(&[10; 50], &chain(50), &policy);
    assert_eq!((simulated.makespan_ns, simulated.incarnations, simulated.wasted), (500, 50, 0));
}

#[test]
fn a_chain_that_nobody_foresees_closes_the_window() {
    let blind = Policy { accuracy: 0.0, meeting: Meeting::WaitUnlessStale, ..free(8) };
    let adaptive = simulate(&[10; 400], &chain(400), &Policy { adaptive: true, window_max: 128, ..blind });
    let stubborn = simulate(&[10; 400], &chain(400), &Policy { window_max: 128, ..blind });
    assert_eq!(adaptive.makespan_ns, 4_000, "speculation in vain never delays the frontier");
    assert!(adaptive.wasted * 4 < stubborn.wasted, "{} of {}", adaptive.wasted, stubborn.wasted);
    assert!(adaptive.busy_ns * 10 < 4_000 * 13, "{} is much for 4000 of work", adaptive.busy_ns);
}

#[test]
fn a_window_of_none_leaves_all_to_the_frontier() {
    let simulated = simulate(&[10; 100], &Dependencies::none(100), &Policy { window_max: 0, ..free(8) });
    assert_eq!((simulated.makespan_ns, simulated.busy_ns), (1_000, 1_000));
}

#[test]
fn a_stale_result_is_run_again_at_the_frontier_and_only_once() {
    // The second depends on the first and starts beside it.
    let policy = Policy { accuracy: 0.0, adaptive: false, ..free(2) };
    let simulated = simulate(&[10, 2], &chain(2), &policy);
    assert_eq!((simulated.makespan_ns, simulated.incarnations, simulated.wasted), (12, 3, 1));
}

#[test]
fn a_valid_result_that_is_nearly_there_is_waited_for() {
    let policy = Policy { adaptive: false, ..free(2) };
    let waits = simulate(&[6, 10], &Dependencies::none(2), &policy);
    let runs = simulate(&[6, 10], &Dependencies::none(2), &Policy { meeting: Meeting::RunAtOnce, ..policy });
    assert_eq!((waits.makespan_ns, waits.incarnations), (10, 2));
    assert_eq!((runs.makespan_ns, runs.incarnations), (16, 3));
}

#[test]
fn a_stale_result_that_is_waited_for_delays_the_frontier() {
    let policy = Policy { accuracy: 0.0, ..free(2) };
    let waits = simulate(&[1, 10], &chain(2), &policy);
    let looks = simulate(&[1, 10], &chain(2), &Policy { meeting: Meeting::WaitUnlessStale, ..policy });
    assert_eq!((waits.makespan_ns, waits.incarnations), (20, 3));
    assert_eq!((looks.makespan_ns, looks.incarnations), (11, 3));
}

#[test]
fn a_chain_among_others_is_left_to_the_frontier_and_costs_no_bookkeeping() {
    // A chunk of its own for the chain, then one in which nobody waits.
    let on = (0..64).map(|index| if (1..32).contains(&index) { vec![index - 1] } else { Vec::new() });
    let on = Dependencies::new(on.collect());
    let costs = Costs { direct_ns: 5, ..Costs::NONE };
    let policy = Policy { accuracy: 1.0, costs, ..free(2) };
    let as_one = simulate(&[10; 64], &on, &policy);
    let as_others = simulate(&[10; 64], &on, &Policy { chains: Chains::AsOthers, ..policy });
    assert_eq!((as_one.incarnations, as_one.wasted), (64, 0));
    assert!(as_one.makespan_ns >= 320 + 150 && as_one.makespan_ns < 320 + 320, "{as_one:?}");
    assert!(as_others.busy_ns > 64 * 10, "{as_others:?}");
}

#[test]
fn what_an_incarnation_was_seen_to_cost_is_shared_out_whole() {
    let Costs { claim_ns, commit_ns, direct_ns } = Costs::of_incarnation(1_001);
    assert_eq!((claim_ns + commit_ns, direct_ns), (1_001, claim_ns));
    assert!(commit_ns > 0 && commit_ns < claim_ns);
}

fn block() -> impl Strategy<Value = (Vec<u64>, Dependencies)> {
    prop::collection::vec((1_u64..10_000, prop::collection::vec(any::<prop::sample::Index>(), 0..4)), 1..60).prop_map(
        |transactions| {
            let durations = transactions.iter().map(|(duration, _)| *duration).collect();
            let on = transactions.iter().enumerate().map(|(index, (_, on))| {
                if index == 0 { Vec::new() } else { on.iter().map(|earlier| earlier.index(index) as u32).collect() }
            });
            (durations, Dependencies::new(on.collect()))
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let costs = (0_u64..500, 0_u64..500, 0_u64..500);
    let meetings = [Meeting::Wait, Meeting::WaitUnlessStale, Meeting::RunAtOnce];
    let orders = [Order::AsTheyCome, Order::HeaviestFirst];
    let choices = (0..meetings.len(), 0..orders.len(), any::<bool>(), any::<bool>());
    (1_usize..65, 0_usize..100, choices, 0.0..=1.0, costs, any::<u64>()).prop_map(
        move |(
            count,
            window_max,
            (meeting, order, adaptive, chains),
            accuracy,
            (claim_ns, commit_ns, direct_ns),
            seed,
        )| Policy {
            window_max,
            adaptive,
            meeting: meetings[meeting],
            order: orders[order],
            chains: if chains { Chains::AsOne } else { Chains::AsOthers },
            accuracy,
            costs: Costs { claim_ns, commit_ns, direct_ns },
            seed,
            ..Policy::on(threads(count))
        },
    )
}

proptest! {
    #[test]
    fn no_simulated_run_beats_work_by_threads_or_the_longest_chain((durations, on) in block(), policy in policy()) {
        let simulated = simulate(&durations, &on, &policy);
        let work: u64 = durations.iter().sum();
        prop_assert!(simulated.makespan_ns >= span(&durations, &on));
        prop_assert!(simulated.makespan_ns >= work.div_ceil(policy.threads.get() as u64));
        prop_assert!(simulated.busy_ns >= work);
    }

    #[test]
    fn no_simulated_run_loses_more_than_its_bookkeeping_to_the_sequential_one(
        (durations, on) in block(),
        policy in policy(),
    ) {
        // Who waits for a result that is stale already loses more.
        prop_assume!(policy.meeting != Meeting::Wait);
        let simulated = simulate(&durations, &on, &policy);
        let Costs { claim_ns, commit_ns, direct_ns } = policy.costs;
        let bookkeeping = durations.len() as u64 * direct_ns.max(claim_ns + commit_ns);
        prop_assert!(simulated.makespan_ns <= durations.iter().sum::<u64>() + bookkeeping);
    }

    #[test]
    fn no_transaction_executes_more_than_twice((durations, on) in block(), policy in policy()) {
        let simulated = simulate(&durations, &on, &policy);
        prop_assert_eq!(simulated.incarnations, durations.len() + simulated.wasted);
        prop_assert!(simulated.wasted <= durations.len());
    }
}

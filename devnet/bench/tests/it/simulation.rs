use parapet_bench::{
    bound::{Dependencies, span},
    simulate::{Costs, Meeting, Policy, simulate},
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
    let blind = Policy { accuracy: 0.0, ..free(8) };
    let adaptive = simulate(&[10; 400], &chain(400), &blind);
    let stubborn = simulate(&[10; 400], &chain(400), &Policy { adaptive: false, ..blind });
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
    (1_usize..65, 0_usize..100, any::<bool>(), any::<bool>(), 0.0..=1.0, costs, any::<u64>()).prop_map(
        |(count, window_max, adaptive, waits, accuracy, (claim_ns, commit_ns, direct_ns), seed)| Policy {
            window_max,
            adaptive,
            meeting: if waits { Meeting::WaitUnlessStale } else { Meeting::RunAtOnce },
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

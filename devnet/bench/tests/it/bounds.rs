use std::num::NonZeroUsize;

use parapet_bench::bound::{Dependencies, makespan, ratio, span};

pub(crate) fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

pub(crate) fn chain(transactions: u32) -> Dependencies {
    Dependencies::new((0..transactions).map(|index| index.checked_sub(1).into_iter().collect()).collect())
}

#[test]
fn a_chain_gains_nothing_from_threads() {
    let durations = [3, 1, 4, 1, 5];
    for count in [1, 2, 8] {
        assert_eq!(makespan(&durations, &chain(5), threads(count)), 14);
    }
    assert_eq!(span(&durations, &chain(5)), 14);
}

#[test]
fn independent_transactions_gain_as_much_as_there_are_threads() {
    for count in [1_usize, 2, 4, 64] {
        let found = ratio(&[7; 128], &Dependencies::none(128), threads(count));
        assert!((found - count as f64).abs() < 1e-9, "{found} on {count} threads");
    }
}

#[test]
fn two_chains_gain_two_and_never_more() {
    let two_chains = Dependencies::new((0..20_u32).map(|index| index.checked_sub(2).into_iter().collect()).collect());
    for (count, expected) in [(1, 1.0), (2, 2.0), (8, 2.0)] {
        let found = ratio(&[5; 20], &two_chains, threads(count));
        assert!((found - expected).abs() < 1e-9, "{found} on {count} threads");
    }
}

#[test]
fn the_longest_path_is_scheduled_first() {
    // Three short ones and a chain of three: whoever starts with the short ones needs nine.
    let durations = [2, 2, 2, 2, 2, 2];
    let dependencies = Dependencies::new(vec![vec![], vec![], vec![], vec![], vec![3], vec![4]]);
    assert_eq!(makespan(&durations, &dependencies, threads(2)), 6);
}

#[test]
fn what_points_forward_or_to_itself_is_no_dependency() {
    let dependencies = Dependencies::new(vec![vec![0, 1], vec![1, 0, 0], vec![9, 1]]);
    assert_eq!(dependencies, Dependencies::new(vec![vec![], vec![0], vec![1]]));
    assert_eq!(dependencies.edges(), 2);
}

#[test]
fn a_transaction_behind_its_own_piece_of_work_waits_for_it_and_for_its_dependencies() {
    let behind = chain(2).behind_own(2);
    assert_eq!(behind, Dependencies::new(vec![vec![], vec![], vec![0], vec![1, 2]]));
    // Two recoveries of five at once, then the chain of one and one.
    assert_eq!(makespan(&[5, 5, 1, 1], &behind, threads(2)), 7);
}

#[test]
fn an_empty_block_has_a_bound_of_one() {
    assert!((ratio(&[], &Dependencies::none(0), threads(2)) - 1.0).abs() < 1e-9);
}

//! With no attachment, execution is Ethereum's (I6): every suite, sequentially and in parallel.

use std::num::NonZeroUsize;

use parapet_conformance::{Options, Report, Skip, run};

use crate::fixtures::suite;

/// What is left of a path in test names: enough to name the test and nothing of its parameters.
fn test_of(name: &str) -> &str {
    let name = name.rsplit("::").next().unwrap_or(name);
    name.split('[').next().unwrap_or(name)
}

fn run_suite(name: &str, threads: usize, filter: Option<&str>) -> Option<Report> {
    let options = Options { threads: NonZeroUsize::new(threads).unwrap(), filter: filter.map(str::to_owned) };
    let report = run(&suite(name)?, &options, |_| {}).unwrap();
    println!("{name} with {threads} threads: {report} {:?}", report.skipped);
    Some(report)
}

/// Every test of the suite passes, and there are this many.
fn all_pass(name: &str, threads: usize, filter: Option<&str>, tests: u64) {
    let Some(report) = run_suite(name, threads, filter) else { return };
    let failures: Vec<_> = report.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
    assert_eq!((report.passed, report.skipped_total()), (tests, 0), "{name}");
}

#[test]
fn the_execution_spec_tests_pass() {
    all_pass("eest-stable-v5.4.0", 1, None, 8_725);
}

#[test]
fn valid_blocks_of_the_old_suite_are_accepted() {
    all_pass("ethereum-tests-valid", 1, None, 228);
}

#[test]
fn invalid_blocks_of_the_old_suite_are_refused() {
    all_pass("ethereum-tests-invalid", 1, None, 65);
}

#[test]
fn a_fork_in_the_middle_of_a_chain_changes_the_rules_there() {
    all_pass("ethereum-tests-transition", 1, None, 1);
}

#[test]
fn blocks_of_many_transactions_pass_on_any_number_of_threads() {
    for threads in [1, 2, 8] {
        all_pass("packed-multi-tx", threads, None, 234);
    }
}

#[test]
fn heavy_blocks_pass() {
    all_pass("eest-benchmark-v0.0.7", 1, None, 102);
}

#[test]
fn heavy_blocks_pass_on_several_threads() {
    for threads in [2, 8] {
        // Those of 30 Mgas stand for all: the others repeat them with other limits.
        all_pass("eest-benchmark-v0.0.7", threads, Some("benchmark-gas-value_30M"), 19);
    }
}

#[test]
fn the_worst_blocks_pass_on_any_number_of_threads() {
    for threads in [1, 2, 8] {
        all_pass("eest-worst-blocks-filled-here", threads, None, 11);
    }
}

#[test]
fn creations_onto_accounts_with_storage_are_the_known_divergence() {
    let Some(report) = run_suite("known-divergence", 1, None) else { return };
    let mut failures: Vec<_> = report.failures.iter().map(|failure| test_of(&failure.test)).collect();
    failures.dedup();
    let known = [
        "test_init_collision_create_opcode",
        "RevertInCreateInInitCreate2Paris",
        "create2collisionStorageParis",
        "dynamicAccountOverwriteEmpty_Paris",
    ];
    assert_eq!(failures, known, "{:#?}", report.failures);
    assert_eq!((report.passed, report.failures.len(), report.skipped_total()), (0, 30, 0));
}

#[test]
fn what_is_not_final_is_skipped_with_its_reason() {
    let Some(report) = run_suite("eest-amsterdam-bal-v5.7.0-alpha-passing-on-revm43", 1, None) else { return };
    assert_eq!(report.skipped.into_iter().collect::<Vec<_>>(), [(Skip::Amsterdam, 302)]);
    assert_eq!((report.passed, report.failures.len()), (0, 0));
}

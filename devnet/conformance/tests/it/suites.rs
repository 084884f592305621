//! With no attachment, execution is Ethereum's (I6): every suite, sequentially and in parallel.

use std::num::NonZeroUsize;

use parapet_conformance::{Keep, Options, Report, Skip, run};

use crate::fixtures::suite;

fn run_suite(name: &str, threads: usize, filter: Option<&str>) -> Option<Report> {
    run_kept(name, threads, filter, Keep::Memory)
}

fn run_kept(name: &str, threads: usize, filter: Option<&str>, keep: Keep) -> Option<Report> {
    let options = Options { threads: NonZeroUsize::new(threads).unwrap(), filter: filter.map(str::to_owned), keep };
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

/// Every test of the suite passes with its states on disk, as in memory.
fn all_pass_through_the_store(name: &str, threads: usize, filter: Option<&str>) {
    let (Some(memory), Some(disk)) =
        (run_kept(name, threads, filter, Keep::Memory), run_kept(name, threads, filter, Keep::Disk))
    else {
        return;
    };
    let failures: Vec<_> = disk.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
    assert_eq!((disk.passed, disk.skipped), (memory.passed, memory.skipped), "{name}");
}

/// `parapet conformance --store` does it with all of all suites; those that are left out here repeat what is in.
#[test]
fn suites_pass_through_the_store_as_they_do_in_memory() {
    for suite in ["ethereum-tests-valid", "ethereum-tests-invalid", "ethereum-tests-transition"] {
        all_pass_through_the_store(suite, 1, None);
    }
    for part in ["eip7702_set_code_tx", "eip6780_selfdestruct", "eip7610_create_collision", "eip4895_withdrawals"] {
        all_pass_through_the_store("eest-stable-v5.4.0", 1, Some(part));
    }
}

#[test]
fn suites_pass_through_the_store_on_several_threads() {
    for (suite, threads) in [
        ("eest-amsterdam-bal-v5.7.0-alpha-passing-on-revm43", 2),
        ("ethereum-tests-transition", 2),
        ("eest-worst-blocks-filled-here", 8),
        ("known-divergence", 8),
    ] {
        all_pass_through_the_store(suite, threads, None);
    }
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
fn creations_onto_accounts_with_storage_fail_on_any_number_of_threads() {
    for threads in [1, 2, 8] {
        all_pass("known-divergence", threads, None, 30);
    }
}

#[test]
fn blocks_with_access_lists_pass_on_any_number_of_threads() {
    for threads in [1, 2, 8] {
        all_pass("eest-amsterdam-bal-v5.7.0-alpha-passing-on-revm43", threads, None, 302);
    }
}

#[test]
fn blocks_of_another_version_of_a_fork_are_skipped_with_their_reason() {
    let Some(report) = run_suite("eip7928-bal-v5.7.0-alpha", 2, None) else { return };
    let failures: Vec<_> = report.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(report.skipped.keys().collect::<Vec<_>>(), [&Skip::OtherVersion]);
    assert_eq!(report.passed + report.skipped_total(), 135);
}

use parapet_bench::{
    measure::Settings,
    report::Row,
    suite::{self, Selection},
};

use crate::bounds::threads;

fn rows(filter: &str) -> Vec<Row> {
    let selection = Selection { filter: Some(filter.to_owned()), mgas: 1, blocks: Vec::new() };
    let settings = Settings { threads: threads(2), iterations: threads(2), scaling: vec![threads(4)], accuracy: 1.0 };
    suite::run(&selection, &settings, &mut Vec::new()).unwrap().workloads
}

#[test]
fn the_filter_decides_which_workloads_are_reported() {
    let names: Vec<String> = rows("transfers-").into_iter().map(|row| row.workload).collect();
    let expected = [
        "transfers-independent",
        "transfers-independent-with-recovery",
        "transfers-chain",
        "transfers-one-sender",
        "transfers-one-recipient",
    ];
    assert_eq!(names, expected);
    assert_eq!(rows("with-recovery").len(), 1);
    assert!(rows("no such workload").is_empty());
}

#[test]
fn a_row_has_its_times_and_its_bounds() {
    let rows = rows("erc20-chain");
    let row = &rows[0];
    assert!(row.transactions > 10 && row.mgas > 0.5);
    assert!(row.sequential_ms > 0.0 && row.parallel_ms > 0.0 && row.cpu_ratio > 0.0);
    assert!((row.bound - 1.0).abs() < 1e-9, "a chain's bound is {}", row.bound);
    assert_eq!(row.scaling.len(), 1);
    assert!(row.scaling[0].simulated <= row.scaling[0].bound + 1e-9);
}

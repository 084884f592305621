use std::{fs, path::PathBuf};

use parapet_bench::{
    measure::Settings,
    report::{Report, Row},
    suite::{self, Selection},
};

use crate::bounds::threads;

/// What others read, by these names.
const WORKLOADS: [&str; 11] = [
    "transfers-independent",
    "transfers-chain",
    "transfers-one-sender",
    "transfers-one-recipient",
    "erc20-independent",
    "erc20-chain",
    "erc20-one-recipient",
    "swaps-independent",
    "swaps-16-pools",
    "swaps-one-pool",
    "mainnet",
];
const NUMBERS: [&str; 8] =
    ["transactions", "mgas", "sequential_ms", "parallel_ms", "ratio", "bound", "cpu_ratio", "memory_bytes"];
/// A small block of mainnet.
const BLOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/fixtures/dev/prestate-blocks/9068998.json");

fn report(filter: Option<&str>, blocks: Vec<PathBuf>) -> Report {
    let selection = Selection { filter: filter.map(str::to_owned), mgas: 1, blocks };
    let settings = Settings { threads: threads(2), iterations: threads(2), scaling: vec![threads(4)] };
    suite::run(&selection, &settings, &mut Vec::new()).unwrap()
}

fn rows(filter: &str) -> Vec<Row> {
    report(Some(filter), Vec::new()).workloads
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
    assert!(row.sequential_ms > 0.0 && row.parallel_ms > 0.0 && row.cpu_ratio > 0.0 && row.memory_bytes > 0);
    assert!((row.bound - 1.0).abs() < 1e-9, "a chain's bound is {}", row.bound);
    assert_eq!(row.scaling.len(), 1);
    assert!(row.scaling[0].simulated <= row.scaling[0].bound + 1e-9);
}

#[test]
fn the_file_has_every_workload_and_number_that_others_read() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("bench/executor.json");
    let block = PathBuf::from(BLOCK);
    if !block.is_file() {
        println!("skipped: the fixtures are not unpacked, {BLOCK} is missing");
        return;
    }
    report(None, vec![block]).write(&file).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let rows = json["workloads"].as_array().unwrap();
    for workload in WORKLOADS {
        let named: Vec<_> = rows.iter().filter(|row| row["workload"] == workload).collect();
        assert_eq!(named.len(), 1, "{workload}");
        for number in NUMBERS {
            let value = named[0][number].as_f64().unwrap_or_else(|| panic!("{workload}: {number} is no number"));
            assert!(value > 0.0, "{workload}: {number} is {value}");
        }
    }
}

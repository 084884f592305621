use std::time::Duration;

use parapet_bench::{
    report::{BlockRow, Bounds, Report, Row, Shape, Side},
    table,
    timing::{Sample, Series, Summary},
};

fn sample(wall: u64, cpu: u64) -> Sample {
    Sample { wall: Duration::from_millis(wall), cpu: Duration::from_millis(cpu) }
}

fn side(wall: u64, cpu: u64) -> Side {
    let sample = sample(wall, cpu);
    Side { cold: sample, warm: Summary { min: sample, median: sample } }
}

fn row(workload: &str, threads: usize, sequential: Side, parallel: Side) -> Row {
    let shape = Shape {
        workload: workload.to_owned(),
        transactions: 3,
        gas: 63_000,
        threads,
        iterations: 1,
        memory_bytes: 1_048_576,
    };
    Row::new(shape, sequential, parallel, Bounds::default(), Vec::new())
}

fn block(ratio: f64) -> BlockRow {
    BlockRow {
        block: "1".to_owned(),
        transactions: 1,
        mgas: 1.0,
        sequential_ms: 1.0,
        parallel_ms: 1.0,
        ratio,
        bound: 1.0,
        memory_bytes: 0,
    }
}

#[test]
fn the_first_run_is_cold_and_the_middle_is_of_the_others() {
    let runs = [sample(90, 9), sample(3, 5), sample(1, 7), sample(2, 6), sample(8, 8)];
    let series = Series::new(&runs);
    assert_eq!(series.cold, runs[0]);
    assert_eq!(series.summary(), Summary { min: sample(1, 5), median: sample(2, 6) });
    assert_eq!(Series::new(&runs[..1]).summary().min, runs[0], "a single run is both");
}

#[test]
fn a_serial_workload_reaches_its_target_only_with_little_cpu_time() {
    assert_eq!(row("erc20-chain", 2, side(100, 100), side(100, 120)).reached, Some(true));
    assert_eq!(row("erc20-chain", 2, side(100, 100), side(100, 121)).reached, Some(false));
    assert_eq!(row("erc20-chain", 2, side(100, 100), side(104, 100)).reached, Some(false));
    assert_eq!(row("erc20-independent", 2, side(170, 100), side(100, 300)).reached, Some(true));
}

#[test]
fn targets_are_for_two_threads_and_known_workloads() {
    assert_eq!(row("erc20-chain", 4, side(100, 100), side(100, 100)).reached, None);
    assert_eq!(row("mixed", 2, side(100, 100), side(100, 100)).reached, None);
}

#[test]
fn one_slow_real_block_misses_the_target() {
    let row = row("mainnet", 2, side(200, 200), side(100, 200));
    assert_eq!(row.clone().with_blocks(vec![block(0.95), block(2.0)]).reached, Some(true));
    let slow = row.with_blocks(vec![block(0.94), block(2.0)]);
    assert_eq!((slow.reached, slow.slow_blocks()), (Some(false), 1));
}

#[test]
fn the_report_has_the_fields_that_others_read() {
    let report = Report { workloads: vec![row("swaps-one-pool", 2, side(100, 100), side(50, 100))] };
    let json: serde_json::Value = serde_json::to_value(&report).unwrap();
    let row = &json["workloads"][0];
    assert_eq!(row["workload"], "swaps-one-pool");
    assert_eq!(row["transactions"], 3);
    assert_eq!(row["memory_bytes"], 1_048_576);
    for (field, value) in [
        ("mgas", 0.063),
        ("sequential_ms", 100.0),
        ("parallel_ms", 50.0),
        ("ratio", 2.0),
        ("bound", 0.0),
        ("cpu_ratio", 1.0),
    ] {
        assert!((row[field].as_f64().unwrap() - value).abs() < 1e-9, "{field} is {}", row[field]);
    }
}

#[test]
fn the_table_says_by_how_much_a_target_is_missed() {
    let report = Report { workloads: vec![row("transfers-independent", 2, side(100, 100), side(100, 190))] };
    let mut text = Vec::new();
    table::print(&report, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().find(|line| line.starts_with("transfers-independent")).unwrap();
    assert!(line.contains("≥ 1.20") && line.contains("short by 0.20") && line.ends_with("0.31"), "{line}");
}

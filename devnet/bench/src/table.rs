//! The report for people.

use std::io::{self, Write};

use crate::{
    report::{Report, Row, mib},
    targets::{PEER_SOURCE, REAL_BLOCK_RATIO_MIN, SERIAL_CPU_MAX, TARGET_THREADS},
};

/// Prints the report.
///
/// # Errors
/// What the writer reports.
pub fn print(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.workloads.is_empty() {
        return writeln!(out, "no workload was selected");
    }
    grid(out, &MAIN_HEADER, &report.workloads.iter().map(main_row).collect::<Vec<_>>())?;
    legend(out)?;
    scaling(report, out)?;
    report.workloads.iter().filter(|row| !row.blocks.is_empty()).try_for_each(|row| blocks(row, out))
}

const MAIN_HEADER: [&str; 14] = [
    "workload",
    "txs",
    "Mgas",
    "sequential ms",
    "parallel ms",
    "ratio",
    "cold",
    "bound",
    "machine",
    "CPU",
    "MiB",
    "target",
    "",
    "pevm",
];

fn main_row(row: &Row) -> Vec<String> {
    vec![
        row.workload.clone(),
        row.transactions.to_string(),
        format!("{:.1}", row.mgas),
        format!("{:.2} / {:.2}", row.sequential_ms, row.sequential_median_ms),
        format!("{:.2} / {:.2}", row.parallel_ms, row.parallel_median_ms),
        format!("{:.2} / {:.2}", row.ratio, row.ratio_median),
        format!("{:.2}", row.ratio_cold),
        format!("{:.2}", row.bound),
        format!("{:.2}", row.machine),
        format!("{:.2}", row.cpu_ratio),
        format!("{:.2}", mib(row.memory_bytes)),
        row.target.map_or(String::new(), |target| format!("≥ {:.2}", target.ratio_min)),
        verdict(row),
        row.target.and_then(|target| target.peer).map_or(String::new(), |[least, most]| {
            if least < most { format!("{least:.2}–{most:.2}") } else { format!("{least:.2}") }
        }),
    ]
}

fn verdict(row: &Row) -> String {
    match row.reached {
        None => String::new(),
        Some(true) => "reached".to_owned(),
        Some(false) => {
            let mut words = Vec::new();
            if row.short_by() > 0.0 {
                words.push(format!("short by {:.2}", row.short_by()));
            }
            if row.is_over_cpu() {
                words.push(format!("CPU over {SERIAL_CPU_MAX}"));
            }
            if row.slow_blocks() > 0 {
                words.push(format!("{} of {} blocks slower", row.slow_blocks(), row.blocks.len()));
            }
            words.join(", ")
        }
    }
}

fn legend(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "ms and ratio: least / middle of the warm runs; sequential is one lean revm loop with one journal.")?;
    writeln!(out, "ratio: sequential by parallel. cold: ratio of the first runs.")?;
    writeln!(out, "bound: work by list schedule on as many threads, from measured durations and true dependencies.")?;
    writeln!(
        out,
        "machine: what as many lean loops as threads, each with the whole block, get done beside one another."
    )?;
    writeln!(out, "CPU: parallel by sequential, all threads; on serial blocks at most {SERIAL_CPU_MAX}.")?;
    writeln!(out, "MiB: what the versioned memory took, at most for one block: tables of keys, cells, versions.")?;
    writeln!(out, "target: for {TARGET_THREADS} threads and 200 Mgas. pevm: {PEER_SOURCE}.")
}

fn scaling(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = report.workloads.first().filter(|row| !row.scaling.is_empty()) else { return Ok(()) };
    writeln!(out, "\nOn more cores: bound / simulated, and the simulated CPU time by the sequential one's")?;
    writeln!(out, "simulated: the executor's decisions, with what its bookkeeping was seen to cost here")?;
    let mut header = vec!["workload".to_owned()];
    header.extend(first.scaling.iter().map(|scaling| scaling.threads.to_string()));
    header.extend(["endless".to_owned(), "accounts lumped".to_owned()]);
    let rows = report.workloads.iter().map(|row| {
        let cells =
            row.scaling.iter().map(|at| format!("{:.2} / {:.2} ({:.2})", at.bound, at.simulated, at.simulated_cpu));
        let ends = [format!("{:.2}", row.bound_endless), format!("{:.2}", row.bound_endless_lumped)];
        [row.workload.clone()].into_iter().chain(cells).chain(ends).collect()
    });
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    grid(out, &header, &rows.collect::<Vec<Vec<String>>>())
}

fn blocks(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}: each block", row.workload)?;
    let cells: Vec<Vec<String>> = row
        .blocks
        .iter()
        .map(|block| {
            vec![
                block.block.clone(),
                block.transactions.to_string(),
                format!("{:.1}", block.mgas),
                format!("{:.3}", block.sequential_ms),
                format!("{:.3}", block.parallel_ms),
                format!("{:.2}", block.ratio),
                format!("{:.2}", block.bound),
                format!("{:.2}", mib(block.memory_bytes)),
            ]
        })
        .collect();
    grid(out, &["block", "txs", "Mgas", "sequential ms", "parallel ms", "ratio", "bound", "MiB"], &cells)?;
    let (slow, all) = (row.slow_blocks(), row.blocks.len());
    writeln!(out, "{slow} of {all} slower than {REAL_BLOCK_RATIO_MIN} of sequential")
}

/// Columns as wide as their widest cell; the first is flush left, the others right.
fn grid(out: &mut dyn Write, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let wide = |cell: &str| cell.chars().count();
    let mut widths: Vec<usize> = header.iter().map(|cell| wide(cell)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(wide(cell));
        }
    }
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            let padding = " ".repeat(width - wide(cell));
            let parts = if column == 0 { [cell, padding.as_str()] } else { [padding.as_str(), cell] };
            text.push_str(if column == 0 { "" } else { "  " });
            parts.iter().for_each(|part| text.push_str(part));
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&mut header.iter().copied())?;
    rows.iter().try_for_each(|row| line(&mut row.iter().map(String::as_str)))
}

//! `bench-roots`: what a block's state costs, over a large state and over a small one: its root, and its write to disk.

mod disk;
mod error;
mod memory;
mod roots;

use std::{
    fs,
    io::{self, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use serde::Serialize;

use crate::{
    disk::DiskCost,
    error::BenchError,
    memory::Point,
    roots::{RootCost, Shape},
};

/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;
/// How many times smaller the small state is.
const SMALLER: usize = 100;

/// Measures the root of a block against a full rebuild, and against hashing alone.
#[derive(Debug, Parser)]
#[command(name = "bench-roots", version)]
struct Options {
    /// Accounts of the large state.
    #[arg(long, default_value = "1000000")]
    accounts: usize,
    /// Accounts that have storage.
    #[arg(long, default_value = "100")]
    contracts: NonZeroUsize,
    /// Slots of each of them.
    #[arg(long, default_value = "1000")]
    slots: NonZeroUsize,
    /// Slots that a block changes.
    #[arg(long, default_value = "10000")]
    changes: usize,
    /// Blocks measured.
    #[arg(long, default_value = "3")]
    rounds: NonZeroUsize,
    /// Write a chain of so many transactions, too, and look at memory on the way: ten million are a matter of patience.
    #[arg(long, value_name = "TRANSACTIONS")]
    chain: Option<u64>,
    /// Where the report is written as JSON.
    #[arg(long, default_value = "target/bench/roots.json")]
    json: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be said, the exit code says it.
            let _ = writeln!(io::stderr(), "bench-roots: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BenchError> {
    let Options { accounts, contracts, slots, changes, rounds, chain, ref json } = *options;
    let mut report = Report::default();
    for accounts in [accounts, (accounts / SMALLER).max(contracts.get())] {
        let shape = Shape { accounts, contracts, slots, changes, rounds };
        report.roots.push(roots::run(&shape, &mut io::stderr())?);
        report.disk.push(disk::run(&shape, &mut io::stderr())?);
    }
    if let Some(transactions) = chain {
        report.memory = memory::run(transactions, &mut io::stderr())?;
    }
    write(json, &report)?;
    print(&report, &mut io::stdout().lock())
}

/// All that was measured.
#[derive(Default, Serialize)]
struct Report {
    roots: Vec<RootCost>,
    disk: Vec<DiskCost>,
    memory: Vec<Point>,
}

fn print(report: &Report, out: &mut impl io::Write) -> Result<(), BenchError> {
    writeln!(
        out,
        " accounts    slots  changed  rebuilt ms  applied ms  root ms  times faster   hashed    bound  × hashing"
    )?;
    for cost in &report.roots {
        writeln!(
            out,
            "{:>9} {:>8} {:>8} {:>11.1} {:>11.2} {:>8.2} {:>13.1} {:>8} {:>8} {:>10.2}",
            cost.accounts,
            cost.slots,
            cost.changes,
            cost.rebuilt_ms,
            cost.applied_ms,
            cost.root_ms,
            cost.times_faster(),
            cost.hashed,
            cost.bound,
            cost.times_hashing(),
        )?;
    }
    writeln!(out, "\n accounts  changed  cold applied ms  root ms  commit ms   log bytes  bytes per slot")?;
    for cost in &report.disk {
        writeln!(
            out,
            "{:>9} {:>8} {:>16.2} {:>8.2} {:>10.2} {:>11} {:>15.1}",
            cost.accounts,
            cost.changes,
            cost.cold_applied_ms,
            cost.root_ms,
            cost.commit_ms,
            cost.log_bytes,
            cost.bytes_per_slot(),
        )?;
    }
    if !report.memory.is_empty() {
        writeln!(out, "\ntransactions  process MiB  bounded MiB    log MiB  files MiB  written × log")?;
    }
    for point in &report.memory {
        let mib = |bytes: u64| bytes as f64 / MIB;
        writeln!(
            out,
            "{:>12} {:>12.1} {:>12.1} {:>10.1} {:>10.1} {:>14.2}",
            point.transactions,
            point.process_bytes.map_or(f64::NAN, mib),
            mib(point.bounded_bytes),
            mib(point.log_bytes),
            mib(point.file_bytes),
            point.write_amplification(),
        )?;
    }
    Ok(())
}

fn write(path: &Path, report: &Report) -> Result<(), BenchError> {
    let failed = |source| BenchError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, serde_json::to_string_pretty(report)? + "\n").map_err(failed)
}

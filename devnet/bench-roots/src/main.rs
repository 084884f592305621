//! `bench-roots`: what a block's state costs, over a large state and over a small one: its root, and its write to disk.

mod disk;
mod error;
mod memory;
mod reads;
mod roots;

use std::{
    fs,
    io::{self, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use parapet_state::StoreSettings;
use serde::Serialize;

use crate::{
    disk::{DiskCost, WriteCost},
    error::BenchError,
    memory::Point,
    reads::{Files, ReadCost},
    roots::{RootCost, Shape},
};

/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;
/// How many times smaller the small state is.
const SMALLER: usize = 100;
/// Blocks after each other whose writes are counted: enough that files are written, and written again.
const SERIES: usize = 40;

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
    /// Nothing but that chain.
    #[arg(long, requires = "chain")]
    only_chain: bool,
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
    let Options { accounts, contracts, slots, changes, rounds, chain, only_chain, ref json } = *options;
    let (mut report, out) = (Report::default(), &mut io::stderr());
    let sizes = [accounts, (accounts / SMALLER).max(contracts.get())];
    for accounts in sizes.into_iter().filter(|_| !only_chain) {
        let shape = Shape { accounts, contracts, slots, changes, rounds };
        report.roots.push(roots::run(&shape, out)?);
        let dir = tempfile::tempdir()?;
        disk::put(dir.path(), &shape, out)?;
        report.reads.extend(reads::run(dir.path(), &shape, out)?);
        report.disk.push(disk::run(dir.path(), &shape, out)?);
        report.writes.push(disk::series(dir.path(), &shape, SERIES, out)?);
    }
    if let Some(transactions) = chain {
        report.memory = memory::run(transactions, StoreSettings::default(), out)?;
    }
    write(json, &report)?;
    print(&report, &mut io::stdout().lock())
}

/// All that was measured.
#[derive(Default, Serialize)]
struct Report {
    roots: Vec<RootCost>,
    disk: Vec<DiskCost>,
    writes: Vec<WriteCost>,
    reads: Vec<ReadCost>,
    memory: Vec<Point>,
}

fn print(report: &Report, out: &mut impl io::Write) -> Result<(), BenchError> {
    print_roots(&report.roots, out)?;
    print_disk(report, out)?;
    if !report.memory.is_empty() {
        writeln!(out, "\ntransactions  seconds  process MiB  bounded MiB    log MiB  files MiB  times written")?;
    }
    for point in &report.memory {
        let mib = |bytes: u64| bytes as f64 / MIB;
        writeln!(
            out,
            "{:>12} {:>8.0} {:>12.1} {:>12.1} {:>10.1} {:>10.1} {:>14.2}",
            point.transactions,
            point.seconds,
            point.process_bytes.map_or(f64::NAN, mib),
            mib(point.bounded_bytes),
            mib(point.log_bytes),
            mib(point.file_bytes),
            point.write_amplification(),
        )?;
    }
    Ok(())
}

fn print_roots(roots: &[RootCost], out: &mut impl io::Write) -> Result<(), BenchError> {
    writeln!(
        out,
        " accounts    slots  changed  rebuilt ms  applied ms  root ms  times faster   hashed    bound  × hashing  one : one  \
         two : two"
    )?;
    for cost in roots {
        writeln!(
            out,
            "{:>9} {:>8} {:>8} {:>11.1} {:>11.2} {:>8.2} {:>13.1} {:>8} {:>8} {:>10.2} {:>10.2} {:>10.2}",
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
            cost.times_hashing_one(),
            cost.times_hashing_two(),
        )?;
    }
    Ok(())
}

fn print_disk(report: &Report, out: &mut impl io::Write) -> Result<(), BenchError> {
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
    writeln!(out, "\n accounts  blocks  changed  commit ms  bytes per slot    log MiB  files MiB  times written")?;
    for cost in &report.writes {
        writeln!(
            out,
            "{:>9} {:>7} {:>8} {:>10.2} {:>15.1} {:>10.1} {:>10.1} {:>14.2}",
            cost.accounts,
            cost.blocks,
            cost.changes,
            cost.commit_ms,
            cost.bytes_per_slot(),
            cost.log_bytes as f64 / MIB,
            cost.file_bytes as f64 / MIB,
            cost.amplification(),
        )?;
    }
    writeln!(out, "\n accounts  read ahead   files in  threads       ms")?;
    for cost in &report.reads {
        let files = match cost.files {
            Files::Memory => "memory",
            Files::Disk => "on disk",
        };
        writeln!(out, "{:>9} {:>11} {files:>10} {:>8} {:>8.2}", cost.accounts, cost.slots, cost.threads, cost.ms)?;
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

//! `bench-roots`: what a block's state costs, over a large state and over a small one: its root, and its write to disk.

mod blocks;
mod disk;
mod error;
mod memory;
mod reads;
mod roots;

use std::{
    fs,
    io::{self, Write as _},
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use parapet_state::StoreSettings;
use serde::Serialize;

use crate::{
    blocks::BlockCost,
    disk::{DiskCost, WriteCost},
    error::BenchError,
    memory::{Length, Point},
    reads::ReadCost,
    roots::{RootCost, Shape},
};

/// Bytes in a mebibyte.
const MIB_BYTES: usize = 1_048_576;
/// The same, for shares of it.
const MIB: f64 = MIB_BYTES as f64;
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
    /// Nothing but roots, what they read and what is written: no blocks of transactions.
    #[arg(long)]
    only_roots: bool,
    /// Nothing but blocks of transactions.
    #[arg(long, conflicts_with = "only_roots")]
    only_blocks: bool,
    /// Transactions of each block of that chain.
    #[arg(long, default_value = "200", value_name = "TRANSACTIONS")]
    per_block: NonZeroU64,
    /// Blocks of that chain whose states are kept; all where there is no number.
    #[arg(long, value_name = "BLOCKS")]
    prune: Option<NonZeroU64>,
    /// Memory of that chain's store.
    #[arg(long, default_value = "512", value_name = "MIB")]
    cache: NonZeroUsize,
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
    let Options { accounts, contracts, slots, changes, rounds, chain, only_chain, .. } = *options;
    let (mut report, out) = (Report::default(), &mut io::stderr());
    let sizes = [accounts, (accounts / SMALLER).max(contracts.get())];
    for accounts in sizes.into_iter().filter(|_| !only_chain && !options.only_blocks) {
        let shape = Shape { accounts, contracts, slots, changes, rounds };
        report.roots.push(roots::run(&shape, out)?);
        let dir = tempfile::tempdir()?;
        disk::put(dir.path(), &shape, out)?;
        report.reads.extend(reads::run(dir.path(), &shape, out)?);
        report.disk.push(disk::run(dir.path(), &shape, out)?);
        report.writes.push(disk::series(dir.path(), &shape, SERIES, out)?);
    }
    if !only_chain && !options.only_roots {
        report.blocks = blocks::run(out)?;
    }
    if let Some(transactions) = chain {
        let memory = StoreSettings::with_memory(options.cache.get().saturating_mul(MIB_BYTES));
        let length = Length { transactions, per_block: options.per_block };
        report.memory = memory::run(length, StoreSettings { prune: options.prune, ..memory }, out)?;
    }
    write(&options.json, &report)?;
    print(&report, &mut io::stdout().lock())
}

/// All that was measured.
#[derive(Default, Serialize)]
struct Report {
    roots: Vec<RootCost>,
    disk: Vec<DiskCost>,
    writes: Vec<WriteCost>,
    reads: Vec<ReadCost>,
    blocks: Vec<BlockCost>,
    memory: Vec<Point>,
}

fn print(report: &Report, out: &mut impl io::Write) -> Result<(), BenchError> {
    print_roots(&report.roots, out)?;
    print_disk(report, out)?;
    print_reads(&report.reads, out)?;
    print_blocks(&report.blocks, out)?;
    print_chain(&report.memory, out)
}

fn print_chain(points: &[Point], out: &mut impl io::Write) -> Result<(), BenchError> {
    if !points.is_empty() {
        writeln!(
            out,
            "\ntransactions  seconds  process MiB  bounded MiB    log MiB  files MiB  times written  folder MiB"
        )?;
    }
    for point in points {
        let mib = |bytes: u64| bytes as f64 / MIB;
        writeln!(
            out,
            "{:>12} {:>8.0} {:>12.1} {:>12.1} {:>10.1} {:>10.1} {:>14.2} {:>11.1}",
            point.transactions,
            point.seconds,
            point.process_bytes.map_or(f64::NAN, mib),
            mib(point.bounded_bytes),
            mib(point.log_bytes),
            mib(point.file_bytes),
            point.write_amplification(),
            mib(point.folder_bytes),
        )?;
    }
    Ok(())
}

fn print_roots(roots: &[RootCost], out: &mut impl io::Write) -> Result<(), BenchError> {
    if !roots.is_empty() {
        writeln!(
            out,
            " accounts    slots  changed  rebuilt ms  applied ms  root ms  times faster   hashed    bound  × hashing  one : one  \
             two : two"
        )?;
    }
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
    if !report.disk.is_empty() {
        writeln!(
            out,
            "\n accounts  changed  cold applied ms  root ms  commit ms  plain ms  times plain   log bytes  bytes per slot"
        )?;
    }
    for cost in &report.disk {
        writeln!(
            out,
            "{:>9} {:>8} {:>16.2} {:>8.2} {:>10.2} {:>9.2} {:>12.2} {:>11} {:>15.1}",
            cost.accounts,
            cost.changes,
            cost.cold_applied_ms,
            cost.root_ms,
            cost.commit_ms,
            cost.plain_ms,
            cost.times_plain(),
            cost.log_bytes,
            cost.bytes_per_slot(),
        )?;
    }
    if !report.writes.is_empty() {
        writeln!(out, "\n accounts  blocks  changed  commit ms  bytes per slot    log MiB  files MiB  times written")?;
    }
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
    Ok(())
}

fn print_reads(reads: &[ReadCost], out: &mut impl io::Write) -> Result<(), BenchError> {
    if !reads.is_empty() {
        writeln!(out, "\n accounts    slots   files in  threads  read ahead ms  read ms  applied ms")?;
    }
    for cost in reads {
        let files = cost.files.name();
        writeln!(
            out,
            "{:>9} {:>8} {files:>10} {:>8} {:>14.2} {:>8.2} {:>11.2}",
            cost.accounts, cost.slots, cost.threads, cost.ahead_ms, cost.read_ms, cost.applied_ms
        )?;
    }
    Ok(())
}

fn print_blocks(blocks: &[BlockCost], out: &mut impl io::Write) -> Result<(), BenchError> {
    if !blocks.is_empty() {
        writeln!(out, "\n  files in  threads  transfers  admitted ms  mined ms")?;
    }
    for cost in blocks {
        writeln!(
            out,
            "{:>10} {:>8} {:>10} {:>12.2} {:>9.2}",
            cost.files.name(),
            cost.threads,
            cost.transfers,
            cost.admitted_ms,
            cost.mined_ms
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

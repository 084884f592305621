//! `bench-roots`: what a block's state root costs, over a large state and over a small one.

mod error;
mod roots;

use std::{
    fs,
    io::{self, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

use crate::{
    error::BenchError,
    roots::{RootCost, Shape},
};

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
    let Options { accounts, contracts, slots, changes, rounds, ref json } = *options;
    let mut costs = Vec::new();
    for accounts in [accounts, (accounts / SMALLER).max(contracts.get())] {
        costs.push(roots::run(&Shape { accounts, contracts, slots, changes, rounds }, &mut io::stderr())?);
    }
    write(json, &costs)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        " accounts    slots  changed  rebuilt ms  applied ms  root ms  times faster   hashed    bound  × hashing"
    )?;
    for cost in &costs {
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
    Ok(())
}

fn write(path: &Path, costs: &[RootCost]) -> Result<(), BenchError> {
    let failed = |source| BenchError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, serde_json::to_string_pretty(costs)? + "\n").map_err(failed)
}

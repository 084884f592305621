//! `bench-executor`: prints how fast the parallel executor is, and writes it down as JSON.

use std::{
    io::{self, Write as _},
    num::NonZeroUsize,
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use parapet_bench::{
    BenchError,
    measure::Settings,
    suite::{self, Selection},
    table,
};

/// Most threads, measured or simulated.
const THREADS_MAX: usize = 1_024;
/// Threads for which bounds and simulated ratios are given.
const SCALING: [usize; 6] = [2, 4, 8, 16, 32, 64];
/// Where the real blocks lie once the fixtures are unpacked.
const REAL_BLOCKS: [&str; 2] = ["target/fixtures/dev/prestate-blocks", "target/fixtures/dev/witness-blocks"];

/// Measures the parallel executor against the leanest sequential revm loop.
#[derive(Debug, Parser)]
#[command(name = "bench-executor", version)]
struct Options {
    /// Only workloads whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Threads of the parallel side, the calling one included.
    #[arg(long, default_value = "2", value_parser = threads)]
    threads: NonZeroUsize,
    /// Runs of each side, the first and cold one included.
    #[arg(long, default_value = "15")]
    iterations: NonZeroUsize,
    /// Gas of a generated block, in millions.
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    mgas: u64,
    /// Folders of real blocks, each with its pre-state or witness. May be given more than once.
    #[arg(long, default_values = REAL_BLOCKS)]
    blocks: Vec<PathBuf>,
    /// Where the report is written as JSON.
    #[arg(long, default_value = "target/bench/executor.json")]
    json: PathBuf,
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads: NonZeroUsize = text.parse().map_err(|error| format!("{error}"))?;
    if threads.get() > THREADS_MAX { Err(format!("at most {THREADS_MAX}")) } else { Ok(threads) }
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be said, the exit code says it.
            let _ = writeln!(io::stderr(), "bench-executor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), BenchError> {
    let selection = Selection { filter: options.filter, mgas: options.mgas, blocks: options.blocks };
    let settings = Settings {
        threads: options.threads,
        iterations: options.iterations,
        scaling: SCALING.into_iter().filter_map(NonZeroUsize::new).collect(),
    };
    let mut progress = io::stderr();
    if cfg!(debug_assertions) {
        writeln!(progress, "this is a debug build: its figures mean nothing")?;
    }
    let report = suite::run(&selection, &settings, &mut progress)?;
    report.write(&options.json)?;
    table::print(&report, &mut io::stdout().lock())?;
    writeln!(progress, "written to {}", options.json.display())?;
    Ok(())
}

//! `bench-soak`: executes many blocks on the same workers and says what they keep from block to block. A program of its
//! own, because counting what is allocated costs time that a benchmark must not spend.

use std::{
    fs,
    io::{self, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use parapet_bench::{BenchError, soak};
use parapet_executor::Workers;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Bytes of a page, by which Linux counts what is resident.
const PAGE_BYTES: usize = 4_096;

/// Executes many blocks, each of accounts, code and calls of its own, and reports the memory.
#[derive(Debug, Parser)]
#[command(name = "bench-soak", version)]
struct Options {
    /// Blocks.
    #[arg(long, default_value = "10000")]
    blocks: NonZeroUsize,
    /// Threads, the calling one included.
    #[arg(long, default_value = "2")]
    threads: NonZeroUsize,
    /// Where the report is written as JSON.
    #[arg(long, default_value = "target/bench/soak.json")]
    json: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(grew) => ExitCode::from(u8::from(grew)),
        Err(error) => {
            // Where even this cannot be said, the exit code says it.
            let _ = writeln!(io::stderr(), "bench-soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tells whether the memory grew.
fn run(options: &Options) -> Result<bool, BenchError> {
    let workers = Workers::new(options.threads);
    let mut progress = io::stderr();
    let before = resident_bytes();
    let soaked = soak::run(options.blocks, &workers, &ALLOCATOR, &mut progress)?;
    write(&options.json, &soaked)?;
    let mut out = io::stdout().lock();
    let [first, second, last] = soaked.live_bytes_mean;
    let most = soaked.live_bytes_max.into_iter().max().unwrap_or_default();
    writeln!(out, "{} blocks of {} transactions on {} threads", soaked.blocks, soaked.transactions, options.threads)?;
    writeln!(out, "live between blocks, by thirds of the run: {first}, {second}, {last} bytes; at most {most}")?;
    writeln!(
        out,
        "a block of {} accounts and slots takes {} bytes while it runs",
        soaked.cells_max, soaked.block_bytes_max
    )?;
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        writeln!(out, "resident: {before} bytes before, {after} after")?;
    }
    writeln!(out, "{}", if soaked.grew() { "IT GREW" } else { "no growth" })?;
    Ok(soaked.grew())
}

fn write(path: &Path, soaked: &soak::Soaked) -> Result<(), BenchError> {
    let failed = |source| BenchError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, serde_json::to_string_pretty(soaked)? + "\n").map_err(failed)
}

/// What the system keeps in memory for this process, where it tells.
fn resident_bytes() -> Option<usize> {
    let pages: usize = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(PAGE_BYTES)
}

//! `bench-guards`: prints what guards cost, and writes it down as JSON.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use parapet_bench_guards::{
    BenchError, blocks,
    compiling::{self, Each},
    judging, metering, prices,
    report::{Report, Row},
};

/// Measures what guards cost.
#[derive(Debug, Parser)]
#[command(name = "bench-guards", version)]
struct Options {
    /// Only these parts: judging, blocks, metering, prices, compiling. May be given more than once.
    #[arg(long)]
    part: Vec<String>,
    /// Shows each module that is compiled, not the worst only.
    #[arg(long)]
    each: bool,
    /// Where the report is written as JSON.
    #[arg(long, default_value = "target/bench/guards.json")]
    json: PathBuf,
    /// Compiles one hostile module and prints its milliseconds and MiB: what this program starts itself for.
    #[arg(long, hide = true)]
    compile: Option<String>,
}

/// A part of the report: its name, and how its figures are had.
type Part<'a> = (&'a str, &'a dyn Fn() -> Result<Vec<Row>, BenchError>);

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be said, the exit code says it.
            let _ = writeln!(io::stderr(), "bench-guards: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BenchError> {
    let mut out = io::stdout().lock();
    if let Some(name) = &options.compile {
        let taken = compiling::one(name)?;
        writeln!(out, "{} {}", taken.cpu_ms, taken.memory_mib)?;
        return Ok(());
    }
    let mut progress = io::stderr();
    if cfg!(debug_assertions) {
        writeln!(progress, "this is a debug build: its figures mean nothing")?;
    }
    let each = if options.each { Each::Shown } else { Each::Hidden };
    let mut report = Report::default();
    let parts: [Part<'_>; 5] = [
        ("judging", &judging::rows),
        ("blocks", &blocks::rows),
        ("metering", &metering::rows),
        ("prices", &prices::rows),
        ("compiling", &|| compiling::rows(each)),
    ];
    for (name, rows) in parts {
        if options.part.is_empty() || options.part.iter().any(|part| part == name) {
            writeln!(progress, "{name}")?;
            report.add(rows()?);
        }
    }
    report.write(&options.json)?;
    report.print(&mut out)?;
    writeln!(progress, "written to {}", options.json.display())?;
    Ok(())
}

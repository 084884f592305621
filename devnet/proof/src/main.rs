//! `proof`: plays the attacks of `examples/attacks` against the guards, prints the table, and fails if it does not hold.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use parapet_proof::{Mutant, Pace, ProofError, Settings, prove, script::load_all};

/// Plays real attacks against the shipped guards, and honest traffic past them.
#[derive(Debug, Parser)]
#[command(name = "proof", version)]
struct Options {
    /// Honest transactions, shared among the lines of the table.
    #[arg(long, default_value_t = 5_000)]
    honest: usize,
    /// Seconds after each block of honest traffic, beside its twelve; bursts and quiet hours if not said.
    #[arg(long)]
    pause: Option<u64>,
    /// Only guards or attacks whose name contains this.
    #[arg(long, default_value = "")]
    filter: String,
    /// Breaks every guard, to see the table fail.
    #[arg(long, value_enum)]
    broken: Option<Broken>,
    /// A folder with modules to be proved in place of the shipped ones.
    #[arg(long)]
    modules: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Where the scenarios are.
    #[arg(long, default_value = "examples/attacks")]
    scenarios: PathBuf,
}

/// How guards are broken.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Broken {
    /// They allow everything.
    Toothless,
    /// They veto everything.
    Rabid,
    /// Each has parameters that break its condition.
    Loosened,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Where even this cannot be said, the exit code says it.
            let _ = writeln!(io::stderr(), "proof: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the table holds.
fn run(options: &Options) -> Result<bool, ProofError> {
    let scripts = load_all(&options.scenarios)?;
    let lines: usize = scripts.iter().map(|script| script.guards.len()).sum();
    let settings = Settings {
        honest: options.honest.div_ceil(lines.max(1)),
        pace: options.pause.map_or(Pace::Bursts, Pace::Steady),
        filter: options.filter.clone(),
        modules: options.modules.clone(),
        mutant: options.broken.map(|broken| match broken {
            Broken::Toothless => Mutant::Toothless,
            Broken::Rabid => Mutant::Rabid,
            Broken::Loosened => Mutant::Loosened,
        }),
    };
    let mut progress = io::stderr();
    let table = prove(&scripts, &settings, |row| {
        let _ = writeln!(progress, "{} against {}", row.guard, row.scenario);
    })?;
    let text = if options.json { format!("{:#}\n", table.json()) } else { table.text() };
    let stdout = PathBuf::from("standard output");
    io::stdout().write_all(text.as_bytes()).map_err(|source| ProofError::Read { path: stdout, source })?;
    Ok(table.holds())
}

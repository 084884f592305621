//! Measures what fuel and gas buy, so that prices can be held against time.
//!
//! ```text
//! guards: a loop of one operator or host call on the guard VM → ns and fuel per turn → ns per fuel
//! evm: a loop of one instruction in a block of its own       → ns per gas
//! ```
//!
//! `fuel_per_gas` of a chain is sound where a guard's nanosecond costs its sender no less gas than the EVM's. Every number
//! is the least of several runs: what disturbs a run only makes it longer.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod evm;
mod guards;

use std::{process::ExitCode, time::Instant};

/// Runs of each loop.
const RUNS: usize = 7;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The guard VM.
    #[error(transparent)]
    Engine(#[from] parapet_vm::EngineError),
    /// A guard that was written here is not one.
    #[error("the guard of {name} cannot be measured: {reason}")]
    Guard {
        /// What it measures.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The block could not be executed.
    #[error(transparent)]
    Block(#[from] parapet_executor::BlockError),
    /// The transaction was not included.
    #[error("the transaction that measures {0} was left out")]
    LeftOut(&'static str),
}

/// Time in ns of the shortest of several runs; `run` gives what it counts.
fn shortest<T>(mut run: impl FnMut() -> Result<T, Error>) -> Result<(f64, T), Error> {
    let mut best: Option<(f64, T)> = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        let counted = run()?;
        let ns = start.elapsed().as_secs_f64() * 1e9;
        if best.as_ref().is_none_or(|(least, _)| ns < *least) {
            best = Some((ns, counted));
        }
    }
    Ok(best.expect("RUNS is above zero"))
}

fn main() -> ExitCode {
    match report() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report() -> Result<(), Error> {
    println!("{:<28} {:>10} {:>10} {:>12}", "guard", "ns", "fuel", "ns per fuel");
    for price in guards::measure()? {
        let (ns, fuel) = (price.ns, price.fuel);
        println!("{:<28} {ns:>10.1} {fuel:>10.1} {:>12.2}", price.name, ns / fuel);
    }
    println!("\n{:<28} {:>10}", "evm", "ns per gas");
    for (name, ns_per_gas) in evm::measure()? {
        println!("{name:<28} {ns_per_gas:>10.2}");
    }
    Ok(())
}

//! Why nothing was measured.

use std::{io, path::PathBuf};

use parapet_executor::BlockError;
use parapet_monitor::Fault;

/// A measurement failed: there is no figure, and the command fails.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The guard VM does not start.
    #[error(transparent)]
    Engine(#[from] parapet_vm::EngineError),
    /// A transaction could not be judged.
    #[error("a transaction could not be judged: {0}")]
    Fault(#[from] Fault),
    /// A block could not be executed.
    #[error("a block could not be executed: {0}")]
    Block(#[from] BlockError),
    /// A call from outside could not be simulated.
    #[error("a call could not be simulated: {0}")]
    Simulation(#[from] parapet_simulate::SimulateError),
    /// What was to be measured did not happen.
    #[error("{what}: {found}")]
    Unexpected {
        /// What was measured.
        what: &'static str,
        /// What happened instead.
        found: String,
    },
    /// A module of its own does not compile.
    #[error("the module {name} is not usable: {reason}")]
    Module {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A child process could not be run, or its answer not be read.
    #[error("a child process that compiles {name} failed: {reason}")]
    Child {
        /// What it was to compile.
        name: String,
        /// Why.
        reason: String,
    },
    /// The report cannot be written.
    #[error("{path} cannot be written: {source}", path = path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something cannot be printed.
    #[error("the table cannot be printed: {0}")]
    Print(#[from] io::Error),
}

//! Why the program ends other than it should, in one line that says what to do.

use std::process::ExitCode;

use parapet_builder::ChainError;
use parapet_conformance::ConformanceError;
use parapet_genesis::GenesisError;
use parapet_rpc::StartError;
use parapet_state::StoreError;

/// Why the program ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The log filter cannot be read.
    #[error("--log {filter:?} is no filter: {source}; give for example `info` or `warn,parapet_vm=debug`")]
    LogFilter {
        /// As it was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The chain cannot begin.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The guard VM cannot run here.
    #[error("the guard VM cannot start: {0}")]
    Engine(#[from] parapet_vm::EngineError),
    /// The server cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The system refuses threads or signals.
    #[error("the system refuses what the node needs: {0}")]
    System(#[from] std::io::Error),
    /// Tests cannot be run.
    #[error(transparent)]
    Conformance(#[from] ConformanceError),
    /// Blocks can no longer be stored.
    #[error("the node stops because it can no longer store blocks: {0}")]
    Chain(#[from] ChainError),
    /// Blocks can no longer be stored, as the log tells.
    #[error("the node stops because it can no longer store blocks; see the error above")]
    Storage,
}

impl Failure {
    /// 2 for wrong use, 1 for the rest.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::LogFilter { .. } => ExitCode::from(2),
            Self::Genesis(_)
            | Self::Store(_)
            | Self::Engine(_)
            | Self::Start(_)
            | Self::System(_)
            | Self::Conformance(_)
            | Self::Chain(_)
            | Self::Storage => ExitCode::from(1),
        }
    }
}

//! Why the program ends other than it should, in one line that says what to do.

use std::{path::PathBuf, process::ExitCode};

use alloy_primitives::{Address, B256};
use parapet_builder::ChainError;
use parapet_conformance::ConformanceError;
use parapet_fixtures::FixtureError;
use parapet_fork::ForkError;
use parapet_genesis::{FileError, GenesisError, WriteError};
use parapet_import::ImportError;
use parapet_rpc::StartError;
use parapet_state::StoreError;

use crate::config::ConfigError;

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
    /// Settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A node has nowhere to keep its chain.
    #[error("a node needs a folder for its chain: set chain.datadir, or give --datadir")]
    NoDatadir,
    /// Somebody important would be anybody.
    #[error("--{role} {address}: everybody has the key of this account, or nobody; give another")]
    PublicKey {
        /// Which role.
        role: &'static str,
        /// Whose.
        address: Address,
    },
    /// A block was under way for too long.
    #[error("the block at hand was not finished within {seconds} s; it is not part of the chain")]
    Unfinished {
        /// How long it was waited for.
        seconds: f64,
    },
    /// The chain cannot begin.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The chain to go on from cannot be forked.
    #[error("--fork-url: {0}")]
    Fork(#[from] ForkError),
    /// The chain that is kept goes on from another block.
    #[error(
        "the data folder {path} holds a chain that goes on from block {number} {hash}, or from another place in the block after it; \
         name that one, or choose another folder", path = path.display()
    )]
    OtherFork {
        /// The folder.
        path: PathBuf,
        /// The block.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The guard VM cannot run here.
    #[error("the guard VM cannot start: {0}")]
    Engine(#[from] parapet_vm::EngineError),
    /// A guard that this node is to run for itself cannot be read.
    #[error("--monitor: {0}")]
    Monitor(#[from] parapet_cli::CliError),
    /// A guard that this node is to run for itself cannot run.
    #[error("--monitor: {0}")]
    LocalGuard(#[from] parapet_judge::LocalError),
    /// The server cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The system refuses threads or signals.
    #[error("the system refuses what the node needs: {0}")]
    System(#[from] std::io::Error),
    /// Tests cannot be run.
    #[error(transparent)]
    Conformance(#[from] ConformanceError),
    /// Metrics cannot be collected.
    #[error("metrics cannot be collected: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no genesis.
    #[error("{}: {source}", path.display())]
    GenesisFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// A file holds no secret.
    #[error("{}: {source}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parapet_rpc::SecretError,
    },
    /// A block of a file is not one that can be appended.
    #[error("a block cannot be appended: {0}")]
    Import(#[from] ImportError),
    /// A state cannot be written into a file.
    #[error("the state cannot be written: {0}")]
    Write(#[from] WriteError),
    /// A result cannot be printed as JSON.
    #[error("the result cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Nothing to replay: no chain.
    #[error("there is no chain in {0}; give the folder that `parapet dev --datadir` was started with")]
    NoChain(PathBuf),
    /// Nothing to replay: no blocks.
    #[error("the chain in {0} has no block but its first, in which nothing is executed; send it a transaction first")]
    NoBlocks(PathBuf),
    /// A block that is not there.
    #[error("there is no block {asked}: the newest is block {head}")]
    NoBlock {
        /// Number asked for.
        asked: u64,
        /// The newest.
        head: u64,
    },
    /// Real blocks cannot be read.
    #[error("no real blocks can be read: {0}")]
    Fixtures(#[from] FixtureError),
    /// There are files, and no block in them that is this node's.
    #[error(
        "{0} holds no real blocks that this node has the rules of; give a folder of blocks with pre-state or witness, as JSON"
    )]
    NoFixtures(PathBuf),
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
            Self::LogFilter { .. }
            | Self::Monitor(_)
            | Self::LocalGuard(_)
            | Self::Config(_)
            | Self::NoDatadir
            | Self::PublicKey { .. } => ExitCode::from(2),
            Self::Genesis(_)
            | Self::Fork(_)
            | Self::Unfinished { .. }
            | Self::OtherFork { .. }
            | Self::Store(_)
            | Self::Engine(_)
            | Self::Start(_)
            | Self::System(_)
            | Self::Conformance(_)
            | Self::Metrics(_)
            | Self::File { .. }
            | Self::GenesisFile { .. }
            | Self::Secret { .. }
            | Self::Import(_)
            | Self::Write(_)
            | Self::Json(_)
            | Self::NoChain(_)
            | Self::NoBlocks(_)
            | Self::NoBlock { .. }
            | Self::Fixtures(_)
            | Self::NoFixtures(_)
            | Self::Chain(_)
            | Self::Storage => ExitCode::from(1),
        }
    }
}

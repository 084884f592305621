//! Why a benchmark of roots ended early.

use std::path::PathBuf;

use alloy_primitives::B256;
use parapet_state::StoreError;

/// Every one ends the benchmark: a figure without its comparison is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// A root that was kept up is not the one of a full rebuild.
    #[error("the state's root is {computed}, and {rebuilt} when it is rebuilt")]
    Root {
        /// The one kept up.
        computed: B256,
        /// The one rebuilt.
        rebuilt: B256,
    },
    /// The state cannot be read or derived.
    #[error(transparent)]
    State(#[from] StoreError),
    /// A block could not be built.
    #[error(transparent)]
    Chain(#[from] parapet_builder::ChainError),
    /// The report's file could not be written.
    #[error("{}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There are no threads to work on.
    #[error("threads cannot be had: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The report could not be written down.
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The table could not be printed, or there is no room for a chain.
    #[error("the system refuses what is needed: {0}")]
    Print(#[from] std::io::Error),
}

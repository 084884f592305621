//! Why nothing could be measured. Every one of these ends the benchmark: a figure is worth nothing where results differ.

use std::path::PathBuf;

use alloy_primitives::Address;
use parapet_executor::BlockError;
use parapet_fixtures::FixtureError;

/// What ends the benchmark.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The lean loop could not execute a transaction.
    #[error("the lean loop cannot execute transaction {index}: {reason}")]
    Transaction {
        /// Its index in the block.
        index: usize,
        /// What the EVM reported.
        reason: String,
    },
    /// The lean loop could not make a call that the chain itself makes.
    #[error("the lean loop's system call to {address} failed: {reason}")]
    SystemCall {
        /// The system contract.
        address: Address,
        /// What the EVM reported.
        reason: String,
    },
    /// State could not be read.
    #[error(transparent)]
    State(#[from] parapet_types::ReadError),
    /// The executor failed the block.
    #[error("the executor failed a block: {0}")]
    Block(#[from] BlockError),
    /// The executor and the lean loop do not agree.
    #[error("{workload}: {side} differs from the lean loop in {difference}")]
    Disagreement {
        /// The workload.
        workload: String,
        /// Which run differs.
        side: String,
        /// Where, and how.
        difference: String,
    },
    /// A sender could not be recovered.
    #[error("the sender of a signed transaction cannot be recovered: {0}")]
    Recovery(#[from] alloy_consensus::crypto::RecoveryError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Real blocks cannot be read, or are not what their headers announce.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// The report could not be written down.
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The table could not be printed.
    #[error("the table cannot be printed: {0}")]
    Print(#[from] std::io::Error),
}

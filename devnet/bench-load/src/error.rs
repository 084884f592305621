//! What can go wrong. All of it ends the measurement.

use std::{io, path::PathBuf};

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Somebody ended it.
    #[error("it was stopped before its end; nothing of it was written")]
    Stopped,
    /// A program is missing, or does not start.
    #[error("{program} cannot be started: {source}; {advice}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system reported.
        source: io::Error,
        /// How to get it.
        advice: &'static str,
    },
    /// A node does not answer.
    #[error("{name} does not answer after {seconds} s")]
    Silent {
        /// Which.
        name: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// What a process takes cannot be read.
    #[error("{path} cannot be read: {source}; the benchmark needs Linux")]
    Process {
        /// The file.
        path: String,
        /// What the system reported.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// A connection broke.
    #[error("the connection broke: {0}")]
    Connection(#[from] io::Error),
    /// A node answers something else than it should.
    #[error("an answer is not what was asked for: {0}")]
    Answer(String),
    /// The report cannot be written.
    #[error("the report cannot be written: {0}")]
    Report(#[from] serde_json::Error),
}

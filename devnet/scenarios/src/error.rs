//! What can stop the story.

use std::path::PathBuf;

/// Why the demo could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// Where this program lies is unknown.
    #[error("cannot find out where this program lies: {0}")]
    Program(std::io::Error),
    /// The node's program is not there.
    #[error("{0} is not there: run `make demo`, which builds it")]
    NoProgram(PathBuf),
    /// The node could not be started or ended early.
    #[error("the node did not start: {0}")]
    Node(String),
    /// A call to the node failed.
    #[error("{what}: {reason}")]
    Rpc {
        /// What was asked.
        what: &'static str,
        /// What came back.
        reason: String,
    },
    /// A command of `parapet guard` failed.
    #[error("`parapet guard {command}` failed: {reason}")]
    Command {
        /// Its arguments.
        command: String,
        /// What it said.
        reason: String,
    },
    /// A committed artefact is not what it should be.
    #[error("the artefact of {0} has no bytecode: run `make artifacts`")]
    Artifact(&'static str),
}

//! What keeps a scenario from being played. A guard that misses an attack is no error: the table says it.

use std::path::PathBuf;

use parapet_ground::GroundError;

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// A file of a scenario cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A script is not what scripts are.
    #[error("{}: {source}", path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A contract's artefact is missing or has no code.
    #[error("{scenario}: there is no artefact of contract {contract}; run node sdk/solidity/compile.mjs")]
    Contract {
        /// The scenario.
        scenario: String,
        /// The contract.
        contract: String,
    },
    /// A script names what nobody has named.
    #[error("{name:?} is neither an actor, nor deployed, nor drawn")]
    Name {
        /// What was written.
        name: String,
    },
    /// A value is not of the type that the signature says.
    #[error("{value} is no {ty}: {reason}")]
    Value {
        /// What was written.
        value: String,
        /// The type.
        ty: String,
        /// Why.
        reason: String,
    },
    /// A step that has to succeed did not.
    #[error("{what} failed: {how}")]
    Step {
        /// The step.
        what: String,
        /// How it ended.
        how: String,
    },
    /// A block cannot be executed.
    #[error(transparent)]
    Block(#[from] GroundError),
    /// The guard VM cannot start.
    #[error("the guard VM cannot start: {0}")]
    Engine(String),
    /// A guard cannot be attached.
    #[error("guard {guard}: {reason}")]
    Guard {
        /// The guard.
        guard: String,
        /// Why.
        reason: String,
    },
    /// A scenario does not say how a guard's condition is broken.
    #[error("{scenario}: [broken.{guard}] is missing: parameters with which the guard has nothing against the attack")]
    Unbroken {
        /// The scenario.
        scenario: String,
        /// The guard.
        guard: String,
    },
    /// Too many honest transactions fail without any guard's doing: they show nothing.
    #[error("{scenario}: {reverted} of {all} honest transactions revert by themselves; the last: {last}")]
    Traffic {
        /// The scenario.
        scenario: String,
        /// Those.
        reverted: usize,
        /// All.
        all: usize,
        /// What the last one was.
        last: String,
    },
}

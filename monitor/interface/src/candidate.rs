//! Guards that are tried out: attached nowhere, they judge transactions beside the chain's guards and can only tell.

use alloy_primitives::{Address, Bytes};
use serde::{Deserialize, Serialize};

use crate::{AttachmentId, Fuel, ModuleHash, Monitor};

/// What follows when a guard that is tried out cannot finish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failing {
    /// It would have vetoed.
    #[default]
    Closed,
    /// It lets the transaction go on, with an alert.
    Open,
}

/// A guard, with the terms it would be attached by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Candidate {
    /// The module's bytes.
    pub module: Bytes,
    /// Whom it guards, up to 64; nobody in particular: the whole chain.
    #[serde(default)]
    pub accounts: Vec<Address>,
    /// ABI encoding of its parameters, or a contract's `instantiate` message.
    #[serde(default)]
    pub configuration: Bytes,
    /// Most fuel for one transaction; what an attachment is given that names no limit, where it is not given.
    #[serde(default)]
    pub fuel_max: Option<Fuel>,
    /// What follows when it cannot finish.
    #[serde(default)]
    pub failure: Failing,
    /// Which of its triggers wake it, by their numbers in the descriptor; all where none is given.
    #[serde(default)]
    pub triggers: Vec<u8>,
}

/// A guard that is being tried out.
pub struct Tryout {
    /// Judges with this guard alone, in shadow.
    pub monitor: Box<dyn Monitor>,
    /// What its verdicts name as its attachment; no attachment of a chain has this name.
    pub attachment: AttachmentId,
    /// Its module.
    pub module: ModuleHash,
    /// Its name.
    pub guard: String,
    /// Its version.
    pub version: String,
}

impl std::fmt::Debug for Tryout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tryout").field("guard", &self.guard).field("module", &self.module).finish_non_exhaustive()
    }
}

/// Why a guard cannot be tried out. The request is refused; nothing else follows.
#[derive(Debug, thiserror::Error)]
pub enum CandidateError {
    /// This node judges nothing.
    #[error("this node runs no guards, so it can try none out")]
    NoGuards,
    /// More accounts than an attachment has.
    #[error("{count} accounts, at most {max} are guarded by one attachment")]
    Accounts {
        /// How many were given.
        count: usize,
        /// How many may be.
        max: u64,
    },
    /// One account twice.
    #[error("account {0} is given twice")]
    Twice(Address),
    /// A configuration that no attachment could have.
    #[error("the configuration has {bytes} bytes, at most {max} are taken; shorten the lists")]
    Configuration {
        /// Its length.
        bytes: usize,
        /// The longest.
        max: u64,
    },
    /// More fuel than an attachment may have.
    #[error("{} fuel, at most {max} may be given", fuel.0)]
    Fuel {
        /// What was given.
        fuel: Fuel,
        /// The most.
        max: u64,
    },
    /// A trigger that the guard does not have.
    #[error("the guard has {count} triggers, numbered from 0, and {trigger} is none of them")]
    Trigger {
        /// What was given.
        trigger: u8,
        /// How many there are.
        count: usize,
    },
    /// Vetting or `init` refuses it, in words.
    #[error("{0}")]
    Refused(String),
    /// The engine for guards that are tried out does not start.
    #[error("no engine for guards that are tried out can be had: {0}")]
    Engine(String),
}

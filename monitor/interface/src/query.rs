//! What readers ask a guard, outside of any transaction.

use alloy_primitives::Bytes;

use crate::{AttachmentId, Fault, Fuel};

/// A reader's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Whose guard is asked.
    pub attachment: AttachmentId,
    /// The message, as the guard's author has defined it.
    pub message: &'a [u8],
    /// What the answer may cost at most, besides the attachment's own limit.
    pub fuel_max: Fuel,
}

/// What the guard answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer, as the guard's author has defined it.
    pub data: Bytes,
    /// Fuel that it took. Nobody pays for it.
    pub fuel: Fuel,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// There is no such attachment.
    #[error("there is no attachment {0} in this state; `parapet guard list` tells which there are")]
    UnknownAttachment(AttachmentId),
    /// Its guard is a native one.
    #[error("guard {guard} is no CosmWasm contract, and only those answer queries; its verdicts tell what it did")]
    NotAContract {
        /// The guard's name.
        guard: String,
    },
    /// Its contract answers nobody.
    #[error("guard {guard} is a contract without a `query` entry point")]
    NoQueries {
        /// The guard's name.
        guard: String,
    },
    /// The message is too long.
    #[error("{reason}")]
    Message {
        /// How long, and how long it may be.
        reason: String,
    },
    /// The contract answers with an error.
    #[error("guard {guard} refuses the query: {detail} (code {code})")]
    Refused {
        /// The guard's name.
        guard: String,
        /// The error's code; 0 if the contract gave none.
        code: u16,
        /// The error's words.
        detail: String,
    },
    /// It took too much.
    #[error("guard {guard} spent {} fuel without an answer, which is all it may", spent.0)]
    OutOfFuel {
        /// The guard's name.
        guard: String,
        /// What it spent.
        spent: Fuel,
    },
    /// The guard cannot answer.
    #[error("guard {guard} broke: {reason}")]
    Broken {
        /// The guard's name, or its module's hash.
        guard: String,
        /// How.
        reason: String,
    },
    /// The engine failed, or state could not be read.
    #[error(transparent)]
    Fault(#[from] Fault),
}

//! Why a recording cannot be had, read or used. Each refuses the recording as a whole, but [`NotRecorded`], which fails the
//! one look at state that it answers.

use alloy_primitives::{Address, B256, U256};

use crate::{RECORDING_BYTES_MAX, RECORDING_VERSION};

/// Why a recording is refused.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file that is too long to read, or a recording that is too long to write.
    #[error("the recording has {0} bytes, at most {RECORDING_BYTES_MAX} are read")]
    TooLong(usize),
    /// Not a recording at all.
    #[error("this is no recording of a transaction: {0}; `parapet guard record <tx> --out FILE` writes one")]
    Json(serde_json::Error),
    /// Written by another version of this crate.
    #[error(
        "the recording is of version {0}, and this program reads version {RECORDING_VERSION}: record the transaction again"
    )]
    Version(u32),
    /// More of something than is recorded.
    #[error("the recording has more than {max} {what}, which is the most that is recorded")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// The bytes of the transaction are none.
    #[error("the recorded transaction cannot be read: {0}")]
    Transaction(String),
    /// The bytes of the transaction are those of another one.
    #[error("the recorded transaction is {found}, not {named} as it says")]
    OtherTransaction {
        /// Hash that the file names.
        named: B256,
        /// Hash of the bytes.
        found: B256,
    },
    /// Code that has another hash than it is recorded under.
    #[error("the code recorded under {0} has another hash: the file was changed")]
    Code(B256),
    /// Parts of the trace do not fit together.
    #[error("the recorded trace does not fit together: {0}")]
    Trace(String),
}

/// What a test looks at and the recording does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// An account.
    #[error("account {0} {WHY}")]
    Account(Address),
    /// A storage word.
    #[error("slot {slot:#x} of account {account} {WHY}")]
    Slot {
        /// Whose.
        account: Address,
        /// Which.
        slot: U256,
    },
    /// Whether an account has storage at all.
    #[error("whether account {0} has storage {WHY}")]
    HasStorage(Address),
    /// Code.
    #[error("the code with hash {0} {WHY}")]
    Code(B256),
}

const WHY: &str = "was not recorded: a recording holds what its transaction looked at, and what those guards did that it \
                   was recorded with; record it again with --with GUARD --account ADDRESS";

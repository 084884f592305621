//! The file as a whole.

use parapet_monitor::Trace;
use parapet_types::{Ancestors, BlockContext, ChainParams, Destiny, Transaction};
use serde::{Deserialize, Serialize};

use crate::{
    ANCESTORS_MAX, Environment, Prestate, RECORDING_BYTES_MAX, RECORDING_VERSION, RecordingError, Subject, Traced,
};

/// A recorded transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recording {
    /// Version of this form, [`RECORDING_VERSION`].
    pub recording: u32,
    /// The chain's parameters.
    pub chain: ChainParams,
    /// What the block's header fixes.
    pub block: Environment,
    /// Hashes of blocks before it, by number, for BLOCKHASH.
    pub ancestors: Ancestors,
    /// The transaction.
    pub transaction: Subject,
    /// How it ends while nobody objects.
    pub destiny: Destiny,
    /// Gas it uses then, in units of gas.
    pub gas_used: u64,
    /// What it met of the state before it.
    pub prestate: Prestate,
    /// What guards read of it.
    pub trace: Traced,
}

/// Read first, so that a file of another version is told by its version, and not by the first field that differs.
#[derive(Deserialize)]
struct Head {
    recording: u32,
}

impl Recording {
    /// Reads a file and checks all of it.
    ///
    /// # Errors
    /// [`RecordingError`].
    pub fn read(bytes: &[u8]) -> Result<Self, RecordingError> {
        if bytes.len() > RECORDING_BYTES_MAX {
            return Err(RecordingError::TooLong(bytes.len()));
        }
        let head: Head = serde_json::from_slice(bytes).map_err(RecordingError::Json)?;
        if head.recording != RECORDING_VERSION {
            return Err(RecordingError::Version(head.recording));
        }
        let recording: Self = serde_json::from_slice(bytes).map_err(RecordingError::Json)?;
        recording.check()?;
        Ok(recording)
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`RecordingError::TooLong`], or what [`Recording::read`] would refuse.
    pub fn write(&self) -> Result<Vec<u8>, RecordingError> {
        self.check()?;
        let bytes = serde_json::to_vec(self).map_err(RecordingError::Json)?;
        if bytes.len() > RECORDING_BYTES_MAX { Err(RecordingError::TooLong(bytes.len())) } else { Ok(bytes) }
    }

    /// The records, as guards read them.
    ///
    /// # Errors
    /// [`RecordingError::Trace`]; never after [`Recording::read`].
    pub fn trace(&self) -> Result<Trace, RecordingError> {
        self.trace.trace()
    }

    /// The transaction, to be executed again.
    ///
    /// # Errors
    /// [`RecordingError::Transaction`]; never after [`Recording::read`].
    pub fn transaction(&self) -> Result<Transaction, RecordingError> {
        self.transaction.transaction()
    }

    /// The block it is executed in.
    #[must_use]
    pub fn block_context(&self) -> BlockContext {
        BlockContext::from(&self.block)
    }

    fn check(&self) -> Result<(), RecordingError> {
        if self.recording != RECORDING_VERSION {
            return Err(RecordingError::Version(self.recording));
        }
        if self.ancestors.len() > ANCESTORS_MAX {
            return Err(RecordingError::TooMany { what: "ancestors", max: ANCESTORS_MAX });
        }
        self.prestate.check()?;
        self.transaction()?;
        self.trace()?;
        Ok(())
    }
}

//! The transaction that was recorded.

use alloy_consensus::{TxEnvelope, transaction::Recovered};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, B256, Bytes};
use parapet_types::Transaction;
use serde::{Deserialize, Serialize};

use crate::RecordingError;

/// A transaction as it stands in a block. The sender is told apart, because a development chain lets anybody be
/// impersonated, and no signature gives that sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// Its hash.
    pub hash: B256,
    /// Who sent it.
    pub sender: Address,
    /// EIP-2718 encoding.
    pub raw: Bytes,
}

impl From<&Transaction> for Subject {
    fn from(transaction: &Transaction) -> Self {
        Self { hash: *transaction.hash(), sender: transaction.signer(), raw: transaction.inner().encoded_2718().into() }
    }
}

impl Subject {
    /// The transaction itself.
    ///
    /// # Errors
    /// [`RecordingError::Transaction`] and [`RecordingError::OtherTransaction`]; never after [`Recording::read`](crate::Recording::read).
    pub fn transaction(&self) -> Result<Transaction, RecordingError> {
        let mut rest = self.raw.as_ref();
        let envelope =
            TxEnvelope::decode_2718(&mut rest).map_err(|error| RecordingError::Transaction(error.to_string()))?;
        if !rest.is_empty() {
            return Err(RecordingError::Transaction(format!("{} bytes follow it", rest.len())));
        }
        let found = *envelope.hash();
        if found != self.hash {
            return Err(RecordingError::OtherTransaction { named: self.hash, found });
        }
        Ok(Recovered::new_unchecked(envelope, self.sender))
    }
}

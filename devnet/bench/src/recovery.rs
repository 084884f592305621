//! Senders from signatures: what a node does before a transaction reaches the executor, on one thread and on several.

use alloy_consensus::{TxEnvelope, transaction::SignerRecoverable as _};
use parapet_executor::Workers;
use parapet_types::Transaction;

use crate::BenchError;

/// Recovers one sender after the other.
///
/// # Errors
/// [`BenchError::Recovery`] where a signature is none.
pub fn one_by_one(signed: Vec<TxEnvelope>) -> Result<Vec<Transaction>, BenchError> {
    signed.into_iter().map(|envelope| Ok(envelope.try_into_recovered()?)).collect()
}

/// Recovers the senders on the executor's own threads, in order.
///
/// # Errors
/// [`BenchError::Recovery`] where a signature is none.
pub fn by_workers(signed: Vec<TxEnvelope>, workers: &Workers) -> Result<Vec<Transaction>, BenchError> {
    Ok(workers.recover(signed)?)
}

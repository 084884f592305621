//! The state as a monitor sees it. Looking never changes what the EVM sees: nothing becomes warm, nothing is loaded.

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::StateOp;

/// Which state is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// As the transaction found it, before its fee was taken.
    PreTx,
    /// As it is at this point of the transaction.
    Now,
}

/// State could not be read: a fault of the node, never of a guard.
#[derive(Debug, thiserror::Error)]
#[error("state could not be read: {0}")]
pub struct StateFault(pub Box<dyn std::error::Error + Send + Sync>);

/// Reads of state, each one part of the guard's read set.
pub trait StateView {
    /// Whether what is seen is certain. Where it is not, it may even contradict itself, because others write meanwhile:
    /// it is good for a verdict, which is thrown away if what was read turns out wrong, but never for anything that is
    /// kept beyond the transaction.
    fn is_settled(&self) -> bool {
        true
    }

    /// A storage word; zero where there is none.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer.
    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault>;

    /// Whether a storage word, as it was before the transaction, would accept all of these changes, in order. Whoever
    /// speculates keeps the question and its answer instead of the word: what others do to the word meanwhile matters
    /// only if it changes the answer.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer.
    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateFault> {
        let word = self.storage(Fork::PreTx, address, slot)?;
        Ok(StateOp::apply_all(ops, word).is_some())
    }

    /// A balance in wei; zero where there is no account.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer.
    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault>;

    /// A code hash; zero where there is no account.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer.
    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault>;

    /// An account's code; empty where there is none.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer.
    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault>;
}

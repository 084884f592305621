//! The state as a monitor sees it. Looking never changes what the EVM sees: nothing becomes warm, nothing is loaded.

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::StateOp;
pub use parapet_abi::import::VIEW_GAS_MAX;

/// Which state is looked at.
///
/// What a reverted frame did is gone: [`Fork::AfterFrame`] of it is the state just after its revert, and forks inside of
/// it are the same as that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// As the transaction found it, before its fee was taken.
    PreTx,
    /// As it is at this point of the transaction.
    Now,
    /// As the frame with this id found it: its value had not moved, a creation's nonce step was not taken. A frame that
    /// does not exist is [`Fork::Now`].
    BeforeFrame(u32),
    /// As the frame with this id left it. A frame that has not ended is [`Fork::Now`].
    AfterFrame(u32),
}

/// A static call at a fork.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallRequest {
    /// Whose code runs.
    pub to: Address,
    /// Calldata.
    pub input: Bytes,
    /// Gas it may use, at most [`VIEW_GAS_MAX`]; there is no intrinsic gas.
    pub gas: u64,
}

/// How a static call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// It returned or stopped; so does a call of an account without code.
    Succeeded,
    /// It reverted.
    Reverted,
    /// It ended exceptionally, out of gas or by a forbidden change of state, and used all its gas.
    Halted,
}

/// What came of a static call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// How it ended.
    pub status: CallStatus,
    /// What it returned, or reverted with.
    pub output: Bytes,
    /// Gas it used. Everything was cold at its start, so it does not depend on the transaction that is judged.
    pub gas_used: u64,
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

    /// Steps that rebuilding a fork takes: what it costs. 0 for the state now and before the transaction.
    fn distance(&mut self, fork: Fork) -> u64 {
        let _ = fork;
        0
    }

    /// Runs a static call at a fork. Nothing it does stays, nobody watches it.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer, or there is no EVM behind this view.
    fn call(&mut self, fork: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        let _ = (fork, request);
        Err(StateFault("there is no EVM behind this view".into()))
    }
}

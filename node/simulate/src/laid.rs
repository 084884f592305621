//! State of a guard that is attached nowhere: words in memory, laid over the registry's storage where they would be.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_monitor::{CallOutcome, CallRequest, Fork, StateFault, StateOp, StateUpdate, StateView};
use parapet_types::REGISTRY;

use crate::SimulateError;

/// Most words of state that one guard may have while it is tried out.
pub const TRIED_WORDS_MAX: usize = 100_000;

/// State of a guard that is attached nowhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct GuardState(BTreeMap<U256, U256>);

impl GuardState {
    /// Does what a transaction did, as the chain does it: what is refused is skipped.
    pub(crate) fn keep(&mut self, updates: &[StateUpdate]) -> Result<(), SimulateError> {
        for update in updates {
            let before = self.0.get(&update.slot).copied().unwrap_or_default();
            let after = StateOp::settle(&update.ops, before);
            if after.is_zero() {
                self.0.remove(&update.slot);
            } else {
                self.0.insert(update.slot, after);
            }
        }
        if self.0.len() > TRIED_WORDS_MAX { Err(SimulateError::TooMuchState(TRIED_WORDS_MAX)) } else { Ok(()) }
    }
}

/// The chain's state, with a guard's own laid over it.
pub(crate) struct Laid<'a> {
    pub(crate) view: &'a mut dyn StateView,
    pub(crate) state: &'a GuardState,
}

impl StateView for Laid<'_> {
    fn is_settled(&self) -> bool {
        self.view.is_settled()
    }

    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        match self.state.0.get(&slot) {
            Some(word) if address == REGISTRY => Ok(*word),
            Some(_) | None => self.view.storage(fork, address, slot),
        }
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        self.view.balance(fork, address)
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        self.view.code_hash(fork, address)
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        self.view.code(fork, address)
    }

    fn distance(&mut self, fork: Fork) -> u64 {
        self.view.distance(fork)
    }

    fn call(&mut self, fork: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        self.view.call(fork, request)
    }
}

//! What an EVM reads from, and what it says of how much of that mattered.

use alloy_primitives::{Address, U256};
use parapet_monitor::StateOp;
use revm::Database;

use crate::StateError;

/// Whether everything that lies below a transaction is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footing {
    /// It is: nothing of it can change any more.
    Settled,
    /// It is a guess; what comes of it is used only if the guess holds.
    Speculative,
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The EVM, and what its reads decide cannot stand without them.
    Evm,
    /// The monitor, which may be asked again.
    Monitor,
}

/// Databases the EVM runs on. One that speculates is told what a transaction could tell of balances and nonces, so that
/// what nobody looked at may change.
pub trait EvmDatabase: Database<Error = StateError> {
    /// Whether what it answers is certain.
    fn footing(&self) -> Footing {
        Footing::Settled
    }

    /// Whether any code that it gave was a delegation (EIP-7702). Who does not know says so.
    fn gave_delegation(&self) -> bool {
        true
    }

    /// Who reads from here on.
    fn asked_by(&mut self, _: Asker) {}

    /// A storage word that is asked for before every transaction.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be read.
    fn watched_word(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.storage(address, slot)
    }

    /// Whether the word that was asked for last is certainly still the same for the transaction that is about to run.
    fn watched_word_stands(&mut self) -> bool {
        false
    }

    /// Whether an account without nonce and code has storage all the same (EIP-7610). As long as it has neither, its
    /// storage is that of the state below the block, until the account is removed: nothing can write to it.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be read.
    fn has_bare_storage(&mut self, address: Address) -> Result<bool, StateError>;

    /// Whether a storage word would accept changes, in order. Nothing else of the word is told.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be read.
    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateError> {
        Ok(StateOp::apply_all(ops, self.storage(address, slot)?).is_some())
    }

    /// An account's balance shows in what the transaction does.
    fn balance_observed(&mut self, _: Address) {}

    /// An account's nonce shows in what the transaction does.
    fn nonce_observed(&mut self, _: Address) {}

    /// An account spent, and had this much left then.
    fn spent_down_to(&mut self, _: Address, _: U256) {}
}

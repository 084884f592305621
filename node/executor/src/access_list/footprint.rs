//! What one transaction, or one call of the chain itself, met.

use alloy_primitives::{Address, U256};
use parapet_monitor::StateUpdate;
use revm::state::{Account, EvmState};

/// A slot before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotStep {
    pub(crate) address: Address,
    pub(crate) slot: U256,
    pub(crate) before: U256,
    pub(crate) after: U256,
}

/// Accounts and slots, in no order. Balances, nonces and code are left out: where these are certain only later, so is
/// what a transaction makes of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Footprint {
    pub(crate) accounts: Vec<Address>,
    pub(crate) slots: Vec<SlotStep>,
    /// Guard state: changed in the registry's storage beside the journal.
    pub(crate) guard_updates: Vec<StateUpdate>,
}

impl Footprint {
    /// Of what is in a journal.
    pub(crate) fn of(state: &EvmState) -> Self {
        let mut footprint =
            Self { accounts: Vec::with_capacity(state.len()), slots: Vec::new(), guard_updates: Vec::new() };
        for (address, account) in state {
            footprint.accounts.push(*address);
            footprint.slots.extend(slots(*address, account));
        }
        footprint
    }
}

/// The slots of one account. Those of an account that is destroyed end as zero: where it was created by the same
/// transaction they are mere reads, as EIP-7928 has it.
pub(crate) fn slots(address: Address, account: &Account) -> impl Iterator<Item = SlotStep> + '_ {
    account.storage.iter().map(move |(slot, value)| {
        let before = value.original_value;
        let after = match account.is_touched() {
            true if account.is_selfdestructed() => U256::ZERO,
            true => value.present_value,
            false => before,
        };
        SlotStep { address, slot: *slot, before, after }
    })
}

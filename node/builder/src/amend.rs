//! State that is amended outside a block, as development tools do. Invariant: amendments lead from the state that the
//! head commits to to the state that is shown; the next block commits them with its own changes.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, Bytes, U256, keccak256};
use parapet_state::{StoreError, WorldState};
use parapet_types::{AccountChange, AccountInfo, StateChanges};

use crate::{Chain, ChainError, Head, chain::Writer, mine::nonces};

/// Most blocks for which it is kept what was amended before them; beyond, debug traces start from the parent's state.
const AMENDED_BLOCKS_MAX: usize = 4_096;

/// One amendment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amendment {
    /// New balance, in wei.
    Balance(U256),
    /// What is added to the balance, in wei; the most that there can be, where that would be more.
    MoreBalance(U256),
    /// New nonce.
    Nonce(u64),
    /// New code; empty for none.
    Code(Bytes),
    /// New value of a slot; zero deletes.
    Storage {
        /// The slot.
        slot: U256,
        /// Its value.
        value: U256,
    },
}

impl Chain {
    /// Amends an account outside any block. Takes effect at once and is committed with the next block.
    ///
    /// # Errors
    /// [`ChainError`] when it cannot be stored or the node is stopping; nothing has changed then.
    pub fn amend(&self, address: Address, amendment: Amendment) -> Result<(), ChainError> {
        let mut writer = self.writer()?;
        let changes = self.stored(changes_of(&self.head().world, address, amendment))?;
        self.lay_over(&mut writer, &changes)
    }

    /// Amends many accounts at once: all of them, or none.
    ///
    /// # Errors
    /// As [`Chain::amend`].
    pub fn amend_all(&self, changes: &StateChanges) -> Result<(), ChainError> {
        self.lay_over(&mut *self.writer()?, changes)
    }

    fn lay_over(&self, writer: &mut Writer, changes: &StateChanges) -> Result<(), ChainError> {
        let head = self.head();
        let amendments = writer.amendments.clone().followed_by(changes);
        let world = self.stored(head.world.apply(changes))?;
        let stored = self.0.store.write().amend_head(&amendments);
        self.stored(stored)?;
        writer.amendments = amendments;
        self.publish(Head { block: Arc::clone(&head.block), world, outlook: head.outlook });
        let nonces = nonces(changes);
        for transaction in self.0.pool.write().follow(&[], nonces) {
            tracing::warn!("{} was dropped: its sender's nonce was set beyond it", transaction.tx_hash());
        }
        Ok(())
    }
}

/// What was amended before which block.
#[derive(Debug, Default)]
pub(crate) struct Amended(BTreeMap<u64, StateChanges>);

impl Amended {
    /// What was amended before a block.
    pub(crate) fn before(&self, number: u64) -> Option<&StateChanges> {
        self.0.get(&number)
    }

    pub(crate) fn record(&mut self, number: u64, amendments: StateChanges) {
        if amendments == StateChanges::default() {
            return;
        }
        self.0.insert(number, amendments);
        if self.0.len() > AMENDED_BLOCKS_MAX {
            self.0.pop_first();
        }
    }

    /// Forgets blocks after a number.
    pub(crate) fn rewind(&mut self, number: u64) {
        self.0.split_off(&(number + 1));
    }
}

/// The changes that an amendment makes to a state.
pub(crate) fn changes_of(
    world: &WorldState,
    address: Address,
    amendment: Amendment,
) -> Result<StateChanges, StoreError> {
    let before = world.account(&address)?;
    let mut info = before.unwrap_or_default();
    let mut storage = BTreeMap::new();
    let mut code = BTreeMap::new();
    match amendment {
        Amendment::Balance(balance) => info.balance = balance,
        Amendment::MoreBalance(wei) => info.balance = info.balance.saturating_add(wei),
        Amendment::Nonce(nonce) => info.nonce = nonce,
        Amendment::Code(bytes) => {
            info.code_hash = keccak256(&bytes);
            code.insert(info.code_hash, bytes);
        }
        Amendment::Storage { slot, value } => {
            storage.insert(slot, value);
        }
    }
    let nothing = before.is_none() && info == AccountInfo::default() && storage.values().all(U256::is_zero);
    if nothing {
        return Ok(StateChanges::default());
    }
    let change = AccountChange { info: Some(info), wipe_storage: false, storage };
    Ok(StateChanges { accounts: BTreeMap::from([(address, change)]), code })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Address = Address::repeat_byte(0xa);

    fn write(slot: u64, value: u64) -> Amendment {
        Amendment::Storage { slot: U256::from(slot), value: U256::from(value) }
    }

    fn after(world: &WorldState, amendments: impl IntoIterator<Item = Amendment>) -> (WorldState, StateChanges) {
        let mut shown = world.clone();
        let mut merged = StateChanges::default();
        for amendment in amendments {
            let changes = changes_of(&shown, A, amendment).expect("in memory");
            shown = shown.apply(&changes).expect("in memory");
            merged = merged.followed_by(&changes);
        }
        (shown, merged)
    }

    #[test]
    fn merged_amendments_lead_where_single_ones_lead() {
        let code = Bytes::from_static(&[0x60, 0x00]);
        let world = WorldState::new();
        let (shown, merged) = after(
            &world,
            [
                Amendment::Balance(U256::from(5)),
                Amendment::Nonce(3),
                Amendment::Code(code.clone()),
                write(1, 1),
                write(2, 2),
                write(1, 0),
            ],
        );
        assert_eq!(world.apply(&merged).expect("in memory").root(), shown.root());
        let account = shown.account(&A).expect("in memory");
        assert_eq!(account.map(|info| (info.balance, info.nonce)), Some((U256::from(5), 3)));
        assert_eq!(shown.code(keccak256(&code)).expect("in memory"), Some(code));
        assert_eq!(shown.storage(&A, U256::from(1)).expect("in memory"), U256::ZERO);
        assert_eq!(shown.storage(&A, U256::from(2)).expect("in memory"), U256::from(2));
    }

    #[test]
    fn a_removal_and_a_wipe_win_over_what_was_before() {
        let (shown, amended) = after(&WorldState::new(), [Amendment::Nonce(1), write(1, 1), write(2, 2)]);
        let gone = StateChanges {
            accounts: BTreeMap::from([(A, AccountChange { wipe_storage: true, ..AccountChange::default() })]),
            ..StateChanges::default()
        };
        let back = StateChanges {
            accounts: BTreeMap::from([(
                A,
                AccountChange {
                    info: Some(AccountInfo { nonce: 9, ..AccountInfo::default() }),
                    wipe_storage: false,
                    storage: BTreeMap::from([(U256::from(7), U256::from(7))]),
                },
            )]),
            ..StateChanges::default()
        };
        let expected = shown.apply(&gone).and_then(|world| world.apply(&back)).expect("in memory");
        let merged = amended.followed_by(&gone).followed_by(&back);
        assert_eq!(WorldState::of(&merged).root(), expected.root());
        assert_eq!(shown.apply(&merged).expect("in memory").root(), expected.root());
    }

    #[test]
    fn amending_nothing_leaves_no_account_behind() {
        let changes = changes_of(&WorldState::new(), A, Amendment::Balance(U256::ZERO));
        assert_eq!(changes.expect("in memory"), StateChanges::default());
    }
}

//! Where the state's tries find what is not in memory: in the base of the state, by account and slot.

use std::sync::Arc;

use alloy_primitives::B256;

use crate::{
    StoreError,
    disk::{Base, StoredAccount},
    trie::{Kept, NodeRecord, Place, Source, Trie},
    world::{Account, Slot},
};

/// The source of the trie of accounts.
#[derive(Clone, Copy)]
pub(crate) struct AccountSource<'a>(Option<&'a Base>);

/// The source of an account's slots.
#[derive(Clone, Copy)]
pub(crate) struct SlotSource<'a> {
    state: AccountSource<'a>,
    account: B256,
}

impl<'a> AccountSource<'a> {
    pub(crate) const fn new(base: Option<&'a Base>) -> Self {
        Self(base)
    }

    pub(crate) fn base(&self) -> &'a Base {
        self.0.expect("what is not in memory lies in a base")
    }

    /// Slots of the account with a key.
    pub(crate) const fn slots(self, account: B256) -> SlotSource<'a> {
        SlotSource { state: self, account }
    }
}

impl From<StoredAccount> for Arc<Account> {
    fn from(stored: StoredAccount) -> Self {
        let StoredAccount { address, info, storage_root } = stored;
        Self::new(Account { address, info, slots: Trie::stored(storage_root) })
    }
}

impl Source<Arc<Account>> for AccountSource<'_> {
    fn record(&self, place: Place) -> Result<NodeRecord, StoreError> {
        self.base().node(None, place)
    }

    fn value(&self, key: &B256) -> Result<Option<Arc<Account>>, StoreError> {
        Ok(self.base().account(key)?.map(Into::into))
    }

    fn leaf(&self, key: &B256) -> Result<Arc<Account>, StoreError> {
        self.value(key)?.ok_or_else(|| self.base().no_account(key))
    }

    fn store(&self) -> Kept {
        self.base().kept()
    }

    fn damaged(&self, place: Place) -> StoreError {
        self.base().wrong_node(None, place)
    }
}

impl Source<Slot> for SlotSource<'_> {
    fn record(&self, place: Place) -> Result<NodeRecord, StoreError> {
        self.state.base().node(Some(&self.account), place)
    }

    fn value(&self, key: &B256) -> Result<Option<Slot>, StoreError> {
        self.state.base().slot(&self.account, key)
    }

    fn leaf(&self, key: &B256) -> Result<Slot, StoreError> {
        self.value(key)?.ok_or_else(|| self.state.base().no_slot(&self.account, key))
    }

    fn store(&self) -> Kept {
        self.state.base().kept()
    }

    fn damaged(&self, place: Place) -> StoreError {
        self.state.base().wrong_node(Some(&self.account), place)
    }
}

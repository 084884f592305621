//! Reading ahead: what is likely to be read and changed soon is taken from the disk by whoever has time.
//!
//! Invariant: it changes what is in memory and no answer. So it may be done for nothing, late, in part, or not at all.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};

use crate::{
    StoreError, WorldState,
    disk::StoredAccount,
    keys::{account_key, slot_key},
    source::AccountSource,
    trie::{Found, Source as _, Trie},
    world::{Account, Slot},
};

impl WorldState {
    /// Reads an account, its code and some of its slots, as far as they lie in a store that keeps in memory what was read, and
    /// the trie nodes that change when they do. Gives how many of them were not in memory; 0 where nothing is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn read_ahead(&self, address: &Address, slots: &[U256]) -> Result<usize, StoreError> {
        let Some(base) = self.base().cloned() else { return Ok(0) };
        let (key, source) = (account_key(address), AccountSource::new(Some(&*base)));
        let (accounts, mut read) = (self.accounts_trie(), 0);
        let storage = match accounts.find(&key) {
            Found::Here(account) => account.slots.clone(),
            Found::Absent => return Ok(0),
            Found::InStore => {
                let is_new = base.lacks_account(&key);
                let account = base.account(&key)?;
                if is_new {
                    accounts.read_way(&key, &source)?;
                    read += 1;
                }
                let Some(StoredAccount { info, storage_root, .. }) = account else { return Ok(read) };
                if is_new && info.code_hash != KECCAK256_EMPTY {
                    self.code(info.code_hash)?;
                }
                Trie::stored(storage_root)
            }
        };
        for slot in slots {
            let slot_key = slot_key(*slot);
            if matches!(storage.find(&slot_key), Found::InStore) && base.lacks_slot(&key, &slot_key) {
                let source = source.slots(key);
                source.value(&slot_key)?;
                storage.read_way(&slot_key, &source)?;
                read += 1;
            }
        }
        Ok(read)
    }

    /// What memory says of an account, or that it is gone; `None` where it is as it was in the base.
    pub(crate) fn account_in_memory(&self, key: &B256) -> Option<Option<StoredAccount>> {
        match self.accounts_trie().find(key) {
            Found::Here(account) => {
                let Account { address, info, slots } = &**account;
                Some(Some(StoredAccount { address: *address, info: *info, storage_root: slots.root() }))
            }
            Found::Absent => Some(None),
            Found::InStore => None,
        }
    }

    /// The same of a slot.
    pub(crate) fn slot_in_memory(&self, account: &B256, key: &B256) -> Option<Option<Slot>> {
        let found = match self.accounts_trie().find(account) {
            Found::Here(account) => account.slots.find(key),
            Found::Absent => Found::Absent,
            Found::InStore => Found::InStore,
        };
        match found {
            Found::Here(slot) => Some(Some(*slot)),
            Found::Absent => Some(None),
            Found::InStore => None,
        }
    }
}

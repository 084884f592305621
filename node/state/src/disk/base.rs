//! The state after a block, as it lies in the database. Invariant: what it answers never changes, until it is gone.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use parapet_types::AccountInfo;

use super::{
    cache::ReadCache,
    database::Database,
    record,
    schema::{ACCOUNTS, CODE, STORAGE, StateKey},
};
use crate::{
    StoreError, WorldState,
    trie::{Kept, NodeRecord, Place},
    world::Slot,
};

const HERE: u8 = 0;
const DROPPED: u8 = 1;
const PRUNED: u8 = 2;

/// A block's state in the database.
#[derive(Debug)]
pub(crate) struct Base {
    database: Arc<Database>,
    block: u64,
    /// Names the store, as nodes in memory know it.
    store: u64,
    /// Why it can no longer be read, if it cannot.
    gone: AtomicU8,
    /// Kept for the head only: who asks for history asks once.
    cache: Option<ReadCache>,
}

/// An account in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredAccount {
    pub(crate) address: Address,
    pub(crate) info: AccountInfo,
    pub(crate) storage_root: B256,
}

impl Base {
    pub(super) const fn new(database: Arc<Database>, block: u64, store: u64, cache: Option<ReadCache>) -> Self {
        Self { database, block, store, gone: AtomicU8::new(HERE), cache }
    }

    pub(crate) const fn block(&self) -> u64 {
        self.block
    }

    pub(crate) fn kept(&self) -> Kept {
        Kept::by(self.store)
    }

    /// Whether it lies in this database, and can still be read.
    pub(super) fn is_in(&self, database: &Arc<Database>) -> bool {
        Arc::ptr_eq(&self.database, database) && self.gone.load(Ordering::Acquire) == HERE
    }

    /// To be called before the first of its records is dropped with its block.
    pub(super) fn drop_later(&self) {
        self.gone.store(DROPPED, Ordering::SeqCst);
    }

    /// To be called before the first of its records is pruned.
    pub(super) fn prune_later(&self) {
        self.gone.store(PRUNED, Ordering::SeqCst);
    }

    /// Accounts and slots that are in memory because they were read.
    pub(crate) fn values_cached(&self) -> usize {
        self.cache.as_ref().map_or(0, ReadCache::len)
    }

    /// What is in memory, for a later state that was derived from this one and takes its place.
    pub(super) fn hand_over(&self, after: &WorldState) -> Option<ReadCache> {
        self.cache.as_ref().map(|cache| cache.hand_over(after))
    }

    /// Whether reading an account ahead would be of use: what is read is kept, and this was not read yet.
    pub(crate) fn lacks_account(&self, key: &B256) -> bool {
        self.cache.as_ref().is_some_and(|cache| !cache.has_account(key))
    }

    /// The same of a slot.
    pub(crate) fn lacks_slot(&self, account: &B256, key: &B256) -> bool {
        self.cache.as_ref().is_some_and(|cache| !cache.has_slot(account, key))
    }

    pub(crate) fn account(&self, key: &B256) -> Result<Option<StoredAccount>, StoreError> {
        if let Some(known) = self.cache.as_ref().and_then(|cache| cache.account(key)) {
            return self.still_here(known);
        }
        let state_key = StateKey::account(key);
        let found = self.read(&state_key, |bytes| {
            record::decode_account(bytes).map_err(|reason| self.database.corrupted(ACCOUNTS, &state_key.bytes, reason))
        })?;
        if let Some(cache) = &self.cache {
            cache.put_account(*key, found);
        }
        Ok(found)
    }

    pub(crate) fn slot(&self, account: &B256, key: &B256) -> Result<Option<Slot>, StoreError> {
        if let Some(known) = self.cache.as_ref().and_then(|cache| cache.slot(account, key)) {
            return self.still_here(known);
        }
        let state_key = StateKey::slot(account, key);
        let found = self.read(&state_key, |bytes| {
            record::decode_slot(bytes).map_err(|reason| self.database.corrupted(STORAGE, &state_key.bytes, reason))
        })?;
        if let Some(cache) = &self.cache {
            cache.put_slot(*account, *key, found);
        }
        Ok(found)
    }

    /// Code by its hash, which is checked.
    pub(crate) fn code(&self, hash: B256) -> Result<Option<Bytes>, StoreError> {
        if let Some(known) = self.cache.as_ref().and_then(|cache| cache.code(&hash)) {
            return Ok(Some(known));
        }
        let Some(code) = self.database.get(CODE, hash.as_slice())? else { return Ok(None) };
        let code = Bytes::from(code);
        let found = keccak256(&code);
        if found != hash {
            return Err(self.database.corrupted(CODE, hash.as_slice(), format!("holds code with hash {found}")));
        }
        if let Some(cache) = &self.cache {
            cache.put_code(hash, code.clone());
        }
        Ok(Some(code))
    }

    /// A node of an account's trie, or of the trie of accounts.
    pub(crate) fn node(&self, account: Option<&B256>, place: Place) -> Result<NodeRecord, StoreError> {
        let key = StateKey::node(account, place);
        let corrupted = |reason: &str| self.database.corrupted(key.family, &key.bytes, reason);
        let found = self.read(&key, |bytes| NodeRecord::read(bytes).map_err(|error| corrupted(&error.to_string())))?;
        found.ok_or_else(|| corrupted(&format!("missing in the state of block {}", self.block)))
    }

    /// A node is not the one that its parent names.
    pub(crate) fn wrong_node(&self, account: Option<&B256>, place: Place) -> StoreError {
        let StateKey { family, bytes } = StateKey::node(account, place);
        let reason = format!("in the state of block {}, it does not hash to what its parent calls it", self.block);
        self.database.corrupted(family, &bytes, reason)
    }

    /// A leaf that its trie names is missing.
    pub(crate) fn no_account(&self, key: &B256) -> StoreError {
        self.database.corrupted(ACCOUNTS, key.as_slice(), format!("missing in the state of block {}", self.block))
    }

    /// A leaf that its trie names is missing.
    pub(crate) fn no_slot(&self, account: &B256, key: &B256) -> StoreError {
        let reason = format!("missing in the state of block {}", self.block);
        self.database.corrupted(STORAGE, &StateKey::slot(account, key).bytes, reason)
    }

    fn read<T>(
        &self,
        key: &StateKey,
        decode: impl FnOnce(&[u8]) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let found = self.database.newest(key, self.block)?;
        // Records of a state that goes are dropped after it was marked, so what was read before the mark is right.
        self.still_here(())?;
        found.map(|(_, bytes)| decode(&bytes)).transpose()
    }

    fn still_here<T>(&self, answer: T) -> Result<T, StoreError> {
        match self.gone.load(Ordering::SeqCst) {
            HERE => Ok(answer),
            PRUNED => Err(StoreError::Pruned { number: self.block }),
            _ => Err(StoreError::Dropped { number: self.block }),
        }
    }
}

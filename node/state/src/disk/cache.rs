//! What was read of the head's state lately: accounts, slots and codes. Bounded; the least recently used goes first.
//!
//! It belongs to one [base](super::base), whose answers never change, so nothing in it is ever stale.

use std::num::NonZeroUsize;

use alloy_primitives::{B256, Bytes};
use lru::LruCache;
use parking_lot::Mutex;

use super::base::StoredAccount;
use crate::world::Slot;

/// Parts with a lock each, so that threads seldom meet.
const SHARDS: usize = 16;
/// Bytes that an entry takes, with its key and its links.
pub(crate) const ENTRY_BYTES: usize = 256;
/// Codes that are kept. The executor has those that run in a form of its own.
const CODES_MAX: usize = 256;

type Shard<K, V> = Mutex<LruCache<K, V>>;

/// Answers, absence included.
pub(crate) struct ReadCache {
    accounts: Vec<Shard<B256, Option<StoredAccount>>>,
    slots: Vec<Shard<(B256, B256), Option<Slot>>>,
    codes: Shard<B256, Bytes>,
}

impl ReadCache {
    /// One that takes about so many bytes, codes apart: a quarter for accounts, the rest for slots.
    pub(crate) fn new(bytes: usize) -> Self {
        let entries = bytes / ENTRY_BYTES / SHARDS;
        Self {
            accounts: (0..SHARDS).map(|_| shard(entries / 4)).collect(),
            slots: (0..SHARDS).map(|_| shard(entries / 4 * 3)).collect(),
            codes: shard(CODES_MAX),
        }
    }

    pub(crate) fn account(&self, key: &B256) -> Option<Option<StoredAccount>> {
        self.accounts[shard_of(key)].lock().get(key).copied()
    }

    pub(crate) fn put_account(&self, key: B256, account: Option<StoredAccount>) {
        self.accounts[shard_of(&key)].lock().put(key, account);
    }

    pub(crate) fn slot(&self, account: &B256, key: &B256) -> Option<Option<Slot>> {
        self.slots[shard_of(key)].lock().get(&(*account, *key)).copied()
    }

    pub(crate) fn put_slot(&self, account: B256, key: B256, slot: Option<Slot>) {
        self.slots[shard_of(&key)].lock().put((account, key), slot);
    }

    pub(crate) fn code(&self, hash: &B256) -> Option<Bytes> {
        self.codes.lock().get(hash).cloned()
    }

    pub(crate) fn put_code(&self, hash: B256, code: Bytes) {
        self.codes.lock().put(hash, code);
    }

    /// Accounts and slots that are in it.
    pub(crate) fn len(&self) -> usize {
        let accounts: usize = self.accounts.iter().map(|shard| shard.lock().len()).sum();
        accounts + self.slots.iter().map(|shard| shard.lock().len()).sum::<usize>()
    }
}

impl std::fmt::Debug for ReadCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadCache").field("len", &self.len()).finish()
    }
}

fn shard<K: std::hash::Hash + Eq, V>(entries: usize) -> Shard<K, V> {
    // Room is made as it is needed: most chains never fill it.
    let mut cache = LruCache::unbounded();
    cache.resize(NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN));
    Mutex::new(cache)
}

/// Keys are hashes, so any of their bits will do.
fn shard_of(key: &B256) -> usize {
    usize::from(key[31]) % SHARDS
}

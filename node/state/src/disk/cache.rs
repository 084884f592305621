//! What was read of the head's state lately: accounts, slots and codes. Bounded; the least recently used goes first.
//!
//! It belongs to one [base](super::base), whose answers never change, so nothing in it is ever stale. When the head gets another
//! base, that one takes over what this one held, each entry as it is by then.

use std::{mem, num::NonZeroUsize};

use alloy_primitives::{B256, Bytes};
use lru::LruCache;
use parking_lot::Mutex;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::base::StoredAccount;
use crate::world::{Slot, WorldState};

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

    /// Whether an account was read, without a note that somebody asked.
    pub(crate) fn has_account(&self, key: &B256) -> bool {
        self.accounts[shard_of(key)].lock().contains(key)
    }

    /// The same of a slot.
    pub(crate) fn has_slot(&self, account: &B256, key: &B256) -> bool {
        self.slots[shard_of(key)].lock().contains(&(*account, *key))
    }

    /// One that holds what this one held, as it is in a state that was derived from the one in which it was read. Who still reads
    /// the old state finds nothing here any more.
    pub(crate) fn hand_over(&self, after: &WorldState) -> Self {
        let accounts = self
            .accounts
            .par_iter()
            .map(|shard| taken(shard, |key, known| after.account_in_memory(key).unwrap_or_else(|| known.take())));
        let slots = self.slots.par_iter().map(|shard| {
            taken(shard, |(account, key), known| after.slot_in_memory(account, key).unwrap_or_else(|| known.take()))
        });
        Self {
            accounts: accounts.collect(),
            slots: slots.collect(),
            codes: taken(&self.codes, |_, code| mem::take(code)),
        }
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

/// Empties a part into another one, with each value as it is now. The order in which they were used stays.
fn taken<K: std::hash::Hash + Eq, V>(from: &Shard<K, V>, now: impl Fn(&K, &mut V) -> V) -> Shard<K, V> {
    let left = shard(0).into_inner();
    let mut all = mem::replace(&mut *from.lock(), left);
    for (key, value) in &mut all {
        *value = now(key, value);
    }
    Mutex::new(all)
}

/// Keys are hashes, so any of their bits will do.
fn shard_of(key: &B256) -> usize {
    usize::from(key[31]) % SHARDS
}

//! What was read of the forked block, in memory. Bounded in bytes; the least recently used goes first.
//!
//! It is of one block, which does not change, so nothing in it is ever stale.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use alloy_primitives::{Address, B256, Bytes, U256};
use lru::LruCache;
use parapet_types::AccountInfo;
use parking_lot::Mutex;

/// Parts with a lock each, so that threads seldom meet.
const SHARDS: usize = 16;
/// Bytes that an entry takes with its key and its links, code apart.
const ENTRY_BYTES: usize = 256;
/// Most bytes of all that was read.
pub(crate) const CACHE_BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// An account and what was told of its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownAccount {
    /// `None` where there is none.
    pub(crate) info: Option<AccountInfo>,
    /// Whether it has storage, where that can be known.
    pub(crate) has_storage: Option<bool>,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Account(Address),
    Slot(Address, U256),
    Code(B256),
    /// Whose code it is that hashes to this, so that it can be asked for again.
    Holder(B256),
    BlockHash(u64),
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Account(KnownAccount),
    Slot(U256),
    Code(Bytes),
    Holder(Address),
    BlockHash(B256),
}

impl Value {
    fn bytes(&self) -> usize {
        match self {
            Self::Code(code) => ENTRY_BYTES + code.len(),
            Self::Account(_) | Self::Slot(_) | Self::Holder(_) | Self::BlockHash(_) => ENTRY_BYTES,
        }
    }
}

struct Shard {
    entries: LruCache<Key, Value>,
    bytes: usize,
}

/// What was read.
pub(crate) struct Cache {
    shards: Vec<Mutex<Shard>>,
    shard_bytes_max: usize,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let shard = || Mutex::new(Shard { entries: LruCache::unbounded(), bytes: 0 });
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), shard_bytes_max: bytes_max / SHARDS }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Value> {
        self.shard(key).lock().entries.get(key).cloned()
    }

    /// Keeps an answer, unless there is one already. Tells whether it is new.
    pub(crate) fn put(&self, key: Key, value: Value) -> bool {
        let mut shard = self.shard(&key).lock();
        if shard.entries.contains(&key) {
            return false;
        }
        shard.bytes += value.bytes();
        shard.entries.put(key, value);
        while shard.bytes > self.shard_bytes_max && shard.entries.len() > 1 {
            let Some((_, dropped)) = shard.entries.pop_lru() else { break };
            shard.bytes -= dropped.bytes();
        }
        true
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        &self.shards[usize::try_from(hash % SHARDS as u64).expect("a small number")]
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_stands() {
        let cache = Cache::new(CACHE_BYTES_MAX);
        assert!(cache.put(Key::BlockHash(1), Value::BlockHash(B256::ZERO)));
        assert!(!cache.put(Key::BlockHash(1), Value::BlockHash(B256::repeat_byte(1))));
        assert_eq!(cache.get(&Key::BlockHash(1)), Some(Value::BlockHash(B256::ZERO)));
    }

    #[test]
    fn codes_count_with_their_length_and_the_oldest_make_room() {
        let cache = Cache::new(SHARDS * 100_000);
        for number in 0..10_000 {
            let hash = B256::from(U256::from(number));
            cache.put(Key::Code(hash), Value::Code(vec![0; 10_000].into()));
        }
        let kept: usize = cache.shards.iter().map(|shard| shard.lock().entries.len()).sum();
        assert!(kept > 0 && kept <= SHARDS * 9, "{kept}");
        assert!(cache.shards.iter().all(|shard| shard.lock().bytes <= 100_000));
    }
}

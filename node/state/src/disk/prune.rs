//! Forgetting the states of old blocks. Blocks, receipts and results stay.
//!
//! As block `m` becomes the oldest whose state is kept, what it replaced can go: for each key that it wrote, all older
//! records, and its own, if it says that something was removed. Trie nodes also go without being replaced, when what is
//! below them moves or is removed. Such a node was named by one that block `m` replaced, and is named by none that it wrote.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use alloy_trie::EMPTY_ROOT_HASH;
use rocksdb::WriteBatch;

use super::{
    Disk,
    database::Database,
    record,
    schema::{ACCOUNT_NODES, ACCOUNTS, CHANGES, META, META_OLDEST, STORAGE_NODES, StateKey},
};
use crate::{
    StoreError,
    trie::{NodeRecord, Place},
};

/// Most blocks that are pruned after a block: where a long history is to become a short one, that is done little by little.
const BLOCKS_MAX: u64 = 8;

/// A node's account, where it is of an account's trie, and its place.
type NodeAt = (Option<B256>, Place);

/// What a block wrote for a key, and what there was of that key before, newest first. A value is empty where it was removed.
struct Replaced {
    key: StateKey,
    block: u64,
    written: Vec<u8>,
    older: Vec<(u64, Vec<u8>)>,
}

impl Disk {
    /// Prunes what the settings no longer keep, a few blocks at a time, and no state on which one in memory stands that may be
    /// built on: the one of the newest block stands on the state after `base`.
    pub(super) fn prune_some(&mut self, base: u64) -> Result<(), StoreError> {
        let Some(keep) = self.settings.prune else { return Ok(()) };
        // The head's own state is the first of those that are kept.
        let oldest = (self.head + 1).saturating_sub(keep.get()).min(base);
        for _ in 0..BLOCKS_MAX {
            if self.oldest >= oldest {
                break;
            }
            self.prune_one()?;
        }
        Ok(())
    }

    /// Forgets the state of the oldest block.
    pub(crate) fn prune_one(&mut self) -> Result<(), StoreError> {
        let next = self.oldest + 1;
        self.each_base(|base| {
            if base.block() < next {
                base.prune_later();
            }
        });
        let mut batch = WriteBatch::default();
        let mut replaced = Vec::new();
        for key in self.reader.changes(next)? {
            let replacing = self.replaced(key, next)?;
            replacing.drop_from(&mut batch, self.database());
            replaced.push(replacing);
        }
        for (account, place) in self.dead_nodes(&replaced, next)? {
            let key = StateKey::node(account.as_ref(), place);
            for (version, _) in self.database().versions_up_to(&key, next)? {
                batch.delete_cf(self.database().family(key.family), key.at(version));
            }
        }
        batch.delete_cf(self.database().family(CHANGES), next.to_be_bytes());
        batch.put_cf(self.database().family(META), META_OLDEST, next.to_be_bytes());
        self.write(batch, "forgetting an old state")?;
        self.oldest = next;
        Ok(())
    }

    /// What a block wrote for a key, and what that replaced.
    fn replaced(&self, key: StateKey, block: u64) -> Result<Replaced, StoreError> {
        let mut versions = self.database().versions_up_to(&key, block)?.into_iter().peekable();
        let written = versions.next_if(|(version, _)| *version == block).map(|(_, value)| value);
        let Some(written) = written else {
            return Err(self.database().corrupted(key.family, &key.at(block), "missing"));
        };
        Ok(Replaced { key, block, written, older: versions.collect() })
    }

    /// Nodes that a block left behind without writing in their place.
    fn dead_nodes(&self, replaced: &[Replaced], block: u64) -> Result<Vec<NodeAt>, StoreError> {
        let (mut live, mut waiting) = (BTreeSet::new(), Vec::new());
        for Replaced { key, written, older, .. } in replaced {
            if let Some((account, _)) = node_at(key) {
                live.insert(key.clone());
                live.extend(self.branches(key, account, written)?.into_iter().map(key_of));
                let before = older.first().map_or(&[][..], |(_, value)| value);
                waiting.extend(self.branches(key, account, before)?);
            } else if key.family == ACCOUNTS {
                waiting.extend(self.root_left_behind(key, written)?);
            }
        }
        if live.iter().all(|key| key.family == STORAGE_NODES) && !replaced.is_empty() {
            // The trie of accounts has no node any more, or it would have another root.
            waiting.push((None, Place::ROOT));
        }
        let mut dead = Vec::new();
        while let Some(node) = waiting.pop() {
            if live.insert(key_of(node)) {
                waiting.extend(self.children(node.0, node.1, block)?);
                dead.push(node);
            }
        }
        Ok(dead)
    }

    /// The root of an account's trie, if a block left it empty.
    fn root_left_behind(&self, key: &StateKey, written: &[u8]) -> Result<Option<NodeAt>, StoreError> {
        let account = (!written.is_empty()).then(|| record::decode_account(written)).transpose();
        let account = account.map_err(|reason| self.database().corrupted(ACCOUNTS, &key.bytes, reason))?;
        let is_empty = account.is_none_or(|account| account.storage_root == EMPTY_ROOT_HASH);
        Ok(is_empty.then(|| (Some(B256::from_slice(&key.bytes)), Place::ROOT)))
    }

    /// The branches below a node, as it was after a block.
    fn children(&self, account: Option<B256>, place: Place, block: u64) -> Result<Vec<NodeAt>, StoreError> {
        let key = StateKey::node(account.as_ref(), place);
        let found = self.database().newest(&key, block)?;
        self.branches(&key, account, &found.map_or_else(Vec::new, |(_, bytes)| bytes))
    }

    /// The branches that the record of a node names; none where it was removed.
    fn branches(&self, key: &StateKey, account: Option<B256>, bytes: &[u8]) -> Result<Vec<NodeAt>, StoreError> {
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let node = NodeRecord::read(bytes);
        let node = node.map_err(|reason| self.database().corrupted(key.family, &key.bytes, reason))?;
        Ok(node.branches().map(|place| (account, place)).collect())
    }
}

impl Replaced {
    /// Adds the removal of what is needed no more once this block is the oldest.
    fn drop_from(&self, batch: &mut WriteBatch, database: &Database) {
        let family = database.family(self.key.family);
        for (version, _) in &self.older {
            batch.delete_cf(family, self.key.at(*version));
        }
        if self.written.is_empty() {
            batch.delete_cf(family, self.key.at(self.block));
        }
    }
}

fn key_of((account, place): NodeAt) -> StateKey {
    StateKey::node(account.as_ref(), place)
}

fn node_at(key: &StateKey) -> Option<NodeAt> {
    let (account, place) = match key.family {
        ACCOUNT_NODES => (None, &key.bytes[..]),
        STORAGE_NODES => (Some(B256::from_slice(&key.bytes[..32])), &key.bytes[32..]),
        _ => return None,
    };
    Place::read(place).map(|(place, _)| (account, place))
}

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
    Disk, record,
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
        let keys = self.reader.changes(next)?;
        for key in &keys {
            self.drop_versions(&mut batch, key, next - 1)?;
            let is_removal = self.database().get(key.family, &key.at(next))?.is_some_and(|value| value.is_empty());
            if is_removal {
                batch.delete_cf(self.database().family(key.family), key.at(next));
            }
        }
        for (account, place) in self.dead_nodes(&keys, next)? {
            self.drop_versions(&mut batch, &StateKey::node(account.as_ref(), place), next)?;
        }
        batch.delete_cf(self.database().family(CHANGES), next.to_be_bytes());
        batch.put_cf(self.database().family(META), META_OLDEST, next.to_be_bytes());
        self.write(batch, "forgetting an old state")?;
        self.oldest = next;
        Ok(())
    }

    /// Adds the removal of all records of a key up to a block.
    fn drop_versions(&self, batch: &mut WriteBatch, key: &StateKey, up_to: u64) -> Result<(), StoreError> {
        for record in self.database().records_from(key.family, &key.at(up_to)) {
            let (found, _) = record?;
            if key.version_of(&found).is_none() {
                break;
            }
            batch.delete_cf(self.database().family(key.family), &found);
        }
        Ok(())
    }

    /// Nodes that a block left behind without writing in their place.
    fn dead_nodes(&self, keys: &[StateKey], block: u64) -> Result<Vec<NodeAt>, StoreError> {
        let (mut live, mut waiting) = (BTreeSet::new(), Vec::new());
        for key in keys {
            if let Some((account, place)) = node_at(key) {
                live.insert(key.clone());
                live.extend(self.children(account, place, block)?.into_iter().map(key_of));
                waiting.extend(self.children(account, place, block - 1)?);
            } else if key.family == ACCOUNTS {
                waiting.extend(self.root_left_behind(key, block)?);
            }
        }
        if live.iter().all(|key| key.family == STORAGE_NODES) && !keys.is_empty() {
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
    fn root_left_behind(&self, key: &StateKey, block: u64) -> Result<Option<NodeAt>, StoreError> {
        let stored = self.database().newest(key, block)?;
        let account = stored.map(|(_, bytes)| record::decode_account(&bytes)).transpose();
        let account = account.map_err(|reason| self.database().corrupted(ACCOUNTS, &key.bytes, reason))?;
        let is_empty = account.is_none_or(|account| account.storage_root == EMPTY_ROOT_HASH);
        Ok(is_empty.then(|| (Some(B256::from_slice(&key.bytes)), Place::ROOT)))
    }

    /// The branches below a node, as it was after a block.
    fn children(&self, account: Option<B256>, place: Place, block: u64) -> Result<Vec<NodeAt>, StoreError> {
        let key = StateKey::node(account.as_ref(), place);
        let Some((_, bytes)) = self.database().newest(&key, block)? else { return Ok(Vec::new()) };
        let node = NodeRecord::read(&bytes);
        let node = node.map_err(|reason| self.database().corrupted(key.family, &key.bytes, reason))?;
        Ok(node.branches().map(|place| (account, place)).collect())
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

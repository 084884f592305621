//! Reading the nodes on the way to a key before somebody changes it.
//!
//! Nothing is kept in the trie: what lies between it and the disk keeps what was read.

use alloy_primitives::B256;

use super::{Node, NodeRecord, Place, Source, Trie, nibble, shared_nibbles};
use crate::StoreError;

impl<V> Trie<V> {
    /// Reads what the store has of the nodes on the way to a key.
    pub(crate) fn read_way(&self, key: &B256, source: &impl Source<V>) -> Result<(), StoreError> {
        let (mut node, mut from) = (self.root.as_ref(), 0);
        loop {
            match node {
                Some(Node::Branch(branch)) if shared_nibbles(&branch.key, key) >= branch.at => {
                    (node, from) = (branch.child(key), branch.at + 1);
                }
                Some(Node::Stored(_)) => break,
                Some(Node::Branch(_) | Node::Leaf(_) | Node::StoredLeaf(_)) | None => return Ok(()),
            }
        }
        loop {
            let NodeRecord::Branch { key: below, at, children } = source.record(Place::on_the_way(*key, from))? else {
                return Ok(());
            };
            if shared_nibbles(&below, key) < at {
                return Ok(());
            }
            let child = children.iter().find(|(named, ..)| u32::from(*named) == nibble(key, at));
            if child.is_none_or(|(.., leaf)| leaf.is_some()) {
                return Ok(());
            }
            from = at + 1;
        }
    }
}

//! Changes: the nodes on the way to a key are copied, and those of them that lie in a store are fetched.
//!
//! A change that fails leaves a trie that is neither the old nor the new one: it is made on a copy, which is dropped then.

use std::sync::Arc;

use alloy_primitives::B256;

use super::{Branch, Found, Kept, Leaf, NIBBLES, Node, Place, Reference, Source, Trie, nibble, shared_nibbles};
use crate::StoreError;

impl<V: Clone> Trie<V> {
    pub(crate) fn insert(&mut self, key: B256, value: V, source: &impl Source<V>) -> Result<(), StoreError> {
        let leaf = Node::Leaf(Arc::new(Leaf { key, value, reference: Reference::new(), kept: Kept::nowhere() }));
        match &mut self.root {
            Some(root) => root.insert(Place::on_the_way(key, 0), leaf, source),
            None => {
                self.root = Some(leaf);
                Ok(())
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &B256, source: &impl Source<V>) -> Result<(), StoreError> {
        // First a look: what is not there must not cost the hashes on the way to it.
        let is_there = match self.find(key) {
            Found::Here(_) => true,
            Found::Absent => false,
            Found::InStore => source.value(key)?.is_some(),
        };
        if !is_there {
            return Ok(());
        }
        let Some(mut root) = self.root.take() else { return Ok(()) };
        root.fetch(Place::on_the_way(*key, 0), source)?;
        self.root = match root {
            Node::Branch(mut branch) => Some(branch.remove(key, source)?.unwrap_or(Node::Branch(branch))),
            Node::Leaf(_) | Node::Stored(_) | Node::StoredLeaf(_) => None,
        };
        Ok(())
    }
}

impl<V: Clone> Node<V> {
    /// A key that begins as all below it do. Of a node that was fetched.
    fn key(&self) -> &B256 {
        match self {
            Self::Leaf(leaf) => &leaf.key,
            Self::Branch(branch) => &branch.key,
            Self::StoredLeaf(leaf) => &leaf.key,
            Self::Stored(_) => unreachable!("it was fetched"),
        }
    }

    /// The nibble at which it branches; that after the last one for a leaf.
    fn at(&self) -> usize {
        match self {
            Self::Branch(branch) => branch.at,
            Self::Leaf(_) | Self::Stored(_) | Self::StoredLeaf(_) => NIBBLES,
        }
    }

    /// Puts the node in place of its name, if it lies in a store.
    fn fetch(&mut self, place: Place, source: &impl Source<V>) -> Result<(), StoreError> {
        if let Some(node) = self.fetched(place, source)? {
            *self = node;
        }
        Ok(())
    }

    /// Puts a leaf below or in place of this node. `place` is on the way to the leaf.
    fn insert(&mut self, place: Place, leaf: Self, source: &impl Source<V>) -> Result<(), StoreError> {
        if matches!(self, Self::Stored(_)) {
            self.fetch(place, source)?;
        }
        let key = place.key;
        let shared = shared_nibbles(self.key(), &key);
        if shared < self.at() {
            self.fetch(place, source)?;
            let mut branch = Branch {
                key,
                at: shared,
                mask: 0,
                children: Vec::with_capacity(2),
                reference: Reference::new(),
                kept: Kept::nowhere(),
            };
            branch.add(nibble(&key, shared), leaf);
            let mut old = std::mem::replace(self, Self::Stored(alloy_trie::nodes::RlpNode::default()));
            let nibble = nibble(old.key(), shared);
            old.forget();
            branch.add(nibble, old);
            *self = Self::Branch(Arc::new(branch));
            return Ok(());
        }
        let Self::Branch(branch) = self else {
            *self = leaf;
            return Ok(());
        };
        let branch = branch.edit();
        let nibble = nibble(&key, branch.at);
        match branch.position(nibble) {
            Ok(index) => branch.children[index].insert(Place::on_the_way(key, branch.at + 1), leaf, source),
            Err(_) => {
                branch.add(nibble, leaf);
                Ok(())
            }
        }
    }

    /// Forgets the node's own reference, not those below it. Of a node that was fetched.
    fn forget(&mut self) {
        match self {
            // A leaf is stored by its key alone, so it stays stored.
            Self::Leaf(leaf) => {
                let Leaf { key, value, reference: _, kept } = &**leaf;
                let (value, kept) = (value.clone(), kept.clone());
                *leaf = Arc::new(Leaf { key: *key, value, reference: Reference::new(), kept });
            }
            Self::Branch(branch) => {
                branch.edit();
            }
            Self::Stored(_) | Self::StoredLeaf(_) => unreachable!("it was fetched"),
        }
    }
}

impl<V: Clone> Branch<V> {
    /// The branch, made this version's own, with its reference forgotten.
    fn edit(self: &mut Arc<Self>) -> &mut Self {
        let branch = Arc::make_mut(self);
        branch.reference = Reference::new();
        branch.kept = Kept::nowhere();
        branch
    }

    /// Adds a child where there is none.
    fn add(&mut self, nibble: u32, child: Node<V>) {
        if let Err(index) = self.position(nibble) {
            self.children.insert(index, child);
            self.mask |= 1 << nibble;
        }
    }

    /// Removes a key that is there. If that leaves a single child, it is what stands in the branch's place.
    fn remove(self: &mut Arc<Self>, key: &B256, source: &impl Source<V>) -> Result<Option<Node<V>>, StoreError> {
        let branch = self.edit();
        let nibble = nibble(key, branch.at);
        let Ok(index) = branch.position(nibble) else { return Ok(None) };
        let below = &mut branch.children[index];
        if matches!(below, Node::Stored(_)) {
            below.fetch(Place::on_the_way(*key, branch.at + 1), source)?;
        }
        if let Node::Branch(below) = below {
            if let Some(last) = below.remove(key, source)? {
                branch.children[index] = last;
            }
            return Ok(None);
        }
        branch.children.remove(index);
        branch.mask &= !(1 << nibble);
        if branch.children.len() > 1 {
            return Ok(None);
        }
        let Some((place, mut last)) = branch.places().next().zip(branch.children.pop()) else { return Ok(None) };
        last.fetch(place, source)?;
        last.forget();
        Ok(Some(last))
    }
}

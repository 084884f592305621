//! Checks of what lies in a store: every node must hash to what its parent calls it.

use std::sync::Arc;

use alloy_primitives::{B256, keccak256};
use alloy_trie::nodes::RlpNode;

use super::{Branch, Kept, Leaf, Node, Place, Reference, Source, Trie, TrieValue};
use crate::StoreError;

/// What is told of each record of a node, by `None`, and of each leaf, by its key and value.
pub(crate) type Each<'a, V> = &'a mut dyn FnMut(Option<(&B256, &V)>) -> Result<(), StoreError>;

/// How far a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The root alone.
    Top,
    /// Every node.
    Whole,
}

impl<V: TrieValue> Trie<V> {
    /// Fetches nodes and checks them.
    pub(crate) fn check<S: Source<V>>(&self, source: &S, depth: Depth, each: Each<'_, V>) -> Result<(), StoreError> {
        match &self.root {
            Some(root) => root.check(Place::ROOT, source, depth, each),
            None => Ok(()),
        }
    }
}

impl<V: TrieValue> Node<V> {
    fn check<S: Source<V>>(&self, place: Place, source: &S, depth: Depth, each: Each<'_, V>) -> Result<(), StoreError> {
        let node = self.fetched(place, source)?.unwrap_or_else(|| self.clone());
        let named = self.reference(place.nibbles);
        if !is_called(&node.computed_anew(place.nibbles), &named) {
            return Err(source.damaged(place));
        }
        match &node {
            Self::Leaf(leaf) => {
                if place == Place::ROOT {
                    each(None)?;
                }
                each(Some((&leaf.key, &leaf.value)))
            }
            Self::Branch(branch) => {
                each(None)?;
                let children = branch.children.iter().zip(branch.places()).filter(|_| depth == Depth::Whole);
                for (child, place) in children {
                    child.check(place, source, depth, each)?;
                }
                Ok(())
            }
            Self::Stored(_) | Self::StoredLeaf(_) => unreachable!("it was fetched"),
        }
    }

    /// The node's reference, from what its children are called.
    fn computed_anew(&self, from: usize) -> RlpNode {
        let anew = match self {
            Self::Leaf(leaf) => {
                let Leaf { key, value, .. } = &**leaf;
                let (value, reference) = (value.clone(), Reference::new());
                Self::Leaf(Arc::new(Leaf { key: *key, value, reference, kept: Kept::nowhere() }))
            }
            Self::Branch(branch) => Self::Branch(Arc::new(Branch::clone(branch))),
            Self::Stored(_) | Self::StoredLeaf(_) => self.clone(),
        };
        anew.reference(from)
    }
}

/// Whether two names are of one node: a root is called by its hash, however short it is.
fn is_called(computed: &RlpNode, named: &RlpNode) -> bool {
    computed == named || (!computed.is_hash() && named.as_hash() == Some(keccak256(computed)))
}

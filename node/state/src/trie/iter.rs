//! Walks over all keys. What lies in a store is fetched, and dropped behind.

use std::vec;

use alloy_primitives::B256;

use super::{Node, Place, Source, Trie};
use crate::StoreError;

/// Every key and value, in order of keys; ends after the first that cannot be read.
pub(crate) struct Entries<V, S> {
    source: S,
    /// What is left of the nodes at each depth.
    below: Vec<vec::IntoIter<(Place, Node<V>)>>,
}

impl<V: Clone> Trie<V> {
    pub(crate) fn entries<S: Source<V>>(&self, source: S) -> Entries<V, S> {
        let root: Vec<_> = self.root.iter().map(|root| (Place::ROOT, root.clone())).collect();
        Entries { source, below: vec![root.into_iter()] }
    }
}

impl<V: Clone, S: Source<V>> Iterator for Entries<V, S> {
    type Item = Result<(B256, V), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((place, node)) = self.below.last_mut()?.next() else {
                self.below.pop();
                continue;
            };
            match node.fetched(place, &self.source).map(|fetched| fetched.unwrap_or(node)) {
                Ok(Node::Leaf(leaf)) => return Some(Ok((leaf.key, leaf.value.clone()))),
                Ok(Node::Branch(branch)) => {
                    let children: Vec<_> = branch.places().zip(branch.children.iter().cloned()).collect();
                    self.below.push(children.into_iter());
                }
                Ok(Node::Stored(_) | Node::StoredLeaf(_)) => unreachable!("it was fetched"),
                Err(error) => {
                    self.below.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}

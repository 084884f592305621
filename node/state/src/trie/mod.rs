//! A Merkle-Patricia trie that is a value: it holds what the state holds, and knows the hashes of its nodes.
//!
//! Cloning is O(1), and versions share the nodes in which they do not differ. A change copies the nodes on the way to its
//! leaf and forgets their hashes; asking for the root hashes what was forgotten and nothing else, and every version that
//! shares a node knows its hash from then on. So a root costs what changed since the newest version whose root is known.
//!
//! Nodes that nobody changed may lie in a store: then memory holds how their parent names them, and a [`Source`] gives
//! the node itself to who needs it. What is only read is not kept.
//!
//! Invariants, from which it follows that equal contents have equal shape, in whatever order they came:
//! - a branch has at least two children, and they differ in the nibble at which it branches;
//! - whatever knows its reference stands above nodes that all know theirs; what lies in a store always does.
//!
//! How nodes are hashed is Ethereum's business (Yellow Paper, appendix D). alloy-trie has no trie that keeps its nodes, and
//! those that do, elsewhere, have one version, or a database below. Depth is bounded by the 64 nibbles of a key, and with it
//! all recursion.

mod ahead;
mod check;
mod edit;
mod hash;
mod iter;
mod prove;
mod rebuild;
mod stored;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;

pub(crate) use self::hash::TrieValue;
pub use self::prove::{AccountProof, SlotProof};
pub(crate) use self::{
    check::Depth,
    rebuild::Rebuild,
    stored::{Found, Kept, NodeRecord, Place, Source, StoredLeaf, Unsaved},
};

/// Nibbles of a key.
pub(crate) const NIBBLES: usize = 64;

/// Values by keys of 32 bytes, in their order.
#[derive(Clone)]
pub(crate) struct Trie<V> {
    root: Option<Node<V>>,
}

pub(crate) enum Node<V> {
    Leaf(Arc<Leaf<V>>),
    Branch(Arc<Branch<V>>),
    /// Lies in the store, at its place; here is how its parent names it.
    Stored(RlpNode),
    /// Lies in the store, and is a leaf.
    StoredLeaf(Arc<StoredLeaf>),
}

pub(crate) struct Leaf<V> {
    key: B256,
    value: V,
    reference: Reference,
    kept: Kept,
}

/// A branch and, where its parent ends more than one nibble above it, the extension that leads to it.
pub(crate) struct Branch<V> {
    /// Some key; its nibbles before `at` are those of all keys below.
    key: B256,
    /// The nibble of the key at which it branches.
    at: usize,
    /// Bit `n` is set where there is a child for nibble `n`.
    mask: u16,
    /// In order of their nibbles.
    children: Vec<Node<V>>,
    reference: Reference,
    kept: Kept,
}

/// How the parent of a node names it, extension included, once that was computed. It depends on where the parent ends,
/// so it is forgotten when the node gets another parent.
type Reference = OnceLock<RlpNode>;

impl<V> Trie<V> {
    pub(crate) const fn new() -> Self {
        Self { root: None }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// What memory knows of a key.
    pub(crate) fn find(&self, key: &B256) -> Found<'_, V> {
        let Some(mut node) = self.root.as_ref() else { return Found::Absent };
        loop {
            match node {
                Node::Leaf(leaf) if leaf.key == *key => return Found::Here(&leaf.value),
                Node::StoredLeaf(leaf) if leaf.key == *key => return Found::InStore,
                Node::Leaf(_) | Node::StoredLeaf(_) => return Found::Absent,
                Node::Stored(_) => return Found::InStore,
                Node::Branch(branch) => match branch.child(key) {
                    // The store has no say about a key that does not begin as those below do.
                    Some(Node::Stored(_)) if shared_nibbles(&branch.key, key) < branch.at => return Found::Absent,
                    Some(child) => node = child,
                    None => return Found::Absent,
                },
            }
        }
    }
}

impl<V> Branch<V> {
    /// The child on the way to a key.
    fn child(&self, key: &B256) -> Option<&Node<V>> {
        self.position(nibble(key, self.at)).ok().map(|index| &self.children[index])
    }

    /// Where the child for a nibble is, or else would be.
    fn position(&self, nibble: u32) -> Result<usize, usize> {
        let bit = 1 << nibble;
        let index = (self.mask & (bit - 1)).count_ones() as usize;
        if self.mask & bit == 0 { Err(index) } else { Ok(index) }
    }

    /// The places of the children, in their order.
    fn places(&self) -> impl Iterator<Item = Place> + use<V> {
        let (key, at, mask) = (self.key, self.at, self.mask);
        (0..16).filter(move |nibble| mask & (1 << nibble) != 0).map(move |nibble| Place::new(key, at, nibble))
    }
}

/// How many nibbles two keys begin with in common.
fn shared_nibbles(a: &B256, b: &B256) -> usize {
    match a.iter().zip(b.iter()).position(|(a, b)| a != b) {
        None => NIBBLES,
        Some(byte) => 2 * byte + usize::from((a[byte] ^ b[byte]) < 0x10),
    }
}

fn nibble(key: &B256, index: usize) -> u32 {
    let byte = key[index / 2];
    u32::from(if index.is_multiple_of(2) { byte >> 4 } else { byte & 0xf })
}

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> Clone for Node<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf(leaf) => Self::Leaf(Arc::clone(leaf)),
            Self::Branch(branch) => Self::Branch(Arc::clone(branch)),
            Self::Stored(reference) => Self::Stored(reference.clone()),
            Self::StoredLeaf(leaf) => Self::StoredLeaf(Arc::clone(leaf)),
        }
    }
}

impl<V> Clone for Branch<V> {
    /// A copy is made to be changed, so it neither knows its reference nor lies in a store.
    fn clone(&self) -> Self {
        let Self { key, at, mask, children, reference: _, kept: _ } = self;
        Self {
            key: *key,
            at: *at,
            mask: *mask,
            children: children.clone(),
            reference: Reference::new(),
            kept: Kept::nowhere(),
        }
    }
}

impl<V> fmt::Debug for Trie<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trie").field("empty", &self.is_empty()).finish_non_exhaustive()
    }
}

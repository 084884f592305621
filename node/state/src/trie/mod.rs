//! A Merkle-Patricia trie that is a value: it holds what the state holds, and knows the hashes of its nodes.
//!
//! Cloning is O(1), and versions share the nodes in which they do not differ. A change copies the nodes on the way to its
//! leaf and forgets their hashes; asking for the root hashes what was forgotten and nothing else, and every version that
//! shares a node knows its hash from then on. So a root costs what changed since the newest version whose root is known.
//!
//! Invariants, from which it follows that equal contents have equal shape, in whatever order they came:
//! - a branch has at least two children, and they differ in the nibble at which it branches;
//! - whatever knows its reference stands above nodes that all know theirs.
//!
//! How nodes are encoded is alloy-trie's business. It has no trie that keeps its nodes, and those that do, elsewhere,
//! have one version, or a database below. Depth is bounded by the 64 nibbles of a key, and with it all recursion.

mod hash;
mod prove;
mod rebuild;
#[cfg(test)]
mod tests;

use std::{
    fmt, slice,
    sync::{Arc, OnceLock},
};

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;

pub(crate) use self::hash::TrieValue;
pub use self::prove::{AccountProof, SlotProof};
pub(crate) use self::{prove::prove, rebuild::state_root as rebuild_state_root};

/// Nibbles of a key.
const NIBBLES: usize = 64;

/// Values by keys of 32 bytes, in their order.
#[derive(Clone)]
pub(crate) struct Trie<V> {
    root: Option<Node<V>>,
    len: usize,
}

enum Node<V> {
    Leaf(Arc<Leaf<V>>),
    Branch(Arc<Branch<V>>),
}

struct Leaf<V> {
    key: B256,
    value: V,
    reference: Reference,
}

/// A branch and, where its parent ends more than one nibble above it, the extension that leads to it.
struct Branch<V> {
    /// Some key; its nibbles before `at` are those of all keys below.
    key: B256,
    /// The nibble of the key at which it branches.
    at: usize,
    /// Bit `n` is set where there is a child for nibble `n`.
    mask: u16,
    /// In order of their nibbles.
    children: Vec<Node<V>>,
    reference: Reference,
}

/// How the parent of a node names it, extension included, once that was computed. It depends on where the parent ends,
/// so it is forgotten when the node gets another parent.
type Reference = OnceLock<RlpNode>;

impl<V> Trie<V> {
    pub(crate) const fn new() -> Self {
        Self { root: None, len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    pub(crate) fn get(&self, key: &B256) -> Option<&V> {
        let mut node = self.root.as_ref()?;
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf.key == *key).then_some(&leaf.value),
                Node::Branch(branch) => node = branch.child(key)?,
            }
        }
    }

    /// Every key and value, in order of keys.
    pub(crate) fn iter(&self) -> Iter<'_, V> {
        Iter { below: self.root.iter().map(slice::from_ref).map(<[_]>::iter).collect() }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<V: Clone> Trie<V> {
    pub(crate) fn insert(&mut self, key: B256, value: V) {
        let leaf = Node::Leaf(Arc::new(Leaf { key, value, reference: Reference::new() }));
        let is_new = match &mut self.root {
            Some(root) => root.insert(&key, leaf),
            None => {
                self.root = Some(leaf);
                true
            }
        };
        self.len += usize::from(is_new);
    }

    pub(crate) fn remove(&mut self, key: &B256) {
        // First a look: what is not there must not cost the hashes on the way to it.
        if self.get(key).is_none() {
            return;
        }
        self.root = match self.root.take() {
            Some(Node::Branch(mut branch)) => Some(branch.remove(key).unwrap_or(Node::Branch(branch))),
            _ => None,
        };
        self.len -= 1;
    }
}

impl<V> Node<V> {
    /// A key that begins as all below it do.
    fn key(&self) -> &B256 {
        match self {
            Self::Leaf(leaf) => &leaf.key,
            Self::Branch(branch) => &branch.key,
        }
    }

    /// The nibble at which it branches; that after the last one for a leaf.
    fn at(&self) -> usize {
        match self {
            Self::Leaf(_) => NIBBLES,
            Self::Branch(branch) => branch.at,
        }
    }
}

impl<V: Clone> Node<V> {
    /// Puts a leaf below or in place of this node, and says whether its key is new.
    fn insert(&mut self, key: &B256, leaf: Self) -> bool {
        let shared = shared_nibbles(self.key(), key);
        if shared < self.at() {
            let mut branch =
                Branch { key: *key, at: shared, mask: 0, children: Vec::with_capacity(2), reference: Reference::new() };
            branch.add(leaf);
            let mut old = std::mem::replace(self, Self::Branch(Arc::new(branch)));
            old.forget();
            if let Self::Branch(branch) = self {
                branch.edit().add(old);
            }
            return true;
        }
        let Self::Branch(branch) = self else {
            *self = leaf;
            return false;
        };
        let branch = branch.edit();
        match branch.place(nibble(key, branch.at)) {
            Ok(index) => branch.children[index].insert(key, leaf),
            Err(_) => {
                branch.add(leaf);
                true
            }
        }
    }

    /// Forgets the node's own reference, not those below it.
    fn forget(&mut self) {
        match self {
            Self::Leaf(leaf) => {
                *leaf = Arc::new(Leaf { key: leaf.key, value: leaf.value.clone(), reference: Reference::new() });
            }
            Self::Branch(branch) => {
                branch.edit();
            }
        }
    }
}

impl<V> Branch<V> {
    /// The child on the way to a key.
    fn child(&self, key: &B256) -> Option<&Node<V>> {
        self.place(nibble(key, self.at)).ok().map(|index| &self.children[index])
    }

    /// Where the child for a nibble is, or else would be.
    fn place(&self, nibble: u32) -> Result<usize, usize> {
        let bit = 1 << nibble;
        let index = (self.mask & (bit - 1)).count_ones() as usize;
        if self.mask & bit == 0 { Err(index) } else { Ok(index) }
    }
}

impl<V: Clone> Branch<V> {
    /// The branch, made this version's own, with its reference forgotten.
    fn edit(self: &mut Arc<Self>) -> &mut Self {
        let branch = Arc::make_mut(self);
        branch.reference = Reference::new();
        branch
    }

    /// Adds a child where there is none.
    fn add(&mut self, child: Node<V>) {
        let nibble = nibble(child.key(), self.at);
        if let Err(index) = self.place(nibble) {
            self.children.insert(index, child);
            self.mask |= 1 << nibble;
        }
    }

    /// Removes a key that is there. If that leaves a single child, it is what stands in the branch's place.
    fn remove(self: &mut Arc<Self>, key: &B256) -> Option<Node<V>> {
        let branch = self.edit();
        let nibble = nibble(key, branch.at);
        let index = branch.place(nibble).ok()?;
        if let Node::Branch(below) = &mut branch.children[index] {
            if let Some(last) = below.remove(key) {
                branch.children[index] = last;
            }
            return None;
        }
        branch.children.remove(index);
        branch.mask &= !(1 << nibble);
        if branch.children.len() > 1 {
            return None;
        }
        let mut last = branch.children.pop()?;
        last.forget();
        Some(last)
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

/// See [`Trie::iter`].
pub(crate) struct Iter<'a, V> {
    /// What is left of the nodes at each depth.
    below: Vec<slice::Iter<'a, Node<V>>>,
}

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (&'a B256, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.below.last_mut()?.next() {
                None => drop(self.below.pop()),
                Some(Node::Leaf(leaf)) => return Some((&leaf.key, &leaf.value)),
                Some(Node::Branch(branch)) => self.below.push(branch.children.iter()),
            }
        }
    }
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
        }
    }
}

impl<V> Clone for Branch<V> {
    /// A copy is made to be changed, so it does not know its reference.
    fn clone(&self) -> Self {
        let Self { key, at, mask, children, reference: _ } = self;
        Self { key: *key, at: *at, mask: *mask, children: children.clone(), reference: Reference::new() }
    }
}

impl<V> fmt::Debug for Trie<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trie").field("len", &self.len).finish_non_exhaustive()
    }
}

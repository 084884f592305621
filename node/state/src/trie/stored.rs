//! Nodes in a store: where they lie, how they are written, and which of a trie's nodes a store has yet to be given.
//!
//! A branch is written under its *place*: the nibbles after which its parent names it. Its record holds what its children
//! are called and the keys of those that are leaves. A leaf has no record of its own, unless it is the root: it is found by
//! its key.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;

use super::{Branch, Leaf, NIBBLES, Node, Reference, Trie, TrieValue};
use crate::StoreError;

/// Bytes of the counts in front of what is shared.
const SHARED_BYTES: usize = 2 * size_of::<usize>();
/// Most bytes by which a node is named: a hash, with its RLP header.
const REFERENCE_BYTES_MAX: usize = 33;
/// First byte of the record of a leaf; that of a branch says at which nibble it branches, which is less.
const LEAF: u8 = 0xff;

/// Gives what memory does not hold.
pub(crate) trait Source<V> {
    /// The record at a place.
    fn record(&self, place: Place) -> Result<NodeRecord, StoreError>;

    /// The value of a key; `None` where there is none.
    fn value(&self, key: &B256) -> Result<Option<V>, StoreError>;

    /// The value of a leaf that a record names.
    fn leaf(&self, key: &B256) -> Result<V, StoreError>;

    /// What has the nodes that are fetched.
    fn store(&self) -> Kept;

    /// The node at a place is not the one that its parent names.
    fn damaged(&self, place: Place) -> StoreError;
}

/// What memory knows of a key.
pub(crate) enum Found<'a, V> {
    Here(&'a V),
    Absent,
    /// The store says, about the key itself: nothing in memory contradicts it.
    InStore,
}

/// Where a node's parent ends: after some nibbles of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: B256,
    pub(crate) nibbles: usize,
}

impl Place {
    pub(crate) const ROOT: Self = Self { key: B256::ZERO, nibbles: 0 };

    /// After some nibbles of a key that lies below.
    pub(super) const fn on_the_way(key: B256, nibbles: usize) -> Self {
        Self { key, nibbles }
    }

    /// After the nibbles of a key before `at`, and another one.
    pub(super) fn new(mut key: B256, at: usize, nibble: u8) -> Self {
        let byte = &mut key[at / 2];
        *byte = if at.is_multiple_of(2) { *byte & 0x0f | nibble << 4 } else { *byte & 0xf0 | nibble };
        Self { key, nibbles: at + 1 }
    }

    /// The number of nibbles, and they, two in a byte: no place's bytes begin another's.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.nibbles).expect("a key has 64 nibbles"));
        out.extend_from_slice(&self.key[..self.nibbles / 2]);
        if !self.nibbles.is_multiple_of(2) {
            out.push(self.key[self.nibbles / 2] & 0xf0);
        }
    }

    /// The place that bytes begin with, and how many they are.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let nibbles = usize::from(*bytes.first()?);
        let length = nibbles.div_ceil(2);
        let packed = bytes.get(1..=length).filter(|packed| packed.len() <= 32)?;
        let mut key = B256::ZERO;
        key[..length].copy_from_slice(packed);
        Some((Self { key, nibbles }, length + 1))
    }
}

/// A leaf that lies in a store.
pub(crate) struct StoredLeaf {
    pub(super) key: B256,
    pub(super) reference: RlpNode,
}

/// Which store has a node, at the place where it is; it has all below it, too.
#[derive(Debug, Default)]
pub(crate) struct Kept(AtomicU64);

impl Kept {
    pub(crate) const fn nowhere() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) const fn by(store: u64) -> Self {
        Self(AtomicU64::new(store))
    }

    fn is_by(&self, store: u64) -> bool {
        self.0.load(Ordering::Relaxed) == store
    }

    fn give_to(&self, store: u64) {
        self.0.store(store, Ordering::Relaxed);
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// What a store keeps at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NodeRecord {
    /// The whole trie is a leaf with this key.
    Leaf(B256),
    /// A branch, with the extension that leads to it.
    Branch {
        /// Some key; its nibbles before `at` are those of all keys below.
        key: B256,
        /// The nibble at which it branches.
        at: usize,
        /// The children, by nibble: what they are called, and the key where one is a leaf.
        children: Vec<(u8, RlpNode, Option<B256>)>,
    },
}

/// Why bytes are no record of a node.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not a trie node")]
pub(crate) struct RecordError;

impl NodeRecord {
    /// Of a branch: `at`, the nibbles before it, masks of children and of leaves among them; then for each child the length
    /// of its name, the name, and a leaf's key.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Leaf(key) => {
                out.push(LEAF);
                out.extend_from_slice(key.as_slice());
            }
            Self::Branch { key, at, children } => {
                let mask = |of: fn(&(u8, RlpNode, Option<B256>)) -> bool| {
                    children.iter().filter(|child| of(child)).fold(0u16, |mask, (nibble, ..)| mask | 1 << nibble)
                };
                Place::on_the_way(*key, *at).write(out);
                out.extend_from_slice(&mask(|_| true).to_be_bytes());
                out.extend_from_slice(&mask(|(_, _, leaf)| leaf.is_some()).to_be_bytes());
                for (_, name, leaf) in children {
                    out.push(u8::try_from(name.len()).expect("a name has at most 33 bytes"));
                    out.extend_from_slice(name);
                    out.extend_from_slice(leaf.as_ref().map_or(&[], |key| key.as_slice()));
                }
            }
        }
    }

    /// The places of the branches that it names.
    pub(crate) fn branches(&self) -> impl Iterator<Item = Place> + '_ {
        let (key, at, children) = match self {
            Self::Leaf(_) => (B256::ZERO, 0, &[][..]),
            Self::Branch { key, at, children } => (*key, *at, &children[..]),
        };
        let branches = children.iter().filter(|(_, _, leaf)| leaf.is_none());
        branches.map(move |(nibble, ..)| Place::new(key, at, *nibble))
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        if let Some((&LEAF, key)) = bytes.split_first() {
            return Ok(Self::Leaf(B256::try_from(key).map_err(|_| RecordError)?));
        }
        let (Place { key, nibbles: at }, length) = Place::read(bytes).ok_or(RecordError)?;
        let mut rest = bytes.get(length..).ok_or(RecordError)?;
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at_checked(count).ok_or(RecordError)?;
            rest = left;
            Ok(taken)
        };
        let mut mask = || Ok(u16::from_be_bytes(take(2)?.try_into().map_err(|_| RecordError)?));
        let (all, leaves) = (mask()?, mask()?);
        let mut children = Vec::with_capacity(all.count_ones() as usize);
        for nibble in (0..16).filter(|nibble| all & (1 << nibble) != 0) {
            let length = usize::from(take(1)?[0]);
            let name = take(length)?;
            let name = RlpNode::from_raw(name).filter(|_| length <= REFERENCE_BYTES_MAX).ok_or(RecordError)?;
            let leaf = (leaves & (1 << nibble) != 0).then(|| take(32).map(B256::from_slice)).transpose()?;
            children.push((nibble, name, leaf));
        }
        let whole = rest.is_empty() && at < NIBBLES && children.len() > 1 && leaves & !all == 0;
        if whole { Ok(Self::Branch { key, at, children }) } else { Err(RecordError) }
    }
}

impl<V> Trie<V> {
    /// A trie that lies in a store, by its root; with the empty trie's root, the empty one.
    pub(crate) fn stored(root: B256) -> Self {
        let empty = root == alloy_trie::EMPTY_ROOT_HASH;
        Self { root: (!empty).then(|| Node::Stored(RlpNode::word_rlp(&root))) }
    }
}

impl<V: Clone> Node<V> {
    /// The node itself, if this is only its name.
    pub(super) fn fetched(&self, place: Place, source: &impl Source<V>) -> Result<Option<Self>, StoreError> {
        let leaf = |key: B256, reference: &RlpNode| {
            let value = source.leaf(&key)?;
            let leaf = Leaf { key, value, reference: Reference::from(reference.clone()), kept: source.store() };
            Ok(Some(Self::Leaf(Arc::new(leaf))))
        };
        let name = match self {
            Self::Leaf(_) | Self::Branch(_) => return Ok(None),
            Self::StoredLeaf(stored) => return leaf(stored.key, &stored.reference),
            Self::Stored(name) => name,
        };
        match source.record(place)? {
            NodeRecord::Leaf(key) => leaf(key, name),
            NodeRecord::Branch { key, at, children } => {
                let mask = children.iter().fold(0, |mask, (nibble, ..)| mask | 1 << nibble);
                let child = |(_, reference, leaf): (u8, RlpNode, Option<B256>)| match leaf {
                    Some(key) => Self::StoredLeaf(Arc::new(StoredLeaf { key, reference })),
                    None => Self::Stored(reference),
                };
                let children = children.into_iter().map(child).collect();
                let reference = Reference::from(name.clone());
                Ok(Some(Self::Branch(Arc::new(Branch { key, at, mask, children, reference, kept: source.store() }))))
            }
        }
    }
}

/// Takes what a store has yet to be given.
pub(crate) trait Unsaved<V> {
    /// A leaf, new or changed.
    fn leaf(&mut self, key: &B256, value: &V);

    /// A branch, new or changed, or the root.
    fn node(&mut self, place: Place, record: &NodeRecord);

    /// A node takes so many bytes of memory, without what its value holds elsewhere.
    fn bytes(&mut self, count: usize);
}

impl<V: TrieValue> Trie<V> {
    /// Hands over everything that a store does not have, and notes that it has it now. The root must be known.
    pub(crate) fn save(&self, store: u64, to: &mut impl Unsaved<V>) {
        let Some(root) = &self.root else { return };
        if let Node::Leaf(leaf) = root {
            to.node(Place::ROOT, &NodeRecord::Leaf(leaf.key));
        }
        root.save(Place::ROOT, store, to);
    }
}

impl<V: TrieValue> Node<V> {
    fn save(&self, place: Place, store: u64, to: &mut impl Unsaved<V>) {
        match self {
            Self::Leaf(leaf) if !leaf.kept.is_by(store) => {
                to.leaf(&leaf.key, &leaf.value);
                to.bytes(SHARED_BYTES + size_of::<Leaf<V>>());
                leaf.kept.give_to(store);
            }
            Self::Branch(branch) if !branch.kept.is_by(store) => {
                to.node(place, &branch.record());
                to.bytes(branch.memory_bytes());
                for (child, place) in branch.children.iter().zip(branch.places()) {
                    child.save(place, store, to);
                }
                branch.kept.give_to(store);
            }
            Self::Leaf(_) | Self::Branch(_) | Self::Stored(_) | Self::StoredLeaf(_) => {}
        }
    }

    fn leaf_key(&self) -> Option<B256> {
        match self {
            Self::Leaf(leaf) => Some(leaf.key),
            Self::StoredLeaf(leaf) => Some(leaf.key),
            Self::Branch(_) | Self::Stored(_) => None,
        }
    }
}

impl<V: TrieValue> Branch<V> {
    /// Memory that it takes, with the leaves that it only names.
    fn memory_bytes(&self) -> usize {
        let named = self.children.iter().filter(|child| matches!(child, Node::StoredLeaf(_))).count();
        let children =
            self.children.capacity() * size_of::<Node<V>>() + named * (SHARED_BYTES + size_of::<StoredLeaf>());
        SHARED_BYTES + size_of::<Self>() + children
    }

    fn record(&self) -> NodeRecord {
        let child = |(child, place): (&Node<V>, Place)| {
            let nibble = super::nibble(&place.key, self.at);
            (u8::try_from(nibble).expect("four bits"), child.reference(self.at + 1), child.leaf_key())
        };
        let children = self.children.iter().zip(self.places()).map(child).collect();
        NodeRecord::Branch { key: self.key, at: self.at, children }
    }
}

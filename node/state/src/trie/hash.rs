//! Roots. Invariant: a node is encoded and hashed only if it changed since its hash was last asked for.

use alloy_primitives::{B256, keccak256};
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles,
    nodes::{ExtensionNodeRef, LeafNodeRef, RlpNode},
};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::{Branch, Leaf, Node, Trie};

/// Children that begin before this nibble are hashed on several threads: below that there is too little to share out.
const PARALLEL_NIBBLES: usize = 2;
/// Children that a branch can have.
const CHILDREN_MAX: usize = 16;
/// Most bytes of a branch: a header of three, a hash with its header for each child, and an empty value.
const BRANCH_BYTES_MAX: usize = 3 + CHILDREN_MAX * 33 + 1;

/// What a leaf holds.
pub(crate) trait TrieValue: Clone + Send + Sync {
    /// Appends the RLP of it.
    fn encode(&self, out: &mut Vec<u8>);

    /// Nodes of a trie of its own that are hashed before it can be encoded.
    fn unhashed(&self) -> usize;
}

/// Memory that is used again from node to node.
#[derive(Default)]
pub(super) struct Scratch {
    /// RLP of the node that was encoded last.
    pub(super) rlp: Vec<u8>,
    value: Vec<u8>,
}

impl<V: TrieValue> Trie<V> {
    /// The root. The same for any number of threads, and for any that ask at once.
    pub(crate) fn root(&self) -> B256 {
        let Some(root) = &self.root else { return EMPTY_ROOT_HASH };
        root.compute(0, &mut Scratch::default());
        let reference = root.reference(0);
        reference.as_hash().unwrap_or_else(|| keccak256(&reference))
    }

    /// Nodes that the next [`root`](Self::root) encodes and hashes, those in leaves' own tries included.
    pub(crate) fn unhashed(&self) -> usize {
        self.root.as_ref().map_or(0, |root| root.unhashed(0))
    }
}

impl<V: TrieValue> Node<V> {
    /// How the parent, which ends at nibble `from`, names this node: its hash, or the node itself if that is shorter.
    pub(super) fn reference(&self, from: usize) -> RlpNode {
        self.compute(from, &mut Scratch::default());
        self.known().expect("it was computed").clone()
    }

    /// Sees to it that the reference is known.
    fn compute(&self, from: usize, scratch: &mut Scratch) {
        let (made, cell) = match self {
            Self::Leaf(leaf) if leaf.reference.get().is_none() => (leaf.encode(from, scratch), &leaf.reference),
            Self::Branch(branch) if branch.reference.get().is_none() => {
                let own = branch.encode(scratch);
                let named = if from == branch.at { own } else { branch.encode_extension(from, &own, &mut scratch.rlp) };
                (named, &branch.reference)
            }
            Self::Leaf(_) | Self::Branch(_) | Self::Stored(_) | Self::StoredLeaf(_) => return,
        };
        // Not computed inside of the cell: a thread that waits there for its siblings may be given work that leads to the
        // same cell. If another was first, it put the same value.
        let _ = cell.set(made);
    }

    fn unhashed(&self, from: usize) -> usize {
        match self {
            _ if self.known().is_some() => 0,
            Self::Leaf(leaf) => 1 + leaf.value.unhashed(),
            Self::Branch(branch) => {
                let below: usize = branch.children.iter().map(|child| child.unhashed(branch.at + 1)).sum();
                below + 1 + usize::from(from != branch.at)
            }
            Self::Stored(_) | Self::StoredLeaf(_) => 0,
        }
    }

    fn known(&self) -> Option<&RlpNode> {
        match self {
            Self::Leaf(leaf) => leaf.reference.get(),
            Self::Branch(branch) => branch.reference.get(),
            Self::Stored(name) => Some(name),
            Self::StoredLeaf(leaf) => Some(&leaf.reference),
        }
    }
}

impl<V: TrieValue> Leaf<V> {
    /// Leaves the node's RLP in the scratch memory.
    pub(super) fn encode(&self, from: usize, scratch: &mut Scratch) -> RlpNode {
        scratch.value.clear();
        self.value.encode(&mut scratch.value);
        let path = Nibbles::unpack(self.key).slice(from..);
        scratch.rlp.clear();
        LeafNodeRef::new(&path, &scratch.value).rlp(&mut scratch.rlp)
    }
}

impl<V: TrieValue> Branch<V> {
    /// Leaves the RLP of the branch, without an extension, in the scratch memory.
    pub(super) fn encode(&self, scratch: &mut Scratch) -> RlpNode {
        let from = self.at + 1;
        let waiting = self.children.iter().filter(|child| child.known().is_none()).count();
        if waiting > 1 && from < PARALLEL_NIBBLES {
            self.children.par_iter().for_each(|child| child.compute(from, &mut Scratch::default()));
        } else if waiting > 0 {
            self.children.iter().for_each(|child| child.compute(from, scratch));
        }
        self.write(&mut scratch.rlp);
        RlpNode::from_rlp(&scratch.rlp)
    }

    /// Puts the RLP in place of what `rlp` holds. By hand and not by alloy-trie, which wants a copy of all names; most of
    /// what a root costs beside hashing is here.
    fn write(&self, rlp: &mut Vec<u8>) {
        let names = || self.children.iter().map(|child| child.known().expect("children are computed first"));
        let payload_length = names().map(|name| name.len()).sum::<usize>() + CHILDREN_MAX - self.children.len() + 1;
        rlp.clear();
        rlp.reserve(BRANCH_BYTES_MAX);
        alloy_rlp::Header { list: true, payload_length }.encode(rlp);
        let (mut names, mut mask) = (names(), self.mask);
        for _ in 0..CHILDREN_MAX {
            match (mask & 1 == 1).then(|| names.next()).flatten() {
                Some(name) => rlp.extend_from_slice(name),
                None => rlp.push(alloy_rlp::EMPTY_STRING_CODE),
            }
            mask >>= 1;
        }
        rlp.push(alloy_rlp::EMPTY_STRING_CODE);
    }

    /// Puts the RLP of the extension that leads to the branch in place of what `rlp` holds.
    pub(super) fn encode_extension(&self, from: usize, own: &RlpNode, rlp: &mut Vec<u8>) -> RlpNode {
        let path = Nibbles::unpack(self.key).slice(from..self.at);
        rlp.clear();
        ExtensionNodeRef::new(&path, own).rlp(rlp)
    }
}

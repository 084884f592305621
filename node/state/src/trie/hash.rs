//! Roots. Invariant: a node is encoded and hashed only if it changed since its hash was last asked for.

use alloy_primitives::{B256, keccak256};
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles, TrieMask,
    nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode},
};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::{Branch, Leaf, Node, Reference, Trie};

/// Children that begin before this nibble are hashed on several threads: below that there is too little to share out.
const PARALLEL_NIBBLES: usize = 3;

/// What a leaf holds.
pub(crate) trait TrieValue: Clone + Send + Sync {
    /// Appends the RLP of it.
    fn encode(&self, out: &mut Vec<u8>);

    /// Nodes of a trie of its own that are hashed before it can be encoded.
    fn unhashed(&self) -> usize;
}

impl<V: TrieValue> Trie<V> {
    /// The root. The same for any number of threads, and for any that ask at once.
    pub(crate) fn root(&self) -> B256 {
        let Some(root) = &self.root else { return EMPTY_ROOT_HASH };
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
        if let Some(known) = self.known().get() {
            return known.clone();
        }
        let mut rlp = Vec::new();
        let made = match self {
            Self::Leaf(leaf) => leaf.encode(from, &mut rlp),
            Self::Branch(branch) => {
                let own = branch.encode(&mut rlp);
                if from == branch.at { own } else { branch.encode_extension(from, &own, &mut rlp) }
            }
        };
        // Not computed inside of the cell: a thread that waits there for its siblings may be given work that leads to the
        // same cell. If another was first, it put the same value.
        let _ = self.known().set(made.clone());
        made
    }

    fn unhashed(&self, from: usize) -> usize {
        match self {
            _ if self.known().get().is_some() => 0,
            Self::Leaf(leaf) => 1 + leaf.value.unhashed(),
            Self::Branch(branch) => {
                let below: usize = branch.children.iter().map(|child| child.unhashed(branch.at + 1)).sum();
                below + 1 + usize::from(from != branch.at)
            }
        }
    }

    fn known(&self) -> &Reference {
        match self {
            Self::Leaf(leaf) => &leaf.reference,
            Self::Branch(branch) => &branch.reference,
        }
    }
}

impl<V: TrieValue> Leaf<V> {
    /// Puts the node's RLP in place of what `rlp` holds.
    pub(super) fn encode(&self, from: usize, rlp: &mut Vec<u8>) -> RlpNode {
        let mut value = Vec::new();
        self.value.encode(&mut value);
        let path = Nibbles::unpack(self.key).slice(from..);
        rlp.clear();
        LeafNodeRef::new(&path, &value).rlp(rlp)
    }
}

impl<V: TrieValue> Branch<V> {
    /// Puts the RLP of the branch, without an extension, in place of what `rlp` holds.
    pub(super) fn encode(&self, rlp: &mut Vec<u8>) -> RlpNode {
        let from = self.at + 1;
        let waiting = self.children.iter().filter(|child| child.known().get().is_none()).count();
        let children: Vec<RlpNode> = if waiting > 1 && from < PARALLEL_NIBBLES {
            self.children.par_iter().map(|child| child.reference(from)).collect()
        } else {
            self.children.iter().map(|child| child.reference(from)).collect()
        };
        rlp.clear();
        BranchNodeRef::new(&children, TrieMask::new(self.mask)).rlp(rlp)
    }

    /// Puts the RLP of the extension that leads to the branch in place of what `rlp` holds.
    pub(super) fn encode_extension(&self, from: usize, own: &RlpNode, rlp: &mut Vec<u8>) -> RlpNode {
        let path = Nibbles::unpack(self.key).slice(from..self.at);
        rlp.clear();
        ExtensionNodeRef::new(&path, own).rlp(rlp)
    }
}

//! A Merkle-Patricia trie of which only some nodes are known. Invariant: a node that is needed and not known is an
//! error, never an empty subtree.
//!
//! Keys are Keccak-256 hashes, 64 nibbles long, so no branch holds a value. Every node on a path consumes at least one
//! nibble, which bounds all recursion here by the length of a key.

use alloy_primitives::{B256, Bytes, map::B256Map};
use alloy_rlp::Decodable as _;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles, TrieMask,
    nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode, TrieNode},
};

use crate::ConformanceError;

/// Nibbles of a key.
const KEY_NIBBLES: usize = 64;

/// Known nodes by hash.
pub(crate) type Nodes = B256Map<Bytes>;

/// A node in memory.
#[derive(Debug)]
enum Node {
    Empty,
    /// Known by its hash only, so far.
    Stub(B256),
    Leaf {
        path: Nibbles,
        value: Vec<u8>,
    },
    Extension {
        path: Nibbles,
        child: Box<Node>,
    },
    Branch(Box<[Node; 16]>),
}

/// A trie that is changed in memory.
#[derive(Debug)]
pub(crate) struct SparseTrie<'n> {
    nodes: &'n Nodes,
    root: Node,
}

impl<'n> SparseTrie<'n> {
    /// The trie with this root. Nodes are looked up when they are needed.
    pub(crate) const fn new(nodes: &'n Nodes, root: B256) -> Self {
        Self { nodes, root: Node::Stub(root) }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: B256) -> Result<Option<Vec<u8>>, ConformanceError> {
        get(self.nodes, &self.root, Nibbles::unpack(key))
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&mut self, key: B256, value: Vec<u8>) -> Result<(), ConformanceError> {
        let root = std::mem::replace(&mut self.root, Node::Empty);
        self.root = insert(self.nodes, root, Nibbles::unpack(key), value)?;
        Ok(())
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, key: B256) -> Result<(), ConformanceError> {
        let root = std::mem::replace(&mut self.root, Node::Empty);
        self.root = remove(self.nodes, root, Nibbles::unpack(key))?;
        Ok(())
    }

    /// The root as it is now.
    pub(crate) fn root(&self) -> B256 {
        match &self.root {
            Node::Empty => EMPTY_ROOT_HASH,
            Node::Stub(hash) => *hash,
            node => {
                let mut rlp = Vec::new();
                encode(node, &mut rlp);
                alloy_primitives::keccak256(&rlp)
            }
        }
    }
}

fn malformed(hash: B256, reason: &'static str) -> ConformanceError {
    ConformanceError::MalformedNode { hash, reason }
}

/// Paths that do not add up to keys have no hash of their own to name.
fn uneven() -> ConformanceError {
    malformed(B256::ZERO, "a path is not as long as a key")
}

fn resolve(nodes: &Nodes, hash: B256) -> Result<Node, ConformanceError> {
    if hash == EMPTY_ROOT_HASH {
        return Ok(Node::Empty);
    }
    let rlp = nodes.get(&hash).ok_or(ConformanceError::MissingNode(hash))?;
    decode(hash, rlp)
}

fn decode(hash: B256, rlp: &[u8]) -> Result<Node, ConformanceError> {
    let mut rest = rlp;
    let node = TrieNode::decode(&mut rest).map_err(|_| malformed(hash, "it is no RLP of a node"))?;
    if !rest.is_empty() {
        return Err(malformed(hash, "bytes follow it"));
    }
    Ok(match node {
        TrieNode::EmptyRoot => Node::Empty,
        TrieNode::Leaf(leaf) => Node::Leaf { path: leaf.key, value: leaf.value },
        TrieNode::Extension(extension) => {
            if extension.key.is_empty() {
                return Err(malformed(hash, "an extension has no path"));
            }
            Node::Extension { path: extension.key, child: Box::new(decode_child(hash, &extension.child)?) }
        }
        TrieNode::Branch(branch) => {
            let mut children = [const { Node::Empty }; 16];
            for (index, child) in branch.as_ref().children() {
                if let Some(child) = child {
                    children[usize::from(index)] = decode_child(hash, child)?;
                }
            }
            Node::Branch(Box::new(children))
        }
    })
}

/// A child is a hash, or, where its RLP is shorter than one, the node itself: so short that nesting ends by itself.
fn decode_child(parent: B256, child: &RlpNode) -> Result<Node, ConformanceError> {
    match child.as_hash() {
        Some(hash) => Ok(Node::Stub(hash)),
        None => decode(parent, child),
    }
}

fn get(nodes: &Nodes, node: &Node, key: Nibbles) -> Result<Option<Vec<u8>>, ConformanceError> {
    match node {
        Node::Empty => Ok(None),
        Node::Stub(hash) => get(nodes, &resolve(nodes, *hash)?, key),
        Node::Leaf { path, value } => Ok((*path == key).then(|| value.clone())),
        Node::Extension { path, child } if key.starts_with(path) => get(nodes, child, key.slice(path.len()..)),
        Node::Extension { .. } => Ok(None),
        Node::Branch(children) => {
            let index = key.first().ok_or_else(uneven)?;
            get(nodes, &children[usize::from(index)], key.slice(1..))
        }
    }
}

fn insert(nodes: &Nodes, node: Node, key: Nibbles, value: Vec<u8>) -> Result<Node, ConformanceError> {
    match node {
        Node::Empty => Ok(Node::Leaf { path: key, value }),
        Node::Stub(hash) => insert(nodes, resolve(nodes, hash)?, key, value),
        Node::Leaf { path, .. } if path == key => Ok(Node::Leaf { path, value }),
        Node::Leaf { path, value: other } => {
            let common = path.common_prefix_length(&key);
            let (mine, theirs) = (key.get(common).ok_or_else(uneven)?, path.get(common).ok_or_else(uneven)?);
            let mut children = [const { Node::Empty }; 16];
            children[usize::from(theirs)] = Node::Leaf { path: path.slice(common + 1..), value: other };
            children[usize::from(mine)] = Node::Leaf { path: key.slice(common + 1..), value };
            Ok(below(key.slice(..common), children))
        }
        Node::Extension { path, child } => {
            let common = path.common_prefix_length(&key);
            if common == path.len() {
                let child = insert(nodes, *child, key.slice(common..), value)?;
                return Ok(Node::Extension { path, child: Box::new(child) });
            }
            let (mine, theirs) = (key.get(common).ok_or_else(uneven)?, path.get(common).ok_or_else(uneven)?);
            let mut children = [const { Node::Empty }; 16];
            let rest = path.slice(common + 1..);
            children[usize::from(theirs)] =
                if rest.is_empty() { *child } else { Node::Extension { path: rest, child } };
            children[usize::from(mine)] = Node::Leaf { path: key.slice(common + 1..), value };
            Ok(below(key.slice(..common), children))
        }
        Node::Branch(mut children) => {
            let index = usize::from(key.first().ok_or_else(uneven)?);
            let child = std::mem::replace(&mut children[index], Node::Empty);
            children[index] = insert(nodes, child, key.slice(1..), value)?;
            Ok(Node::Branch(children))
        }
    }
}

/// A branch at the end of a path.
fn below(path: Nibbles, children: [Node; 16]) -> Node {
    let branch = Node::Branch(Box::new(children));
    if path.is_empty() { branch } else { Node::Extension { path, child: Box::new(branch) } }
}

fn remove(nodes: &Nodes, node: Node, key: Nibbles) -> Result<Node, ConformanceError> {
    match node {
        Node::Empty => Ok(Node::Empty),
        Node::Stub(hash) => remove(nodes, resolve(nodes, hash)?, key),
        Node::Leaf { path, value } => Ok(if path == key { Node::Empty } else { Node::Leaf { path, value } }),
        Node::Extension { path, child } => {
            if !key.starts_with(&path) {
                return Ok(Node::Extension { path, child });
            }
            let child = remove(nodes, *child, key.slice(path.len()..))?;
            prefixed(path, child)
        }
        Node::Branch(mut children) => {
            let index = usize::from(key.first().ok_or_else(uneven)?);
            let child = std::mem::replace(&mut children[index], Node::Empty);
            children[index] = remove(nodes, child, key.slice(1..))?;
            let mut there = (0..16).filter(|index| !matches!(children[usize::from(*index)], Node::Empty));
            match (there.next(), there.next()) {
                (None, _) => Ok(Node::Empty),
                (Some(_), Some(_)) => Ok(Node::Branch(children)),
                (Some(last), None) => {
                    // What is left decides the shape of the node above it, so it has to be known.
                    let last_child = std::mem::replace(&mut children[usize::from(last)], Node::Empty);
                    let known = match last_child {
                        Node::Stub(hash) => resolve(nodes, hash)?,
                        known => known,
                    };
                    prefixed(Nibbles::from_nibbles([last]), known)
                }
            }
        }
    }
}

/// A node with a path before it. A path before a stub is left as an extension: what is behind it did not change, so it
/// was a branch before.
fn prefixed(prefix: Nibbles, node: Node) -> Result<Node, ConformanceError> {
    let join = |path: &Nibbles| {
        let fits = prefix.len() + path.len() <= KEY_NIBBLES;
        if fits { Ok(prefix.join(path)) } else { Err(uneven()) }
    };
    Ok(match node {
        Node::Empty => Node::Empty,
        Node::Leaf { path, value } => Node::Leaf { path: join(&path)?, value },
        Node::Extension { path, child } => Node::Extension { path: join(&path)?, child },
        Node::Stub(_) | Node::Branch(_) => Node::Extension { path: prefix, child: Box::new(node) },
    })
}

/// The node as its parent refers to it.
fn reference(node: &Node) -> RlpNode {
    match node {
        Node::Stub(hash) => RlpNode::word_rlp(hash),
        _ => {
            let mut rlp = Vec::new();
            encode(node, &mut rlp);
            RlpNode::from_rlp(&rlp)
        }
    }
}

fn encode(node: &Node, out: &mut Vec<u8>) {
    use alloy_rlp::Encodable as _;
    match node {
        Node::Empty => out.push(alloy_rlp::EMPTY_STRING_CODE),
        Node::Stub(hash) => hash.encode(out),
        Node::Leaf { path, value } => LeafNodeRef::new(path, value).encode(out),
        Node::Extension { path, child } => ExtensionNodeRef::new(path, &reference(child)).encode(out),
        Node::Branch(children) => {
            let (mut stack, mut mask) = (Vec::new(), TrieMask::default());
            for (index, child) in (0_u8..).zip(children.iter()) {
                if !matches!(child, Node::Empty) {
                    stack.push(reference(child));
                    mask.set_bit(index);
                }
            }
            BranchNodeRef::new(&stack, mask).encode(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy_primitives::{U256, keccak256};
    use alloy_trie::root::storage_root_unsorted;

    use super::*;

    type Model = BTreeMap<B256, U256>;

    /// Numbers that depend on the seed only (xorshift).
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    fn oracle(model: &Model) -> B256 {
        storage_root_unsorted(model.iter().map(|(key, value)| (*key, *value)))
    }

    /// Keys that share long prefixes, so that extensions split and branches collapse.
    fn key(number: u64) -> B256 {
        let mut key = keccak256((number / 8).to_be_bytes());
        key[31 - usize::try_from(number % 4).expect("a small number")] ^=
            u8::try_from(number % 8).expect("a small number");
        key
    }

    fn change(trie: &mut SparseTrie<'_>, model: &mut Model, key: B256, value: u64) -> Result<(), ConformanceError> {
        if value == 0 {
            model.remove(&key);
            return trie.remove(key);
        }
        model.insert(key, U256::from(value));
        trie.insert(key, alloy_rlp::encode(U256::from(value)))
    }

    /// Every node that has a hash.
    fn collect(node: &Node, nodes: &mut Nodes) {
        let mut rlp = Vec::new();
        encode(node, &mut rlp);
        nodes.insert(keccak256(&rlp), rlp.into());
        match node {
            Node::Empty | Node::Stub(_) | Node::Leaf { .. } => {}
            Node::Extension { child, .. } => collect(child, nodes),
            Node::Branch(children) => children.iter().for_each(|child| collect(child, nodes)),
        }
    }

    fn grown(random: &mut Random, none: &Nodes) -> (Nodes, B256, Model) {
        let (mut trie, mut model) = (SparseTrie::new(none, EMPTY_ROOT_HASH), Model::new());
        for _ in 0..random.below(60) {
            let key = key(random.below(64));
            let value = random.below(4) * 0x1234_5678_9abc;
            change(&mut trie, &mut model, key, value).expect("nothing is missing of a trie made here");
            assert_eq!(trie.root(), oracle(&model));
        }
        let mut nodes = Nodes::default();
        collect(&trie.root, &mut nodes);
        (nodes, trie.root(), model)
    }

    #[test]
    fn changes_give_the_root_of_a_trie_that_is_built_anew() {
        for seed in 1..60 {
            let mut random = Random(seed);
            let (nodes, root, mut model) = grown(&mut random, &Nodes::default());
            assert_eq!(root, oracle(&model), "seed {seed}");
            let mut trie = SparseTrie::new(&nodes, root);
            for _ in 0..random.below(60) {
                let key = key(random.below(64));
                let found = trie.get(key).expect("all nodes are known");
                assert_eq!(found, model.get(&key).map(alloy_rlp::encode), "seed {seed}");
                let value = random.below(3);
                change(&mut trie, &mut model, key, value).expect("all nodes are known");
                assert_eq!(trie.root(), oracle(&model), "seed {seed}");
            }
        }
    }

    #[test]
    fn a_missing_node_is_an_error_or_was_not_needed_but_never_another_root() {
        let mut missed = 0;
        for seed in 1..150 {
            let mut random = Random(seed);
            let (mut nodes, root, mut model) = grown(&mut random, &Nodes::default());
            let hashes: Vec<B256> = nodes.keys().copied().collect();
            let missing = hashes[usize::try_from(random.below(hashes.len() as u64)).expect("an index")];
            nodes.remove(&missing);
            let mut trie = SparseTrie::new(&nodes, root);
            for _ in 0..20 {
                let key = key(random.below(64));
                let value = random.below(2);
                match change(&mut trie, &mut model, key, value) {
                    Ok(()) => assert_eq!(trie.root(), oracle(&model), "seed {seed}"),
                    Err(ConformanceError::MissingNode(hash)) => {
                        assert_eq!(hash, missing, "seed {seed}");
                        missed += 1;
                        break;
                    }
                    Err(other) => panic!("seed {seed}: {other}"),
                }
            }
        }
        assert!(missed > 40, "only {missed} runs came to what was missing");
    }

    #[test]
    fn nodes_that_are_none_are_refused() {
        let key = B256::repeat_byte(0x11);
        // An extension without a path, a leaf too short to be one, an extension that leads past the end, a list of three.
        let empty_path = alloy_rlp::encode(vec![Bytes::from(vec![0x00]), Bytes::from(vec![0x11; 32])]);
        let short_leaf = alloy_rlp::encode(vec![Bytes::from(vec![0x20, 0x11]), Bytes::from(vec![1])]);
        let mut long_path = vec![0x00_u8];
        long_path.extend([0x11; 32]);
        let past_the_end = {
            let (path, child) = (alloy_rlp::encode(&long_path[..]), alloy_rlp::encode(B256::repeat_byte(7)));
            let mut rlp = Vec::new();
            alloy_rlp::Header { list: true, payload_length: path.len() + child.len() }.encode(&mut rlp);
            rlp.extend(path);
            rlp.extend(child);
            rlp
        };
        for rlp in [empty_path, short_leaf, past_the_end, vec![0xc3, 1, 2, 3], vec![], vec![0xc0, 0xc0], vec![0xff; 40]]
        {
            let hash = keccak256(&rlp);
            let mut nodes = Nodes::from_iter([(hash, Bytes::from(rlp.clone()))]);
            // What the extension leads to is a branch, which needs one nibble more than there is.
            let branch = alloy_rlp::encode(vec![Bytes::new(); 17]);
            nodes.insert(B256::repeat_byte(7), branch.into());
            let mut trie = SparseTrie::new(&nodes, hash);
            let inserted = trie.insert(key, vec![1]);
            assert!(matches!(inserted, Err(ConformanceError::MalformedNode { .. })), "{rlp:?}: {inserted:?}");
        }
    }
}

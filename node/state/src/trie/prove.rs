//! Merkle proofs: the nodes on the way to a key, present or absent.

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_types::AccountInfo;

use super::{Node, Place, Source, Trie, TrieValue, hash::Scratch, shared_nibbles};
use crate::StoreError;

/// Bytes from which on a node stands by itself. A shorter one is part of its parent, and not listed in proofs.
const NODE_BYTES_MIN: usize = 32;

/// What the state root says of an account. See EIP-1186.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// Whose proof it is.
    pub address: Address,
    /// The account; `None` where the proof shows that there is none.
    pub info: Option<AccountInfo>,
    /// Root of its storage trie; that of the empty trie where there is no account.
    pub storage_root: B256,
    /// RLP of the trie nodes from the state root down; empty for the empty trie.
    pub nodes: Vec<Bytes>,
    /// One for each slot asked for, in that order.
    pub slots: Vec<SlotProof>,
}

/// What a storage root says of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// The slot.
    pub slot: U256,
    /// Its value; zero where the proof shows that there is none.
    pub value: U256,
    /// RLP of the trie nodes from the storage root down; empty for the empty trie.
    pub nodes: Vec<Bytes>,
}

impl<V: TrieValue> Trie<V> {
    /// RLP of the nodes from the root to a key, or to where it would be, and the value if it is there.
    pub(crate) fn prove(&self, key: &B256, source: &impl Source<V>) -> Result<(Vec<Bytes>, Option<V>), StoreError> {
        let (mut nodes, mut scratch) = (Vec::new(), Scratch::default());
        let (mut next, mut from) = (self.root.clone(), 0);
        while let Some(named) = next {
            let node = named.fetched(Place::on_the_way(*key, from), source)?.unwrap_or(named);
            next = match &node {
                Node::Leaf(leaf) => {
                    leaf.encode(from, &mut scratch);
                    keep(&mut nodes, &scratch.rlp);
                    return Ok((nodes, (leaf.key == *key).then(|| leaf.value.clone())));
                }
                Node::Branch(branch) => {
                    let own = branch.encode(&mut scratch);
                    if from < branch.at {
                        let branch_rlp = std::mem::take(&mut scratch.rlp);
                        branch.encode_extension(from, &own, &mut scratch.rlp);
                        keep(&mut nodes, &scratch.rlp);
                        scratch.rlp = branch_rlp;
                    }
                    if shared_nibbles(&branch.key, key) < branch.at {
                        break;
                    }
                    from = branch.at + 1;
                    branch.child(key).cloned()
                }
                Node::Stored(_) | Node::StoredLeaf(_) => unreachable!("it was fetched"),
            };
            keep(&mut nodes, &scratch.rlp);
        }
        Ok((nodes, None))
    }
}

/// Adds a node to a proof. The root is always listed.
fn keep(nodes: &mut Vec<Bytes>, rlp: &[u8]) {
    if nodes.is_empty() || rlp.len() >= NODE_BYTES_MIN {
        nodes.push(Bytes::copy_from_slice(rlp));
    }
}

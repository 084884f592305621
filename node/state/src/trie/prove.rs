//! Merkle proofs: the nodes on the way to a key, present or absent.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use parapet_types::AccountInfo;

use super::{Node, Trie, TrieValue, shared_nibbles};
use crate::world::Account;

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

pub(crate) fn prove(accounts: &Trie<Arc<Account>>, address: Address, slots: &[U256]) -> AccountProof {
    let key = keccak256(address);
    let account = accounts.get(&key);
    let prove_slot = |slot: &U256| {
        let key = keccak256(slot.to_be_bytes::<32>());
        let storage = account.map(|account| &account.slots);
        SlotProof {
            slot: *slot,
            value: storage.and_then(|storage| storage.get(&key)).map_or(U256::ZERO, |(_, value)| *value),
            nodes: storage.map(|storage| storage.prove(&key)).unwrap_or_default(),
        }
    };
    AccountProof {
        address,
        info: account.map(|account| account.info),
        storage_root: account.map_or(EMPTY_ROOT_HASH, |account| account.slots.root()),
        nodes: accounts.prove(&key),
        slots: slots.iter().map(prove_slot).collect(),
    }
}

impl<V: TrieValue> Trie<V> {
    /// RLP of the nodes from the root to a key, or to where it would be.
    pub(super) fn prove(&self, key: &B256) -> Vec<Bytes> {
        let (mut nodes, mut rlp) = (Vec::new(), Vec::new());
        let (mut next, mut from) = (self.root.as_ref(), 0);
        while let Some(node) = next {
            next = match node {
                Node::Leaf(leaf) => {
                    leaf.encode(from, &mut rlp);
                    None
                }
                Node::Branch(branch) => {
                    let own = branch.encode(&mut rlp);
                    if from < branch.at {
                        let branch_rlp = std::mem::take(&mut rlp);
                        branch.encode_extension(from, &own, &mut rlp);
                        keep(&mut nodes, &rlp);
                        rlp = branch_rlp;
                    }
                    if shared_nibbles(&branch.key, key) < branch.at {
                        break;
                    }
                    from = branch.at + 1;
                    branch.child(key)
                }
            };
            keep(&mut nodes, &rlp);
        }
        nodes
    }
}

/// Adds a node to a proof. The root is always listed.
fn keep(nodes: &mut Vec<Bytes>, rlp: &[u8]) {
    if nodes.is_empty() || rlp.len() >= NODE_BYTES_MIN {
        nodes.push(Bytes::copy_from_slice(rlp));
    }
}

//! Merkle-Patricia roots and proofs, built from the leaves in order. Invariant: keys arrive hashed and sorted.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount, proof::ProofRetainer};
use imbl::OrdMap;
use parapet_types::AccountInfo;

use crate::world::Account;

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

pub(crate) fn state_root(accounts: &OrdMap<B256, Arc<Account>>) -> B256 {
    let mut builder = HashBuilder::default();
    add_accounts(&mut builder, accounts);
    builder.root()
}

pub(crate) fn storage_root(slots: &OrdMap<B256, (U256, U256)>) -> B256 {
    let mut builder = HashBuilder::default();
    add_slots(&mut builder, slots);
    builder.root()
}

pub(crate) fn prove(accounts: &OrdMap<B256, Arc<Account>>, address: Address, slots: &[U256]) -> AccountProof {
    let key = keccak256(address);
    let nodes = retain(&[key], accounts.is_empty(), |builder| add_accounts(builder, accounts)).remove(0);
    let account = accounts.get(&key);
    let storage = account.map(|account| account.slots.clone()).unwrap_or_default();
    let keys: Vec<B256> = slots.iter().map(|slot| keccak256(slot.to_be_bytes::<32>())).collect();
    let paths = retain(&keys, storage.is_empty(), |builder| add_slots(builder, &storage));
    let slots = slots.iter().zip(&keys).zip(paths).map(|((slot, key), nodes)| SlotProof {
        slot: *slot,
        value: storage.get(key).map_or(U256::ZERO, |(_, value)| *value),
        nodes,
    });
    AccountProof {
        address,
        info: account.map(|account| account.info),
        storage_root: account.map_or(EMPTY_ROOT_HASH, |account| account.storage_root()),
        nodes,
        slots: slots.collect(),
    }
}

/// The nodes on the path of each key, of a trie that `add_leaves` builds.
fn retain(keys: &[B256], empty: bool, add_leaves: impl FnOnce(&mut HashBuilder)) -> Vec<Vec<Bytes>> {
    if empty || keys.is_empty() {
        return vec![Vec::new(); keys.len()];
    }
    let targets: Vec<Nibbles> = keys.iter().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets.clone()));
    add_leaves(&mut builder);
    builder.root();
    let nodes = builder.take_proof_nodes();
    let path = |target| nodes.matching_nodes_sorted(target).into_iter().map(|(_, node)| node).collect();
    targets.iter().map(path).collect()
}

fn add_accounts(builder: &mut HashBuilder, accounts: &OrdMap<B256, Arc<Account>>) {
    let mut leaf = Vec::new();
    for (key, account) in accounts {
        let AccountInfo { nonce, balance, code_hash } = account.info;
        leaf.clear();
        alloy_rlp::Encodable::encode(&TrieAccount::new(nonce, balance, account.storage_root(), code_hash), &mut leaf);
        builder.add_leaf(Nibbles::unpack(key), &leaf);
    }
}

fn add_slots(builder: &mut HashBuilder, slots: &OrdMap<B256, (U256, U256)>) {
    for (key, (_, value)) in slots {
        builder.add_leaf(Nibbles::unpack(key), &alloy_rlp::encode_fixed_size(value));
    }
}

//! The state root from nothing but the leaves, through alloy-trie's builder: the oracle of the roots that are kept up.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_trie::{HashBuilder, Nibbles, TrieAccount};
use parapet_types::AccountInfo;

use super::Trie;
use crate::world::{Account, Slot};

/// Every storage trie and the trie of accounts, built anew. No hash that is known is looked at.
pub(crate) fn state_root(accounts: &Trie<Arc<Account>>) -> B256 {
    let (mut builder, mut leaf) = (HashBuilder::default(), Vec::new());
    for (key, account) in accounts.iter() {
        let AccountInfo { nonce, balance, code_hash } = account.info;
        leaf.clear();
        let storage_root = storage_root(&account.slots);
        alloy_rlp::Encodable::encode(&TrieAccount::new(nonce, balance, storage_root, code_hash), &mut leaf);
        builder.add_leaf(Nibbles::unpack(key), &leaf);
    }
    builder.root()
}

pub(super) fn storage_root(slots: &Trie<Slot>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, (_, value)) in slots.iter() {
        builder.add_leaf(Nibbles::unpack(key), &alloy_rlp::encode_fixed_size(value));
    }
    builder.root()
}

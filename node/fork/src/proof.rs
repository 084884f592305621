//! Proofs that endpoints give (EIP-1186), checked against the state root of the forked block.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_rpc_types_eth::EIP1186AccountProofResponse;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount, proof::verify_proof};
use parapet_types::AccountInfo;

use crate::cache::KnownAccount;

/// What a proof shows.
pub(crate) struct Proved {
    pub(crate) account: KnownAccount,
    /// Values of the slots that were asked for, in that order.
    pub(crate) slots: Vec<U256>,
}

/// Checks what an endpoint says of an account and some of its slots.
pub(crate) fn check(
    said: &EIP1186AccountProofResponse,
    state_root: B256,
    address: Address,
    slots: &[U256],
) -> Result<Proved, String> {
    if said.address != address {
        return Err(format!("the proof is of {}", said.address));
    }
    // An account that is not there is told with either of two hashes of its code, and of its storage.
    let code_hash = if said.code_hash.is_zero() { KECCAK256_EMPTY } else { said.code_hash };
    let storage_hash = if said.storage_hash.is_zero() { EMPTY_ROOT_HASH } else { said.storage_hash };
    let leaf = TrieAccount::new(said.nonce, said.balance, storage_hash, code_hash);
    let key = |bytes: &[u8]| Nibbles::unpack(keccak256(bytes));
    let account_is =
        |leaf: Option<Vec<u8>>| verify_proof(state_root, key(address.as_slice()), leaf, &said.account_proof);
    let is_blank = leaf == TrieAccount::new(0, U256::ZERO, EMPTY_ROOT_HASH, KECCAK256_EMPTY);
    let info = match account_is(Some(alloy_rlp::encode(leaf))) {
        Ok(()) => Some(AccountInfo { nonce: said.nonce, balance: said.balance, code_hash }),
        Err(error) => {
            if !is_blank || account_is(None).is_err() {
                return Err(error.to_string());
            }
            None
        }
    };
    if said.storage_proof.len() != slots.len() {
        return Err(format!("{} slots instead of {}", said.storage_proof.len(), slots.len()));
    }
    let storage_root = if info.is_some() { storage_hash } else { EMPTY_ROOT_HASH };
    let mut values = Vec::with_capacity(slots.len());
    for (slot, proof) in slots.iter().zip(&said.storage_proof) {
        let expected = (!proof.value.is_zero()).then(|| alloy_rlp::encode(proof.value));
        if !(storage_root == EMPTY_ROOT_HASH && expected.is_none()) {
            let key = key(&slot.to_be_bytes::<32>());
            verify_proof(storage_root, key, expected, &proof.proof).map_err(|error| format!("slot {slot}: {error}"))?;
        }
        values.push(proof.value);
    }
    let account = KnownAccount { info, has_storage: Some(storage_root != EMPTY_ROOT_HASH) };
    Ok(Proved { account, slots: values })
}

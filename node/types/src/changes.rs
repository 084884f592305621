//! What a block does to state.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

/// Hashes of the most recent blocks by number, for BLOCKHASH: the parent and up to 255 before it.
pub type Ancestors = BTreeMap<u64, B256>;

/// An account without its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountInfo {
    /// Nonce.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Keccak-256 of its code; that of the empty string where it has none.
    pub code_hash: B256,
}

impl Default for AccountInfo {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code_hash: alloy_primitives::KECCAK256_EMPTY }
    }
}

/// What happens to one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountChange {
    /// The account afterwards; `None`: it no longer exists, and neither does its storage.
    pub info: Option<AccountInfo>,
    /// All storage is dropped before `storage` is written.
    pub wipe_storage: bool,
    /// New values by slot; zero deletes.
    pub storage: BTreeMap<U256, U256>,
}

/// A change set: accounts in order of address, and code that is new.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChanges {
    /// By address.
    pub accounts: BTreeMap<Address, AccountChange>,
    /// New code by hash.
    pub code: BTreeMap<B256, Bytes>,
}

impl StateChanges {
    /// The change set that does what this one and then `second` do.
    #[must_use]
    pub fn followed_by(mut self, second: &Self) -> Self {
        for (address, change) in &second.accounts {
            match self.accounts.get_mut(address) {
                Some(merged) if change.info.is_some() && !change.wipe_storage => {
                    // Storage written onto an account that was removed before starts from nothing.
                    merged.wipe_storage |= merged.info.is_none();
                    merged.info = change.info;
                    merged.storage.extend(&change.storage);
                }
                Some(_) | None => {
                    self.accounts.insert(*address, change.clone());
                }
            }
        }
        self.code.extend(second.code.iter().map(|(hash, code)| (*hash, code.clone())));
        self
    }
}

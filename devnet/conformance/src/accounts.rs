//! State as test files give it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use parapet_types::{AccountChange, AccountInfo, StateChanges};
use serde::Deserialize;

use crate::ConformanceError;

/// Accounts by address.
pub(crate) type Accounts = BTreeMap<Address, Account>;

/// One account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    nonce: U256,
    balance: U256,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

impl Account {
    /// Nothing at all: since EIP-161 no such account exists. Tracers list them where something was looked up in vain.
    pub(crate) fn is_empty(&self) -> bool {
        self.nonce.is_zero() && self.balance.is_zero() && self.code.is_empty() && self.storage.is_empty()
    }
}

/// The change set that leads from the empty state to these accounts.
pub(crate) fn changes(accounts: &Accounts) -> Result<StateChanges, ConformanceError> {
    let mut changes = StateChanges::default();
    for (address, account) in accounts {
        let code_hash = keccak256(&account.code);
        changes.code.insert(code_hash, account.code.clone());
        let nonce = number(account.nonce, "nonce")?;
        let info = AccountInfo { nonce, balance: account.balance, code_hash };
        let storage = account.storage.clone();
        changes.accounts.insert(*address, AccountChange { info: Some(info), wipe_storage: false, storage });
    }
    Ok(changes)
}

/// A number of 64 bits.
pub(crate) fn number(wide: U256, what: &'static str) -> Result<u64, ConformanceError> {
    u64::try_from(wide).map_err(|_| ConformanceError::OutOfRange(what))
}

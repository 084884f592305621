//! The state that a transaction met, as it was before it, and a reader of it that invents nothing.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use parapet_types::{AccountInfo, REGISTRY, ReadError, StateReader};
use serde::{Deserialize, Serialize};

use crate::{NotRecorded, PRESTATE_ACCOUNTS_MAX, PRESTATE_CODE_BYTES_MAX, PRESTATE_SLOTS_MAX, RecordingError};

/// What is known of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordedAccount {
    /// The account; `null` where there was none.
    pub info: Option<AccountInfo>,
    /// Storage words that were looked at, zeros included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<U256, U256>,
    /// Whether it had any storage, if that was asked (EIP-7610).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_storage: Option<bool>,
}

/// The part of a state that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prestate {
    /// By address.
    pub accounts: BTreeMap<Address, RecordedAccount>,
    /// By hash.
    pub code: BTreeMap<B256, Bytes>,
}

impl Prestate {
    /// Checks what a file says.
    pub(crate) fn check(&self) -> Result<(), RecordingError> {
        let slots: usize = self.accounts.values().map(|account| account.storage.len()).sum();
        let code_bytes: usize = self.code.values().map(|code| code.len()).sum();
        for (count, max, what) in [
            (self.accounts.len(), PRESTATE_ACCOUNTS_MAX, "accounts"),
            (slots, PRESTATE_SLOTS_MAX, "storage words"),
            (code_bytes, PRESTATE_CODE_BYTES_MAX, "bytes of code"),
        ] {
            if count > max {
                return Err(RecordingError::TooMany { what, max });
            }
        }
        match self.code.iter().find(|(hash, code)| keccak256(code) != **hash) {
            Some((hash, _)) => Err(RecordingError::Code(*hash)),
            None => Ok(()),
        }
    }

    fn known(&self, address: &Address) -> Result<&RecordedAccount, ReadError> {
        self.accounts.get(address).ok_or_else(|| refuse(NotRecorded::Account(*address)))
    }
}

fn refuse(what: NotRecorded) -> ReadError {
    ReadError(Box::new(what))
}

impl StateReader for Prestate {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        Ok(self.known(address)?.info)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        let known = self.accounts.get(address);
        match known.and_then(|known| known.storage.get(&slot)) {
            Some(value) => Ok(*value),
            // No attachment of the chain is in a recording, and the guards under test begin without state.
            None if *address == REGISTRY => Ok(U256::ZERO),
            // Storage exists only below an account that exists.
            None if known.is_some_and(|known| known.info.is_none()) => Ok(U256::ZERO),
            None => Err(refuse(NotRecorded::Slot { account: *address, slot })),
        }
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        let known = self.known(address)?;
        match known.has_storage {
            Some(has) => Ok(has),
            None if known.info.is_none() => Ok(false),
            None if known.storage.values().any(|value| !value.is_zero()) => Ok(true),
            None => Err(refuse(NotRecorded::HasStorage(*address))),
        }
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        if code_hash == KECCAK256_EMPTY {
            return Ok(Some(Bytes::new()));
        }
        match self.code.get(&code_hash) {
            Some(code) => Ok(Some(code.clone())),
            None => Err(refuse(NotRecorded::Code(code_hash))),
        }
    }
}

//! State as execution reads it, whatever keeps it.

use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256,
    map::{AddressMap, B256Map, U256Map},
};

use crate::{AccountInfo, StateChanges};

/// State could not be read: a fault of the node, never of a transaction.
#[derive(Debug, thiserror::Error)]
#[error("state could not be read: {0}")]
pub struct ReadError(pub Box<dyn std::error::Error + Send + Sync>);

impl ReadError {
    /// An account has code by this hash, and the store does not.
    #[must_use]
    pub fn missing_code(code_hash: B256) -> Self {
        Self(format!("the code with hash {code_hash} is missing").into())
    }
}

/// One version of the state that does not change while it is read, by as many threads as like to.
pub trait StateReader: Send + Sync {
    /// An account; `None` where there is none.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot answer.
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError>;

    /// A storage word; zero where there is none.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot answer.
    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError>;

    /// Whether an account has any storage. Asked where something is to be created on an account without nonce and code:
    /// if it has, nothing may be (EIP-7610).
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot answer.
    fn has_storage(&self, address: &Address) -> Result<bool, ReadError>;

    /// Code by its hash; `None` where no account ever had it.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot answer.
    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError>;

    /// Root of the state that changes would make of this one; `None` where nobody keeps roots. Receipts before Byzantium
    /// hold such roots.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot answer.
    fn root_after(&self, changes: &StateChanges) -> Result<Option<B256>, ReadError> {
        let _ = changes;
        Ok(None)
    }

    /// Hash of a block that is older than the chain that this state belongs to; `None` where it began by itself. Asked for
    /// BLOCKHASH, for what is not among the ancestors that execution was handed.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot answer.
    fn block_hash(&self, _: u64) -> Result<Option<B256>, ReadError> {
        Ok(None)
    }
}

/// A state that lies flat in memory: for blocks that are executed on their own, with neither roots nor history.
#[derive(Clone, Debug, Default)]
pub struct FlatState {
    accounts: AddressMap<(AccountInfo, U256Map<U256>)>,
    code: B256Map<Bytes>,
}

impl FlatState {
    /// Writes a change set.
    pub fn apply(&mut self, changes: &StateChanges) {
        for (address, change) in &changes.accounts {
            let Some(info) = change.info else {
                self.accounts.remove(address);
                continue;
            };
            let (known, storage) = self.accounts.entry(*address).or_default();
            *known = info;
            if change.wipe_storage {
                storage.clear();
            }
            for (slot, value) in &change.storage {
                if value.is_zero() {
                    storage.remove(slot);
                } else {
                    storage.insert(*slot, *value);
                }
            }
        }
        self.code.extend(changes.code.iter().map(|(hash, code)| (*hash, code.clone())));
    }
}

impl From<&StateChanges> for FlatState {
    fn from(changes: &StateChanges) -> Self {
        let mut state = Self::default();
        state.apply(changes);
        state
    }
}

impl StateReader for FlatState {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        Ok(self.accounts.get(address).map(|(info, _)| *info))
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        Ok(self.accounts.get(address).and_then(|(_, storage)| storage.get(&slot)).copied().unwrap_or_default())
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        Ok(self.accounts.get(address).is_some_and(|(_, storage)| !storage.is_empty()))
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        Ok(if code_hash == KECCAK256_EMPTY { Some(Bytes::new()) } else { self.code.get(&code_hash).cloned() })
    }
}

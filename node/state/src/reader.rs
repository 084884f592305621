//! The state as the executor reads it: what cannot be read is a fault of the node.

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_types::{AccountInfo, ReadError, StateChanges, StateReader};

use crate::{StoreError, WorldState};

impl StateReader for WorldState {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        Ok(WorldState::account(self, address)?)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        Ok(WorldState::storage(self, address, slot)?)
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        Ok(WorldState::has_storage(self, address)?)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        Ok(WorldState::code(self, code_hash)?)
    }

    fn root_after(&self, changes: &StateChanges) -> Result<Option<B256>, ReadError> {
        Ok(Some(self.apply(changes)?.root()))
    }

    fn block_hash(&self, number: u64) -> Result<Option<B256>, ReadError> {
        Ok(WorldState::block_hash(self, number)?)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Below(error) => error,
            error => Self(Box::new(error)),
        }
    }
}

//! Remembers what of a state is read, so that it can be laid flat.

use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_types::{AccountInfo, ReadError, StateChanges, StateReader};

/// A state, and what was read of it so far.
pub(crate) struct Recorder<'w> {
    below: &'w dyn StateReader,
    read: Mutex<StateChanges>,
}

impl<'w> Recorder<'w> {
    /// Nothing read yet.
    pub(crate) fn new(below: &'w dyn StateReader) -> Self {
        Self { below, read: Mutex::default() }
    }

    /// The change set that leads from the empty state to what was read.
    pub(crate) fn into_changes(self) -> StateChanges {
        self.read.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> MutexGuard<'_, StateChanges> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateReader for Recorder<'_> {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        let info = self.below.account(address)?;
        self.read().accounts.entry(*address).or_default().info = info;
        Ok(info)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        let value = self.below.storage(address, slot)?;
        // A slot is kept with its account: without it, it would be read as one of an account that is not there.
        let info = self.below.account(address)?;
        let mut read = self.read();
        let account = read.accounts.entry(*address).or_default();
        account.info = info;
        account.storage.insert(slot, value);
        Ok(value)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        let code = self.below.code(code_hash)?;
        if let Some(code) = &code {
            self.read().code.insert(code_hash, code.clone());
        }
        Ok(code)
    }
}

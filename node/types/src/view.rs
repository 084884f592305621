//! State at rest, as monitors look at it: between transactions, where all forks are one.

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_monitor::{Fork, StateFault, StateView};

use crate::{AccountInfo, ReadError, StateReader};

/// A state that nothing runs on. There is no EVM behind it.
pub struct RestingView<'a>(pub &'a dyn StateReader);

impl std::fmt::Debug for RestingView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestingView").finish_non_exhaustive()
    }
}

impl RestingView<'_> {
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, StateFault> {
        self.0.account(&address).map_err(fault)
    }
}

fn fault(error: ReadError) -> StateFault {
    StateFault(error.0)
}

impl StateView for RestingView<'_> {
    fn storage(&mut self, _: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        self.0.storage(&address, slot).map_err(fault)
    }

    fn balance(&mut self, _: Fork, address: Address) -> Result<U256, StateFault> {
        Ok(self.account(address)?.map_or(U256::ZERO, |account| account.balance))
    }

    fn code_hash(&mut self, _: Fork, address: Address) -> Result<B256, StateFault> {
        Ok(self.account(address)?.map_or(B256::ZERO, |account| account.code_hash))
    }

    fn code(&mut self, _: Fork, address: Address) -> Result<Bytes, StateFault> {
        let Some(account) = self.account(address)? else { return Ok(Bytes::new()) };
        Ok(self.0.code(account.code_hash).map_err(fault)?.unwrap_or_default())
    }
}

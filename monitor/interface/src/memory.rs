//! State held in memory: for tests of guards and monitors, and for tools that judge recorded transactions.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};

use crate::{Fork, StateFault, StateView};

/// An account in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryAccount {
    /// Balance in wei.
    pub balance: U256,
    /// Its code.
    pub code: Bytes,
    /// By slot; a slot that is missing holds zero.
    pub storage: BTreeMap<U256, U256>,
}

/// Accounts by address.
pub type MemoryAccounts = BTreeMap<Address, MemoryAccount>;

/// Both forks of a state, and a count of how often it was looked at.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    /// [`Fork::PreTx`].
    pub pre_tx: MemoryAccounts,
    /// [`Fork::Now`].
    pub now: MemoryAccounts,
    /// Looks so far, of any kind.
    pub reads: u64,
}

impl MemoryState {
    /// One state for both forks.
    #[must_use]
    pub fn unchanged(accounts: MemoryAccounts) -> Self {
        Self { now: accounts.clone(), pre_tx: accounts, reads: 0 }
    }

    fn account(&mut self, fork: Fork, address: Address) -> Option<&MemoryAccount> {
        self.reads += 1;
        match fork {
            Fork::PreTx => self.pre_tx.get(&address),
            Fork::Now => self.now.get(&address),
        }
    }
}

impl StateView for MemoryState {
    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        let account = self.account(fork, address);
        Ok(account.and_then(|account| account.storage.get(&slot)).copied().unwrap_or_default())
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        Ok(self.account(fork, address).map(|account| account.balance).unwrap_or_default())
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        Ok(self.account(fork, address).map(|account| keccak256(&account.code)).unwrap_or_default())
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        Ok(self.account(fork, address).map(|account| account.code.clone()).unwrap_or_default())
    }
}

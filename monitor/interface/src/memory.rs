//! State held in memory: for tests of guards and monitors, and for tools that judge recorded transactions.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};

use crate::{CallOutcome, CallRequest, CallStatus, Fork, StateFault, StateView};

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

/// The forks of a state, and a count of how often it was looked at.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    /// [`Fork::PreTx`].
    pub pre_tx: MemoryAccounts,
    /// [`Fork::Now`].
    pub now: MemoryAccounts,
    /// [`Fork::BeforeFrame`] and [`Fork::AfterFrame`]; where one is missing, `now` stands for it.
    pub at: BTreeMap<Fork, MemoryAccounts>,
    /// What static calls answer, by fork, account and calldata; others succeed and return nothing.
    pub answers: BTreeMap<(Fork, Address, Bytes), CallOutcome>,
    /// Looks so far, of any kind.
    pub reads: u64,
}

impl MemoryState {
    /// One state for both forks.
    #[must_use]
    pub fn unchanged(accounts: MemoryAccounts) -> Self {
        Self { now: accounts.clone(), pre_tx: accounts, ..Self::default() }
    }

    fn account(&mut self, fork: Fork, address: Address) -> Option<&MemoryAccount> {
        self.reads += 1;
        match fork {
            Fork::PreTx => self.pre_tx.get(&address),
            Fork::Now => self.now.get(&address),
            Fork::BeforeFrame(_) | Fork::AfterFrame(_) => self.at.get(&fork).unwrap_or(&self.now).get(&address),
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

    fn call(&mut self, fork: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        self.reads += 1;
        let answer = self.answers.get(&(fork, request.to, request.input.clone())).cloned();
        Ok(answer.unwrap_or(CallOutcome { status: CallStatus::Succeeded, output: Bytes::new(), gas_used: 0 }))
    }
}

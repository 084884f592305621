//! The versioned memory of a model: a few cells, all known beforehand. The executor's own interns keys as they are met.

use std::marker::PhantomData;

use alloy_primitives::{Address, U256};
use parapet_types::{AccountInfo, ReadError};

use super::{
    account::{AccountCell, AccountView, Version},
    slot::{AccountIndex, SlotCell, SlotIndex, SlotView},
};

/// Cells over the state below the block.
#[derive(Debug)]
pub(crate) struct Memory<'a> {
    accounts: Vec<(AccountCell, AccountInfo)>,
    slots: Vec<(SlotCell, U256)>,
    /// The executor's memory borrows what lies below.
    below: PhantomData<&'a ()>,
}

impl Memory<'_> {
    /// Accounts with these balances, and slots of these accounts with these values.
    pub(crate) fn new(balances: &[U256], slots: &[(AccountIndex, U256)]) -> Self {
        let account = |balance: &U256| {
            (AccountCell::new(Address::ZERO), AccountInfo { balance: *balance, ..AccountInfo::default() })
        };
        let slot = |(account, value): &(AccountIndex, U256)| (SlotCell::new(*account, U256::ZERO), *value);
        Self {
            accounts: balances.iter().map(account).collect(),
            slots: slots.iter().map(slot).collect(),
            below: PhantomData,
        }
    }

    pub(crate) fn account(&self, index: AccountIndex) -> &AccountCell {
        &self.accounts[index.0 as usize].0
    }

    pub(crate) fn slot(&self, index: SlotIndex) -> &SlotCell {
        &self.slots[index.0 as usize].0
    }

    /// What lies below the block.
    pub(crate) fn base(&self, index: AccountIndex) -> Result<Option<AccountInfo>, ReadError> {
        Ok(Some(self.accounts[index.0 as usize].1))
    }

    pub(crate) fn read_account(&self, index: AccountIndex, at: Version) -> Result<(AccountView, u64), ReadError> {
        self.account(index).read(at, || self.base(index))
    }

    /// What lies below the block.
    pub(crate) fn base_of_slot(&self, index: SlotIndex) -> Result<U256, ReadError> {
        Ok(self.slots[index.0 as usize].1)
    }

    /// As the executor's.
    pub(crate) fn fold_slot(&self, index: SlotIndex, settled: Version) -> Result<(), ReadError> {
        let cell = self.slot(index);
        let wiped = self.account(cell.account).read(settled, || self.base(cell.account))?.0.identity.wiped;
        cell.fold(settled, wiped, || self.base_of_slot(index))
    }

    pub(crate) fn read_slot(
        &self,
        index: SlotIndex,
        at: Version,
        wiped: Version,
    ) -> Result<(SlotView, u64), ReadError> {
        self.slot(index).read(at, wiped, || self.base_of_slot(index))
    }
}

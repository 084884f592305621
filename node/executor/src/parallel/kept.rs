//! A worker's journal between two transactions, with the contracts on it.
//!
//! Of what a transaction meets, most is never met again; but the contracts that it calls are often those that the next one
//! calls. To load one is to look for its place and for its code, to build an account and to allocate for it. So who calls
//! the same account as the worker's last transaction finds the contracts of that one on its journal, cold, as if they had
//! just been loaded, and without a slot.
//!
//! Invariant: whatever a transaction finds on its journal is in its read set, under the stamp with which it was loaded.

use alloy_primitives::{Address, KECCAK256_EMPTY};
use parapet_types::{REGISTRY, ReadError};
use revm::state::{Account, AccountId, AccountStatus, EvmState, TransactionId};
use smallvec::SmallVec;

use super::reader::Reader;

/// Most contracts that are kept from one transaction to the next. More are looked for in vain too often.
const CONTRACTS_MAX: usize = 8;
/// Most slots of a contract for which memory is kept.
const SLOTS_MAX: usize = 64;

/// A journal's accounts while no transaction runs.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    state: EvmState,
    /// Those that are on it, with the stamps that their cells had.
    contracts: SmallVec<[(Address, u64); CONTRACTS_MAX]>,
    /// What the last transaction called.
    target: Option<Address>,
}

impl Kept {
    /// A journal for a transaction that calls `target`. What is on it has been read.
    ///
    /// # Errors
    /// Whatever reading it reports.
    pub(crate) fn lend(&mut self, reader: &mut Reader<'_>, target: Option<Address>) -> Result<EvmState, ReadError> {
        let contracts = std::mem::take(&mut self.contracts);
        let mut state = std::mem::take(&mut self.state);
        let is_same = target.is_some() && target == self.target;
        self.target = target;
        if !is_same {
            state.clear();
            return Ok(state);
        }
        for (address, stamp) in contracts {
            let (position, _) = reader.account(address)?;
            if reader.reads.accounts[position].stamp() != Some(stamp) {
                state.remove(&address);
            } else if let Some(account) = state.get_mut(&address) {
                account.info.account_id = AccountId::new(position);
            }
        }
        Ok(state)
    }

    /// A transaction's journal, when what it did is elsewhere and `reader` still knows what it read.
    pub(crate) fn take_back(&mut self, reader: &Reader<'_>, mut state: EvmState) {
        self.contracts.clear();
        // A list of accesses would show who is there and was not met.
        if reader.memory.listed.is_recorded() {
            state.clear();
        } else {
            state.retain(|address, account| match self.stamp(reader, address, account) {
                Some(stamp) => {
                    self.contracts.push((*address, stamp));
                    chill(account);
                    true
                }
                None => false,
            });
        }
        self.state = state;
    }

    /// The stamp of a contract that was met and is for everybody as it was loaded.
    fn stamp(&self, reader: &Reader<'_>, address: &Address, account: &Account) -> Option<u64> {
        let info = &account.info;
        let has_room = self.contracts.len() < CONTRACTS_MAX && account.storage.capacity() <= SLOTS_MAX;
        let passed_by = account.status.contains(AccountStatus::Cold);
        if info.code_hash == KECCAK256_EMPTY || passed_by || !has_room || *address == REGISTRY {
            return None;
        }
        let read = reader.reads.accounts.get(info.account_id?.get())?;
        let (stamp, seen) = (reader.steady(read)?, &read.seen);
        let is_same = reader.memory.account(read.index).address == *address
            && !account.is_selfdestructed()
            && info.code_hash == seen.identity.code_hash
            && info.nonce == seen.identity.nonce
            && info.balance == seen.balance;
        is_same.then_some(stamp)
    }
}

/// As it is when it has just been loaded, but that nobody has met it.
fn chill(account: &mut Account) {
    account.storage.clear();
    account.status = AccountStatus::Cold;
    account.transaction_id = TransactionId::ZERO;
}

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

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, U256, keccak256};
    use parapet_types::{AccountChange, AccountInfo, FlatState, StateChanges};
    use revm::Database as _;

    use super::*;
    use crate::parallel::{account::AccountWrite, bare, worker::version};

    const CONTRACT: Address = Address::repeat_byte(0xcc);
    const TOKEN: Address = Address::repeat_byte(0xdd);
    const PERSON: Address = Address::repeat_byte(0x11);

    fn state() -> FlatState {
        let code = Bytes::from_static(&[0]);
        let code_hash = keccak256(&code);
        let mut changes = StateChanges::default();
        changes.code.insert(code_hash, code);
        for (address, info) in [
            (CONTRACT, AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() }),
            (TOKEN, AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() }),
            (PERSON, AccountInfo { balance: U256::ONE, ..AccountInfo::default() }),
        ] {
            changes.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
        }
        let mut state = FlatState::default();
        state.apply(&changes);
        state
    }

    /// Runs a transaction that meets these accounts and changes nothing. Gives what it found on its journal.
    fn meet(kept: &mut Kept, reader: &mut Reader<'_>, target: Address, met: &[Address]) -> Vec<Address> {
        let mut state = kept.lend(reader, Some(target)).expect("it can be read");
        let mut found: Vec<_> = state.keys().copied().collect();
        found.sort_unstable();
        for address in &found {
            let account = &state[address];
            let read = account.info.account_id.map(|id| reader.reads.accounts[id.get()]);
            assert_eq!(read.map(|read| reader.memory.account(read.index).address), Some(*address), "it is read");
            assert!(account.is_cold_transaction_id(TransactionId::ZERO) && account.storage.is_empty());
        }
        for address in met {
            let info = reader.basic(*address).expect("it can be read").expect("it is there");
            let account = state.entry(*address).or_insert_with(|| Account::from(info));
            account.mark_warm_with_transaction_id(TransactionId::ZERO);
        }
        kept.take_back(reader, state);
        found
    }

    #[test]
    fn who_calls_the_same_account_finds_the_contracts_that_the_last_one_met() {
        bare::over(&state(), |memory| {
            let (mut kept, mut reader) = (Kept::default(), Reader::new(&memory));
            reader.settle(version(0));
            assert!(meet(&mut kept, &mut reader, CONTRACT, &[PERSON, CONTRACT, TOKEN]).is_empty());
            reader.settle(version(1));
            assert_eq!(meet(&mut kept, &mut reader, CONTRACT, &[CONTRACT]), [CONTRACT, TOKEN]);
            // The token was there and nobody met it: it is not looked for again.
            reader.settle(version(2));
            assert_eq!(meet(&mut kept, &mut reader, CONTRACT, &[CONTRACT]), [CONTRACT]);
            reader.settle(version(3));
            assert!(meet(&mut kept, &mut reader, TOKEN, &[TOKEN]).is_empty());
        });
    }

    #[test]
    fn a_contract_that_somebody_has_written_to_is_loaded_anew() {
        bare::over(&state(), |memory| {
            let (mut kept, mut reader) = (Kept::default(), Reader::new(&memory));
            reader.settle(version(0));
            meet(&mut kept, &mut reader, CONTRACT, &[CONTRACT, TOKEN]);
            let write = AccountWrite { balance: U256::ONE, identity: None };
            memory.account(memory.account_index(TOKEN)).write(version(1), version(1), write);
            reader.settle(version(2));
            assert_eq!(meet(&mut kept, &mut reader, CONTRACT, &[CONTRACT, TOKEN]), [CONTRACT]);
            // What is not settled is not for every reader the same.
            reader.settle(version(3));
            assert_eq!(meet(&mut kept, &mut reader, CONTRACT, &[CONTRACT]), [CONTRACT]);
        });
    }

    #[test]
    fn a_contract_that_is_not_as_it_was_loaded_is_not_kept() {
        bare::over(&state(), |memory| {
            let (mut kept, mut reader) = (Kept::default(), Reader::new(&memory));
            reader.settle(version(0));
            let mut state = kept.lend(&mut reader, Some(CONTRACT)).expect("it can be read");
            let info = reader.basic(CONTRACT).expect("it can be read").expect("it is there");
            let mut account = Account::from(info);
            account.info.balance = U256::ONE;
            state.insert(CONTRACT, account);
            kept.take_back(&reader, state);
            reader.settle(version(1));
            assert!(meet(&mut kept, &mut reader, CONTRACT, &[]).is_empty());
        });
    }
}

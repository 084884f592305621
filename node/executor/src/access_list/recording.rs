//! The list as it grows, step by step in block order. Invariant: a line holds at most one change for each index, none of
//! which leaves the value as the index found it.

use alloy_eip7928::{
    AccountChanges, BalanceChange, BlockAccessIndex, BlockAccessList, CodeChange, NonceChange, SlotChanges,
    StorageChange,
};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    map::{AddressMap, U256Map},
};
use parapet_types::{AccountInfo, ReadError};
use smallvec::SmallVec;

use super::footprint::{Footprint, SlotStep};

/// A value through the block.
#[derive(Clone, Debug, Default)]
struct Line<T> {
    /// As the last change's index found it.
    start: T,
    changes: SmallVec<[(BlockAccessIndex, T); 1]>,
}

impl<T: Copy + PartialEq> Line<T> {
    fn step(&mut self, at: BlockAccessIndex, before: T, after: T) {
        match self.changes.last_mut() {
            Some((index, value)) if *index == at => {
                *value = after;
                if after == self.start {
                    self.changes.pop();
                }
            }
            Some(_) | None => {
                if before != after {
                    self.start = before;
                    self.changes.push((at, after));
                }
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Account {
    balance: Line<U256>,
    nonce: Line<u64>,
    code: Line<B256>,
    slots: U256Map<Line<U256>>,
}

/// A block's access list while the block runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    at: BlockAccessIndex,
    accounts: AddressMap<Account>,
}

impl Recording {
    /// From here on, what is recorded is done after that many transactions were included: by the next one, or by the
    /// chain itself when there is none. Before the first it is index 0.
    pub(crate) const fn after(&mut self, included: usize) {
        self.at = BlockAccessIndex::from_tx_index(included as u64);
    }

    /// An account was met.
    pub(crate) fn account(&mut self, address: Address) {
        self.accounts.entry(address).or_default();
    }

    /// An account was one thing and is another.
    pub(crate) fn info(&mut self, address: Address, before: &AccountInfo, after: &AccountInfo) {
        let at = self.at;
        let account = self.accounts.entry(address).or_default();
        account.balance.step(at, before.balance, after.balance);
        account.nonce.step(at, before.nonce, after.nonce);
        account.code.step(at, before.code_hash, after.code_hash);
    }

    /// A slot was met, and perhaps changed.
    pub(crate) fn slot(&mut self, step: &SlotStep) {
        let at = self.at;
        let account = self.accounts.entry(step.address).or_default();
        account.slots.entry(step.slot).or_default().step(at, step.before, step.after);
    }

    /// Everything in a footprint but the guard state.
    pub(crate) fn footprint(&mut self, footprint: &Footprint) {
        footprint.accounts.iter().for_each(|address| self.account(*address));
        footprint.slots.iter().for_each(|step| self.slot(step));
    }

    /// The list, in EIP-7928's order.
    pub(crate) fn finish(
        self,
        mut code: impl FnMut(B256) -> Result<Bytes, ReadError>,
    ) -> Result<BlockAccessList, ReadError> {
        let mut list = Vec::with_capacity(self.accounts.len());
        for (address, account) in self.accounts {
            let mut entry = AccountChanges::new(address);
            for (slot, line) in account.slots {
                if line.changes.is_empty() {
                    entry.storage_reads.push(slot);
                } else {
                    let changes = line.changes.into_iter().map(|(at, value)| StorageChange::new(at, value)).collect();
                    entry.storage_changes.push(SlotChanges::new(slot, changes));
                }
            }
            entry.balance_changes = line(account.balance, BalanceChange::new);
            entry.nonce_changes = line(account.nonce, NonceChange::new);
            for (at, code_hash) in account.code.changes {
                entry.code_changes.push(CodeChange::new(at, code(code_hash)?));
            }
            entry.sort();
            list.push(entry);
        }
        list.sort_unstable_by_key(|entry| entry.address);
        Ok(list)
    }
}

fn line<T, C>(line: Line<T>, change: impl Fn(BlockAccessIndex, T) -> C) -> Vec<C> {
    line.changes.into_iter().map(|(at, value)| change(at, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(line: &Line<u64>) -> Vec<(u64, u64)> {
        line.changes.iter().map(|(at, value)| (at.get(), *value)).collect()
    }

    #[test]
    fn steps_of_one_index_are_one_change() {
        let mut line = Line::default();
        line.step(BlockAccessIndex::new(1), 5, 6);
        line.step(BlockAccessIndex::new(1), 6, 7);
        line.step(BlockAccessIndex::new(2), 7, 7);
        line.step(BlockAccessIndex::new(3), 7, 8);
        assert_eq!(indices(&line), [(1, 7), (3, 8)]);
    }

    #[test]
    fn what_an_index_leaves_as_it_found_it_is_no_change() {
        let mut line = Line::default();
        line.step(BlockAccessIndex::new(1), 5, 6);
        line.step(BlockAccessIndex::new(2), 6, 9);
        line.step(BlockAccessIndex::new(2), 9, 6);
        assert_eq!(indices(&line), [(1, 6)]);
        line.step(BlockAccessIndex::new(2), 6, 5);
        assert_eq!(indices(&line), [(1, 6), (2, 5)]);
    }
}

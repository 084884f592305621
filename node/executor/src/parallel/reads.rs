//! What one incarnation read, and whether it still holds.
//!
//! A read holds if the cell has not changed since (its stamp), or if what matters of it is as it was: all of a slot; of
//! an account its code and storage, whether it is empty, its nonce where somebody could tell, and its balance, exactly
//! where it was looked at, else only as far as what was spent needs it. The last is what lets transfers to and from the
//! same accounts run side by side. Of a word of guard state that was only asked whether it accepts a change, the answer
//! matters and nothing else.

use alloy_primitives::{U256, uint};
use parapet_monitor::StateOp;
use parapet_types::ReadError;

use super::{
    account::{AccountView, Version},
    memory::Memory,
    slot::{AccountIndex, SlotIndex, SlotView},
};

/// Slots among which one is searched one by one.
const SLOTS_SEARCHED_MAX: usize = 12;
/// Balances from here up are compared exactly: additions to them could overflow.
const BALANCE_COMMUTES_BELOW: U256 = uint!(0x100000000000000000000000000000000000000000000000000_U256);

/// An account that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRead {
    pub(crate) index: AccountIndex,
    /// `None`: part of what was given to the reader is a prediction.
    stamp: Option<u64>,
    pub(crate) seen: AccountView,
    /// With less than this the outcome could have been another.
    need: U256,
    balance_matters: bool,
    nonce_matters: bool,
}

/// A slot that was read.
#[derive(Clone, Copy, Debug)]
struct SlotRead {
    index: SlotIndex,
    account: AccountIndex,
    slot: U256,
    stamp: u64,
    wiped: Version,
    seen: SlotView,
}

/// A slot that was asked whether it accepts changes.
#[derive(Clone, Debug)]
struct SlotAsked {
    index: SlotIndex,
    stamp: u64,
    wiped: Version,
    ops: Box<[StateOp]>,
    accepts: bool,
}

/// A read that no longer holds. Those of the EVM are looked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stale {
    Account(AccountIndex),
    Slot(SlotIndex),
    /// Nothing but what the monitor read.
    Watched(SlotIndex),
}

/// Everything one incarnation read. Each account is in it once.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    pub(crate) accounts: Vec<AccountRead>,
    slots: Vec<SlotRead>,
    /// Those that the monitor read.
    watched: Vec<SlotRead>,
    asked: Vec<SlotAsked>,
    /// A word of an account that nothing wipes, which nobody in the block had written to, and what it held.
    pub(crate) word: Option<(SlotIndex, U256)>,
}

impl ReadSet {
    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.accounts.clear();
        self.slots.clear();
        self.watched.clear();
        self.asked.clear();
        self.word = None;
    }

    /// Adds an account, with what is given to the reader instead of what is there.
    pub(crate) fn add_account(&mut self, index: AccountIndex, stamp: Option<u64>, seen: AccountView) -> usize {
        self.accounts.push(AccountRead {
            index,
            stamp,
            seen,
            need: U256::ZERO,
            balance_matters: seen.balance >= BALANCE_COMMUTES_BELOW,
            nonce_matters: stamp.is_none(),
        });
        self.accounts.len() - 1
    }

    /// Whether an account was read.
    pub(crate) fn has_account(&self, index: AccountIndex) -> bool {
        self.accounts.iter().any(|read| read.index == index)
    }

    pub(crate) fn add_slot(
        &mut self,
        (account, slot, index): (AccountIndex, U256, SlotIndex),
        stamp: u64,
        wiped: Version,
        seen: SlotView,
    ) {
        self.slots.push(SlotRead { index, account, slot, stamp, wiped, seen });
    }

    /// Adds a slot that the monitor read.
    pub(crate) fn add_watched_slot(
        &mut self,
        (account, slot, index): (AccountIndex, U256, SlotIndex),
        stamp: u64,
        wiped: Version,
        seen: SlotView,
    ) {
        self.watched.push(SlotRead { index, account, slot, stamp, wiped, seen });
    }

    /// Adds a question that a slot was asked, and gives the answer.
    pub(crate) fn ask_slot(
        &mut self,
        index: SlotIndex,
        stamp: u64,
        wiped: Version,
        (ops, value): (&[StateOp], U256),
    ) -> bool {
        let accepts = StateOp::apply_all(ops, value).is_some();
        self.asked.push(SlotAsked { index, stamp, wiped, ops: ops.into(), accepts });
        accepts
    }

    /// Where a slot stands here and in the memory, if it was read, and is quicker found here than there.
    pub(crate) fn find_slot(&self, account: AccountIndex, slot: U256) -> Option<(usize, SlotIndex)> {
        let few = self.slots.iter().take(SLOTS_SEARCHED_MAX).enumerate();
        let (position, read) = few.into_iter().find(|(_, read)| read.slot == slot && read.account == account)?;
        Some((position, read.index))
    }

    /// The reader wrote to an account that it had read, whose stamp was this: its own write does not make it stale.
    pub(crate) fn wrote_account(&mut self, position: usize, stamp: u64) {
        let read = &mut self.accounts[position];
        if read.stamp == Some(stamp) {
            read.stamp = Some(stamp + 1);
        }
    }

    /// The reader wrote to a slot that it had read, whose stamp was this.
    pub(crate) fn wrote_slot(&mut self, position: usize, stamp: u64) {
        let read = &mut self.slots[position];
        if read.stamp == stamp {
            read.stamp += 1;
        }
    }

    /// The balance was looked at.
    pub(crate) fn balance_matters(&mut self, position: usize) {
        self.accounts[position].balance_matters = true;
    }

    /// The nonce was looked at.
    pub(crate) fn nonce_matters(&mut self, position: usize) {
        self.accounts[position].nonce_matters = true;
    }

    /// At least this much had to be there.
    pub(crate) fn need(&mut self, position: usize, wei: U256) {
        let read = &mut self.accounts[position];
        read.need = read.need.max(wei);
    }

    /// Every nonce in it matters.
    pub(crate) fn nonces_matter(&mut self) {
        for read in &mut self.accounts {
            read.nonce_matters = true;
        }
    }

    /// From here on every balance and nonce in it matters: the transaction failed on one of them, or shows them.
    pub(crate) fn everything_matters(&mut self) {
        for read in &mut self.accounts {
            (read.balance_matters, read.nonce_matters) = (true, true);
        }
    }

    /// Whether a transaction's write is part of what was read.
    pub(crate) fn depends_on(&self, writer: Version) -> bool {
        self.slots.iter().chain(&self.watched).any(|read| read.seen.writer == writer)
    }

    /// Looks for a read that no longer holds at the reader's version, below which everything is settled.
    pub(crate) fn stale(&self, memory: &Memory<'_>, at: Version) -> Result<Option<Stale>, ReadError> {
        for read in &self.accounts {
            let cell = memory.account(read.index);
            if read.stamp != Some(cell.stamp()) && !read.holds(&cell.read_again(at)) {
                return Ok(Some(Stale::Account(read.index)));
            }
        }
        if let Some((index, value)) = self.word
            && memory.slot(index).stamp() != 0
            && memory.read_slot(index, at, Version::BASE)?.0.value != value
        {
            return Ok(Some(Stale::Slot(index)));
        }
        for read in &self.slots {
            if !read.holds(memory, at)? {
                return Ok(Some(Stale::Slot(read.index)));
            }
        }
        for read in &self.watched {
            if !read.holds(memory, at)? {
                return Ok(Some(Stale::Watched(read.index)));
            }
        }
        for asked in &self.asked {
            if memory.slot(asked.index).stamp() != asked.stamp {
                let (now, _) = memory.read_slot(asked.index, at, asked.wiped)?;
                if StateOp::apply_all(&asked.ops, now.value).is_some() != asked.accepts {
                    return Ok(Some(Stale::Watched(asked.index)));
                }
            }
        }
        Ok(None)
    }
}

impl SlotRead {
    fn holds(&self, memory: &Memory<'_>, at: Version) -> Result<bool, ReadError> {
        if memory.slot(self.index).stamp() == self.stamp {
            return Ok(true);
        }
        let (now, _) = memory.read_slot(self.index, at, self.wiped)?;
        Ok(now.value == self.seen.value)
    }
}

impl AccountRead {
    /// The stamp of what was read; `None` where part of it is a prediction.
    pub(crate) const fn stamp(&self) -> Option<u64> {
        self.stamp
    }

    fn holds(&self, now: &AccountView) -> bool {
        let (seen, same) = (&self.seen, now.balance == self.seen.balance);
        now.identity.code_hash == seen.identity.code_hash
            && now.identity.wiped == seen.identity.wiped
            && (now.identity.nonce == seen.identity.nonce || !self.nonce_matters)
            && now.is_empty() == seen.is_empty()
            && (same || !self.balance_matters && now.balance >= self.need && now.balance < BALANCE_COMMUTES_BELOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::account::Identity;

    fn view(balance: u64, nonce: u64) -> AccountView {
        let identity = Identity { nonce, ..Identity::default() };
        AccountView { balance: U256::from(balance), identity, writer: Version::BASE }
    }

    fn read(seen: AccountView) -> ReadSet {
        let mut reads = ReadSet::default();
        reads.add_account(AccountIndex(0), Some(0), seen);
        reads
    }

    #[test]
    fn a_balance_that_nobody_looked_at_holds_as_long_as_it_suffices() {
        let mut reads = read(view(100, 1));
        reads.need(0, U256::from(60));
        assert!(reads.accounts[0].holds(&view(60, 1)));
        assert!(!reads.accounts[0].holds(&view(59, 1)));
        reads.balance_matters(0);
        assert!(!reads.accounts[0].holds(&view(60, 1)));
        assert!(reads.accounts[0].holds(&view(100, 1)));
    }

    #[test]
    fn whether_an_account_is_empty_always_matters() {
        let reads = read(view(0, 0));
        assert!(!reads.accounts[0].holds(&view(1, 0)));
        assert!(!reads.accounts[0].holds(&view(0, 1)));
        let reads = read(view(1, 0));
        assert!(reads.accounts[0].holds(&view(2, 0)));
        assert!(reads.accounts[0].holds(&view(2, 1)));
    }

    #[test]
    fn a_nonce_holds_unless_it_mattered() {
        let mut reads = read(view(1, 4));
        assert!(reads.accounts[0].holds(&view(1, 5)));
        reads.nonce_matters(0);
        assert!(!reads.accounts[0].holds(&view(1, 5)));
    }

    #[test]
    fn balances_near_the_end_of_the_range_are_compared_exactly() {
        let huge = AccountView { balance: U256::MAX, ..view(0, 1) };
        assert!(!read(huge).accounts[0].holds(&view(5, 1)));
        assert!(!read(view(5, 1)).accounts[0].holds(&huge));
    }
}

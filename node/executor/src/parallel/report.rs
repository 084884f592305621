//! What a parallel run did, for metrics and for whoever asks why a block was slow.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{Address, U256};
use parking_lot::Mutex;

/// Most places of conflict that are told apart.
const PLACES_MAX: usize = 4_096;

/// What one worker did in a block. It is added up when the worker is done: counting together would cost as much as a
/// look-up for each transaction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) speculated: u64,
    pub(crate) settled: u64,
    pub(crate) as_one: u64,
}

/// How guesses turned out. The frontier's owner counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hints {
    pub(crate) right: u64,
    pub(crate) wrong: u64,
}

/// Counts while a block runs.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    workers: Mutex<Tally>,
    again: AtomicU64,
    judged_again: AtomicU64,
    conflicts: Mutex<BTreeMap<(Address, Option<U256>), u64>>,
}

/// What one block's run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Incarnations that ran ahead of the frontier.
    pub speculated: u64,
    /// Incarnations that the frontier's owner ran on settled state, each transaction's first or second.
    pub settled: u64,
    /// Transactions that were run as one stretch, because one leads to the next.
    pub as_one: u64,
    /// Transactions that ran twice, because what they did ahead of the frontier could not stand.
    pub again: u64,
    /// Times that a transaction was put off until another one had run.
    pub waits: u64,
    /// Guesses that a transaction needs another one, and it did read what that one wrote.
    pub hints_right: u64,
    /// Guesses that a transaction needs another one, and it did not.
    pub hints_wrong: u64,
    /// Transactions that did not run again, but were judged again: only what guards read had changed.
    pub judged_again: u64,
    /// Where speculation failed: account, and slot where it was one; how often.
    pub conflicts: Vec<(Address, Option<U256>, u64)>,
    /// Accounts that the block met.
    pub accounts: usize,
    /// Slots that the block met.
    pub slots: usize,
}

impl Counts {
    /// Adds what a worker did.
    pub(crate) fn add(&self, tally: Tally) {
        let mut sum = self.workers.lock();
        sum.speculated += tally.speculated;
        sum.settled += tally.settled;
        sum.as_one += tally.as_one;
    }

    pub(crate) fn ran_again(&self) {
        self.again.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn judged_again(&self) {
        self.judged_again.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn conflict(&self, address: Address, slot: Option<U256>) {
        let mut conflicts = self.conflicts.lock();
        if conflicts.len() < PLACES_MAX || conflicts.contains_key(&(address, slot)) {
            *conflicts.entry((address, slot)).or_default() += 1;
        }
    }

    pub(crate) fn report(&self, (accounts, slots): (usize, usize), waits: u32, hints: Hints) -> RunReport {
        let mut conflicts: Vec<_> =
            self.conflicts.lock().iter().map(|((address, slot), count)| (*address, *slot, *count)).collect();
        conflicts.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        let Tally { speculated, settled, as_one } = *self.workers.lock();
        RunReport {
            speculated,
            settled,
            as_one,
            again: self.again.load(Ordering::Relaxed),
            waits: waits.into(),
            hints_right: hints.right,
            hints_wrong: hints.wrong,
            judged_again: self.judged_again.load(Ordering::Relaxed),
            conflicts,
            accounts,
            slots,
        }
    }
}

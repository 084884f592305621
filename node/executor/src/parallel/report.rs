//! What a parallel run did, for metrics and for whoever asks why a block was slow.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most places of conflict that are told apart.
const PLACES_MAX: usize = 4_096;

/// Counts while a block runs.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    speculated: AtomicU64,
    settled: AtomicU64,
    as_one: AtomicU64,
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
    pub(crate) fn speculated(&self) {
        self.speculated.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ran_settled(&self) {
        self.settled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ran_as_one(&self, transactions: u32) {
        self.as_one.fetch_add(u64::from(transactions), Ordering::Relaxed);
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

    pub(crate) fn report(&self, (accounts, slots): (usize, usize)) -> RunReport {
        let mut conflicts: Vec<_> =
            self.conflicts.lock().iter().map(|((address, slot), count)| (*address, *slot, *count)).collect();
        conflicts.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        RunReport {
            speculated: self.speculated.load(Ordering::Relaxed),
            settled: self.settled.load(Ordering::Relaxed),
            as_one: self.as_one.load(Ordering::Relaxed),
            again: self.again.load(Ordering::Relaxed),
            judged_again: self.judged_again.load(Ordering::Relaxed),
            conflicts,
            accounts,
            slots,
        }
    }
}

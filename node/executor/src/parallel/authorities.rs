//! The accounts that a block's transactions speak for (EIP-7702).
//!
//! Each comes from a signature, which takes longer to recover than most transactions to run. So it is recovered once,
//! whatever becomes of the transaction's incarnations, by whichever thread is free before there is something to run.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use alloy_consensus::Transaction as _;
use alloy_eips::eip7702::RecoveredAuthorization;
use alloy_primitives::Address;
use parapet_types::Transaction;

/// One transaction's authorizations.
#[derive(Debug)]
struct Entry<'a> {
    index: u32,
    transaction: &'a Transaction,
    recovered: OnceLock<Vec<RecoveredAuthorization>>,
}

impl Entry<'_> {
    fn recovered(&self) -> &[RecoveredAuthorization] {
        self.recovered.get_or_init(|| {
            let signed = self.transaction.authorization_list().unwrap_or_default();
            signed.iter().map(|signed| signed.clone().into_recovered()).collect()
        })
    }
}

/// The authorizations of a block.
#[derive(Debug)]
pub(crate) struct Authorities<'a> {
    /// By index.
    entries: Vec<Entry<'a>>,
    next: AtomicUsize,
}

impl<'a> Authorities<'a> {
    pub(crate) fn new(transactions: &'a [Transaction]) -> Self {
        let entries = (0..).zip(transactions).filter(|(_, transaction)| transaction.authorization_list().is_some());
        let entry = |(index, transaction)| Entry { index, transaction, recovered: OnceLock::new() };
        Self { entries: entries.map(entry).collect(), next: AtomicUsize::new(0) }
    }

    /// Recovers those that nobody has begun with.
    pub(crate) fn recover(&self) {
        while let Some(entry) = self.entries.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            entry.recovered();
        }
    }

    fn entry(&self, index: u32) -> Option<&Entry<'a>> {
        let position = self.entries.binary_search_by_key(&index, |entry| entry.index).ok()?;
        Some(&self.entries[position])
    }

    /// A transaction's authorizations, if it has any.
    pub(crate) fn recovered(&self, index: u32) -> Option<&[RecoveredAuthorization]> {
        self.entry(index).map(Entry::recovered)
    }

    /// The accounts that a transaction speaks for, as far as that is known by now.
    pub(crate) fn of(&self, index: u32) -> impl Iterator<Item = Address> + Clone + '_ {
        let known = self.entry(index).and_then(|entry| entry.recovered.get());
        known.into_iter().flatten().filter_map(RecoveredAuthorization::authority)
    }
}

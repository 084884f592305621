//! The accounts that a block's transactions speak for (EIP-7702).
//!
//! Each comes from a signature, which takes longer to recover than most transactions to run. So it is recovered once,
//! whatever becomes of the transaction's incarnations, by whichever thread is free before there is something to run.

use std::{
    ops::Range,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy_consensus::Transaction as _;
use alloy_eips::eip7702::{RecoveredAuthorization, SignedAuthorization};
use alloy_primitives::Address;
use parapet_types::Transaction;

/// A signature, and whose it is once somebody has looked.
#[derive(Debug)]
struct Signature<'a> {
    signed: &'a SignedAuthorization,
    recovered: OnceLock<RecoveredAuthorization>,
}

impl Signature<'_> {
    fn recovered(&self) -> &RecoveredAuthorization {
        self.recovered.get_or_init(|| self.signed.clone().into_recovered())
    }
}

/// The authorizations of a block.
#[derive(Debug)]
pub(crate) struct Authorities<'a> {
    /// Transactions that have some, by index, and where theirs are.
    entries: Vec<(u32, Range<usize>)>,
    signatures: Vec<Signature<'a>>,
    next: AtomicUsize,
}

impl<'a> Authorities<'a> {
    pub(crate) fn new(transactions: &'a [Transaction]) -> Self {
        let (mut entries, mut signatures) = (Vec::new(), Vec::new());
        for (index, transaction) in (0..).zip(transactions) {
            if let Some(list) = transaction.authorization_list() {
                let start = signatures.len();
                signatures.extend(list.iter().map(|signed| Signature { signed, recovered: OnceLock::new() }));
                entries.push((index, start..signatures.len()));
            }
        }
        Self { entries, signatures, next: AtomicUsize::new(0) }
    }

    /// Recovers those that nobody has begun with, one by one: a single transaction may have most of a block's.
    pub(crate) fn recover(&self) {
        while let Some(signature) = self.signatures.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            signature.recovered();
        }
    }

    fn signatures(&self, index: u32) -> Option<&[Signature<'a>]> {
        let position = self.entries.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        let (_, range) = &self.entries[position];
        Some(&self.signatures[range.clone()])
    }

    /// A transaction's authorizations, if it has any.
    pub(crate) fn recovered(&self, index: u32) -> Option<impl Iterator<Item = &RecoveredAuthorization>> {
        Some(self.signatures(index)?.iter().map(Signature::recovered))
    }

    /// The accounts that a transaction speaks for, as far as that is known by now.
    pub(crate) fn of(&self, index: u32) -> impl Iterator<Item = Address> + Clone + '_ {
        let known = self.signatures(index).into_iter().flatten().filter_map(|signature| signature.recovered.get());
        known.filter_map(|recovered| recovered.authority())
    }
}

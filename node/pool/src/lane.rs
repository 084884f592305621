//! The transactions of one sender, by nonce.

use std::collections::BTreeMap;

use alloy_consensus::Transaction as _;
use alloy_primitives::B256;
use parapet_types::Transaction;

use crate::{
    BLOB_PRICE_BUMP_PERCENT, FAULTS_MAX, PRICE_BUMP_PERCENT, PoolError, Prices, admission::tip, candidate::Candidate,
};

/// A transaction in its lane.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) candidate: Candidate,
    /// Number of its arrival; the earlier of two that pay the same goes first.
    pub(crate) arrival: u64,
    /// How often the node could not execute it, by no fault of its own.
    pub(crate) faults: u32,
}

impl Entry {
    pub(crate) const fn transaction(&self) -> &Transaction {
        self.candidate.transaction()
    }

    pub(crate) fn hash(&self) -> B256 {
        self.candidate.hash()
    }

    /// What it pays above the base fee, in wei per gas; `None` when it does not pay what a block asks for.
    pub(crate) fn effective_tip(&self, prices: Prices) -> Option<u128> {
        let transaction = self.transaction();
        let pays_blobs = transaction.max_fee_per_blob_gas().is_none_or(|fee| fee >= prices.blob_fee);
        transaction.effective_tip_per_gas(prices.base_fee).filter(|_| pays_blobs)
    }

    /// Whether its turn comes by what it pays.
    pub(crate) const fn is_promising(&self) -> bool {
        self.faults < FAULTS_MAX
    }

    /// Whether `other` pays enough more to take its place.
    pub(crate) fn check_replacement(&self, other: &Transaction) -> Result<(), PoolError> {
        let own = self.transaction();
        let (max_fee, own_tip) = (own.max_fee_per_gas(), tip(own));
        let blob_fees = own.max_fee_per_blob_gas().zip(other.max_fee_per_blob_gas());
        let percent = if blob_fees.is_some() { BLOB_PRICE_BUMP_PERCENT } else { PRICE_BUMP_PERCENT };
        let pays_blobs = blob_fees.is_none_or(|(own, other)| other >= bumped(own, percent));
        if other.max_fee_per_gas() >= bumped(max_fee, percent) && tip(other) >= bumped(own_tip, percent) && pays_blobs {
            return Ok(());
        }
        Err(PoolError::Underpriced { replaced: self.hash(), max_fee, tip: own_tip, percent })
    }
}

/// Least fee of a replacement: at least one wei more where the percentage rounds to nothing.
fn bumped(fee: u128, percent: u128) -> u128 {
    let bump = (fee / 100).saturating_mul(percent) + (fee % 100 * percent).div_ceil(100);
    fee.saturating_add(bump)
}

/// The transactions of one sender. Invariant: no nonce lies below the account's, and `bytes` is the sum of theirs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    /// Next nonce of the account, as last seen.
    pub(crate) account_nonce: u64,
    entries: BTreeMap<u64, Entry>,
    bytes: usize,
}

impl Lane {
    /// The run of transactions from the account's nonce on.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .range(self.account_nonce..)
            .zip(self.account_nonce..)
            .map_while(|((nonce, entry), expected)| (*nonce == expected).then_some(entry))
    }

    /// The nonce behind that run.
    pub(crate) fn next_nonce(&self) -> u64 {
        match self.last() {
            Some((last, _)) if self.is_without_gap() => last + 1,
            _ => self.account_nonce + self.pending().count() as u64,
        }
    }

    /// Whether the last transaction belongs to that run: nonces are distinct, so the run is whole where it is as long as
    /// their range.
    pub(crate) fn is_without_gap(&self) -> bool {
        self.last().is_some_and(|(nonce, _)| nonce - self.account_nonce + 1 == self.len() as u64)
    }

    pub(crate) fn get(&self, nonce: u64) -> Option<&Entry> {
        self.entries.get(&nonce)
    }

    pub(crate) fn get_mut(&mut self, nonce: u64) -> Option<&mut Entry> {
        self.entries.get_mut(&nonce)
    }

    /// All, by nonce.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.entries.iter().map(|(nonce, entry)| (*nonce, entry))
    }

    pub(crate) fn last(&self) -> Option<(u64, &Entry)> {
        self.entries.last_key_value().map(|(nonce, entry)| (*nonce, entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether its transactions carry blobs: all of them do, or none.
    pub(crate) fn has_blobs(&self) -> bool {
        self.last().is_some_and(|(_, entry)| entry.candidate.has_blobs())
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.bytes += entry.candidate.bytes;
        let before = self.entries.insert(entry.transaction().nonce(), entry);
        debug_assert!(before.is_none(), "what is replaced is taken out before");
    }

    pub(crate) fn remove(&mut self, nonce: u64) -> Option<Entry> {
        let entry = self.entries.remove(&nonce)?;
        self.bytes -= entry.candidate.bytes;
        Some(entry)
    }

    /// Takes the account's nonce and gives the transactions that can no longer be included.
    pub(crate) fn follow(&mut self, account_nonce: u64) -> Vec<Entry> {
        self.account_nonce = account_nonce;
        let mut stale = Vec::new();
        while let Some((nonce, _)) = self.entries.first_key_value().filter(|(nonce, _)| **nonce < account_nonce) {
            stale.extend(self.remove(*nonce));
        }
        stale
    }
}

//! The transactions of one sender, by nonce.

use std::collections::BTreeMap;

use alloy_consensus::Transaction as _;
use alloy_primitives::B256;
use parapet_types::Transaction;

use crate::{PRICE_BUMP_PERCENT, PoolError, admission::tip};

/// A transaction in its lane.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) transaction: Transaction,
    /// Number of its arrival; the earlier of two that pay the same goes first.
    pub(crate) arrival: u64,
    /// Length of its encoding, in bytes.
    pub(crate) bytes: usize,
    /// How often the node could not execute it, by no fault of its own.
    pub(crate) faults: u32,
}

impl Entry {
    pub(crate) fn hash(&self) -> B256 {
        *self.transaction.tx_hash()
    }

    /// What it pays above the base fee, in wei per gas; `None` when it does not pay the base fee.
    pub(crate) fn effective_tip(&self, base_fee: u64) -> Option<u128> {
        self.transaction.effective_tip_per_gas(base_fee)
    }

    /// Whether `other` pays enough more to take its place.
    pub(crate) fn check_replacement(&self, other: &Transaction) -> Result<(), PoolError> {
        let (max_fee, own_tip) = (self.transaction.max_fee_per_gas(), tip(&self.transaction));
        if other.max_fee_per_gas() >= bumped(max_fee) && tip(other) >= bumped(own_tip) {
            return Ok(());
        }
        Err(PoolError::Underpriced { replaced: self.hash(), max_fee, tip: own_tip })
    }
}

/// Least fee of a replacement: at least one wei more where the percentage rounds to nothing.
fn bumped(fee: u128) -> u128 {
    let bump = (fee / 100).saturating_mul(PRICE_BUMP_PERCENT) + (fee % 100 * PRICE_BUMP_PERCENT).div_ceil(100);
    fee.saturating_add(bump)
}

/// The transactions of one sender. Invariant: no nonce lies below the account's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    /// Next nonce of the account, as last seen.
    pub(crate) account_nonce: u64,
    pub(crate) entries: BTreeMap<u64, Entry>,
}

impl Lane {
    /// The run of transactions from the account's nonce on.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Entry> {
        let from = self.account_nonce;
        self.entries
            .iter()
            .enumerate()
            .take_while(move |(index, (nonce, _))| nonce.checked_sub(from) == Some(*index as u64))
            .map(|(_, (_, entry))| entry)
    }

    /// Takes the account's nonce and gives the transactions that can no longer be included.
    pub(crate) fn follow(&mut self, account_nonce: u64) -> Vec<Entry> {
        self.account_nonce = account_nonce;
        let kept = self.entries.split_off(&account_nonce);
        std::mem::replace(&mut self.entries, kept).into_values().collect()
    }
}

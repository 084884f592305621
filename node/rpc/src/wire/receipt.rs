//! Receipts and logs on the wire.

use alloy_consensus::Transaction as _;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::{Filter, Log, TransactionReceipt};
use alloy_rpc_types_trace::otterscan::{OtsReceipt, OtsTransactionReceipt};
use parapet_state::StoredBlock;
use parapet_types::Executed;
use serde::Serialize;

use crate::revert::GuardVetoView;

/// A receipt, and whose veto it was if there was one.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    #[serde(flatten)]
    inner: TransactionReceipt,
    /// What of `gasUsed` is for the guards that it woke, and the fuel they spent: absent where they spent none.
    #[serde(flatten)]
    guard_cost: Option<GuardCost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guard_veto: Option<GuardVetoView>,
}

impl Receipt {
    /// As Otterscan wants it: without logs, with the time of its block.
    pub(crate) fn without_logs(self, kind: u8, timestamp: u64) -> OtsTransactionReceipt {
        let receipt = self.inner.map_inner(|receipt| OtsReceipt {
            status: receipt.status(),
            cumulative_gas_used: receipt.cumulative_gas_used(),
            logs: None,
            logs_bloom: None,
            r#type: kind,
        });
        OtsTransactionReceipt { receipt, timestamp: Some(timestamp) }
    }
}

/// What a transaction's guards cost it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GuardCost {
    guard_gas_used: U64,
    guard_fuel: U64,
}

impl GuardCost {
    /// `None`: they spent nothing.
    pub(crate) fn of(executed: &Executed) -> Option<Self> {
        let cost =
            Self { guard_gas_used: U64::from(executed.guard_gas_used), guard_fuel: U64::from(executed.guard_fuel.0) };
        (executed.guard_fuel.0 > 0).then_some(cost)
    }
}

/// The receipts of a block.
pub(crate) fn receipts(block: &StoredBlock, blobs: Option<BlobParams>) -> Vec<Receipt> {
    let mut first_log = 0;
    (0..block.receipts.len())
        .filter_map(|index| {
            let receipt = receipt_after(block, index, first_log, blobs);
            first_log += block.receipts[index].logs().len();
            receipt
        })
        .collect()
}

/// The receipt of one transaction; `None` if the block has no such index.
pub(crate) fn receipt(block: &StoredBlock, index: usize, blobs: Option<BlobParams>) -> Option<Receipt> {
    let first_log = block.receipts.iter().take(index).map(|receipt| receipt.logs().len()).sum();
    receipt_after(block, index, first_log, blobs)
}

fn receipt_after(block: &StoredBlock, index: usize, first_log: usize, blobs: Option<BlobParams>) -> Option<Receipt> {
    let transaction = block.transactions.get(index)?;
    let executed = block.executed.get(index)?;
    let tx = transaction.inner();
    let place = Place::of(block, index);
    let mut log_index = first_log as u64;
    let inner = block.receipts.get(index)?.clone().map_logs(|log| {
        let log = place.log(log, log_index);
        log_index += 1;
        log
    });
    let excess = block.header.excess_blob_gas.filter(|_| tx.blob_gas_used().is_some());
    let inner = TransactionReceipt {
        inner,
        transaction_hash: place.transaction_hash,
        transaction_index: Some(place.transaction_index),
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        gas_used: executed.gas_used,
        effective_gas_price: tx.effective_gas_price(block.header.base_fee_per_gas),
        blob_gas_used: tx.blob_gas_used(),
        blob_gas_price: excess.and_then(|excess| Some(blobs?.calc_blob_fee(excess))),
        from: transaction.signer(),
        to: tx.to(),
        contract_address: tx.is_create().then(|| transaction.signer().create(tx.nonce())),
    };
    Some(Receipt { inner, guard_cost: GuardCost::of(executed), guard_veto: GuardVetoView::of(executed) })
}

/// The logs of a block that a filter's addresses and topics match; its block range is not looked at.
pub(crate) fn block_logs(block: &StoredBlock, filter: &Filter, removed: Removed) -> Vec<Log> {
    if !filter.matches_bloom(block.header.logs_bloom) {
        return Vec::new();
    }
    let mut logs = Vec::new();
    let mut log_index = 0;
    for (index, receipt) in block.receipts.iter().enumerate() {
        let place = Place::of(block, index);
        for log in receipt.logs() {
            if filter.matches(log) {
                logs.push(Log { removed: removed == Removed::Yes, ..place.log(log.clone(), log_index) });
            }
            log_index += 1;
        }
    }
    logs
}

/// Logs of one transaction, each with its index in the block.
pub(crate) fn logs_at<'l>(
    block: &StoredBlock,
    index: usize,
    logs: impl Iterator<Item = (u64, &'l alloy_primitives::Log)>,
) -> Vec<Log> {
    let place = Place::of(block, index);
    logs.map(|(log_index, log)| place.log(log.clone(), log_index)).collect()
}

/// Whether a log's block has left the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    No,
    Yes,
}

/// Where in the chain a log stands.
struct Place {
    block_hash: B256,
    block_number: u64,
    block_timestamp: u64,
    transaction_hash: B256,
    transaction_index: u64,
}

impl Place {
    fn of(block: &StoredBlock, index: usize) -> Self {
        Self {
            block_hash: block.hash(),
            block_number: block.number(),
            block_timestamp: block.header.timestamp,
            transaction_hash: *block.transactions[index].inner().tx_hash(),
            transaction_index: index as u64,
        }
    }

    fn log(&self, inner: alloy_primitives::Log, log_index: u64) -> Log {
        Log {
            inner,
            block_hash: Some(self.block_hash),
            block_number: Some(self.block_number),
            block_timestamp: Some(self.block_timestamp),
            transaction_hash: Some(self.transaction_hash),
            transaction_index: Some(self.transaction_index),
            log_index: Some(log_index),
            removed: false,
        }
    }
}

//! Guards that are tried out, on the wire.

use alloy_primitives::{B256, U64};
use parapet_monitor::{Fuel, Verdict};
use parapet_simulate::{Judged, Opinion, Tried};
use parapet_state::StoredBlock;
use parapet_types::Destiny;
use serde::Serialize;

/// A guard that is tried out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriedGuard {
    attachment: B256,
    module: B256,
    guard: String,
    version: String,
}

impl From<&Tried> for TriedGuard {
    fn from(tried: &Tried) -> Self {
        let tryout = tried.tryout();
        Self {
            attachment: tryout.attachment,
            module: tryout.module,
            guard: tryout.guard.clone(),
            version: tryout.version.clone(),
        }
    }
}

/// What one guard made of a transaction.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriedOpinion {
    /// Nothing, if it did not wake.
    verdicts: Vec<Verdict>,
    /// What it spent.
    fuel: Fuel,
    /// It was not asked, because it had spent in this block what the guards of a block may.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    block_full: bool,
}

impl From<Opinion> for TriedOpinion {
    fn from(opinion: Opinion) -> Self {
        let (verdicts, block_full) = match opinion {
            Opinion::Said(verdicts) => (verdicts, false),
            Opinion::BlockFull => (Vec::new(), true),
        };
        let fuel = verdicts.iter().map(|verdict| verdict.fuel).max().unwrap_or_default();
        Self { verdicts, fuel, block_full }
    }
}

/// What guards that are tried out made of a transaction of a block.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriedTransaction {
    transaction_hash: B256,
    transaction_index: U64,
    /// What became of it on the chain.
    destiny: Destiny,
    /// Its limit.
    gas: U64,
    gas_used: U64,
    /// By guard, in the order of the request.
    candidates: Vec<TriedOpinion>,
}

/// A block in which one of the guards had something to do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriedBlock {
    block_number: U64,
    block_hash: B256,
    timestamp: U64,
    /// Those that woke a guard, or would have.
    transactions: Vec<TriedTransaction>,
}

impl TriedBlock {
    /// A block that was executed for guards that are tried out.
    pub(crate) fn of(block: &StoredBlock, judged: Vec<Judged>) -> Self {
        let all = (0_u64..).zip(block.transactions.iter().zip(judged));
        let transactions = all.map(|(index, (transaction, judged))| TriedTransaction {
            transaction_hash: *transaction.tx_hash(),
            transaction_index: U64::from(index),
            destiny: judged.executed.destiny,
            gas: U64::from(alloy_consensus::Transaction::gas_limit(transaction.inner())),
            gas_used: U64::from(judged.executed.gas_used),
            candidates: judged.opinions.into_iter().map(TriedOpinion::from).collect(),
        });
        let stirred = |one: &TriedTransaction| {
            one.candidates.iter().any(|opinion| opinion.block_full || !opinion.verdicts.is_empty())
        };
        Self {
            block_number: U64::from(block.number()),
            block_hash: block.hash(),
            timestamp: U64::from(block.header.timestamp),
            transactions: transactions.filter(stirred).collect(),
        }
    }

    /// Whether a guard woke.
    pub(crate) fn woke_somebody(&self) -> bool {
        !self.transactions.is_empty()
    }

    /// How many verdicts there are.
    pub(crate) fn count(&self) -> usize {
        let opinions = self.transactions.iter().flat_map(|transaction| &transaction.candidates);
        opinions.map(|opinion| opinion.verdicts.len().max(1)).sum()
    }
}

/// Part of a backtest.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BacktestPage {
    /// First block of the page.
    pub(crate) from_block: U64,
    /// The one after its last.
    pub(crate) next_block: U64,
    /// Whether that was all; the backtest is then over, and its handle no more.
    pub(crate) done: bool,
    pub(crate) executed_blocks: U64,
    pub(crate) executed_transactions: U64,
    /// Those in which a guard woke.
    pub(crate) blocks: Vec<TriedBlock>,
}

//! Verdicts of a block on the wire: of its transactions, and of what the chain itself did in it; all together, or one by one
//! as they are announced.

use alloy_primitives::{B256, U64};
use parapet_monitor::Verdict;
use parapet_state::StoredBlock;
use parapet_types::{ChainAct, JudgedAct};
use serde::Serialize;

use super::Removed;

/// What was said in a block. Whatever woke nobody is left out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockVerdicts {
    block_number: U64,
    block_hash: B256,
    transactions: Vec<TransactionVerdicts>,
    /// System calls and withdrawals, which no guard can veto.
    chain_acts: Vec<JudgedAct>,
}

/// What was said of a transaction.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TransactionVerdicts {
    transaction_hash: B256,
    transaction_index: U64,
    verdicts: Vec<Verdict>,
}

impl BlockVerdicts {
    /// Those of a block that are wanted.
    pub(crate) fn of(block: &StoredBlock, is_wanted: impl Fn(&Verdict) -> bool) -> Self {
        let wanted = |verdicts: &[Verdict]| -> Vec<Verdict> {
            verdicts.iter().filter(|verdict| is_wanted(verdict)).cloned().collect()
        };
        let transactions = (0..).zip(&block.transactions).zip(&block.executed);
        let transactions = transactions.map(|((index, transaction), executed)| TransactionVerdicts {
            transaction_hash: *transaction.tx_hash(),
            transaction_index: U64::from::<u64>(index),
            verdicts: wanted(&executed.verdicts),
        });
        let acts = block.chain_acts.iter();
        let acts = acts.map(|judged| JudgedAct { act: judged.act, verdicts: wanted(&judged.verdicts) });
        Self {
            block_number: U64::from(block.number()),
            block_hash: block.hash(),
            transactions: transactions.filter(|said| !said.verdicts.is_empty()).collect(),
            chain_acts: acts.filter(|said| !said.verdicts.is_empty()).collect(),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let transactions = self.transactions.iter().map(|said| said.verdicts.len());
        transactions.chain(self.chain_acts.iter().map(|said| said.verdicts.len())).sum()
    }
}

/// One verdict, as it is announced.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SaidVerdict {
    block_number: U64,
    block_hash: B256,
    /// Whose transaction it is about; `null` where it is about what the chain itself did.
    transaction_hash: Option<B256>,
    transaction_index: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<ChainAct>,
    /// Whether the block was dropped from the chain, and the verdict with it.
    removed: bool,
    #[serde(flatten)]
    verdict: Verdict,
}

impl SaidVerdict {
    /// Those of a block that are wanted.
    pub(crate) fn of(block: &StoredBlock, removed: Removed, is_wanted: impl Fn(&Verdict) -> bool) -> Vec<Self> {
        let all = BlockVerdicts::of(block, is_wanted);
        let one = |verdict: Verdict| Self {
            block_number: all.block_number,
            block_hash: all.block_hash,
            transaction_hash: None,
            transaction_index: None,
            act: None,
            removed: removed == Removed::Yes,
            verdict,
        };
        let of_transactions = all.transactions.iter().flat_map(|said| {
            said.verdicts.iter().map(|verdict| Self {
                transaction_hash: Some(said.transaction_hash),
                transaction_index: Some(said.transaction_index),
                ..one(verdict.clone())
            })
        });
        let of_acts = all.chain_acts.iter().flat_map(|judged| {
            judged.verdicts.iter().map(|verdict| Self { act: Some(judged.act), ..one(verdict.clone()) })
        });
        of_transactions.chain(of_acts).collect()
    }
}

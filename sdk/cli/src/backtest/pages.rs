//! A backtest as a node gives it: page by page, over plain HTTP.
//!
//! Invariant: a backtest that is left before its end is ended on the node, too, as far as the node can be reached.

use alloy_primitives::{B256, U64};
use parapet_monitor::{Candidate, Fuel, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{CliError, node::Node};

/// A backtest that has begun.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begun {
    handle: U64,
    pub(crate) from_block: U64,
    pub(crate) to_block: Option<U64>,
    pub(crate) fuel_per_gas: u64,
    pub(crate) candidates: Vec<TriedGuard>,
}

/// A guard that is tried out.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TriedGuard {
    pub(crate) attachment: B256,
    pub(crate) module: B256,
    pub(crate) guard: String,
    pub(crate) version: String,
}

/// Part of a backtest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) next_block: U64,
    pub(crate) done: bool,
    pub(crate) executed_blocks: U64,
    pub(crate) executed_transactions: U64,
    pub(crate) blocks: Vec<TriedBlock>,
}

/// A block in which a guard woke.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriedBlock {
    pub(crate) block_number: U64,
    pub(crate) transactions: Vec<TriedTransaction>,
}

/// A transaction that woke a guard.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriedTransaction {
    pub(crate) transaction_hash: B256,
    pub(crate) gas: U64,
    pub(crate) gas_used: U64,
    pub(crate) candidates: Vec<Opinion>,
}

/// What a guard made of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opinion {
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) fuel: Fuel,
    #[serde(default)]
    pub(crate) block_full: bool,
}

const WHAT: &str = "trying the guard out";

/// Begins a backtest; without a last block it follows the head.
pub(crate) async fn begin(
    node: &Node,
    candidates: &[Candidate],
    from_block: Value,
    to_block: Option<u64>,
) -> Result<Begun, CliError> {
    let request = json!({
        "candidates": candidates,
        "fromBlock": from_block,
        "toBlock": to_block.map(U64::from),
    });
    node.ask(WHAT, "guard_backtest", request).await
}

impl Begun {
    /// The next page.
    pub(crate) async fn next(&self, node: &Node) -> Result<Page, CliError> {
        node.ask(WHAT, "guard_backtestNext", self.handle).await
    }

    /// Ends it on the node. Whoever leaves does not care whether that works: the node drops it by itself, too.
    pub(crate) async fn stop(&self, node: &Node) {
        let _ended: Result<bool, _> = node.ask(WHAT, "guard_backtestStop", self.handle).await;
    }
}

//! What is counted of an attachment, for those who ask.

use serde::{Deserialize, Serialize};

use crate::Fuel;

/// What an attachment said of the transactions that are in blocks, since it was attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Transactions that it judged.
    pub judged: u64,
    /// Those of them that it vetoed.
    pub vetoed: u64,
    /// Those that it would have vetoed, but could not: in shadow, by an escape, or because they failed by themselves.
    pub would_veto: u64,
    /// Alerts, any number for one transaction.
    pub alerts: u64,
    /// Fuel that it spent.
    pub fuel: Fuel,
    /// How close it is to dropping to shadow by itself.
    pub evidence: Evidence,
}

/// How close an attachment is to dropping to shadow by itself. All zeros where it declared no share of vetoes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Senders that it had let pass before and judged in the current window of blocks.
    pub judged: u64,
    /// Those of them that it vetoed.
    pub vetoed: u64,
    /// Windows in a row, before this one, in which it vetoed too much.
    pub windows: u64,
    /// Block time at the end of the first of them, in seconds since 1970; zero where there is none.
    pub since_s: u64,
}

//! From the node's types to JSON-RPC's, and back. Nothing else in the node holds wire types.

mod block;
mod quantity;
mod receipt;
mod request;
mod slot;
mod tryouts;
mod verdicts;

pub(crate) use block::{block, header, mined_transaction, pending_transaction};
pub(crate) use quantity::Quantity;
pub use receipt::Receipt;
pub(crate) use receipt::{Removed, block_logs, receipt, receipts};
pub(crate) use request::{call_request, override_block, override_state};
pub(crate) use slot::Slot;
pub(crate) use tryouts::{BacktestPage, TriedBlock, TriedGuard, TriedOpinion};
pub(crate) use verdicts::{BlockVerdicts, SaidVerdict};

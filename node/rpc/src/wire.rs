//! From the node's types to JSON-RPC's, and back. Nothing else in the node holds wire types.

mod block;
mod hash;
mod listed;
mod overrides;
mod payload;
mod quantity;
mod receipt;
mod reference;
mod request;
mod simulated;
mod slot;
mod tryouts;
mod verdicts;

pub(crate) use block::{block, header, mined_transaction, ommer, pending_transaction};
pub(crate) use hash::Hash;
pub(crate) use listed::AccountAccess;
pub(crate) use overrides::{narrow, override_block, override_state};
pub(crate) use payload::BuiltPayload;
pub(crate) use quantity::Quantity;
pub use receipt::Receipt;
pub(crate) use receipt::{Removed, block_logs, logs_at, receipt, receipts};
pub(crate) use reference::BlockRef;
pub(crate) use request::call_request;
pub(crate) use simulated::{BlockStateCall, SimulatePayload, SimulatedBlock, SimulatedCall, unsigned};
pub(crate) use slot::Slot;
pub(crate) use tryouts::{BacktestPage, TriedBlock, TriedGuard, TriedOpinion};
pub(crate) use verdicts::{BlockVerdicts, SaidVerdict};

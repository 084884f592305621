//! Runs transactions that are never committed: calls, gas estimates, access lists, debug traces, recordings, questions of
//! readers to guards, and guards that are tried out on what has been.
//!
//! Everything here goes through the executor's own [`Session`](parapet_executor::Session), monitor included, so that a
//! simulation is vetoed exactly where the transaction would be. Nothing is written: neither state nor guard state.

mod backtest;
mod beside;
mod blocks;
mod bounded;
mod call;
mod estimate;
mod laid;
mod late;
mod parity;
mod past;
mod query;
mod record;
mod spy;
mod trace;
mod transfers;

pub use backtest::{Judged, backtest_block, call_beside, transaction_beside};
pub use beside::{Opinion, Tried};
pub use blocks::{BlockPlan, BlockSimulationError, BrokenRule, Budget, RanBlock, RanCall, Validation, simulate_block};
pub use call::{CallRequest, Overrides, SimulateError, call, create_access_list};
pub use laid::TRIED_WORDS_MAX;
pub use late::{Late, briefly, check_time, until};
pub use parapet_executor::{Point, PrecompileMoves};

pub use estimate::{EstimateError, estimate_gas};
pub use parity::{Steps, TraceTypes, replay_block, replay_call, replay_calls, replay_transaction};
pub use past::changes_before;
pub use query::query;
pub use record::{RecordError, execute_recorded, record};
pub use trace::{TraceBudget, trace_block, trace_call, trace_calls, trace_transaction};
pub use transfers::{ETHER_TOKEN, PlacedLog, Transfers};

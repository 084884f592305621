//! Runs CosmWasm contracts as guards: the only crate that knows cosmwasm-vm.
//!
//! ```text
//! bytes → is_contract? → vet (named limits, no floats, entry points) → Contract → compiled once
//! Session per (transaction, attachment): instantiate | sudo(message) | query → End: returned, vetoed, trapped, …
//!     instance ◀─ idle ─▶ memory and globals put back      storage ─▶ ordered guard state      query ─▶ StateView
//! ```
//!
//! Assumptions and invariants:
//! - What a contract does depends on the trace, the state, its attachment and its bytes alone: no clock, no randomness,
//!   no floats, and memory that is as new for each transaction.
//! - Work is counted in CosmWasm gas by the pinned cosmwasm-vm and told in fuel ([`metering`]).
//! - A contract's misbehaviour is an [`End`]; a failure of the engine is a [`Fault`](parapet_monitor::Fault). They are
//!   never confused: the first has the outcome that the attachment declared, the second stops the transaction.
//! - Guard state is what `parapet-store` keeps: reads and scans go through the executor's view, writes stay in the
//!   session until the transaction has succeeded.
//! - What a session's subject, calls and alerts are is said once, in `parapet-vm`.

mod address;
mod contract;
mod engine;
mod error;
mod idle;
mod instance;
mod lend;
pub mod limits;
mod memory;
mod message;
pub mod metering;
mod querier;
mod records;
mod response;
mod session;
mod storage;
mod vet;

pub use contract::Contract;
pub use engine::Engine;
pub use error::{End, Limit, VetError};
pub use message::{TooLong, judge as sudo_message};
pub use session::Session;
pub use vet::{Answers, Vetted, is_contract, vet};

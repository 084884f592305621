//! Runs native guards: Wasm modules on wasmtime, the only crate that knows it.
//!
//! ```text
//! bytes → vet (named limits, no floats, known imports) → Guard → compiled once → Session per (transaction, attachment)
//! Session.call(hook, trace, view) → HookEnd: returned, vetoed, trapped, out of fuel, over a limit
//! ```
//!
//! Assumptions and invariants:
//! - What a guard does depends on the trace, the state, its attachment and its bytes alone: no clock, no randomness, no
//!   floats, no threads, and memory that is fresh for each transaction and capped at the same size everywhere.
//! - Fuel is counted by the operators a guard executes ([`metering`]), not by time.
//! - A guard's misbehaviour is a [`HookEnd`]; a failure of the engine is a [`Fault`](parapet_monitor::Fault). They are
//!   never confused: the first has the outcome that the attachment declared, the second stops the transaction.
//! - What the executor lends for a hook (`lend`) is out of a guard's reach when the hook has ended.

mod ahead;
mod artefact;
mod compiler;
mod engine;
mod expose;
mod guard;
mod host;
mod instance;
mod kept;
mod lend;
pub mod limits;
mod meter;
pub mod metering;
mod ready;
mod session;
mod vet;
mod warm;

pub use ahead::{Ahead, Preparable};
pub use engine::{Engine, EngineError, EngineSettings, Optimisation};
pub use guard::Guard;
pub use host::{Alert, Limit};
pub use meter::Meter;
pub use ready::{Ready, Room};
pub use session::{HookCall, HookEnd, Session, Subject};
pub use vet::{Code, Hooks, VetError, Vetted, vet};

//! What guard authors use, so that a guard is one readable file without unsafe code.
//!
//! ```
//! use parapet_guest::prelude::*;
//!
//! /// No more than so much ether moves in one transaction.
//! #[guard(name = "ether_cap", triggers(flow))]
//! pub struct EtherCap {
//!     /// Most ether that may move, in wei.
//!     #[param(default = "1000000000000000000")]
//!     tx_max: U256,
//! }
//!
//! #[guard]
//! impl Guard for EtherCap {
//!     fn on_tx(&self, tx: &Tx) {
//!         let moved = tx.flows().filter(|flow| flow.asset() == Some(Asset::Ether));
//!         let total = moved.fold(U256::ZERO, |sum, flow| sum.saturating_add(flow.amount()));
//!         if total > self.tx_max {
//!             veto!(1, "{} wei moved, at most {} may", total, self.tx_max);
//!         }
//!     }
//! }
//! ```
//!
//! `#[guard(…)]` on the struct writes the descriptor (`parapet_abi::descriptor`) into the module's custom section and
//! decodes the configuration; `#[guard]` on the `impl` exports exactly the hooks that are written there, and always
//! `init`, which refuses a configuration that cannot be decoded.
//!
//! On `wasm32` the crate is `no_std` and brings allocator and panic handler. Elsewhere the same calls go to the
//! scripted host of the calling thread (`mock`), so a guard's unit tests run natively.
//!
//! Invariant: an instance lives for one transaction. Nothing a guard keeps in memory outlasts it; what must last goes
//! to [`store`].

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;
// `veto!` and `alert!` name this crate from outside; it uses them itself.
extern crate self as parapet_guest;

pub mod calls;
pub mod config;
pub mod descriptor;
mod entry;
mod guard;
mod host;
#[cfg(target_arch = "wasm32")]
mod memory;
#[cfg(not(target_arch = "wasm32"))]
pub mod mock;
pub mod moved;
mod records;
pub mod speech;
pub mod store;
mod tx;
mod units;
mod value;

pub use entry::EntryChange;
pub use guard::{Guard, Hooks};
pub use parapet_abi as abi;
pub use parapet_macros::{alert, args, calldata, calls, guard, logs, veto, view};
pub use records::{Access, Authorization, CodeChange, Context, Delegate, Flow, Frame, Log, Preimage, SlotChange, View};
pub use ruint::aliases::{U256, U512};
pub use tx::{Ancestors, Fork, Records, Tx, VIEW_GAS, Viewed};
pub use units::{Bps, SECONDS_MAX, Seconds, Wei};
pub use value::{Address, B256, Bytes4, keccak256};

/// Code of the veto with which a guard refuses a configuration that it cannot decode. A guard's own codes lie below.
pub const CODE_CONFIGURATION: u16 = 0xfeff;

/// Everything that a guard names.
pub mod prelude {
    pub use alloc::vec::Vec;
    pub use parapet_abi::{AccessKind, Asset, CodeChangeKind, FlowReason, FrameKind, FrameStatus};

    pub use crate::{
        Access, Address, Authorization, B256, Bps, Bytes4, CodeChange, Context, Delegate, EntryChange, Flow, Fork,
        Frame, Guard, Log, Preimage, Seconds, SlotChange, Tx, U256, Wei, alert, args, calldata, calls, guard,
        keccak256, logs, moved,
        speech::{Detail, Show},
        store, veto, view,
    };
}

/// What the expansion of `#[guard]` names; not for authors.
#[doc(hidden)]
pub mod expansion {
    #[cfg(target_arch = "wasm32")]
    pub use crate::memory::Once;
    pub use alloc::vec::Vec;

    pub use crate::{
        calls::{arguments, logged, of as calls_of},
        config, descriptor,
        guard::{load, woken},
        tx::{Tx, calldata},
    };
}

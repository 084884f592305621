//! The hooks of a guard.
//!
//! ```
//! use parapet_guest::{CODE_CONFIGURATION, Hooks, descriptor::Described, mock::Scene, prelude::*};
//!
//! /// Nobody sends less than a minimum.
//! #[guard(name = "minimum", triggers(frame))]
//! pub struct Minimum {
//!     least: U256,
//! }
//!
//! #[guard]
//! impl Guard for Minimum {
//!     fn init(&self, tx: &Tx) {
//!         if self.least.is_zero() || tx.accounts().is_empty() {
//!             veto!(1, "least must not be zero, and somebody must be guarded");
//!         }
//!     }
//!
//!     fn on_call(&self, tx: &Tx, frame: &Frame) {
//!         if frame.value() < self.least && tx.is_guarded(frame.target()) {
//!             veto!(2, "{} is too little", frame.value());
//!         }
//!     }
//!
//!     fn on_call_end(&self, _: &Tx, frame: &Frame) {
//!         alert!(3, "frame {} has ended", frame.id());
//!     }
//!
//!     fn on_tx(&self, tx: &Tx) {
//!         alert!(4, "{} frames", tx.frames().count());
//!     }
//! }
//!
//! fn exported<G: Hooks>(_: &G) {}
//! let guard = Minimum { least: U256::ZERO };
//! exported(&guard);
//! assert!(Minimum::DESCRIPTOR.starts_with(r#"{"abi":1,"name":"minimum""#));
//! assert_eq!(Scene::new(&guard, &[Address::ZERO]).veto().map(|veto| veto.code), Some(1));
//! let broken = Scene::<Minimum>::with_configuration(vec![1; 7], &[Address::ZERO]);
//! assert_eq!(broken.veto().map(|veto| veto.code), Some(CODE_CONFIGURATION));
//! ```

use crate::{CODE_CONFIGURATION, Frame, Tx, config::Config, veto};

/// A guard. Write `#[guard]` above the `impl`: the hooks written there, and no others, are exported.
pub trait Guard: Config {
    /// At attachment: may veto to refuse its configuration.
    fn init(&self, tx: &Tx) {
        let _ = tx;
    }

    /// `frame` woke the attachment and is about to start: nothing of it has happened, its value has not moved.
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        let _ = (tx, frame);
    }

    /// `frame` woke the attachment and has ended.
    fn on_call_end(&self, tx: &Tx, frame: &Frame) {
        let _ = (tx, frame);
    }

    /// The transaction has executed and is about to be committed.
    fn on_tx(&self, tx: &Tx) {
        let _ = tx;
    }
}

/// Written by `#[guard]` on the `impl`.
#[diagnostic::on_unimplemented(
    message = "no hook of `{Self}` is exported",
    note = "write `#[guard]` above `impl Guard for {Self}`"
)]
pub trait Hooks: Guard {}

/// The guard with the attachment's configuration, or a veto that says what is wrong with it.
#[doc(hidden)]
#[must_use]
pub fn load<C: Config>() -> C {
    match C::load() {
        Ok(guard) => guard,
        Err(wrong) => veto!(CODE_CONFIGURATION, "configuration refused: {wrong}"),
    }
}

/// The frame that a hook is called for. A host that names a frame it does not have is broken: the trap fails closed.
#[doc(hidden)]
#[must_use]
pub fn woken(tx: &Tx, frame: u32) -> Frame {
    tx.frame(frame).expect("the host calls hooks for frames of the trace")
}

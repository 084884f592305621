//! The hooks of a guard.

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

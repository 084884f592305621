//! Lends a call what belongs to the executor. An instance's backend must be `'static`, the executor's trace and state are
//! borrowed for the length of a call: this module bridges the two.
//!
//! Invariant: [`Lent`] holds a pointer only while the call of [`Lent::lend`] that put it there is running.

use std::sync::{
    Arc,
    atomic::{AtomicPtr, Ordering},
};

use parapet_monitor::{Fault, StateView, Trace};
use parapet_store::{Overlay, Scan};
use parapet_vm::Subject;

use crate::Limit;

/// What a call may look at and change while it runs.
pub(crate) struct Loan<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) view: &'a mut dyn StateView,
    pub(crate) subject: &'a Subject,
    pub(crate) overlay: &'a mut Overlay,
    /// Scans that the contract opened; their numbers are their positions.
    pub(crate) scans: Vec<Scan>,
    /// Why the call was ended from below.
    pub(crate) stop: Option<Stop>,
}

/// Why a backend ended a call.
#[derive(Debug)]
pub(crate) enum Stop {
    Fault(Fault),
    Limit(Limit),
}

/// A place for the loan of the running call, known to the instance's backend.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lent(Arc<AtomicPtr<Loan<'static>>>);

impl Lent {
    /// Gives the loan to `look`, which cannot keep any of it: it must accept every lifetime.
    #[allow(unsafe_code, reason = "the loan's lifetime is not the backend's; SAFETY below")]
    pub(crate) fn with<R>(&self, look: impl for<'a> FnOnce(&mut Loan<'a>) -> R) -> R {
        let loan = self.0.load(Ordering::Relaxed);
        assert!(!loan.is_null(), "backends are asked inside calls, and calls run inside `lend`");
        // SAFETY: `lend` made the pointer from a `Loan` of its own that outlives the call, does not use it meanwhile,
        // and takes the pointer away before it returns, also when unwinding. A backend is asked by one host function at
        // a time, on the thread that runs the call, and `look` asks no backend: there is no second reference.
        look(unsafe { &mut *loan })
    }

    /// Runs `call` with `loan` in its place, and gives back how the loan was left.
    pub(crate) fn lend<R>(&self, loan: &mut Loan<'_>, call: impl FnOnce() -> R) -> R {
        struct Returned<'l>(&'l Lent);

        impl Drop for Returned<'_> {
            fn drop(&mut self) {
                self.0.0.store(std::ptr::null_mut(), Ordering::Relaxed);
            }
        }

        self.0.store(std::ptr::from_mut(loan).cast(), Ordering::Relaxed);
        let _returned = Returned(self);
        call()
    }
}

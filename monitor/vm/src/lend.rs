//! Lends a hook what belongs to the executor. A store's data must be `'static`, the executor's trace and state are
//! borrowed for the length of a call: this module bridges the two, and is the only one that needs `unsafe` for it.
//!
//! Invariant: [`Lent`] holds a pointer only while the call of [`lend`] that put it there is running.

use std::ptr::NonNull;

use parapet_monitor::{StateView, Trace};
use wasmtime::Store;

use crate::host::Host;

/// What a hook may look at while it runs.
pub(crate) struct Loan<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) view: &'a mut dyn StateView,
}

/// A place in the store's data for the loan of the running hook.
#[derive(Default)]
pub(crate) struct Lent(Option<NonNull<Loan<'static>>>);

#[allow(unsafe_code, reason = "instances wait for whichever thread needs one; SAFETY below")]
// SAFETY: there is a pointer only while `lend` runs, and then the store that holds it is borrowed on that thread. What is
// sent to another thread holds none.
unsafe impl Send for Lent {}

impl Lent {
    /// Gives the loan to `look`, which cannot keep any of it: it must accept every lifetime.
    #[allow(unsafe_code, reason = "the loan's lifetime is not the store's; SAFETY below")]
    pub(crate) fn with<R>(&mut self, look: impl for<'a> FnOnce(&mut Loan<'a>) -> R) -> R {
        let mut loan = self.0.expect("host functions run inside hooks, and hooks inside `lend`");
        // SAFETY: `lend` made the pointer from a `Loan` of its own that outlives the hook, does not use it meanwhile,
        // and takes the pointer away before it returns, also when unwinding. `&mut self` excludes a second reference.
        // Meanwhile the store is borrowed by the hook, which has no way to hand it to another thread.
        look(unsafe { loan.as_mut() })
    }
}

/// Runs `hook` with `loan` in the store's data.
pub(crate) fn lend<R>(store: &mut Store<Host>, mut loan: Loan<'_>, hook: impl FnOnce(&mut Store<Host>) -> R) -> R {
    struct Returned<'s>(&'s mut Store<Host>);

    impl Drop for Returned<'_> {
        fn drop(&mut self) {
            self.0.data_mut().lent.0 = None;
        }
    }

    store.data_mut().lent.0 = Some(NonNull::from(&mut loan).cast());
    // Dropped before `loan`, which was declared earlier.
    let returned = Returned(store);
    hook(&mut *returned.0)
}

//! A read has a time by which it must have ended. What may take long looks, wherever it could stop, whether it is too late.
//!
//! The time belongs to the thread that reads, since a read stays on one thread: so nothing on the way has to hand it on, and
//! what is called outside of [`until`] has no such time. One execution is bounded by its gas, so it is asked between
//! executions and blocks, not within.

use std::{cell::Cell, time::Instant};

thread_local! {
    static END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A read took longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("request timed out: it took longer than reads may; ask for less at once")]
pub struct Late;

/// Puts back what held before, on panics, too.
struct Restore(Option<Instant>);

impl Drop for Restore {
    fn drop(&mut self) {
        END.set(self.0);
    }
}

/// Does work that must end by a time.
pub fn until<T>(end: Instant, work: impl FnOnce() -> T) -> T {
    let _restore = Restore(END.replace(Some(end)));
    work()
}

/// Whether the work at hand may go on.
///
/// # Errors
/// [`Late`] when its time is up.
pub fn check_time() -> Result<(), Late> {
    match END.get() {
        Some(end) if Instant::now() >= end => Err(Late),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn work_without_an_end_is_never_late() {
        assert_eq!(check_time(), Ok(()));
    }

    #[test]
    fn work_is_late_once_its_time_is_up_and_what_comes_after_it_is_not() {
        let now = Instant::now();
        assert_eq!(until(now, check_time), Err(Late));
        assert_eq!(until(now + Duration::from_secs(3_600), check_time), Ok(()));
        let inner = until(now, || (until(now + Duration::from_secs(3_600), check_time), check_time()));
        assert_eq!(inner, (Ok(()), Err(Late)));
        assert_eq!(check_time(), Ok(()));
    }

    #[test]
    fn work_that_panics_leaves_no_end_behind() {
        let now = Instant::now();
        assert!(std::panic::catch_unwind(|| until(now, || panic!("as it should"))).is_err());
        assert_eq!(check_time(), Ok(()));
    }
}

//! A read has a time by which it must have ended. What may take long looks, wherever it could stop, whether it is too late.
//!
//! The time belongs to the thread that reads, since a read stays on one thread: so nothing on the way has to hand it on, and
//! what is called outside of [`until`] has no such time. An execution that runs when it is up ends in the middle. Guards do not:
//! their fuel bounds them.

use std::{cell::Cell, time::Instant};

use parapet_executor::{EvmDatabase, Patience, Session};

thread_local! {
    static END: Cell<Option<(Instant, Patience)>> = const { Cell::new(None) };
}

/// A read took longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("request timed out: it took longer than reads may; ask for less at once")]
pub struct Late;

/// Puts back what held before, on panics, too.
struct Restore(Option<(Instant, Patience)>);

impl Drop for Restore {
    fn drop(&mut self) {
        END.set(self.0);
    }
}

/// Does work that must end by a time.
pub fn until<T>(end: Instant, work: impl FnOnce() -> T) -> T {
    within(end, Patience::Guards, work)
}

/// Does work that must end by a time, and for which no guard is asked: where one would be, it is [`Late`] at once. So it takes
/// hardly longer than it may, since no guard is compiled for it.
pub fn briefly<T>(end: Instant, work: impl FnOnce() -> T) -> T {
    within(end, Patience::NoGuards, work)
}

fn within<T>(end: Instant, patience: Patience, work: impl FnOnce() -> T) -> T {
    let _restore = Restore(END.replace(Some((end, patience))));
    work()
}

/// Whether the work at hand may go on.
///
/// # Errors
/// [`Late`] when its time is up.
pub fn check_time() -> Result<(), Late> {
    match END.get() {
        Some((end, _)) if Instant::now() >= end => Err(Late),
        Some(_) | None => Ok(()),
    }
}

/// A session whose executions end when the time of the work at hand is up.
pub(crate) fn timed<DB: EvmDatabase, INSP>(session: Session<'_, DB, INSP>) -> Session<'_, DB, INSP> {
    match END.get() {
        Some((_, patience)) => session.interrupted_when(|| check_time().is_err(), patience),
        None => session,
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

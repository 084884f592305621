//! Where time comes from. Nothing else in this crate looks at the machine's clock.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A source of wall-clock time.
pub trait Clock: Send + Sync {
    /// Seconds since 1970.
    fn now(&self) -> u64;

    /// Time since a moment that does not change: it never goes back. For deadlines.
    fn steady(&self) -> Duration {
        Duration::from_secs(self.now())
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        // A machine whose clock stands before 1970 gets blocks that follow their parent by one second each.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn steady(&self) -> Duration {
        static FIRST_ASKED: LazyLock<Instant> = LazyLock::new(Instant::now);
        FIRST_ASKED.elapsed()
    }
}

impl<F: Fn() -> u64 + Send + Sync> Clock for F {
    fn now(&self) -> u64 {
        self()
    }
}

/// What the chain makes of the wall clock: an offset, and a timestamp that the next block is to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChainTime {
    /// Seconds added to the wall clock.
    pub(crate) offset: i64,
    /// Timestamp of the next block, if it was set.
    pub(crate) next: Option<u64>,
    /// Seconds from each block to the next, whatever the clock says.
    pub(crate) spacing: Option<u64>,
}

impl ChainTime {
    /// Time that is at a timestamp now, and runs on as before.
    pub(crate) fn running_from(self, clock: &dyn Clock, timestamp: u64) -> Self {
        Self { offset: difference(timestamp, clock.now()), next: None, ..self }
    }

    /// Timestamp of a block built now on a parent of `parent_timestamp`.
    pub(crate) fn timestamp(self, clock: &dyn Clock, parent_timestamp: u64) -> u64 {
        let spaced = self.spacing.map(|seconds| parent_timestamp.saturating_add(seconds));
        let wanted = self.next.or(spaced).unwrap_or_else(|| clock.now().saturating_add_signed(self.offset));
        wanted.max(parent_timestamp.saturating_add(1))
    }

    /// After a block of `timestamp`: a timestamp that was set is used up, and time runs on from it.
    pub(crate) fn after_block(&mut self, clock: &dyn Clock, timestamp: u64) {
        if self.next.is_some() {
            *self = self.running_from(clock, timestamp);
        }
    }

    /// The offset by which time is not before a timestamp.
    pub(crate) fn not_before(self, clock: &dyn Clock, timestamp: u64) -> i64 {
        self.offset.max(difference(timestamp, clock.now()))
    }
}

/// `a - b`, held at the ends of the range.
fn difference(a: u64, b: u64) -> i64 {
    i64::try_from(i128::from(a) - i128::from(b)).unwrap_or(if a > b { i64::MAX } else { i64::MIN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_clock_but_never_stands_still() {
        let time = ChainTime::default();
        assert_eq!(time.timestamp(&|| 100, 50), 100);
        assert_eq!(time.timestamp(&|| 100, 100), 101);
        assert_eq!(time.timestamp(&|| 100, 400), 401);
    }

    #[test]
    fn time_runs_on_from_a_timestamp_that_was_set() {
        let mut time = ChainTime { next: Some(1_000), ..ChainTime::default() };
        assert_eq!(time.timestamp(&|| 100, 50), 1_000);
        time.after_block(&|| 100, 1_000);
        assert_eq!(time.next, None);
        assert_eq!(time.timestamp(&|| 107, 1_000), 1_007);
    }

    #[test]
    fn spaced_blocks_follow_their_parent_and_a_timestamp_that_was_set_comes_first() {
        let time = ChainTime { spacing: Some(12), ..ChainTime::default() };
        assert_eq!(time.timestamp(&|| 1_000, 50), 62);
        assert_eq!(ChainTime { next: Some(99), ..time }.timestamp(&|| 1_000, 50), 99);
        assert_eq!(ChainTime { spacing: Some(0), ..time }.timestamp(&|| 1_000, 50), 51);
    }

    #[test]
    fn offsets_do_not_wrap_around() {
        let time = ChainTime { offset: i64::MIN, ..ChainTime::default() };
        assert_eq!(time.timestamp(&|| 5, 7), 8);
        assert_eq!(difference(0, u64::MAX), i64::MIN);
        assert_eq!(difference(u64::MAX, 0), i64::MAX);
    }
}

//! When a block must be finished. Invariant: every block takes its first candidate, however late it is, so that a chain
//! goes on whatever its deadline.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use parapet_executor::Deadline;

use crate::{Clock, Mining};

/// The part of an interval that executing may take where no deadline is set: one half. The other is for the state's root,
/// for storing, and for whoever waits to write.
const INTERVAL_PARTS: u32 = 2;

/// How long a block's execution may take: what was set, else half of the interval at which blocks are mined. Blocks that
/// somebody asked for take as long as they need.
pub(crate) fn time_for_block(set: Option<Duration>, mining: Mining) -> Option<Duration> {
    set.or(mining.interval().map(|every| every / INTERVAL_PARTS))
}

/// Cuts a block by a clock, and remembers where.
pub(crate) struct ByClock<'a> {
    clock: &'a dyn Clock,
    until: Duration,
    /// The first candidate that was too late; `usize::MAX` as long as none was.
    cut: AtomicUsize,
}

impl<'a> ByClock<'a> {
    /// From now on for so long.
    pub(crate) fn starting_now(clock: &'a dyn Clock, time: Duration) -> Self {
        Self { clock, until: clock.steady().saturating_add(time), cut: AtomicUsize::new(usize::MAX) }
    }

    /// The same cut once more, whatever the time is then.
    pub(crate) fn same_cut(&self) -> At {
        At(self.cut.load(Ordering::Relaxed))
    }
}

impl Deadline for ByClock<'_> {
    fn has_passed(&self, candidate: usize) -> bool {
        let passed = candidate > 0 && self.clock.steady() >= self.until;
        if passed {
            self.cut.fetch_min(candidate, Ordering::Relaxed);
        }
        passed
    }
}

/// Cuts a block at a candidate.
pub(crate) struct At(usize);

impl Deadline for At {
    fn has_passed(&self, candidate: usize) -> bool {
        candidate >= self.0
    }
}

//! How long to wait before an endpoint is asked again, and whether to ask it at all.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

/// What an average request costs in Alchemy's units, as others reckon, too.
const UNITS_PER_REQUEST: u64 = 17;
/// Longest wait between two attempts, whatever the endpoint asks for.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How long an endpoint that failed is left alone.
const REST: Duration = Duration::from_secs(3);

/// The wait before another attempt; the first one after a refusal is number 0. `others` wait as well, in front of it.
pub(crate) fn wait(
    backoff: Duration,
    attempt: u32,
    asked_for: Option<Duration>,
    units_per_second: Option<u64>,
    others: usize,
) -> Duration {
    let doubled = backoff.saturating_mul(1u32.checked_shl(attempt).unwrap_or(u32::MAX));
    let budget = units_per_second.map_or(Duration::ZERO, |units| {
        Duration::from_secs((others as u64).saturating_mul(UNITS_PER_REQUEST) / units.max(1))
    });
    (doubled.max(asked_for.unwrap_or_default()) + budget).min(WAIT_MAX)
}

/// Requests under way, at most so many.
#[derive(Debug)]
pub(crate) struct Lanes {
    free: Mutex<usize>,
    freed: Condvar,
    /// Requests that are waiting because the endpoint refused them for their rate.
    pub(crate) limited: AtomicUsize,
}

impl Lanes {
    pub(crate) fn new(lanes: usize) -> Self {
        Self { free: Mutex::new(lanes), freed: Condvar::new(), limited: AtomicUsize::new(0) }
    }

    /// Waits for a lane, but not beyond a moment.
    pub(crate) fn enter(&self, until: Instant) -> Option<Lane<'_>> {
        let mut free = self.free.lock();
        while *free == 0 {
            if self.freed.wait_until(&mut free, until).timed_out() && *free == 0 {
                return None;
            }
        }
        *free -= 1;
        Some(Lane(self))
    }

    /// Waits, and lets others know that it does.
    pub(crate) fn sit_out(&self, wait: impl FnOnce(usize) -> Duration) {
        let others = self.limited.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(wait(others));
        self.limited.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to make a request.
pub(crate) struct Lane<'a>(&'a Lanes);

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

/// Whether an endpoint failed a moment ago: then nobody waits for it.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Option<Failure>>);

#[derive(Debug)]
struct Failure {
    at: Instant,
    reason: String,
}

/// How an endpoint may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// As the settings say.
    Usual,
    /// Once, and shortly: it may have recovered.
    Probe,
    /// Not now.
    No(String),
}

impl Health {
    pub(crate) fn permit(&self) -> Permit {
        match &*self.0.lock() {
            None => Permit::Usual,
            Some(failure) if failure.at.elapsed() < REST => Permit::No(failure.reason.clone()),
            Some(_) => Permit::Probe,
        }
    }

    pub(crate) fn failed(&self, reason: String) {
        *self.0.lock() = Some(Failure { at: Instant::now(), reason });
    }

    pub(crate) fn answered(&self) {
        *self.0.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_bounded_whatever_is_asked_for() {
        let second = Duration::from_secs(1);
        let waits: Vec<_> = (0..5).map(|attempt| wait(second, attempt, None, None, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10]);
        assert_eq!(wait(second, u32::MAX, None, None, 0), WAIT_MAX);
        assert_eq!(wait(second, 0, Some(Duration::from_secs(86_400)), None, 0), WAIT_MAX);
        assert_eq!(wait(second, 0, Some(3 * second), None, 0), 3 * second);
    }

    #[test]
    fn who_waits_behind_others_waits_for_their_units_too() {
        let second = Duration::from_secs(1);
        assert_eq!(wait(second, 0, None, Some(17), 4), 5 * second);
        assert_eq!(wait(second, 0, None, None, 4), second);
    }

    #[test]
    fn a_lane_is_free_again_when_its_request_is_over() {
        let lanes = Lanes::new(1);
        let lane = lanes.enter(Instant::now());
        assert!(lane.is_some() && lanes.enter(Instant::now()).is_none());
        drop(lane);
        assert!(lanes.enter(Instant::now()).is_some());
    }

    #[test]
    fn who_failed_is_left_alone_until_it_answers() {
        let health = Health::default();
        assert_eq!(health.permit(), Permit::Usual);
        health.failed("it broke".into());
        assert_eq!(health.permit(), Permit::No("it broke".into()));
        health.answered();
        assert_eq!(health.permit(), Permit::Usual);
    }
}

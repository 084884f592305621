//! One request for all threads that want the same.

use std::collections::HashSet;

use parking_lot::{Condvar, Mutex};

use crate::Want;

/// What is being asked for.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    wanted: Mutex<HashSet<Want>>,
    landed: Condvar,
}

impl Flights {
    /// The right to ask for something, or `None` after somebody else has done so: then it may be known.
    pub(crate) fn take_off(&self, want: Want) -> Option<Flight<'_>> {
        let mut wanted = self.wanted.lock();
        if wanted.insert(want) {
            return Some(Flight { flights: self, want });
        }
        // Who asks is bounded in time, and says so when it ends, however it ends.
        while wanted.contains(&want) {
            self.landed.wait(&mut wanted);
        }
        None
    }
}

/// The right to ask for something.
pub(crate) struct Flight<'a> {
    flights: &'a Flights,
    want: Want,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.wanted.lock().remove(&self.want);
        self.flights.landed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use alloy_primitives::Address;

    use super::*;

    #[test]
    fn of_those_who_want_the_same_one_asks_at_a_time_and_nobody_waits_for_what_others_want() {
        const THREADS: usize = 8;
        const TIMES: usize = 200;
        let (flights, asking, asked) = (Flights::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let [same, other] = [Address::ZERO, Address::repeat_byte(1)].map(Want::Account);
        let long = flights.take_off(other);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..TIMES {
                        let Some(_flight) = flights.take_off(same) else { continue };
                        assert_eq!(asking.fetch_add(1, Ordering::SeqCst), 0, "two ask at a time");
                        std::thread::yield_now();
                        asked.fetch_add(1, Ordering::SeqCst);
                        asking.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!((1..=THREADS * TIMES).contains(&asked.load(Ordering::SeqCst)));
        assert!(long.is_some() && flights.take_off(same).is_some(), "nothing is left behind");
    }
}

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
    fn one_of_many_threads_asks() {
        let (flights, asked, want) = (Flights::default(), AtomicUsize::new(0), Want::Account(Address::ZERO));
        let first = flights.take_off(want);
        assert!(first.is_some());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    if flights.take_off(want).is_some() {
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            drop(first);
        });
        // Who came late found nobody there and asked itself: that is for the cache to prevent.
        assert!(asked.load(Ordering::Relaxed) <= 4);
        assert!(flights.take_off(want).is_some(), "nothing is left behind");
    }
}

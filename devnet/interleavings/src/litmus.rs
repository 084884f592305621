//! The machine under the small programs by which memory models are told apart: what it must never show, and what it
//! must show now and then. Without the latter, a model that is too strong would pass for a careful executor.

use std::sync::atomic::{AtomicBool as Plain, Ordering::Relaxed as Unordered};

use crate::sync::{AtomicU32, Condvar, Mutex, Ordering, UnsafeCell, side_by_side};

/// Whether an outcome was seen in any execution.
#[derive(Debug, Default)]
pub struct Seen(Plain);

impl Seen {
    fn note(&self, seen: bool) {
        self.0.fetch_or(seen, Unordered);
    }

    /// Whether it was.
    #[must_use]
    pub fn ever(&self) -> bool {
        self.0.load(Unordered)
    }
}

/// One writes data, then a flag; another reads the flag, then the data. Seen: the flag without the data.
pub fn message_passing(write: Ordering, read: Ordering, seen: &Seen) {
    let (data, flag) = (AtomicU32::new(0), AtomicU32::new(0));
    let writer = || {
        data.store(1, Ordering::Relaxed);
        flag.store(1, write);
    };
    let reader = || {
        let arrived = flag.load(read) == 1;
        seen.note(arrived && data.load(Ordering::Relaxed) == 0);
    };
    side_by_side(vec![Box::new(writer), Box::new(reader)]);
}

/// One writes to a cell, then sets a flag; another reads the cell once it has seen the flag. It panics where that is a race.
pub fn cell_behind_a_flag(write: Ordering, read: Ordering) {
    struct Shared(UnsafeCell<u32>);
    // SAFETY: threads of a model take turns, and nobody keeps a reference from one turn to the next.
    #[allow(unsafe_code, reason = "an `UnsafeCell` is not shared otherwise")]
    unsafe impl Sync for Shared {}
    let (cell, flag) = (Shared(UnsafeCell::new(0)), AtomicU32::new(0));
    let cell = &cell;
    let writer = || {
        cell.0.with_mut(|_| ());
        flag.store(1, write);
    };
    let reader = || {
        if flag.load(read) == 1 {
            cell.0.with(|_| ());
        }
    };
    side_by_side(vec![Box::new(writer), Box::new(reader)]);
}

/// Each of two writes its own word and reads the other's. Seen: both read what was there before.
pub fn store_buffering(write: Ordering, read: Ordering, seen: &Seen) {
    let (left, right) = (AtomicU32::new(0), AtomicU32::new(0));
    let missed = AtomicU32::new(0);
    let task = |own: &AtomicU32, other: &AtomicU32| {
        own.store(1, write);
        if other.load(read) == 0 {
            missed.fetch_add(1, Ordering::Relaxed);
        }
    };
    side_by_side(vec![Box::new(|| task(&left, &right)), Box::new(|| task(&right, &left))]);
    seen.note(missed.load(Ordering::Relaxed) == 2);
}

/// One counts up a word; another reads it twice. Seen: the second read gives less than the first.
pub fn coherence(seen: &Seen) {
    let word = AtomicU32::new(0);
    let count = || {
        for _ in 0..3 {
            word.fetch_add(1, Ordering::Relaxed);
        }
    };
    let watch = || {
        let first = word.load(Ordering::Relaxed);
        seen.note(word.load(Ordering::Relaxed) < first);
    };
    side_by_side(vec![Box::new(count), Box::new(watch)]);
}

/// One releases, another adds to the same word without any ordering, a third acquires. Seen: it misses what was released.
pub fn release_sequence(seen: &Seen) {
    let (data, flag) = (AtomicU32::new(0), AtomicU32::new(0));
    let release = || {
        data.store(1, Ordering::Relaxed);
        flag.store(1, Ordering::Release);
    };
    let add = || {
        let _ = flag.compare_exchange(1, 2, Ordering::Relaxed, Ordering::Relaxed);
    };
    let acquire = || {
        let passed = flag.load(Ordering::Acquire) == 2;
        seen.note(passed && data.load(Ordering::Relaxed) == 0);
    };
    side_by_side(vec![Box::new(release), Box::new(add), Box::new(acquire)]);
}

/// Two add to a word under a lock, without any ordering. Seen: an addition is lost.
pub fn locked_additions(seen: &Seen) {
    let word = AtomicU32::new(0);
    let lock = Mutex::new(());
    let add = || {
        let _held = lock.lock();
        word.store(word.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    };
    side_by_side(vec![Box::new(add), Box::new(add)]);
    seen.note(word.load(Ordering::Relaxed) != 2);
}

/// One waits on a condition, another makes it true. Seen: the waiter does not see what it was woken for.
pub fn handing_over(seen: &Seen) {
    let (data, lock, condition) = (AtomicU32::new(0), Mutex::new(false), Condvar::new());
    let wait = || {
        let mut ready = lock.lock();
        while !*ready {
            condition.wait(&mut ready);
        }
        seen.note(data.load(Ordering::Relaxed) == 0);
    };
    let wake = || {
        data.store(1, Ordering::Relaxed);
        *lock.lock() = true;
        condition.notify_one();
    };
    side_by_side(vec![Box::new(wait), Box::new(wake)]);
}

/// One releases a lock and reads a word; another writes the word and tries the lock. Seen: the one finds the word as it
/// was, and the other the lock taken. Only a fence, or another lock, would forbid it.
pub fn lock_tried_after_a_write(seen: &Seen) {
    let (word, lock) = (AtomicU32::new(0), Mutex::new(()));
    let missed = AtomicU32::new(0);
    let held = Mutex::new(false);
    let owner = || {
        let guard = lock.lock();
        *held.lock() = true;
        drop(guard);
        if word.load(Ordering::Acquire) == 0 {
            missed.fetch_add(1, Ordering::Relaxed);
        }
    };
    let other = || {
        let was_held = *held.lock();
        word.store(1, Ordering::Release);
        if was_held && lock.try_lock().is_none() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
    };
    side_by_side(vec![Box::new(owner), Box::new(other)]);
    seen.note(missed.load(Ordering::Relaxed) == 2);
}

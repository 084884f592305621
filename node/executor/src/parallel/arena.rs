//! A vector that many threads append to at once, kept from block to block for its memory.
//!
//! Each thread appends to a run of places of its own, so that threads neither count on one place nor write to one cache
//! line; what lies in no place yet is skipped by who goes through them. (`boxcar` was here before: it allocates, and
//! clears, the memory for twice as many entries again each time that a vector which was emptied fills up.)

use std::{
    mem::{self, MaybeUninit},
    ops::{Index, Range},
};

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicBool, AtomicUsize, Mutex, OnceLock, Ordering, UnsafeCell, thread_number};

/// Places that a thread takes at once.
const RUN: usize = 32;
/// The first bucket has two to the power of this many entries; each one after it has twice as many.
const FIRST_BUCKET_BITS: u32 = 10;
/// Buckets enough for 2^32 entries.
const BUCKETS: usize = 23;
/// Threads that append side by side without meeting; more of them share.
const STRIPES: usize = 64;

/// A place, written to once. (`OnceLock` is the same, and asks more than once whether somebody else is writing: here it
/// costs a hundred instructions for each new account and slot.)
#[derive(Debug)]
struct Entry<T> {
    is_filled: AtomicBool,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is written by the one thread that was given the place, before `is_filled` is set, and only read after.
#[allow(unsafe_code, reason = "an `UnsafeCell` is not shared otherwise")]
unsafe impl<T: Send + Sync> Sync for Entry<T> {}

impl<T> Entry<T> {
    const fn new() -> Self {
        Self { is_filled: AtomicBool::new(false), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    #[allow(unsafe_code, reason = "see the type")]
    fn get(&self) -> Option<&T> {
        // SAFETY: what is filled was written before, which the load has acquired, and is not written to again.
        self.is_filled.load(Ordering::Acquire).then(|| self.value.with(|value| unsafe { (*value).assume_init_ref() }))
    }

    /// For the one thread that was given the place, once.
    #[allow(unsafe_code, reason = "see the type")]
    fn fill(&self, value: T) {
        assert!(!self.is_filled.load(Ordering::Relaxed), "a place is given to one thread, once");
        // SAFETY: nobody reads before `is_filled` is set, and nobody else writes: `Arena::place` gives each place once.
        self.value.with_mut(|place| unsafe {
            (*place).write(value);
        });
        self.is_filled.store(true, Ordering::Release);
    }

    #[allow(unsafe_code, reason = "see the type")]
    fn clear(&mut self) {
        if self.is_filled.load(Ordering::Relaxed) {
            self.is_filled.store(false, Ordering::Relaxed);
            // SAFETY: it was filled, and is not any more; whoever holds `&mut` is alone.
            self.value.with_mut(|value| unsafe { (*value).assume_init_drop() });
        }
    }
}

impl<T> Drop for Entry<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A vector that many threads append to at once. The model checker has smaller buckets and shorter runs.
#[derive(Debug)]
pub(crate) struct Arena<T, const BITS: u32 = FIRST_BUCKET_BITS, const TAKEN: usize = RUN> {
    buckets: [OnceLock<Box<[Entry<T>]>>; BUCKETS],
    /// Places that some thread has taken.
    taken: CachePadded<AtomicUsize>,
    /// By thread: what is left of its places.
    runs: Box<[CachePadded<Mutex<Range<usize>>>]>,
}

impl<T, const BITS: u32, const TAKEN: usize> Default for Arena<T, BITS, TAKEN> {
    fn default() -> Self {
        Self {
            buckets: [const { OnceLock::new() }; BUCKETS],
            taken: AtomicUsize::new(0).into(),
            runs: (0..STRIPES).map(|_| CachePadded::default()).collect(),
        }
    }
}

impl<T, const BITS: u32, const TAKEN: usize> Arena<T, BITS, TAKEN> {
    const FIRST_BUCKET: usize = 1 << BITS;

    /// Bucket and position there.
    const fn locate(index: usize) -> (usize, usize) {
        let from_first = index + Self::FIRST_BUCKET;
        let bucket = from_first.ilog2() - BITS;
        (bucket as usize, from_first - (Self::FIRST_BUCKET << bucket))
    }

    /// Has memory for so many entries before any is there.
    pub(crate) fn reserve(&self, entries: usize) {
        let (last, _) = Self::locate(entries.saturating_sub(1));
        for bucket in 0..=last {
            self.bucket(bucket);
        }
    }

    fn bucket(&self, bucket: usize) -> &[Entry<T>] {
        self.buckets[bucket].get_or_init(|| (0..Self::FIRST_BUCKET << bucket).map(|_| Entry::new()).collect())
    }

    /// Appends, and gives the place.
    pub(crate) fn push(&self, value: T) -> usize {
        let index = self.place();
        let (bucket, position) = Self::locate(index);
        self.bucket(bucket)[position].fill(value);
        index
    }

    fn place(&self) -> usize {
        let mut run = self.runs[thread_number() % STRIPES].lock();
        if let Some(index) = run.next() {
            return index;
        }
        let start = self.taken.fetch_add(TAKEN, Ordering::Relaxed);
        *run = start + 1..start + TAKEN;
        start
    }

    /// Everything that was appended, with its place, in the order of places. While others append, some of theirs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let taken = self.taken.load(Ordering::Relaxed);
        let entries = self.buckets.iter().filter_map(OnceLock::get).flat_map(|bucket| bucket.iter());
        entries.take(taken).enumerate().filter_map(|(index, entry)| Some((index, entry.get()?)))
    }

    /// One more than the last place that may be filled.
    pub(crate) fn places(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many entries there are, when nobody appends.
    pub(crate) fn count(&self) -> usize {
        self.places() - self.runs.iter().map(|run| run.lock().len()).sum::<usize>()
    }

    /// What it has taken of the system, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.buckets.iter().filter_map(OnceLock::get).map(|bucket| mem::size_of_val(&**bucket)).sum()
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        let taken = self.taken.swap(0, Ordering::Relaxed);
        let entries = self.buckets.iter_mut().filter_map(OnceLock::get_mut).flat_map(|bucket| bucket.iter_mut());
        for entry in entries.take(taken) {
            entry.clear();
        }
        for run in &mut self.runs {
            *run.get_mut() = 0..0;
        }
    }
}

impl<T, const BITS: u32, const TAKEN: usize> Index<usize> for Arena<T, BITS, TAKEN> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        let (bucket, position) = Self::locate(index);
        let entry = self.buckets[bucket].get().and_then(|entries| entries[position].get());
        entry.expect("a place is known once it is filled")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_append_is_found_where_they_were_told() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("four threads can be had");
        let arena: Arena<_> = Arena::default();
        for round in 1..=2 {
            pool.broadcast(|thread| {
                let places: Vec<_> = (0..3_000).map(|each| arena.push((thread.index(), each))).collect();
                let found: Vec<_> = places.iter().map(|place| arena[*place]).collect();
                assert_eq!(found, (0..3_000).map(|each| (thread.index(), each)).collect::<Vec<_>>());
            });
            assert_eq!((arena.count(), arena.iter().count()), (12_000 * round, 12_000 * round));
        }
    }

    #[test]
    fn what_is_cleared_is_gone_and_its_places_come_again() {
        let mut arena: Arena<_> = Arena::default();
        let before: Vec<_> = (0..100).map(|each| arena.push(each)).collect();
        arena.clear();
        assert_eq!((arena.count(), arena.iter().next()), (0, None));
        assert_eq!((0..100).map(|each| arena.push(each + 7)).collect::<Vec<_>>(), before);
        assert!(arena.iter().map(|(_, each)| *each).eq(7..107));
    }
}

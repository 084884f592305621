//! Instances that wait for the next transaction.
//!
//! Making an instance, and resetting one, goes through the kernel's map of the process's memory, which all threads share:
//! on two threads each costs twice as much. So instances are kept, and what a guard changed in them is put back by copying
//! ([`crate::instance`]). Threads have shards of their own, so they do not meet here either.
//!
//! Invariant: what waits is as a fresh instance is. Which instance a transaction gets, an old or a new one, decides only
//! how long it takes.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

use crate::{
    instance::{Image, Instance},
    limits::WARM_PAGES_MAX,
};

/// How often an instance of a guard can be used, as long as it does not grow its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// Again and again.
    Warm,
    /// It cannot be put back, or a fresh one costs less.
    Once,
}

/// Shards of each guard: as many threads do not disturb each other.
const SHARDS: usize = 16;

/// The instances of one guard that wait.
pub(crate) struct Warm {
    /// What a fresh instance is; known from the first one that was made.
    image: OnceLock<Option<Image>>,
    shards: [Shard; SHARDS],
    per_shard_max: usize,
}

/// Aligned so that no two shards share what a processor fetches at once.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<VecDeque<Box<Instance>>>);

impl Warm {
    /// An instance that waits, if there is one, and what is left of so much fuel: as much as if it had been made now.
    pub(crate) fn take(&self, fuel: u64) -> Option<(Box<Instance>, u64)> {
        let making = self.image.get()?.as_ref()?.fuel;
        // Whether just enough is enough is for the engine to say.
        if fuel <= making {
            return None;
        }
        let instance = self.shards[shard()].0.lock().pop_back()?;
        Some((instance, fuel - making))
    }

    /// Learns from a fresh instance, of which nothing has run, what it is to be put back to. `fuel` is what making it took.
    pub(crate) fn learn(&self, fresh: &Instance, fuel: u64) {
        self.image.get_or_init(|| fresh.image(WARM_PAGES_MAX, fuel));
    }

    /// Puts an instance back and lets it wait, or drops it.
    pub(crate) fn give_back(&self, mut used: Box<Instance>) {
        let Some(Some(image)) = self.image.get() else { return };
        if !used.restore(image) {
            return;
        }
        let mut waiting = self.shards[shard()].0.lock();
        if waiting.len() < self.per_shard_max {
            waiting.push_back(used);
        }
    }

    fn clear(&self) {
        for shard in &self.shards {
            // Instances are dropped when the lock is free again.
            let waiting = std::mem::take(&mut *shard.0.lock());
            drop(waiting);
        }
    }
}

/// All instances of an engine that wait, by guard. They take room of those that are needed, and give it back when it is
/// asked for.
pub(crate) struct Everywhere {
    all: Mutex<Vec<Weak<Warm>>>,
    per_shard_max: usize,
}

impl Everywhere {
    /// Keeps at most so many instances of a guard in each of its shards.
    pub(crate) fn new(per_shard_max: u32) -> Self {
        Self { all: Mutex::default(), per_shard_max: per_shard_max as usize }
    }

    /// A place for the instances of another guard.
    pub(crate) fn add(&self) -> Arc<Warm> {
        let warm = Warm { image: OnceLock::new(), shards: Default::default(), per_shard_max: self.per_shard_max };
        let warm = Arc::new(warm);
        let mut all = self.all.lock();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&warm));
        warm
    }

    /// Drops all that wait.
    pub(crate) fn clear(&self) {
        let all: Vec<_> = self.all.lock().iter().filter_map(Weak::upgrade).collect();
        all.iter().for_each(|warm| warm.clear());
    }
}

/// The shard of this thread.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Relaxed) % SHARDS;
    }
    MINE.with(|mine| *mine)
}

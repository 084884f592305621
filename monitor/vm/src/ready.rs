//! Guards that were loaded and are ready, the least recently asked for leaving first.
//!
//! Invariant: what is kept changes how long a guard takes to be ready, never what it says.

use std::{collections::BTreeMap, sync::Arc};

use parapet_monitor::ModuleHash;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Most guards.
    pub guards_max: usize,
    /// Most bytes of their modules together.
    pub bytes_max: usize,
}

/// Guards of one form, by the hash of their modules.
#[derive(Debug)]
pub struct Ready<T> {
    by_hash: BTreeMap<ModuleHash, Kept<T>>,
    room: Room,
    bytes: usize,
    asked: u64,
}

#[derive(Debug)]
struct Kept<T> {
    guard: Arc<T>,
    bytes: usize,
    last_asked: u64,
}

impl<T> Ready<T> {
    /// None yet.
    #[must_use]
    pub const fn within(room: Room) -> Self {
        Self { by_hash: BTreeMap::new(), room, bytes: 0, asked: 0 }
    }

    /// A guard that is kept.
    pub fn get(&mut self, hash: ModuleHash) -> Option<Arc<T>> {
        self.asked += 1;
        let kept = self.by_hash.get_mut(&hash)?;
        kept.last_asked = self.asked;
        Some(kept.guard.clone())
    }

    /// Keeps a guard whose module has so many bytes, or gives the one that another thread has kept meanwhile, which may be
    /// compiled already.
    pub fn keep(&mut self, hash: ModuleHash, bytes: usize, guard: Arc<T>) -> Arc<T> {
        if let Some(kept) = self.get(hash) {
            return kept;
        }
        let Room { guards_max, bytes_max } = self.room;
        while self.by_hash.len() >= guards_max || self.bytes + bytes > bytes_max {
            let oldest = self.by_hash.iter().min_by_key(|(_, kept)| kept.last_asked).map(|(hash, _)| *hash);
            let Some(left) = oldest.and_then(|hash| self.by_hash.remove(&hash)) else { break };
            self.bytes -= left.bytes;
        }
        self.bytes += bytes;
        self.by_hash.insert(hash, Kept { guard: guard.clone(), bytes, last_asked: self.asked });
        guard
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps a guard of a name and size, and says who is there.
    fn keep(ready: &mut Ready<u8>, name: u8, bytes: usize) -> Vec<u8> {
        ready.keep(ModuleHash::repeat_byte(name), bytes, Arc::new(name));
        ready.by_hash.values().map(|kept| *kept.guard).collect()
    }

    #[test]
    fn who_was_not_asked_for_longest_leaves_when_there_are_too_many() {
        let mut ready = Ready::within(Room { guards_max: 2, bytes_max: usize::MAX });
        keep(&mut ready, 1, 10);
        keep(&mut ready, 2, 10);
        assert!(ready.get(ModuleHash::repeat_byte(1)).is_some());
        assert_eq!(keep(&mut ready, 3, 10), [1, 3]);
    }

    #[test]
    fn many_small_ones_are_kept_where_few_large_ones_are() {
        let mut ready = Ready::within(Room { guards_max: 100, bytes_max: 100 });
        for name in 0..50 {
            assert_eq!(keep(&mut ready, name, 2).len(), usize::from(name) + 1);
        }
        assert_eq!(keep(&mut ready, 50, 99), [50]);
        assert_eq!(keep(&mut ready, 51, 1), [50, 51]);
        assert_eq!(ready.bytes, 100);
    }

    #[test]
    fn what_is_kept_is_not_replaced() {
        let mut ready = Ready::within(Room { guards_max: 2, bytes_max: 100 });
        let first = ready.keep(ModuleHash::ZERO, 1, Arc::new(1));
        assert!(Arc::ptr_eq(&ready.keep(ModuleHash::ZERO, 1, Arc::new(2)), &first));
    }
}

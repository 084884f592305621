//! From keys to places in an [`Arena`](super::arena::Arena), for many threads that mostly meet new keys.
//!
//! A flat table of words: the place of an entry, and a part of its key's hash, so that another key's entry is seldom
//! looked at. A key stands in the first free of a few words in a row, its *window*, and words are never freed while the
//! block lasts. So a key that is in none of its window's words, one of which is free, is nowhere; and what found no free
//! word is in the *overflow*, maps of the usual kind behind locks. Nobody else waits for anybody, and a new key writes to
//! one cache line.
//!
//! A key is identified by itself, never by its hash, and the hash is seeded anew for each block.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash},
    mem,
};

use crate::sync::{AtomicU64, Mutex, Ordering, RandomState};

/// Words that a key may stand in.
const WINDOW: usize = 16;
/// Words of the smallest table.
const WORDS_MIN: usize = 1 << 12;
/// Words for each key that the last block had.
const WORDS_PER_KEY: usize = 2;
/// Maps that share what found no word.
const OVERFLOWS: usize = 64;
const FREE: u64 = 0;

/// From keys to places.
#[derive(Debug)]
pub(crate) struct Table<K: Eq + Hash> {
    seed: RandomState,
    /// A power of two of words, and the windows of the last of them.
    words: Box<[AtomicU64]>,
    overflows: Box<[Mutex<Overflow<K>>]>,
}

type Overflow<K> = HashMap<K, u32, RandomState>;

impl<K: Eq + Hash> Default for Table<K> {
    fn default() -> Self {
        Self::with_words(WORDS_MIN)
    }
}

/// What stands in a word that is not free.
const fn word(hash: u64, place: u32) -> u64 {
    (hash << 32) | (place as u64 + 1)
}

impl<K: Copy + Eq + Hash> Table<K> {
    /// The place of a key, if it has one. `is_at` says whether an entry has the key.
    pub(crate) fn find(&self, key: K, is_at: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.seed.hash_one(key);
        for at in self.window(hash) {
            match self.words[at].load(Ordering::Acquire) {
                FREE => return None,
                taken => {
                    if let Some(place) = same_hash(taken, hash).filter(|place| is_at(*place)) {
                        return Some(place);
                    }
                }
            }
        }
        self.overflow(hash).lock().get(&key).copied()
    }

    /// The place of a key; that of a new one is given by `add`. Of several threads that add a key at once, one has its
    /// place taken by all; what the others added is found by nobody.
    pub(crate) fn find_or_add(&self, key: K, is_at: impl Fn(u32) -> bool, add: impl FnOnce() -> u32) -> u32 {
        let hash = self.seed.hash_one(key);
        let (mut add, mut added) = (Some(add), None);
        for at in self.window(hash) {
            let mut taken = self.words[at].load(Ordering::Acquire);
            if taken == FREE {
                let place = *added.get_or_insert_with(|| add.take().expect("it is asked once")());
                match self.words[at].compare_exchange(FREE, word(hash, place), Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return place,
                    Err(other) => taken = other,
                }
            }
            if let Some(place) = same_hash(taken, hash).filter(|place| is_at(*place)) {
                return place;
            }
        }
        if let Some(place) = self.overflow(hash).lock().get(&key) {
            return *place;
        }
        let place = added.unwrap_or_else(|| add.take().expect("it was not asked before")());
        *self.overflow(hash).lock().entry(key).or_insert(place)
    }

    fn overflow(&self, hash: u64) -> &Mutex<Overflow<K>> {
        &self.overflows[hash as usize % OVERFLOWS]
    }

    fn window(&self, hash: u64) -> std::ops::Range<usize> {
        let words = self.words.len() - WINDOW;
        // The upper half of the hash; the lower one is in the word.
        let start = (hash >> 32) as usize & (words - 1);
        start..start + WINDOW
    }
}

/// The place in a word, if the hash in it is this one.
const fn same_hash(word: u64, hash: u64) -> Option<u32> {
    if word >> 32 == hash & 0xffff_ffff { Some(word as u32 - 1) } else { None }
}

impl<K: Eq + Hash> Table<K> {
    /// Room for that many keys, a power of two.
    pub(crate) fn with_words(words: usize) -> Self {
        Self {
            seed: RandomState::default(),
            words: (0..words + WINDOW).map(|_| AtomicU64::new(FREE)).collect(),
            overflows: (0..OVERFLOWS).map(|_| Mutex::default()).collect(),
        }
    }

    /// What it has taken of the system, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let overflowing: usize = self.overflows.iter().map(|overflow| overflow.lock().capacity()).sum();
        mem::size_of_val(&*self.words) + overflowing * mem::size_of::<(K, u32)>()
    }

    /// Forgets every key, draws a new seed, and has room for as many keys as there were.
    pub(crate) fn clear(&mut self, keys: usize) {
        let words = (keys * WORDS_PER_KEY).next_power_of_two().max(WORDS_MIN);
        if words > self.words.len() - WINDOW {
            *self = Self::with_words(words);
            return;
        }
        self.words.iter_mut().for_each(|word| *word = AtomicU64::new(FREE));
        self.seed = RandomState::default();
        self.overflows.iter_mut().for_each(|overflow| *overflow = Mutex::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Keys {
        table: Table<u64>,
        added: Mutex<Vec<u64>>,
    }

    impl Keys {
        fn place(&self, key: u64) -> u32 {
            let add = || {
                let mut added = self.added.lock();
                added.push(key);
                u32::try_from(added.len() - 1).expect("few keys")
            };
            self.table.find_or_add(key, |place| self.added.lock()[place as usize] == key, add)
        }

        fn overflowing(&self) -> usize {
            self.table.overflows.iter().map(|overflow| overflow.lock().len()).sum()
        }

        fn find(&self, key: u64) -> Option<u32> {
            self.table.find(key, |place| self.added.lock()[place as usize] == key)
        }
    }

    #[test]
    fn every_key_has_a_place_of_its_own_even_when_there_is_no_free_word_left() {
        let keys = Keys::default();
        let places: Vec<u32> = (0..20_000).map(|key| keys.place(key)).collect();
        assert!(keys.overflowing() > 0, "there are more keys than words");
        assert!(places.iter().copied().eq(0..20_000));
        assert!((0..20_000).all(|key| keys.place(key) == places[key as usize]));
        assert!((0..20_000).all(|key| keys.find(key) == Some(places[key as usize])));
        assert!((20_000..20_100).all(|key| keys.find(key).is_none()));
    }

    #[test]
    fn threads_that_add_the_same_keys_agree_on_their_places() {
        let keys = Keys::default();
        let places: Vec<Vec<u32>> = std::thread::scope(|scope| {
            let run = || (0..9_000).map(|key| keys.place(key)).collect();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
        });
        assert!(places.iter().all(|other| *other == places[0]));
        let added = keys.added.lock();
        assert!(places[0].iter().enumerate().all(|(key, place)| added[*place as usize] == key as u64));
    }

    #[test]
    fn a_table_that_was_cleared_knows_nothing_and_has_room_for_what_it_had() {
        let mut keys = Keys::default();
        for key in 0..5_000 {
            keys.place(key);
        }
        keys.table.clear(5_000);
        keys.added.lock().clear();
        assert_eq!(keys.find(7), None);
        for key in 0..5_000 {
            keys.place(key);
        }
        assert!(keys.overflowing() < 50, "{}", keys.overflowing());
    }
}

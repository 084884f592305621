//! The table of keys and the arena behind it: threads that meet keys for the first time, and one block after the other on
//! the same memory.

use std::sync::{
    Arc, Mutex as Plain,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    parallel::{arena::Arena, table::Table},
    sync::{Task, side_by_side},
};

/// Two entries in the first bucket, and two places taken at once: both ends come soon.
type SmallArena<T> = Arena<T, 1, 2>;

/// Words of the smallest table that is one: the window of a single key.
const WINDOW: u32 = 16;

/// An entry, as a cell of the versioned memory: it knows its key.
#[derive(Debug)]
struct Entry {
    key: u64,
    /// Dropped as the entry is.
    _alive: Alive,
}

/// Counts what was made and not dropped. Kept in plain memory: it orders nothing.
#[derive(Debug)]
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let before = self.0.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0, "an entry is dropped twice");
    }
}

struct Interned {
    table: Table<u64>,
    entries: SmallArena<Entry>,
    alive: Arc<AtomicUsize>,
}

impl Interned {
    /// With room for one key's window, so that all keys share it.
    fn new() -> Self {
        Self { table: Table::with_words(1), entries: SmallArena::default(), alive: Arc::default() }
    }

    fn is_at(&self, place: u32, key: u64) -> bool {
        self.entries[place as usize].key == key
    }

    fn place(&self, key: u64) -> u32 {
        let add = || {
            let place = self.entries.push(Entry { key, _alive: Alive::new(&self.alive) });
            u32::try_from(place).expect("a model is small")
        };
        let place = self.table.find_or_add(key, |place| self.is_at(place, key), add);
        assert_eq!(self.entries[place as usize].key, key, "the place of another key");
        place
    }

    fn find(&self, key: u64) -> Option<u32> {
        let found = self.table.find(key, |place| self.is_at(place, key));
        found.inspect(|place| assert_eq!(self.entries[*place as usize].key, key, "the place of another key"))
    }
}

/// Places by key, as threads were told.
type Told = Plain<Vec<(u64, u32)>>;

/// Each thread interns its keys, and looks for those of the others. Who is told of a place finds the key's entry there,
/// and all are told the same.
fn agree(interned: &Interned, keys: &[&[u64]]) {
    let told = Told::default();
    let task = |own: usize| -> Task<'_> {
        let told = &told;
        Box::new(move || {
            let note = |key, place| told.lock().expect("threads of a model take turns").push((key, place));
            for key in keys[own] {
                note(*key, interned.place(*key));
            }
            for key in keys.iter().copied().flatten() {
                if let Some(place) = interned.find(*key) {
                    note(*key, place);
                }
            }
        })
    };
    side_by_side((0..keys.len()).map(task).collect());
    let told = told.into_inner().expect("threads of a model take turns");
    for (key, place) in told {
        assert_eq!(interned.find(key), Some(place), "two places for {key}");
    }
}

/// Threads that meet the same keys, in one order and in the other, at once.
pub fn one_key_has_one_place() {
    agree(&Interned::new(), &[&[7, 8], &[8, 7], &[7, 9]]);
}

/// The same where no word is free any more.
pub fn one_key_has_one_place_where_words_have_run_out() {
    let interned = Interned::new();
    (100..u64::from(100 + WINDOW - 1)).for_each(|key| {
        interned.place(key);
    });
    // One of them takes the last word, the other is too late for it.
    agree(&interned, &[&[7, 8], &[8, 7]]);
}

/// One block after the other on the same memory: what one leaves is gone in the next, and each place is given once.
pub fn what_is_emptied_is_used_again_and_nothing_is_there_twice() {
    let mut interned = Interned::new();
    for round in 0..2 {
        agree(&interned, &[&[7, 8, 9], &[10 + round, 8]]);
        let met = interned.entries.count();
        assert_eq!((met, interned.alive.load(Ordering::Relaxed)), (interned.entries.iter().count(), met));
        interned.table.clear(0);
        interned.entries.clear();
        assert_eq!(interned.alive.load(Ordering::Relaxed), 0, "an entry outlives its block");
    }
}

/// One goes through an arena while others append: it finds entries that are whole, or none. Everybody else is told of an
/// entry's place by the table, which orders what they see; here the entry alone tells that it is there.
pub fn who_goes_through_an_arena_finds_whole_entries() {
    let arena = SmallArena::<(usize, usize)>::default();
    let append = |thread: usize| -> Task<'_> {
        let arena = &arena;
        Box::new(move || {
            (0..2).for_each(|each| {
                arena.push((thread, each));
            });
        })
    };
    let go_through = || assert!(arena.iter().all(|(_, (thread, each))| *thread < 2 && *each < 2));
    side_by_side(vec![append(0), append(1), Box::new(go_through)]);
}

/// Threads append at once: each is given places of its own, and finds there what it left.
pub fn no_place_is_given_twice() {
    let mut arena = SmallArena::<(usize, usize)>::default();
    for _ in 0..2 {
        let given = Plain::new(Vec::new());
        let append = |thread: usize| -> Task<'_> {
            let (arena, given) = (&arena, &given);
            Box::new(move || {
                let places: Vec<_> = (0..3).map(|each| arena.push((thread, each))).collect();
                assert!(places.iter().enumerate().all(|(each, place)| arena[*place] == (thread, each)));
                given.lock().expect("threads of a model take turns").extend(places);
            })
        };
        side_by_side((0..3).map(append).collect());
        let mut given = given.into_inner().expect("threads of a model take turns");
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), 9, "two were given one place");
        assert!(arena.iter().map(|(place, _)| place).eq(given));
        arena.clear();
    }
}

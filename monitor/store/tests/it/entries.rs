//! Ordered entries behave like an ordered map, whatever is done to them.

use std::{collections::BTreeMap, ops::Bound};

use alloy_primitives::{B256, U256};
use parapet_store::{Entries, EntryError, KEY_BYTES_MAX, Order, Scan, VALUE_BYTES_MAX, Words};
use proptest::prelude::*;

const ATTACHMENT: B256 = B256::repeat_byte(0xa7);

/// Words in memory, and how often they were asked for.
#[derive(Debug, Default)]
struct Memory {
    words: BTreeMap<U256, U256>,
    reads: u64,
}

impl Words for Memory {
    type Error = EntryError;

    fn read(&mut self, slot: U256) -> Result<U256, EntryError> {
        self.reads += 1;
        Ok(self.words.get(&slot).copied().unwrap_or_default())
    }

    fn write(&mut self, slot: U256, word: U256) -> Result<(), EntryError> {
        if word.is_zero() {
            self.words.remove(&slot);
        } else {
            self.words.insert(slot, word);
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Scan(Bound<Vec<u8>>, Bound<Vec<u8>>, Order),
}

/// Few distinct keys, some of them beginnings of others, some longer than a word, one empty.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(0_u8..3, 0..4),
        (0_u8..4, 26_usize..36).prop_map(|(last, len)| [vec![1; len], vec![last]].concat()),
        (0_u8..3, 0_usize..3).prop_map(|(last, cut)| [vec![2; KEY_BYTES_MAX - 1 - cut], vec![last]].concat()),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), prop_oneof![0_usize..3, 26_usize..31, 58_usize..63, 0_usize..300])
        .prop_map(|(byte, len)| vec![byte; len])
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![Just(Bound::Unbounded), key().prop_map(Bound::Included), key().prop_map(Bound::Excluded)]
}

fn step() -> impl Strategy<Value = Step> {
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending)];
    prop_oneof![
        4 => (key(), value()).prop_map(|(key, value)| Step::Set(key, value)),
        2 => key().prop_map(Step::Remove),
        1 => (bound(), bound(), order).prop_map(|(start, end, order)| Step::Scan(start, end, order)),
    ]
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn scanned(memory: &mut Memory, mut scan: Scan) -> Pairs {
    let mut entries = Entries::new(ATTACHMENT, memory);
    let mut found = Vec::new();
    while let Some(entry) = scan.next(&mut entries).expect("memory is read") {
        found.push(entry);
    }
    found
}

fn expected(map: &BTreeMap<Vec<u8>, Vec<u8>>, start: &Bound<Vec<u8>>, end: &Bound<Vec<u8>>, order: Order) -> Pairs {
    let above = |key: &Vec<u8>| match start {
        Bound::Included(start) => key >= start,
        Bound::Excluded(start) => key > start,
        Bound::Unbounded => true,
    };
    let below = |key: &Vec<u8>| match end {
        Bound::Included(end) => key <= end,
        Bound::Excluded(end) => key < end,
        Bound::Unbounded => true,
    };
    let within = map.iter().filter(|(key, _)| above(key) && below(key));
    let mut pairs: Pairs = within.map(|(key, value)| (key.clone(), value.clone())).collect();
    if order == Order::Descending {
        pairs.reverse();
    }
    pairs
}

proptest! {
    #[test]
    fn entries_are_an_ordered_map(steps in proptest::collection::vec(step(), 1..120)) {
        let (mut memory, mut map) = (Memory::default(), BTreeMap::new());
        for step in steps {
            let mut entries = Entries::new(ATTACHMENT, &mut memory);
            match step {
                Step::Set(key, value) => {
                    entries.set(&key, &value).expect("within the limits");
                    map.insert(key, value);
                }
                Step::Remove(key) => prop_assert_eq!(entries.remove(&key), Ok(map.remove(&key).is_some())),
                Step::Scan(start, end, order) => {
                    let expected = expected(&map, &start, &end, order);
                    prop_assert_eq!(scanned(&mut memory, Scan::new(start, end, order)), expected);
                }
            }
        }
        for (key, value) in &map {
            prop_assert_eq!(Entries::new(ATTACHMENT, &mut memory).get(key), Ok(Some(value.clone())));
        }
        let all = expected(&map, &Bound::Unbounded, &Bound::Unbounded, Order::Ascending);
        prop_assert_eq!(scanned(&mut memory, Scan::new(Bound::Unbounded, Bound::Unbounded, Order::Ascending)), all);
        for key in map.keys() {
            prop_assert_eq!(Entries::new(ATTACHMENT, &mut memory).remove(key), Ok(true));
        }
        prop_assert!(memory.words.is_empty(), "what is removed leaves nothing: {:?}", memory.words);
    }
}

#[test]
fn a_look_up_does_not_grow_with_the_map_and_a_walk_grows_with_its_logarithm() {
    let mut memory = Memory::default();
    for key in 0..4_000_u32 {
        Entries::new(ATTACHMENT, &mut memory).set(&key.to_be_bytes(), b"v").expect("short");
    }
    memory.reads = 0;
    assert_eq!(Entries::new(ATTACHMENT, &mut memory).get(&1_234_u32.to_be_bytes()), Ok(Some(b"v".to_vec())));
    assert_eq!(memory.reads, 1);
    memory.reads = 0;
    let found = Entries::new(ATTACHMENT, &mut memory).seek(Bound::Excluded(&1_234_u32.to_be_bytes()), Order::Ascending);
    assert_eq!(found, Ok(Some(1_235_u32.to_be_bytes().to_vec())));
    // At most 1.45 log2(4,002) = 17.4 steps of a link and a key, the root, and the key that was found.
    assert!(memory.reads <= 2 * 17 + 2, "{} reads", memory.reads);
}

#[test]
fn a_walk_goes_on_with_what_is_there_when_entries_change_meanwhile() {
    let mut memory = Memory::default();
    let mut entries = Entries::new(ATTACHMENT, &mut memory);
    for key in [b"b", b"d", b"f"] {
        entries.set(key, b"1").expect("short");
    }
    let mut scan = Scan::new(Bound::Unbounded, Bound::Unbounded, Order::Ascending);
    let mut next = |entries: &mut Entries<'_, Memory>| scan.next(entries).expect("memory is read").map(|(key, _)| key);
    assert_eq!(next(&mut entries), Some(b"b".to_vec()));
    entries.remove(b"b").expect("short");
    entries.remove(b"d").expect("short");
    entries.set(b"a", b"2").expect("short");
    entries.set(b"e", b"2").expect("short");
    assert_eq!(next(&mut entries), Some(b"e".to_vec()));
    assert_eq!(next(&mut entries), Some(b"f".to_vec()));
    assert_eq!(next(&mut entries), None);
}

#[test]
fn keys_and_values_have_limits_and_attachments_do_not_meet() {
    let mut memory = Memory::default();
    let mut entries = Entries::new(ATTACHMENT, &mut memory);
    let (key, value) = (vec![1; KEY_BYTES_MAX + 1], vec![1; VALUE_BYTES_MAX + 1]);
    assert_eq!(entries.set(&key, b""), Err(EntryError::KeyLength(key.len())));
    assert_eq!(entries.get(&key), Err(EntryError::KeyLength(key.len())));
    assert_eq!(entries.remove(&key), Err(EntryError::KeyLength(key.len())));
    assert_eq!(entries.seek(Bound::Included(&key), Order::Ascending), Err(EntryError::KeyLength(key.len())));
    assert_eq!(entries.set(b"k", &value), Err(EntryError::ValueLength(value.len())));
    entries.set(&key[1..], &value[1..]).expect("within the limits");
    assert_eq!(entries.get(&key[1..]), Ok(Some(value[1..].to_vec())));
    let mut other = Entries::new(B256::repeat_byte(0xa8), &mut memory);
    assert_eq!(other.get(&key[1..]), Ok(None));
    assert_eq!(other.seek(Bound::Unbounded, Order::Ascending), Ok(None));
}

//! The attachment's own state, as the engine keeps it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use parapet_abi::{
    Word,
    import::{
        ENTRY_VALUE_BYTES_MAX, SEEK_ABOVE, SEEK_AT_OR_ABOVE, SEEK_AT_OR_BELOW, SEEK_BELOW, STORE_KEY_BYTES_MAX,
        STORE_WRITES_MAX,
    },
};

use ruint::aliases::U512;

use crate::U256;

/// Words, decaying windows and ordered entries by key.
#[derive(Clone, Debug, Default)]
pub struct Store {
    words: BTreeMap<Vec<u8>, Word>,
    windows: BTreeMap<Vec<u8>, Window>,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Keys that this transaction has written.
    written: BTreeSet<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    level: U256,
    timestamp: u64,
}

impl Store {
    pub(crate) fn get(&self, key: &[u8]) -> Option<Word> {
        check_key(key);
        // Storage cannot tell zero from absent.
        self.words.get(key).copied().filter(|word| *word != [0; 32])
    }

    pub(crate) fn set(&mut self, key: &[u8], value: Word) {
        self.write(key);
        self.words.insert(key.to_vec(), value);
    }

    pub(crate) fn add(&mut self, key: &[u8], amount: &Word, cap: &Word) -> bool {
        let word = self.get(key).map(U256::from_be_bytes).unwrap_or_default();
        let sum = word.checked_add(U256::from_be_bytes(*amount)).filter(|sum| *sum <= U256::from_be_bytes(*cap));
        sum.is_some_and(|sum| {
            self.set(key, sum.to_be_bytes());
            true
        })
    }

    pub(crate) fn raise(&mut self, key: &[u8], value: &Word) {
        let word = self.get(key).unwrap_or_default();
        // Both are big-endian.
        self.set(key, word.max(*value));
    }

    pub(crate) fn entry(&self, key: &[u8]) -> Option<&[u8]> {
        check_key(key);
        self.entries.get(key).map(Vec::as_slice)
    }

    pub(crate) fn set_entry(&mut self, key: &[u8], value: &[u8]) {
        check_key(key);
        let most = ENTRY_VALUE_BYTES_MAX as usize;
        assert!(value.len() <= most, "an entry's value has at most {most} bytes, this one has {}", value.len());
        self.entries.insert(key.to_vec(), value.to_vec());
    }

    pub(crate) fn remove_entry(&mut self, key: &[u8]) -> bool {
        check_key(key);
        self.entries.remove(key).is_some()
    }

    pub(crate) fn seek_entry(&self, seek: u32, key: &[u8]) -> Option<&[u8]> {
        let bound =
            |bound: fn(Vec<u8>) -> Bound<Vec<u8>>| if key.is_empty() { Bound::Unbounded } else { bound(key.to_vec()) };
        let range = match seek {
            SEEK_AT_OR_ABOVE => (bound(Bound::Included), Bound::Unbounded),
            SEEK_ABOVE => (bound(Bound::Excluded), Bound::Unbounded),
            SEEK_AT_OR_BELOW => (Bound::Unbounded, bound(Bound::Included)),
            SEEK_BELOW => (Bound::Unbounded, bound(Bound::Excluded)),
            other => panic!("no seek has the number {other}"),
        };
        let mut range = self.entries.range(range).map(|(key, _)| key.as_slice());
        if matches!(seek, SEEK_AT_OR_ABOVE | SEEK_ABOVE) { range.next() } else { range.next_back() }
    }

    pub(crate) fn window_add(&mut self, key: &[u8], amount: &Word, cap: &Word, period_s: u64, now: u64) -> bool {
        check_key(key);
        assert!(period_s != 0, "a window needs a period; the engine treats one of 0 seconds as an exceeded limit");
        let (amount, cap) = (U256::from_be_bytes(*amount), U256::from_be_bytes(*cap));
        let window = self.windows.get(key).copied().unwrap_or(Window { level: U256::ZERO, timestamp: now });
        let decayed = window.decay(cap, period_s, now);
        match decayed.level.checked_add(amount).filter(|level| *level <= cap) {
            Some(level) => {
                self.write(key);
                self.windows.insert(key.to_vec(), Window { level, ..decayed });
                true
            }
            None => false,
        }
    }

    /// A new transaction may write anew.
    pub fn next_tx(&mut self) {
        self.written.clear();
    }

    fn write(&mut self, key: &[u8]) {
        check_key(key);
        self.written.insert(key.to_vec());
        let most = STORE_WRITES_MAX as usize;
        assert!(self.written.len() <= most, "a guard may write {most} words and windows in one transaction");
    }
}

impl Window {
    /// Whole units fall; time that did not suffice for one is kept for the next.
    fn decay(self, cap: U256, period_s: u64, now: u64) -> Self {
        let (wide, period) = (U512::from(cap), U512::from(period_s));
        let fallen = wide * U512::from(now.saturating_sub(self.timestamp)) / period;
        if fallen >= U512::from(self.level) {
            return Self { level: U256::ZERO, timestamp: now };
        }
        // `fallen` is below the level, which is at most `cap` when time moves forward: both fit.
        let used_s = (fallen * period).div_ceil(wide.max(U512::from(1)));
        Self { level: self.level - fallen.to::<U256>(), timestamp: self.timestamp + used_s.to::<u64>() }
    }
}

fn check_key(key: &[u8]) {
    let len_max = STORE_KEY_BYTES_MAX as usize;
    assert!(!key.is_empty() && key.len() <= len_max, "a key has 1 to {len_max} bytes, this one has {}", key.len());
}

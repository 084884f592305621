//! Ordered entries: byte keys and values, in the order of their keys.
//!
//! Keys are 1 to [`KEY_BYTES_MAX`](super::KEY_BYTES_MAX) bytes and compared byte by byte, a key behind its own
//! beginnings; numbers keep their order as big-endian bytes. Values have at most [`VALUE_BYTES_MAX`] bytes. A scan waits
//! for the transactions before that inserted or removed something where it went, and misses nothing.
//!
//! ```
//! # use std::ops::Bound;
//! # use parapet_guest::{prelude::*, store::entries};
//! # fn oldest_goes(now: u64, who: &[u8]) {
//! entries::set(&[b"seen/", &now.to_be_bytes()[..]].concat(), who);
//! if entries::prefix(b"seen/").count() > 10 {
//!     let oldest = entries::prefix(b"seen/").next();
//!     oldest.map(|(key, _)| entries::remove(&key));
//! }
//! let first_to_fifth: entries::Range = entries::range(Bound::Included(b"seen/"), Bound::Excluded(b"seen/5"));
//! let of_last: Option<Vec<u8>> = first_to_fifth.rev().next().and_then(|(key, _)| entries::get(&key));
//! assert!(of_last.is_none_or(|value| value.len() as u32 <= entries::VALUE_BYTES_MAX));
//! # }
//! ```

use alloc::vec::Vec;
use core::ops::Bound;

use parapet_abi::import::{
    ENTRY_VALUE_BYTES_MAX, NO_ENTRY, SEEK_ABOVE, SEEK_AT_OR_ABOVE, SEEK_AT_OR_BELOW, SEEK_BELOW, STORE_KEY_BYTES_MAX,
};

use crate::host;

/// Longest value, in bytes.
pub const VALUE_BYTES_MAX: u32 = ENTRY_VALUE_BYTES_MAX;

/// Values up to this length are fetched by one call.
const VALUE_BYTES_GUESSED: usize = 64;

/// The value of a key.
#[must_use]
pub fn get(key: &[u8]) -> Option<Vec<u8>> {
    let mut value = alloc::vec![0; VALUE_BYTES_GUESSED];
    let len = host::entry_get(key, 0, &mut value);
    if len == NO_ENTRY {
        return None;
    }
    let known = value.len();
    value.resize(len as usize, 0);
    if value.len() > known {
        host::entry_get(key, known, &mut value[known..]);
    }
    Some(value)
}

/// Sets the value of a key.
pub fn set(key: &[u8], value: &[u8]) {
    host::entry_set(key, value);
}

/// Removes a key with its value. Whether it was there.
pub fn remove(key: &[u8]) -> bool {
    host::entry_remove(key)
}

/// The entries between two bounds, from either end. Entries may be set and removed while it goes on.
#[must_use]
pub fn range(start: Bound<&[u8]>, end: Bound<&[u8]>) -> Range {
    Range { start: start.map(<[u8]>::to_vec), end: end.map(<[u8]>::to_vec) }
}

/// The entries whose keys begin so.
#[must_use]
pub fn prefix(beginning: &[u8]) -> Range {
    // Behind all of them is the beginning with its last byte that can grow grown, and nothing after it.
    let mut end = beginning.to_vec();
    while end.pop_if(|byte| *byte == u8::MAX).is_some() {}
    let end = match end.last_mut() {
        Some(last) => {
            *last += 1;
            Bound::Excluded(end)
        }
        None => Bound::Unbounded,
    };
    Range { start: Bound::Included(beginning.to_vec()), end }
}

/// Entries between two bounds.
#[derive(Clone, Debug)]
pub struct Range {
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
}

impl Iterator for Range {
    type Item = (Vec<u8>, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = seek(SEEK_AT_OR_ABOVE, SEEK_ABOVE, &self.start)?;
        let within = match &self.end {
            Bound::Included(end) => key <= *end,
            Bound::Excluded(end) => key < *end,
            Bound::Unbounded => true,
        };
        if !within {
            return None;
        }
        self.start = Bound::Excluded(key.clone());
        get(&key).map(|value| (key, value))
    }
}

impl DoubleEndedIterator for Range {
    fn next_back(&mut self) -> Option<Self::Item> {
        let key = seek(SEEK_AT_OR_BELOW, SEEK_BELOW, &self.end)?;
        let within = match &self.start {
            Bound::Included(start) => key >= *start,
            Bound::Excluded(start) => key > *start,
            Bound::Unbounded => true,
        };
        if !within {
            return None;
        }
        self.end = Bound::Excluded(key.clone());
        get(&key).map(|value| (key, value))
    }
}

fn seek(with: u32, without: u32, from: &Bound<Vec<u8>>) -> Option<Vec<u8>> {
    let (seek, from) = match from {
        Bound::Included(key) => (with, key.as_slice()),
        Bound::Excluded(key) => (without, key.as_slice()),
        Bound::Unbounded => (with, [].as_slice()),
    };
    let mut key = alloc::vec![0; STORE_KEY_BYTES_MAX as usize];
    let len = host::entry_seek(seek, from, &mut key);
    (len != NO_ENTRY).then(|| {
        key.truncate(len as usize);
        key
    })
}

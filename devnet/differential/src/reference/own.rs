//! An attachment's own state: words, decaying windows, ordered entries.

mod entries;
mod window;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;
use parapet_abi::import::{STORE_KEY_BYTES_MAX, STORE_WRITES_MAX};
use parapet_store::{state_slot, window_slot};

use super::{Host, memory};
use crate::{Case, End, KeptEntries, KeptWords};

use entries::EntryWords;
pub use window::Window;

/// Decaying windows of guard state, by key.
pub type KeptWindows = BTreeMap<Vec<u8>, Window>;

/// Own state as a transaction has it.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Words.
    pub words: KeptWords,
    /// Windows.
    pub windows: KeptWindows,
    /// Ordered entries.
    pub entries: KeptEntries,
    /// Keys of words and of windows that were written.
    written: BTreeSet<(Shelf, Vec<u8>)>,
    /// The words that entries lie in.
    entry_words: EntryWords,
}

/// Words and windows do not share keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shelf {
    Word,
    Window,
}

impl Own {
    /// As the transaction finds it.
    pub(super) fn new(case: &Case) -> Self {
        Self {
            words: case.words.clone(),
            windows: case.windows.clone(),
            entries: case.entries.clone(),
            ..Self::default()
        }
    }

    /// What was written, by slot, the words of entries among it.
    #[must_use]
    pub fn writes(&self, case: &Case) -> Vec<(U256, U256)> {
        let word = |(shelf, key): &(Shelf, Vec<u8>)| match shelf {
            Shelf::Word => (state_slot(case.attachment, key), self.words[key]),
            Shelf::Window => (window_slot(case.attachment, key), self.windows[key].to_word()),
        };
        let by_slot: BTreeMap<U256, U256> = self.written.iter().map(word).chain(self.entry_words.changed()).collect();
        by_slot.into_iter().collect()
    }
}

impl Host {
    /// A key of own state, which is hashed at once.
    fn hashed_key(&mut self, memory: &[u8], place: u32, len: u32) -> Result<Vec<u8>, End> {
        if !(1..=STORE_KEY_BYTES_MAX).contains(&len) {
            return Err(End::Limit);
        }
        self.meter.key(u64::from(len));
        let key = memory::bytes(memory, place, len)?.to_vec();
        self.meter.copied(u64::from(len));
        Ok(key)
    }

    /// One more write, of a word that may have been written before.
    fn note_write(&mut self, shelf: Shelf, key: &[u8]) -> Result<(), End> {
        let name = (shelf, key.to_vec());
        if self.own.written.contains(&name) {
            self.meter.changed_again();
            return Ok(());
        }
        self.meter.changed_first();
        if self.own.written.len() >= STORE_WRITES_MAX as usize {
            return Err(End::Limit);
        }
        self.own.written.insert(name);
        Ok(())
    }
}

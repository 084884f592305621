//! Ordered entries. What they answer comes of a map; what they cost, and which words change, of the layout in which the
//! chain keeps them (`parapet_store`), whose words are paid for by the specification's prices. Both must be of one mind.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use alloy_primitives::{Address, U256};
use parapet_abi::import::{
    ENTRY_VALUE_BYTES_MAX, ENTRY_WORDS_MAX, NO_ENTRY, SEEK_ABOVE, SEEK_AT_OR_ABOVE, SEEK_AT_OR_BELOW, SEEK_BELOW,
};
use parapet_monitor::{Fork, StateView as _};
use parapet_store::{Entries, EntryError, Order, Words};

use super::Host;
use crate::{
    End, Forked,
    reference::{Meter, TRAP, count, memory},
};

/// The words that entries lie in, as far as a transaction knows them.
#[derive(Clone, Debug, Default)]
pub(super) struct EntryWords {
    now: BTreeMap<U256, U256>,
    changed: BTreeSet<U256>,
}

impl EntryWords {
    /// What was changed, by slot.
    pub(super) fn changed(&self) -> impl Iterator<Item = (U256, U256)> {
        self.changed.iter().map(|slot| (*slot, self.now[slot]))
    }
}

/// The same, at the transaction's cost.
struct Paid<'a> {
    words: &'a mut EntryWords,
    meter: &'a mut Meter,
    state: &'a mut Forked,
    account: Address,
}

/// Why an operation on entries stopped.
#[derive(Debug)]
enum Stopped {
    TooManyWords,
    Layout(EntryError),
}

impl From<EntryError> for Stopped {
    fn from(error: EntryError) -> Self {
        Self::Layout(error)
    }
}

impl Words for Paid<'_> {
    type Error = Stopped;

    fn read(&mut self, slot: U256) -> Result<U256, Stopped> {
        if let Some(word) = self.words.now.get(&slot) {
            self.meter.entry_word();
            return Ok(*word);
        }
        self.meter.look();
        let word = self.state.storage(Fork::PreTx, self.account, slot).expect("state in memory can be read");
        self.words.now.insert(slot, word);
        Ok(word)
    }

    fn write(&mut self, slot: U256, word: U256) -> Result<(), Stopped> {
        if self.words.changed.contains(&slot) {
            self.meter.changed_again();
        } else {
            self.meter.changed_first();
            if self.words.changed.len() >= ENTRY_WORDS_MAX as usize {
                return Err(Stopped::TooManyWords);
            }
            self.words.changed.insert(slot);
        }
        self.words.now.insert(slot, word);
        Ok(())
    }
}

impl Host {
    /// `entry_get(key, key_len, offset, out, len) -> value_len`.
    ///
    /// # Errors
    /// A limit or a trap.
    ///
    /// # Panics
    /// When the map and the layout differ.
    pub fn entry_get(&mut self, memory: &mut [u8], args: [u32; 5]) -> Result<u32, End> {
        let [key, key_len, offset, out, len] = args;
        let key = self.hashed_key(memory, key, key_len)?;
        let room = memory::room(memory, out, u64::from(len))?;
        let kept = self.on_words(|entries| entries.get(&key))?;
        let value = self.own.entries.get(&key);
        assert_eq!(kept.as_ref(), value, "an entry, and the words that it lies in");
        Ok(value.map_or(NO_ENTRY, |value| {
            let copied = memory::part(value, offset, room);
            self.meter.copied(u64::from(copied));
            count(value.len())
        }))
    }

    /// `entry_set(key, key_len, value, value_len)`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn entry_set(&mut self, memory: &mut [u8], args: [u32; 4]) -> Result<(), End> {
        let [key, key_len, value, value_len] = args;
        let key = self.hashed_key(memory, key, key_len)?;
        if value_len > ENTRY_VALUE_BYTES_MAX {
            return Err(End::Limit);
        }
        let value = memory::bytes(memory, value, value_len)?.to_vec();
        self.meter.copied(u64::from(value_len));
        self.on_words(|entries| entries.set(&key, &value))?;
        self.own.entries.insert(key, value);
        Ok(())
    }

    /// `entry_remove(key, key_len) -> removed`.
    ///
    /// # Errors
    /// A limit or a trap.
    ///
    /// # Panics
    /// When the map and the layout differ.
    pub fn entry_remove(&mut self, memory: &mut [u8], [key, key_len]: [u32; 2]) -> Result<u32, End> {
        let key = self.hashed_key(memory, key, key_len)?;
        let kept = self.on_words(|entries| entries.remove(&key))?;
        let removed = self.own.entries.remove(&key).is_some();
        assert_eq!(kept, removed, "whether an entry was there");
        Ok(u32::from(removed))
    }

    /// `entry_seek(seek, key, key_len, out, len) -> found_len`.
    ///
    /// # Errors
    /// A limit or a trap.
    ///
    /// # Panics
    /// When the map and the layout differ.
    pub fn entry_seek(&mut self, memory: &mut [u8], args: [u32; 5]) -> Result<u32, End> {
        let [seek, key, key_len, out, len] = args;
        let order = match seek {
            SEEK_AT_OR_ABOVE | SEEK_ABOVE => Order::Ascending,
            SEEK_AT_OR_BELOW | SEEK_BELOW => Order::Descending,
            _ => return Err(TRAP),
        };
        let key = if key_len == 0 { Vec::new() } else { self.hashed_key(memory, key, key_len)? };
        let room = memory::room(memory, out, u64::from(len))?;
        let from: Bound<&[u8]> = match seek {
            _ if key.is_empty() => Bound::Unbounded,
            SEEK_AT_OR_ABOVE | SEEK_AT_OR_BELOW => Bound::Included(&key),
            _ => Bound::Excluded(&key),
        };
        let kept = self.on_words(|entries| entries.seek(from, order))?;
        let found = match order {
            Order::Ascending => self.own.entries.range::<[u8], _>((from, Bound::Unbounded)).next(),
            Order::Descending => self.own.entries.range::<[u8], _>((Bound::Unbounded, from)).next_back(),
        };
        assert_eq!(kept.as_ref(), found.map(|(found, _)| found), "the entry next to a key");
        Ok(found.map_or(NO_ENTRY, |(found, _)| {
            let copied = memory::part(found, 0, room);
            self.meter.copied(u64::from(copied));
            count(found.len())
        }))
    }

    /// Works on the words that entries lie in.
    fn on_words<R>(&mut self, work: impl FnOnce(&mut Entries<'_, Paid<'_>>) -> Result<R, Stopped>) -> Result<R, End> {
        let (attachment, account) = (self.case.attachment, self.case.store);
        let Self { own, meter, case, .. } = self;
        let mut words = Paid { words: &mut own.entry_words, meter, state: &mut case.state, account };
        work(&mut Entries::new(attachment, &mut words)).map_err(|stopped| match stopped {
            Stopped::TooManyWords => End::Limit,
            Stopped::Layout(error) => panic!("keys and values have been looked at: {error}"),
        })
    }
}

//! Ordered entries. How many words of state a change of them takes is not counted here: that follows from where a host
//! keeps them.

use std::ops::Bound;

use parapet_abi::import::{
    ENTRY_VALUE_BYTES_MAX, NO_ENTRY, SEEK_ABOVE, SEEK_AT_OR_ABOVE, SEEK_AT_OR_BELOW, SEEK_BELOW,
};

use super::Host;
use crate::{
    End,
    reference::{TRAP, count, memory},
};

impl Host {
    /// `entry_get(key, key_len, offset, out, len) -> value_len`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn entry_get(&mut self, memory: &mut [u8], args: [u32; 5]) -> Result<u32, End> {
        self.own.entries_used = true;
        let [key, key_len, offset, out, len] = args;
        let key = self.key(memory, key, key_len)?;
        let room = memory::room(memory, out, u64::from(len))?;
        Ok(self.own.entries.get(&key).map_or(NO_ENTRY, |value| {
            memory::part(value, offset, room);
            count(value.len())
        }))
    }

    /// `entry_set(key, key_len, value, value_len)`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn entry_set(&mut self, memory: &mut [u8], args: [u32; 4]) -> Result<(), End> {
        self.own.entries_used = true;
        let [key, key_len, value, value_len] = args;
        let key = self.key(memory, key, key_len)?;
        if value_len > ENTRY_VALUE_BYTES_MAX {
            return Err(End::Limit);
        }
        let value = memory::bytes(memory, value, value_len)?.to_vec();
        self.own.entries_touched = true;
        self.own.entries.insert(key, value);
        Ok(())
    }

    /// `entry_remove(key, key_len) -> removed`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn entry_remove(&mut self, memory: &mut [u8], [key, key_len]: [u32; 2]) -> Result<u32, End> {
        self.own.entries_used = true;
        let key = self.key(memory, key, key_len)?;
        let removed = self.own.entries.remove(&key).is_some();
        self.own.entries_touched |= removed;
        Ok(u32::from(removed))
    }

    /// `entry_seek(seek, key, key_len, out, len) -> found_len`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn entry_seek(&mut self, memory: &mut [u8], args: [u32; 5]) -> Result<u32, End> {
        self.own.entries_used = true;
        let [seek, key, key_len, out, len] = args;
        if !(SEEK_AT_OR_ABOVE..=SEEK_BELOW).contains(&seek) {
            return Err(TRAP);
        }
        let key = self.key_or_none(memory, key, key_len)?;
        let room = memory::room(memory, out, u64::from(len))?;
        let from: Bound<&[u8]> = match seek {
            _ if key.is_empty() => Bound::Unbounded,
            SEEK_AT_OR_ABOVE | SEEK_AT_OR_BELOW => Bound::Included(&key),
            _ => Bound::Excluded(&key),
        };
        let found = match seek {
            SEEK_AT_OR_ABOVE | SEEK_ABOVE => self.own.entries.range::<[u8], _>((from, Bound::Unbounded)).next(),
            _ => self.own.entries.range::<[u8], _>((Bound::Unbounded, from)).next_back(),
        };
        Ok(found.map_or(NO_ENTRY, |(found, _)| {
            memory::part(found, 0, room);
            count(found.len())
        }))
    }
}

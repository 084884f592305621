//! The attachment's own state: words, windows and ordered entries, each by its key (section 3).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use alloy_primitives::{U256, U512};
use parapet_abi::import::{
    ENTRY_VALUE_BYTES_MAX, NO_ENTRY, SEEK_ABOVE, SEEK_AT_OR_ABOVE, SEEK_AT_OR_BELOW, SEEK_BELOW, STORE_KEY_BYTES_MAX,
    STORE_WRITES_MAX,
};

use super::{Host, OUTSIDE, Stopped, range, word, write};
use crate::{Case, End};

type Key = Vec<u8>;

/// Largest level of a window that is kept.
const LEVEL_MAX: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, 0]);

/// Own state as it is now.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    words: BTreeMap<Key, U256>,
    windows: BTreeMap<Key, Window>,
    entries: BTreeMap<Key, Vec<u8>>,
    /// Whether entries were set or removed.
    entries_touched: bool,
    /// What was written, by whether it is a window, and key.
    written: BTreeSet<(bool, Key)>,
}

impl Own {
    /// As the case has it before the transaction.
    pub(super) fn of(case: &Case) -> Self {
        Self { words: case.words.clone(), entries: case.entries.clone(), ..Self::default() }
    }
}

/// A decaying window.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    level: U256,
    timestamp: u64,
}

impl Window {
    /// Falls by `cap` in each period, in whole units; time that was too short for one is kept.
    fn decayed(self, cap: U256, period_s: u64, now: u64) -> Self {
        let (wide_cap, period) = (U512::from(cap), U512::from(period_s));
        let fallen = wide_cap * U512::from(now.saturating_sub(self.timestamp)) / period;
        if fallen >= U512::from(self.level) {
            return Self { level: U256::ZERO, timestamp: now };
        }
        let used_s = if cap.is_zero() { U512::ZERO } else { (fallen * period).div_ceil(wide_cap) };
        Self { level: self.level - U256::from(fallen), timestamp: self.timestamp + used_s.to::<u64>() }
    }

    /// As storage holds it.
    fn packed(self) -> U256 {
        self.level << 64 | U256::from(self.timestamp)
    }
}

impl Host {
    /// What was written, by the slots that the guard VM keeps it in.
    #[must_use]
    pub fn writes(&self) -> Vec<(U256, U256)> {
        let written = self.own.written.iter().map(|(window, key)| match window {
            true => (parapet_store::window_slot(self.case.attachment, key), self.own.windows[key].packed()),
            false => (parapet_store::state_slot(self.case.attachment, key), self.own.words[key]),
        });
        let mut writes: Vec<_> = written.collect();
        writes.sort_unstable();
        writes
    }

    /// Whether ordered entries were set or removed.
    #[must_use]
    pub const fn entries_touched(&self) -> bool {
        self.own.entries_touched
    }

    /// Ordered entries as they are now.
    #[must_use]
    pub fn entries(&self) -> Vec<(Key, Vec<u8>)> {
        self.own.entries.clone().into_iter().collect()
    }

    /// `store_get`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn store_get(&self, memory: &mut [u8], [at, len, out]: [u32; 3]) -> Stopped<u32> {
        let word = self.word_of(&key(memory, at, len)?);
        write(memory, out, &word.to_be_bytes::<32>())?;
        Ok(u32::from(!word.is_zero()))
    }

    /// `store_set`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn store_set(&mut self, memory: &[u8], [at, len, value]: [u32; 3]) -> Stopped<()> {
        let key = key(memory, at, len)?;
        let value = word(memory, value)?;
        self.write_word(key, value)
    }

    /// `store_add`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn store_add(&mut self, memory: &[u8], [at, len, amount, cap]: [u32; 4]) -> Stopped<u32> {
        let key = key(memory, at, len)?;
        let (amount, cap) = (word(memory, amount)?, word(memory, cap)?);
        match self.word_of(&key).checked_add(amount).filter(|sum| *sum <= cap) {
            None => Ok(0),
            Some(sum) => self.write_word(key, sum).map(|()| 1),
        }
    }

    /// `store_max`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn store_max(&mut self, memory: &[u8], [at, len, value]: [u32; 3]) -> Stopped<()> {
        let key = key(memory, at, len)?;
        let value = word(memory, value)?.max(self.word_of(&key));
        self.write_word(key, value)
    }

    /// `window_add`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn window_add(&mut self, memory: &[u8], [at, len, amount, cap]: [u32; 4], period_s: u64) -> Stopped<u32> {
        let key = key(memory, at, len)?;
        let (amount, cap) = (word(memory, amount)?, word(memory, cap)?);
        if period_s == 0 {
            return Err(End::Limit);
        }
        let window = self.own.windows.get(&key).copied().unwrap_or_default();
        let window = window.decayed(cap, period_s, self.case.trace.context.timestamp);
        let Some(level) = window.level.checked_add(amount).filter(|level| *level <= cap) else { return Ok(0) };
        self.count_write((true, key.clone()))?;
        self.own.windows.insert(key, Window { level: level.min(LEVEL_MAX), ..window });
        Ok(1)
    }

    /// `entry_get`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn entry_get(&self, memory: &mut [u8], [at, len, offset, out, out_len]: [u32; 5]) -> Stopped<u32> {
        let key = key(memory, at, len)?;
        let value = self.own.entries.get(&key);
        let rest = value.and_then(|value| value.get(offset as usize..)).unwrap_or_default();
        as_much_as_fits(memory, rest, [out, out_len])?;
        Ok(value.map_or(NO_ENTRY, |value| value.len() as u32))
    }

    /// `entry_set`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn entry_set(&mut self, memory: &[u8], [at, len, value, value_len]: [u32; 4]) -> Stopped<()> {
        let key = key(memory, at, len)?;
        if value_len > ENTRY_VALUE_BYTES_MAX {
            return Err(End::Limit);
        }
        let value = memory[range(memory, value, value_len.into())?].to_vec();
        self.own.entries.insert(key, value);
        self.own.entries_touched = true;
        Ok(())
    }

    /// `entry_remove`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn entry_remove(&mut self, memory: &[u8], [at, len]: [u32; 2]) -> Stopped<u32> {
        let key = key(memory, at, len)?;
        let removed = self.own.entries.remove(&key).is_some();
        self.own.entries_touched |= removed;
        Ok(u32::from(removed))
    }

    /// `entry_seek`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn entry_seek(&self, memory: &mut [u8], [seek, at, len, out, out_len]: [u32; 5]) -> Stopped<u32> {
        if seek > SEEK_BELOW {
            return Err(OUTSIDE);
        }
        let from = if len == 0 { None } else { Some(key(memory, at, len)?) };
        let entries = &self.own.entries;
        let found = match (seek, from) {
            (SEEK_AT_OR_ABOVE | SEEK_ABOVE, None) => entries.keys().next(),
            (SEEK_AT_OR_BELOW | SEEK_BELOW, None) => entries.keys().next_back(),
            (SEEK_AT_OR_ABOVE, Some(from)) => first(entries.range(from..)),
            (SEEK_ABOVE, Some(from)) => first(entries.range((Bound::Excluded(from), Bound::Unbounded))),
            (SEEK_AT_OR_BELOW, Some(from)) => first(entries.range(..=from).rev()),
            (_, Some(from)) => first(entries.range(..from).rev()),
            (_, None) => None,
        };
        as_much_as_fits(memory, found.map(Vec::as_slice).unwrap_or_default(), [out, out_len])?;
        Ok(found.map_or(NO_ENTRY, |found| found.len() as u32))
    }

    fn word_of(&self, key: &Key) -> U256 {
        self.own.words.get(key).copied().unwrap_or_default()
    }

    fn write_word(&mut self, key: Key, value: U256) -> Stopped<()> {
        self.count_write((false, key.clone()))?;
        self.own.words.insert(key, value);
        Ok(())
    }

    /// So many words and windows may be written, each counted once.
    fn count_write(&mut self, what: (bool, Key)) -> Stopped<()> {
        let written = &mut self.own.written;
        if !written.contains(&what) && written.len() >= STORE_WRITES_MAX as usize {
            return Err(End::Limit);
        }
        written.insert(what);
        Ok(())
    }
}

fn first<'a>(mut entries: impl Iterator<Item = (&'a Key, &'a Vec<u8>)>) -> Option<&'a Key> {
    entries.next().map(|(key, _)| key)
}

fn key(memory: &[u8], at: u32, len: u32) -> Stopped<Key> {
    if len == 0 || len > STORE_KEY_BYTES_MAX {
        return Err(End::Limit);
    }
    Ok(memory[range(memory, at, len.into())?].to_vec())
}

/// The whole range must be the guard's.
fn as_much_as_fits(memory: &mut [u8], bytes: &[u8], [out, out_len]: [u32; 2]) -> Stopped<()> {
    let out = range(memory, out, out_len.into())?;
    let bytes = &bytes[..bytes.len().min(out.len())];
    memory[out][..bytes.len()].copy_from_slice(bytes);
    Ok(())
}

//! A guard's own state: words and decaying windows, kept in the storage of one account under slots that no contract
//! could reach by itself.
//!
//! Invariant: nothing is written here. Reads come from what this transaction wrote, else from state before it; writes
//! stay in the overlay until the judgement is closed.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256, U512, keccak256};
use parapet_monitor::{AttachmentId, Fork, StateFault, StateView, StateWrite};

const WORD_DOMAIN: &[u8] = b"parapet.guard-state.v1";
const WINDOW_DOMAIN: &[u8] = b"parapet.guard-window.v1";

/// Bits of a window's level; the other 64 hold its timestamp.
const LEVEL_BITS: usize = 192;

/// Slot of a word of an attachment's state.
#[must_use]
pub fn state_slot(attachment: AttachmentId, key: &[u8]) -> U256 {
    slot(WORD_DOMAIN, attachment, key)
}

/// Slot of a decaying window of an attachment.
#[must_use]
pub fn window_slot(attachment: AttachmentId, key: &[u8]) -> U256 {
    slot(WINDOW_DOMAIN, attachment, key)
}

fn slot(domain: &[u8], attachment: AttachmentId, key: &[u8]) -> U256 {
    keccak256([domain, attachment.as_slice(), keccak256(key).as_slice()].concat()).into()
}

/// Words written in this transaction, by slot.
#[derive(Debug, Default)]
pub(crate) struct Overlay(BTreeMap<U256, U256>);

impl Overlay {
    pub(crate) fn read(&self, view: &mut dyn StateView, account: Address, slot: U256) -> Result<U256, StateFault> {
        match self.0.get(&slot) {
            Some(word) => Ok(*word),
            None => view.storage(Fork::PreTx, account, slot),
        }
    }

    /// Number of words after writing `slot`.
    pub(crate) fn words_with(&self, slot: U256) -> usize {
        self.0.len() + usize::from(!self.0.contains_key(&slot))
    }

    pub(crate) fn write(&mut self, slot: U256, word: U256) {
        self.0.insert(slot, word);
    }

    /// By slot, each once.
    pub(crate) fn into_writes(self) -> Vec<StateWrite> {
        self.0.into_iter().map(|(slot, value)| StateWrite { slot, value }).collect()
    }
}

/// What has passed of late: a level that falls linearly, by `cap` in each `period_s` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    level: U256,
    /// Up to when the level has fallen, in seconds.
    timestamp: u64,
}

impl Window {
    pub(crate) fn unpack(word: U256) -> Self {
        Self { level: word >> 64, timestamp: word.as_limbs()[0] }
    }

    /// A level beyond 192 bits is kept as the largest that fits.
    pub(crate) fn pack(self) -> U256 {
        let level_max = U256::MAX >> (256 - LEVEL_BITS);
        self.level.min(level_max) << 64 | U256::from(self.timestamp)
    }

    /// The window after an addition, or `None` if that would exceed `cap`. `period_s` must not be zero.
    pub(crate) fn add(self, amount: U256, cap: U256, period_s: u64, now: u64) -> Option<Self> {
        let decayed = self.decay(cap, period_s, now);
        let level = decayed.level.checked_add(amount).filter(|level| *level <= cap)?;
        Some(Self { level, ..decayed })
    }

    /// Whole units fall. The time that did not suffice for one is kept for the next, so that frequent small additions
    /// cannot hold the level up by rounding.
    fn decay(self, cap: U256, period_s: u64, now: u64) -> Self {
        let elapsed_s = now.saturating_sub(self.timestamp);
        let (cap, period) = (U512::from(cap), U512::from(period_s));
        // 256 and 64 bits: the product has at most 320.
        let fallen = cap * U512::from(elapsed_s) / period;
        if fallen >= U512::from(self.level) {
            return Self { level: U256::ZERO, timestamp: now.max(self.timestamp) };
        }
        let used_s = if cap.is_zero() { U512::ZERO } else { (fallen * period).div_ceil(cap) };
        Self {
            level: self.level - U256::from(fallen),
            timestamp: self.timestamp + u64::try_from(used_s).expect("at most the time that passed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(level: u64, timestamp: u64) -> Window {
        Window { level: U256::from(level), timestamp }
    }

    fn add(window: Window, amount: u64, now: u64) -> Option<Window> {
        window.add(U256::from(amount), U256::from(100), 1_000, now)
    }

    #[test]
    fn a_level_falls_linearly_to_zero() {
        assert_eq!(add(window(80, 5_000), 0, 5_000), Some(window(80, 5_000)));
        assert_eq!(add(window(80, 5_000), 0, 5_300), Some(window(50, 5_300)));
        assert_eq!(add(window(80, 5_000), 0, 5_800), Some(window(0, 5_800)));
        assert_eq!(add(window(80, 5_000), 0, 9_999), Some(window(0, 9_999)));
    }

    #[test]
    fn small_additions_do_not_stop_the_decay() {
        let mut often = window(80, 0);
        for now in 1..=795 {
            often = add(often, 0, now).expect("below the cap");
        }
        assert_eq!(often, window(1, 790));
        assert_eq!(add(often, 0, 800).map(|window| window.level), Some(U256::ZERO));
    }

    #[test]
    fn an_addition_is_accepted_up_to_the_cap_and_not_beyond() {
        assert_eq!(add(window(80, 0), 20, 0), Some(window(100, 0)));
        assert_eq!(add(window(80, 0), 21, 0), None);
        assert_eq!(add(window(80, 0), u64::MAX, 0), None);
    }

    #[test]
    fn time_that_runs_backwards_changes_nothing() {
        assert_eq!(add(window(80, 5_000), 1, 4_000), Some(window(81, 5_000)));
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let full = Window { level: U256::MAX, timestamp: 0 };
        assert_eq!(
            full.add(U256::MAX, U256::MAX, u64::MAX, u64::MAX),
            Some(Window { level: U256::MAX, timestamp: u64::MAX })
        );
        assert_eq!(full.add(U256::ZERO, U256::MAX, 1, u64::MAX).map(|window| window.level), Some(U256::ZERO));
        assert_eq!(full.add(U256::from(1), U256::MAX, u64::MAX, 0), None);
        assert_eq!(full.add(U256::ZERO, U256::ZERO, 1, u64::MAX), None);
        assert_eq!(window(0, 7).add(U256::ZERO, U256::ZERO, 1, 9), Some(window(0, 9)));
    }

    #[test]
    fn a_word_holds_level_and_timestamp_and_saturates() {
        let small = window(77, u64::MAX);
        assert_eq!(Window::unpack(small.pack()), small);
        let level_max = U256::MAX >> 64;
        assert_eq!(
            Window::unpack(Window { level: U256::MAX, timestamp: 3 }.pack()),
            Window { level: level_max, timestamp: 3 }
        );
        assert_eq!(Window::unpack(U256::ZERO), window(0, 0));
    }
}

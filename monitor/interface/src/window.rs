//! What has passed of late: a level that falls linearly, packed into one word.
//!
//! Invariant: falling is idempotent. At one time a window falls once, however often it is asked; so additions of one
//! block, which all have one time, give the same window in every order.

use alloy_primitives::{U256, U512};

/// Bits of a window's level; the other 64 hold its timestamp.
pub(crate) const LEVEL_BITS: usize = 192;

/// A level that falls by `cap` in each `period_s` seconds, until it is zero.
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

    /// The window after an addition, or `None` if that would exceed `cap`.
    pub(crate) fn add(self, amount: U256, cap: U256, period_s: u64, now: u64) -> Option<Self> {
        let decayed = self.decay(cap, period_s, now);
        let level = decayed.level.checked_add(amount).filter(|level| *level <= cap)?;
        Some(Self { level, ..decayed })
    }

    /// Whole units fall. The time that did not suffice for one is kept for the next, so that frequent small additions
    /// cannot hold the level up by rounding. In a period of zero everything falls at once.
    fn decay(self, cap: U256, period_s: u64, now: u64) -> Self {
        let elapsed_s = now.saturating_sub(self.timestamp);
        if elapsed_s == 0 {
            return self;
        }
        if period_s == 0 {
            return Self { level: U256::ZERO, timestamp: now };
        }
        let (cap, period) = (U512::from(cap), U512::from(period_s));
        // 256 and 64 bits: the product has at most 320.
        let fallen = cap * U512::from(elapsed_s) / period;
        if fallen >= U512::from(self.level) {
            return Self { level: U256::ZERO, timestamp: now };
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
    fn a_level_falls_once_at_one_time() {
        for time in 5_000..5_050 {
            let once = window(80, 5_000).decay(U256::from(33), 1_000, time);
            assert_eq!(once.decay(U256::from(33), 1_000, time), once, "{time}");
        }
    }

    #[test]
    fn small_additions_do_not_stop_the_decay() {
        let mut often = window(80, 0);
        for time in 1..=795 {
            often = add(often, 0, time).expect("below the cap");
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

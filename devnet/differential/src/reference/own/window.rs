//! Decaying windows.

use alloy_primitives::{U256, U512};

use super::{Host, Shelf};
use crate::End;

/// Bits of a window's word below its level: the second from which its time is counted.
const TIME_BITS: usize = 64;
/// Bits that a level has.
const LEVEL_BITS: usize = 192;

/// A level, and the second from which time lowers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// How much is in it.
    pub level: U256,
    /// Since when, by timestamps of blocks.
    pub since: u64,
}

impl Window {
    /// As one word of state.
    #[must_use]
    pub fn to_word(self) -> U256 {
        (self.level << TIME_BITS) | U256::from(self.since)
    }

    /// As time has lowered it: by whole units, the time that these took being used up.
    fn lowered(self, cap: U256, period: u64, now: u64) -> Self {
        let passed = now.saturating_sub(self.since);
        let units = U512::from(cap) * U512::from(passed) / U512::from(period);
        if units >= U512::from(self.level) {
            return Self { level: U256::ZERO, since: now };
        }
        if units.is_zero() {
            return self;
        }
        let took = (units * U512::from(period)).div_ceil(U512::from(cap));
        let took: u64 = took.to();
        Self { level: self.level - U256::from(units), since: self.since + took }
    }
}

impl Host {
    /// `window_add(key, key_len, amount, cap, period_s) -> added`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn window_add(
        &mut self,
        memory: &mut [u8],
        [key, key_len, amount, cap]: [u32; 4],
        period: u64,
    ) -> Result<u32, End> {
        let key = self.hashed_key(memory, key, key_len)?;
        let amount = U256::from_be_bytes(self.word(memory, amount)?);
        let cap = U256::from_be_bytes(self.word(memory, cap)?);
        if period == 0 {
            return Err(End::Limit);
        }
        self.meter.look();
        let now = self.case.trace.context.timestamp;
        let window = self.own.windows.get(&key).copied().unwrap_or(Window { level: U256::ZERO, since: now });
        let lowered = window.lowered(cap, period, now);
        let Some(sum) = lowered.level.checked_add(amount).filter(|sum| *sum <= cap) else {
            return Ok(0);
        };
        self.note_write(Shelf::Window, &key)?;
        let most = (U256::from(1) << LEVEL_BITS) - U256::from(1);
        self.own.windows.insert(key, Window { level: sum.min(most), ..lowered });
        Ok(1)
    }
}

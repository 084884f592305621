//! A decaying window: a level that falls evenly, by the cap in each period.
//!
//! Calculates exactly as the host's own windows do, 192 bits of level included, so that both forms of the guard agree.

use cosmwasm_std::{Storage, Uint64, Uint128, Uint256, Uint512};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of a stored window: the level, then up to when it has fallen.
const STORED_BYTES: usize = 40;

/// What has left of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The level, in the asset's smallest unit.
    pub level: Uint256,
    /// Up to when it has fallen, in seconds.
    pub timestamp: Uint64,
}

impl Window {
    /// The window as it was last written.
    pub fn load(storage: &dyn Storage, key: &[u8]) -> Self {
        let Some(stored) = storage.get(key).and_then(|bytes| <[u8; STORED_BYTES]>::try_from(bytes).ok()) else {
            return Self::default();
        };
        let (mut level, mut timestamp) = ([0; 32], [0; 8]);
        level.copy_from_slice(&stored[..32]);
        timestamp.copy_from_slice(&stored[32..]);
        Self { level: Uint256::from_be_bytes(level), timestamp: Uint64::new(u64::from_be_bytes(timestamp)) }
    }

    /// Writes the window; a level beyond 192 bits is kept as the largest that fits.
    pub fn save(&self, storage: &mut dyn Storage, key: &[u8]) {
        let level = self.level.min(Uint256::MAX >> 64);
        storage.set(key, &[level.to_be_bytes().as_slice(), &self.timestamp.u64().to_be_bytes()].concat());
    }

    /// The window after an addition, or `None` if that would exceed `cap`. `period_s` must not be zero.
    pub fn add(self, amount: Uint256, cap: Uint256, period_s: u64, now: u64) -> Option<Self> {
        let decayed = self.decay(cap, period_s, now);
        let level = decayed.level.checked_add(amount).ok().filter(|level| *level <= cap)?;
        Some(Self { level, ..decayed })
    }

    /// Whole units fall. The time that did not suffice for one is kept for the next.
    fn decay(self, cap: Uint256, period_s: u64, now: u64) -> Self {
        let since = self.timestamp.u64();
        let (cap, period) = (Uint512::from(cap), Uint512::from(period_s));
        let fallen = cap * Uint512::from(now.saturating_sub(since)) / period;
        if fallen >= Uint512::from(self.level) {
            return Self { level: Uint256::zero(), timestamp: Uint64::new(now.max(since)) };
        }
        let used = if cap.is_zero() { Uint512::zero() } else { (fallen * period + cap - Uint512::one()) / cap };
        let used = Uint256::try_from(used).unwrap_or_default();
        Self {
            level: self.level - Uint256::try_from(fallen).unwrap_or_default(),
            timestamp: Uint64::new(
                since + u64::try_from(Uint128::try_from(used).unwrap_or_default().u128()).unwrap_or_default(),
            ),
        }
    }
}

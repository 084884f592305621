//! Numbers that look random and are the same everywhere: SplitMix64 (Steele, Lea and Flood, 2014).

use alloy_primitives::U256;

/// A stream of numbers, fixed by its seed.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number from `low` to `high`: each doubling of the lowest is as likely as any other, as amounts of money are.
    pub(crate) fn between(&mut self, low: U256, high: U256) -> U256 {
        let base = low.max(U256::ONE);
        let doublings = (high / base).checked_log2().unwrap_or_default() as u64;
        let from = base << usize::try_from(self.below(doublings + 1)).unwrap_or_default();
        let more = from.saturating_mul(U256::from(self.below(10_000))) / U256::from(10_000);
        from.saturating_add(more).clamp(low, high)
    }
}

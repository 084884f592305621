//! Amounts that look like those of people.

use alloy_primitives::U256;
use parapet_random::Random;

/// A number from `low` to `high`: each doubling of the lowest is as likely as any other, as amounts of money are.
pub(crate) fn between(random: &mut Random, low: U256, high: U256) -> U256 {
    let base = low.max(U256::ONE);
    let doublings = (high / base).checked_log2().unwrap_or_default() as u64;
    let from = base << usize::try_from(random.below(doublings + 1)).unwrap_or_default();
    let more = from.saturating_mul(U256::from(random.below(10_000))) / U256::from(10_000);
    from.saturating_add(more).clamp(low, high)
}

//! What the guarded accounts trade, they trade near the windowed average of their own trades, and never where somebody has just
//! bent, in the same transaction, what their counterparty holds.
//!
//! Judged after execution, for accounts that trade: they call out, give one asset and get another for it. Accounts that are
//! traded with, such as pools, are not judged here: their trades are their callers' business.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{
    moved::{self, WHOLE_BPS},
    prelude::*,
};

mod legs;
#[cfg(test)]
mod tests;

use legs::{Trade, trades};

/// Veto: a trade was worse than the windowed average by more than `worse_bps`.
pub const CODE_WORSE: u16 = 1;
/// Veto: what the counterparty holds had been bent in the same transaction by more than `bent_bps`.
pub const CODE_BENT: u16 = 2;
/// Refusal at attachment: a window without length has no average.
pub const CODE_NO_LENGTH: u16 = 3;

/// Rates are amounts got for so many units given.
const UNIT: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// Prefix of the average rate of a pair of assets.
const RATE: &[u8] = b"rate";
/// Prefix of the moment of its last trade, in seconds.
const MOMENT: &[u8] = b"moment";

/// Trades of the guarded accounts stay near their windowed average, and off what was bent.
#[guard(name = "slippage", triggers(flow))]
pub struct Slippage {
    /// Furthest that a trade may be worse than the average, in basis points of what it got.
    #[param(default = "2000")]
    worse_bps: u64,
    /// Furthest that others may have moved the ratio of what the counterparty holds, to the worse, in the same transaction, in
    /// basis points.
    #[param(default = "1000")]
    bent_bps: u64,
    /// How long an average counts, in seconds; a trade weighs the more the longer ago the last one was.
    #[param(default = "86400")]
    window_seconds: u64,
}

#[guard]
impl Guard for Slippage {
    fn init(&self, _: &Tx) {
        if self.window_seconds == 0 {
            veto!(CODE_NO_LENGTH, "window_seconds is 0: give the window a length");
        }
    }

    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        for trade in trades(tx) {
            self.check_bent(tx, &trade);
            self.check_average(tx, &trade);
        }
    }
}

impl Slippage {
    fn check_average(&self, tx: &Tx, trade: &Trade) {
        let rate = moved::divide(trade.gotten.saturating_mul(UNIT), trade.given);
        let pair = [&trade.gave.0[..], &trade.got.0].concat();
        let (rate_key, moment_key) = ([RATE, &pair].concat(), [MOMENT, &pair].concat());
        let now = U256::from(tx.context().timestamp());
        let passed = now.saturating_sub(store::get(&moment_key).unwrap_or_default());
        let window = U256::from(self.window_seconds);
        let known = store::get(&rate_key).filter(|_| passed < window);
        if let Some(average) = known
            && rate < average
            && moved::differ_by_bps(rate, average, self.worse_bps)
        {
            let (gave, got) = (trade.gave, trade.got);
            veto!(CODE_WORSE, "{rate} of {got} got for 10^18 of {gave}, on average it was {average}");
        }
        // What lies above 192 bits is cut off, which no rate of tokens has.
        let weighed = |rate: U256, part: U256| moved::divide(rate.saturating_mul(part), window);
        let average = known.map_or(rate, |average| weighed(average, window - passed) + weighed(rate, passed));
        if known != Some(average) {
            store::set(&rate_key, average);
        }
        store::set(&moment_key, now);
    }

    /// Looks at everybody outside who took what was given, or gave what was got, on the trade's way.
    fn check_bent(&self, tx: &Tx, trade: &Trade) {
        let Some(call) = trade.calls.first().copied() else { return };
        for (party, given, gotten) in trade.counterparties(tx) {
            let ratio = |fork| {
                let (given, gotten) = (moved::balance(tx, fork, given, party), moved::balance(tx, fork, gotten, party));
                moved::divide(gotten.saturating_mul(UNIT), given)
            };
            let (found, met) = (ratio(Fork::PreTx), ratio(Fork::Before(call)));
            if !met.is_zero() && met < found && moved::differ_by_bps(met, found, self.bent_bps) {
                let most = self.bent_bps;
                veto!(
                    CODE_BENT,
                    "{party} had {found} of {gotten} for 10^18 of {given}, and {met} when it was traded with, bent by more \
                     than {most} of {WHOLE_BPS}"
                );
            }
        }
    }
}

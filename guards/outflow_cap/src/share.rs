//! Caps as shares of what the accounts held, so that they need no amounts.
//!
//! What a transaction's sender has brought before, since the guard was attached, is his to take away: it counts nothing.
//! Of the rest, no more than a share may leave at once, and the holdings may not fall by more than a share below their
//! *peak*, which decays towards what is held as the window passes. What comes in makes room again, so the two-sided
//! traffic of a pool does not add up.

use parapet_guest::{
    moved::{self, Moved},
    prelude::*,
};

use crate::{CODE_TX_SHARE, CODE_WINDOW_SHARE, OutflowCap, Watched};

/// Prefix of what a sender has brought of an asset and not taken away.
const BROUGHT: &[u8] = b"brought";
/// Prefix of the peak of an asset.
const PEAK: &[u8] = b"peak";
/// Prefix of the moment of that peak, in seconds.
const MOMENT: &[u8] = b"moment";

impl OutflowCap {
    pub(crate) fn judge_share(&self, tx: &Tx, moved: &Moved) {
        if self.tx_bps == 0 && self.window_bps == 0 {
            return;
        }
        let brought = [BROUGHT, &moved.token.0, &tx.context().sender().0].concat();
        if !moved.net_in().is_zero() {
            // A sum beyond 256 bits is refused, and then he is credited less than he could be.
            let _ = store::add(&brought, moved.net_in(), U256::MAX);
            return;
        }
        let out = moved.net_out();
        let credit = store::get(&brought).unwrap_or_default();
        let own = credit.min(out);
        if !own.is_zero() {
            store::set(&brought, credit - own);
        }
        let held = moved::held(tx, Fork::PreTx, moved.token);
        let beyond = out - own;
        if held.is_zero() {
            return;
        }
        if self.tx_bps != 0 && moved::exceeds_bps(beyond, held, self.tx_bps) {
            let (asset, bps) = (Watched(moved.token), self.tx_bps);
            veto!(CODE_TX_SHARE, "{beyond} {asset} of {held} left, at most {bps} basis points may in one transaction");
        }
        if self.window_bps != 0 && !out.is_zero() {
            self.judge_peak(tx, moved.token, held, own);
        }
    }

    /// `own` is what left by right: it lowers the peak.
    fn judge_peak(&self, tx: &Tx, token: Address, held: U256, own: U256) {
        let (peak_key, moment_key) = ([PEAK, &token.0].concat(), [MOMENT, &token.0].concat());
        let now = U256::from(tx.context().timestamp());
        let passed = now.saturating_sub(store::get(&moment_key).unwrap_or_default());
        let above = store::get(&peak_key).unwrap_or_default().saturating_sub(held);
        let left = U256::from(self.window_seconds).saturating_sub(passed);
        let peak = held.saturating_add(portion(above, left, self.window_seconds)).saturating_sub(own);
        let after = moved::held(tx, Fork::Now, token);
        let lost = peak.saturating_sub(after);
        if moved::exceeds_bps(lost, peak, self.window_bps) {
            let (asset, bps, seconds) = (Watched(token), self.window_bps, self.window_seconds);
            veto!(
                CODE_WINDOW_SHARE,
                "{lost} {asset} of {peak} left, at most {bps} basis points may within {seconds} seconds"
            );
        }
        store::set(&peak_key, peak.max(after));
        store::set(&moment_key, now);
    }
}

/// `amount · part / whole`; an amount of more than 192 bits is cut, which no token has.
fn portion(amount: U256, part: U256, whole: u64) -> U256 {
    moved::divide(amount.saturating_mul(part), U256::from(whole))
}

//! Nobody floods the guarded accounts with one asset, many times what they held of it, and takes much of another.
//!
//! Either alone is honest: large deposits are welcome, and loans are taken. Together they are how assets are spent that are
//! suddenly worth nothing, or that somebody made out of nothing: collateral floods in, and everything else leaves.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{
    moved::{self, Moved},
    prelude::*,
};

#[cfg(test)]
mod tests;

/// Veto: much of an asset left in a transaction in which another flooded in.
pub const CODE_FLOODED: u16 = 1;
/// Veto: much of an asset left at the word of who had flooded the accounts with another a short time ago.
pub const CODE_LATER: u16 = 2;
/// Refusal at attachment: a window without length forgets everything at once.
pub const CODE_NO_LENGTH: u16 = 3;

/// Prefix of what a sender has brought of an asset and not taken away.
const BROUGHT: &[u8] = b"brought";
/// Prefix of what a sender brought of an asset lately; it decays within the window.
const LATELY: &[u8] = b"lately";
/// Prefix of the moment of that, in seconds.
const MOMENT: &[u8] = b"moment";
/// Prefix of the moment of a sender's last flood, in seconds.
const FLOOD: &[u8] = b"flood";

/// Nobody floods the guarded accounts with one asset and takes much of another.
#[guard(name = "inflow_spike", triggers(flow))]
pub struct InflowSpike {
    /// What one sender brings of an asset within the window is a flood above this share of what was held of it without him, in
    /// basis points.
    #[param(default = "20000")]
    flood_bps: u64,
    /// Share of another asset that he may take then, beyond what he had brought of it, in basis points of what was held.
    #[param(default = "2000")]
    taken_bps: u64,
    /// Length of the window, in seconds, and how long a flood is remembered.
    #[param(default = "3600")]
    window_seconds: u64,
}

#[guard]
impl Guard for InflowSpike {
    fn init(&self, _: &Tx) {
        if self.window_seconds == 0 {
            veto!(CODE_NO_LENGTH, "window_seconds is 0: give the window a length");
        }
    }

    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let now = U256::from(tx.context().timestamp());
        let flood = key(FLOOD, tx, Address::ZERO);
        let assets = moved::by_asset(tx);
        let mut flooded = None;
        for asset in assets.iter().filter(|asset| !asset.back.is_zero()) {
            if self.is_flood(tx, asset, now) {
                flooded = Some(asset.token);
            }
        }
        for asset in &assets {
            self.judge(tx, asset, flooded, || {
                let is_recent = |last: U256| now.saturating_sub(last) < U256::from(self.window_seconds);
                store::get(&flood).is_some_and(is_recent)
            });
        }
        if flooded.is_some() {
            store::set(&flood, now);
        }
    }
}

impl InflowSpike {
    /// Whether what the sender brought lately is many times what others have there.
    fn is_flood(&self, tx: &Tx, asset: &Moved, now: U256) -> bool {
        let (lately_key, moment_key) = (key(LATELY, tx, asset.token), key(MOMENT, tx, asset.token));
        let passed = now.saturating_sub(store::get(&moment_key).unwrap_or_default());
        let left = U256::from(self.window_seconds).saturating_sub(passed);
        let known = store::get(&lately_key).unwrap_or_default();
        let before = moved::divide(known.saturating_mul(left), U256::from(self.window_seconds));
        let lately = before.saturating_add(asset.back);
        store::set(&lately_key, lately);
        store::set(&moment_key, now);
        let others = moved::held(tx, Fork::PreTx, asset.token).saturating_sub(before);
        // Who brings the first of an asset floods nobody.
        !others.is_zero() && moved::exceeds_bps(lately, others, self.flood_bps)
    }

    fn judge(&self, tx: &Tx, asset: &Moved, flooded: Option<Address>, has_flooded: impl Fn() -> bool) {
        let brought = key(BROUGHT, tx, asset.token);
        if !asset.net_in().is_zero() {
            // A sum beyond 256 bits is refused, and then he is credited less than he could be.
            let _ = store::add(&brought, asset.net_in(), U256::MAX);
            return;
        }
        let out = asset.net_out();
        if out.is_zero() {
            return;
        }
        let credit = store::get(&brought).unwrap_or_default();
        let own = credit.min(out);
        if !own.is_zero() {
            store::set(&brought, credit - own);
        }
        let (beyond, held) = (out - own, moved::held(tx, Fork::PreTx, asset.token));
        if beyond.is_zero() || !moved::exceeds_bps(beyond, held, self.taken_bps) {
            return;
        }
        let token = asset.token;
        if let Some(other) = flooded {
            veto!(CODE_FLOODED, "{beyond} of {token} left, of {held}, while {other} flooded in");
        }
        if has_flooded() {
            veto!(CODE_LATER, "{beyond} of {token} left, of {held}, shortly after its sender flooded another asset in");
        }
    }
}

fn key(prefix: &[u8], tx: &Tx, token: Address) -> Vec<u8> {
    [prefix, &token.0, &tx.context().sender().0].concat()
}

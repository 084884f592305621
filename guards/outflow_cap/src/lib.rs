//! At most so much leaves the guarded accounts: per transaction, and per decaying window of time.
//!
//! Judged once, when the transaction has executed. What counts is net: what flows out of the group less what flows in;
//! flows between its members are neither. Two kinds of caps: amounts, and shares of what the accounts held (`share`).

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{
    moved::{self, Moved},
    prelude::*,
    store::Added,
};

mod share;
#[cfg(test)]
mod tests;

/// Veto: more leaves in this transaction than `tx_max`.
pub const CODE_TX: u16 = 1;
/// Veto: with this transaction more would have left within the window than `window_max`.
pub const CODE_WINDOW: u16 = 2;
/// Refusal at attachment: a window without length forgets everything at once and so caps nothing.
pub const CODE_NO_LENGTH: u16 = 3;
/// Veto: a larger share of what the accounts held leaves in this transaction than `tx_bps`.
pub const CODE_TX_SHARE: u16 = 4;
/// Veto: with this transaction the accounts would have lost a larger share within the window than `window_bps`.
pub const CODE_WINDOW_SHARE: u16 = 5;

/// In `token`: ether and every token.
pub const EVERY_ASSET: Address = Address([0xff; 20]);

/// Where the window of amounts is kept.
const WINDOW: &[u8] = b"outflow";

/// At most so much of any token or of ether leaves the guarded accounts, per transaction and per decaying window.
#[guard(name = "outflow_cap", triggers(flow))]
pub struct OutflowCap {
    /// The ERC-20 token to watch; zero is ether, all ones is ether and every token, each by itself.
    #[param(default = "0xffffffffffffffffffffffffffffffffffffffff")]
    token: Address,
    /// Most that may leave in one transaction, in wei or the token's smallest unit; the highest value is no limit.
    #[param(default = "115792089237316195423570985008687907853269984665640564039457584007913129639935")]
    tx_max: U256,
    /// Most that may leave within a window, in the same unit; the highest value is no limit.
    #[param(default = "115792089237316195423570985008687907853269984665640564039457584007913129639935")]
    window_max: U256,
    /// Length of the window, in seconds; a full window drains evenly within it.
    #[param(default = "86400")]
    window_seconds: u64,
    /// Largest share of what the accounts hold that may leave in one transaction beyond what its sender has brought, in
    /// basis points; 0 is no limit.
    #[param(default = "2500")]
    tx_bps: u64,
    /// Largest share that the accounts may lose within a window, likewise; 0 is no limit.
    #[param(default = "5000")]
    window_bps: u64,
}

#[guard]
impl Guard for OutflowCap {
    fn init(&self, _: &Tx) {
        if (self.window_max != U256::MAX || self.window_bps != 0) && self.window_seconds == 0 {
            veto!(
                CODE_NO_LENGTH,
                "window_seconds is 0: give the window a length, or set window_max and window_bps off"
            );
        }
    }

    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        for asset in moved::by_asset(tx) {
            if self.token == EVERY_ASSET || self.token == asset.token {
                self.judge_amount(&asset);
                self.judge_share(tx, &asset);
            }
        }
    }
}

impl OutflowCap {
    fn judge_amount(&self, moved: &Moved) {
        let (out, asset) = (moved.net_out(), Watched(moved.token));
        if out > self.tx_max {
            veto!(CODE_TX, "{out} {asset} left, at most {} may in one transaction", self.tx_max);
        }
        if out.is_zero() || self.window_max == U256::MAX {
            return;
        }
        let of_asset = [WINDOW, &moved.token.0].concat();
        let window = if self.token == EVERY_ASSET { &of_asset } else { WINDOW };
        if store::window_add(window, out, self.window_max, self.window_seconds) == Added::Refused {
            let (most, seconds) = (self.window_max, self.window_seconds);
            veto!(CODE_WINDOW, "{out} more {asset} left, at most {most} may within {seconds} seconds");
        }
    }
}

/// Says which asset is watched.
struct Watched(Address);

impl Show for Watched {
    fn show(&self, detail: &mut Detail) {
        if self.0 == Address::ZERO {
            detail.push("wei of ether")
        } else {
            detail.push("of token ").push(&self.0)
        };
    }
}

//! At most so much of one asset leaves the guarded accounts: per transaction, and per decaying window of time.
//!
//! Judged once, when the transaction has executed. What counts is net: what flows out of the group less what flows in;
//! flows between its members are neither.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{prelude::*, store::Added};

#[cfg(test)]
mod tests;

/// Veto: more leaves in this transaction than `tx_max`.
pub const CODE_TX: u16 = 1;
/// Veto: with this transaction more would have left within the window than `window_max`.
pub const CODE_WINDOW: u16 = 2;

/// Refusal at attachment: a window without length forgets everything at once and so caps nothing.
pub const CODE_NO_LENGTH: u16 = 3;

/// Where the window is kept.
const WINDOW: &[u8] = b"outflow";

/// At most so much of a token or of ether leaves the guarded accounts, per transaction and per decaying window.
#[guard(name = "outflow_cap", triggers(flow))]
pub struct OutflowCap {
    /// The ERC-20 token to watch; zero is ether.
    #[param(default = "0x0000000000000000000000000000000000000000")]
    token: Address,
    /// Most that may leave in one transaction, in wei or the token's smallest unit.
    #[param]
    tx_max: U256,
    /// Most that may leave within a window, in the same unit; the highest value is no limit.
    #[param(default = "115792089237316195423570985008687907853269984665640564039457584007913129639935")]
    window_max: U256,
    /// Length of the window, in seconds; a full window drains evenly within it.
    #[param(default = "86400")]
    window_seconds: u64,
}

#[guard]
impl Guard for OutflowCap {
    fn init(&self, _: &Tx) {
        if self.window_max != U256::MAX && self.window_seconds == 0 {
            veto!(CODE_NO_LENGTH, "window_seconds is 0: give the window a length, or leave window_max out");
        }
    }

    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let out = self.net_outflow(tx);
        if out > self.tx_max {
            veto!(CODE_TX, "{out} {} left, at most {} may in one transaction", self.asset(), self.tx_max);
        }
        if out.is_zero() || self.window_max == U256::MAX {
            return;
        }
        if store::window_add(WINDOW, out, self.window_max, self.window_seconds) == Added::Refused {
            let (asset, most, seconds) = (self.asset(), self.window_max, self.window_seconds);
            veto!(CODE_WINDOW, "{out} more {asset} left, at most {most} may within {seconds} seconds");
        }
    }
}

impl OutflowCap {
    /// What left the group, less what reached it; zero when more came in.
    fn net_outflow(&self, tx: &Tx) -> U256 {
        let (mut out, mut back) = (U256::ZERO, U256::ZERO);
        for flow in tx.flows().filter(|flow| self.counts(flow)) {
            match (tx.is_guarded(flow.from()), tx.is_guarded(flow.to())) {
                (true, false) => out = out.saturating_add(flow.amount()),
                (false, true) => back = back.saturating_add(flow.amount()),
                (true, true) | (false, false) => {}
            }
        }
        out.saturating_sub(back)
    }

    fn counts(&self, flow: &Flow) -> bool {
        if self.token == Address::ZERO {
            flow.asset() == Some(Asset::Ether)
        } else {
            flow.asset() == Some(Asset::Erc20) && flow.token() == self.token
        }
    }

    fn asset(&self) -> Watched {
        Watched(self.token)
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

//! Nobody gains by giving: who sends an asset straight to a guarded account, past its functions, so that a share is worth more,
//! takes nothing out of the guarded accounts for a while; and no gift multiplies what a share is worth.
//!
//! Judged after execution. A gift is told from a payment by what it does: the worth of a share is asked as the transfer found it
//! and as it left it. Whoever pays first and calls afterwards changes none, because the account does not count yet what lies there.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{
    moved::{self, Moved, WHOLE_BPS},
    prelude::*,
    store::Added,
};
use worth::Quote;

#[cfg(test)]
mod tests;

/// Veto: gifts of this transaction lifted what a share is worth by more than `lift_bps`.
pub const CODE_LIFTED: u16 = 1;
/// Veto: something was taken in a transaction that also gave, or by who gave a short time ago.
pub const CODE_TAKEN: u16 = 2;
/// Refusal at attachment: a window without length forgets everything at once.
pub const CODE_NO_LENGTH: u16 = 3;

/// Transfers that are looked at one by one; those behind them count as one.
pub const GIFTS_MAX: usize = 16;

/// Prefix of what a sender has given, in a window.
const GIVEN: &[u8] = b"given";
/// Prefix of the moment at which that was too much, in seconds.
const MOMENT: &[u8] = b"moment";

/// Nobody gains by giving to a vault.
#[guard(name = "donation", triggers(flow))]
pub struct Donation {
    /// Furthest that the gifts of one sender may lift what a share is worth, within the window, before he counts as a giver,
    /// in basis points.
    #[param(default = "100")]
    gift_bps: u64,
    /// Share of an asset of the guarded accounts that a giver may take, in basis points.
    #[param(default = "100")]
    taken_bps: u64,
    /// Furthest that the gifts of one transaction may lift what a share is worth, in basis points.
    #[param(default = "5000")]
    lift_bps: u64,
    /// Length of the window, in seconds, and how long a giver is one.
    #[param(default = "86400")]
    window_seconds: u64,
}

#[guard]
impl Guard for Donation {
    fn init(&self, _: &Tx) {
        if self.window_seconds == 0 {
            veto!(CODE_NO_LENGTH, "window_seconds is 0: give the window a length");
        }
    }

    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let lifted = lifted(tx);
        if lifted > U256::from(self.lift_bps) {
            let most = self.lift_bps;
            veto!(CODE_LIFTED, "what was sent here lifted a share by {lifted} basis points, at most {most} it may");
        }
        let sender = tx.context().sender();
        let (given, moment) = ([GIVEN, &sender.0].concat(), [MOMENT, &sender.0].concat());
        let now = U256::from(tx.context().timestamp());
        let gives = !lifted.is_zero()
            && store::window_add(&given, lifted, U256::from(self.gift_bps), self.window_seconds) == Added::Refused;
        if gives {
            store::set(&moment, now);
        }
        let assets = moved::by_asset(tx);
        let mut leaving = assets.iter().filter(|asset| !asset.net_out().is_zero()).peekable();
        if leaving.peek().is_none() {
            return;
        }
        let is_recent = |given: U256| now.saturating_sub(given) < U256::from(self.window_seconds);
        if (gives || store::get(&moment).is_some_and(is_recent))
            && let Some(asset) = leaving.find(|asset| self.is_much(tx, asset))
        {
            let (amount, token) = (asset.net_out(), asset.token);
            veto!(CODE_TAKEN, "{amount} of {token} taken by {sender}, who had given so that shares rose");
        }
    }
}

impl Donation {
    fn is_much(&self, tx: &Tx, asset: &Moved) -> bool {
        moved::exceeds_bps(asset.net_out(), moved::held(tx, Fork::PreTx, asset.token), self.taken_bps)
    }
}

/// By how much the gifts of a transaction lifted what a share is worth, added up, in basis points.
fn lifted(tx: &Tx) -> U256 {
    let mut spans: Vec<(Frame, Frame)> = Vec::new();
    for frame in tx.flows().filter(|flow| is_unasked(tx, flow)).filter_map(|flow| tx.frame(flow.frame())) {
        let last = spans.len() - usize::from(!spans.is_empty());
        match spans.get_mut(last) {
            Some((_, end)) if end.id() == frame.id() => {}
            Some((_, end)) if last + 1 == GIFTS_MAX => *end = frame,
            _ => spans.push((frame.clone(), frame)),
        }
    }
    let lifts = spans.iter().flat_map(|(from, to)| {
        tx.accounts().into_iter().filter_map(|account| lift(tx, Fork::before(from), Fork::after(to), account))
    });
    lifts.fold(U256::ZERO, U256::saturating_add)
}

/// By how much a share of an account rose, if it tells, and if that is more than rounding.
fn lift(tx: &Tx, from: Fork, to: Fork, account: Address) -> Option<U256> {
    let quote = Quote::find(tx, from, account)?;
    let (before, after) = (quote.worth(tx, from, account)?, quote.worth(tx, to, account)?);
    let rises = after.price > before.price && !after.shares.is_zero() && before.is_felt(&after);
    let apart = || (after.price - before.price).saturating_mul(U256::from(WHOLE_BPS));
    rises.then(|| moved::divide(apart(), before.price))
}

/// Whether an asset came to a guarded account that had no part in it: no frame of the group took it, and no function was called
/// with it.
fn is_unasked(tx: &Tx, flow: &Flow) -> bool {
    let comes = moved::is_fungible(flow) && tx.is_guarded(flow.to()) && !tx.is_guarded(flow.from());
    if !comes || flow.from() == Address::ZERO {
        return false;
    }
    let Some(frame) = tx.frame(flow.frame()) else { return false };
    let is_own = tx.is_guarded(frame.target()) && flow.asset() == Some(Asset::Ether) && frame.input_len() == 0;
    (is_own || !tx.is_guarded(frame.target())) && tx.ancestors(&frame).all(|outer| !tx.is_guarded(outer.target()))
}

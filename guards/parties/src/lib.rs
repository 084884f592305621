//! Who may deal with the guarded accounts: nobody who is denied, only the listed if there is a list, and no contract that
//! was created in the same transaction if it takes much of what they hold.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;

#[cfg(test)]
mod tests;

/// Veto: a denied party calls a guarded account, is paid by it, or sent the transaction.
pub const CODE_DENIED: u16 = 1;
/// Veto: somebody calls a guarded account who is not listed.
pub const CODE_UNLISTED: u16 = 2;
/// Veto: a contract called a guarded account in the transaction that created it, and much left the guarded accounts.
pub const CODE_NEWBORN: u16 = 3;

/// Nobody denied, only who is listed, and no contract born to rob deals with the guarded accounts.
#[guard(name = "parties", triggers(frame), subscribes(flows))]
pub struct Parties {
    /// Accounts that may neither call, nor send transactions that call, nor be paid.
    #[param(default = "[]")]
    deny: Vec<Address>,
    /// If there are any: the only accounts that may call.
    #[param(default = "[]")]
    allow: Vec<Address>,
    /// Share of an asset that may not leave at the call of a contract just created, in basis points; 0 leaves them alone.
    #[param(default = "1000")]
    newborn_bps: u64,
}

#[guard]
impl Guard for Parties {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        if !enters(tx, frame) {
            return;
        }
        let (caller, sender) = (frame.caller(), tx.context().sender());
        for party in [caller, sender] {
            if self.deny.contains(&party) {
                veto!(CODE_DENIED, "{party} is denied and calls {}", frame.target());
            }
        }
        if !self.allow.is_empty() && !frame.is_static() && !self.allow.contains(&caller) {
            veto!(CODE_UNLISTED, "{caller} is not listed and calls {}", frame.target());
        }
    }

    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let denied = |flow: &Flow| tx.is_guarded(flow.from()) && self.deny.contains(&flow.to());
        if !self.deny.is_empty()
            && let Some(flow) = tx.flows().find(denied)
        {
            veto!(CODE_DENIED, "{} is denied and was paid by {}", flow.to(), flow.from());
        }
        if self.newborn_bps == 0 {
            return;
        }
        let newborn = newborn(tx);
        let mut calls = tx.frames().filter(|frame| enters(tx, frame) && newborn.contains(&frame.caller()));
        if let Some(call) = calls.next()
            && let Some(lost) = moved::heavy_loss(tx, self.newborn_bps)
        {
            let (token, amount) = (lost.token, lost.net_out());
            veto!(CODE_NEWBORN, "{}, created in this transaction, called, and {amount} of {token} left", call.caller());
        }
    }
}

/// Whether a frame enters the guarded accounts from outside.
fn enters(tx: &Tx, frame: &Frame) -> bool {
    tx.is_guarded(frame.target()) && !tx.is_guarded(frame.caller())
}

/// Contracts that this transaction created, but not at a guarded account's word, as factories do.
fn newborn(tx: &Tx) -> Vec<Address> {
    let created = tx.frames().filter(|frame| matches!(frame.kind(), Some(FrameKind::Create | FrameKind::Create2)));
    let foreign = created.filter(|frame| !tx.ancestors(frame).any(|outer| tx.is_guarded(outer.target())));
    foreign.map(|frame| frame.target()).filter(|target| !tx.is_guarded(*target)).collect()
}

//! Who owns, administers or implements the guarded accounts changes only by who had the right before: the caller that their
//! own storage, or their own functions, named before the transaction, or the one account named as timelock.
//!
//! Judged once, when the transaction has executed. What counts is net: who is owner at the end as at the beginning has not
//! changed. So a stranger's initialiser is seen, whatever it is called, and so is a library that writes the owner.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;
use standing::{
    mentions,
    right::{GETTERS, answer, is_backed, own_around},
};

mod appointed;
mod known;
#[cfg(test)]
mod tests;

use known::{EVENTS, SLOTS};

/// Veto: a slot that decides over an account was changed by who had no right to.
pub const CODE_SLOT: u16 = 1;
/// Veto: an account answers another owner, admin or implementation than before, by who had no right to change it.
pub const CODE_ANSWER: u16 = 2;
/// Veto: an account logged a change of owners, roles or code, or that it was initialised, by who had no right to.
pub const CODE_EVENT: u16 = 3;

/// Veto: a caller without a right wrote himself into a variable in which another account had stood, for nothing.
pub const CODE_APPOINTED: u16 = 4;

/// Words below this are no address: amounts and times are smaller.
const ADDRESS_BITS_MIN: usize = 96;

/// Owners, admins, roles and implementations change only by who had the right before.
#[guard(name = "authority", triggers(slot), subscribes(flows, accesses, preimages))]
pub struct Authority {
    /// The only account by whose calls they change; zero leaves it to who had the right before.
    #[param(default = "0x0000000000000000000000000000000000000000")]
    timelock: Address,
    /// More slots that decide over an account, beside those of ERC-1967 and of well-known contracts.
    #[param(default = "[]")]
    slots: Vec<U256>,
    /// Callers that may change them as well.
    #[param(default = "[]")]
    allow_callers: Vec<Address>,
    /// Slots into which anybody may write himself, such as that of who called last.
    #[param(default = "[]")]
    open_slots: Vec<U256>,
}

#[guard]
impl Guard for Authority {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let changes: Vec<SlotChange> = tx.slot_changes().filter(|change| tx.is_guarded(change.address())).collect();
        for change in &changes {
            let (account, slot) = (change.address(), B256(change.slot().to_be_bytes()));
            if (SLOTS.contains(&slot) || self.slots.contains(&change.slot())) && !self.may_write(tx, change) {
                veto!(CODE_SLOT, "{account} slot {slot} was changed to {}", B256(change.after().to_be_bytes()));
            }
        }
        self.check_events(tx);
        for account in tx.accounts() {
            self.check_answers(tx, account, &changes);
        }
        self.check_appointments(tx, &changes);
    }
}

impl Authority {
    fn check_events(&self, tx: &Tx) {
        for log in tx.logs().filter(|log| tx.is_guarded(log.address())) {
            let Some(topic) = log.topic(0).filter(|topic| EVENTS.contains(topic)) else { continue };
            let allowed = tx.frame(log.frame()).is_some_and(|frame| self.may(tx, log.address(), &frame));
            if !allowed {
                veto!(CODE_EVENT, "{} logged a change of authority ({topic})", log.address());
            }
        }
    }

    /// Asks an account for its authorities, if a word changed that can be one.
    fn check_answers(&self, tx: &Tx, account: Address, changes: &[SlotChange]) {
        let can_be = |word: U256| word.bit_len() > ADDRESS_BITS_MIN;
        let can_be =
            |change: &&SlotChange| change.address() == account && (can_be(change.before()) || can_be(change.after()));
        let changes: Vec<&SlotChange> = changes.iter().filter(can_be).collect();
        if changes.is_empty() {
            return;
        }
        for getter in GETTERS {
            let (Some(old), Some(new)) =
                (answer(tx, Fork::PreTx, account, getter), answer(tx, Fork::Now, account, getter))
            else {
                continue;
            };
            let holds = |change: &&&SlotChange| mentions(change.after(), new) || mentions(change.before(), old);
            if old != new && !changes.iter().filter(holds).all(|change| self.may_write(tx, change)) {
                veto!(CODE_ANSWER, "{account} answered {old} to {getter} before, and answers {new}");
            }
        }
    }

    /// Whether the last write of a change came from who may.
    fn may_write(&self, tx: &Tx, change: &SlotChange) -> bool {
        let account = change.address();
        let is_write = |access: &Access| {
            access.kind() == Some(AccessKind::StorageWrite)
                && access.address() == account
                && access.slot() == change.slot()
                && access.after() == change.after()
        };
        let writer = tx.accesses().filter(is_write).last().and_then(|access| tx.frame(access.frame()));
        writer.is_some_and(|frame| self.may(tx, account, &frame))
    }

    /// Whether a frame that works on an account was called, at any level, by who has authority over it.
    fn may(&self, tx: &Tx, account: Address, frame: &Frame) -> bool {
        let own = own_around(tx, account, frame);
        if own.iter().any(|frame| self.allow_callers.contains(&frame.caller())) {
            return true;
        }
        if self.timelock != Address::ZERO {
            return own.iter().any(|frame| frame.caller() == self.timelock);
        }
        is_backed(tx, account, frame)
    }
}

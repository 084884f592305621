//! Configuration stays as it is: words that are locked, and what an account answers to questions whose answer never changes,
//! such as which asset a vault holds.
//!
//! Judged once, when the transaction has executed, by its net changes. The accounts that are named as unlockers may change
//! everything by their calls.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;
use standing::right::own_around;

#[cfg(test)]
mod tests;

/// Veto: a locked slot was changed.
pub const CODE_SLOT: u16 = 1;
/// Veto: an account answers something else to a question whose answer never changes.
pub const CODE_ANSWER: u16 = 2;

/// Questions whose answer never changes.
const CONSTANT: [Bytes4; 12] = [
    Bytes4::from_hex("0x38d52e0f"), // asset()
    Bytes4::from_hex("0x6f307dc3"), // underlying()
    Bytes4::from_hex("0xfc0c546a"), // token()
    Bytes4::from_hex("0x0dfe1681"), // token0()
    Bytes4::from_hex("0xd21220a7"), // token1()
    Bytes4::from_hex("0xc45a0155"), // factory()
    Bytes4::from_hex("0x313ce567"), // decimals()
    Bytes4::from_hex("0xad5c4648"), // WETH()
    Bytes4::from_hex("0x72f702f3"), // stakingToken()
    Bytes4::from_hex("0xf7c618c1"), // rewardToken()
    Bytes4::from_hex("0x5fcbd285"), // lpToken()
    Bytes4::from_hex("0xb2016bd4"), // collateralToken()
];

/// Locked words, and what accounts answer to questions whose answer never changes, stay as they are.
#[guard(name = "locked_slots", triggers(slot), subscribes(accesses))]
pub struct LockedSlots {
    /// Slots that are locked, in every guarded account.
    #[param(default = "[]")]
    slots: Vec<U256>,
    /// Functions without arguments whose answer is locked; without any, well-known ones such as `asset()`.
    #[param(default = "[]")]
    questions: Vec<Bytes4>,
    /// Callers that may change all of it.
    #[param(default = "[]")]
    unlockers: Vec<Address>,
}

#[guard]
impl Guard for LockedSlots {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let mut changed: Vec<Address> = Vec::new();
        for change in tx.slot_changes().filter(|change| tx.is_guarded(change.address())) {
            let account = change.address();
            if self.slots.contains(&change.slot()) && !self.is_unlocked(tx, account) {
                let (before, after) = (B256(change.before().to_be_bytes()), B256(change.after().to_be_bytes()));
                veto!(CODE_SLOT, "{account} slot {} was changed from {before} to {after}", change.slot());
            }
            if !changed.contains(&account) {
                changed.push(account);
            }
        }
        for account in changed {
            self.check_answers(tx, account);
        }
    }
}

impl LockedSlots {
    fn check_answers(&self, tx: &Tx, account: Address) {
        let questions = if self.questions.is_empty() { CONSTANT.as_slice() } else { self.questions.as_slice() };
        for question in questions {
            let asked = |fork| Some(tx.view(fork, account, &question.0)).filter(parapet_guest::Viewed::succeeded);
            let (Some(before), Some(after)) = (asked(Fork::PreTx), asked(Fork::Now)) else { continue };
            // What was not configured yet may be.
            let was_set = before.output.iter().any(|byte| *byte != 0);
            if was_set && before.output != after.output && !self.is_unlocked(tx, account) {
                veto!(CODE_ANSWER, "{account} answers another value to {question} than before");
            }
        }
    }

    /// Whether an unlocker called the account in a frame that wrote to it.
    fn is_unlocked(&self, tx: &Tx, account: Address) -> bool {
        let writes = |access: &Access| access.kind() == Some(AccessKind::StorageWrite) && access.address() == account;
        !self.unlockers.is_empty()
            && tx.accesses().filter(writes).all(|access| {
                let Some(frame) = tx.frame(access.frame()) else { return false };
                own_around(tx, account, &frame).iter().any(|frame| self.unlockers.contains(&frame.caller()))
            })
    }
}

//! No re-entry: while a frame of the guarded group is open, no foreign contract may call back into the group.
//!
//! Judged as a frame is about to start, so nothing of the re-entry happens. Only the step over the group's border is
//! judged: a frame that a member of the group calls was decided when that member was entered.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;

#[cfg(test)]
mod tests;

/// Veto: a foreign contract called into the group while a frame of the group was open.
pub const CODE_REENTERED: u16 = 1;

/// In `allow_selectors`: a plain transfer of ether, which has no calldata and so no selector.
pub const PLAIN_TRANSFER: Bytes4 = Bytes4([0; 4]);

/// No foreign contract may call into the guarded accounts while a call to one of them is open.
#[guard(name = "reentrancy", triggers(frame))]
pub struct Reentrancy {
    /// Foreign contracts that may re-enter, such as a lending pool whose callback is part of the protocol.
    #[param(default = "[]")]
    allow_callers: Vec<Address>,
    /// Selectors that may be re-entered, such as intended callbacks; 0x00000000 is a plain transfer of ether.
    #[param(default = "[]")]
    allow_selectors: Vec<Bytes4>,
    /// Whether calls that cannot change state may re-enter; leaves read-only re-entrancy open.
    #[param(default = "false")]
    allow_views: bool,
}

#[guard]
impl Guard for Reentrancy {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        if !enters(tx, frame) {
            return;
        }
        let Some(open) = open_before(tx, frame) else { return };
        if !self.allows(frame) {
            let entry = Entry(frame);
            let (target, caller, open) = (frame.target(), frame.caller(), open.id());
            veto!(CODE_REENTERED, "re-entered {target} ({entry}) from {caller} while frame {open} was open");
        }
    }
}

/// Whether a frame works on an account of the group.
fn enters(tx: &Tx, frame: &Frame) -> bool {
    !frame.is_precompile() && tx.is_guarded(frame.target())
}

/// The nearest open frame of the group, when a foreign frame lies between it and `frame`.
fn open_before(tx: &Tx, frame: &Frame) -> Option<Frame> {
    let mut around = tx.ancestors(frame);
    let caller = around.next()?;
    if tx.is_guarded(caller.target()) {
        return None;
    }
    around.find(|frame| tx.is_guarded(frame.target()))
}

impl Reentrancy {
    fn allows(&self, frame: &Frame) -> bool {
        (self.allow_views && frame.is_static())
            || self.allow_callers.contains(&frame.caller())
            || entered_at(frame).is_some_and(|selector| self.allow_selectors.contains(&selector))
    }
}

/// What a frame calls: the selector, [`PLAIN_TRANSFER`] without calldata, none for input that is no selector.
fn entered_at(frame: &Frame) -> Option<Bytes4> {
    match frame.input_len() {
        0 => Some(PLAIN_TRANSFER),
        // A function that hashes to zero is not what 0x00000000 allows.
        4.. => Some(frame.selector()).filter(|selector| *selector != PLAIN_TRANSFER),
        _ => None,
    }
}

/// Says what a frame calls.
struct Entry<'a>(&'a Frame);

impl Show for Entry<'_> {
    fn show(&self, detail: &mut Detail) {
        let selector = self.0.selector();
        let plain = match self.0.input_len() {
            0 => "plain transfer",
            1..=3 => "fallback",
            _ => "",
        };
        detail.push(plain);
        if plain.is_empty() {
            for (_, name) in NAMES.iter().filter(|(known, _)| *known == selector.0) {
                detail.push(*name).push(" ");
            }
            detail.push("selector ").push(&selector);
        }
    }
}

/// Functions that attacks on vaults and pools enter most, so that a reader need not look a selector up.
const NAMES: [([u8; 4], &str); 8] = [
    ([0x3c, 0xcf, 0xd6, 0x0b], "withdraw"),
    ([0x2e, 0x1a, 0x7d, 0x4d], "withdraw"),
    ([0xb4, 0x60, 0xaf, 0x94], "withdraw"),
    ([0xba, 0x08, 0x76, 0x52], "redeem"),
    ([0xd0, 0xe3, 0x0d, 0xb0], "deposit"),
    ([0x6e, 0x55, 0x3f, 0x65], "deposit"),
    ([0xa9, 0x05, 0x9c, 0xbb], "transfer"),
    ([0x23, 0xb8, 0x72, 0xdd], "transferFrom"),
];

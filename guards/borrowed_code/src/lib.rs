//! A guarded account runs foreign code (DELEGATECALL, CALLCODE) only if it chose that code itself, or somebody whom it obeys
//! did: never because a stranger's calldata says so.
//!
//! Judged once, when the transaction has executed. Code is the account's own choice if its address was in the account's
//! storage before the transaction, or is nowhere in the calldata and so can only come from the account's own code.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;
use standing::{ALWAYS, address_in, entries_around, has_entry, input_mentions, is_named, is_obeyed, obeys, signers};

#[cfg(test)]
mod tests;

/// Veto: a guarded account ran code that a stranger chose.
pub const CODE_CHOSEN: u16 = 1;

/// Where proxies keep implementation and beacon (ERC-1967).
const PROXY_SLOTS: [B256; 2] = [
    B256::from_hex("0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"),
    B256::from_hex("0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"),
];

/// Guarded accounts run foreign code only if they, or who they obey, chose it.
#[guard(name = "borrowed_code", triggers(frame), subscribes(accesses, preimages))]
pub struct BorrowedCode {
    /// Code that may always be run, such as libraries that users may choose among.
    #[param(default = "[]")]
    allow_code: Vec<Address>,
}

#[guard]
impl Guard for BorrowedCode {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let mut cleared = Vec::new();
        for frame in tx.frames().filter(|frame| borrows(tx, frame)) {
            let code = frame.code_address();
            if cleared.contains(&code) || self.allow_code.contains(&code) {
                continue;
            }
            if !is_own_choice(tx, &frame) && !is_obeyed_choice(tx, &frame) {
                let (account, selector) = (frame.target(), frame.selector());
                veto!(CODE_CHOSEN, "{account} ran code of {code} ({selector}), which a stranger chose");
            }
            cleared.push(code);
        }
    }
}

/// Whether a frame runs on a guarded account code that is nobody's of the group.
fn borrows(tx: &Tx, frame: &Frame) -> bool {
    matches!(frame.kind(), Some(FrameKind::DelegateCall | FrameKind::CallCode))
        && !frame.is_precompile()
        && tx.is_guarded(frame.target())
        && !tx.is_guarded(frame.code_address())
}

fn is_own_choice(tx: &Tx, frame: &Frame) -> bool {
    let code = frame.code_address();
    let is_implementation = || {
        let mut slots = PROXY_SLOTS.iter().map(|slot| U256::from_be_bytes(slot.0));
        slots.any(|slot| address_in(tx.storage(Fork::PreTx, frame.target(), slot)) == code)
    };
    let is_said = || {
        let mut around = tx.ancestors(frame);
        let said_in = |frame: &Frame| tx.is_guarded(frame.target()) && input_mentions(&tx.input(frame), code);
        // Code that came to be in this transaction was nobody's choice before.
        around.any(|frame| said_in(&frame)) || tx.code_changes().any(|change| change.address() == code)
    };
    is_implementation()
        || !is_said()
        || is_named(tx, code, &ALWAYS)
        || has_entry(tx, code, &ALWAYS, |word| !word.is_zero())
}

/// Whether somebody called, or signed, whom the account obeyed before.
fn is_obeyed_choice(tx: &Tx, frame: &Frame) -> bool {
    entries_around(tx, frame).iter().any(|entry| is_obeyed(tx, entry))
        || signers(tx, |asked| tx.is_guarded(asked))
            .any(|signer| obeys(tx, signer, &ALWAYS) || has_entry(tx, signer, &ALWAYS, |word| !word.is_zero()))
}

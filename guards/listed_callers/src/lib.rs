//! Administrative functions of the guarded accounts succeed for who has the right, or for listed callers, alone. A stranger
//! whose call to one succeeds has found a function that forgot to ask.
//!
//! Judged once, when the transaction has executed: a call that the contract refuses by itself needs no veto.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;
use standing::right::{GETTERS, answer, is_backed};

mod known;
#[cfg(test)]
mod tests;

use known::{ADMINISTRATIVE, INITIALISING};

/// Veto: a listed function succeeded for a caller who is neither listed nor has the right.
pub const CODE_CALLER: u16 = 1;

/// Variables of an account that tell whether it was initialised.
const VARIABLES: u64 = 3;

/// Administrative functions succeed for who has the right, or for listed callers, alone.
#[guard(name = "listed_callers", triggers(frame), subscribes(accesses, preimages))]
pub struct ListedCallers {
    /// The functions; without any, well-known administrative ones, and initialisers of what is initialised.
    #[param(default = "[]")]
    selectors: Vec<Bytes4>,
    /// Who may call them; without any, who had a right over the account before the transaction.
    #[param(default = "[]")]
    callers: Vec<Address>,
}

#[guard]
impl Guard for ListedCallers {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        for frame in tx.frames().filter(|frame| self.is_listed(tx, frame)) {
            let may = if self.callers.is_empty() {
                is_backed(tx, frame.target(), &frame)
            } else {
                self.callers.contains(&frame.caller())
            };
            if !may {
                let (caller, selector, target) = (frame.caller(), frame.selector(), frame.target());
                veto!(CODE_CALLER, "{caller} called {selector} of {target}, which is not for everybody");
            }
        }
    }
}

/// Whether an account names an authority, or has one of its first variables set, from before the transaction.
fn is_initialised(tx: &Tx, account: Address) -> bool {
    (0..VARIABLES).any(|slot| !tx.storage(Fork::PreTx, account, U256::from(slot)).is_zero())
        || GETTERS
            .into_iter()
            .any(|getter| answer(tx, Fork::PreTx, account, getter).is_some_and(|authority| authority != Address::ZERO))
}

impl ListedCallers {
    /// Whether a frame enters a guarded account by one of the functions, and succeeded.
    fn is_listed(&self, tx: &Tx, frame: &Frame) -> bool {
        let listed = || match self.selectors.as_slice() {
            [] => {
                let selector = frame.selector();
                ADMINISTRATIVE.contains(&selector)
                    || INITIALISING.contains(&selector) && is_initialised(tx, frame.target())
            }
            selectors => selectors.contains(&frame.selector()),
        };
        frame.kind() == Some(FrameKind::Call)
            && !frame.is_static()
            && frame.input_len() >= 4
            && frame.status() == Some(FrameStatus::Succeeded)
            && tx.is_guarded(frame.target())
            && !tx.is_guarded(frame.caller())
            && listed()
            // An account without code refuses nobody.
            && frame.gas_used() > 0
    }
}

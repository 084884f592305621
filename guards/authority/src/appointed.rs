//! Who appoints himself: authority that no known slot, answer or event shows is an address among an account's variables, and
//! taking it over means to write oneself in the place of another.
//!
//! Who pays in the same transaction (a bidder, a buyer) is not meant, and neither are entries of mappings and arrays, but for
//! the numbered owners of wallets in a transaction that moves nothing.

use parapet_guest::{moved, prelude::*};
use standing::mentions;

use crate::{Authority, CODE_APPOINTED};

/// Variables lie below this.
const VARIABLES_BITS_MAX: usize = 32;
/// Owners of wallets that number them have numbers below this.
const NUMBERED_MAX: u64 = 64;
/// Bytes of an address that are not all zero: of small numbers they are.
const ADDRESS_HEAD_BYTES: usize = 4;

impl Authority {
    pub(crate) fn check_appointments(&self, tx: &Tx, changes: &[SlotChange]) {
        let strangers = callers(tx);
        let appoints = |change: &&SlotChange| strangers.iter().any(|stranger| takes_place(change, *stranger));
        for change in changes.iter().filter(appoints) {
            let (account, slot) = (change.address(), change.slot());
            let counts = is_variable(slot) && !is_paid(tx) || is_numbered(tx, slot) && moves_nothing(tx);
            if counts && !self.open_slots.contains(&slot) && !self.may_write(tx, change) {
                veto!(CODE_APPOINTED, "a caller wrote himself into slot {slot} of {account} in the place of another");
            }
        }
    }
}

/// Who called the guarded accounts from outside, and who sent the transaction.
fn callers(tx: &Tx) -> Vec<Address> {
    let mut callers = [tx.context().sender()].to_vec();
    for frame in tx.frames().filter(|frame| tx.is_guarded(frame.target()) && !frame.is_static()) {
        if !tx.is_guarded(frame.caller()) && !callers.contains(&frame.caller()) {
            callers.push(frame.caller());
        }
    }
    callers
}

/// Whether an address stands in a word where another one stood.
fn takes_place(change: &SlotChange, who: Address) -> bool {
    if mentions(change.before(), who) {
        return false;
    }
    let (before, after) = (change.before().to_be_bytes::<32>(), change.after().to_be_bytes::<32>());
    after
        .windows(20)
        .zip(before.windows(20))
        .any(|(after, before)| after == who.0 && before[..ADDRESS_HEAD_BYTES].iter().any(|byte| *byte != 0))
}

fn is_variable(slot: U256) -> bool {
    slot.bit_len() <= VARIABLES_BITS_MAX
}

/// Whether a slot is the entry of a mapping for a small number.
fn is_numbered(tx: &Tx, slot: U256) -> bool {
    let is_small = |preimage: &Preimage| U256::from_be_bytes(preimage.key().0) < U256::from(NUMBERED_MAX);
    tx.preimages().any(|preimage| preimage.slot() == slot && is_small(&preimage))
}

/// Whether something came into the guarded accounts that did not leave them again.
fn is_paid(tx: &Tx) -> bool {
    moved::by_asset(tx).iter().any(|asset| !asset.net_in().is_zero())
}

fn moves_nothing(tx: &Tx) -> bool {
    tx.flows().all(|flow| flow.reason() == Some(FlowReason::Fee))
}

//! Who made himself a minter: an entry of a guarded token for somebody that became true (as roles are) by the call of one who had
//! no right to it. Such entries entitle nobody in later transactions, until who has a right writes them.

use parapet_guest::prelude::*;
use standing::{address_in, right::is_backed};

use crate::TokenSupply;

/// Prefix of accounts whose entries are their own making.
const SELF_MADE: &[u8] = b"self-made";

impl TokenSupply {
    /// Notes whose entries became true, and by whose right.
    pub(crate) fn note_self_made(&self, tx: &Tx) {
        for change in tx.slot_changes().filter(|change| tx.is_guarded(change.address()) && becomes_true(change)) {
            let token = change.address();
            let Some(account) = key_of(tx, change.slot()) else { continue };
            let is_write = |access: &Access| {
                access.kind() == Some(AccessKind::StorageWrite)
                    && access.address() == token
                    && access.slot() == change.slot()
            };
            let writer = tx.accesses().filter(is_write).last().and_then(|access| tx.frame(access.frame()));
            let by_right =
                writer.is_some_and(|frame| self.minters.contains(&frame.caller()) || is_backed(tx, token, &frame));
            let key = key(token, account);
            if by_right {
                store::set(&key, U256::ZERO);
            } else {
                store::insert(&key);
            }
        }
    }
}

/// Whether an entry for an account is its own making.
pub(crate) fn is_self_made(token: Address, account: Address) -> bool {
    store::contains(&key(token, account))
}

fn key(token: Address, account: Address) -> Vec<u8> {
    [SELF_MADE, &token.0, &account.0].concat()
}

fn becomes_true(change: &SlotChange) -> bool {
    change.before().is_zero() && change.after() == U256::ONE
}

/// The account for which a mapping keeps an entry at a slot.
fn key_of(tx: &Tx, slot: U256) -> Option<Address> {
    let preimage = tx.preimages().find(|preimage| preimage.slot() == slot)?;
    let word = U256::from_be_bytes(preimage.key().0);
    (word.bit_len() <= 160 && word.bit_len() > 64).then(|| address_in(word))
}

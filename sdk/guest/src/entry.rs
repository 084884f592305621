//! Entries of mappings that a transaction changes, by their keys.
//!
//! ```
//! use parapet_guest::prelude::*;
//!
//! /// Nobody's allowance rises by more than a limit. The token keeps them in the mapping at slot 1.
//! #[guard(name = "allowances", triggers(slot(mapping = 1)))]
//! pub struct Allowances {
//!     token: Address,
//!     most: U256,
//! }
//!
//! #[guard]
//! impl Guard for Allowances {
//!     fn on_tx(&self, tx: &Tx) {
//!         for owner in tx.preimages().filter(|preimage| preimage.base() == U256::from(1)) {
//!             for EntryChange { key, word, before, after } in tx.entry_changes(self.token, owner.slot()) {
//!                 if word == 0 && after.saturating_sub(before) > self.most {
//!                     veto!(1, "{} lets {key} spend {after}, {before} before", owner.key());
//!                 }
//!             }
//!         }
//!     }
//! }
//! ```

use alloc::vec::Vec;

use crate::{Address, B256, Tx, U256};

/// Words of one entry of a mapping that are looked at: an entry may be a struct.
const ENTRY_WORDS_MAX: u64 = 64;

/// A word in an entry of a mapping that the transaction changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryChange {
    /// The entry's key.
    pub key: B256,
    /// Which word of the entry; 0 unless it is a struct.
    pub word: u32,
    /// Value before the transaction.
    pub before: U256,
    /// Value after it.
    pub after: U256,
}

impl Tx {
    /// What the transaction changes in a mapping of an account, with the keys that it was asked for; in `on_tx` only, needs
    /// `subscribes(preimages)` or a trigger on a mapping. `mapping` is the mapping's own slot; for a mapping of
    /// mappings that is where the inner one lies.
    #[must_use]
    pub fn entry_changes(&self, account: Address, mapping: U256) -> Vec<EntryChange> {
        let of_mapping = self.preimages().filter(|preimage| preimage.base() == mapping);
        let mut keys: Vec<(U256, B256)> = of_mapping.map(|preimage| (preimage.slot(), preimage.key())).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut changes = Vec::new();
        for change in self.slot_changes().filter(|change| change.address() == account) {
            // The entry that the slot lies in, if it begins closely enough below it.
            let at = keys.partition_point(|(entry, _)| *entry <= change.slot());
            let Some((entry, key)) = at.checked_sub(1).map(|at| keys[at]) else { continue };
            let word = change.slot() - entry;
            if word < U256::from(ENTRY_WORDS_MAX) {
                let word = word.as_limbs()[0] as u32;
                changes.push(EntryChange { key, word, before: change.before(), after: change.after() });
            }
        }
        changes
    }
}

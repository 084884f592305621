//! The attachment's own state: words by key, decaying windows, and ordered [`entries`]. Written only when the transaction
//! is committed.
//!
//! Transactions that do no more to a word than [`set`], [`add`], [`raise`] and [`insert`], or no more to a window than
//! [`window_add`], run side by side and never wait for each other, as long as no bound's answer changes. [`get`] and
//! [`contains`] look at the word itself, and wait for whoever changed it before: a guard that only counts should not ask
//! how many there are.
//!
//! Keys are 1 to [`STORE_KEY_BYTES_MAX`] bytes; a longer key, or more than
//! [`STORE_WRITES_MAX`](parapet_abi::import::STORE_WRITES_MAX) writes in one transaction, is an engine limit and has the
//! outcome that the attachment declared for failures.
//!
//! ```
//! use parapet_guest::{prelude::*, store::Added};
//!
//! /// So many transactions in all; and the largest amount that was ever called with is kept.
//! #[guard(name = "quota", triggers(frame))]
//! pub struct Quota {
//!     most: U256,
//! }
//!
//! #[guard]
//! impl Guard for Quota {
//!     fn on_tx(&self, tx: &Tx) {
//!         store::raise(b"largest", tx.context().value());
//!         let sender = tx.context().sender().0;
//!         if !store::contains(&sender) {
//!             store::insert(&sender);
//!             store::set(b"latest", U256::from(tx.context().timestamp()));
//!         }
//!         assert!(sender.len() as u32 <= store::KEY_BYTES_MAX && store::get(b"latest").is_some());
//!         if store::add(b"count", U256::from(1), self.most) == Added::Refused {
//!             veto!(1, "no more than {} transactions", self.most);
//!         }
//!     }
//! }
//! ```

pub mod entries;

use parapet_abi::import::STORE_KEY_BYTES_MAX;

use crate::{
    U256, host,
    value::{number, word},
};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: u32 = STORE_KEY_BYTES_MAX;

/// The word of a key; none when it was never set, or set to zero.
#[must_use]
pub fn get(key: &[u8]) -> Option<U256> {
    host::store_get(key).as_ref().map(number)
}

/// Sets the word of a key.
pub fn set(key: &[u8], value: U256) {
    host::store_set(key, &word(&value));
}

/// What became of an addition to a word or a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a refused addition was not made; the guard decides what follows"]
pub enum Added {
    /// It was added.
    Yes,
    /// It would have exceeded the bound, and nothing was added.
    Refused,
}

impl Added {
    const fn from(added: bool) -> Self {
        if added { Self::Yes } else { Self::Refused }
    }
}

/// Adds to the word of a key, if the sum is at most `bound`. It never wraps.
pub fn add(key: &[u8], amount: U256, bound: U256) -> Added {
    Added::from(host::store_add(key, &word(&amount), &word(&bound)))
}

/// Raises the word of a key to a value, if it is less.
pub fn raise(key: &[u8], value: U256) {
    host::store_max(key, &word(&value));
}

/// Makes a key one of a set: its word becomes one, whatever it was.
pub fn insert(key: &[u8]) {
    set(key, U256::from(1));
}

/// Whether a key is one of a set, or has any word but zero.
#[must_use]
pub fn contains(key: &[u8]) -> bool {
    get(key).is_some()
}

/// Adds to the decaying window of a key: its level falls linearly from `capacity` to zero over `period_s` seconds, and
/// an addition is taken while the new level is at most `capacity`.
pub fn window_add(key: &[u8], amount: U256, capacity: U256, period_s: u64) -> Added {
    Added::from(host::window_add(key, &word(&amount), &word(&capacity), period_s))
}

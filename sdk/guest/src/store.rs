//! The attachment's own state: words by key, and decaying windows. Written only when the transaction is committed.
//!
//! Keys are 1 to [`STORE_KEY_BYTES_MAX`] bytes; a longer key, or more than
//! [`STORE_WRITES_MAX`](parapet_abi::import::STORE_WRITES_MAX) writes in one transaction, is an engine limit and has the
//! outcome that the attachment declared for failures.

use parapet_abi::import::STORE_KEY_BYTES_MAX;

use crate::{U256, host};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: u32 = STORE_KEY_BYTES_MAX;

/// The word of a key; none when it was never set, or set to zero.
#[must_use]
pub fn get(key: &[u8]) -> Option<U256> {
    host::store_get(key).map(U256::from_be_bytes)
}

/// Sets the word of a key.
pub fn set(key: &[u8], value: U256) {
    host::store_set(key, &value.to_be_bytes());
}

/// What became of an addition to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a refused addition was not made; the guard decides what follows"]
pub enum Added {
    /// The window took it.
    Yes,
    /// It would have exceeded the capacity, and nothing was added.
    Refused,
}

/// Adds to the decaying window of a key: its level falls linearly from `capacity` to zero over `period_s` seconds, and
/// an addition is taken while the new level is at most `capacity`.
pub fn window_add(key: &[u8], amount: U256, capacity: U256, period_s: u64) -> Added {
    if host::window_add(key, &amount.to_be_bytes(), &capacity.to_be_bytes(), period_s) {
        Added::Yes
    } else {
        Added::Refused
    }
}

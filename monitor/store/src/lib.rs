//! A guard's own state: words, counters, decaying windows, and entries with ordered byte keys, all of them in the storage
//! of one account, under slots that no contract could reach by itself.
//!
//! ```text
//! guard ─▶ Overlay::{read, apply}   one word: exact, or a change that need not know what it changes
//!       ─▶ Entries::{get, set, remove, seek} ─▶ Words   an ordered map, word by word
//! Overlay::into_updates ─▶ Judgement::updates ─▶ committed, if the transaction succeeds
//! ```
//!
//! Invariants:
//! - Nothing is written here. What a transaction does to guard state stays in its [`Overlay`] until its judgement is
//!   closed; a transaction that is reverted or vetoed leaves none of it.
//! - Reads come from what this transaction did, else from state before it, and go through the
//!   [`StateView`](parapet_monitor::StateView) one word at a time. So whoever executes knows all that was looked at, the
//!   links that a scan follows among it, and no scan can miss what another transaction inserts.
//! - State that contradicts itself, which only a guess can do, ends in an error, not in a panic or an endless walk.

mod entries;
mod layout;
mod overlay;
mod slots;
mod tree;

pub use entries::{Entries, EntryError, KEY_BYTES_MAX, Order, Pair, Scan, VALUE_BYTES_MAX, Words};
pub use overlay::{OPS_MAX, Overlay, OverlayWords, StoreError, Stored};
pub use slots::{entries_root, entry_slot, poll_slot, state_slot, streak_slot, tally_slot, window_slot, witness_slot};

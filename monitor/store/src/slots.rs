//! Where the parts of an attachment's state lie.

use alloy_primitives::{Address, U256, keccak256};
use parapet_monitor::AttachmentId;

const WORD_DOMAIN: &[u8] = b"parapet.guard-state.v1";
const WINDOW_DOMAIN: &[u8] = b"parapet.guard-window.v1";
const ENTRY_DOMAIN: &[u8] = b"parapet.guard-entry.v1";
const ROOT_DOMAIN: &[u8] = b"parapet.guard-entries.v1";
const TALLY_DOMAIN: &[u8] = b"parapet.guard-tally.v1";
const POLL_DOMAIN: &[u8] = b"parapet.guard-poll.v1";
const STREAK_DOMAIN: &[u8] = b"parapet.guard-streak.v1";
const WITNESS_DOMAIN: &[u8] = b"parapet.guard-witness.v1";

/// Slot of a word of an attachment's state: `keccak256(domain ‖ attachment ‖ keccak256(key))`.
#[must_use]
pub fn state_slot(attachment: AttachmentId, key: &[u8]) -> U256 {
    slot(WORD_DOMAIN, attachment, key)
}

/// Slot of a decaying window of an attachment.
#[must_use]
pub fn window_slot(attachment: AttachmentId, key: &[u8]) -> U256 {
    slot(WINDOW_DOMAIN, attachment, key)
}

/// First slot of an entry of an attachment; its other words lie behind it.
#[must_use]
pub fn entry_slot(attachment: AttachmentId, key: &[u8]) -> U256 {
    slot(ENTRY_DOMAIN, attachment, key)
}

/// Slot that holds the first slot of the entry at the root of an attachment's tree; zero where there is none.
#[must_use]
pub fn entries_root(attachment: AttachmentId) -> U256 {
    keccak256([ROOT_DOMAIN, attachment.as_slice()].concat()).into()
}

/// Slot of the word in which the engine counts what an attachment said. Like all that follow, no guard can reach it: a
/// guard's own words have other domains.
#[must_use]
pub fn tally_slot(attachment: AttachmentId) -> U256 {
    keccak256([TALLY_DOMAIN, attachment.as_slice()].concat()).into()
}

/// Slot of the word in which the engine counts the senders that an attachment judged and vetoed in one window of blocks.
#[must_use]
pub fn poll_slot(attachment: AttachmentId, window: u64) -> U256 {
    slot(POLL_DOMAIN, attachment, &window.to_be_bytes())
}

/// Slot of the word in which the engine keeps for how long an attachment has vetoed too much.
#[must_use]
pub fn streak_slot(attachment: AttachmentId) -> U256 {
    keccak256([STREAK_DOMAIN, attachment.as_slice()].concat()).into()
}

/// Slot of the word in which the engine keeps when an attachment let a sender pass, and when it was last counted.
#[must_use]
pub fn witness_slot(attachment: AttachmentId, sender: Address) -> U256 {
    slot(WITNESS_DOMAIN, attachment, sender.as_slice())
}

fn slot(domain: &[u8], attachment: AttachmentId, key: &[u8]) -> U256 {
    keccak256([domain, attachment.as_slice(), keccak256(key).as_slice()].concat()).into()
}

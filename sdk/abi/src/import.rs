//! What a guest may ask of its host: the imports of module [`MODULE`], and the exports a host looks for.
//!
//! Pointers and lengths are `u32` offsets into the guest's own memory; a range outside of it is a trap. Lengths are in
//! bytes. All functions are deterministic: they depend on the transaction, the state and the attachment alone.
//!
//! | import | signature | meaning |
//! |---|---|---|
//! | `trace_count` | `(kind) -> count` | records of a kind so far; 0 for a kind that is unknown or not subscribed |
//! | `trace_read` | `(kind, first, count, out, record_len) -> read` | copies up to `count` records from index `first`, each cut or zero-filled to `record_len` bytes |
//! | `trace_data` | `(data, index, offset, out, len) -> copied` | bytes of a frame's input (0), output (1), or of a log's data (2), from `offset` |
//! | `config_read` | `(offset, out, len) -> copied` | the attachment's configuration bytes |
//! | `state_storage` | `(fork, address, slot, out)` | a storage word, 32 bytes to `out` |
//! | `state_balance` | `(fork, address, out)` | a balance in wei, 32 bytes to `out` |
//! | `state_code_hash` | `(fork, address, out)` | a code hash, 32 bytes to `out`; zero for an account that does not exist |
//! | `state_storage_at` | `(kind, frame, address, slot, out)` | as `state_storage`, at a fork that may be before or after a frame |
//! | `state_balance_at` | `(kind, frame, address, out)` | as `state_balance`, at such a fork |
//! | `state_code_hash_at` | `(kind, frame, address, out)` | as `state_code_hash`, at such a fork |
//! | `view_call` | `(kind, frame, to, input, len, gas: u64, out) -> output_len` | a static call at such a fork; a [`ViewOutcome`] to `out` |
//! | `view_output` | `(offset, out, len) -> copied` | what the last `view_call` of this hook returned, from `offset` |
//! | `store_get` | `(key, key_len, out) -> found` | a word of the attachment's own state; `found` is 1 when it is not zero, since storage cannot tell zero from absent |
//! | `store_set` | `(key, key_len, value)` | writes a word of the attachment's own state |
//! | `store_add` | `(key, key_len, amount, cap) -> added` | adds to such a word; 0: the sum would exceed `cap`, and nothing was added |
//! | `store_max` | `(key, key_len, value)` | raises such a word to `value`, if it is less |
//! | `window_add` | `(key, key_len, amount, cap, period_s: u64) -> added` | adds to a decaying window; 0: it would exceed `cap`, and nothing was added |
//! | `entry_get` | `(key, key_len, offset, out, len) -> value_len` | bytes of an ordered entry's value from `offset`, as many as fit; gives the value's whole length, or [`NO_ENTRY`] |
//! | `entry_set` | `(key, key_len, value, value_len)` | sets the value of an ordered entry |
//! | `entry_remove` | `(key, key_len) -> removed` | removes an ordered entry; 0: there was none |
//! | `entry_seek` | `(seek, key, key_len, out, len) -> found_len` | the entry that is next to a key, as [`SEEK_AT_OR_ABOVE`] and its like say; its key to `out`, as much as fits; gives the key's whole length, or [`NO_ENTRY`] |
//! | `keccak256` | `(data, len, out)` | Keccak-256 |
//! | `alert` | `(code, detail, len)` | records an alert |
//! | `veto` | `(code, detail, len)` | records a veto and ends the hook; does not return |
//!
//! A decaying window holds a level that falls linearly to zero: with capacity `cap` and period `p`, the level after
//! `t` seconds is `max(0, level - cap * t / p)`, and an addition is accepted while the new level is at most `cap`. Time
//! that was too short to lower the level by a whole unit is carried over, so frequent small additions cannot freeze it.
//! A period of 0 and a key that is not 1 to [`STORE_KEY_BYTES_MAX`] bytes long exceed a limit. So do more than
//! [`STORE_WRITES_MAX`] distinct words, windows included.
//!
//! `store_set`, `store_add`, `store_max` and `window_add` *commute*: transactions that do no more than these to one word
//! do not wait for each other, as long as no answer changes. `store_get` does look at the word, and so makes the
//! transaction wait for all that changed it before. Words and windows of one key are different things.
//!
//! Entries are a map of their own, in the order of their keys: byte by byte, a key behind its own beginnings. A scan is a
//! sequence of `entry_seek`, each from the key that the last one found; a `key_len` of 0 there means *from the first* (or
//! *from the last*, downward). An entry takes one word and one for each 32 bytes of key and value beyond the first 30 and
//! 28, and changes some words of entries near it; more than [`ENTRY_WORDS_MAX`] distinct words exceed a limit.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Module name of every import.
pub const MODULE: &str = "parapet_v1";

/// Export: the guest's linear memory.
pub const EXPORT_MEMORY: &str = "memory";
/// Export `() -> ()`: called at attachment; may veto to refuse its configuration. Optional.
pub const EXPORT_INIT: &str = "init";
/// Export `(frame) -> ()`: a frame that woke the attachment is about to start. Optional.
pub const EXPORT_ON_CALL: &str = "on_call";
/// Export `(frame) -> ()`: a frame that woke the attachment has ended. Optional.
pub const EXPORT_ON_CALL_END: &str = "on_call_end";
/// Export `() -> ()`: the transaction has executed and is about to be committed. Optional.
pub const EXPORT_ON_TX: &str = "on_tx";

/// `data` argument of `trace_data`: the calldata or init code of a frame.
pub const DATA_FRAME_INPUT: u32 = 0;
/// `data` argument of `trace_data`: the return data of a frame that has ended.
pub const DATA_FRAME_OUTPUT: u32 = 1;
/// `data` argument of `trace_data`: the data of a log.
pub const DATA_LOG: u32 = 2;

/// `fork` argument of the state functions: as the transaction found it.
pub const FORK_PRE_TX: u32 = 0;
/// `fork` argument of the state functions: as it is at this point of the transaction.
pub const FORK_NOW: u32 = 1;

/// `kind` argument of the state functions: as frame `frame` found it.
pub const FORK_BEFORE_FRAME: u32 = 2;
/// `kind` argument of the state functions: as frame `frame`, which has ended, left it.
pub const FORK_AFTER_FRAME: u32 = 3;

/// Most gas of one static call.
pub const VIEW_GAS_MAX: u64 = 30_000_000;
/// Longest calldata of a static call, in bytes.
pub const VIEW_INPUT_BYTES_MAX: u32 = 128 * 1_024;

/// What `view_call` writes: how a static call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct ViewOutcome {
    /// A [`FrameStatus`](crate::FrameStatus), never `Running`.
    pub status: u32,
    /// Length of the output, in bytes.
    pub output_len: u32,
    /// Gas it used.
    pub gas_used: u64,
}

/// Longest key of an attachment's own state, in bytes.
pub const STORE_KEY_BYTES_MAX: u32 = 256;
/// Longest value of an ordered entry, in bytes.
pub const ENTRY_VALUE_BYTES_MAX: u32 = 8_192;
/// Most words that an attachment may change in one transaction by setting and removing ordered entries.
pub const ENTRY_WORDS_MAX: u32 = 2_048;
/// Answer of `entry_get` and `entry_seek`: there is no such entry.
pub const NO_ENTRY: u32 = u32::MAX;

/// `seek` argument of `entry_seek`: the key itself if it is there, else the smallest above it.
pub const SEEK_AT_OR_ABOVE: u32 = 0;
/// `seek` argument of `entry_seek`: the smallest key above it.
pub const SEEK_ABOVE: u32 = 1;
/// `seek` argument of `entry_seek`: the key itself if it is there, else the largest below it.
pub const SEEK_AT_OR_BELOW: u32 = 2;
/// `seek` argument of `entry_seek`: the largest key below it.
pub const SEEK_BELOW: u32 = 3;

/// Longest detail of a veto or an alert, in bytes.
pub const DETAIL_BYTES_MAX: u32 = 1_024;
/// Most alerts an attachment may raise in one transaction.
pub const ALERTS_MAX: u32 = 32;
/// Most words of its own state that an attachment may write in one transaction.
pub const STORE_WRITES_MAX: u32 = 256;
/// Most records that one `trace_read` may copy.
pub const READ_RECORDS_MAX: u32 = 65_536;

/// Codes from here up are the engine's own; a guard's codes lie below.
pub const ENGINE_CODE_MIN: u16 = 0xff00;
/// Engine code: the guard trapped.
pub const CODE_TRAP: u16 = 0xff01;
/// Engine code: the guard used up its fuel.
pub const CODE_OUT_OF_FUEL: u16 = 0xff02;
/// Engine code: the guard exceeded a limit of this interface.
pub const CODE_LIMIT: u16 = 0xff03;
/// Engine code: the attachment's module cannot run (missing, refused by vetting).
pub const CODE_UNUSABLE: u16 = 0xff04;
/// Engine code: the transaction woke more than the engine's limits allow.
pub const CODE_OVERLOAD: u16 = 0xff05;
/// Engine code: the transaction's gas does not pay for the guards that it woke.
pub const CODE_OUT_OF_GAS: u16 = 0xff06;

//! What work costs, in fuel. One fuel is about one simple operator; a host call costs what it makes the host do. What each
//! takes in time is measured by `make bench-guards`, part `prices` (`devnet/bench-guards`), whose figures are cited here:
//! nanoseconds for each fuel that is paid, on two cores of a virtual machine. Operators take up to 0.24, and 0.43 where each
//! load waits for the one before. The EVM's gas, for comparison: ADD 0.59 ns, ecrecover 6.37, KECCAK256 of 1,024 bytes 9.05,
//! a cold SLOAD 0.13; with 4 fuel in a gas, nothing here takes longer for its gas than the EVM's dearest does.
//!
//! The table is pinned: verdicts depend on it, so a change of any number here, or of how wasmtime counts, is a new
//! [`METERING_VERSION`] and a fork. A test runs a fixed program and compares its fuel with a recorded number.

use alloy_primitives::U256;
use parapet_store::Overlay;
use wasmtime::{OperatorCost, VariableOperatorCost};

use crate::warm::Reuse;

/// Version of this table.
pub const METERING_VERSION: u32 = 3;

/// Making the instance, once per transaction and attachment. With an empty hook: 0.54 ns.
pub const INSTANCE: u64 = 5_000;
/// A page of memory that the system has to find anew for a transaction: each of a guard whose instances are used once, and
/// each that memory grows by. It takes sixteen of the system's pages, one by one, when they are touched: 1.12 ns where all of
/// 64 pages are, nothing where none is.
pub const MEMORY_PAGE: u64 = 20_000;
/// Any host call: 0.28 ns for the least of them, 0.49 with a record.
pub const HOST_CALL: u64 = 50;
/// Eight bytes, or a part of them, copied between host and guest: 0.17 ns with the call that copies 1,024 bytes.
pub const WORD_COPIED: u64 = 1;
/// One record found and copied, besides its bytes.
pub const RECORD: u64 = 4;
/// One look at state: storage word, balance or code hash. What is in memory takes 0.02 ns; this is for what is not.
pub const STATE_READ: u64 = 5_000;
/// One entry of the journal undone to rebuild a fork: 0.77 ns where each look is at another fork.
pub const FORK_ENTRY: u64 = 20;
/// One static call, besides what it runs: 0.10 ns with a call that computes a share price.
pub const VIEW_CALL: u64 = 10_000;
/// One gas of a static call.
pub const VIEW_GAS: u64 = 2;
/// A word of the guard's own state that a transaction changes for the first time. In time it is cheap, 737 ns with the
/// call; this is for the state that grows, which everyone keeps for ever: the EVM takes 22,100 gas for a new slot and 5,000
/// for one that is there. Which of the two it is must not be asked, or changes would no longer commute, so every word pays
/// half of a new one: 11,000 gas, at 4 fuel in a gas. So an entry of 8,192 bytes, 257 words and its links, is 11.5 million fuel
/// or 2.9 million gas, though it takes 60 µs: a contract that stores as much pays twice that.
pub const STORE_WORD: u64 = 44_000;
/// Another change of a word that the transaction has changed before: 0.06 to 0.12 ns.
pub const STORE_WRITE: u64 = 5_000;
/// One word of an ordered entry that the transaction has met before.
pub const ENTRY_WORD_KNOWN: u64 = 20;
/// One permutation of Keccak, which takes in 136 bytes: 0.52 ns.
pub const KECCAK_BLOCK: u64 = 500;
/// One alert: 0.04 ns.
pub const ALERT: u64 = 1_000;

/// Bytes of one Keccak block.
const KECCAK_BLOCK_BYTES: u64 = 136;

/// Whether the transaction has changed the word before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has not.
    First,
    /// It has.
    Another,
}

impl Change {
    /// Of a word, by what the transaction did so far.
    #[must_use]
    pub fn of(overlay: &Overlay, slot: U256) -> Self {
        if overlay.has_changed(slot) { Self::Another } else { Self::First }
    }
}

/// Fuel of making an instance whose memory starts with `pages`; `warm`: it can be used again.
#[must_use]
pub(crate) const fn making(pages: u64, reuse: Reuse) -> u64 {
    match reuse {
        Reuse::Warm => INSTANCE,
        Reuse::Once => INSTANCE.saturating_add(pages.saturating_mul(MEMORY_PAGE)),
    }
}

/// Fuel of memory that has grown by `grown` pages, from `pages`. What has grown is not used again, so the instance of the
/// next transaction finds none of its pages.
#[must_use]
pub(crate) const fn growing(grown: u64, pages: u64, reuse: Reuse) -> u64 {
    match (grown, reuse) {
        (0, _) => 0,
        (_, Reuse::Once) => grown.saturating_mul(MEMORY_PAGE),
        (_, Reuse::Warm) => grown.saturating_add(pages).saturating_mul(MEMORY_PAGE),
    }
}

/// Fuel of changing a word of own state.
#[must_use]
pub const fn writing(change: Change) -> u64 {
    match change {
        Change::First => STORE_WORD,
        Change::Another => STORE_WRITE,
    }
}

/// Fuel of copying `bytes`.
#[must_use]
pub const fn copying(bytes: u64) -> u64 {
    bytes.div_ceil(8).saturating_mul(WORD_COPIED)
}

/// Fuel of hashing `bytes`; the padding takes at least one byte.
#[must_use]
pub const fn hashing(bytes: u64) -> u64 {
    (bytes / KECCAK_BLOCK_BYTES + 1).saturating_mul(KECCAK_BLOCK)
}

/// Fuel of each Wasm operator: 1, except for those that do nothing (0) and those named here.
pub(crate) fn operator_costs() -> OperatorCost {
    let mut cost = OperatorCost::new();
    for division in [
        &mut cost.I32DivS,
        &mut cost.I32DivU,
        &mut cost.I32RemS,
        &mut cost.I32RemU,
        &mut cost.I64DivS,
        &mut cost.I64DivU,
        &mut cost.I64RemS,
        &mut cost.I64RemU,
    ] {
        *division = 8;
    }
    cost.Call = 4;
    cost.CallIndirect = 8;
    cost.MemoryGrow = 255;
    for bulk in
        [&mut cost.MemoryCopy, &mut cost.MemoryFill, &mut cost.MemoryInit, &mut cost.TableCopy, &mut cost.TableInit]
    {
        *bulk = 16;
    }
    cost.variable = VariableOperatorCost { memory_grow_per_page: 255, ..VariableOperatorCost::new() };
    cost
}

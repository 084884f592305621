//! What work costs, in fuel. One fuel is about one simple operator; a host call costs what it makes the host do. What each
//! takes in time is measured by `make bench-guards`, part `prices` (`devnet/bench-guards`).
//!
//! The table is pinned: verdicts depend on it, so a change of any number here, or of how wasmtime counts, is a new
//! [`METERING_VERSION`] and a fork. A test runs a fixed program and compares its fuel with a recorded number.

use wasmtime::{OperatorCost, VariableOperatorCost};

use crate::warm::Reuse;

/// Version of this table.
pub const METERING_VERSION: u32 = 2;

/// Making the instance, once per transaction and attachment.
pub const INSTANCE: u64 = 5_000;
/// A page of memory that the system has to find anew for a transaction: each of a guard whose instances are used once, and
/// each that memory grows by. It takes sixteen of the system's pages, one by one, when they are touched.
pub const MEMORY_PAGE: u64 = 20_000;
/// Any host call.
pub const HOST_CALL: u64 = 50;
/// Eight bytes, or a part of them, copied between host and guest.
pub const WORD_COPIED: u64 = 1;
/// One record found and copied, besides its bytes.
pub const RECORD: u64 = 4;
/// One look at state: storage word, balance or code hash.
pub const STATE_READ: u64 = 5_000;
/// One entry of the journal undone to rebuild a fork.
pub const FORK_ENTRY: u64 = 20;
/// One static call, besides what it runs.
pub const VIEW_CALL: u64 = 10_000;
/// One gas of a static call.
pub const VIEW_GAS: u64 = 2;
/// One word of the guard's own state written.
pub const STORE_WRITE: u64 = 5_000;
/// One word of an ordered entry that the transaction has met before.
pub const ENTRY_WORD_KNOWN: u64 = 20;
/// One permutation of Keccak, which takes in 136 bytes.
pub const KECCAK_BLOCK: u64 = 500;
/// One alert.
pub const ALERT: u64 = 1_000;

/// Bytes of one Keccak block.
const KECCAK_BLOCK_BYTES: u64 = 136;

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

//! What a guard said, in words that both engines share.

use alloy_primitives::{Bytes, U256};

/// Why a guard's code stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// `unreachable`.
    Unreachable,
    /// A range outside of memory.
    Memory,
    /// An index outside of the table.
    Table,
    /// An empty element of the table.
    Null,
    /// A function of another type.
    Type,
    /// A division by zero.
    Zero,
    /// A division whose result does not fit.
    Overflow,
    /// A host call that the interface says traps.
    Host,
}

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned.
    Returned,
    /// It vetoed.
    Vetoed {
        /// The code.
        code: u16,
        /// The words.
        detail: Bytes,
    },
    /// It trapped.
    Trapped(Trap),
    /// It exceeded a limit of the interface.
    Limit,
    /// Fuel or stack were exhausted: another engine may get further.
    Exhausted,
}

/// All that a guard said of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// How each hook ended, up to the first that did not return.
    pub ends: Vec<End>,
    /// Codes and words of alerts.
    pub alerts: Vec<(u16, Bytes)>,
    /// Words of guard state that were written, by slot, those of ordered entries among them; none if a hook did not
    /// return.
    pub writes: Vec<(U256, U256)>,
    /// Ordered entries as they are afterwards, in order; none if a hook did not return.
    pub entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Said {
    /// Whether the engine gave up.
    #[must_use]
    pub fn exhausted(&self) -> bool {
        self.ends.contains(&End::Exhausted)
    }
}

/// What two engines make of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The same.
    Same,
    /// One of them gave up in a hook, and those before it ended alike.
    Exhausted,
    /// Something else.
    Different,
}

/// Compares what the guard VM says with what the second engine says: where one of them gave up, how the hooks before ended.
#[must_use]
pub fn compare(vm: &Said, other: &Said) -> Agreement {
    if !vm.exhausted() && !other.exhausted() {
        return if vm == other { Agreement::Same } else { Agreement::Different };
    }
    let gave_up = |said: &Said| said.ends.iter().position(|end| *end == End::Exhausted);
    let up_to = [vm, other].into_iter().filter_map(gave_up).min().unwrap_or_default();
    if vm.ends.get(..up_to) == other.ends.get(..up_to) { Agreement::Exhausted } else { Agreement::Different }
}

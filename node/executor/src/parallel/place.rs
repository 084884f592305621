//! A transaction's place in the schedule: where it stands, what it waits for, who waits for it.
//!
//! Those who wait for one are a list through their places, which is closed once it has run; so nobody waits for what is done.

use crate::sync::{AtomicBool, AtomicU8, AtomicU32};

/// Ends a list of those who wait.
pub(super) const NOBODY: u32 = u32::MAX;
/// The list is closed: what they would wait for is done.
pub(super) const CLOSED: u32 = u32::MAX - 1;

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    Idle = 0,
    Running = 1,
    Done = 2,
    Settled = 3,
}

impl State {
    pub(super) const fn of(value: u8) -> Self {
        match value {
            0 => Self::Idle,
            1 => Self::Running,
            2 => Self::Done,
            _ => Self::Settled,
        }
    }
}

/// One transaction's place in the schedule.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) state: AtomicU8,
    /// First of those who wait for it.
    pub(super) waiting: AtomicU32,
    /// Next of those who wait for the same one.
    pub(super) next_waiting: AtomicU32,
    /// One more than the index of what it waits for; 0: nothing.
    pub(super) after: AtomicU32,
    /// It is among those who wait, or has been.
    pub(super) listed: AtomicBool,
    /// Who runs it.
    pub(super) runner: AtomicU32,
    pub(super) gas: u64,
    /// Gas of it and of all behind it.
    pub(super) gas_to_end: u64,
}

impl Place {
    /// That of a transaction with a gas limit, which nobody has begun.
    pub(super) fn new(gas: u64) -> Self {
        Self {
            state: AtomicU8::new(State::Idle as u8),
            waiting: AtomicU32::new(NOBODY),
            next_waiting: AtomicU32::new(NOBODY),
            after: AtomicU32::new(0),
            listed: AtomicBool::new(false),
            runner: AtomicU32::new(0),
            gas,
            gas_to_end: 0,
        }
    }
}

//! How far ahead of the frontier transactions may be claimed, and which of them are left to the frontier's owner.
//!
//! It knows nothing of what a transaction is, so the model checker of `devnet/interleavings` and the simulator of
//! `devnet/bench` take these very decisions. Invariant: what is left to the frontier's owner, and whatever comes after
//! it, cannot be claimed before it is settled.

use super::schedule::Schedule;

/// Transactions that are planned together.
pub(crate) const CHUNK: usize = 32;
/// Transactions ahead of the frontier that may be claimed, for each thread.
const WINDOW_PER_THREAD: usize = 64;
/// With fewer transactions, or less gas, than this, other threads would come too late.
const TRANSACTIONS_MIN: usize = 4;
const GAS_MIN: u64 = 300_000;

/// How many threads are of use to transactions with these gas limits.
pub(crate) fn useful_threads(gas_limits: impl ExactSizeIterator<Item = u64>, threads: usize) -> usize {
    let transactions = gas_limits.len();
    let gas = gas_limits.fold(0, u64::saturating_add);
    if transactions < TRANSACTIONS_MIN || gas < GAS_MIN { 1 } else { threads.min(transactions) }
}

/// Transactions ahead of the frontier that may be claimed.
pub(crate) const fn window(threads: usize) -> usize {
    WINDOW_PER_THREAD * threads
}

/// No transaction that is claimed is this far ahead of the frontier.
pub(crate) const fn ahead_max(threads: usize) -> usize {
    window(threads) + 2 * CHUNK
}

/// While less than this is done and not settled, whoever ran it may settle it.
pub(crate) fn lag_max(threads: usize) -> u32 {
    narrow(window(threads) / 2)
}

/// How a chunk is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There is something to gain.
    Parallel,
    /// One transaction leads to the next.
    Serial,
    /// Plain transfers, most of them from, to or through an account of the one before: so cheap that handing that account
    /// from thread to thread costs more than making them.
    Transfers,
}

/// Transactions that only the frontier's owner runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alone {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) how: How,
}

/// How the frontier's owner runs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// On one journal.
    AsOne,
    /// One by one.
    OneByOne,
}

const fn how(shape: Shape) -> Option<How> {
    match shape {
        Shape::Parallel => None,
        Shape::Serial => Some(How::AsOne),
        Shape::Transfers => Some(How::OneByOne),
    }
}

/// A block's transactions, planned chunk by chunk.
pub(crate) trait Chunks {
    /// How many transactions there are.
    fn total(&self) -> u32;

    /// How many of them are planned.
    fn planned(&self) -> u32;

    /// Plans the next ones, and tells the schedule who waits for whom. Gives how many are planned then.
    fn plan_next(&mut self, schedule: &Schedule) -> (u32, Shape);

    /// Of those planned last: which are begun before others, with their weight.
    fn heavy(&self) -> &[(u32, u64)];
}

/// What the frontier's owner remembers of what lies ahead.
#[derive(Debug)]
pub(crate) struct Ahead {
    window: u32,
    /// Transactions that are left to the frontier's owner, when the frontier reaches them.
    alone: Option<Alone>,
    /// May be claimed when what is left to the frontier's owner is settled.
    held_limit: Option<u32>,
}

impl Ahead {
    /// That many transactions ahead of the frontier are planned.
    pub(crate) const fn new(window: u32) -> Self {
        Self { window, alone: None, held_limit: None }
    }

    /// Plans ahead of the frontier. `Some`: what the frontier has reached is left to its owner.
    pub(crate) fn look(&mut self, chunks: &mut impl Chunks, schedule: &Schedule, frontier: u32) -> Option<Alone> {
        if let Some(limit) = self.held_limit.take() {
            raise_limit(chunks, schedule, limit);
        }
        let total = chunks.total();
        while self.alone.is_none() && chunks.planned() < total.min(frontier.saturating_add(self.window)) {
            let start = chunks.planned();
            let (end, shape) = chunks.plan_next(schedule);
            match how(shape) {
                None => raise_limit(chunks, schedule, end),
                Some(how) => self.alone = Some(Alone { start, end, how }),
            }
        }
        let mut alone = self.alone.filter(|alone| alone.start == frontier)?;
        self.alone = None;
        while self.held_limit.is_none() && self.alone.is_none() && alone.end < total {
            let start = chunks.planned();
            let (end, shape) = chunks.plan_next(schedule);
            match how(shape) {
                None => self.held_limit = Some(end),
                Some(same) if same == alone.how => alone.end = end,
                Some(how) => self.alone = Some(Alone { start, end, how }),
            }
        }
        Some(alone)
    }
}

/// The last chunk that was planned may be claimed, the heavy ones of it first.
fn raise_limit(chunks: &impl Chunks, schedule: &Schedule, limit: u32) {
    for (index, weight) in chunks.heavy() {
        schedule.put_first(*index, *weight);
    }
    schedule.raise_limit(limit);
}

pub(crate) fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("a block holds fewer than 2^32 transactions")
}

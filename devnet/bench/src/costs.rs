//! What the scheduler's bookkeeping costs.

/// What the bookkeeping costs, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// A transaction is claimed and run ahead of the frontier: what that costs beyond the transaction.
    pub ahead_ns: u64,
    /// The frontier validates and takes over what ran ahead.
    pub commit_ns: u64,
    /// The frontier runs a transaction itself: what that costs beyond the transaction.
    pub direct_ns: u64,
    /// From waking a thread that sleeps until it runs. Nobody is busy meanwhile.
    pub wake_ns: u64,
}

/// Of what an incarnation costs beyond its transaction, what is the frontier's can only be assumed: a third.
const COMMIT_PART: u64 = 3;

impl Costs {
    /// Bookkeeping that takes no time.
    pub const NONE: Self = Self { ahead_ns: 0, commit_ns: 0, direct_ns: 0, wake_ns: 0 };

    /// From what an incarnation was seen to cost beyond the transaction, on average, and what it takes to wake a thread.
    #[must_use]
    pub const fn of_incarnation(ns: u64, wake_ns: u64) -> Self {
        let commit_ns = ns / COMMIT_PART;
        Self { ahead_ns: ns - commit_ns, commit_ns, direct_ns: ns - commit_ns, wake_ns }
    }
}

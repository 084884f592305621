//! What a simulated scheduler decides, and what its bookkeeping costs.

use std::num::NonZeroUsize;

/// Transactions ahead of the frontier that may be claimed, for each thread.
const WINDOW_PER_THREAD: usize = 64;

/// What the bookkeeping costs, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// A helper takes a run of transactions from the window.
    pub claim_ns: u64,
    /// The frontier validates and takes over a speculative result.
    pub commit_ns: u64,
    /// The frontier runs a transaction itself: what that costs beyond the transaction.
    pub direct_ns: u64,
}

impl Costs {
    /// Bookkeeping that takes no time.
    pub const NONE: Self = Self { claim_ns: 0, commit_ns: 0, direct_ns: 0 };
    /// An assumption, for where nothing was measured: a contended compare-and-swap with a queue operation to claim, a look
    /// at a few versions to commit, a branch to run at the frontier.
    pub const ASSUMED: Self = Self { claim_ns: 250, commit_ns: 120, direct_ns: 20 };

    /// From what an incarnation was seen to cost beyond the transaction, on average. What of it is the frontier's can only
    /// be assumed: the part that it is of [`Self::ASSUMED`].
    #[must_use]
    pub const fn of_incarnation(ns: u64) -> Self {
        let Self { claim_ns, commit_ns, .. } = Self::ASSUMED;
        let commit = ns * commit_ns / (claim_ns + commit_ns);
        Self { claim_ns: ns - commit, commit_ns: commit, direct_ns: ns - commit }
    }
}

/// What the frontier does about a transaction that a helper is running when the frontier reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// Waits for it if what it read is still right, else runs it at once.
    WaitUnlessStale,
    /// Always runs it at once: the result of whoever is still running is not looked at.
    RunAtOnce,
    /// Waits for it, and runs it again if it proves stale.
    Wait,
}

/// Which transaction of the window is speculated on first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first.
    AsTheyCome,
    /// The longest.
    HeaviestFirst,
}

/// What becomes of chunks in which one transaction is foreseen to lead to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chains {
    /// The frontier's owner runs them, as a plain loop would; nobody speculates on them.
    AsOne,
    /// Nothing in particular.
    AsOthers,
}

/// The scheduler's policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Threads, the frontier's included.
    pub threads: NonZeroUsize,
    /// How many transactions behind the frontier's may be speculated on.
    pub window_max: usize,
    /// Whether stale results shrink the window, and good ones widen it again.
    pub adaptive: bool,
    /// Which of them first.
    pub order: Order,
    /// What becomes of chains.
    pub chains: Chains,
    /// Cheap transactions are claimed in runs that last about this long.
    pub run_ns: u64,
    /// What the frontier does about a transaction that a helper is running.
    pub meeting: Meeting,
    /// The share of the dependencies that are foreseen, so that helpers wait for them; between 0 and 1.
    pub accuracy: f64,
    /// What the bookkeeping costs.
    pub costs: Costs,
    /// Which dependencies are foreseen is drawn from this.
    pub seed: u64,
}

impl Policy {
    /// The executor's own decisions, which the report is about.
    #[must_use]
    pub const fn on(threads: NonZeroUsize) -> Self {
        Self {
            threads,
            window_max: WINDOW_PER_THREAD * threads.get(),
            adaptive: false,
            order: Order::AsTheyCome,
            chains: Chains::AsOne,
            run_ns: 10_000,
            meeting: Meeting::Wait,
            accuracy: 0.9,
            costs: Costs::ASSUMED,
            seed: 0,
        }
    }
}

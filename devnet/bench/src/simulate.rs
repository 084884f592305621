//! What the scheduler would do with more cores than there are: a discrete-event simulation of its decisions over measured
//! durations and true dependencies. Durations are the same on every core; caches and memory are not simulated.
//!
//! The decisions are those of the executor (`node/executor/src/parallel`). Transactions are committed in order at the
//! frontier. Whoever owns the frontier is a worker too: a transaction that nobody has started is run there, on committed
//! state, and that run is final. The other threads speculate on transactions inside a window ahead of the frontier, in
//! order, several cheap ones by one claim; who is foreseen to depend on another waits until that one has run. A
//! speculation that started before the last of its dependencies had its final result is stale: the transaction is run
//! again at the frontier, so none runs more than twice. A speculation that is not finished when the frontier reaches it is
//! waited for. A chunk in which one transaction is foreseen to lead to the next is left to the frontier's owner.
//!
//! Other policies can be simulated too, to see what a decision is worth.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    bound::Dependencies,
    policy::{Chains, Meeting, Order, Policy},
};

/// Transactions that are planned together.
const CHUNK: usize = 32;
/// Below this much parallelism, in percent of one after the other, a chunk is left to the frontier's owner.
const WORTHWHILE_PERCENT: u64 = 115;
/// Every so many chunks that look serial, one is run in parallel all the same.
const DOUBT_EVERY: usize = 16;
/// Transactions that must commit at the frontier before a window that had closed is opened again.
const PROBE_AFTER: u32 = 16;

/// What a simulated run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// From the first transaction's start to the last one's commit, in nanoseconds.
    pub makespan_ns: u64,
    /// Sum of what the threads were busy for, in nanoseconds. A parked thread is not busy.
    pub busy_ns: u64,
    /// How often a transaction was executed.
    pub incarnations: usize,
    /// Speculations whose result could not be used.
    pub wasted: usize,
}

/// Simulates a block.
///
/// # Panics
/// When there are not as many dependencies as durations.
#[must_use]
pub fn simulate(durations_ns: &[u64], dependencies: &Dependencies, policy: &Policy) -> Simulated {
    assert_eq!(durations_ns.len(), dependencies.len(), "each transaction has a duration and its dependencies");
    Simulation::new(durations_ns, dependencies, policy).run()
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Waiting,
    /// A helper runs it; `valid` if all it depends on was final when it started.
    Speculating {
        valid: bool,
    },
    /// A helper has run it.
    Speculated {
        valid: bool,
    },
    /// The frontier runs it, or has its result: nothing else will count.
    Taken,
    /// Its result is final.
    Final,
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    Committing(usize),
    RunningAtFrontier(usize),
    Speculating(usize),
}

struct Simulation<'a> {
    durations: &'a [u64],
    dependencies: &'a Dependencies,
    policy: &'a Policy,
    standing: Vec<Standing>,
    /// Left to the frontier's owner.
    alone: Vec<bool>,
    frontier: usize,
    /// Somebody is committing or running at the frontier.
    owned: bool,
    window: usize,
    /// Commits since the window closed.
    closed_for: u32,
    /// What is left of each thread's claim: within it, the next cheap transaction costs no claim.
    claims: Vec<u64>,
    events: BinaryHeap<Reverse<(u64, usize, Doing)>>,
    idle: Vec<usize>,
    result: Simulated,
}

impl<'a> Simulation<'a> {
    fn new(durations: &'a [u64], dependencies: &'a Dependencies, policy: &'a Policy) -> Self {
        Self {
            durations,
            dependencies,
            policy,
            standing: vec![Standing::Waiting; durations.len()],
            alone: chains(durations, dependencies, policy),
            frontier: 0,
            owned: false,
            window: policy.window_max,
            closed_for: 0,
            claims: vec![0; policy.threads.get()],
            events: BinaryHeap::new(),
            idle: (0..policy.threads.get()).rev().collect(),
            result: Simulated::default(),
        }
    }

    fn run(mut self) -> Simulated {
        self.occupy(0);
        while let Some(Reverse((now, thread, doing))) = self.events.pop() {
            self.end(now, doing);
            self.idle.push(thread);
            self.occupy(now);
        }
        self.result
    }

    /// Gives work to idle threads while there is some. The last to become idle is the first to be asked.
    fn occupy(&mut self, now: u64) {
        while let Some(thread) = self.idle.pop() {
            let Some((doing, time)) = self.next(thread) else {
                self.idle.push(thread);
                return;
            };
            self.result.busy_ns += time;
            self.events.push(Reverse((now + time, thread, doing)));
        }
    }

    fn end(&mut self, now: u64, doing: Doing) {
        match doing {
            Doing::Speculating(index) => {
                if let Standing::Speculating { valid } = self.standing[index] {
                    self.standing[index] = Standing::Speculated { valid };
                }
            }
            Doing::RunningAtFrontier(index) | Doing::Committing(index) => {
                self.standing[index] = Standing::Final;
                self.frontier = index + 1;
                self.owned = false;
                self.result.makespan_ns = now;
                self.adapt(matches!(doing, Doing::Committing(_)));
            }
        }
    }

    /// What a thread does next, and for how long.
    fn next(&mut self, thread: usize) -> Option<(Doing, u64)> {
        if let Some(work) = self.next_at_frontier() {
            self.claims[thread] = 0;
            return Some(work);
        }
        let index = self.next_in_window()?;
        let duration = self.durations[index];
        let claim = if self.claims[thread] >= duration {
            self.claims[thread] -= duration;
            0
        } else {
            self.claims[thread] = self.policy.run_ns.saturating_sub(duration);
            self.policy.costs.claim_ns
        };
        let valid = self.open_dependencies(index).iter().all(|earlier| self.is_known(*earlier as usize));
        self.standing[index] = Standing::Speculating { valid };
        self.result.incarnations += 1;
        Some((Doing::Speculating(index), claim + duration))
    }

    fn next_at_frontier(&mut self) -> Option<(Doing, u64)> {
        let index = self.frontier;
        if self.owned || index >= self.durations.len() {
            return None;
        }
        let stale = match self.standing[index] {
            Standing::Speculated { valid: true } => {
                self.owned = true;
                return Some((Doing::Committing(index), self.policy.costs.commit_ns));
            }
            Standing::Speculating { valid } if self.is_waited_for(valid) => return None,
            Standing::Speculating { .. } | Standing::Speculated { valid: false } => true,
            Standing::Waiting | Standing::Taken | Standing::Final => false,
        };
        if stale {
            self.result.wasted += 1;
            self.shrink();
        }
        self.owned = true;
        self.standing[index] = Standing::Taken;
        self.result.incarnations += 1;
        let bookkeeping = if self.alone[index] { 0 } else { self.policy.costs.direct_ns };
        Some((Doing::RunningAtFrontier(index), bookkeeping + self.durations[index]))
    }

    const fn is_waited_for(&self, valid: bool) -> bool {
        match self.policy.meeting {
            Meeting::Wait => true,
            Meeting::WaitUnlessStale => valid,
            Meeting::RunAtOnce => false,
        }
    }

    /// The first, or the longest, transaction of the window that waits and is not foreseen to wait for another. Nobody
    /// looks beyond a chunk that is left to the frontier's owner.
    fn next_in_window(&self) -> Option<usize> {
        let start = (self.frontier + 1).min(self.durations.len());
        let end = (start + self.window).min(self.durations.len());
        let mut open = (start..end)
            .take_while(|index| !self.alone[*index])
            .filter(|index| self.standing[*index] == Standing::Waiting && !self.is_foreseen_to_wait(*index));
        match self.policy.order {
            Order::AsTheyCome => open.next(),
            Order::HeaviestFirst => open.max_by_key(|index| (self.durations[*index], Reverse(*index))),
        }
    }

    fn is_foreseen_to_wait(&self, index: usize) -> bool {
        self.open_dependencies(index).iter().any(|earlier| {
            let earlier = *earlier as usize;
            !self.is_known(earlier) && foreseen(self.policy, earlier, index)
        })
    }

    /// What a transaction depends on among those that are not committed.
    fn open_dependencies(&self, index: usize) -> &[u32] {
        self.dependencies.of_from(index, self.frontier)
    }

    /// Whether what a transaction does is known for good.
    fn is_known(&self, index: usize) -> bool {
        matches!(self.standing[index], Standing::Final | Standing::Speculated { valid: true })
    }

    fn shrink(&mut self) {
        if self.policy.adaptive {
            self.window /= 2;
            self.closed_for = 0;
        }
    }

    fn adapt(&mut self, helped: bool) {
        if !self.policy.adaptive {
            return;
        }
        if helped {
            self.window = (self.window * 2).clamp(1, self.policy.window_max.max(1));
        } else if self.window == 0 {
            self.closed_for += 1;
            if self.closed_for >= PROBE_AFTER {
                self.closed_for = 0;
                self.window = self.policy.window_max.min(1);
            }
        }
    }
}

/// Which transactions are left to the frontier's owner, by chunks: most of a chunk is foreseen to wait, and what is
/// foreseen leaves little to gain.
fn chains(durations: &[u64], dependencies: &Dependencies, policy: &Policy) -> Vec<bool> {
    let mut alone = vec![false; durations.len()];
    if policy.chains == Chains::AsOthers {
        return alone;
    }
    let mut doubts = 0_usize;
    for first in (0..durations.len()).step_by(CHUNK) {
        let chunk = first..durations.len().min(first + CHUNK);
        let (mut ends, mut waiting) = (Vec::with_capacity(CHUNK), 0);
        for index in chunk.clone() {
            let on = dependencies.of(index).iter().map(|earlier| *earlier as usize);
            let latest = on.filter(|earlier| foreseen(policy, *earlier, index)).max();
            waiting += usize::from(latest.is_some());
            let start = latest.and_then(|earlier| earlier.checked_sub(first)).map_or(0, |earlier| ends[earlier]);
            ends.push(start + durations[index]);
        }
        let work: u64 = durations[chunk.clone()].iter().sum();
        let span = ends.into_iter().max().unwrap_or_default();
        let best = span.max(work / policy.threads.get() as u64);
        if waiting * 4 >= chunk.len() * 3 && work * 100 < best * WORTHWHILE_PERCENT {
            doubts += 1;
            alone[chunk].fill(!doubts.is_multiple_of(DOUBT_EVERY));
        }
    }
    alone
}

/// Whether a dependency is foreseen: the same for the same policy, drawn independently for each dependency.
fn foreseen(policy: &Policy, earlier: usize, later: usize) -> bool {
    let mut word = policy.seed ^ (earlier as u64).rotate_left(32) ^ later as u64;
    // The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of the word.
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^= word >> 31;
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let drawn = (word >> 11) as f64 / (1_u64 << 53) as f64;
    drawn < policy.accuracy
}

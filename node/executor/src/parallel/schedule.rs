//! Who runs which transaction when.
//!
//! ```text
//! idle ──start──▶ running ──finish──▶ done ──settle──▶ settled
//!   └───────────── the frontier's owner runs it itself ──────▶
//! ```
//!
//! The frontier is the first transaction that is not settled. Whoever holds the frontier's lock settles what is done, in
//! order, and runs the next one itself if nobody has: then everything below it is certain. The others run ahead, up to
//! `limit`. Invariants:
//! - A transaction goes from idle to running once; what is done is run again at most once more, by the frontier's owner.
//! - Who finds nothing to do sleeps only after it has looked again under the lock under which it would be woken.
//! - After the frontier's lock is released, its last owner looks at the frontier again, so a transaction that became done
//!   in between is settled by it or by whoever holds the lock then.

use std::{cmp::Reverse, iter};

use crossbeam_utils::CachePadded;

use super::{
    place::{CLOSED, NOBODY, Place, State},
    queue::Queue,
};
use crate::sync::{AtomicBool, AtomicU32, AtomicUsize, Condvar, Mutex, Ordering};

/// Most transactions that are claimed at once.
const RUN_MAX: u32 = 16;
/// Gas limits of the transactions claimed at once stay below this, but for the first.
const RUN_GAS_MAX: u64 = 600_000;
/// With less gas than this left to claim, waking somebody costs more than it gains.
const WAKE_GAS_MIN: u64 = 300_000;
/// So many times what a block uses its transactions' limits allow: 2.3 in the middle one of 31 real blocks. What is heavy is
/// taken at its limit.
const LIMIT_PER_GAS: u64 = 2;
/// What a transaction that became ready is taken to be worth, in gas.
const READY_GAS: u64 = 60_000;
/// The schedule of one block. What one thread writes often lies apart from what the others read.
#[derive(Debug)]
pub(crate) struct Schedule {
    places: Vec<Place>,
    frontier: CachePadded<AtomicU32>,
    /// First transaction that nobody claimed.
    cursor: CachePadded<AtomicU32>,
    /// First transaction that may not be claimed yet.
    limit: AtomicU32,
    /// Transactions whose wait is over.
    ready: Queue<Reverse<u32>>,
    /// Heavy ones by their weight in gas, with those that wait for them. One is begun out of turn when what is left of the block
    /// would otherwise keep the others busy for less time than it takes: no sooner, because what runs far ahead is more
    /// often stale when its turn comes.
    heavy: Queue<(u64, Reverse<u32>)>,
    /// How often a transaction was put off until another had run.
    waits: AtomicU32,
    over: AtomicBool,
    sleep: Mutex<()>,
    wake: Condvar,
    sleepers: AtomicUsize,
    /// By worker: it is busy ahead of the frontier, and will look at the frontier when it is done.
    busy: Vec<CachePadded<AtomicBool>>,
    /// While what is done and not settled is less than this, it is left to the one who ran it, who has it at hand.
    lag_max: u32,
}

/// Transactions that were claimed together: each may have been started by somebody else meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Schedule {
    /// A schedule of transactions with these gas limits.
    pub(crate) fn new(gas_limits: impl Iterator<Item = u64>, workers: usize, lag_max: u32) -> Self {
        let mut places: Vec<Place> = gas_limits.map(Place::new).collect();
        places.iter_mut().rev().fold(0_u64, |behind, place| {
            place.gas_to_end = behind.saturating_add(place.gas);
            place.gas_to_end
        });
        Self {
            places,
            frontier: AtomicU32::new(0).into(),
            cursor: AtomicU32::new(0).into(),
            limit: AtomicU32::new(0),
            ready: Queue::new(),
            heavy: Queue::new(),
            waits: AtomicU32::new(0),
            over: AtomicBool::new(false),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
            sleepers: AtomicUsize::new(0),
            busy: (0..workers).map(|_| AtomicBool::new(false).into()).collect(),
            lag_max,
        }
    }

    /// How many transactions there are.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(NOBODY)
    }

    /// The first transaction that is not settled.
    pub(crate) fn frontier(&self) -> u32 {
        self.frontier.load(Ordering::Acquire)
    }

    /// How often a transaction was put off until another had run.
    pub(crate) fn waits(&self) -> u32 {
        self.waits.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self, index: u32) -> State {
        State::of(self.places[index as usize].state.load(Ordering::Acquire))
    }

    /// Whether the block is finished, or given up.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Ends the block for everybody.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
        let _asleep = self.sleep.lock();
        self.wake.notify_all();
    }

    /// Whether there is something for a worker to do at the frontier.
    pub(crate) fn frontier_is_open(&self, worker: u32) -> bool {
        let frontier = self.frontier();
        if self.is_over() {
            return false;
        }
        frontier == self.len()
            || match self.state(frontier) {
                State::Running => false,
                State::Done => !self.is_left_to_another(frontier, worker),
                State::Idle | State::Settled => true,
            }
    }

    /// Whether something that is done is better settled by the one who ran it: it is still busy, so it will come by.
    pub(crate) fn is_left_to_another(&self, index: u32, worker: u32) -> bool {
        let runner = self.places[index as usize].runner.load(Ordering::Relaxed);
        let cursor = self.cursor.load(Ordering::Relaxed);
        runner != worker
            && self.busy[runner as usize].load(Ordering::SeqCst)
            && (index..self.len()).contains(&cursor)
            && cursor - index < self.lag_max
    }

    /// A worker goes ahead of the frontier, or comes back.
    pub(crate) fn set_busy(&self, worker: u32, busy: bool) {
        self.busy[worker as usize].store(busy, Ordering::SeqCst);
    }

    /// For the frontier's owner, before `limit` is raised over it: what a transaction should wait for.
    pub(crate) fn wait_for(&self, index: u32, after: u32) {
        self.places[index as usize].after.store(after + 1, Ordering::Relaxed);
    }

    /// For the frontier's owner: what these should wait for they need not wait for after all.
    pub(crate) fn wait_no_more(&self, indices: &[u32]) {
        let cursor = self.cursor.load(Ordering::Acquire);
        let mut gas = 0_u64;
        for index in indices {
            let place = &self.places[*index as usize];
            let waited = place.after.swap(0, Ordering::Relaxed) > 0;
            // Who was claimed and put off is not claimed in turn again.
            if waited && *index < cursor && self.state(*index) == State::Idle {
                gas = gas.saturating_add(place.gas);
                self.ready.push(Reverse(*index));
            }
        }
        if gas >= WAKE_GAS_MIN && self.sleepers.load(Ordering::SeqCst) > 0 {
            let _asleep = self.sleep.lock();
            self.wake.notify_one();
        }
    }

    /// For the frontier's owner, just before `limit` is raised over it: it should be begun before others.
    pub(crate) fn put_first(&self, index: u32, weight: u64) {
        self.heavy.push((weight, Reverse(index)));
    }

    /// For the frontier's owner: transactions below `limit` may be claimed.
    pub(crate) fn raise_limit(&self, limit: u32) {
        self.limit.fetch_max(limit, Ordering::SeqCst);
        self.wake_somebody();
    }

    /// Tries to be the one who runs it.
    pub(crate) fn start(&self, index: u32, worker: u32) -> bool {
        let place = &self.places[index as usize];
        let state = &place.state;
        let (idle, running) = (State::Idle as u8, State::Running as u8);
        let started = state.load(Ordering::Relaxed) == idle
            && state.compare_exchange(idle, running, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if started {
            place.runner.store(worker, Ordering::Relaxed);
        }
        started
    }

    /// What was started has run; its incarnation is in its slot.
    pub(crate) fn finish(&self, index: u32) {
        self.places[index as usize].state.store(State::Done as u8, Ordering::Release);
        self.release_waiting(index);
    }

    /// For the frontier's owner: the transaction at the frontier is settled.
    pub(crate) fn settle(&self, index: u32) {
        self.places[index as usize].state.store(State::Settled as u8, Ordering::Release);
        self.frontier.store(index + 1, Ordering::Release);
        self.release_waiting(index);
    }

    /// For the frontier's owner: these, which nobody could claim and nobody waits for, are settled.
    pub(crate) fn settle_all(&self, start: u32, end: u32) {
        for place in &self.places[start as usize..end as usize] {
            place.state.store(State::Settled as u8, Ordering::Relaxed);
        }
        self.frontier.store(end, Ordering::Release);
    }

    fn release_waiting(&self, index: u32) {
        let list = &self.places[index as usize].waiting;
        if list.load(Ordering::Relaxed) == CLOSED {
            return;
        }
        let mut waiting = list.swap(CLOSED, Ordering::AcqRel);
        let any = waiting != NOBODY;
        while waiting != NOBODY && waiting != CLOSED {
            let next = self.places[waiting as usize].next_waiting.load(Ordering::Acquire);
            if self.state(waiting) == State::Idle {
                self.ready.push(Reverse(waiting));
            }
            waiting = next;
        }
        if any {
            self.wake_somebody();
        }
    }

    /// Whether it must wait for another; if so it will be ready when that one has run.
    pub(crate) fn defer(&self, index: u32) -> bool {
        let place = &self.places[index as usize];
        let after = place.after.load(Ordering::Relaxed);
        if after == 0 || matches!(self.state(after - 1), State::Done | State::Settled) {
            return false;
        }
        // What is heavy is claimed twice, out of turn and in turn, and no list may hold it twice.
        if place.listed.swap(true, Ordering::AcqRel) {
            return true;
        }
        let list = &self.places[after as usize - 1].waiting;
        let mut first = list.load(Ordering::Acquire);
        loop {
            if first == CLOSED {
                return false;
            }
            place.next_waiting.store(first, Ordering::Release);
            match list.compare_exchange(first, index, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(other) => first = other,
            }
        }
        self.waits.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Claims transactions to run ahead of the frontier.
    pub(crate) fn claim(&self) -> Option<Claim> {
        if let Some(index) = self.claim_out_of_turn() {
            return Some(Claim { start: index, end: index + 1 });
        }
        let mut start = self.cursor.load(Ordering::Acquire);
        loop {
            let from = start.max(self.frontier());
            let limit = self.limit.load(Ordering::Acquire);
            if from >= limit {
                return None;
            }
            let mut end = from + 1;
            let mut gas = self.places[from as usize].gas;
            while end < limit && end - from < RUN_MAX {
                gas = gas.saturating_add(self.places[end as usize].gas);
                if gas > RUN_GAS_MAX {
                    break;
                }
                end += 1;
            }
            match self.cursor.compare_exchange(start, end, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(Claim { start: from, end }),
                Err(other) => start = other,
            }
        }
    }

    fn claim_out_of_turn(&self) -> Option<u32> {
        let ready = iter::from_fn(|| self.ready.pop());
        let left = self.gas_left();
        let workers = self.busy.len() as u64;
        let is_due = |(weight, _): &(u64, Reverse<u32>)| weight.saturating_mul(workers * LIMIT_PER_GAS) >= left;
        let heavy = iter::from_fn(|| self.heavy.pop_if(is_due));
        let mut in_order = ready.map(|Reverse(index)| index).chain(heavy.map(|(_, Reverse(index))| index));
        in_order.find(|index| self.state(*index) == State::Idle)
    }

    /// Gas limits of what nobody has claimed in turn.
    fn gas_left(&self) -> u64 {
        let from = self.cursor.load(Ordering::Acquire).max(self.frontier());
        self.places.get(from as usize).map_or(0, |place| place.gas_to_end)
    }

    /// What is heavy can be claimed in turn as well, so it need not be looked for here.
    fn has_claims(&self) -> bool {
        self.ready.len() > 0
            || self.cursor.load(Ordering::SeqCst).max(self.frontier()) < self.limit.load(Ordering::SeqCst)
    }

    /// Whether what can be claimed is worth waking somebody for.
    fn is_worth_waking(&self) -> bool {
        let from = self.cursor.load(Ordering::Acquire).max(self.frontier());
        let limit = self.limit.load(Ordering::Acquire);
        let mut gas = READY_GAS.saturating_mul(self.ready.len() as u64);
        if gas >= WAKE_GAS_MIN {
            return true;
        }
        for index in from..limit {
            gas = gas.saturating_add(self.places[index as usize].gas);
            if gas >= WAKE_GAS_MIN {
                return true;
            }
        }
        false
    }

    /// Wakes one sleeper if there is enough to do.
    pub(crate) fn wake_somebody(&self) {
        if self.sleepers.load(Ordering::SeqCst) > 0 && self.is_worth_waking() {
            let _asleep = self.sleep.lock();
            self.wake.notify_one();
        }
    }

    /// Whether there may be something to do.
    pub(crate) fn has_work(&self, worker: u32, frontier_is_free: impl Fn() -> bool) -> bool {
        self.is_over() || self.has_claims() || (self.frontier_is_open(worker) && frontier_is_free())
    }

    /// Sleeps until there may be something to do. Whoever held something for others to go on has released it before.
    pub(crate) fn rest(&self, worker: u32, frontier_is_free: impl Fn() -> bool) {
        let mut asleep = self.sleep.lock();
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        if !self.has_work(worker, frontier_is_free) {
            self.wake.wait(&mut asleep);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }
}

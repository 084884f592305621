//! A block of transactions that do nothing but leave a trace, on the executor's own schedule and loop.
//!
//! The trace is kept in plain memory, of which the machine knows nothing: keeping it orders nothing.

use std::{iter, sync::Mutex as Plain};

use shuttle::rand::Rng as _;

use crate::{
    machine,
    member::{Member, Model},
    parallel::{
        crew,
        place::State,
        schedule::{Claim, Schedule},
    },
    sync::{Mutex, Task, side_by_side},
    window::Window,
};

pub use crate::window::Plan;

/// How a block ends before its last transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Running this transaction at the frontier fails.
    Settling(u32),
    /// Running this transaction ahead fails, on no fault of its own.
    Speculating(u32),
    /// Another thread gives the block up at some time.
    GivenUp,
}

/// What happened to one transaction.
#[derive(Clone, Copy, Debug, Default)]
struct Trace {
    ahead: u32,
    settled: u32,
    at_frontier: u32,
}

/// What happened.
#[derive(Debug)]
struct Traces {
    transactions: Vec<Trace>,
    /// The first transaction that is not settled.
    frontier: u32,
    /// Somebody owns the frontier.
    owned: bool,
    /// Settling one of them failed.
    failed: bool,
}

/// Most threads of a model.
pub(crate) const THREADS_MAX: usize = 8;

struct Block<'a> {
    plan: &'a Plan,
    failure: Option<Failure>,
    schedule: Schedule,
    frontier: Mutex<Window>,
    slots: Vec<Mutex<Option<u32>>>,
    traces: Plain<Traces>,
}

/// The block was given up.
#[derive(Debug)]
struct GaveUp;

impl<'a> Block<'a> {
    fn new(plan: &'a Plan, failure: Option<Failure>) -> Self {
        Self {
            plan,
            failure,
            schedule: Schedule::new(plan.gas.iter().copied(), THREADS_MAX, plan.lag),
            frontier: Mutex::new(Window::new(plan)),
            slots: (0..plan.ahead_max().min(plan.len())).map(|_| Mutex::new(None)).collect(),
            traces: Plain::new(Traces {
                transactions: vec![Trace::default(); plan.gas.len()],
                frontier: 0,
                owned: false,
                failed: false,
            }),
        }
    }

    fn slot(&self, index: u32) -> &Mutex<Option<u32>> {
        &self.slots[index as usize % self.slots.len()]
    }

    fn traces<T>(&self, act: impl FnOnce(&mut Traces) -> T) -> T {
        act(&mut self.traces.lock().expect("threads of a model take turns"))
    }
}

impl Model for Block<'_> {
    type Error = GaveUp;

    fn plan(&self) -> &Plan {
        self.plan
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn frontier(&self) -> &Mutex<Window> {
        &self.frontier
    }

    fn looks_ahead(&self, index: u32) {
        self.traces(|traces| assert_eq!(traces.frontier, index, "the frontier's owner knows where it stands"));
    }

    fn speculate(&self, index: u32) -> Result<(), GaveUp> {
        assert_eq!(self.schedule.state(index), State::Running);
        self.traces(|traces| {
            let waited_for = self.plan.after[index as usize].map(|after| traces.transactions[after as usize]);
            let trace = &mut traces.transactions[index as usize];
            assert_eq!((trace.ahead, trace.at_frontier, trace.settled), (0, 0, 0), "{index} was started before");
            assert!(traces.frontier <= index, "{index} was run ahead when it was settled");
            assert!(index < traces.frontier + self.plan.ahead_max(), "{index} is too far ahead");
            trace.ahead += 1;
            if let Some(before) = waited_for {
                assert!(before.ahead + before.at_frontier > 0, "{index} did not wait");
            }
        });
        machine::pause();
        if self.failure == Some(Failure::Speculating(index)) {
            return Err(GaveUp);
        }
        let old = self.slot(index).lock().replace(index);
        assert_eq!(old, None, "{index} took the slot of one that is not settled");
        Ok(())
    }

    fn settle_speculated(&self, index: u32) -> Result<(), GaveUp> {
        let left = self.slot(index).lock().take();
        assert_eq!(left, Some(index), "what is done left its incarnation");
        let holds: bool = shuttle::rand::thread_rng().r#gen();
        self.settle(index, if holds { 0 } else { 1 })
    }

    fn run_settled(&self, index: u32) -> Result<(), GaveUp> {
        self.settle(index, 1)
    }

    fn run_in_stretch(&self, index: u32) -> Result<(), GaveUp> {
        self.traces(|traces| {
            assert_eq!(traces.transactions[index as usize].ahead, 0, "{index} of a stretch was started");
        });
        self.settle(index, 1)
    }
}

impl Block<'_> {
    /// As the owner of the frontier, with that many runs there.
    fn settle(&self, index: u32, runs: u32) -> Result<(), GaveUp> {
        self.traces(|traces| {
            assert!(!traces.owned, "two own the frontier");
            assert!(!traces.failed, "somebody went on with {index} where the block had failed");
            traces.owned = true;
        });
        machine::pause();
        let fails = self.failure == Some(Failure::Settling(index));
        self.traces(|traces| {
            traces.owned = false;
            let trace = &mut traces.transactions[index as usize];
            trace.at_frontier += runs;
            if fails {
                traces.failed = true;
                return Err(GaveUp);
            }
            assert_eq!(index, traces.frontier, "settled out of order");
            trace.settled += 1;
            assert!(trace.ahead + trace.at_frontier <= 2, "{index} ran more than twice");
            assert!(trace.ahead + trace.at_frontier > 0, "{index} was settled without having run");
            traces.frontier = index + 1;
            Ok(())
        })
    }

    fn member(&self, id: u32) -> Member<'_, Self> {
        Member { model: self, id }
    }

    /// Works as a worker's thread, which ends the block for everybody if it fails. The first one begins at the frontier.
    fn work(&self, id: u32) {
        let member = &mut self.member(id);
        let done = if id == 0 { crew::begin(member, self.frontier.lock()) } else { crew::work(member) };
        if done.is_err() {
            self.schedule.end();
        }
    }
}

fn members<'a>(block: &'a Block<'_>, threads: usize) -> Vec<Task<'a>> {
    (0..threads).zip(0..).map(|(_, id)| -> Task<'a> { Box::new(move || block.work(id)) }).collect()
}

/// Runs a block on that many threads to its end. Everything must be settled once, in order, after at most two runs.
pub fn runs_to_its_end(plan: &Plan, threads: usize) {
    let block = Block::new(plan, None);
    side_by_side(members(&block, threads));
    let traces = block.traces.into_inner().expect("threads of a model take turns");
    assert_eq!(traces.frontier, plan.len());
    assert!(traces.transactions.iter().all(|trace| trace.settled == 1));
    assert!(block.schedule.is_over());
}

/// Runs a block that does not reach its end. Everybody must stop, and nobody may go on where somebody failed.
pub fn is_given_up(plan: &Plan, threads: usize, failure: Failure) {
    let block = Block::new(plan, Some(failure));
    let mut tasks = members(&block, threads);
    if failure == Failure::GivenUp {
        tasks.push(Box::new(|| block.schedule.end()));
    }
    side_by_side(tasks);
    assert!(block.schedule.is_over());
    if let Failure::Settling(index) = failure {
        block.traces(|traces| assert_eq!(traces.frontier, index, "the block ends where it failed"));
    }
}

/// One moves the frontier up to what another runs ahead, and leaves it while that one finishes: whoever is last must
/// settle it.
pub fn what_is_done_is_settled_by_the_last_to_leave_the_frontier() {
    let plan = Plan::plain(2);
    let block = Block::new(&plan, None);
    block.frontier.lock().look_ahead(&plan, &block.schedule, 0);
    assert!(block.schedule.start(1, 1));
    let finish = || {
        block.speculate(1).expect("nothing fails here");
        block.schedule.finish(1);
        crew::advance(&mut block.member(1)).expect("nothing fails here");
    };
    let leave = || crew::advance(&mut block.member(0)).expect("nothing fails here");
    side_by_side(vec![Box::new(finish), Box::new(leave)]);
    block.traces(|traces| assert_eq!(traces.frontier, 2, "nobody settled what was done"));
}

/// What may wake a sleeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Transactions may be claimed.
    Limit,
    /// Transactions need not wait any longer.
    Ready,
    /// The block is over.
    End,
}

/// One finds nothing to do and lies down, another makes something to do, and does nothing itself: the sleeper must wake.
pub fn wakes(cause: Cause) {
    const WAITING: u32 = 6;
    let mut plan = Plan::plain(1 + WAITING);
    plan.gas = vec![100_000; plan.gas.len()];
    let block = Block::new(&plan, None);
    let schedule = &block.schedule;
    assert!(schedule.start(0, 0), "somebody works at the frontier");
    if cause == Cause::Ready {
        for index in 1..=WAITING {
            schedule.wait_for(index, 0);
        }
        schedule.raise_limit(plan.len());
        while let Some(claim) = schedule.claim() {
            for index in claim.start.max(1)..claim.end {
                assert!(schedule.defer(index));
            }
        }
    }
    // If it is not woken it sleeps for ever, which shuttle calls a deadlock.
    let rest = || {
        while !schedule.is_over() && schedule.claim().is_none() {
            schedule.rest(0, || false);
        }
    };
    let cause = || match cause {
        Cause::Limit => schedule.raise_limit(plan.len()),
        Cause::Ready => schedule.finish(0),
        Cause::End => schedule.end(),
    };
    side_by_side(vec![Box::new(rest), Box::new(cause)]);
}

/// Two want to wait for a third, which finishes meanwhile: whoever was made to wait can be claimed afterwards, and
/// nobody else.
pub fn those_who_wait_come_back() {
    let plan = Plan::plain(3);
    let block = Block::new(&plan, None);
    let schedule = &block.schedule;
    schedule.wait_for(1, 0);
    schedule.wait_for(2, 0);
    schedule.raise_limit(3);
    while schedule.claim().is_some() {}
    assert!(schedule.start(0, 0));
    let waits = Plain::new(Vec::new());
    let wait = |index: u32| -> Task<'_> {
        let waits = &waits;
        Box::new(move || {
            if schedule.defer(index) {
                waits.lock().expect("threads of a model take turns").push(index);
            }
        })
    };
    side_by_side(vec![wait(1), wait(2), Box::new(|| schedule.finish(0))]);
    let mut waited = waits.into_inner().expect("threads of a model take turns");
    waited.sort_unstable();
    let back: Vec<_> = iter::from_fn(|| schedule.claim()).flat_map(|claim| claim.start..claim.end).collect();
    assert_eq!(back, waited, "those who came back, and those who waited");
}

/// Waits are over one after the other while two claim and rest: each transaction is claimed once, and between claims
/// they rest, they do not spin (an execution of too many steps fails).
pub fn those_who_come_back_are_claimed_once() {
    const WAITING: u32 = 3;
    let plan = Plan::plain(1 + WAITING);
    let block = Block::new(&plan, None);
    let schedule = &block.schedule;
    (1..=WAITING).for_each(|index| schedule.wait_for(index, 0));
    schedule.raise_limit(plan.len());
    while schedule.claim().is_some() {}
    assert!(schedule.start(0, 0));
    (1..=WAITING).for_each(|index| assert!(schedule.defer(index)));
    let claimed = Plain::new(Vec::new());
    let note = |claim: Claim| claimed.lock().expect("threads of a model take turns").extend(claim.start..claim.end);
    let claim = || {
        while !schedule.is_over() {
            match schedule.claim() {
                Some(claim) => note(claim),
                None => schedule.rest(0, || false),
            }
        }
    };
    let finish = || {
        schedule.finish(0);
        schedule.end();
    };
    side_by_side(vec![Box::new(claim), Box::new(claim), Box::new(finish)]);
    while let Some(claim) = schedule.claim() {
        note(claim);
    }
    let mut claimed = claimed.into_inner().expect("threads of a model take turns");
    claimed.sort_unstable();
    assert_eq!(claimed, (1..=WAITING).collect::<Vec<_>>());
}

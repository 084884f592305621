//! What the scheduler would do with more cores than there are: the executor's own loop, schedule and plan
//! (`node/executor/src/parallel`, compiled here a second time), on virtual cores, over measured durations and true
//! dependencies. Durations are the same on every core; caches and memory are not simulated.
//!
//! What is modelled is what an execution gives: one ahead of the frontier holds if all that its transaction depends on had
//! been run, and held, when it started; else it is run again. What the plan learns from that, it learns as in the
//! executor, from slots alone. Guards are not simulated.

use std::{
    convert::Infallible,
    num::NonZeroUsize,
    sync::{Mutex as Plain, MutexGuard, PoisonError},
    time::Duration,
};

use alloy_consensus::Transaction as _;
use parapet_types::Transaction;

use crate::{
    bound::Dependencies,
    conflicts::SlotSource,
    cores,
    costs::Costs,
    parallel::{
        ahead::{Ahead, Alone, How, lag_max, narrow, useful_threads, window},
        authorities::Authorities,
        crew::{self, Crew},
        plan::Plan,
        planner::{Heeds, Keeps, Planner},
        profile::{Kind, Profile},
        schedule::Schedule,
    },
    sync::Mutex,
};

/// What a block is to the simulator, by transaction.
#[derive(Clone, Copy, Debug)]
pub struct Replayed<'a> {
    /// The block's transactions.
    pub transactions: &'a [Transaction],
    /// How long each runs, in nanoseconds.
    pub durations_ns: &'a [u64],
    /// The gas that each uses.
    pub gas_used: &'a [u64],
    /// What each depends on.
    pub dependencies: &'a Dependencies,
    /// The slots among that, and who wrote them.
    pub slots: &'a [Vec<SlotSource>],
}

/// What a simulated run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// From the first transaction's start until all threads have left, in nanoseconds.
    pub makespan_ns: u64,
    /// Sum of what the threads were busy for, in nanoseconds. A thread that sleeps is not busy.
    pub busy_ns: u64,
    /// How often a transaction was executed, stretches included.
    pub incarnations: usize,
    /// Executions ahead of the frontier whose result could not be used.
    pub wasted: usize,
    /// Transactions of stretches that were run as one.
    pub as_one: usize,
}

/// Virtual workers, with what they learned from the blocks before.
#[derive(Debug)]
pub struct Simulator {
    threads: NonZeroUsize,
    profile: Profile,
}

impl Simulator {
    /// That many threads that know nothing.
    #[must_use]
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { threads, profile: Profile::default() }
    }

    /// How many threads there are.
    #[must_use]
    pub const fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Simulates a block.
    ///
    /// # Panics
    /// When not all of a block's parts are of as many transactions.
    pub fn run(&mut self, block: Replayed<'_>, costs: Costs) -> Simulated {
        let lengths = [block.durations_ns.len(), block.gas_used.len(), block.dependencies.len(), block.slots.len()];
        assert_eq!(lengths, [block.transactions.len(); 4], "each transaction has a duration, gas and dependencies");
        self.profile.trim();
        let gas_limits = block.transactions.iter().map(|transaction| transaction.gas_limit());
        let threads = useful_threads(gas_limits.clone(), self.threads.get());
        let frontier = Frontier {
            plan: Plan::new(std::mem::take(&mut self.profile), block.transactions.len(), threads),
            ahead: Ahead::new(narrow(window(threads))),
        };
        let stage = Stage {
            block,
            costs,
            authorities: Authorities::new(block.transactions),
            schedule: Schedule::new(gas_limits, threads, lag_max(threads)),
            frontier: Mutex::new(frontier),
            record: Plain::new(Record {
                standing: vec![Standing::Unknown; block.transactions.len()],
                result: Simulated::default(),
            }),
        };
        stage.authorities.recover();
        let elapsed = cores::run(threads, costs.wake_ns, |core| {
            let Ok(()) = crew::work(&mut Core { stage: &stage, id: narrow(core) });
        });
        self.profile = stage.frontier.into_inner().plan.into_profile();
        let result = stage.record.into_inner().unwrap_or_else(PoisonError::into_inner).result;
        Simulated { makespan_ns: elapsed.wall_ns, busy_ns: elapsed.busy_ns, ..result }
    }
}

/// What is known of what a transaction does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing, or it is being run.
    Unknown,
    /// It has run ahead of the frontier, on what it depends on.
    Holds,
    /// It has run ahead of the frontier, when these that it depends on were not known.
    Stale(Vec<u32>),
    /// It is settled.
    Settled,
}

#[derive(Debug)]
struct Record {
    standing: Vec<Standing>,
    result: Simulated,
}

/// What the frontier's owner keeps.
#[derive(Debug)]
struct Frontier {
    plan: Plan,
    ahead: Ahead,
}

/// What all virtual cores share.
struct Stage<'a> {
    block: Replayed<'a>,
    costs: Costs,
    authorities: Authorities<'a>,
    schedule: Schedule,
    frontier: Mutex<Frontier>,
    record: Plain<Record>,
}

impl Stage<'_> {
    /// Never held while virtual time passes.
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn duration(&self, index: u32) -> u64 {
        self.block.durations_ns[index as usize]
    }

    /// What of that which a transaction depends on is not known for good.
    fn unknown(&self, index: u32) -> Vec<u32> {
        let record = self.record();
        let is_known = |earlier: u32| matches!(record.standing[earlier as usize], Standing::Holds | Standing::Settled);
        self.block.dependencies.of(index as usize).iter().copied().filter(|earlier| !is_known(*earlier)).collect()
    }

    /// A transaction had run too early: if it was for slots alone, something is learned from it.
    fn surprise(&self, plan: &mut Plan, index: u32, unknown: &[u32]) {
        let slots = &self.block.slots[index as usize];
        let is_slot = |earlier: &u32| slots.iter().any(|source| source.writer == *earlier);
        // Accounts are looked at first.
        if !unknown.iter().all(is_slot) {
            return;
        }
        if let Some(source) = slots.iter().find(|source| unknown.contains(&source.writer)) {
            let (winner, loser) = (source.writer as usize, index as usize);
            let transactions = self.block.transactions;
            plan.surprise(&transactions[winner], &transactions[loser], &source.account, source.slot);
        }
    }

    fn settle(&self, index: u32) {
        self.record().standing[index as usize] = Standing::Settled;
    }

    fn learn(&self, plan: &mut Plan, index: u32) {
        let transaction = &self.block.transactions[index as usize];
        if let Some(guess) = plan.guess(index as usize) {
            let was_right = match guess.kind {
                Kind::Authority => self.block.dependencies.of(index as usize).contains(&guess.on),
                Kind::Party(_) | Kind::Hot(_) | Kind::HotForCaller(_) | Kind::Listed => {
                    self.block.slots[index as usize].iter().any(|source| source.writer == guess.on)
                }
            };
            let freed = plan.learn(self.block.transactions, index as usize, guess, was_right);
            self.schedule.wait_no_more(&freed);
        }
        let took = Duration::from_nanos(self.block.durations_ns[index as usize]);
        plan.used(transaction, self.block.gas_used[index as usize], Some(took));
    }
}

/// One virtual core.
struct Core<'s, 'a> {
    stage: &'s Stage<'a>,
    id: u32,
}

impl<'s> Crew<'s> for Core<'s, '_> {
    type Frontier = Frontier;
    type Alone = Alone;
    type Error = Infallible;

    fn id(&self) -> u32 {
        self.id
    }

    fn schedule(&self) -> &'s Schedule {
        &self.stage.schedule
    }

    fn frontier(&self) -> &'s Mutex<Frontier> {
        &self.stage.frontier
    }

    fn look_ahead(&mut self, frontier: &mut Frontier, index: u32) -> Option<Alone> {
        let Stage { block, authorities, schedule, .. } = self.stage;
        let transactions = block.transactions;
        let plan = &mut frontier.plan;
        let mut planner = Planner { plan, transactions, authorities, keeps: Keeps::All, heeds: Heeds::Guesses };
        frontier.ahead.look(&mut planner, schedule, index)
    }

    fn speculate(&mut self, index: u32) -> Result<(), Infallible> {
        let unknown = self.stage.unknown(index);
        cores::pass(self.stage.costs.ahead_ns + self.stage.duration(index));
        let mut record = self.stage.record();
        record.result.incarnations += 1;
        record.standing[index as usize] = if unknown.is_empty() { Standing::Holds } else { Standing::Stale(unknown) };
        Ok(())
    }

    fn settle_speculated(&mut self, frontier: &mut Frontier, index: u32) -> Result<(), Infallible> {
        let standing = self.stage.record().standing[index as usize].clone();
        if let Standing::Stale(unknown) = standing {
            self.stage.record().result.wasted += 1;
            self.stage.surprise(&mut frontier.plan, index, &unknown);
            return self.run_settled(frontier, index);
        }
        self.stage.learn(&mut frontier.plan, index);
        cores::pass(self.stage.costs.commit_ns);
        self.stage.settle(index);
        Ok(())
    }

    fn run_settled(&mut self, frontier: &mut Frontier, index: u32) -> Result<(), Infallible> {
        cores::pass(self.stage.costs.direct_ns + self.stage.duration(index));
        self.stage.record().result.incarnations += 1;
        self.stage.learn(&mut frontier.plan, index);
        self.stage.settle(index);
        Ok(())
    }

    fn run_alone(&mut self, frontier: &mut Frontier, alone: Alone) -> Result<(), Infallible> {
        let Alone { start, end, how } = alone;
        match how {
            How::OneByOne => {
                for index in start..end {
                    self.run_settled(frontier, index)?;
                    self.stage.schedule.settle(index);
                }
            }
            How::AsOne => {
                for index in start..end {
                    cores::pass(self.stage.duration(index));
                    self.stage.settle(index);
                }
                self.stage.record().result.incarnations += (end - start) as usize;
                self.stage.record().result.as_one += (end - start) as usize;
                self.stage.schedule.settle_all(start, end);
            }
        }
        Ok(())
    }
}

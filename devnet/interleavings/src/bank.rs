//! A block of small transactions that really read and write: the executor's schedule, loop, cells and validation of
//! reads, with programs of a few steps where the executor has an EVM. Whatever the schedule, outcomes and final state
//! are those of one transaction after the other.

mod program;
mod run;

use std::sync::Mutex as Plain;

use alloy_primitives::U256;
use parapet_types::ReadError;

use crate::{
    block::THREADS_MAX,
    machine,
    member::{Member, Model},
    parallel::{
        account::{AccountWrite, Version},
        crew,
        memory::Memory,
        reads::ReadSet,
        schedule::Schedule,
        slot::{AccountIndex, SlotIndex},
    },
    sync::{Mutex, Task, side_by_side},
    window::{Plan, Window},
};
pub use program::{ACCOUNTS, CONTRACT, FEE_RECIPIENT, Outcome, Program, Transaction, World, generated};

/// What one transaction wrote.
#[derive(Clone, Copy, Debug)]
enum Written {
    Account(AccountIndex),
    Slot(SlotIndex),
    /// Without knowing it.
    Changed(SlotIndex),
}

/// One execution of one transaction.
#[derive(Debug)]
struct Incarnation {
    outcome: Outcome,
    reads: ReadSet,
    written: Vec<Written>,
}

struct Block<'a> {
    transactions: &'a [Transaction],
    plan: &'a Plan,
    memory: Memory<'a>,
    schedule: Schedule,
    frontier: Mutex<Window>,
    slots: Vec<Mutex<Option<Incarnation>>>,
    /// Of what is settled. Kept in plain memory: it orders nothing.
    outcomes: Plain<Vec<Outcome>>,
}

const fn version(index: u32) -> Version {
    Version(index + 1)
}

impl Model for Block<'_> {
    type Error = ReadError;

    fn plan(&self) -> &Plan {
        self.plan
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn frontier(&self) -> &Mutex<Window> {
        &self.frontier
    }

    fn speculate(&self, index: u32) -> Result<(), ReadError> {
        let settled = version(self.schedule.frontier());
        let incarnation = self.execute(index, settled, run::Footing::Speculative)?;
        *self.slot(index).lock() = Some(incarnation);
        Ok(())
    }

    fn settle_speculated(&self, index: u32) -> Result<(), ReadError> {
        let incarnation = self.slot(index).lock().take().expect("what is done left its incarnation");
        if incarnation.reads.stale(&self.memory, version(index))?.is_none() {
            return self.take(index, &incarnation);
        }
        for written in &incarnation.written {
            match written {
                Written::Account(account) => self.memory.account(*account).retract(version(index)),
                Written::Slot(slot) | Written::Changed(slot) => self.memory.slot(*slot).retract(version(index)),
            }
        }
        self.run_settled(index)
    }

    fn run_settled(&self, index: u32) -> Result<(), ReadError> {
        let incarnation = self.execute(index, version(index), run::Footing::Settled)?;
        self.take(index, &incarnation)
    }
}

impl Block<'_> {
    fn slot(&self, index: u32) -> &Mutex<Option<Incarnation>> {
        &self.slots[index as usize % self.slots.len()]
    }

    /// Settles what ran.
    fn take(&self, index: u32, incarnation: &Incarnation) -> Result<(), ReadError> {
        if incarnation.outcome.is_included() {
            let recipient = AccountIndex(FEE_RECIPIENT);
            let cell = self.memory.account(recipient);
            let fee = AccountWrite { balance: U256::from(program::FEE), identity: None };
            cell.settle(version(index), || self.memory.base(recipient), fee)?;
        }
        for written in &incarnation.written {
            if let Written::Changed(slot) = written {
                self.memory.fold_slot(*slot, version(index + 1))?;
            }
        }
        let mut outcomes = self.outcomes.lock().expect("threads of a model take turns");
        assert_eq!(outcomes.len(), index as usize, "settled out of order");
        outcomes.push(incarnation.outcome);
        Ok(())
    }
}

/// Runs the transactions on that many threads, and one after the other, and compares.
pub fn is_as_one_after_the_other(world: &World, transactions: &[Transaction], plan: &Plan, threads: usize) {
    let slots = [(AccountIndex(CONTRACT), U256::from(world.slot))];
    let balances: Vec<_> = world.balances.iter().map(|wei| U256::from(*wei)).collect();
    let block = Block {
        transactions,
        plan,
        memory: Memory::new(&balances, &slots),
        schedule: Schedule::new(plan.gas.iter().copied(), THREADS_MAX, plan.lag),
        frontier: Mutex::new(Window::new(plan)),
        slots: (0..plan.ahead_max().min(plan.len())).map(|_| Mutex::new(None)).collect(),
        outcomes: Plain::default(),
    };
    let block_ref = &block;
    let work = |id| move || crew::work(&mut Member { model: block_ref, id }).expect("nothing fails to be read here");
    side_by_side((0..threads).zip(0..).map(|(_, id)| -> Task<'_> { Box::new(work(id)) }).collect());
    machine::pause();
    let (outcomes, expected) = program::one_after_the_other(*world, transactions);
    assert_eq!(*block.outcomes.lock().expect("threads of a model take turns"), outcomes, "{transactions:?}");
    assert_eq!(run::ends(&block.memory, world), expected, "{transactions:?}");
}

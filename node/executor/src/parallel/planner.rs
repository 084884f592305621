//! A block's transactions as they are planned: what is guessed of them, within what the block's circumstances allow.

use parapet_types::Transaction;

use super::{
    ahead::{CHUNK, Chunks, Shape, narrow},
    authorities::Authorities,
    plan::Plan,
    schedule::Schedule,
};

/// What the frontier's owner may keep to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// Whatever is guessed to be serial.
    All,
    /// Not plain transfers: they are cheap as long as nobody judges them.
    Stretches,
    /// Nothing: what it runs does not tell what each transaction met.
    Nothing,
}

/// Whether guesses make transactions wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heeds {
    /// They do.
    Guesses,
    /// Nobody waits: who starts from the block's access list knows what lies below it.
    Nothing,
}

/// A block's transactions, with what is guessed of them.
#[derive(Debug)]
pub(crate) struct Planner<'p, 'a> {
    pub(crate) plan: &'p mut Plan,
    pub(crate) transactions: &'a [Transaction],
    pub(crate) authorities: &'p Authorities<'a>,
    pub(crate) keeps: Keeps,
    pub(crate) heeds: Heeds,
}

impl Chunks for Planner<'_, '_> {
    fn total(&self) -> u32 {
        narrow(self.transactions.len())
    }

    fn planned(&self) -> u32 {
        narrow(self.plan.planned())
    }

    fn plan_next(&mut self, schedule: &Schedule) -> (u32, Shape) {
        let start = self.plan.planned();
        let end = self.transactions.len().min(start + CHUNK);
        let guessed = self.plan.chunk(&self.transactions[start..end], self.authorities);
        let shape = match (guessed, self.keeps) {
            (_, Keeps::Nothing) | (Shape::Transfers, Keeps::Stretches) => Shape::Parallel,
            (shape, Keeps::All | Keeps::Stretches) => shape,
        };
        if self.heeds == Heeds::Guesses {
            for index in start..end {
                if let Some(guess) = self.plan.guess(index) {
                    schedule.wait_for(narrow(index), guess.on);
                }
            }
        }
        (narrow(end), shape)
    }

    fn heavy(&self) -> &[(u32, u64)] {
        self.plan.heavy()
    }
}

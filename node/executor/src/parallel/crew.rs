//! What every thread of a block does until the block is over: advance the frontier, run ahead, rest.
//!
//! It knows nothing of what a transaction is, so that the model checker of `devnet/interleavings` runs this very loop.

use std::mem;

use super::{place::State, schedule::Schedule};
use crate::sync::{Mutex, MutexGuard};

/// One thread of a block.
pub(crate) trait Crew<'a> {
    /// What only the frontier's owner touches.
    type Frontier: 'a;
    /// Transactions that only the frontier's owner runs.
    type Alone;
    /// What ends the block.
    type Error;

    /// Which of the block's threads this is.
    fn id(&self) -> u32;

    fn schedule(&self) -> &'a Schedule;

    fn frontier(&self) -> &'a Mutex<Self::Frontier>;

    /// There is nothing to do: looks out for something a little longer, before it lies down.
    fn linger(&self) {}

    /// Plans ahead of the frontier. `Some`: what the frontier has reached is left to its owner.
    fn look_ahead(&mut self, frontier: &mut Self::Frontier, index: u32) -> Option<Self::Alone>;

    /// Runs a transaction on what the ones before it may have done, and leaves its incarnation in its slot.
    fn speculate(&mut self, index: u32) -> Result<(), Self::Error>;

    /// Settles the transaction at the frontier, which left its incarnation in its slot.
    fn settle_speculated(&mut self, frontier: &mut Self::Frontier, index: u32) -> Result<(), Self::Error>;

    /// Runs the transaction at the frontier, on settled state.
    fn run_settled(&mut self, frontier: &mut Self::Frontier, index: u32) -> Result<(), Self::Error>;

    /// Runs and settles transactions as if there were no other threads: nobody has started one of them, and nobody will.
    fn run_alone(&mut self, frontier: &mut Self::Frontier, alone: Self::Alone) -> Result<(), Self::Error>;
}

/// As [`work`], of the one who holds the frontier before anybody else can.
pub(crate) fn begin<'a, C: Crew<'a>>(crew: &mut C, mut frontier: MutexGuard<'a, C::Frontier>) -> Result<(), C::Error> {
    let unfinished = Unfinished(crew.schedule());
    drive(crew, &mut frontier)?;
    mem::forget(unfinished);
    drop(frontier);
    work(crew)
}

/// Works until the block is over.
pub(crate) fn work<'a, C: Crew<'a>>(crew: &mut C) -> Result<(), C::Error> {
    let schedule = crew.schedule();
    while !schedule.is_over() {
        advance(crew)?;
        if schedule.is_over() {
            break;
        }
        let Some(claim) = schedule.claim() else {
            crew.linger();
            let frontier = crew.frontier();
            schedule.rest(crew.id(), || frontier.try_lock().is_some());
            continue;
        };
        schedule.set_busy(crew.id(), true);
        for index in claim.start..claim.end {
            if schedule.is_over() {
                break;
            }
            if !schedule.defer(index) && schedule.start(index, crew.id()) {
                crew.speculate(index)?;
                schedule.finish(index);
                if schedule.frontier() == index {
                    advance(crew)?;
                }
            }
        }
        schedule.set_busy(crew.id(), false);
    }
    Ok(())
}

/// Moves the frontier as far as it goes, unless somebody else does.
pub(crate) fn advance<'a, C: Crew<'a>>(crew: &mut C) -> Result<(), C::Error> {
    let schedule = crew.schedule();
    while schedule.frontier_is_open(crew.id()) {
        let Some(mut frontier) = crew.frontier().try_lock() else { return Ok(()) };
        let unfinished = Unfinished(schedule);
        drive(crew, &mut frontier)?;
        mem::forget(unfinished);
    }
    Ok(())
}

/// Ends the block when the frontier's owner leaves it by an error or a panic. It is dropped before the frontier's lock is
/// released, so nobody goes on from where it broke off: what they would find there is half done, and their failure could
/// be taken for the block's.
pub(crate) struct Unfinished<'a>(pub(crate) &'a Schedule);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn drive<'a, C: Crew<'a>>(crew: &mut C, frontier: &mut C::Frontier) -> Result<(), C::Error> {
    let schedule = crew.schedule();
    loop {
        let index = schedule.frontier();
        if index == schedule.len() {
            schedule.end();
        }
        if schedule.is_over() {
            return Ok(());
        }
        if let Some(alone) = crew.look_ahead(frontier, index) {
            crew.run_alone(frontier, alone)?;
            continue;
        }
        match schedule.state(index) {
            State::Running => return Ok(()),
            State::Done if schedule.is_left_to_another(index, crew.id()) => return Ok(()),
            State::Done => crew.settle_speculated(frontier, index)?,
            State::Idle | State::Settled => {
                if !schedule.start(index, crew.id()) {
                    continue;
                }
                crew.run_settled(frontier, index)?;
            }
        }
        schedule.settle(index);
    }
}

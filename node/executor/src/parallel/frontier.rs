//! The owner of the frontier's part: what is settled, in order, and what may be claimed next.

use std::mem;

use alloy_primitives::U256;
use parapet_types::{Executed, LeftOut};
use revm::state::EvmState;

use super::{
    Block,
    account::{AccountWrite, Version},
    ahead::{Ahead, Alone, narrow, window},
    incarnation::{Ended, Incarnation, fold, retract},
    listed,
    plan::Plan,
    planner::{Heeds, Keeps, Planner},
    profile::{Kind, Profile},
    reads::Stale,
    report::Hints,
    slot::SlotIndex,
    worker::{Worker, version},
};
use crate::{Admission, BlockError, TxError, progress::Progress};

/// What the frontier's owner keeps. Whoever holds it is the only one who settles anything.
#[derive(Debug)]
pub(crate) struct Frontier {
    pub(crate) progress: Progress,
    plan: Plan,
    ahead: Ahead,
    threads: usize,
    /// Whether the transaction of an index may be judged: the first that was not planned when that was asked last.
    judged: Option<(usize, bool)>,
    /// What a stretch up to the block's end left on its journal.
    pub(crate) tail: Option<EvmState>,
    pub(crate) hints: Hints,
    /// Fees of settled transactions that the fee recipient's cell does not hold yet, and the last of these transactions.
    owed: Option<(Version, U256)>,
}

impl Frontier {
    pub(crate) fn new(profile: Profile, progress: Progress, transactions: usize, threads: usize) -> Self {
        Self {
            progress,
            plan: Plan::new(profile, transactions, threads),
            ahead: Ahead::new(narrow(window(threads))),
            threads,
            judged: None,
            tail: None,
            hints: Hints::default(),
            owed: None,
        }
    }

    pub(crate) fn into_parts(self) -> (Progress, Profile, EvmState) {
        (self.progress, self.plan.into_profile(), self.tail.unwrap_or_default())
    }

    /// Plans ahead of the frontier. `Some`: what the frontier has reached is left to its owner.
    pub(crate) fn look_ahead(&mut self, block: &Block<'_>, frontier: u32) -> Option<Alone> {
        let may_judge = self.threads > 1 && self.may_judge_next(block);
        let listed = &block.memory.listed;
        let keeps = if listed.is_recorded() {
            Keeps::Nothing
        } else if may_judge {
            Keeps::Stretches
        } else {
            Keeps::All
        };
        let heeds = if listed.followed().is_none() { Heeds::Guesses } else { Heeds::Nothing };
        let (transactions, authorities) = (block.input.transactions, &block.authorities);
        let mut planner = Planner { plan: &mut self.plan, transactions, authorities, keeps, heeds };
        self.ahead.look(&mut planner, &block.schedule, frontier)
    }

    /// Whether the next transaction that is not planned may be judged. It stands for its chunk, which matters where all go
    /// to one account, or come from one.
    fn may_judge_next(&mut self, block: &Block<'_>) -> bool {
        let next = self.plan.planned();
        match self.judged {
            Some((of, judged)) if of == next => judged,
            Some(_) | None => {
                let judged = block.input.transactions.get(next).is_some_and(|next| block.may_be_judged(next));
                self.judged = Some((next, judged));
                judged
            }
        }
    }

    pub(crate) fn include(&mut self, block: &Block<'_>, index: u32, executed: Executed) {
        let candidate = index as usize;
        self.progress.include(candidate, &block.input.transactions[candidate], executed);
    }

    /// Leaves a transaction out of a block that is being built; fails a block that was built elsewhere.
    pub(crate) fn leave_out(&mut self, block: &Block<'_>, index: u32, reason: TxError) -> Result<(), BlockError> {
        match block.input.admission {
            Admission::Build | Admission::Salvage => {
                self.progress.left_out.push(LeftOut { candidate: index as usize, reason });
                Ok(())
            }
            Admission::Import => Err(BlockError::Transaction { index: index as usize, source: reason }),
        }
    }

    /// Pays the fee recipient, whose cell is written to when somebody looks at it: who runs ahead and looks sooner is stale
    /// by value or does not mind, as with any write below it that is not there yet.
    fn reward(&mut self, block: &Block<'_>, at: Version, fee: U256) -> Result<(), BlockError> {
        let (_, owed) = self.owed.unwrap_or_default();
        self.owed = Some((at, owed.wrapping_add(fee)));
        if fee.is_zero() {
            block.memory.account(block.beneficiary).touch_empty();
        }
        // The list tells what each transaction leaves to the fee recipient.
        if block.memory.listed.is_recorded() { self.pay(block) } else { Ok(()) }
    }

    /// As [`Frontier::reward`], at once.
    pub(crate) fn reward_now(&mut self, block: &Block<'_>, at: Version, fee: U256) -> Result<(), BlockError> {
        self.reward(block, at, fee)?;
        self.pay(block)
    }

    /// Before anything is compared with, or runs on, settled state that holds the fee recipient's balance.
    pub(crate) fn pay(&mut self, block: &Block<'_>) -> Result<(), BlockError> {
        let Some((at, fee)) = self.owed.take() else { return Ok(()) };
        let cell = block.memory.account(block.beneficiary);
        let write = AccountWrite { balance: fee, identity: None };
        Ok(cell.settle(at, || block.memory.world.account(&cell.address), write)?)
    }

    /// Settles the transaction at the frontier, which has run ahead: as it is if what it read holds, else it runs again.
    pub(crate) fn settle_speculated(
        &mut self,
        worker: &mut Worker<'_>,
        index: u32,
        mut incarnation: Box<Incarnation>,
    ) -> Result<(), BlockError> {
        let block = worker.block;
        if let Err(reason) = self.progress.admit(block.input, index as usize) {
            retract(&incarnation.written, worker.reader(), version(index));
            return self.leave_out(block, index, reason);
        }
        if incarnation.finished.is_some() || incarnation.reads.has_account(block.beneficiary) {
            self.pay(block)?;
        }
        let holds = match &incarnation.ended {
            Ended::Executed(_) | Ended::Refused(_) => match incarnation.reads.stale(&block.memory, version(index))? {
                None => true,
                // Judging again is cheaper than waiting would be, so nothing is learned from it.
                Some(Stale::Watched(slot)) if worker.judge_again(index, &mut incarnation)? => {
                    note_conflict(block, slot);
                    true
                }
                Some(stale) => {
                    self.note_surprise(block, index, stale)?;
                    false
                }
            },
            Ended::Failed(_) | Ended::Unusable => false,
        };
        if !holds {
            block.report.ran_again();
            retract(&incarnation.written, worker.reader(), version(index));
            worker.recycle(incarnation);
            return self.run_admitted(worker, index);
        }
        self.learn(block, index, &incarnation);
        self.take(worker, index, incarnation)
    }

    /// Runs the transaction at the frontier, on settled state.
    pub(crate) fn run_settled(&mut self, worker: &mut Worker<'_>, index: u32) -> Result<(), BlockError> {
        let block = worker.block;
        if let Err(reason) = self.progress.admit(block.input, index as usize) {
            return self.leave_out(block, index, reason);
        }
        self.run_admitted(worker, index)
    }

    /// Runs a transaction for which there is room.
    pub(crate) fn run_admitted(&mut self, worker: &mut Worker<'_>, index: u32) -> Result<(), BlockError> {
        let block = worker.block;
        self.pay(block)?;
        let incarnation = worker.execute_settled(index)?;
        self.learn(block, index, &incarnation);
        worker.tally.settled += 1;
        self.take(worker, index, incarnation)
    }

    /// Includes what ran, or leaves it out. What it wrote is in the versioned memory.
    fn take(
        &mut self,
        worker: &mut Worker<'_>,
        index: u32,
        mut incarnation: Box<Incarnation>,
    ) -> Result<(), BlockError> {
        let block = worker.block;
        let before = listed::before(block, index, &incarnation)?;
        let left = match mem::take(&mut incarnation.ended) {
            Ended::Executed(executed) => {
                let transaction = &block.input.transactions[index as usize];
                if let Err(full) = self.progress.check_fuel(transaction, &executed) {
                    retract(&incarnation.written, worker.reader(), version(index));
                    return self.leave_out(block, index, full);
                }
                for index in &incarnation.emptied {
                    block.memory.account(*index).touch_empty();
                }
                let included = self.progress.included.len();
                self.plan.used(transaction, executed.gas_used, incarnation.took);
                self.include(block, index, executed);
                self.reward(block, version(index), incarnation.fee)?;
                listed::settled(block, index, included, before.as_ref(), &incarnation.footprint)?;
                Ok(fold(&incarnation.written, &block.memory, version(index + 1))?)
            }
            Ended::Refused(reason) | Ended::Failed(reason) => self.leave_out(block, index, reason),
            Ended::Unusable => Err(BlockError::Panicked("an execution at the frontier had no outcome".into())),
        };
        worker.recycle(incarnation);
        left
    }

    fn learn(&mut self, block: &Block<'_>, index: u32, incarnation: &Incarnation) {
        if let Some(guess) = self.plan.guess(index as usize) {
            let (reads, on) = (&incarnation.reads, version(guess.on));
            let was_right = match guess.kind {
                Kind::Authority => reads.accounts.iter().any(|read| read.seen.writer == on),
                Kind::Party(_) | Kind::Hot(_) | Kind::HotForCaller(_) | Kind::Listed => reads.depends_on(on),
            };
            *(if was_right { &mut self.hints.right } else { &mut self.hints.wrong }) += 1;
            let freed = self.plan.learn(block.input.transactions, index as usize, guess, was_right);
            block.schedule.wait_no_more(&freed);
        }
    }

    fn note_surprise(&mut self, block: &Block<'_>, index: u32, stale: Stale) -> Result<(), BlockError> {
        let transactions = block.input.transactions;
        match stale {
            Stale::Account(account) => {
                block.report.conflict(block.memory.account(account).address, None);
            }
            Stale::Slot(slot) | Stale::Watched(slot) => {
                note_conflict(block, slot);
                let cell = block.memory.slot(slot);
                let address = block.memory.account(cell.account).address;
                let wiped = block.memory.account(cell.account).read_again(version(index)).identity.wiped;
                let (now, _) = block.memory.read_slot(slot, version(index), wiped)?;
                let winner = now.writer.0.checked_sub(version(0).0).map(|winner| &transactions[winner as usize]);
                if let Some(winner) = winner {
                    self.plan.surprise(winner, &transactions[index as usize], &address, cell.slot);
                }
            }
        }
        Ok(())
    }
}

fn note_conflict(block: &Block<'_>, slot: SlotIndex) {
    let cell = block.memory.slot(slot);
    block.report.conflict(block.memory.account(cell.account).address, Some(cell.slot));
}

//! One thread of a block: an EVM on the block's memory. When it runs what is said in [`crew`](super::crew).

use std::mem;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use parapet_monitor::Monitor;
use parapet_types::{ReadError, Transaction};
use revm::{
    context::BlockEnv,
    context_interface::Transaction as _,
    inspector::NoOpInspector,
    state::{Account, EvmState},
};

use super::{
    Block,
    account::Version,
    crew::Crew,
    frontier::{Alone, Frontier, How},
    incarnation::{Ended, Incarnation, Left, publish},
    reader::Reader,
    reads::ReadSet,
    schedule::Schedule,
    transfer,
};
use crate::{
    BlockError, ChainRules, Session, TxError,
    access_list::Footprint,
    environment::tx_env,
    recorder::Recorder,
    session::{Identity, Keep, OnJournal, Purpose},
    sync::Mutex,
};

/// Most read sets kept for their memory.
const SPARE_MAX: usize = 256;

/// One thread's EVM on the block's memory.
pub(crate) struct Worker<'a> {
    pub(crate) block: &'a Block<'a>,
    /// Which of the block's workers this is.
    id: u32,
    pub(crate) session: Session<'a, Reader<'a>>,
    /// Read sets whose memory can be used again.
    spare: Vec<ReadSet>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        block: &'a Block<'a>,
        id: u32,
        (rules, env): (ChainRules, BlockEnv),
        monitor: &'a dyn Monitor,
    ) -> Self {
        let mut session = Session::new(Reader::new(&block.memory), rules, env, monitor, NoOpInspector {});
        session.evm_mut().inner.ctx.chain.fee_apart = true;
        Self { block, id, session, spare: Vec::new() }
    }

    pub(crate) fn reader(&mut self) -> &mut Reader<'a> {
        self.session.evm_mut().db_mut()
    }

    fn transaction(&self, index: u32) -> &'a Transaction {
        &self.block.input.transactions[index as usize]
    }

    /// Runs a transaction at the frontier.
    pub(crate) fn execute_settled(&mut self, index: u32) -> Result<Incarnation, ReadError> {
        let at = version(index);
        self.reader().settle(at);
        self.execute(index, at)
    }

    fn execute(&mut self, index: u32, settled: Version) -> Result<Incarnation, ReadError> {
        let transaction = self.transaction(index);
        if self.is_unwatched()? {
            let block = self.block;
            let plain = transfer::run(self.reader(), transaction, &block.transfers, settled)?;
            if let Some(mut incarnation) = plain {
                incarnation.reads = self.take_reads();
                return Ok(incarnation);
            }
        }
        let tx = tx_env(transaction);
        let (sender, _) = self.reader().account(transaction.signer())?;
        // Without this much it would have been refused.
        let need = tx.max_balance_spending().unwrap_or(U256::MAX);
        self.reader().reads.need(sender, need);
        let ended = self.session.execute_on_journal(tx, self.identity(transaction), Keep::All);
        let state = self.session.evm_mut().inner.ctx.journaled_state.inner.finalize();
        let fee = self.fee(&state);
        let mut footprint = self.footprint(&state);
        if transaction.authorization_count().is_some() {
            self.reader().reads.nonces_matter();
        }
        let (ended, left) = match ended {
            Ok(OnJournal::Executed(executed, guard_writes)) => {
                let left = publish(state.iter(), self.reader(), &guard_writes, settled)?;
                footprint.guard_writes = guard_writes;
                (Ended::Executed(executed), left)
            }
            Ok(OnJournal::Watched) => unreachable!("a journal of one transaction takes any"),
            Err(TxError::State(error)) => return Err(error),
            Err(refusal @ TxError::Invalid(_)) => {
                self.reader().reads.everything_matters();
                (Ended::Refused(refusal), Left::default())
            }
            Err(
                fault @ (TxError::BlockFull { .. }
                | TxError::GuardsFull { .. }
                | TxError::Deadline
                | TxError::Fault(_)
                | TxError::Evm(_)),
            ) => (Ended::Failed(fault), Left::default()),
        };
        self.give_back(state);
        let Left { written, emptied } = left;
        Ok(Incarnation { ended, reads: self.take_reads(), written, emptied, fee, footprint })
    }

    /// What is in a journal, if anybody asks.
    fn footprint(&self, state: &EvmState) -> Footprint {
        if self.block.memory.listed.is_recorded() { Footprint::of(state) } else { Footprint::default() }
    }

    fn take_reads(&mut self) -> ReadSet {
        let next = self.spare.pop().unwrap_or_default();
        mem::replace(&mut self.reader().reads, next)
    }

    /// The memory of a read set that is not needed any more.
    pub(crate) fn recycle(&mut self, mut reads: ReadSet) {
        if self.spare.len() < SPARE_MAX {
            reads.clear();
            self.spare.push(reads);
        }
    }

    fn fee(&mut self, state: &EvmState) -> U256 {
        let ctx = &self.session.evm_mut().inner.ctx;
        fee(&ctx.chain, state, ctx.block.beneficiary)
    }

    /// The journal goes on with the memory it had.
    fn give_back(&mut self, mut state: EvmState) {
        state.clear();
        self.session.evm_mut().inner.ctx.journaled_state.inner.state = state;
    }

    /// Whether it is certain, without asking the monitor, that nobody judges this transaction.
    fn is_unwatched(&mut self) -> Result<bool, ReadError> {
        self.session.evm_mut().is_unwatched().map_err(|error| error.0)
    }

    fn identity(&self, transaction: &Transaction) -> Identity {
        let parent_hash = self.block.input.at.block.parent_hash;
        Identity { tx_hash: *transaction.hash(), parent_hash, purpose: Purpose::Block }
    }

    /// Runs transactions one after the other, each on what the last one left. Nobody else has started one of them.
    fn run_one_by_one(&mut self, frontier: &mut Frontier, start: u32, end: u32) -> Result<(), BlockError> {
        for index in start..end {
            frontier.run_settled(self, index)?;
            self.block.schedule.settle(index);
        }
        Ok(())
    }

    /// Runs transactions that lead one to the next on one journal, as if there were no other threads: nobody has started
    /// one of them, and nobody will.
    fn run_as_one(&mut self, frontier: &mut Frontier, start: u32, end: u32) -> Result<(), BlockError> {
        self.reader().settle(version(start));
        for index in start..end {
            let transaction = self.transaction(index);
            self.reader().go_on(version(index));
            if let Err(reason) = frontier.progress.admit(self.block.input, index as usize) {
                frontier.leave_out(self.block, index, reason)?;
                continue;
            }
            let identity = self.identity(transaction);
            let ended = self.session.execute_on_journal(tx_env(transaction), identity, Keep::Unwatched);
            let ctx = &self.session.evm_mut().inner.ctx;
            let (fee, structural) =
                (fee(&ctx.chain, &ctx.journaled_state.inner.state, ctx.block.beneficiary), ctx.chain.structural);
            let mut earned = None;
            match ended {
                Ok(OnJournal::Executed(executed, guard_writes)) => {
                    debug_assert!(guard_writes.is_empty(), "nobody judged it");
                    frontier.include(self.block, index, executed);
                    earned = Some(fee);
                }
                Ok(OnJournal::Watched) => {
                    self.pay(frontier, index)?;
                    self.flush(before(index))?;
                    frontier.run_admitted(self, index)?;
                    self.reader().settle(version(index));
                }
                Err(TxError::State(error)) => return Err(error.into()),
                Err(error) => frontier.leave_out(self.block, index, error)?,
            }
            // What is created or destroyed changes how later transactions see the account: that is not left to a journal
            // of many; nor is one that ends by being touched. And the fee recipient's balance grows beside the journal,
            // which has seen it before this fee.
            if structural || self.reader().met_fee_recipient || self.reader().met_relic {
                self.pay(frontier, index)?;
                self.flush(version(index))?;
            }
            if let Some(fee) = earned {
                *self.reader().owed.get_or_insert_default() += fee;
            }
        }
        self.block.schedule.settle_all(start, end);
        self.block.report.ran_as_one(end - start);
        self.pay(frontier, end - 1)?;
        if end < self.block.schedule.len() {
            return self.flush(version(end - 1));
        }
        frontier.tail = Some(self.session.evm_mut().inner.ctx.journaled_state.inner.finalize());
        Ok(())
    }

    /// Pays the fee recipient what the journal's transactions earned it.
    fn pay(&mut self, frontier: &mut Frontier, index: u32) -> Result<(), BlockError> {
        match self.reader().owed.take() {
            Some(owed) => frontier.reward(self.block, version(index), owed),
            None => Ok(()),
        }
    }

    /// Moves what the journal holds to the versioned memory.
    fn flush(&mut self, at: Version) -> Result<(), BlockError> {
        let state = self.session.evm_mut().inner.ctx.journaled_state.inner.finalize();
        self.reader().settle(at);
        let left = publish(state.iter(), self.reader(), &[], at)?;
        left.touch(&self.block.memory);
        self.give_back(state);
        self.reader().settle(at);
        Ok(())
    }
}

impl<'a> Crew<'a> for Worker<'a> {
    type Frontier = Frontier;
    type Alone = Alone;
    type Error = BlockError;

    fn id(&self) -> u32 {
        self.id
    }

    fn schedule(&self) -> &'a Schedule {
        &self.block.schedule
    }

    fn frontier(&self) -> &'a Mutex<Frontier> {
        &self.block.frontier
    }

    fn look_ahead(&mut self, frontier: &mut Frontier, index: u32) -> Option<Alone> {
        frontier.look_ahead(self.block, index)
    }

    fn speculate(&mut self, index: u32) -> Result<(), BlockError> {
        let transaction = self.transaction(index);
        let settled = version(self.block.schedule.frontier());
        self.reader().speculate(version(index), transaction.signer(), transaction.nonce());
        let incarnation = match self.execute(index, settled) {
            Ok(incarnation) => incarnation,
            // It may be the guess that cannot be read; if it is not, the frontier will meet it again.
            Err(_) => unusable(),
        };
        self.block.report.speculated();
        *self.block.slot(index).lock() = Some(incarnation);
        Ok(())
    }

    fn settle_speculated(&mut self, frontier: &mut Frontier, index: u32) -> Result<(), BlockError> {
        let incarnation = self.block.slot(index).lock().take();
        let incarnation = incarnation.expect("what is done left its incarnation");
        frontier.settle_speculated(self, index, incarnation)
    }

    fn run_settled(&mut self, frontier: &mut Frontier, index: u32) -> Result<(), BlockError> {
        frontier.run_settled(self, index)
    }

    fn run_alone(&mut self, frontier: &mut Frontier, alone: Alone) -> Result<(), BlockError> {
        match alone.how {
            How::AsOne => self.run_as_one(frontier, alone.start, alone.end),
            How::OneByOne => self.run_one_by_one(frontier, alone.start, alone.end),
        }
    }
}

/// What the fee recipient is owed. One that the transaction destroyed takes its last fee with it.
fn fee(recorder: &Recorder<'_>, state: &EvmState, beneficiary: Address) -> U256 {
    let destroyed = recorder.structural && state.get(&beneficiary).is_some_and(Account::is_selfdestructed);
    if destroyed { U256::ZERO } else { recorder.fee }
}

fn unusable() -> Incarnation {
    Incarnation {
        ended: Ended::Unusable,
        reads: Default::default(),
        written: Default::default(),
        emptied: Default::default(),
        fee: Default::default(),
        footprint: Default::default(),
    }
}

/// The version of what the chain itself does before the first transaction.
pub(crate) const FIRST_SYSTEM_VERSION: Version = Version(1);
/// Versions set apart for what the chain itself does before the first transaction.
const SYSTEM_VERSIONS: u32 = 8;

/// The version just below a transaction's.
const fn before(index: u32) -> Version {
    Version(version(index).0 - 1)
}

/// The version of a transaction.
pub(crate) const fn version(index: u32) -> Version {
    Version(FIRST_SYSTEM_VERSION.0 + SYSTEM_VERSIONS + index)
}

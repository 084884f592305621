//! One thread of a block: an EVM on the block's memory. When it runs what is said in [`crew`](super::crew).

use std::{hint, mem, sync::Arc, time::Instant};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use parapet_monitor::Monitor;
use parapet_types::{ReadError, Transaction};
use revm::{
    Journal,
    context::BlockEnv,
    context_interface::Transaction as _,
    inspector::NoOpInspector,
    state::{Account, EvmState},
};
use smallvec::SmallVec;

use super::{
    Block, Watched,
    account::Version,
    ahead::{Alone, How},
    crew::Crew,
    frontier::Frontier,
    incarnation::{Ended, Incarnation, Left, Written, publish, publish_updates, rebase, retract},
    kept::Kept,
    plan::is_weighed,
    reader::Reader,
    report::Tally,
    schedule::Schedule,
    transfer::{self, Tried},
};
use crate::{
    BlockError, ChainRules, Session, TxError,
    access_list::Footprint,
    database::{EvmDatabase as _, Footing},
    identity::Identity,
    lookout::{Foresight, Named, Standing},
    outcome::{OnJournal, fate},
    recorder::Recorder,
    session::{Finished, Keep},
    sync::Mutex,
};

/// Most incarnations kept for their memory.
const SPARE_MAX: usize = 256;

/// One thread's EVM on the block's memory.
pub(crate) struct Worker<'a> {
    pub(crate) block: &'a Block<'a>,
    /// Which of the block's workers this is.
    id: u32,
    pub(crate) session: Session<'a, Reader<'a>>,
    /// Incarnations whose memory can be used again.
    #[expect(clippy::vec_box, reason = "they move between here and their slots as they are")]
    spare: Vec<Box<Incarnation>>,
    /// The journal between two transactions.
    kept: Kept,
    /// What it has done.
    pub(crate) tally: Tally,
    /// The like of what was kept to be judged again.
    #[expect(clippy::vec_box, reason = "they move between here and incarnations as they are")]
    finished: Vec<Box<Finished>>,
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
        Self {
            block,
            id,
            session,
            spare: Vec::new(),
            kept: Kept::default(),
            finished: Vec::new(),
            tally: Tally::default(),
        }
    }

    pub(crate) fn reader(&mut self) -> &mut Reader<'a> {
        self.session.evm_mut().db_mut()
    }

    pub(crate) fn transaction(&self, index: u32) -> &'a Transaction {
        &self.block.input.transactions[index as usize]
    }

    /// Runs a transaction at the frontier.
    pub(crate) fn execute_settled(&mut self, index: u32) -> Result<Box<Incarnation>, ReadError> {
        let at = version(index);
        self.reader().settle(at);
        self.execute(index, at)
    }

    fn execute(&mut self, index: u32, settled: Version) -> Result<Box<Incarnation>, ReadError> {
        let (block, transaction) = (self.block, self.transaction(index));
        let mut incarnation = self.spare.pop().unwrap_or_default();
        let may_be_plain = transfer::may_be(transaction) && self.meets_nobody(transaction);
        let tried = if may_be_plain {
            transfer::run(self.reader(), transaction, &block.transfers, settled, &mut incarnation)?
        } else {
            Tried::NotPlain
        };
        if tried == Tried::NotPlain {
            self.execute_by_evm(index, settled, &mut incarnation)?;
        }
        // What it read for what it will read next: an empty list whose memory is there.
        mem::swap(&mut incarnation.reads, &mut self.reader().reads);
        Ok(incarnation)
    }

    fn execute_by_evm(&mut self, index: u32, settled: Version, incarnation: &mut Incarnation) -> Result<(), ReadError> {
        let began = is_weighed(self.transaction(index)).then(Instant::now);
        let mut ended = self.run(index, Keep::All);
        let mut state = self.take_journal();
        if matches!(ended, Ok(OnJournal::Watched)) {
            self.give_back(state);
            self.reader().again();
            ended = self.run(index, Keep::Recorded);
            state = self.take_journal();
        }
        incarnation.took = began.map(|began| began.elapsed());
        incarnation.fee = self.fee(&state);
        incarnation.footprint = self.footprint(&state);
        if self.transaction(index).authorization_count().is_some() {
            self.reader().reads.nonces_matter();
        }
        incarnation.ended = match ended {
            Ok(OnJournal::Executed(executed, guard_updates)) => {
                let Left { written, emptied } = publish(state.iter(), self.reader(), &guard_updates, settled)?;
                (incarnation.written, incarnation.emptied) = (written, emptied);
                incarnation.footprint.guard_updates = guard_updates;
                Ended::Executed(executed)
            }
            Ok(OnJournal::Watched) => unreachable!("what is recorded runs to its end"),
            Err(TxError::State(error)) => return Err(error),
            Err(refusal @ TxError::Invalid(_)) => {
                self.reader().reads.everything_matters();
                Ended::Refused(refusal)
            }
            Err(
                fault @ (TxError::BlockFull { .. }
                | TxError::GuardsFull { .. }
                | TxError::GuardsMayNotFit { .. }
                | TxError::Deadline
                | TxError::Interrupted
                | TxError::Fault(_)
                | TxError::Evm(_)),
            ) => Ended::Failed(fault),
        };
        incarnation.finished = self.finish(state);
        Ok(())
    }

    fn run(&mut self, index: u32, keep: Keep) -> Result<OnJournal, TxError> {
        let transaction = self.transaction(index);
        let tx = self.block.tx_env(index);
        let (sender, _) = self.reader().account(transaction.signer())?;
        // Without this much it would have been refused.
        let need = tx.max_balance_spending().unwrap_or(U256::MAX);
        self.reader().reads.need(sender, need);
        self.lend_journal(transaction)?;
        self.session.execute_on_journal(tx, self.identity(transaction), keep)
    }

    /// Keeps what it takes to judge a transaction again that ran ahead, if that may be done.
    fn finish(&mut self, mut state: EvmState) -> Option<Box<Finished>> {
        let speculative = self.reader().footing() == Footing::Speculative;
        let chain = &mut self.session.evm_mut().inner.ctx.chain;
        let Some(sender_had) = chain.repeatable.take().filter(|_| speculative) else {
            self.give_back(state);
            return None;
        };
        let mut finished = self.finished.pop().unwrap_or_default();
        let ctx = &mut self.session.evm_mut().inner.ctx;
        if let Some(sender) = state.get_mut(&ctx.tx.caller) {
            // The monitor saw it before what was left of the gas came back.
            sender.info.balance = sender_had;
        }
        mem::swap(&mut finished.trace, &mut ctx.chain.trace);
        mem::swap(&mut finished.asked, &mut ctx.chain.asked);
        finished.spent = ctx.chain.purse.spent;
        let spare = mem::replace(&mut finished.state, state);
        self.give_back(spare);
        Some(finished)
    }

    /// Has a transaction at the frontier judged again of which nothing else is stale than what the monitor read. Whether
    /// what it did can stand: its judgement and guard state are then the new ones.
    pub(crate) fn judge_again(&mut self, index: u32, incarnation: &mut Incarnation) -> Result<bool, ReadError> {
        let (Some(mut finished), Ended::Executed(executed)) = (incarnation.finished.take(), &mut incarnation.ended)
        else {
            return Ok(false);
        };
        let at = version(index);
        self.reader().settle(at);
        rebase(&incarnation.reads, &self.block.memory, at, &mut finished.state);
        let judged = self.session.judge_again(&mut finished);
        incarnation.finished = Some(finished);
        let Some(judgement) = judged else { return Ok(false) };
        let is_guards = |place: &Written| matches!(place, Written::Guarded(_));
        let places = incarnation.written.iter().copied();
        let (old, mut written): (SmallVec<[Written; 6]>, SmallVec<[Written; 6]>) = places.partition(is_guards);
        retract(&old, self.reader(), at);
        executed.verdicts.clone_from(&judgement.verdicts);
        let updates = judgement.kept(fate(&executed.destiny));
        written.extend(publish_updates(self.reader(), &updates)?);
        incarnation.written = written;
        if self.block.memory.listed.is_recorded() {
            incarnation.footprint.guard_updates = updates;
        }
        self.block.report.judged_again();
        Ok(true)
    }

    /// What is in a journal, if anybody asks.
    fn footprint(&self, state: &EvmState) -> Footprint {
        if self.block.memory.listed.is_recorded() { Footprint::of(state) } else { Footprint::default() }
    }

    /// The memory of an incarnation that is not needed any more.
    pub(crate) fn recycle(&mut self, mut incarnation: Box<Incarnation>) {
        if let Some(mut finished) = incarnation.finished.take().filter(|_| self.finished.len() < SPARE_MAX) {
            finished.state.clear();
            finished.trace.clear();
            finished.asked.clear();
            self.finished.push(finished);
        }
        if self.spare.len() < SPARE_MAX {
            incarnation.clear();
            self.spare.push(incarnation);
        }
    }

    fn fee(&mut self, state: &EvmState) -> U256 {
        let ctx = &self.session.evm_mut().inner.ctx;
        fee(&ctx.chain, state, ctx.block.beneficiary)
    }

    /// The journal of a transaction that is about to run has the contracts of the last one, as far as that is of use.
    fn lend_journal(&mut self, transaction: &Transaction) -> Result<(), ReadError> {
        let evm = self.session.evm_mut();
        let Journal { database, inner } = &mut evm.inner.ctx.journaled_state;
        inner.state = self.kept.lend(database, transaction.to())?;
        Ok(())
    }

    fn take_journal(&mut self) -> EvmState {
        self.session.evm_mut().inner.ctx.journaled_state.inner.finalize()
    }

    /// A stretch goes on with the memory that its journal had.
    pub(crate) fn go_on_with(&mut self, mut state: EvmState) {
        state.clear();
        self.session.evm_mut().inner.ctx.journaled_state.inner.state = state;
    }

    /// The next journal has the memory of this one.
    fn give_back(&mut self, state: EvmState) {
        let Self { session, kept, .. } = self;
        kept.take_back(session.evm_mut().db_mut(), state);
    }

    /// Whom the monitor waits for as the block starts.
    pub(crate) fn watched(&mut self) -> Watched {
        let evm = self.session.evm_mut();
        match (evm.standing(), &evm.inner.ctx.chain.watchlist) {
            (Ok(Standing::Nobody), _) => Watched::Nobody,
            (Ok(Standing::Listed), Some((_, list))) => Watched::Listed(Arc::clone(list)),
            // Whoever runs the first transaction meets an error again.
            (Ok(_) | Err(_), _) => Watched::Unknown,
        }
    }

    /// Whether it is certain that nobody wakes for a transaction that only moves ether between the accounts it names.
    fn meets_nobody(&mut self, transaction: &Transaction) -> bool {
        let to = transaction.kind();
        let foreseen = self.session.evm_mut().foresee(Named::of(transaction, &to));
        // What could not be read will be read again, and then it is an error.
        matches!(foreseen, Ok(Foresight::Nobody | Foresight::Strangers))
    }

    pub(crate) fn identity(&self, transaction: &Transaction) -> Identity {
        let parent_hash = self.block.input.at.block.parent_hash;
        Identity::of(transaction, parent_hash)
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

    fn linger(&self) {
        let (schedule, frontier) = (self.schedule(), self.frontier());
        look_out(|| schedule.has_work(self.id, || !frontier.is_locked()));
    }

    fn look_ahead(&mut self, frontier: &mut Frontier, index: u32) -> Option<Alone> {
        frontier.look_ahead(self.block, index)
    }

    fn speculate(&mut self, index: u32) -> Result<(), BlockError> {
        let transaction = self.transaction(index);
        let settled = version(self.block.schedule.frontier());
        self.reader().speculate(version(index), transaction.signer(), transaction.nonce());
        // It may be the guess that cannot be read; if it is not, the frontier will meet it again.
        let incarnation = self.execute(index, settled).unwrap_or_default();
        self.tally.speculated += 1;
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

/// How often somebody who waits looks, before it lies down,
const LOOKS: usize = 48;
/// and how long it pauses in between, in pauses of the processor: altogether some tens of microseconds, less than it
/// takes to be woken.
const PAUSES: usize = 12;

/// Looks out for something for a little while.
pub(crate) fn look_out(is_there: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if is_there() {
            return;
        }
        (0..PAUSES).for_each(|_| hint::spin_loop());
    }
}

/// What the fee recipient is owed. One that the transaction destroyed takes its last fee with it.
pub(crate) fn fee(recorder: &Recorder<'_>, state: &EvmState, beneficiary: Address) -> U256 {
    let destroyed = recorder.structural && state.get(&beneficiary).is_some_and(Account::is_selfdestructed);
    if destroyed { U256::ZERO } else { recorder.fee }
}

/// The version of what the chain itself does before the first transaction.
pub(crate) const FIRST_SYSTEM_VERSION: Version = Version(1);
/// Versions set apart for what the chain itself does before the first transaction.
const SYSTEM_VERSIONS: u32 = 8;

/// The version of a transaction.
pub(crate) const fn version(index: u32) -> Version {
    Version(FIRST_SYSTEM_VERSION.0 + SYSTEM_VERSIONS + index)
}

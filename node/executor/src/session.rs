//! One transaction at a time: open the judgement, run the EVM, close the judgement.

use std::mem;

use alloy_primitives::B256;
use parapet_abi::ContextRecord;
use parapet_monitor::{
    Answer, BlockEnd, CallOutcome, CallRequest, Decision, Fault, Fork, FuelSpent, Judgement, Monitor, QueryError,
    Question, StateFault, StateView as _, Trace,
};
use parapet_types::{ChainAct, JudgedAct};
use revm::{
    Inspector, Journal,
    context::{
        BlockEnv, CfgEnv, JournalTr as _, TxEnv,
        result::{EVMError, ExecutionResult, HaltReason},
    },
    handler::{FrameResult, Handler as _},
    inspector::{InspectorHandler as _, NoOpInspector},
    interpreter::{FrameInput, interpreter::EthInterpreter},
    state::EvmState,
};

use crate::{
    ChainRules, TxError,
    bets::Bets,
    database::EvmDatabase,
    evm::{EvmContext, MonitoredEvm},
    forks::{Forks, Frames},
    handler::MonitoredHandler,
    hashes::Hashes,
    identity::{Identity, context_record},
    interrupt::{Interrupt, Patience},
    lookout::{Foresight, Lookout},
    outcome::{OnJournal, Outcome, conclude},
    playback::{self, Around, Asked},
    view::JournalView,
};

/// A transaction that has run and may be judged again: its journal as the monitor saw it last, its trace, how its
/// judgement was asked, and what that spent.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    pub(crate) state: EvmState,
    pub(crate) trace: Trace,
    pub(crate) asked: Vec<Asked>,
    pub(crate) spent: FuelSpent,
}

/// An EVM on a database, ready for transactions one after the other.
pub struct Session<'m, DB: EvmDatabase, INSP = NoOpInspector> {
    evm: MonitoredEvm<'m, DB, INSP>,
    bets: Bets,
}

/// What a session has learned and the next one may go on with. Nothing that can be seen depends on it.
#[derive(Debug, Default)]
pub(crate) struct Experience {
    bets: Bets,
    hashes: Hashes,
}

impl<DB: EvmDatabase, INSP> std::fmt::Debug for Session<'_, DB, INSP> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.evm.fmt(f)
    }
}

impl<'m, DB: EvmDatabase, INSP> Session<'m, DB, INSP> {
    /// Starts on a database.
    pub fn new(db: DB, rules: ChainRules, block: BlockEnv, monitor: &'m dyn Monitor, inspector: INSP) -> Self {
        Self { evm: MonitoredEvm::new(db, rules, block, monitor, inspector), bets: Bets::default() }
    }

    /// Lets its executions be interrupted: each ends with [`TxError::Interrupted`] soon after the function says that it is to.
    /// For what no block depends on.
    #[must_use]
    pub fn interrupted_when(mut self, is_due: fn() -> bool, patience: Patience) -> Self {
        self.evm.interrupt_when(is_due, patience);
        self
    }

    /// Goes on with what another session has learned.
    pub(crate) fn learn(&mut self, experience: Experience) {
        (self.bets, self.evm.inner.ctx.chain.hashes) = (experience.bets, experience.hashes);
    }

    /// What it has learned, for another session.
    pub(crate) fn take_experience(&mut self) -> Experience {
        Experience { bets: mem::take(&mut self.bets), hashes: mem::take(&mut self.evm.inner.ctx.chain.hashes) }
    }

    /// The EVM underneath.
    pub const fn evm_mut(&mut self) -> &mut MonitoredEvm<'m, DB, INSP> {
        &mut self.evm
    }

    /// Gives the database back.
    pub fn into_db(self) -> DB {
        self.evm.into_db()
    }

    /// Executes a transaction and has it judged. Nothing is committed.
    ///
    /// # Errors
    /// [`TxError`] when it cannot be executed; nothing of it remains.
    pub fn execute(&mut self, tx: TxEnv, identity: Identity) -> Result<Outcome, TxError> {
        self.run(tx, identity, Record::IfNeeded, |evm| MonitoredHandler::new().run(evm))
    }

    fn run(
        &mut self,
        tx: TxEnv,
        identity: Identity,
        record: Record,
        execute: impl Fn(&mut MonitoredEvm<'m, DB, INSP>) -> Result<ExecutionResult<HaltReason>, EVMError<DB::Error>>,
    ) -> Result<Outcome, TxError> {
        self.evm.inner.ctx.tx = tx;
        let mut ended = self.attempt(identity, record, &execute);
        if matches!(ended, Ok(None)) {
            drop(self.evm.inner.ctx.journaled_state.finalize());
            ended = self.attempt(identity, Record::Always, &execute);
        }
        let state = self.evm.inner.ctx.journaled_state.finalize();
        let (result, judgement) = ended?.expect("what is recorded runs to its end");
        let (executed, guard_updates) = conclude(result.clone(), judgement, &self.evm.inner.ctx.chain);
        Ok(Outcome { executed, result, state, guard_updates })
    }

    fn attempt(
        &mut self,
        identity: Identity,
        record: Record,
        execute: impl FnOnce(&mut MonitoredEvm<'m, DB, INSP>) -> Result<ExecutionResult<HaltReason>, EVMError<DB::Error>>,
    ) -> Result<Option<Ended>, TxError> {
        self.open(identity, record)?;
        let result = execute(&mut self.evm);
        self.close(result)
    }

    /// As [`Session::execute`], but what it did to state stays in the journal.
    ///
    /// # Errors
    /// [`TxError`] when it cannot be executed; nothing of it remains.
    pub(crate) fn execute_on_journal(
        &mut self,
        tx: TxEnv,
        identity: Identity,
        keep: Keep,
    ) -> Result<OnJournal, TxError> {
        self.evm.inner.ctx.tx = tx;
        let record = if keep == Keep::Recorded { Record::Always } else { Record::IfNeeded };
        if self.open(identity, record)? == Watched::Yes && keep == Keep::Unwatched {
            self.evm.inner.ctx.chain.judging = None;
            return Ok(OnJournal::Watched);
        }
        let result = MonitoredHandler::new().run(&mut self.evm);
        let Some((result, judgement)) = self.close(result)? else { return Ok(OnJournal::Watched) };
        let (executed, guard_updates) = conclude(result, judgement, &self.evm.inner.ctx.chain);
        Ok(OnJournal::Executed(executed, guard_updates))
    }

    /// Has a transaction judged once more whose journal and trace are these. `None`: the judgement is another one, or
    /// costs another sum, and what the transaction did cannot stand.
    pub(crate) fn judge_again(&mut self, finished: &mut Finished) -> Option<Judgement> {
        let ctx = &mut self.evm.inner.ctx;
        mem::swap(&mut ctx.journaled_state.inner.state, &mut finished.state);
        let mut view = before_frames(&mut ctx.journaled_state, &mut ctx.chain.forks, &ctx.cfg, &ctx.block);
        let context = ContextRecord { status: 0, ..finished.trace.context };
        let opened = self.evm.monitor.open(&context, &mut playback::Before(&mut view));
        let judged = opened.ok().flatten().and_then(|mut judging| {
            let decision = playback::play(&finished.trace, &finished.asked, &mut *judging, &mut Around(&mut view));
            // The fees that were paid, and the room that was found in the block, are those of the first judgement. And
            // where other attachments woke, one of them may have looked at what only a running transaction can show.
            let stands = matches!(decision, Ok(Some(Decision::Proceed)))
                && judging.spent() == finished.spent
                && judging.can_be_asked_again();
            stands.then(|| judging.close())
        });
        drop(view);
        mem::swap(&mut ctx.journaled_state.inner.state, &mut finished.state);
        judged
    }

    /// Runs a static call as guards do, on the session's state: between two transactions, where all forks are one.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer.
    pub fn view(&mut self, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        let ctx = &mut self.evm.inner.ctx;
        before_frames(&mut ctx.journaled_state, &mut ctx.chain.forks, &ctx.cfg, &ctx.block).call(Fork::Now, request)
    }

    /// Has the monitor answer a reader, on the session's state: between two transactions, where all forks are one.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn query(&mut self, question: Question<'_>, identity: Identity) -> Result<Answer, QueryError> {
        let ctx = &mut self.evm.inner.ctx;
        let context = context_record(ctx, identity);
        let mut view = before_frames(&mut ctx.journaled_state, &mut ctx.chain.forks, &ctx.cfg, &ctx.block);
        self.evm.monitor.query(&context, question, &mut view)
    }

    /// Opens the judgement of something that the chain itself does. Whoever cannot judge it does not stop the chain: that
    /// is said loudly, and nobody judges it.
    pub(crate) fn watch_chain(&mut self, tx: TxEnv, parent_hash: B256) {
        let identity = Identity::of_chain(parent_hash);
        self.evm.inner.ctx.tx = tx;
        let opened = self.open(identity, Record::Always);
        let chain = &mut self.evm.inner.ctx.chain;
        chain.is_chains_own = true;
        if let Err(error) = opened {
            tracing::error!(%error, "what the chain does itself goes on without being judged");
            chain.judging = None;
        }
    }

    /// Asks the monitor what it has to do at a block's end, and keeps what it says of that.
    ///
    /// # Errors
    /// [`Fault`] of the monitor.
    pub(crate) fn end_block(&mut self, parent_hash: B256) -> Result<BlockEnd, Fault> {
        let ctx = &mut self.evm.inner.ctx;
        ctx.tx = TxEnv::default();
        let identity = Identity::of_chain(parent_hash);
        let context = context_record(ctx, identity);
        let mut view = before_frames(&mut ctx.journaled_state, &mut ctx.chain.forks, &ctx.cfg, &ctx.block);
        let mut end = self.evm.monitor.end_block(&context, &mut view)?;
        drop(view);
        let verdicts = std::mem::take(&mut end.verdicts);
        if !verdicts.is_empty() {
            ctx.chain.chain_acts.push(JudgedAct { act: ChainAct::Demotions, verdicts });
        }
        Ok(end)
    }

    /// Ends that judgement. Its verdicts are kept; guard state is not written outside of transactions.
    pub(crate) fn unwatch_chain(&mut self, act: ChainAct) {
        let chain = &mut self.evm.inner.ctx.chain;
        if let Some(judging) = chain.judging.take() {
            let verdicts = judging.close().verdicts;
            if !verdicts.is_empty() {
                chain.chain_acts.push(JudgedAct { act, verdicts });
            }
        }
    }

    /// What attachments said of what the chain itself did.
    pub(crate) fn take_chain_acts(&mut self) -> Vec<JudgedAct> {
        std::mem::take(&mut self.evm.inner.ctx.chain.chain_acts)
    }

    fn open(&mut self, identity: Identity, record: Record) -> Result<Watched, TxError> {
        let ctx = &mut self.evm.inner.ctx;
        ctx.chain.reset();
        ctx.chain.sender_rule = identity.sender;
        let foresight = self.evm.foresee_next()?;
        let ctx = &mut self.evm.inner.ctx;
        let unrecorded = match foresight {
            Foresight::Nobody => true,
            Foresight::Strangers if record == Record::IfNeeded => {
                let bet = self.bets.take(&ctx.tx);
                ctx.chain.lookout = if bet { Lookout::On } else { Lookout::Off };
                bet
            }
            Foresight::Strangers | Foresight::Somebody => false,
        };
        if unrecorded {
            ctx.chain.context_owed = Some(identity);
            return Ok(Watched::No);
        }
        Interrupt::bears_guards(ctx.chain.interrupt)?;
        ctx.chain.trace.context = context_record(ctx, identity);
        let mut view = before_frames(&mut ctx.journaled_state, &mut ctx.chain.forks, &ctx.cfg, &ctx.block);
        ctx.chain.judging = self.evm.monitor.open(&ctx.chain.trace.context, &mut view)?;
        ctx.chain.used = ctx.chain.judging.is_some();
        Ok(if ctx.chain.used { Watched::Yes } else { Watched::No })
    }

    /// `None`: it met somebody, and has to be recorded.
    fn close(
        &mut self,
        result: Result<ExecutionResult<HaltReason>, EVMError<DB::Error>>,
    ) -> Result<Option<Ended>, TxError> {
        let ctx = &mut self.evm.inner.ctx;
        if ctx.chain.lookout == Lookout::Met {
            self.bets.lose(&ctx.tx);
            return Ok(None);
        }
        let was_judged = ctx.chain.judging.is_some();
        let judgement = ctx.chain.judging.take().map(|judging| judging.close()).unwrap_or_default();
        if let Some(fault) = ctx.chain.fault.take() {
            return Err(fault.into());
        }
        Interrupt::result(ctx.chain.interrupt)?;
        match result {
            Ok(result) => {
                self.bets.win(result.tx_gas_used());
                if was_judged && judgement.verdicts.is_empty() {
                    self.bets.regret(&ctx.tx);
                }
                Ok(Some((result, judgement)))
            }
            Err(EVMError::Transaction(invalid)) => Err(TxError::Invalid(invalid)),
            Err(EVMError::Database(error)) => Err(TxError::State(error.0)),
            Err(other) => Err(TxError::Evm(other.to_string())),
        }
    }
}

/// What the EVM says of a transaction, and the monitor.
type Ended = (ExecutionResult<HaltReason>, Judgement);

/// What can be looked at before there are frames.
pub(crate) fn before_frames<'a, DB: EvmDatabase>(
    journal: &'a mut Journal<DB>,
    forks: &'a mut Forks,
    cfg: &'a CfgEnv,
    block: &'a BlockEnv,
) -> JournalView<'a, DB> {
    JournalView::new(journal, Frames { records: &[], spans: &[] }, forks, (cfg, block))
}

/// Whether the monitor judges a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watched {
    Yes,
    No,
}

/// Whether a transaction is recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    /// From its beginning, if anybody could wake.
    Always,
    /// Unless it can be hoped that it meets nobody.
    IfNeeded,
}

/// Which transactions may run on a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Any. One that meets somebody unexpectedly must be tried again as [`Keep::Recorded`].
    All,
    /// Any, and all that can be judged are recorded.
    Recorded,
    /// Only one that nobody judges: the journal holds what earlier transactions did, and a trace would show it as this
    /// one's.
    Unwatched,
}

impl<'m, DB, INSP> Session<'m, DB, INSP>
where
    DB: EvmDatabase,
    INSP: Inspector<EvmContext<'m, DB>, EthInterpreter, FrameInput, FrameResult>,
{
    /// As [`Session::execute`], under the eyes of the inspector.
    ///
    /// # Errors
    /// [`TxError`] when it cannot be executed; nothing of it remains.
    pub fn inspect(&mut self, tx: TxEnv, identity: Identity) -> Result<Outcome, TxError> {
        // A tracer must not see it twice.
        self.run(tx, identity, Record::Always, |evm| MonitoredHandler::new().inspect_run(evm))
    }
}

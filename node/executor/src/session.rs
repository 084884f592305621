//! One transaction at a time: open the judgement, run the EVM, close the judgement.

use alloy_primitives::{B256, U256};
use parapet_abi::ContextRecord;
use parapet_monitor::{Judgement, Monitor, StateWrite};
use parapet_types::{Destiny, Executed};
use revm::{
    Inspector,
    context::{
        BlockEnv, JournalTr as _, TxEnv,
        result::{EVMError, ExecutionResult, HaltReason, Output},
    },
    context_interface::Transaction as _,
    handler::{FrameResult, Handler as _},
    inspector::{InspectorHandler as _, NoOpInspector},
    interpreter::{FrameInput, interpreter::EthInterpreter},
    state::EvmState,
};

use crate::{
    ChainRules, TxError,
    evm::{EvmContext, EvmDatabase, MonitoredEvm},
    handler::MonitoredHandler,
    purse::Charge,
    recorder::Recorder,
    view::JournalView,
};

/// Whether what runs can be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The transaction is part of a block.
    Block,
    /// It is `eth_call` or its like.
    Simulation,
}

/// What a transaction would change: nothing of it is committed yet.
#[derive(Debug)]
pub struct Outcome {
    /// What it did.
    pub executed: Executed,
    /// The EVM's own result, for tracers.
    pub result: ExecutionResult<HaltReason>,
    /// Its changes to state.
    pub state: EvmState,
    /// Guard state it leaves; empty unless it succeeded.
    pub guard_writes: Vec<StateWrite>,
}

/// What the monitor is told of a transaction besides the EVM's own environment.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Hash of the transaction; zero in a simulation.
    pub tx_hash: B256,
    /// Hash of the block's parent.
    pub parent_hash: B256,
    /// Whether it can be committed.
    pub purpose: Purpose,
}

/// An EVM on a database, ready for transactions one after the other.
pub struct Session<'m, DB: EvmDatabase, INSP = NoOpInspector> {
    evm: MonitoredEvm<'m, DB, INSP>,
}

impl<DB: EvmDatabase, INSP> std::fmt::Debug for Session<'_, DB, INSP> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.evm.fmt(f)
    }
}

impl<'m, DB: EvmDatabase, INSP> Session<'m, DB, INSP> {
    /// Starts on a database.
    pub fn new(db: DB, rules: ChainRules, block: BlockEnv, monitor: &'m dyn Monitor, inspector: INSP) -> Self {
        Self { evm: MonitoredEvm::new(db, rules, block, monitor, inspector) }
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
        self.run(tx, identity, |evm| MonitoredHandler::new().run(evm))
    }

    fn run(
        &mut self,
        tx: TxEnv,
        identity: Identity,
        execute: impl FnOnce(&mut MonitoredEvm<'m, DB, INSP>) -> Result<ExecutionResult<HaltReason>, EVMError<DB::Error>>,
    ) -> Result<Outcome, TxError> {
        let ended = self.open(tx, identity).and_then(|_| {
            let result = execute(&mut self.evm);
            self.close(result)
        });
        let state = self.evm.inner.ctx.journaled_state.finalize();
        let (result, judgement) = ended?;
        let (executed, guard_writes) = conclude(result.clone(), judgement, &self.evm.inner.ctx.chain);
        Ok(Outcome { executed, result, state, guard_writes })
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
        if self.open(tx, identity)? == Watched::Yes && keep == Keep::Unwatched {
            self.evm.inner.ctx.chain.judging = None;
            return Ok(OnJournal::Watched);
        }
        let result = MonitoredHandler::new().run(&mut self.evm);
        let (result, judgement) = self.close(result)?;
        let (executed, guard_writes) = conclude(result, judgement, &self.evm.inner.ctx.chain);
        Ok(OnJournal::Executed(executed, guard_writes))
    }

    fn open(&mut self, tx: TxEnv, identity: Identity) -> Result<Watched, TxError> {
        let ctx = &mut self.evm.inner.ctx;
        ctx.tx = tx;
        ctx.chain.reset();
        if self.evm.is_unwatched().map_err(|error| error.0)? {
            self.evm.inner.ctx.chain.context_owed = Some(identity);
            return Ok(Watched::No);
        }
        let ctx = &mut self.evm.inner.ctx;
        ctx.chain.trace.context = context_record(ctx, identity);
        let mut view = JournalView(&mut ctx.journaled_state);
        ctx.chain.judging = self.evm.monitor.open(&ctx.chain.trace.context, &mut view)?;
        ctx.chain.used = ctx.chain.judging.is_some();
        Ok(if ctx.chain.used { Watched::Yes } else { Watched::No })
    }

    fn close(
        &mut self,
        result: Result<ExecutionResult<HaltReason>, EVMError<DB::Error>>,
    ) -> Result<(ExecutionResult<HaltReason>, Judgement), TxError> {
        let chain = &mut self.evm.inner.ctx.chain;
        let judgement = chain.judging.take().map(|judging| judging.close()).unwrap_or_default();
        if let Some(fault) = chain.fault.take() {
            return Err(fault.into());
        }
        match result {
            Ok(result) => Ok((result, judgement)),
            Err(EVMError::Transaction(invalid)) => Err(TxError::Invalid(invalid)),
            Err(EVMError::Database(error)) => Err(TxError::State(error.0)),
            Err(other) => Err(TxError::Evm(other.to_string())),
        }
    }
}

/// Whether the monitor judges a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watched {
    Yes,
    No,
}

/// Which transactions may run on a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Any.
    All,
    /// Only one that nobody judges: the journal holds what earlier transactions did, and a trace would show it as this
    /// one's.
    Unwatched,
}

/// What became of a transaction that ran on a journal.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once, and hardly ever the small one")]
pub(crate) enum OnJournal {
    /// What it did, and the guard state it leaves.
    Executed(Executed, Vec<StateWrite>),
    /// It did not run: it would have been judged.
    Watched,
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
        self.run(tx, identity, |evm| MonitoredHandler::new().inspect_run(evm))
    }
}

pub(crate) fn context_record<DB: EvmDatabase>(ctx: &EvmContext<'_, DB>, identity: Identity) -> ContextRecord {
    let (block, tx) = (&ctx.block, &ctx.tx);
    ContextRecord {
        chain_id: ctx.cfg.chain_id,
        block_number: block.number.saturating_to(),
        timestamp: block.timestamp.saturating_to(),
        block_gas_limit: block.gas_limit,
        gas_limit: tx.gas_limit,
        nonce: tx.nonce,
        tx_type: tx.tx_type,
        simulation: u8::from(identity.purpose == Purpose::Simulation),
        status: 0,
        zero: [0; 5],
        beneficiary: block.beneficiary.into_array().into(),
        sender: tx.caller.into_array().into(),
        target: tx.kind.to().copied().unwrap_or_default().into_array().into(),
        tx_hash: identity.tx_hash.0,
        value: tx.value.to_be_bytes(),
        base_fee: U256::from(block.basefee).to_be_bytes(),
        gas_price: U256::from(tx.effective_gas_price(u128::from(block.basefee))).to_be_bytes(),
        prev_randao: block.prevrandao.unwrap_or_default().0,
        parent_hash: identity.parent_hash.0,
    }
}

/// What a transaction did, and the guard state it leaves: none unless it succeeded.
fn conclude(
    result: ExecutionResult<HaltReason>,
    judgement: Judgement,
    recorder: &Recorder<'_>,
) -> (Executed, Vec<StateWrite>) {
    let gas_used = result.tx_gas_used();
    let (destiny, output, logs, created) = match result {
        ExecutionResult::Success { logs, output, .. } => {
            let created = match &output {
                Output::Create(_, address) => *address,
                Output::Call(_) => None,
            };
            (Destiny::Succeeded, output.into_data(), logs, created)
        }
        ExecutionResult::Revert { output, .. } => {
            (recorder.veto.as_ref().map_or(Destiny::Reverted, Destiny::from), output, Vec::new(), None)
        }
        ExecutionResult::Halt { reason, .. } => {
            (Destiny::Halted { reason: format!("{reason:?}") }, alloy_primitives::Bytes::new(), Vec::new(), None)
        }
    };
    let guard_writes = if destiny == Destiny::Succeeded { judgement.writes } else { Vec::new() };
    let Charge { gas: guard_gas_used, fuel: guard_fuel } = recorder.purse.charged;
    let verdicts = judgement.verdicts;
    let executed = Executed { destiny, gas_used, guard_gas_used, guard_fuel, output, logs, created, verdicts };
    (executed, guard_writes)
}

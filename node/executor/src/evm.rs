//! The EVM with its frame machine wrapped: a monitor sees every frame start and end, and its veto ends them all.

use parapet_abi::{FlowRecord, FrameStatus};
use parapet_monitor::{
    Allowance, Attention, Bound, Closed, Decision, Examination, Fault, FuelSpent, Monitor, StateOp, Subscriptions,
};
use parapet_types::{GuardParams, REGISTRY};
use revm::{
    Context, Database, Inspector, Journal,
    context::{BlockEnv, CfgEnv, ContextError, Evm, FrameStack, JournalTr as _, TxEnv},
    context_interface::journaled_state::{JournalCheckpoint, account::JournaledAccountTr as _},
    handler::{
        EthFrame, EthPrecompiles, EvmTr, FrameInitOrResult, FrameResult, ItemOrResult, evm::FrameInitResult,
        instructions::EthInstructions,
    },
    inspector::{InspectorEvmTr, NoOpInspector, handler::frame_end, inspect_instructions},
    interpreter::{
        CallOutcome, CreateOutcome, FrameInput, Gas, InstructionResult, InterpreterAction, InterpreterResult,
        interpreter::EthInterpreter, interpreter_action::FrameInit,
    },
    primitives::{Address, Bytes, U256},
    state::Bytecode,
};

use crate::{
    ChainRules, StateError,
    forks::Frames,
    instructions,
    playback::Asked,
    recorder::{FrameStart, Recorder, Stirred},
    session::context_record,
    view::JournalView,
};

/// Context of the EVM; its own data is the recorder.
pub type EvmContext<'m, DB> = Context<BlockEnv, TxEnv, CfgEnv, DB, Journal<DB>, Recorder<'m>>;
type Instructions<'m, DB> = EthInstructions<EthInterpreter, EvmContext<'m, DB>>;
type Inner<'m, DB, INSP> =
    Evm<EvmContext<'m, DB>, INSP, Instructions<'m, DB>, EthPrecompiles, EthFrame<EthInterpreter>>;
type FrameError<DB> = ContextError<<DB as Database>::Error>;

/// Whether everything that lies below a transaction is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footing {
    /// It is: nothing of it can change any more.
    Settled,
    /// It is a guess; what comes of it is used only if the guess holds.
    Speculative,
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The EVM, and what its reads decide cannot stand without them.
    Evm,
    /// The monitor, which may be asked again.
    Monitor,
}

/// Databases the EVM runs on. One that speculates is told what a transaction could tell of balances and nonces, so that
/// what nobody looked at may change.
pub trait EvmDatabase: Database<Error = StateError> {
    /// Whether what it answers is certain.
    fn footing(&self) -> Footing {
        Footing::Settled
    }

    /// Who reads from here on.
    fn asked_by(&mut self, _: Asker) {}

    /// Whether a storage word is zero.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be read.
    fn is_zero(&mut self, address: Address, slot: U256) -> Result<bool, StateError> {
        Ok(self.storage(address, slot)?.is_zero())
    }

    /// Whether an account without nonce and code has storage all the same (EIP-7610). As long as it has neither, its
    /// storage is that of the state below the block, until the account is removed: nothing can write to it.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be read.
    fn has_bare_storage(&mut self, address: Address) -> Result<bool, StateError>;

    /// Whether a storage word would accept changes, in order. Nothing else of the word is told.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be read.
    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateError> {
        Ok(StateOp::apply_all(ops, self.storage(address, slot)?).is_some())
    }

    /// An account's balance shows in what the transaction does.
    fn balance_observed(&mut self, _: Address) {}

    /// An account's nonce shows in what the transaction does.
    fn nonce_observed(&mut self, _: Address) {}

    /// An account spent, and had this much left then.
    fn spent_down_to(&mut self, _: Address, _: U256) {}
}

/// revm's EVM with a recorder and a monitor around its frames.
pub struct MonitoredEvm<'m, DB: EvmDatabase, INSP = NoOpInspector> {
    pub(crate) inner: Inner<'m, DB, INSP>,
    /// The table in force while storage accesses or preimages are recorded.
    recording: Instructions<'m, DB>,
    pub(crate) monitor: &'m dyn Monitor,
    /// How guards are paid for.
    guards: GuardParams,
}

impl<DB: EvmDatabase, INSP> std::fmt::Debug for MonitoredEvm<'_, DB, INSP> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonitoredEvm").field("recorder", &self.inner.ctx.chain).finish_non_exhaustive()
    }
}

impl<'m, DB: EvmDatabase, INSP> MonitoredEvm<'m, DB, INSP> {
    /// An EVM over a database, with an inspector that may be a no-op.
    pub fn new(db: DB, rules: ChainRules, block: BlockEnv, monitor: &'m dyn Monitor, inspector: INSP) -> Self {
        let ChainRules { cfg, guards } = rules;
        let spec = cfg.spec;
        let mut ctx: EvmContext<'m, DB> = Context::new(db, spec);
        ctx.journaled_state.set_spec_id(spec);
        ctx.cfg = cfg;
        ctx.block = block;
        let inner = Evm::new_with_inspector(ctx, inspector, instructions::plain(spec), EthPrecompiles::new(spec));
        Self { inner, recording: instructions::recording(spec), monitor, guards }
    }

    /// The inspector.
    pub const fn inspector(&self) -> &INSP {
        &self.inner.inspector
    }

    /// The inspector.
    pub const fn inspector_mut(&mut self) -> &mut INSP {
        &mut self.inner.inspector
    }

    /// The database.
    pub const fn db_mut(&mut self) -> &mut DB {
        &mut self.inner.ctx.journaled_state.database
    }

    /// Ends the use of the EVM.
    pub fn into_db(self) -> DB {
        self.inner.ctx.journaled_state.database
    }

    /// Whether it is certain, without asking the monitor, that it would not judge the next transaction.
    pub(crate) fn is_unwatched(&mut self) -> Result<bool, StateError> {
        let journal = &mut self.inner.ctx.journaled_state;
        match self.monitor.attention() {
            Attention::Never => Ok(true),
            Attention::Always => Ok(false),
            // What earlier transactions on this journal did to the word is for the monitor to see.
            Attention::UnlessZero { address, .. } if journal.inner.state.contains_key(&address) => Ok(false),
            Attention::UnlessZero { address, slot } => journal.database.is_zero(address, slot),
        }
    }

    fn vetoed(&self) -> bool {
        self.inner.ctx.chain.veto.is_some()
    }

    fn veto_output(&self) -> Bytes {
        self.inner.ctx.chain.veto.as_ref().map(parapet_monitor::Veto::output).unwrap_or_default()
    }

    /// Tells the monitor that a frame is about to start. `Some`: it is vetoed and ends here.
    fn frame_starts(&mut self, init: &FrameInit) -> Result<Option<FrameResult>, FrameError<DB>> {
        self.observe(init);
        let ctx = &mut self.inner.ctx;
        if ctx.chain.judging.is_none() {
            return Ok(None);
        }
        let logs = ctx.journaled_state.inner.logs.len();
        ctx.chain.mark_logs(logs);
        let (mut selector, mut data, mut input_len, mut creator_nonce, mut delegate) =
            ([0; 4], Bytes::new(), 0, 0, None);
        match &init.frame_input {
            FrameInput::Call(inputs) => {
                let named = ctx.journaled_state.inner.state.get(&inputs.bytecode_address);
                delegate = named.and_then(|named| named.info.code.as_ref()).and_then(Bytecode::eip7702_address);
                let (local, chain) = (&ctx.local, &mut ctx.chain);
                input_len = inputs.input.len();
                data = chain.keep(input_len, || inputs.input.bytes_local(local));
                let head = inputs.input.as_bytes_local(local);
                let known = head.len().min(selector.len());
                selector[..known].copy_from_slice(&head[..known]);
            }
            FrameInput::Create(inputs) => {
                let creator = ctx.journaled_state.inner.state.get(&inputs.caller());
                creator_nonce = creator.map_or(0, |account| account.info.nonce);
                input_len = inputs.init_code().len();
                data = ctx.chain.keep(input_len, || inputs.init_code().clone());
            }
            FrameInput::Empty => {}
        }
        let caller = (!ctx.chain.is_idle()).then(|| self.inner.frame_stack.get().interpreter.gas.remaining());
        ctx.chain.purse.frame_starts(caller, gas_given(&init.frame_input));
        let start = FrameStart {
            input: &init.frame_input,
            data,
            input_len,
            selector,
            depth: init.depth,
            creator_nonce,
            delegate,
            journal_len: ctx.journaled_state.inner.journal.len(),
        };
        let id = ctx.chain.start_frame(start);
        if !self.vetoed() {
            self.consult(Moment::Start(id))?;
        }
        Ok(self.vetoed().then(|| ended_at_once(&init.frame_input, InstructionResult::Revert, self.veto_output())))
    }

    /// Tells the database what a frame's start shows of balances and nonces.
    fn observe(&mut self, init: &FrameInit) {
        let ctx = &mut self.inner.ctx;
        let (spender, value) = match &init.frame_input {
            FrameInput::Call(inputs) => (inputs.caller, inputs.transfer_value().unwrap_or_default()),
            FrameInput::Create(inputs) => {
                ctx.chain.structural = true;
                let creator = inputs.caller();
                let nonce = ctx.journaled_state.inner.state.get(&creator).map_or(0, |account| account.info.nonce);
                let created = inputs.created_address(nonce);
                let database = &mut ctx.journaled_state.database;
                database.nonce_observed(creator);
                database.nonce_observed(created);
                (creator, inputs.value())
            }
            FrameInput::Empty => return,
        };
        if value.is_zero() {
            return;
        }
        let Some(account) = ctx.journaled_state.inner.state.get(&spender) else { return };
        let had = account.info.balance;
        match had.checked_sub(value) {
            Some(left) => ctx.journaled_state.database.spent_down_to(spender, left),
            None => ctx.journaled_state.database.balance_observed(spender),
        }
    }

    /// Tells the monitor that the running frame has ended.
    fn frame_ends(&mut self, result: &FrameResult) -> Result<(), FrameError<DB>> {
        let ctx = &mut self.inner.ctx;
        if ctx.chain.judging.is_none() {
            return Ok(());
        }
        let logs = ctx.journaled_state.inner.logs.len();
        ctx.chain.mark_logs(logs);
        ctx.chain.purse.frame_ends(result);
        match ctx.chain.end_frame(result, ctx.journaled_state.inner.journal.len()) {
            Some(id) if !self.vetoed() => self.consult(Moment::End(id)),
            _ => Ok(()),
        }
    }

    fn consult(&mut self, moment: Moment) -> Result<(), FrameError<DB>> {
        let ctx = &mut self.inner.ctx;
        if let Some(identity) = ctx.chain.context_owed.take() {
            ctx.chain.trace.context = context_record(ctx, identity);
        }
        let chain = &mut ctx.chain;
        let allowance = if chain.is_chains_own {
            // Nobody pays for that, and no gas bounds it.
            Allowance { fuel: self.guards.block_fuel_max, bound: Bound::Chain }
        } else {
            chain.purse.allowance(&self.guards)
        };
        if let Some(judging) = &mut chain.judging {
            judging.allow(allowance);
        }
        chain.forks.clear();
        let mut view = JournalView::new(
            &mut ctx.journaled_state,
            Frames { records: &chain.trace.frames, spans: &chain.spans },
            &mut chain.forks,
            (&ctx.cfg, &ctx.block),
        );
        let decision = match (moment, chain.judging.as_mut()) {
            (Moment::RegistryChanged, _) => {
                let admission = self.monitor.admit(&chain.trace.context, allowance, &mut view);
                admission.map(|Examination { decision, fuel }| {
                    chain.purse.admitted(fuel);
                    decision
                })
            }
            (_, None) => Ok(Decision::Proceed),
            (Moment::Start(id), Some(judging)) => judging.on_call(&chain.trace, id, &mut view),
            (Moment::End(id), Some(judging)) => judging.on_call_end(&chain.trace, id, &mut view),
            (Moment::Executed, Some(judging)) => judging.on_tx(&chain.trace, &mut view),
        };
        drop(view);
        if let Some(judging) = &chain.judging {
            let subscriptions = judging.subscriptions();
            chain.recorded = subscriptions.recorded_live();
            chain.asked.push(Asked { allowance, subscriptions });
        }
        match decision {
            Ok(Decision::Proceed) => Ok(()),
            Ok(Decision::Veto(_)) if chain.is_chains_own => Ok(()),
            Err(fault) if chain.is_chains_own => {
                tracing::error!(%fault, "what the chain does itself goes on without being judged");
                chain.judging = None;
                Ok(())
            }
            Ok(Decision::Veto(veto)) => {
                chain.veto = Some(veto);
                Ok(())
            }
            Err(fault) => Err(self.stop(fault)),
        }
    }

    /// Tells whoever waits for it that the chain is about to credit accounts: withdrawals (EIP-4895).
    pub(crate) fn withdrawn(&mut self, withdrawals: Vec<FlowRecord>) {
        let chain = &mut self.inner.ctx.chain;
        chain.trace.flows = withdrawals;
        chain.trace.context.status = FrameStatus::Succeeded.into();
        let trace = &chain.trace;
        if chain.judging.as_mut().is_some_and(|judging| judging.stirs(&mut Closed(trace))) {
            let told = self.consult(Moment::Executed);
            debug_assert!(told.is_ok(), "of what is the chain's own, neither vetoes nor faults count");
        }
    }

    fn stop(&mut self, fault: Fault) -> FrameError<DB> {
        let words = fault.to_string();
        self.inner.ctx.chain.fault = Some(fault);
        ContextError::Custom(words)
    }

    /// Ends the running frame as if it had reverted with the veto's data; its remaining gas goes back to its caller.
    fn unwind(&mut self) -> Result<FrameInitOrResult<EthFrame<EthInterpreter>>, FrameError<DB>> {
        let output = self.veto_output();
        let frame = self.inner.frame_stack.get();
        let mut gas = frame.interpreter.gas;
        gas.set_refunded(0);
        let action = InterpreterAction::Return(InterpreterResult::new(InstructionResult::Revert, output, gas));
        let ended = frame.process_next_action::<_, FrameError<DB>>(&mut self.inner.ctx, action)?;
        frame.set_finished(true);
        Ok(ended)
    }

    /// Whether somebody who judges asked for fees.
    pub(crate) fn records_fees(&self) -> bool {
        let judging = self.inner.ctx.chain.judging.as_ref();
        !self.vetoed() && judging.is_some_and(|judging| judging.subscriptions().contains(Subscriptions::FEES))
    }

    /// A point in the journal to which a veto after execution can return.
    pub(crate) fn mark(&mut self) -> JournalCheckpoint {
        let journal = &mut self.inner.ctx.journaled_state;
        let checkpoint = journal.checkpoint();
        journal.checkpoint_commit();
        checkpoint
    }

    /// After execution, before fees are settled: the monitor's last word. A veto returns the journal to `start` and
    /// makes the result a revert with the veto's data; gas that was spent stays spent.
    pub(crate) fn conclude(
        &mut self,
        start: JournalCheckpoint,
        result: &mut FrameResult,
        fees: &[FlowRecord],
    ) -> Result<(), FrameError<DB>> {
        self.inner.ctx.chain.purse.executed(result);
        let changed = result.instruction_result().is_ok() && self.registry_changed();
        if !self.vetoed() && changed {
            self.consult(Moment::RegistryChanged)?;
        }
        let ctx = &mut self.inner.ctx;
        if ctx.chain.veto.is_none() && ctx.chain.judging.is_some() {
            let stirred = ctx.chain.complete(&ctx.journaled_state.inner, result.instruction_result(), fees);
            // Where nobody stirred, the trace is not complete.
            let repeatable =
                !changed && stirred == Stirred::Somebody && !ctx.chain.trace.overflowed && ctx.chain.is_repeatable();
            let sender = ctx.journaled_state.inner.state.get(&ctx.tx.caller);
            let balance = sender.map(|sender| sender.info.balance);
            if stirred == Stirred::Somebody {
                self.consult(Moment::Executed)?;
            }
            let chain = &mut self.inner.ctx.chain;
            chain.repeatable = balance.filter(|_| repeatable);
        }
        self.charge(result.instruction_result());
        if self.vetoed() {
            self.inner.ctx.chain.repeatable = None;
            self.revert_to(start)?;
            let output = self.veto_output();
            let outcome = result.interpreter_result_mut();
            outcome.result = InstructionResult::Revert;
            outcome.output = output;
            outcome.gas.set_refunded(0);
            if let FrameResult::Create(create) = result {
                create.address = None;
            }
        }
        Ok(())
    }

    /// Fixes what the transaction pays for its guards. One that cannot pay fails.
    fn charge(&mut self, result: InstructionResult) {
        let chain = &mut self.inner.ctx.chain;
        if chain.is_chains_own {
            return;
        }
        let spent = chain.judging.as_ref().map_or_else(FuelSpent::default, |judging| judging.spent());
        if chain.veto.is_none() && result.is_ok() {
            chain.veto = chain.purse.settle(spent, &self.guards);
        }
        chain.purse.charge(spent, chain.veto.as_ref(), &self.guards);
    }

    fn registry_changed(&self) -> bool {
        let registry = self.inner.ctx.journaled_state.inner.state.get(&REGISTRY);
        let now = self.inner.ctx.journaled_state.inner.transaction_id;
        // A slot that an earlier transaction on the same journal changed keeps its old original until it is read again.
        registry.is_some_and(|account| account.changed_storage_slots().any(|(_, slot)| slot.transaction_id == now))
    }

    /// Undoes everything since `start` but the nonce step of a creation, which the EVM takes inside its frame.
    fn revert_to(&mut self, start: JournalCheckpoint) -> Result<(), FrameError<DB>> {
        let ctx = &mut self.inner.ctx;
        let journal = &mut ctx.journaled_state;
        let _ = journal.checkpoint();
        journal.checkpoint_revert(start);
        if ctx.tx.kind.is_create() {
            let sender: Address = ctx.tx.caller;
            journal.load_account_mut(sender).map_err(ContextError::Db)?.data.bump_nonce();
        }
        Ok(())
    }
}

/// Gas that a frame starts with.
fn gas_given(input: &FrameInput) -> u64 {
    match input {
        FrameInput::Call(inputs) => inputs.gas_limit,
        FrameInput::Create(inputs) => inputs.gas_limit(),
        FrameInput::Empty => 0,
    }
}

/// When the monitor is asked.
#[derive(Clone, Copy)]
enum Moment {
    Start(u32),
    End(u32),
    Executed,
    RegistryChanged,
}

/// The result of a frame that ends before anything of it happened.
pub(crate) fn ended_at_once(input: &FrameInput, ended: InstructionResult, output: Bytes) -> FrameResult {
    let result = |gas_limit, reservoir| {
        let gas = Gas::new_with_regular_gas_and_reservoir(gas_limit, reservoir);
        InterpreterResult::new(ended, output, gas)
    };
    match input {
        FrameInput::Call(inputs) => {
            let result = result(inputs.gas_limit, inputs.reservoir);
            let mut outcome = CallOutcome::new(result, inputs.return_memory_offset.clone());
            outcome.charged_new_account_state_gas = inputs.charged_new_account_state_gas;
            FrameResult::Call(outcome)
        }
        FrameInput::Create(inputs) => {
            let mut outcome = CreateOutcome::new(result(inputs.gas_limit(), inputs.reservoir()), None);
            outcome.charged_create_state_gas = inputs.charged_create_state_gas();
            FrameResult::Create(outcome)
        }
        FrameInput::Empty => FrameResult::Call(CallOutcome::new(result(0, 0), 0..0)),
    }
}

impl<'m, DB: EvmDatabase, INSP> EvmTr for MonitoredEvm<'m, DB, INSP> {
    type Context = EvmContext<'m, DB>;
    type Instructions = Instructions<'m, DB>;
    type Precompiles = EthPrecompiles;
    type Frame = EthFrame<EthInterpreter>;

    fn all(&self) -> (&Self::Context, &Self::Instructions, &Self::Precompiles, &FrameStack<Self::Frame>) {
        self.inner.all()
    }

    fn all_mut(
        &mut self,
    ) -> (&mut Self::Context, &mut Self::Instructions, &mut Self::Precompiles, &mut FrameStack<Self::Frame>) {
        self.inner.all_mut()
    }

    fn frame_init(&mut self, init: FrameInit) -> Result<FrameInitResult<'_, Self::Frame>, FrameError<DB>> {
        if let Some(refused) = self.frame_starts(&init)? {
            self.frame_ends(&refused)?;
            return Ok(ItemOrResult::Result(refused));
        }
        let known = match self.collision(&init)? {
            None => self.admin_asked(&init)?,
            collision => collision,
        };
        let ended = match known {
            Some(result) => Some(result),
            None => match self.inner.frame_init(init)? {
                ItemOrResult::Item(_) => None,
                ItemOrResult::Result(result) => Some(result),
            },
        };
        match ended {
            None => Ok(ItemOrResult::Item(self.inner.frame_stack.get())),
            Some(result) => {
                self.frame_ends(&result)?;
                Ok(ItemOrResult::Result(result))
            }
        }
    }

    fn frame_run(&mut self) -> Result<FrameInitOrResult<Self::Frame>, FrameError<DB>> {
        let ended = if self.vetoed() {
            self.unwind()?
        } else {
            let inner = &mut self.inner;
            let live = inner.ctx.chain.recorded != Subscriptions::NONE;
            let table = if live { &self.recording } else { &inner.instruction };
            let frame = inner.frame_stack.get();
            let action = frame.interpreter.run_plain(table.instruction_table(), table.gas_table(), &mut inner.ctx);
            let next = frame.process_next_action::<_, FrameError<DB>>(&mut inner.ctx, action)?;
            if next.is_result() {
                frame.set_finished(true);
            }
            next
        };
        if let ItemOrResult::Result(result) = &ended {
            self.frame_ends(result)?;
        }
        Ok(ended)
    }

    fn frame_return_result(&mut self, result: FrameResult) -> Result<Option<FrameResult>, FrameError<DB>> {
        self.inner.frame_return_result(result)
    }
}

impl<'m, DB, INSP> InspectorEvmTr for MonitoredEvm<'m, DB, INSP>
where
    DB: EvmDatabase,
    INSP: Inspector<EvmContext<'m, DB>, EthInterpreter, FrameInput, FrameResult>,
{
    type Inspector = INSP;

    fn all_inspector(
        &self,
    ) -> (&Self::Context, &Self::Instructions, &Self::Precompiles, &FrameStack<Self::Frame>, &Self::Inspector) {
        self.inner.all_inspector()
    }

    fn all_mut_inspector(
        &mut self,
    ) -> (
        &mut Self::Context,
        &mut Self::Instructions,
        &mut Self::Precompiles,
        &mut FrameStack<Self::Frame>,
        &mut Self::Inspector,
    ) {
        self.inner.all_mut_inspector()
    }

    fn inspect_frame_run(&mut self) -> Result<FrameInitOrResult<Self::Frame>, FrameError<DB>> {
        let mut ended = if self.vetoed() {
            self.unwind()?
        } else {
            let inner = &mut self.inner;
            let live = inner.ctx.chain.recorded != Subscriptions::NONE;
            let table = if live { &self.recording } else { &inner.instruction };
            let frame = inner.frame_stack.get();
            let action = inspect_instructions(
                &mut inner.ctx,
                &mut frame.interpreter,
                &mut inner.inspector,
                table.instruction_table(),
                table.gas_table(),
            );
            frame.process_next_action::<_, FrameError<DB>>(&mut inner.ctx, action)?
        };
        if let ItemOrResult::Result(result) = &mut ended {
            self.frame_ends(result)?;
            let inner = &mut self.inner;
            let frame = inner.frame_stack.get();
            frame_end(&mut inner.ctx, &mut inner.inspector, &frame.input, result);
            frame.set_finished(true);
        }
        Ok(ended)
    }
}

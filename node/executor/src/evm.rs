//! The EVM with its frame machine wrapped: a monitor sees every frame start and end, and its veto ends them all.

use parapet_monitor::{Attention, Monitor, Subscriptions};
use parapet_types::GuardParams;
use revm::{
    Context, Database, Inspector, Journal,
    context::{BlockEnv, CfgEnv, ContextError, Evm, FrameStack, TxEnv},
    handler::{
        EthFrame, EvmTr, FrameInitOrResult, FrameResult, ItemOrResult, evm::FrameInitResult,
        instructions::EthInstructions,
    },
    inspector::{InspectorEvmTr, NoOpInspector, handler::frame_end, inspect_instructions},
    interpreter::{
        CallOutcome, CreateOutcome, FrameInput, Gas, InstructionResult, InterpreterAction, InterpreterResult,
        interpreter::EthInterpreter, interpreter_action::FrameInit,
    },
    primitives::Bytes,
};

use crate::{ChainRules, database::EvmDatabase, instructions, interrupt, precompiles::Precompiles, recorder::Recorder};

/// Context of the EVM; its own data is the recorder.
pub type EvmContext<'m, DB> = Context<BlockEnv, TxEnv, CfgEnv, DB, Journal<DB>, Recorder<'m>>;
type Instructions<'m, DB> = EthInstructions<EthInterpreter, EvmContext<'m, DB>>;
type Inner<'m, DB, INSP> = Evm<EvmContext<'m, DB>, INSP, Instructions<'m, DB>, Precompiles, EthFrame<EthInterpreter>>;
pub(crate) type FrameError<DB> = ContextError<<DB as Database>::Error>;

/// revm's EVM with a recorder and a monitor around its frames.
pub struct MonitoredEvm<'m, DB: EvmDatabase, INSP = NoOpInspector> {
    pub(crate) inner: Inner<'m, DB, INSP>,
    /// The table in force while storage accesses or preimages are recorded. It is made when that is first wanted: most calls of
    /// readers never do.
    recording: Option<Instructions<'m, DB>>,
    pub(crate) monitor: &'m dyn Monitor,
    /// When the monitor wants to be asked.
    pub(crate) attention: Attention,
    /// How guards are paid for.
    pub(crate) guards: GuardParams,
}

impl<DB: EvmDatabase, INSP> std::fmt::Debug for MonitoredEvm<'_, DB, INSP> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonitoredEvm").field("recorder", &self.inner.ctx.chain).finish_non_exhaustive()
    }
}

impl<'m, DB: EvmDatabase, INSP> MonitoredEvm<'m, DB, INSP> {
    /// An EVM over a database, with an inspector that may be a no-op.
    pub fn new(db: DB, rules: ChainRules, block: BlockEnv, monitor: &'m dyn Monitor, inspector: INSP) -> Self {
        let ChainRules { cfg, guards, precompiles } = rules;
        let spec = cfg.spec;
        let mut ctx: EvmContext<'m, DB> = Context::new(db, spec);
        ctx.journaled_state.set_spec_id(spec);
        ctx.cfg = cfg;
        ctx.block = block;
        let precompiles = Precompiles::new(spec, precompiles);
        let inner = Evm::new_with_inspector(ctx, inspector, instructions::plain(spec), precompiles);
        Self { inner, recording: None, monitor, attention: monitor.attention(), guards }
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

    pub(crate) fn vetoed(&self) -> bool {
        self.inner.ctx.chain.veto.is_some()
    }

    pub(crate) fn veto_output(&self) -> Bytes {
        self.inner.ctx.chain.veto.as_ref().map(parapet_monitor::Veto::output).unwrap_or_default()
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
}

/// The table that records, which can be interrupted where the plain one can.
fn recording<'a, 'm, DB: EvmDatabase, INSP>(
    made: &'a mut Option<Instructions<'m, DB>>,
    inner: &Inner<'m, DB, INSP>,
) -> &'a Instructions<'m, DB> {
    made.get_or_insert_with(|| {
        let mut table = instructions::recording(inner.ctx.cfg.spec);
        if inner.ctx.chain.interrupt.is_some() {
            interrupt::heed(&mut table);
        }
        table
    })
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
    type Precompiles = Precompiles;
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
            let table = if live { recording(&mut self.recording, inner) } else { &inner.instruction };
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
            let table = if live { recording(&mut self.recording, inner) } else { &inner.instruction };
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

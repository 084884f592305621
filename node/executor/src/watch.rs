//! What the monitor is told while frames run, and what its decisions do.

use parapet_abi::{FlowRecord, FrameStatus};
use parapet_monitor::{Allowance, Bound, Closed, Decision, Examination, Fault};
use parapet_types::REGISTRY;
use revm::{
    context::ContextError,
    handler::FrameResult,
    interpreter::{FrameInput, InstructionResult, interpreter_action::FrameInit},
    primitives::Bytes,
    state::Bytecode,
};

use crate::{
    database::EvmDatabase,
    evm::{FrameError, MonitoredEvm, ended_at_once},
    forks::Frames,
    frames::FrameStart,
    identity::context_record,
    playback::Asked,
    view::JournalView,
};

/// When the monitor is asked.
#[derive(Clone, Copy)]
pub(crate) enum Moment {
    Start(u32),
    End(u32),
    Executed,
    RegistryChanged,
}

impl<DB: EvmDatabase, INSP> MonitoredEvm<'_, DB, INSP> {
    /// Tells the monitor that a frame is about to start. `Some`: it is vetoed and ends here.
    pub(crate) fn frame_starts(&mut self, init: &FrameInit) -> Result<Option<FrameResult>, FrameError<DB>> {
        self.step_in()?;
        self.look_out(init)?;
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
            FrameInput::Call(inputs) => {
                ctx.chain.entered_registry |= inputs.target_address == REGISTRY;
                (inputs.caller, inputs.transfer_value().unwrap_or_default())
            }
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
    pub(crate) fn frame_ends(&mut self, result: &FrameResult) -> Result<(), FrameError<DB>> {
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

    pub(crate) fn consult(&mut self, moment: Moment) -> Result<(), FrameError<DB>> {
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
}

/// Gas that a frame starts with.
fn gas_given(input: &FrameInput) -> u64 {
    match input {
        FrameInput::Call(inputs) => inputs.gas_limit,
        FrameInput::Create(inputs) => inputs.gas_limit(),
        FrameInput::Empty => 0,
    }
}

//! State as the monitor sees it: over the journal, without touching it.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use parapet_monitor::{CallOutcome, CallRequest, CallStatus, Fork, StateFault, StateOp, StateView, VIEW_GAS_MAX};
use revm::{
    Context, Journal, MainBuilder as _,
    context::{BlockEnv, CfgEnv, JournalTr as _, TxEnv, result::EVMError},
    context_interface::ContextTr as _,
    handler::{FrameResult, Handler as _, MainnetHandler},
    interpreter::{CallScheme, FrameInput, GasTracker},
};

use crate::{
    StateError,
    database::{Asker, EvmDatabase, Footing},
    forks::{ForkState, Forks, Frames},
};

/// What the monitor may look at while it is asked. Nothing becomes warm, nothing is loaded into the journal.
pub(crate) struct JournalView<'a, DB: EvmDatabase> {
    journal: &'a mut Journal<DB>,
    frames: Frames<'a>,
    forks: &'a mut Forks,
    cfg: &'a CfgEnv,
    block: &'a BlockEnv,
}

impl<'a, DB: EvmDatabase> JournalView<'a, DB> {
    /// For as long as it is there, the monitor is who reads.
    pub(crate) fn new(
        journal: &'a mut Journal<DB>,
        frames: Frames<'a>,
        forks: &'a mut Forks,
        (cfg, block): (&'a CfgEnv, &'a BlockEnv),
    ) -> Self {
        journal.database.asked_by(Asker::Monitor);
        Self { journal, frames, forks, cfg, block }
    }
}

impl<DB: EvmDatabase> Drop for JournalView<'_, DB> {
    fn drop(&mut self) {
        self.journal.database.asked_by(Asker::Evm);
    }
}

fn fault(error: StateError) -> StateFault {
    StateFault(Box::new(error))
}

impl<DB: EvmDatabase> JournalView<'_, DB> {
    fn at(&mut self, fork: Fork) -> ForkState<'_> {
        let Journal { database, inner } = &mut *self.journal;
        ForkState::new(fork, self.frames, self.forks, inner, database)
    }
}

impl<DB: EvmDatabase> StateView for JournalView<'_, DB> {
    fn is_settled(&self) -> bool {
        self.journal.database.footing() == Footing::Settled
    }

    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        self.at(fork).slot(address, slot).map_err(fault)
    }

    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateFault> {
        // What the journal holds was read as it is, so nothing is gained by asking for less.
        let known = self.journal.inner.state.get(&address);
        if known.is_some_and(|account| account.storage.contains_key(&slot)) {
            return Ok(StateOp::apply_all(ops, self.storage(Fork::PreTx, address, slot)?).is_some());
        }
        self.journal.database.would_accept(address, slot, ops).map_err(fault)
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        self.at(fork).balance(address).map_err(fault)
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        Ok(self.at(fork).info(address).map_err(fault)?.map(|info| info.code_hash).unwrap_or_default())
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        self.at(fork).code(address).map_err(fault)
    }

    fn distance(&mut self, fork: Fork) -> u64 {
        ForkState::distance(fork, self.frames, &self.journal.inner) as u64
    }

    fn call(&mut self, fork: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        let (cfg, block) = (self.cfg, self.block);
        static_call(self.at(fork), cfg, block, request).map_err(|error| StateFault(Box::new(error)))
    }
}

/// Runs a static call on a state that stays as it is: a plain EVM of its own, nobody watching, everything cold, transient
/// storage empty. Sender and origin are the zero address, the gas price is zero.
fn static_call(
    state: ForkState<'_>,
    cfg: &CfgEnv,
    block: &BlockEnv,
    request: &CallRequest,
) -> Result<CallOutcome, EVMError<StateError>> {
    let gas_limit = request.gas.min(VIEW_GAS_MAX);
    let mut ctx: Context<BlockEnv, TxEnv, CfgEnv, ForkState<'_>, Journal<ForkState<'_>>, ()> =
        Context::new(state, cfg.spec);
    ctx.journaled_state.set_spec_id(cfg.spec);
    (ctx.cfg, ctx.block) = (cfg.clone(), block.clone());
    ctx.tx = TxEnv { kind: TxKind::Call(request.to), data: request.input.clone(), gas_limit, ..TxEnv::default() };
    let mut evm = ctx.build_mainnet();
    let mut handler = MainnetHandler::<_, EVMError<StateError>, _>::default();
    handler.load_accounts(&mut evm)?;
    let mut gas = GasTracker::new(gas_limit, gas_limit, 0);
    let Some(mut first) = handler.first_frame_input(&mut evm, &mut gas)? else {
        return Ok(CallOutcome { status: CallStatus::Halted, output: Bytes::new(), gas_used: gas_limit });
    };
    if let FrameInput::Call(inputs) = &mut first.frame_input {
        (inputs.is_static, inputs.scheme) = (true, CallScheme::StaticCall);
    }
    let result: FrameResult = handler.run_exec_loop(&mut evm, first)?;
    if let Err(error) = std::mem::replace(evm.ctx.error(), Ok(())) {
        return Err(error.into());
    }
    let ended = result.interpreter_result();
    let (status, remaining) = match (ended.result.is_ok(), ended.result.is_revert()) {
        (true, _) => (CallStatus::Succeeded, ended.gas.remaining()),
        (false, true) => (CallStatus::Reverted, ended.gas.remaining()),
        (false, false) => (CallStatus::Halted, 0),
    };
    let output = if status == CallStatus::Halted { Bytes::new() } else { ended.output.clone() };
    Ok(CallOutcome { status, output, gas_used: gas_limit.saturating_sub(remaining) })
}

//! Blocks that are never built: calls one after the other on one state, with what the chain itself does before and after
//! them (`eth_simulateV1`, execution-apis).
//!
//! Invariant: a call that cannot be in a block ends the simulation; one that fails is in the block like any other, and
//! guards judge each as they would in a block. Nothing is written anywhere: what the block would change is handed back.

use alloy_eips::eip7685::Requests;
use parapet_executor::{BlockError, ChainRules, Outcome, Overlay, Point, Session, TxError, begin_block, end_block};
use parapet_monitor::Monitor;
use parapet_types::{Executed, REGISTRY, ReadError, StateChanges, StateReader as _};
use revm::{
    context::{
        BlockEnv, TxEnv,
        result::{ExecutionResult, InvalidTransaction},
    },
    inspector::NoOpInspector,
};

use crate::{
    CallRequest, Overrides, SimulateError,
    call::{identity, overlay},
    check_time,
    late::timed,
    transfers::{PlacedLog, TransferLogs, Transfers},
};

/// Whether calls must be such as a block could hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// Nonces are compared and prices must cover the base fee.
    On,
    /// Any nonce will do, and whoever offers no price pays none.
    Off,
}

/// What all blocks of a simulation may use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Gas that is left.
    pub gas: u64,
    /// Bytes of output and logs that are left.
    pub bytes: usize,
}

/// A block that is to be simulated.
#[derive(Clone, Copy)]
pub struct BlockPlan<'a> {
    /// Its header's part, and the state that it is laid on, overrides included.
    pub at: Point<'a>,
    /// What is otherwise in this block than header and state tell; overrides of single calls are not looked at.
    pub overrides: &'a Overrides,
    /// In order.
    pub calls: &'a [CallRequest],
    /// How strict it is.
    pub validation: Validation,
    /// What is told.
    pub transfers: Transfers,
}

/// A call of a simulated block.
#[derive(Clone, Debug)]
pub struct RanCall {
    /// The nonce it had.
    pub nonce: u64,
    /// The gas limit it had.
    pub gas_limit: u64,
    /// Whether that was less than it would have had, for lack of budget.
    pub capped: bool,
    /// What it did.
    pub executed: Executed,
    /// Gas before refunds.
    pub gas_used_max: u64,
    /// Its logs, with ether that moved if that is told.
    pub logs: Vec<PlacedLog>,
}

/// A block that was simulated.
#[derive(Debug)]
pub struct RanBlock {
    /// In order.
    pub calls: Vec<RanCall>,
    /// What it would change.
    pub changes: StateChanges,
    /// EIP-7685.
    pub requests: Requests,
}

impl RanBlock {
    /// Gas that its calls used.
    #[must_use]
    pub fn gas_used(&self) -> u64 {
        self.calls.iter().map(|call| call.executed.gas_used).sum()
    }
}

/// Which rule a call breaks that cannot be in a block, as far as clients tell such rules apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenRule {
    /// Its nonce was used.
    NonceTooLow,
    /// A nonce before it is missing.
    NonceTooHigh,
    /// Its price does not cover the base fee.
    BelowBaseFee,
    /// Its gas does not cover what it costs before anything runs.
    IntrinsicGas,
    /// Its sender cannot pay.
    Funds,
    /// Its sender has code.
    SenderHasCode,
    /// Its init code is too long (EIP-3860).
    InitCode,
    /// Its prices contradict each other.
    Prices,
    /// Another one.
    Other,
}

/// Why a block cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum BlockSimulationError {
    /// A call cannot be in the block.
    #[error("call {index}: {source} (supplied gas {gas_limit})")]
    Call {
        /// Its index.
        index: usize,
        /// The gas limit it had.
        gas_limit: u64,
        /// Which rule it breaks.
        rule: BrokenRule,
        /// Why.
        source: InvalidTransaction,
    },
    /// A call asks for more gas than the block has left.
    #[error("call {index}: block gas limit reached: {left} are left, {wanted} are asked for")]
    BlockGas {
        /// Its index.
        index: usize,
        /// What the block has left.
        left: u64,
        /// What is asked for.
        wanted: u64,
    },
    /// Outputs and logs are more than is answered.
    #[error("the outputs and logs of all calls are longer than is answered; simulate fewer calls at once")]
    TooLong,
    /// It could not run at all.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
}

impl From<BlockError> for BlockSimulationError {
    fn from(error: BlockError) -> Self {
        Self::Simulate(error.into())
    }
}

impl From<ReadError> for BlockSimulationError {
    fn from(error: ReadError) -> Self {
        BlockError::from(error).into()
    }
}

impl BrokenRule {
    const fn of(error: &InvalidTransaction) -> Self {
        match error {
            InvalidTransaction::NonceTooLow { .. } => Self::NonceTooLow,
            InvalidTransaction::NonceTooHigh { .. } => Self::NonceTooHigh,
            InvalidTransaction::GasPriceLessThanBasefee => Self::BelowBaseFee,
            InvalidTransaction::CallGasCostMoreThanGasLimit { .. } => Self::IntrinsicGas,
            InvalidTransaction::LackOfFundForMaxFee { .. } | InvalidTransaction::OverflowPaymentInTransaction => {
                Self::Funds
            }
            InvalidTransaction::RejectCallerWithCode => Self::SenderHasCode,
            InvalidTransaction::CreateInitCodeSizeLimit => Self::InitCode,
            InvalidTransaction::PriorityFeeGreaterThanMaxFee => Self::Prices,
            _ => Self::Other,
        }
    }
}

/// Simulates a block.
///
/// # Errors
/// [`BlockSimulationError`].
pub fn simulate_block(
    plan: &BlockPlan<'_>,
    budget: &mut Budget,
    monitor: &dyn Monitor,
) -> Result<RanBlock, BlockSimulationError> {
    let at = &plan.at;
    let env = plan.overrides.block_env(at);
    let mut session =
        timed(Session::new(overlay(at), ChainRules::of(at.params), env.clone(), monitor, NoOpInspector {}));
    begin_block(&mut session, at.params.hardfork, at.block)?;
    let mut state = session.into_db();
    let mut calls = Vec::with_capacity(plan.calls.len());
    let (mut gas_left, mut written) = (at.block.gas_limit, 0);
    for (index, request) in plan.calls.iter().enumerate() {
        check_time().map_err(SimulateError::from)?;
        let next = Next { plan, env: &env, index, gas_left, written };
        let ran;
        (ran, written, state) = next.run(request, state, budget, monitor)?;
        gas_left = gas_left.saturating_sub(ran.executed.gas_used);
        budget.gas = budget.gas.saturating_sub(ran.executed.gas_used);
        budget.bytes = budget.bytes.checked_sub(bytes(&ran)).ok_or(BlockSimulationError::TooLong)?;
        calls.push(ran);
    }
    let mut session = timed(Session::new(state, ChainRules::of(at.params), env, monitor, NoOpInspector {}));
    let logs = calls.iter().flat_map(|call| &call.executed.logs);
    let requests = end_block(&mut session, at, logs)?;
    Ok(RanBlock { requests, changes: session.into_db().changes()?, calls })
}

/// What an answer repeats of a call.
fn bytes(ran: &RanCall) -> usize {
    let log = |told: &PlacedLog| size_of::<PlacedLog>() + told.log.data.data.len();
    ran.executed.output.len() + ran.logs.iter().map(log).sum::<usize>()
}

/// A call whose turn it is.
struct Next<'a> {
    plan: &'a BlockPlan<'a>,
    env: &'a BlockEnv,
    index: usize,
    gas_left: u64,
    /// Logs that calls before it wrote.
    written: u64,
}

impl Next<'_> {
    /// Runs it. Gives what it did, the logs that were written by then, and the state after it.
    fn run<'s>(
        &self,
        request: &CallRequest,
        state: Overlay<'s>,
        budget: &Budget,
        monitor: &dyn Monitor,
    ) -> Result<(RanCall, u64, Overlay<'s>), BlockSimulationError> {
        let (left, index) = (self.gas_left, self.index);
        let wanted = request.gas.unwrap_or(left);
        if wanted > left {
            return Err(BlockSimulationError::BlockGas { index, left, wanted });
        }
        let gas_limit = wanted.min(budget.gas);
        let (tx, nonce) = self.tx(request, &state, gas_limit)?;
        let account_nonce = nonce_of(&state, request)?;
        let begins_anew = request.to.is_some() && account_nonce == u64::MAX;
        self.check_nonce(nonce, account_nonce).map_err(|source| refused(index, gas_limit, source))?;
        let identity = identity(self.plan.at.block);
        let logs = TransferLogs::after(self.written, self.plan.transfers);
        let mut session = timed(Session::new(state, self.rules(request), self.env.clone(), monitor, logs));
        let ran = session.inspect(tx, identity);
        let Outcome { executed, result, state: mut changed, guard_updates } = ran.map_err(|error| match error {
            TxError::Invalid(source) => refused(index, gas_limit, source),
            other => SimulateError::from(other).into(),
        })?;
        let (told, written) = session.evm_mut().inspector_mut().take();
        let mut state = session.into_db();
        if let Some(sender) = changed.get_mut(&request.sender()).filter(|_| begins_anew) {
            // A nonce at its end begins anew where nonces are not compared: so the specification's examples have it.
            sender.info.nonce = 0;
        }
        state.commit(&changed)?;
        for update in &guard_updates {
            state.update_storage(REGISTRY, update)?;
        }
        let logs = if executed.succeeded() { told } else { Vec::new() };
        let gas_used_max = before_refunds(&result);
        let capped = gas_limit < wanted;
        Ok((RanCall { nonce, gas_limit, capped, executed, gas_used_max, logs }, written, state))
    }

    /// Of several rules that a call breaks, that of its nonce is told first, as geth does it; the EVM looks at prices first.
    const fn check_nonce(&self, tx: u64, state: u64) -> Result<(), InvalidTransaction> {
        match self.plan.validation {
            Validation::Off => Ok(()),
            Validation::On if tx < state => Err(InvalidTransaction::NonceTooLow { tx, state }),
            Validation::On if tx > state => Err(InvalidTransaction::NonceTooHigh { tx, state }),
            Validation::On if state == u64::MAX => Err(InvalidTransaction::NonceOverflowInTransaction),
            Validation::On => Ok(()),
        }
    }

    /// The call as the EVM takes it, and its nonce. Where nonces are not compared, the EVM is not shown one at its end, with
    /// which it takes none.
    fn tx(
        &self,
        request: &CallRequest,
        state: &Overlay<'_>,
        gas_limit: u64,
    ) -> Result<(TxEnv, u64), BlockSimulationError> {
        let point = Point { world: state, ..self.plan.at };
        let mut tx = request.tx_env(&point, gas_limit).map_err(SimulateError::from)?;
        let nonce = tx.nonce;
        if self.plan.validation == Validation::Off {
            tx.nonce = nonce.min(u64::MAX - 1);
        }
        Ok((tx, nonce))
    }

    /// Anyone may send, up to any gas limit; how strict prices and nonces are is asked for.
    fn rules(&self, request: &CallRequest) -> ChainRules {
        let mut rules = ChainRules::of(self.plan.at.params);
        let cfg = &mut rules.cfg;
        cfg.disable_nonce_check = self.plan.validation == Validation::Off;
        cfg.disable_base_fee = self.plan.validation == Validation::Off && request.is_free();
        cfg.disable_eip3607 = true;
        cfg.disable_block_gas_limit = true;
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        rules.precompiles = self.plan.overrides.precompiles.clone();
        rules
    }
}

fn refused(index: usize, gas_limit: u64, source: InvalidTransaction) -> BlockSimulationError {
    BlockSimulationError::Call { index, gas_limit, rule: BrokenRule::of(&source), source }
}

fn nonce_of(state: &Overlay<'_>, request: &CallRequest) -> Result<u64, ReadError> {
    Ok(state.account(&request.sender())?.unwrap_or_default().nonce)
}

fn before_refunds(result: &ExecutionResult) -> u64 {
    let gas = result.gas();
    gas.total_gas_spent().max(gas.floor_gas())
}

//! Debug traces: a block's transactions are run again up to the one that is asked for, which an inspector watches.

use alloy_primitives::B256;
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use parapet_executor::{BlockError, ChainRules, Identity, Outcome, Overlay, Session, block_env, tx_env};
use parapet_monitor::Monitor;
use parapet_types::{StateChanges, Transaction};
use revm::context::{BlockEnv, TxEnv, result::ResultAndState};
use revm_inspectors::tracing::{DebugInspector, TransactionContext};

use crate::{
    CallRequest, Point, SimulateError,
    bounded::{Bounded, Room, Weights},
    call::{identity, lenient, overlay},
    check_time,
    late::timed,
    past::{Again, before, identify, lay},
};

/// What the debug traces of one request may still hold, all together.
#[derive(Debug)]
pub struct TraceBudget {
    /// Steps that are told.
    steps: u64,
    room: Room,
}

impl TraceBudget {
    /// Of a request that may be told so many steps.
    #[must_use]
    pub const fn of(steps_max: u64) -> Self {
        Self { steps: steps_max, room: Room::of_bytes() }
    }

    fn spend_steps(&mut self, trace: &GethTrace) -> Result<(), SimulateError> {
        let GethTrace::Default(frame) = trace else { return Ok(()) };
        self.steps = self.steps.checked_sub(frame.struct_logs.len() as u64).ok_or(SimulateError::Steps)?;
        Ok(())
    }
}

/// Traces a transaction of a block, given the state before the block and the transactions before it.
///
/// # Errors
/// [`SimulateError`].
pub fn trace_transaction(
    point: &Point<'_>,
    preceding: &[Transaction],
    target: &Transaction,
    options: GethDebugTracingOptions,
    monitor: &dyn Monitor,
) -> Result<GethTrace, SimulateError> {
    let state = before(point, preceding, monitor)?;
    Ok(trace(Run::of(point, state, preceding.len(), target), options, &mut Room::of_bytes(), monitor)?.0)
}

/// Traces every transaction of a block, given the state before it. Each is watched on a copy of the state, and executed
/// once more for those behind it.
///
/// # Errors
/// [`SimulateError::Steps`] when the traces have more than `steps_max` steps together; [`SimulateError::TraceBytes`].
pub fn trace_block(
    point: &Point<'_>,
    transactions: &[Transaction],
    options: &GethDebugTracingOptions,
    steps_max: u64,
    monitor: &dyn Monitor,
) -> Result<Vec<GethTrace>, SimulateError> {
    let mut budget = TraceBudget::of(steps_max);
    each(point, transactions, monitor, |run| {
        let (traced, _) = trace(run, options.clone(), &mut budget.room, monitor)?;
        budget.spend_steps(&traced)?;
        Ok(traced)
    })
}

/// Traces a call.
///
/// # Errors
/// [`SimulateError`].
pub fn trace_call(
    point: &Point<'_>,
    request: &CallRequest,
    options: GethDebugTracingOptions,
    monitor: &dyn Monitor,
) -> Result<GethTrace, SimulateError> {
    Ok(trace(Run::of_call(point, request)?, options, &mut Room::of_bytes(), monitor)?.0)
}

/// Traces calls of one block, each on the state that those before it leave. Gives what they change all together, too.
///
/// # Errors
/// [`SimulateError`]; [`SimulateError::Steps`] and [`SimulateError::TraceBytes`] when the budget is used up.
pub fn trace_calls(
    point: &Point<'_>,
    requests: &[CallRequest],
    options: &GethDebugTracingOptions,
    budget: &mut TraceBudget,
    monitor: &dyn Monitor,
) -> Result<(Vec<GethTrace>, StateChanges), SimulateError> {
    let mut state = overlay(point);
    let mut traces = Vec::with_capacity(requests.len());
    for request in requests {
        let run = Run::of_next_call(point, &state, request)?;
        let (traced, outcome) = trace(run, options.clone(), &mut budget.room, monitor)?;
        budget.spend_steps(&traced)?;
        lay(&mut state, &outcome)?;
        traces.push(traced);
    }
    Ok((traces, state.changes().map_err(BlockError::from)?))
}

/// All that one traced execution depends on.
pub(crate) struct Run<'a> {
    pub(crate) state: Overlay<'a>,
    pub(crate) rules: ChainRules,
    pub(crate) env: BlockEnv,
    pub(crate) tx: TxEnv,
    pub(crate) identity: Identity,
    pub(crate) context: TransactionContext,
}

impl<'a> Run<'a> {
    /// A block's transaction on the state that it met.
    pub(crate) fn of(point: &Point<'_>, state: Overlay<'a>, index: usize, transaction: &Transaction) -> Self {
        Self {
            state,
            rules: ChainRules::of(point.params),
            env: block_env(point.params, point.block),
            tx: tx_env(transaction),
            identity: identify(point, transaction),
            context: TransactionContext { block_hash: None, tx_index: Some(index), tx_hash: Some(*transaction.hash()) },
        }
    }

    pub(crate) fn of_call(point: &Point<'a>, request: &CallRequest) -> Result<Self, SimulateError> {
        Self::of_next_call(point, &overlay(point), request)
    }

    /// A call on the state that those before it left.
    pub(crate) fn of_next_call(
        point: &Point<'_>,
        state: &Overlay<'a>,
        request: &CallRequest,
    ) -> Result<Self, SimulateError> {
        let here = Point { world: state, ..*point };
        Ok(Self {
            state: state.clone(),
            rules: lenient(point, request),
            env: request.block_env(point),
            tx: request.tx_env(&here, request.gas_limit(point.block))?,
            identity: identity(point.block),
            context: TransactionContext { block_hash: None, tx_index: None, tx_hash: Some(B256::ZERO) },
        })
    }
}

/// Watches each transaction of a block in its place.
pub(crate) fn each<'a, T>(
    point: &Point<'a>,
    transactions: &[Transaction],
    monitor: &'a dyn Monitor,
    mut watch: impl FnMut(Run<'a>) -> Result<T, SimulateError>,
) -> Result<Vec<T>, SimulateError> {
    let mut again = Again::begin(point, monitor)?;
    let mut watched = Vec::with_capacity(transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        watched.push(watch(Run::of(point, again.state(), index, transaction))?);
        again.step(point, index, transaction)?;
    }
    Ok(watched)
}

/// Watches an execution. Gives what it did, too.
fn trace(
    run: Run<'_>,
    options: GethDebugTracingOptions,
    room: &mut Room,
    monitor: &dyn Monitor,
) -> Result<(GethTrace, Outcome), SimulateError> {
    check_time()?;
    let tracer = |error: &dyn std::fmt::Display| SimulateError::Tracer(error.to_string());
    let inspector = DebugInspector::new(options).map_err(|error| tracer(&error))?;
    let weights = Weights::of(&inspector);
    let mut below = run.state.clone();
    let bounded = Bounded::new(inspector, weights, *room);
    let mut session = timed(Session::new(run.state, run.rules, run.env.clone(), monitor, bounded));
    let mut outcome = session.inspect(run.tx.clone(), run.identity)?;
    let result = ResultAndState { result: outcome.result.clone(), state: std::mem::take(&mut outcome.state) };
    let bounded = session.evm_mut().inspector_mut();
    *room = bounded.left()?;
    let traced = bounded.tracer.get_result(Some(run.context), &run.tx, &run.env, &result, &mut below);
    let traced = traced.map_err(|error| tracer(&error))?;
    outcome.state = result.state;
    Ok((traced, outcome))
}

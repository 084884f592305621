//! Debug traces: a block's transactions are run again up to the one that is asked for, which an inspector watches.

use alloy_primitives::B256;
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use parapet_executor::{ChainRules, Identity, Outcome, Overlay, Session, block_env, tx_env};
use parapet_monitor::Monitor;
use parapet_types::Transaction;
use revm::context::{BlockEnv, TxEnv, result::ResultAndState};
use revm_inspectors::tracing::{DebugInspector, TransactionContext};

use crate::{
    CallRequest, Point, SimulateError,
    call::{identity, lenient, overlay},
    past::{before, identify},
};

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
    let (rules, env) = (ChainRules::of(point.params), block_env(point.params, point.block));
    let state = before(point, preceding, monitor)?;
    let context =
        TransactionContext { block_hash: None, tx_index: Some(preceding.len()), tx_hash: Some(*target.hash()) };
    let run = Run { state, rules, env, tx: tx_env(target), identity: identify(point, target), context };
    trace(run, options, monitor)
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
    let run = Run {
        state: overlay(point),
        rules: lenient(point, request),
        env: block_env(point.params, point.block),
        tx: request.tx_env(point, request.gas_limit(point.block))?,
        identity: identity(point.block),
        context: TransactionContext { block_hash: None, tx_index: None, tx_hash: Some(B256::ZERO) },
    };
    trace(run, options, monitor)
}

/// All that one traced execution depends on.
struct Run<'a> {
    state: Overlay<'a>,
    rules: ChainRules,
    env: BlockEnv,
    tx: TxEnv,
    identity: Identity,
    context: TransactionContext,
}

fn trace(run: Run<'_>, options: GethDebugTracingOptions, monitor: &dyn Monitor) -> Result<GethTrace, SimulateError> {
    let tracer = |error: &dyn std::fmt::Display| SimulateError::Tracer(error.to_string());
    let inspector = DebugInspector::new(options).map_err(|error| tracer(&error))?;
    let mut below = run.state.clone();
    let mut session = Session::new(run.state, run.rules, run.env.clone(), monitor, inspector);
    let Outcome { result, state, .. } = session.inspect(run.tx.clone(), run.identity)?;
    let result = ResultAndState { result, state };
    session
        .evm_mut()
        .inspector_mut()
        .get_result(Some(run.context), &run.tx, &run.env, &result, &mut below)
        .map_err(|error| tracer(&error))
}

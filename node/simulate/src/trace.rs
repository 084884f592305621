//! Debug traces: a block's transactions are run again up to the one that is asked for, which an inspector watches.

use alloy_primitives::B256;
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use parapet_executor::{
    BlockError, ChainRules, Identity, Outcome, Overlay, Purpose, Session, begin_block, block_env, tx_env,
};
use parapet_monitor::Monitor;
use parapet_types::{REGISTRY, Transaction};
use revm::{
    context::{BlockEnv, TxEnv, result::ResultAndState},
    inspector::NoOpInspector,
};
use revm_inspectors::tracing::{DebugInspector, TransactionContext};

use crate::{
    CallRequest, Point, SimulateError,
    call::{identity, lenient, overlay},
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
    let identify = |transaction: &Transaction| Identity {
        tx_hash: *transaction.hash(),
        parent_hash: point.block.parent_hash,
        purpose: Purpose::Block,
    };
    let mut before = Session::new(overlay(point), rules.clone(), env.clone(), monitor, NoOpInspector {});
    begin_block(&mut before, point.params.hardfork, point.block)?;
    for (index, transaction) in preceding.iter().enumerate() {
        let outcome = before
            .execute(tx_env(transaction), identify(transaction))
            .map_err(|source| SimulateError::Preceding { index, source })?;
        let state = before.evm_mut().db_mut();
        state.commit(&outcome.state).map_err(BlockError::from)?;
        for update in &outcome.guard_updates {
            state.update_storage(REGISTRY, update).map_err(BlockError::from)?;
        }
    }
    let context =
        TransactionContext { block_hash: None, tx_index: Some(preceding.len()), tx_hash: Some(*target.hash()) };
    let run = Run { state: before.into_db(), rules, env, tx: tx_env(target), identity: identify(target), context };
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

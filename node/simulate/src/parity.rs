//! Traces in the form that OpenEthereum gave them: a flat list of calls, each with its place in the tree, and on request
//! what every step did and what changed.

use alloy_primitives::map::HashSet;
use alloy_rpc_types_trace::parity::{TraceResults, TraceType};
use parapet_executor::{Outcome, Point, Session};
use parapet_monitor::Monitor;
use parapet_types::Transaction;
use revm_inspectors::tracing::{TracingInspector, TracingInspectorConfig};

use crate::{
    CallRequest, SimulateError,
    past::before,
    trace::{Run, each},
};

/// What is wanted of a trace.
pub type TraceTypes = HashSet<TraceType>;

/// Replays a transaction of a block, given the state before the block and the transactions before it.
///
/// # Errors
/// [`SimulateError`].
pub fn replay_transaction(
    point: &Point<'_>,
    preceding: &[Transaction],
    target: &Transaction,
    types: &TraceTypes,
    monitor: &dyn Monitor,
) -> Result<TraceResults, SimulateError> {
    let state = before(point, preceding, monitor)?;
    replay(Run::of(point, state, preceding.len(), target), types, monitor)
}

/// Replays every transaction of a block, given the state before it.
///
/// # Errors
/// [`SimulateError`].
pub fn replay_block(
    point: &Point<'_>,
    transactions: &[Transaction],
    types: &TraceTypes,
    monitor: &dyn Monitor,
) -> Result<Vec<TraceResults>, SimulateError> {
    each(point, transactions, monitor, |run| replay(run, types, monitor))
}

/// Replays a call.
///
/// # Errors
/// [`SimulateError`].
pub fn replay_call(
    point: &Point<'_>,
    request: &CallRequest,
    types: &TraceTypes,
    monitor: &dyn Monitor,
) -> Result<TraceResults, SimulateError> {
    replay(Run::of_call(point, request)?, types, monitor)
}

fn replay(run: Run<'_>, types: &TraceTypes, monitor: &dyn Monitor) -> Result<TraceResults, SimulateError> {
    let inspector = TracingInspector::new(TracingInspectorConfig::from_parity_config(types));
    let below = run.state.clone();
    let mut session = Session::new(run.state, run.rules, run.env, monitor, inspector);
    let Outcome { result, state, .. } = session.inspect(run.tx, run.identity)?;
    let traces = std::mem::take(session.evm_mut().inspector_mut());
    traces
        .into_parity_builder()
        .into_trace_results_with_state_parts(&result, &state, types, below)
        .map_err(|error| SimulateError::Tracer(error.to_string()))
}

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
    bounded::{Bounded, Room, Weights},
    call::overlay,
    check_time,
    late::timed,
    past::{before, lay},
    trace::{Run, each},
};

/// What is wanted of a trace.
pub type TraceTypes = HashSet<TraceType>;

/// What bounds traces: steps of all that one request replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps(pub u64);

/// Replays a transaction of a block, given the state before the block and the transactions before it.
///
/// # Errors
/// [`SimulateError`].
pub fn replay_transaction(
    point: &Point<'_>,
    preceding: &[Transaction],
    target: &Transaction,
    types: &TraceTypes,
    steps_max: Steps,
    monitor: &dyn Monitor,
) -> Result<TraceResults, SimulateError> {
    let state = before(point, preceding, monitor)?;
    let run = Run::of(point, state, preceding.len(), target);
    Ok(replay(run, types, &mut Room::of(steps_max.0), monitor)?.0)
}

/// Replays every transaction of a block, given the state before it.
///
/// # Errors
/// [`SimulateError`].
pub fn replay_block(
    point: &Point<'_>,
    transactions: &[Transaction],
    types: &TraceTypes,
    steps_max: Steps,
    monitor: &dyn Monitor,
) -> Result<Vec<TraceResults>, SimulateError> {
    let mut room = Room::of(steps_max.0);
    each(point, transactions, monitor, |run| Ok(replay(run, types, &mut room, monitor)?.0))
}

/// Replays a call.
///
/// # Errors
/// [`SimulateError`].
pub fn replay_call(
    point: &Point<'_>,
    request: &CallRequest,
    types: &TraceTypes,
    steps_max: Steps,
    monitor: &dyn Monitor,
) -> Result<TraceResults, SimulateError> {
    Ok(replay(Run::of_call(point, request)?, types, &mut Room::of(steps_max.0), monitor)?.0)
}

/// Replays calls, each on the state that the ones before it leave.
///
/// # Errors
/// [`SimulateError`].
pub fn replay_calls(
    point: &Point<'_>,
    calls: &[(CallRequest, TraceTypes)],
    steps_max: Steps,
    monitor: &dyn Monitor,
) -> Result<Vec<TraceResults>, SimulateError> {
    let (mut state, mut room) = (overlay(point), Room::of(steps_max.0));
    let mut replayed = Vec::with_capacity(calls.len());
    for (request, types) in calls {
        let (traced, outcome) = replay(Run::of_next_call(point, &state, request)?, types, &mut room, monitor)?;
        lay(&mut state, &outcome)?;
        replayed.push(traced);
    }
    Ok(replayed)
}

fn replay(
    run: Run<'_>,
    types: &TraceTypes,
    room: &mut Room,
    monitor: &dyn Monitor,
) -> Result<(TraceResults, Outcome), SimulateError> {
    check_time()?;
    let tracer = TracingInspector::new(TracingInspectorConfig::from_parity_config(types));
    // Where no steps are wanted, they are not counted either.
    let (kept, counted) = if types.contains(&TraceType::VmTrace) { (room.steps, room.steps) } else { (0, u64::MAX) };
    let below = run.state.clone();
    let bounded = Bounded::new(tracer, Weights::of_steps(kept), Room { steps: counted, ..*room });
    let mut session = timed(Session::new(run.state, run.rules, run.env, monitor, bounded));
    let outcome = session.inspect(run.tx, run.identity)?;
    let bounded = session.evm_mut().inspector_mut();
    let left = bounded.left()?;
    *room = Room { steps: room.steps.min(left.steps), ..left };
    let traces = std::mem::take(&mut bounded.tracer);
    let results = traces
        .into_parity_builder()
        .into_trace_results_with_state_parts(&outcome.result, &outcome.state, types, below)
        .map_err(|error| SimulateError::Tracer(error.to_string()))?;
    Ok((results, outcome))
}

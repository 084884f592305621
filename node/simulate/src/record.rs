//! Recordings: a transaction of a block, with all that a test of a guard needs to judge it, and to execute it again.
//!
//! Invariant: it is recorded as it runs while nobody objects, with everything recorded that any guard could ask for. The
//! state before it is the chain's, guards included.

use parapet_abi::ContextRecord;
use parapet_executor::{ChainRules, Outcome, Overlay, Point, Session, block_env, tx_env};
use parapet_monitor::{
    Allowance, Decision, Examination, Fault, Judgement, Judging, Monitor, StateView, Subscriptions, Trace,
};
use parapet_recording::{Environment, Observer, RECORDING_VERSION, Recording, RecordingError, Subject, Traced};
use parapet_types::{Executed, StateReader, Transaction};
use parking_lot::Mutex;
use revm::inspector::NoOpInspector;

use crate::{
    SimulateError,
    late::timed,
    past::{before, identify},
};

/// Why there is no recording, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It cannot be executed.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// It is too large, or damaged.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// Records a transaction of a block, given the state before the block and the transactions before it. What the monitors
/// beside it look at as they judge it is recorded, too; they neither act nor see each other.
///
/// # Errors
/// [`RecordError`].
pub fn record(
    point: &Point<'_>,
    preceding: &[Transaction],
    target: &Transaction,
    monitor: &dyn Monitor,
    beside: &[&dyn Monitor],
) -> Result<Recording, RecordError> {
    let state = before(point, preceding, monitor)?;
    let observer = Observer::new(&state);
    let tracing = Tracing::default();
    let executed = run(&Point { world: &observer, ..*point }, target, &tracing)?;
    for other in beside {
        run(&Point { world: &observer, ..*point }, target, *other)?;
    }
    let trace = tracing.0.into_inner();
    let recording = Recording {
        recording: RECORDING_VERSION,
        chain: *point.params,
        block: Environment::from(point.block),
        ancestors: point.ancestors.clone(),
        transaction: Subject::from(target),
        destiny: executed.destiny,
        gas_used: executed.gas_used,
        prestate: observer.finish()?,
        trace: Traced::from(&trace),
    };
    Ok(recording)
}

/// Executes a recorded transaction once more, judged by a monitor. It is as if the monitor's guards, and no others, were on
/// the chain; static calls and forks work, as far as what they look at was recorded.
///
/// # Errors
/// [`RecordError`]; where something is looked at that was not recorded, its words say what, and what to do.
pub fn execute_recorded(recording: &Recording, monitor: &dyn Monitor) -> Result<Executed, RecordError> {
    let (transaction, block) = (recording.transaction()?, recording.block_context());
    let point = Point {
        params: &recording.chain,
        world: &recording.prestate as &dyn StateReader,
        ancestors: &recording.ancestors,
        block: &block,
    };
    Ok(run(&point, &transaction, monitor)?)
}

/// Runs a transaction on a state, and keeps nothing of it.
fn run(point: &Point<'_>, transaction: &Transaction, monitor: &dyn Monitor) -> Result<Executed, SimulateError> {
    let (rules, env) = (ChainRules::of(point.params), block_env(point.params, point.block));
    let overlay = Overlay::new(point.world, point.ancestors);
    let mut session = timed(Session::new(overlay, rules, env, monitor, NoOpInspector {}));
    let Outcome { executed, .. } = session.execute(tx_env(transaction), identify(point, transaction))?;
    Ok(executed)
}

/// Has everything recorded, objects to nothing, and keeps the trace.
#[derive(Debug, Default)]
struct Tracing(Mutex<Trace>);

impl Monitor for Tracing {
    fn open(&self, _: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok(Some(Box::new(Everything(&self.0))))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

struct Everything<'a>(&'a Mutex<Trace>);

impl Judging for Everything<'_> {
    fn subscriptions(&self) -> Subscriptions {
        let recorded = [Subscriptions::ACCESSES, Subscriptions::FLOWS, Subscriptions::PREIMAGES, Subscriptions::FEES];
        recorded.into_iter().fold(Subscriptions::NONE, Subscriptions::union)
    }

    fn on_call(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_tx(&mut self, trace: &Trace, _: &mut dyn StateView) -> Result<Decision, Fault> {
        *self.0.lock() = trace.clone();
        Ok(Decision::Proceed)
    }

    fn close(self: Box<Self>) -> Judgement {
        Judgement::default()
    }
}

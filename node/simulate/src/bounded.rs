//! Tracers that record no more than they may: whoever asks is told, and the trace is not shortened in silence.
//!
//! Invariant: what is traced runs on to its end whatever is recorded, since gas bounds that; steps and bytes bound memory.

use alloy_primitives::{Address, Log, U256};
use revm::{
    Inspector,
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter},
};
use revm_inspectors::tracing::{DebugInspector, TraceLimits, TracingInspector};

use crate::SimulateError;

/// Most bytes of memory, inputs and outputs that a trace may hold.
const TRACE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A tracer that is shown so many steps and no more.
#[derive(Debug)]
pub(crate) struct Bounded {
    pub(crate) tracer: TracingInspector,
    steps_left: u64,
    /// Whether the step at hand was shown, so that its end must be.
    is_shown: bool,
    exceeded: bool,
}

impl Bounded {
    pub(crate) fn new(tracer: TracingInspector, steps_max: u64) -> Self {
        let tracer = tracer.with_limits(limits());
        Self { tracer, steps_left: steps_max, is_shown: false, exceeded: false }
    }

    /// How many more it could be shown.
    pub(crate) const fn steps_left(&self) -> u64 {
        self.steps_left
    }

    /// Whether there was more than it recorded.
    pub(crate) fn check(&self) -> Result<(), SimulateError> {
        match (self.exceeded, self.tracer.limit_exceeded()) {
            (true, _) => Err(SimulateError::Steps),
            (false, true) => Err(SimulateError::TraceBytes(TRACE_BYTES_MAX)),
            (false, false) => Ok(()),
        }
    }
}

fn limits() -> TraceLimits {
    TraceLimits::default().set_max_recorded_bytes(Some(TRACE_BYTES_MAX))
}

/// A debug tracer with a bound on its bytes; its steps are bounded by its options.
pub(crate) fn bounded(tracer: DebugInspector) -> DebugInspector {
    match tracer {
        DebugInspector::Default(tracer, options) => DebugInspector::Default(tracer.with_limits(limits()), options),
        DebugInspector::CallTracer(tracer, options) => {
            DebugInspector::CallTracer(tracer.with_limits(limits()), options)
        }
        DebugInspector::FlatCallTracer(tracer) => DebugInspector::FlatCallTracer(tracer.with_limits(limits())),
        other => other,
    }
}

/// Whether a debug tracer has recorded all there was.
pub(crate) fn check(tracer: &DebugInspector) -> Result<(), SimulateError> {
    match tracer {
        DebugInspector::Default(tracer, _)
        | DebugInspector::CallTracer(tracer, _)
        | DebugInspector::FlatCallTracer(tracer)
            if tracer.limit_exceeded() =>
        {
            Err(SimulateError::TraceBytes(TRACE_BYTES_MAX))
        }
        _ => Ok(()),
    }
}

impl<CTX> Inspector<CTX> for Bounded
where
    TracingInspector: Inspector<CTX>,
{
    fn initialize_interp(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        self.tracer.initialize_interp(interpreter, context);
    }

    fn step(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        self.is_shown = self.steps_left > 0;
        self.exceeded |= !self.is_shown;
        if self.is_shown {
            self.steps_left -= 1;
            self.tracer.step(interpreter, context);
        }
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        if self.is_shown {
            self.tracer.step_end(interpreter, context);
        }
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        self.tracer.log(context, log);
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.tracer.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.tracer.call_end(context, inputs, outcome);
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.tracer.create(context, inputs)
    }

    fn create_end(&mut self, context: &mut CTX, inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        self.tracer.create_end(context, inputs, outcome);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, wei: U256) {
        self.tracer.selfdestruct(contract, target, wei);
    }
}

//! Tracers that record no more than they may: whoever asks is told, and the trace is not shortened in silence.
//!
//! What a tracer is shown is weighed before it sees it: steps with the stack that they copy, frames, inputs and outputs. Copies of
//! memory are counted by the tracers themselves.
//!
//! Invariant: what is traced runs on to its end whatever is recorded, since gas bounds that; steps and bytes bound memory, for all
//! that one request traces together.

use alloy_primitives::{Address, Log, U256};
use revm::{
    Inspector,
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter},
};
use revm_inspectors::tracing::{DebugInspector, TraceLimits, TracingInspector};

use crate::SimulateError;

/// Most bytes that the traces of one request may hold: memory, stacks, inputs, outputs and what is told of each step and frame.
const TRACE_BYTES_MAX: usize = 384 * 1024 * 1024;
/// Bytes of a step, its stack apart.
const STEP_BYTES: usize = 192;
/// Bytes of a word of the stack.
const WORD_BYTES: usize = 32;
/// Bytes of a frame, its input and output apart.
const FRAME_BYTES: usize = 512;

/// What the traces of one request may still hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Steps, where they are counted for the whole request.
    pub(crate) steps: u64,
    pub(crate) bytes: usize,
}

impl Room {
    /// Of a request that may trace so many steps.
    pub(crate) const fn of(steps: u64) -> Self {
        Self { steps, bytes: TRACE_BYTES_MAX }
    }

    /// Of a request whose steps others count.
    pub(crate) const fn of_bytes() -> Self {
        Self::of(u64::MAX)
    }
}

/// What a tracer keeps, in bytes, beside what it counts itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weights {
    /// Steps of which it keeps something.
    steps_left: u64,
    /// Of a word on the stack, with each step.
    word: usize,
    /// Of a byte of input.
    input_byte: usize,
}

/// A tracer that is shown so much and no more.
#[derive(Debug)]
pub(crate) struct Bounded<T> {
    pub(crate) tracer: T,
    weights: Weights,
    room: Room,
    /// Whether the step at hand was shown, so that its end must be.
    is_shown: bool,
    exceeded: Option<Exceeded>,
}

/// Of what there was more than may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exceeded {
    Steps,
    Bytes,
}

/// A tracer that counts the bytes of memory that it copies.
pub(crate) trait Counting {
    /// Counts no further than this.
    fn limited(self, bytes_max: usize) -> Self;
    /// How many it has copied; `None` where there were more than it may.
    fn copied(&self) -> Option<usize>;
}

impl Counting for TracingInspector {
    fn limited(self, bytes_max: usize) -> Self {
        self.with_limits(TraceLimits::default().set_max_recorded_bytes(Some(bytes_max)))
    }

    fn copied(&self) -> Option<usize> {
        (!self.limit_exceeded()).then(|| self.recorded_bytes())
    }
}

impl Counting for DebugInspector {
    fn limited(self, bytes_max: usize) -> Self {
        match self {
            Self::Default(tracer, options) => Self::Default(tracer.limited(bytes_max), options),
            Self::CallTracer(tracer, options) => Self::CallTracer(tracer.limited(bytes_max), options),
            Self::PreStateTracer(tracer, options) => Self::PreStateTracer(tracer.limited(bytes_max), options),
            Self::FlatCallTracer(tracer) => Self::FlatCallTracer(tracer.limited(bytes_max)),
            Self::Erc7562Tracer(tracer, options) => Self::Erc7562Tracer(tracer.limited(bytes_max), options),
            // The first keeps no bytes, the last is not asked for any: its inputs are weighed.
            other @ (Self::FourByte(_) | Self::Noop(_) | Self::StateGasTracer(_) | Self::Mux(..)) => other,
        }
    }

    fn copied(&self) -> Option<usize> {
        match self {
            Self::Default(tracer, _)
            | Self::CallTracer(tracer, _)
            | Self::PreStateTracer(tracer, _)
            | Self::FlatCallTracer(tracer)
            | Self::Erc7562Tracer(tracer, _) => tracer.copied(),
            Self::FourByte(_) | Self::Noop(_) | Self::StateGasTracer(_) | Self::Mux(..) => Some(0),
        }
    }
}

impl Weights {
    /// Of a debug tracer.
    pub(crate) fn of(tracer: &DebugInspector) -> Self {
        match tracer {
            DebugInspector::Default(_, options) => Self {
                steps_left: options.limit.filter(|limit| *limit > 0).unwrap_or(u64::MAX),
                word: if options.disable_stack.unwrap_or_default() { 0 } else { WORD_BYTES },
                ..Self::default()
            },
            DebugInspector::Erc7562Tracer(..) => Self { steps_left: u64::MAX, word: WORD_BYTES, ..Self::default() },
            DebugInspector::Mux(..) => Self { input_byte: 1, ..Self::default() },
            _ => Self::default(),
        }
    }

    /// Of a tracer that keeps so many steps and of each what it changed.
    pub(crate) fn of_steps(steps: u64) -> Self {
        Self { steps_left: steps, ..Self::default() }
    }
}

impl<T: Counting> Bounded<T> {
    pub(crate) fn new(tracer: T, weights: Weights, room: Room) -> Self {
        Self { tracer: tracer.limited(room.bytes), weights, room, is_shown: false, exceeded: None }
    }

    /// What is left for whoever comes next.
    ///
    /// # Errors
    /// [`SimulateError::Steps`] and [`SimulateError::TraceBytes`] where there was more than it recorded.
    pub(crate) fn left(&self) -> Result<Room, SimulateError> {
        if self.exceeded == Some(Exceeded::Steps) {
            return Err(SimulateError::Steps);
        }
        let copied = self.tracer.copied().filter(|_| !self.is_full());
        let bytes = copied.and_then(|copied| self.room.bytes.checked_sub(copied));
        bytes.map(|bytes| Room { bytes, ..self.room }).ok_or(SimulateError::TraceBytes(TRACE_BYTES_MAX))
    }
}

impl<T> Bounded<T> {
    /// Whether nothing more is shown to it.
    fn is_full(&self) -> bool {
        self.exceeded == Some(Exceeded::Bytes)
    }

    /// Whether there is room for so many bytes, which are taken then.
    fn has_room(&mut self, bytes: usize) -> bool {
        if self.is_full() {
            return false;
        }
        match self.room.bytes.checked_sub(bytes) {
            Some(left) => self.room.bytes = left,
            None => self.exceeded = Some(Exceeded::Bytes),
        }
        !self.is_full()
    }

    fn shows_step(&mut self, interpreter: &Interpreter) -> bool {
        let Some(left) = self.room.steps.checked_sub(1) else {
            self.exceeded.get_or_insert(Exceeded::Steps);
            return false;
        };
        self.room.steps = left;
        match self.weights.steps_left.checked_sub(1) {
            Some(left) => {
                self.weights.steps_left = left;
                self.has_room(STEP_BYTES + self.weights.word * interpreter.stack.len())
            }
            None => !self.is_full(),
        }
    }
}

impl<CTX, T: Inspector<CTX>> Inspector<CTX> for Bounded<T> {
    fn initialize_interp(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        if !self.is_full() {
            self.tracer.initialize_interp(interpreter, context);
        }
    }

    fn step(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        self.is_shown = self.shows_step(interpreter);
        if self.is_shown {
            self.tracer.step(interpreter, context);
        }
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        if self.is_shown && !self.is_full() {
            self.tracer.step_end(interpreter, context);
        }
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        if !self.is_full() {
            self.tracer.log(context, log);
        }
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let bytes = FRAME_BYTES + self.weights.input_byte * inputs.input.len();
        if self.has_room(bytes) { self.tracer.call(context, inputs) } else { None }
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        if self.has_room(outcome.result.output.len()) {
            self.tracer.call_end(context, inputs, outcome);
        }
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let bytes = FRAME_BYTES + self.weights.input_byte * inputs.init_code().len();
        if self.has_room(bytes) { self.tracer.create(context, inputs) } else { None }
    }

    fn create_end(&mut self, context: &mut CTX, inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        if self.has_room(outcome.result.output.len()) {
            self.tracer.create_end(context, inputs, outcome);
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, wei: U256) {
        if !self.is_full() {
            self.tracer.selfdestruct(contract, target, wei);
        }
    }
}

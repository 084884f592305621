//! One attachment judging one transaction: an instance with its memory, its fuel, its alerts and what it writes.
//!
//! Invariant: a session that did not end in [`HookEnd::Returned`] never runs again and has nothing to write.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use parapet_abi::{AccountRecord, Kind};
use parapet_monitor::{AttachmentId, Fault, Fuel, Hook, Recorded, StateUpdate, StateView, Subscriptions, Trace};
use wasmtime::Trap;

use crate::{Alert, Guard, Limit, Meter, host::Stop, instance::Instance, lend::Loan, metering};

/// The attachment that a session speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub attachment: AttachmentId,
    /// Whom it guards.
    pub accounts: Vec<AccountRecord>,
    /// Its configuration.
    pub configuration: Bytes,
    /// What its guard declared to read.
    pub subscriptions: Subscriptions,
    /// Fuel for all hooks of one transaction.
    pub fuel_max: Fuel,
    /// Account in whose storage guard state lies.
    pub store_account: Address,
}

impl Subject {
    /// The records of a kind that its guard may read: what another guard subscribed to is not there for this one.
    #[must_use]
    pub fn recorded<'a>(&'a self, trace: &'a Trace, kind: Kind) -> Option<Recorded<'a>> {
        use zerocopy::IntoBytes as _;
        let needed = match kind {
            Kind::Access => Subscriptions::ACCESSES,
            Kind::Flow if !self.subscriptions.contains(Subscriptions::FEES) => {
                let shown = self.subscriptions.contains(Subscriptions::FLOWS);
                let bytes = trace.flows_but_fees().as_bytes();
                return shown.then_some(Recorded { bytes, record_bytes: kind.record_bytes() });
            }
            Kind::Flow | Kind::Log => Subscriptions::FLOWS,
            Kind::Preimage => Subscriptions::PREIMAGES,
            Kind::Account => {
                return Some(Recorded { bytes: self.accounts.as_bytes(), record_bytes: kind.record_bytes() });
            }
            Kind::Context
            | Kind::Frame
            | Kind::CodeChange
            | Kind::SlotChange
            | Kind::Authorization
            | Kind::Delegate => Subscriptions::NONE,
        };
        self.subscriptions.contains(needed).then(|| trace.recorded(kind))
    }
}

/// A hook and what it is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookCall {
    /// The configuration is to be judged.
    Init,
    /// A frame is about to start.
    OnCall(u32),
    /// A frame has ended.
    OnCallEnd(u32),
    /// The transaction has executed.
    OnTx,
}

impl HookCall {
    /// Which hook.
    #[must_use]
    pub const fn hook(self) -> Hook {
        match self {
            Self::Init => Hook::Init,
            Self::OnCall(_) => Hook::OnCall,
            Self::OnCallEnd(_) => Hook::OnCallEnd,
            Self::OnTx => Hook::OnTx,
        }
    }

    /// For which frame.
    #[must_use]
    pub const fn frame(self) -> Option<u32> {
        match self {
            Self::OnCall(frame) | Self::OnCallEnd(frame) => Some(frame),
            Self::Init | Self::OnTx => None,
        }
    }
}

/// How a hook ended. Everything but [`HookEnd::Returned`] ends the session too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookEnd {
    /// Nothing to object to.
    Returned,
    /// The guard objects.
    Vetoed {
        /// Its code, below the engine's.
        code: u16,
        /// Its words.
        detail: Bytes,
    },
    /// The guard broke.
    Trapped {
        /// How.
        reason: String,
    },
    /// It used up its fuel.
    OutOfFuel,
    /// It asked for more than the interface gives.
    LimitExceeded(Limit),
    /// The compiler cannot make it run.
    Unusable {
        /// Why.
        reason: String,
    },
}

/// One attachment judging one transaction. It gets its instance when the first hook is called.
pub struct Session {
    guard: Arc<Guard>,
    subject: Arc<Subject>,
    /// Out of here while a hook runs, so that one that is left by a panic is never used again.
    instance: Option<Box<Instance>>,
    meter: Meter,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It may be asked.
    Open,
    /// It has said all that it will.
    Ended,
    /// The engine failed in the middle of a hook: what it would say now is not what it would have said.
    Failed,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("attachment", &self.subject.attachment).finish_non_exhaustive()
    }
}

impl Session {
    /// A session that has not begun.
    #[must_use]
    pub fn new(guard: Arc<Guard>, subject: Arc<Subject>) -> Self {
        let meter = Meter::new(subject.fuel_max);
        Self { guard, subject, instance: None, meter, state: State::Open }
    }

    /// Calls a hook. One that the guard does not export, or of a session that has ended, returns at once.
    ///
    /// # Errors
    /// [`Fault`]: the engine failed, or state could not be read; no verdict was reached.
    pub fn call(&mut self, call: HookCall, trace: &Trace, view: &mut dyn StateView) -> Result<HookEnd, Fault> {
        match self.state {
            State::Open => {}
            State::Ended => return Ok(HookEnd::Returned),
            State::Failed => {
                let reason = "it failed before in this transaction".to_owned();
                return Err(Fault::Engine { attachment: self.subject.attachment, reason });
            }
        }
        if !self.guard.has(call.hook()) {
            return Ok(HookEnd::Returned);
        }
        // What a panic leaves behind is as good as a fault.
        self.state = State::Failed;
        let (state, end) = match self.run(call, Loan { trace, view }) {
            Ok(()) => (State::Open, Ok(HookEnd::Returned)),
            Err(Broken::Guard(end)) => (State::Ended, Ok(end)),
            Err(Broken::Spent(end)) => {
                self.meter.set_left(0);
                (State::Ended, Ok(end))
            }
            Err(Broken::Unmade(fault)) => (State::Open, Err(fault)),
            Err(Broken::Engine(fault)) => (State::Failed, Err(fault)),
        };
        self.state = state;
        end
    }

    /// Bounds what the following hooks may spend, besides the attachment's own limit.
    pub fn grant(&mut self, fuel: Fuel) {
        self.meter.grant(fuel);
    }

    /// Whether it would have had more fuel, had more been granted.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.meter.is_short()
    }

    /// Fuel spent so far.
    #[must_use]
    pub const fn spent(&self) -> Fuel {
        self.meter.spent()
    }

    /// Alerts raised since the last time they were taken.
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        self.instance.as_mut().map(|instance| std::mem::take(&mut instance.host().alerts)).unwrap_or_default()
    }

    /// What the guard did to its own state: nothing, if it did not end well.
    #[must_use]
    pub fn into_updates(mut self) -> Vec<StateUpdate> {
        match &mut self.instance {
            Some(instance) if self.state == State::Open => std::mem::take(&mut instance.host().store).into_updates(),
            _ => Vec::new(),
        }
    }

    fn run(&mut self, call: HookCall, loan: Loan<'_>) -> Result<(), Broken> {
        let attachment = self.subject.attachment;
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.instantiate()?,
        };
        let host = instance.host();
        (host.hook, host.frame) = (call.hook(), call.frame());
        (host.fork_seen, host.view_output) = (None, Bytes::new());
        let (ended, fuel_left) = instance.call(call, loan, self.meter.left());
        let ended = ended.map_err(|error| broken(attachment, error));
        let (pages, reuse) = self.guard.memory();
        let grown = std::mem::take(&mut instance.host().memory_cap.grown);
        let growing = metering::growing(grown, pages, reuse);
        let ended = match (fuel_left.checked_sub(growing), ended) {
            (_, Err(Broken::Engine(fault))) => Err(Broken::Engine(fault)),
            (Some(left), ended) => {
                self.meter.set_left(left);
                ended
            }
            (None, _) => Err(Broken::Spent(HookEnd::OutOfFuel)),
        };
        if !matches!(ended, Err(Broken::Engine(_))) {
            self.instance = Some(instance);
        }
        ended
    }

    fn instantiate(&mut self) -> Result<Box<Instance>, Broken> {
        let compiled = self.guard.compiled().map_err(|reason| {
            let reason = reason.to_owned();
            Broken::Guard(HookEnd::Unusable { reason })
        })?;
        let (pages, reuse) = self.guard.memory();
        let left = self.meter.left().checked_sub(metering::making(pages, reuse));
        let left = left.ok_or(Broken::Spent(HookEnd::OutOfFuel))?;
        let (instance, left) = compiled.instance(&self.subject, left);
        let instance = instance.map_err(|error| broken(self.subject.attachment, error));
        if let Err(Broken::Engine(fault)) = instance {
            return Err(Broken::Unmade(fault));
        }
        self.meter.set_left(left);
        instance
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let (Some(instance), Ok(compiled)) = (self.instance.take(), self.guard.compiled()) {
            compiled.give_back(instance);
        }
    }
}

/// Whose doing it is that a hook did not return.
enum Broken {
    Guard(HookEnd),
    /// It used up all that it had.
    Spent(HookEnd),
    /// No instance could be made; when there is room again, the same session can be asked.
    Unmade(Fault),
    Engine(Fault),
}

/// The only place that tells a guard's doing from the engine's.
fn broken(attachment: AttachmentId, error: wasmtime::Error) -> Broken {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Broken::Spent(HookEnd::OutOfFuel),
        // How many calls fit the stack is the compiler's business; what they cost must not be.
        Some(trap @ Trap::StackOverflow) => return Broken::Spent(HookEnd::Trapped { reason: trap.to_string() }),
        Some(trap) => return Broken::Guard(HookEnd::Trapped { reason: trap.to_string() }),
        None => {}
    }
    match error.downcast::<Stop>() {
        Ok(Stop::Veto { code, detail }) => Broken::Guard(HookEnd::Vetoed { code, detail }),
        Ok(Stop::Limit(limit)) => Broken::Guard(HookEnd::LimitExceeded(limit)),
        Ok(Stop::OutOfFuel) => Broken::Spent(HookEnd::OutOfFuel),
        Ok(Stop::Trap(reason)) => Broken::Guard(HookEnd::Trapped { reason: reason.to_owned() }),
        Ok(Stop::State(fault)) => Broken::Engine(Fault::State(fault)),
        Ok(Stop::Incoherent) => Broken::Engine(Fault::Unsettled),
        Err(error) => Broken::Engine(Fault::Engine { attachment, reason: format!("{error:#}") }),
    }
}

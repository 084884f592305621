//! One attachment judging one transaction: an instance with its memory, its fuel, its alerts and what it writes.
//!
//! Invariant: a session that did not end in [`HookEnd::Returned`] never runs again and has nothing to write.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use parapet_abi::{
    AccountRecord,
    import::{EXPORT_INIT, EXPORT_ON_CALL, EXPORT_ON_CALL_END, EXPORT_ON_TX},
};
use parapet_monitor::{AttachmentId, Fault, Fuel, Hook, StateView, StateWrite, Subscriptions, Trace};
use wasmtime::{Instance, Store, Trap};

use crate::{
    Alert, Guard, Limit,
    host::{Host, Stop},
    lend::{Loan, lend},
    metering,
};

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

    const fn export(self) -> &'static str {
        match self {
            Self::Init => EXPORT_INIT,
            Self::OnCall(_) => EXPORT_ON_CALL,
            Self::OnCallEnd(_) => EXPORT_ON_CALL_END,
            Self::OnTx => EXPORT_ON_TX,
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

/// One attachment judging one transaction. The instance is made when the first hook is called.
pub struct Session {
    guard: Arc<Guard>,
    subject: Arc<Subject>,
    live: Option<Live>,
    /// What it may spend now.
    fuel_left: u64,
    /// What it would have beyond that, if more were granted.
    fuel_withheld: u64,
    ended: bool,
}

struct Live {
    store: Store<Host>,
    instance: Instance,
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
        let fuel_left = subject.fuel_max.0;
        Self { guard, subject, live: None, fuel_left, fuel_withheld: 0, ended: false }
    }

    /// Calls a hook. One that the guard does not export, or of a session that has ended, returns at once.
    ///
    /// # Errors
    /// [`Fault`]: the engine failed, or state could not be read; no verdict was reached.
    pub fn call(&mut self, call: HookCall, trace: &Trace, view: &mut dyn StateView) -> Result<HookEnd, Fault> {
        if self.ended || !self.guard.has(call.hook()) {
            return Ok(HookEnd::Returned);
        }
        let end = self.run(call, Loan { trace, view })?;
        self.ended = end != HookEnd::Returned;
        Ok(end)
    }

    /// Bounds what the following hooks may spend, besides the attachment's own limit.
    pub fn grant(&mut self, fuel: Fuel) {
        let own = self.fuel_left + self.fuel_withheld;
        self.fuel_left = own.min(fuel.0);
        self.fuel_withheld = own - self.fuel_left;
    }

    /// Whether it would have had more fuel, had more been granted.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.fuel_withheld > 0
    }

    /// Fuel spent so far.
    #[must_use]
    pub fn spent(&self) -> Fuel {
        Fuel(self.subject.fuel_max.0 - self.fuel_left - self.fuel_withheld)
    }

    /// Alerts raised since the last time they were taken.
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        self.live.as_mut().map(|live| std::mem::take(&mut live.store.data_mut().alerts)).unwrap_or_default()
    }

    /// What the guard wrote to its own state: nothing, if it did not end well.
    #[must_use]
    pub fn into_writes(mut self) -> Vec<StateWrite> {
        match self.live.take() {
            Some(live) if !self.ended => live.store.into_data().overlay.into_writes(),
            _ => Vec::new(),
        }
    }

    fn run(&mut self, call: HookCall, loan: Loan<'_>) -> Result<HookEnd, Fault> {
        if self.live.is_none() {
            match self.instantiate() {
                Ok(live) => self.live = Some(live),
                Err(broken) => return self.broke(broken),
            }
        }
        let attachment = self.subject.attachment;
        let live = self.live.as_mut().expect("made above");
        let host = live.store.data_mut();
        (host.hook, host.frame) = (call.hook(), call.frame());
        live.store.set_fuel(self.fuel_left).expect("the engine meters");
        let instance = live.instance;
        let ended = lend(&mut live.store, loan, |store| match call.frame() {
            Some(frame) => instance.get_typed_func::<u32, ()>(&mut *store, call.export())?.call(store, frame),
            None => instance.get_typed_func::<(), ()>(&mut *store, call.export())?.call(store, ()),
        });
        self.fuel_left = live.store.get_fuel().expect("the engine meters").min(self.fuel_left);
        match ended.map_err(|error| broken(attachment, error)) {
            Ok(()) => Ok(HookEnd::Returned),
            Err(broken) => self.broke(broken),
        }
    }

    fn broke(&mut self, broken: Broken) -> Result<HookEnd, Fault> {
        match broken {
            Broken::Guard(end) => {
                if end == HookEnd::OutOfFuel {
                    self.fuel_left = 0;
                }
                Ok(end)
            }
            Broken::Engine(fault) => Err(fault),
        }
    }

    fn instantiate(&mut self) -> Result<Live, Broken> {
        let attachment = self.subject.attachment;
        let pre = self.guard.instance().map_err(|reason| {
            let reason = reason.to_owned();
            Broken::Guard(HookEnd::Unusable { reason })
        })?;
        let left = self.fuel_left.checked_sub(metering::INSTANCE);
        self.fuel_left = left.ok_or(Broken::Guard(HookEnd::OutOfFuel))?;
        let mut store = Store::try_new(pre.module().engine(), Host::new(self.subject.clone()))
            .map_err(|error| broken(attachment, error))?;
        store.limiter(|host| &mut host.memory_cap);
        // Data segments that lie in memory are part of its image and free; what else initialises is metered.
        store.set_fuel(self.fuel_left).expect("the engine meters");
        let instance = pre.instantiate(&mut store);
        self.fuel_left = store.get_fuel().expect("the engine meters").min(self.fuel_left);
        let instance = instance.map_err(|error| broken(attachment, error))?;
        let memory = instance.get_memory(&mut store, parapet_abi::import::EXPORT_MEMORY);
        store.data_mut().memory = memory;
        Ok(Live { store, instance })
    }
}

/// Whose doing it is that a hook did not return.
enum Broken {
    Guard(HookEnd),
    Engine(Fault),
}

/// The only place that tells a guard's doing from the engine's.
fn broken(attachment: AttachmentId, error: wasmtime::Error) -> Broken {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Broken::Guard(HookEnd::OutOfFuel),
        Some(trap) => return Broken::Guard(HookEnd::Trapped { reason: trap.to_string() }),
        None => {}
    }
    match error.downcast::<Stop>() {
        Ok(Stop::Veto { code, detail }) => Broken::Guard(HookEnd::Vetoed { code, detail }),
        Ok(Stop::Limit(limit)) => Broken::Guard(HookEnd::LimitExceeded(limit)),
        Ok(Stop::OutOfFuel) => Broken::Guard(HookEnd::OutOfFuel),
        Ok(Stop::Trap(reason)) => Broken::Guard(HookEnd::Trapped { reason: reason.to_owned() }),
        Ok(Stop::State(fault)) => Broken::Engine(Fault::State(fault)),
        Err(error) => Broken::Engine(Fault::Engine { attachment, reason: format!("{error:#}") }),
    }
}

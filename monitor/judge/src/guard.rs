//! The two forms that a guard comes in: a native module on wasmtime, a CosmWasm contract on cosmwasm-vm. Which one a
//! module is its exports tell; attachments, verdicts and fuel are the same for both.

use std::sync::Arc;

use alloy_primitives::Bytes;
use parapet_cosmwasm::{Contract, is_contract};
use parapet_monitor::{Descriptor, Fault, Fuel, Hook, ModuleHash, StateUpdate, StateView, Subscriptions, Trace};
use parapet_vm::{Alert, HookCall, Subject};

/// What runs guards.
#[derive(Clone, Debug)]
pub(crate) struct Engines {
    native: parapet_vm::Engine,
    contracts: parapet_cosmwasm::Engine,
}

impl Engines {
    pub(crate) fn new(native: parapet_vm::Engine) -> Self {
        Self { native, contracts: parapet_cosmwasm::Engine::new() }
    }

    /// A guard that was loaded before and is still ready.
    pub(crate) fn ready(&self, hash: ModuleHash) -> Option<Guard> {
        let native = self.native.ready(hash).map(Guard::Native);
        native.or_else(|| self.contracts.ready(hash).map(Guard::Contract))
    }

    /// Vets a module and keeps it ready, or says why it cannot be a guard. `hash` must be that of `bytes`.
    pub(crate) fn load(&self, hash: ModuleHash, bytes: Bytes) -> Result<Guard, String> {
        if is_contract(&bytes) {
            return self.contracts.load(hash, bytes).map(Guard::Contract).map_err(|refusal| refusal.to_string());
        }
        self.native.load(hash, bytes).map(Guard::Native).map_err(|refusal| refusal.to_string())
    }
}

/// A guard that may run.
#[derive(Clone, Debug)]
pub(crate) enum Guard {
    Native(Arc<parapet_vm::Guard>),
    Contract(Arc<Contract>),
}

impl Guard {
    pub(crate) fn descriptor(&self) -> &Descriptor {
        match self {
            Self::Native(guard) => guard.descriptor(),
            Self::Contract(contract) => contract.descriptor(),
        }
    }

    pub(crate) fn subscriptions(&self) -> Subscriptions {
        match self {
            Self::Native(guard) => guard.subscriptions(),
            Self::Contract(contract) => contract.subscriptions(),
        }
    }

    /// Whether it is asked at a hook. A contract is asked once, when the transaction has executed.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        match self {
            Self::Native(guard) => guard.has(hook),
            Self::Contract(_) => matches!(hook, Hook::Init | Hook::OnTx),
        }
    }

    /// Compiles it, if that has not happened.
    pub(crate) fn prepare(&self) -> Result<(), String> {
        match self {
            Self::Native(guard) => guard.prepare(),
            Self::Contract(contract) => contract.prepare(),
        }
    }

    pub(crate) fn session(&self, subject: Arc<Subject>) -> Session {
        match self {
            Self::Native(guard) => Session::Native(parapet_vm::Session::new(guard.clone(), subject)),
            Self::Contract(contract) => Session::Contract(parapet_cosmwasm::Session::new(contract.clone(), subject)),
        }
    }
}

/// One attachment judging one transaction.
#[derive(Debug)]
pub(crate) enum Session {
    Native(parapet_vm::Session),
    Contract(parapet_cosmwasm::Session),
}

/// How a hook ended. Everything but [`HookEnd::Returned`] ends the session too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HookEnd {
    Returned,
    Vetoed {
        code: u16,
        detail: Bytes,
    },
    Trapped {
        reason: String,
    },
    OutOfFuel,
    LimitExceeded(String),
    /// The guard cannot be shown all that it must see.
    Overloaded {
        reason: String,
    },
    Unusable {
        reason: String,
    },
}

impl From<parapet_vm::HookEnd> for HookEnd {
    fn from(end: parapet_vm::HookEnd) -> Self {
        use parapet_vm::HookEnd as Native;
        match end {
            Native::Returned => Self::Returned,
            Native::Vetoed { code, detail } => Self::Vetoed { code, detail },
            Native::Trapped { reason } => Self::Trapped { reason },
            Native::OutOfFuel => Self::OutOfFuel,
            Native::LimitExceeded(limit) => Self::LimitExceeded(limit.to_string()),
            Native::Unusable { reason } => Self::Unusable { reason },
        }
    }
}

impl From<parapet_cosmwasm::End> for HookEnd {
    fn from(end: parapet_cosmwasm::End) -> Self {
        use parapet_cosmwasm::End;
        match end {
            End::Returned => Self::Returned,
            End::Vetoed { code, detail } => Self::Vetoed { code, detail },
            End::Trapped { reason } => Self::Trapped { reason },
            End::OutOfFuel => Self::OutOfFuel,
            End::LimitExceeded(limit) => Self::LimitExceeded(limit.to_string()),
            End::Overloaded { reason } => Self::Overloaded { reason },
            End::Unusable { reason } => Self::Unusable { reason },
        }
    }
}

impl Session {
    /// Calls a hook. One that the guard does not have, or of a session that has ended, returns at once.
    pub(crate) fn call(&mut self, call: HookCall, trace: &Trace, view: &mut dyn StateView) -> Result<HookEnd, Fault> {
        match self {
            Self::Native(session) => session.call(call, trace, view).map(HookEnd::from),
            Self::Contract(session) => session.call(call, trace, view).map(HookEnd::from),
        }
    }

    /// Bounds what the following hooks may spend, besides the attachment's own limit.
    pub(crate) fn grant(&mut self, fuel: Fuel) {
        match self {
            Self::Native(session) => session.grant(fuel),
            Self::Contract(session) => session.grant(fuel),
        }
    }

    /// Whether it would have had more fuel, had more been granted.
    pub(crate) const fn is_short(&self) -> bool {
        match self {
            Self::Native(session) => session.is_short(),
            Self::Contract(session) => session.is_short(),
        }
    }

    pub(crate) fn spent(&self) -> Fuel {
        match self {
            Self::Native(session) => session.spent(),
            Self::Contract(session) => session.spent(),
        }
    }

    pub(crate) fn take_alerts(&mut self) -> Vec<Alert> {
        match self {
            Self::Native(session) => session.take_alerts(),
            Self::Contract(session) => session.take_alerts(),
        }
    }

    /// What the guard did to its own state: nothing, if it did not end well.
    pub(crate) fn into_updates(self) -> Vec<StateUpdate> {
        match self {
            Self::Native(session) => session.into_updates(),
            Self::Contract(session) => session.into_updates(),
        }
    }
}

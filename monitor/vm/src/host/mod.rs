//! The host's side of an instance: what a guard's host calls work on, and how they end.

mod guest;
mod imports;
mod state;
mod store;

pub(crate) use imports::link;
pub(crate) use store::OwnState;

use alloy_primitives::Bytes;
use parapet_abi::import::{
    ALERTS_MAX, DETAIL_BYTES_MAX, ENGINE_CODE_MIN, ENTRY_VALUE_BYTES_MAX, ENTRY_WORDS_MAX, READ_RECORDS_MAX,
    STORE_KEY_BYTES_MAX, STORE_WRITES_MAX, VIEW_INPUT_BYTES_MAX,
};
use parapet_monitor::{Fork, Hook, StateFault, VIEW_GAS_MAX};
use parapet_store::{EntryError, StoreError};
use std::sync::Arc;
use wasmtime::{Memory, ResourceLimiter};

use crate::{
    lend::Lent,
    limits::{MEMORY_BYTES_MAX, PAGE_BYTES},
    metering,
    session::Subject,
};

/// Something a guard noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Where.
    pub hook: Hook,
    /// The frame it was called for.
    pub frame: Option<u32>,
    /// The guard's code.
    pub code: u16,
    /// Its words.
    pub detail: Bytes,
}

/// A limit of the interface between guard and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// A key that is empty or too long.
    #[error("a key of {0} bytes; keys have 1 to {STORE_KEY_BYTES_MAX}")]
    Key(u32),
    /// A detail that is too long.
    #[error("a detail of {0} bytes, at most {DETAIL_BYTES_MAX} are accepted")]
    Detail(u32),
    /// Too many alerts.
    #[error("more than {ALERTS_MAX} alerts in one transaction")]
    Alerts,
    /// Too many words written.
    #[error("more than {STORE_WRITES_MAX} words written in one transaction")]
    StoreWrites,
    /// The value of an entry that is too long.
    #[error("a value of {0} bytes, at most {ENTRY_VALUE_BYTES_MAX} are kept")]
    Value(u32),
    /// Too many words of entries changed.
    #[error("more than {ENTRY_WORDS_MAX} words of ordered entries changed in one transaction")]
    EntryWords,
    /// Too many records asked for at once.
    #[error("{0} records in one read, at most {READ_RECORDS_MAX} are copied")]
    Records(u32),
    /// A code that is the engine's own.
    #[error("code {0}; the codes of guards lie below {ENGINE_CODE_MIN}")]
    Code(u32),
    /// Calldata of a static call that is too long.
    #[error("a static call with {0} bytes of calldata, at most {VIEW_INPUT_BYTES_MAX} are accepted")]
    ViewInput(u32),
    /// Gas of a static call that is too much.
    #[error("a static call with {0} gas, at most {VIEW_GAS_MAX} is given")]
    ViewGas(u64),
    /// A window that never decays.
    #[error("a window with a period of 0 seconds")]
    Period,
}

/// Ends a hook from inside a host call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("veto")]
    Veto { code: u16, detail: Bytes },
    #[error(transparent)]
    Limit(Limit),
    #[error("out of fuel")]
    OutOfFuel,
    #[error("{0}")]
    Trap(&'static str),
    #[error(transparent)]
    State(#[from] StateFault),
    #[error("what is not settled contradicts itself")]
    Incoherent,
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::State(fault) => Self::State(fault),
            StoreError::Incoherent => Self::Incoherent,
            StoreError::Entry(error) => error.into(),
        }
    }
}

impl From<EntryError> for Stop {
    fn from(error: EntryError) -> Self {
        let length = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
        match error {
            EntryError::KeyLength(bytes) => Self::Limit(Limit::Key(length(bytes))),
            EntryError::ValueLength(bytes) => Self::Limit(Limit::Value(length(bytes))),
            EntryError::Incoherent => Self::Incoherent,
        }
    }
}

/// Data of the store of one instance.
pub(crate) struct Host {
    pub(crate) lent: Lent,
    pub(crate) subject: Arc<Subject>,
    /// Set as soon as the instance exists; nothing of a guard runs before.
    pub(crate) memory: Option<Memory>,
    pub(crate) memory_cap: MemoryCap,
    pub(crate) store: OwnState,
    pub(crate) alerts: Vec<Alert>,
    /// Alerts raised in this transaction, also those already taken.
    pub(crate) alert_count: u32,
    pub(crate) hook: Hook,
    pub(crate) frame: Option<u32>,
    /// The fork that this hook looked at last.
    pub(crate) fork_seen: Option<Fork>,
    /// What the last static call returned.
    pub(crate) view_output: Bytes,
}

impl Host {
    pub(crate) fn new(subject: Arc<Subject>) -> Self {
        Self {
            lent: Lent::default(),
            subject,
            memory: None,
            memory_cap: MemoryCap::default(),
            store: OwnState::default(),
            alerts: Vec::new(),
            alert_count: 0,
            hook: Hook::Init,
            frame: None,
            fork_seen: None,
            view_output: Bytes::new(),
        }
    }
}

/// Makes growth of memory fail at the same size everywhere, and counts it. It is paid for when the hook has ended, since
/// fuel is out of reach here; what the hook could not have paid even with all that it had does not happen.
#[derive(Debug, Default)]
pub(crate) struct MemoryCap {
    /// Pages that a hook can pay for; `None` while an instance is made, whose first pages are paid for.
    payable: Option<u64>,
    /// Pages that were added.
    pub(crate) grown: u64,
}

impl MemoryCap {
    /// For a hook that has so much fuel.
    pub(crate) const fn paid_from(fuel: u64) -> Self {
        Self { payable: Some(fuel / metering::MEMORY_PAGE), grown: 0 }
    }
}

impl ResourceLimiter for MemoryCap {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > maximum.unwrap_or(MEMORY_BYTES_MAX).min(MEMORY_BYTES_MAX) {
            return Ok(false);
        }
        let Some(payable) = self.payable else { return Ok(true) };
        self.grown += (desired.saturating_sub(current) / PAGE_BYTES) as u64;
        if self.grown > payable { Err(Stop::OutOfFuel.into()) } else { Ok(true) }
    }

    /// The system refusing memory must not look to the guard like reaching its cap, which other machines would not
    /// see: it is a fault.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error.is::<std::io::Error>() { Err(error) } else { Ok(()) }
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }
}

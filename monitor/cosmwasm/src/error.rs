//! Why a module cannot be a contract, and how a call of one ended.

use alloy_primitives::Bytes;
use parapet_abi::import::{ALERTS_MAX, DETAIL_BYTES_MAX};
use parapet_monitor::DescriptorError;

use crate::limits;

/// Why a module is refused, before anything of it is compiled.
#[derive(Debug, thiserror::Error)]
pub enum VetError {
    /// Too many bytes.
    #[error("the module has {size} bytes, at most {max} are accepted: use fewer and smaller dependencies", max = limits::MODULE_BYTES_MAX)]
    ModuleBytes {
        /// Its size.
        size: usize,
    },
    /// Not valid Wasm.
    #[error("the module is not valid at byte {offset}: {reason}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What the validator says.
        reason: String,
    },
    /// A part of Wasm that guards do not have.
    #[error("the contract uses {feature} at byte {offset}, which guards do not have: {remedy}")]
    Feature {
        /// Which.
        feature: &'static str,
        /// Where.
        offset: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// A start function.
    #[error("the module has a start function, which would run before anything is metered: remove it")]
    Start,
    /// More of something than is accepted.
    #[error("the module has {count} {what}, at most {max} are accepted")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: u64,
        /// The limit.
        max: u64,
    },
    /// A function that is too long.
    #[error("function {function} has {size} bytes, at most {max} are accepted: split it", max = limits::BODY_BYTES_MAX)]
    BodyBytes {
        /// Its index.
        function: u32,
        /// Its size.
        size: usize,
    },
    /// Code that compilers take too long for.
    #[error(transparent)]
    Code(parapet_vm::VetError),
    /// An entry point is missing.
    #[error("the contract exports no `{0}`, which a CosmWasm guard must have")]
    NoEntryPoint(&'static str),
    /// An entry point has another type than CosmWasm gives it.
    #[error("`{0}` has another type than CosmWasm's entry point of that name")]
    EntryPointType(&'static str),
    /// More than one descriptor.
    #[error("the module has more than one section {:?}", parapet_abi::descriptor::SECTION)]
    DescriptorTwice,
    /// Its descriptor cannot be used.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// cosmwasm-vm's own static checks refuse it.
    #[error("cosmwasm-vm refuses the contract: {0}")]
    Static(String),
}

/// A limit of what passes between contract and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// An entry of guard state that cannot be kept.
    #[error(transparent)]
    Entry(#[from] parapet_store::EntryError),
    /// Too many words written.
    #[error("more than {} words of guard state written in one transaction", limits::WORDS_WRITTEN_MAX)]
    WordsWritten,
    /// A write where the trace's records are read.
    #[error("a write to a key of the trace's records, which can only be read")]
    Records,
    /// Too many scans.
    #[error("more than {} scans of guard state in one transaction", limits::SCANS_MAX)]
    Scans,
    /// A response that is too long.
    #[error("a response of {0} bytes, at most {max} are read", max = limits::RESPONSE_BYTES_MAX)]
    Response(usize),
    /// Too many events.
    #[error("more than {ALERTS_MAX} events in one response")]
    Alerts,
    /// An event that is too long.
    #[error("an event of {0} bytes, at most {DETAIL_BYTES_MAX} are accepted")]
    Detail(usize),
}

/// How a call of a contract ended. Everything but [`End::Returned`] ends its session too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing to object to.
    Returned,
    /// The contract returned an error.
    Vetoed {
        /// Its code, below the engine's; 0 if it gave none.
        code: u16,
        /// Its words.
        detail: Bytes,
    },
    /// The contract broke.
    Trapped {
        /// How.
        reason: String,
    },
    /// It used up its fuel.
    OutOfFuel,
    /// It asked for more than the interface gives.
    LimitExceeded(Limit),
    /// The transaction is too large to be shown to a contract.
    Overloaded {
        /// How.
        reason: String,
    },
    /// It cannot be made to run.
    Unusable {
        /// Why.
        reason: String,
    },
}

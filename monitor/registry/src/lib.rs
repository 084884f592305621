//! Reads the registry: the contract at [`REGISTRY_ADDRESS`] that holds modules and attachments as ordinary state.
//!
//! ```text
//! StateView (a fork of state) → RegistryReader (slots, by `layout`) → Attachment, Module, bytes checked by hash
//! ```
//!
//! Invariant: storage is trusted only as far as the contract is. Every length that comes from state is compared with
//! its limit before anything is allocated, and module bytes are returned only if they hash to the module's name.
//!
//! [`contract`] has the contract's interface for callers, [`genesis`] its account in a new chain, and [`image`] writes
//! its storage without executing it, for genesis files and tests.

mod attachment;
pub mod contract;
pub mod genesis;
pub mod image;
pub mod layout;
mod reader;

pub use attachment::{Attachment, Failure, SelectedTriggers};
pub use genesis::genesis_account;
pub use image::RegistryImage;
pub use layout::HEAD as HEAD_SLOT;
pub use reader::{Module, RegistryReader};

use alloy_primitives::{Address, B256, address};
use parapet_monitor::StateFault;

/// Where the registry lives on every chain: "Parapet" in ASCII, then zeros, then 1.
pub const REGISTRY_ADDRESS: Address = address!("5061726170657400000000000000000000000001");

/// Most accounts of one attachment.
pub const ACCOUNTS_MAX: u64 = 64;
/// Most attachments of one account.
pub const ATTACHMENTS_OF_ACCOUNT_MAX: u64 = 16;
/// Most attachments on a chain. The contract knows no such limit: admission refuses what would exceed it.
pub const ATTACHMENTS_MAX: u64 = 4_096;
/// Longest configuration, in bytes.
pub const CONFIGURATION_BYTES_MAX: u64 = 4_096;
/// Longest module, in bytes.
pub const MODULE_BYTES_MAX: u64 = 524_288;
/// Most bytes of a module in one data contract.
pub const CHUNK_BYTES_MAX: u64 = 24_575;
/// Most data contracts of one module.
pub const CHUNKS_MAX: u64 = MODULE_BYTES_MAX.div_ceil(CHUNK_BYTES_MAX);
/// Most fuel an attachment may have for one transaction.
pub const FUEL_MAX: u64 = 100_000_000;
/// What an attachment is given that names no limit.
pub const FUEL_DEFAULT: u64 = 10_000_000;
/// Most selectors by which the accounts of one attachment can be called without its veto.
pub const ESCAPES_MAX: u64 = 16;
/// A whole, in basis points.
pub const SHARE_MAX: u16 = 10_000;

/// Why the registry could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The node's own fault: leave the transaction out and retry.
    #[error(transparent)]
    State(#[from] StateFault),
    /// Storage holds what the contract never writes: the account at the registry's address is not the registry.
    #[error("the registry's storage is damaged: {what} of {name} is {value}, at most {max} can be")]
    Limit {
        /// What exceeds its limit.
        what: &'static str,
        /// Attachment, module or account it belongs to.
        name: B256,
        /// What storage says.
        value: u64,
        /// The limit.
        max: u64,
    },
    /// A field holds a value that does not exist.
    #[error("the registry's storage is damaged: {what} of {name} has no value {value}")]
    Value {
        /// The field.
        what: &'static str,
        /// Attachment or module it belongs to.
        name: B256,
        /// What storage says.
        value: u64,
    },
    /// The module is not registered.
    #[error("module {0} is not registered")]
    UnknownModule(B256),
    /// A chunk's account does not hold what a data contract holds.
    #[error("chunk {chunk} of module {module} is no data contract of 1 to {CHUNK_BYTES_MAX} bytes")]
    Chunk {
        /// The module.
        module: B256,
        /// The account.
        chunk: Address,
    },
    /// The chunks do not add up to the size that was registered.
    #[error("module {module} has {actual} bytes, registered were {expected}")]
    Size {
        /// The module.
        module: B256,
        /// Registered size, in bytes.
        expected: u64,
        /// Sum of its chunks, in bytes.
        actual: u64,
    },
    /// The bytes are not those that the module's name promises.
    #[error("the bytes of module {module} hash to {actual}")]
    Hash {
        /// The module.
        module: B256,
        /// Keccak-256 of the bytes that are there.
        actual: B256,
    },
}

//! What the steps of the path pass on: transactions, state changes, executed blocks, and the chain's parameters.
//!
//! Ethereum's own types come from alloy; here is only what a node with guards adds to them.

mod block;
mod chain;
mod changes;
mod limits;
mod schedule;
mod state;
mod unsigned;
mod view;

pub use block::{
    BlockContext, ChainAct, Destiny, Executed, ExecutedBlock, Included, JudgedAct, LeftOut, Transaction, Withdrawal,
};
pub use chain::{BLOCK_FUEL_MAX, BlobSchedule, ChainParams, Era, FuelPerGas, GuardParams, Hardfork, UnknownHardfork};
pub use changes::{AccountChange, AccountInfo, Ancestors, StateChanges};
pub use limits::ExecutionLimits;
pub use schedule::{Activation, ChainSpec, FORKS_MAX, ScheduleError, Upgrade};
pub use state::{FlatState, ReadError, StateReader};
pub use unsigned::{is_unsigned, unsigned_transaction};
pub use view::RestingView;

use alloy_primitives::{Address, address};

/// Where the registry contract lives on every Parapet chain: "Parapet" in ASCII, then zeros, then 1.
pub const REGISTRY: Address = address!("5061726170657400000000000000000000000001");

/// Where the registry, and nobody else, is told the ERC-1967 admin of an account. To everybody else it is an account without
/// code.
pub const ADMIN_READER: Address = address!("5061726170657400000000000000000000000002");

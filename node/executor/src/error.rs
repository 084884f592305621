//! What can go wrong, and what follows from it.

use alloy_eip7928::{BlockAccessListGasError, BlockAccessListValidationError};
use parapet_monitor::{Fault, Fuel};
use parapet_types::ReadError;
use revm::{context::result::InvalidTransaction, database_interface::DBErrorMarker};

use crate::WrongEntry;

/// [`ReadError`] as the EVM's databases report it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StateError(#[from] pub ReadError);

impl DBErrorMarker for StateError {}

/// What follows for a transaction that could not be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// It can never be included as it stands: drop it.
    Reject,
    /// It stays a candidate: try it again in a later block.
    Retry,
}

/// Why a transaction was not executed.
#[derive(Debug, thiserror::Error)]
pub enum TxError {
    /// It breaks a rule of the protocol.
    #[error("{0}")]
    Invalid(InvalidTransaction),
    /// What is left of the block's gas is less than its gas limit.
    #[error("needs {gas_limit} gas, {gas_left} are left in the block")]
    BlockFull {
        /// Its gas limit.
        gas_limit: u64,
        /// What the block has left.
        gas_left: u64,
    },
    /// Its guards spent more than what is left of the block's fuel.
    #[error("its guards take {} fuel, {} are left in the block", fuel.0, fuel_left.0)]
    GuardsFull {
        /// What they spent.
        fuel: Fuel,
        /// What the block has left.
        fuel_left: Fuel,
    },
    /// It was not run: the block's fuel is nearly gone, too many have been run for nothing, and its gas could pay for more
    /// fuel than is left.
    #[error("its gas could pay for {} fuel of guards, {} are left in the block", fuel.0, fuel_left.0)]
    GuardsMayNotFit {
        /// Most fuel that its gas limit pays for.
        fuel: Fuel,
        /// What the block has left.
        fuel_left: Fuel,
    },
    /// The block was to be finished before its turn came.
    #[error("the block had to be finished before its turn came")]
    Deadline,
    /// Nobody waited for it any more.
    #[error("it was interrupted")]
    Interrupted,
    /// The monitor could not reach a verdict (I4: it never passes unguarded).
    #[error(transparent)]
    Fault(#[from] Fault),
    /// State could not be read.
    #[error(transparent)]
    State(#[from] ReadError),
    /// The EVM failed in a way that is not the transaction's doing.
    #[error("the EVM failed: {0}")]
    Evm(String),
}

impl TxError {
    /// What follows.
    #[must_use]
    pub const fn consequence(&self) -> Consequence {
        match self {
            Self::Invalid(InvalidTransaction::NonceTooHigh { .. } | InvalidTransaction::GasPriceLessThanBasefee)
            | Self::BlockFull { .. }
            | Self::GuardsFull { .. }
            | Self::GuardsMayNotFit { .. }
            | Self::Deadline
            | Self::Interrupted
            | Self::Fault(_)
            | Self::State(_)
            | Self::Evm(_) => Consequence::Retry,
            Self::Invalid(_) => Consequence::Reject,
        }
    }
}

/// Why a block was not executed.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// A transaction of a block that came from elsewhere cannot be included.
    #[error("transaction {index} cannot be in this block: {source}")]
    Transaction {
        /// Its index in the block.
        index: usize,
        /// Why.
        source: TxError,
    },
    /// State could not be read.
    #[error(transparent)]
    State(#[from] ReadError),
    /// A call that the chain itself makes failed.
    #[error("the system call to {address} failed: {reason}")]
    SystemCall {
        /// The system contract.
        address: alloy_primitives::Address,
        /// What the EVM reported.
        reason: String,
    },
    /// A thread panicked: a fault of the node. Nothing of the block was committed.
    #[error("a thread that executed the block panicked: {0}")]
    Panicked(String),
    /// A deposit log that is not one.
    #[error("a log of the deposit contract cannot be read as a deposit: {0}")]
    Deposit(&'static str),
    /// The access list that the block came with is none (EIP-7928).
    #[error("the block's access list is malformed: {0}")]
    AccessListForm(#[from] BlockAccessListValidationError),
    /// The access list that the block came with holds more than its gas allows (EIP-7928).
    #[error(transparent)]
    AccessListSize(#[from] BlockAccessListGasError),
    /// The access list that the block came with is not this block's (EIP-7928).
    #[error("the block's access list is wrong: {0}")]
    AccessList(Box<WrongEntry>),
}

impl From<WrongEntry> for BlockError {
    fn from(wrong: WrongEntry) -> Self {
        Self::AccessList(Box::new(wrong))
    }
}

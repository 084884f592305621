//! Why a block is not imported, and what follows from it.

use std::fmt;

use alloy_consensus::crypto::RecoveryError;
use alloy_primitives::B256;
use parapet_executor::{BlockError, TxError};
use parapet_types::{Hardfork, ReadError};

/// What of a block an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Hash of the parent.
    ParentHash,
    /// Hash of the list of ommers.
    OmmersHash,
    /// Number.
    Number,
    /// Timestamp, in seconds since 1970.
    Timestamp,
    /// Gas limit.
    GasLimit,
    /// Gas used.
    GasUsed,
    /// Base fee, in wei per gas.
    BaseFee,
    /// Length of the extra data, in bytes.
    ExtraData,
    /// Difficulty.
    Difficulty,
    /// Nonce of the block.
    Nonce,
    /// State root.
    StateRoot,
    /// Root of the transactions.
    TransactionsRoot,
    /// Root of the receipts.
    ReceiptsRoot,
    /// Bloom of the logs.
    LogsBloom,
    /// Root of the withdrawals.
    WithdrawalsRoot,
    /// The list of withdrawals.
    Withdrawals,
    /// Blob gas used.
    BlobGasUsed,
    /// Excess of blob gas.
    ExcessBlobGas,
    /// Root of the parent's beacon block.
    ParentBeaconRoot,
    /// Hash of the requests to the consensus layer.
    RequestsHash,
    /// Hash of the block's access list.
    AccessListHash,
    /// Slot of the beacon chain.
    SlotNumber,
    /// Number of ommers.
    Ommers,
    /// Length of the block's RLP, in bytes.
    BlockSize,
}

impl Field {
    /// As sentences name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ParentHash => "parent hash",
            Self::OmmersHash => "ommers hash",
            Self::Number => "number",
            Self::Timestamp => "timestamp",
            Self::GasLimit => "gas limit",
            Self::GasUsed => "gas used",
            Self::BaseFee => "base fee",
            Self::ExtraData => "length of the extra data",
            Self::Difficulty => "difficulty",
            Self::Nonce => "nonce",
            Self::StateRoot => "state root",
            Self::TransactionsRoot => "transactions root",
            Self::ReceiptsRoot => "receipts root",
            Self::LogsBloom => "logs bloom",
            Self::WithdrawalsRoot => "withdrawals root",
            Self::Withdrawals => "list of withdrawals",
            Self::BlobGasUsed => "blob gas used",
            Self::ExcessBlobGas => "excess blob gas",
            Self::ParentBeaconRoot => "parent beacon root",
            Self::RequestsHash => "requests hash",
            Self::AccessListHash => "access list hash",
            Self::SlotNumber => "slot number",
            Self::Ommers => "number of ommers",
            Self::BlockSize => "length of the block",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What follows for the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// It is invalid, and stays so: refuse it and all that is built on it.
    Refuse,
    /// The node could not tell: nothing is known of the block, try it again.
    Retry,
}

/// Why a block is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not the RLP of a block.
    #[error("the block cannot be decoded: {0}")]
    Encoding(alloy_rlp::Error),
    /// Bytes follow the block's RLP.
    #[error("{0} bytes follow the block's RLP")]
    TrailingBytes(usize),
    /// It can be decoded, but no encoder would have written it so.
    #[error("the block's RLP is not canonical")]
    NotCanonical,
    /// A signature has no signer.
    #[error("transaction {index} has no valid signature: {source}")]
    Signature {
        /// Index of the transaction.
        index: usize,
        /// Why.
        source: RecoveryError,
    },
    /// A hash or root is not what it must be.
    #[error("the {field} is {found}, expected {expected}")]
    Hash {
        /// Which.
        field: Field,
        /// What the rules, or execution, give.
        expected: B256,
        /// What the block says.
        found: B256,
    },
    /// A number is not what it must be.
    #[error("the {field} is {found}, expected {expected}")]
    Quantity {
        /// Which.
        field: Field,
        /// What the rules, or execution, give.
        expected: u64,
        /// What the block says.
        found: u64,
    },
    /// A number is outside its bounds.
    #[error("the {field} is {found}, expected {min} to {max}")]
    Bounds {
        /// Which.
        field: Field,
        /// Least allowed.
        min: u64,
        /// Most allowed.
        max: u64,
        /// What the block says.
        found: u64,
    },
    /// Blob gas comes in whole blobs.
    #[error("the blob gas used is {found}, which is not a number of blobs")]
    PartOfABlob {
        /// What the block says.
        found: u64,
    },
    /// Something is not there that the fork asks for.
    #[error("the {field} is missing, which {hardfork} asks for")]
    Missing {
        /// What.
        field: Field,
        /// The block's fork.
        hardfork: Hardfork,
    },
    /// Something is there that the fork does not know.
    #[error("there is a {field}, which {hardfork} does not know")]
    Unexpected {
        /// What.
        field: Field,
        /// The block's fork.
        hardfork: Hardfork,
    },
    /// A field that proof of stake has emptied is not empty.
    #[error("the {0} is not zero, which the merge demands")]
    NotZero(Field),
    /// The fork does not know the type of a transaction, or that it may name its chain (EIP-155).
    #[error("transaction {index} is of type {tx_type} in a form that {hardfork} does not know")]
    TransactionType {
        /// Index of the transaction.
        index: usize,
        /// EIP-2718 type.
        tx_type: u8,
        /// The block's fork.
        hardfork: Hardfork,
    },
    /// A transaction carries its blobs with it: they never are in a block.
    #[error("transaction {index} carries its blobs, which belong beside the block")]
    Sidecar {
        /// Index of the transaction.
        index: usize,
    },
    /// The bloom of the logs differs.
    #[error("the logs bloom is not that of the receipts")]
    LogsBloom,
    /// The parent has a number that no block can have been built with.
    #[error("the parent's {field}, {found}, is above {max}: no block can follow it")]
    Parent {
        /// Which.
        field: Field,
        /// Most that a parent can have.
        max: u64,
        /// What it has.
        found: u64,
    },
    /// It cannot be executed.
    #[error(transparent)]
    Execution(#[from] BlockError),
    /// The state below could not be read, or the state above not be computed.
    #[error(transparent)]
    State(#[from] ReadError),
}

impl ImportError {
    /// What follows.
    #[must_use]
    pub const fn consequence(&self) -> Consequence {
        match self {
            Self::Encoding(_)
            | Self::TrailingBytes(_)
            | Self::NotCanonical
            | Self::Signature { .. }
            | Self::Hash { .. }
            | Self::Quantity { .. }
            | Self::Bounds { .. }
            | Self::PartOfABlob { .. }
            | Self::Missing { .. }
            | Self::Unexpected { .. }
            | Self::NotZero(_)
            | Self::TransactionType { .. }
            | Self::Sidecar { .. }
            | Self::LogsBloom
            | Self::Parent { .. } => Consequence::Refuse,
            Self::Execution(error) => of_execution(error),
            Self::State(_) => Consequence::Retry,
        }
    }
}

const fn of_execution(error: &BlockError) -> Consequence {
    match error {
        BlockError::Transaction {
            source:
                TxError::Invalid(_)
                | TxError::BlockFull { .. }
                | TxError::GuardsFull { .. }
                | TxError::GuardsMayNotFit { .. },
            ..
        }
        | BlockError::SystemCall { .. }
        | BlockError::Deposit(_)
        | BlockError::AccessListForm(_)
        | BlockError::AccessListSize(_)
        | BlockError::AccessList(_) => Consequence::Refuse,
        BlockError::Transaction {
            source: TxError::Deadline | TxError::Interrupted | TxError::Fault(_) | TxError::State(_) | TxError::Evm(_),
            ..
        }
        | BlockError::State(_)
        | BlockError::Panicked(_) => Consequence::Retry,
    }
}

/// A number that must be exactly one.
pub(crate) const fn equal(field: Field, expected: u64, found: u64) -> Result<(), ImportError> {
    if expected == found { Ok(()) } else { Err(ImportError::Quantity { field, expected, found }) }
}

/// A hash that must be exactly one.
pub(crate) fn same(field: Field, expected: B256, found: B256) -> Result<(), ImportError> {
    if expected == found { Ok(()) } else { Err(ImportError::Hash { field, expected, found }) }
}

/// A number that must be within bounds, both allowed.
pub(crate) const fn within(field: Field, min: u64, max: u64, found: u64) -> Result<(), ImportError> {
    if min <= found && found <= max { Ok(()) } else { Err(ImportError::Bounds { field, min, max, found }) }
}

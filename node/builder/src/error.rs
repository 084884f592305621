//! What can go wrong, and what follows from it.

use alloy_primitives::B256;
use parapet_executor::{BlockError, TxError};
use parapet_import::ImportError;
use parapet_pool::PoolError;
use parapet_state::StoreError;
use parapet_types::Hardfork;

use crate::{BLOCK_TIME_MAX, BLOCKS_PER_REQUEST_MAX, Difference};

/// Why the chain refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The pool does not admit the transaction.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The transaction was admitted, but no block can hold it.
    #[error("{reason}")]
    Rejected {
        /// Its hash.
        hash: B256,
        /// Why.
        reason: TxError,
    },
    /// A block could not be executed.
    #[error("no block could be built: {0}")]
    Block(#[from] BlockError),
    /// All threads together and one after the other do not come to the same: a fault of the node.
    #[error(
        "block {number} is not stored: executed by {threads} threads it is not what it is executed sequentially \
         ({difference}); this is a fault of parapet, please report it, and go on with --threads 1"
    )]
    Diverged {
        /// Number of the block.
        number: u64,
        /// Threads that executed it.
        threads: usize,
        /// Where they part.
        difference: Difference,
    },
    /// A block that was built elsewhere is not valid, or that could not be told.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A block could not be stored, or dropped.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The timestamp asked for is not after the head's.
    #[error("timestamp {given} is not after that of the head, {head}; give a later one")]
    Timestamp {
        /// Timestamp asked for, in seconds since 1970.
        given: u64,
        /// The head's.
        head: u64,
    },
    /// Blocks for others are built on the head alone.
    #[error("the head is {head}, and blocks are built on the head alone, not on {asked}")]
    NotTheHead {
        /// The parent that was asked for.
        asked: B256,
        /// The head.
        head: B256,
    },
    /// Too many blocks asked for.
    #[error("{0} blocks asked for, at most {BLOCKS_PER_REQUEST_MAX} are mined per request; ask several times")]
    TooManyBlocks(u64),
    /// There are not as many blocks as are to be dropped.
    #[error("depth must not exceed the chain's height: {depth} blocks cannot be dropped, the head is block {head}")]
    TooDeep {
        /// Blocks to be dropped.
        depth: u64,
        /// Number of the head.
        head: u64,
    },
    /// Transactions are given for a block that a reorganisation does not build.
    #[error(
        "block number {place} of the new blocks exceeds the reorganised chain: there are {depth}, and the first is number 0"
    )]
    NoPlace {
        /// Its place among the new blocks.
        place: u64,
        /// How many there are.
        depth: u64,
    },
    /// No block may have such a gas limit.
    #[error("a block's gas limit is at least {min}, not {0}", min = crate::GAS_LIMIT_MIN)]
    GasLimit(u64),
    /// Blocks would be too far apart, or no time at all.
    #[error("a block time of {0} seconds cannot be used; give 1 to {max}", max = BLOCK_TIME_MAX.as_secs())]
    BlockTime(u64),
    /// The next block would be mined by proof of work.
    #[error("block {number} belongs to {hardfork}, which is before the merge; such blocks can be imported, not built")]
    BeforeMerge {
        /// Number of the block.
        number: u64,
        /// Its fork.
        hardfork: Hardfork,
    },
    /// There is no thread to store blocks.
    #[error("no thread could be started to store blocks: {0}")]
    Thread(#[source] std::io::Error),
    /// The node is stopping.
    #[error("the node is stopping; send this again when it is back")]
    Closed,
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The request is refused; the chain is as it was and goes on.
    Refuse,
    /// Nothing further can be stored: the node must stop.
    StopNode,
}

impl ChainError {
    /// What follows from it.
    #[must_use]
    pub const fn consequence(&self) -> Consequence {
        match self {
            Self::Store(error) => match error.consequence() {
                parapet_state::Consequence::Refuse => Consequence::Refuse,
                parapet_state::Consequence::StopNode => Consequence::StopNode,
            },
            Self::Thread(_) => Consequence::StopNode,
            Self::Pool(_)
            | Self::Rejected { .. }
            | Self::Block(_)
            | Self::Import(_)
            | Self::Diverged { .. }
            | Self::Timestamp { .. }
            | Self::NotTheHead { .. }
            | Self::TooManyBlocks(_)
            | Self::TooDeep { .. }
            | Self::NoPlace { .. }
            | Self::GasLimit(_)
            | Self::BlockTime(_)
            | Self::BeforeMerge { .. }
            | Self::Closed => Consequence::Refuse,
        }
    }
}

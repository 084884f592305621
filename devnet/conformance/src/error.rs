//! Why a run cannot begin, and why a test fails.

use std::path::PathBuf;

use alloy_primitives::B256;
use parapet_executor::BlockError;
use parapet_fixtures::{FixtureError, LeftOut, OutOfRange, Unusable};
use parapet_import::ImportError;
use parapet_state::StoreError;
use parapet_types::ReadError;

/// Why there is no report, or why a test of it failed.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// A file cannot be found, read or used.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// Nothing that could be run.
    #[error("{0} holds no tests: no .json file of a known format")]
    NoTests(PathBuf),
    /// There are tests, but the filter lets none through.
    #[error("no test's name contains {0:?}")]
    NothingMatches(String),
    /// A file is not JSON, or not what its format says.
    #[error("it cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The genesis block cannot be decoded.
    #[error("its genesis block cannot be decoded: {0}")]
    Genesis(alloy_rlp::Error),
    /// The root of the given state is not that of the genesis block.
    #[error("the root of its genesis state is {found}, its genesis block says {expected}")]
    GenesisRoot {
        /// As the block has it.
        expected: B256,
        /// As computed.
        found: B256,
    },
    /// The store refuses or fails.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// There is no room for a folder.
    #[error("no folder can be made for it: {0}")]
    Folder(std::io::Error),
    /// A number is too large for what it stands for.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A field is not there.
    #[error("its {0} is missing")]
    Missing(&'static str),
    /// Blob parameters are missing or no parameters.
    #[error("the blob parameters of {0} are missing, or not what that fork can have")]
    BlobSchedule(String),
    /// A valid block is refused.
    #[error("block {number} is valid, and was refused: {source}")]
    Refused {
        /// Its index among the test's blocks.
        number: usize,
        /// Why.
        source: ImportError,
    },
    /// An invalid block is accepted.
    #[error("block {number} is invalid ({expected}), and was accepted")]
    Accepted {
        /// Its index among the test's blocks.
        number: usize,
        /// What is wrong with it.
        expected: String,
    },
    /// An invalid block is refused for something else.
    #[error("block {number} is invalid ({expected}), and was refused for something else: {source}")]
    OtherReason {
        /// Its index among the test's blocks.
        number: usize,
        /// What is wrong with it.
        expected: String,
        /// Why it was refused.
        source: Box<ImportError>,
    },
    /// The chain ends elsewhere.
    #[error("the last block accepted is {found}, expected {expected}")]
    Head {
        /// As the test has it.
        expected: B256,
        /// As imported.
        found: B256,
    },
    /// A real block is refused.
    #[error("{0}")]
    RealBlock(#[from] ImportError),
    /// State cannot be read.
    #[error(transparent)]
    State(#[from] ReadError),
    /// The transaction of a state test is refused.
    #[error("the transaction is valid, and was refused: {0}")]
    TransactionRefused(BlockError),
    /// The transaction of a state test could not be executed, on no fault of its own.
    #[error("it could not be executed: {0}")]
    Faulted(BlockError),
    /// The transaction of a state test is accepted.
    #[error("the transaction is invalid ({0}), and was accepted")]
    TransactionAccepted(String),
    /// The transaction of a state test cannot be read.
    #[error("its transaction cannot be read: {0}")]
    Transaction(String),
    /// A test ends in another state.
    #[error("the state root is {found}, expected {expected}")]
    StateRoot {
        /// As the test has it.
        expected: B256,
        /// As computed.
        found: B256,
    },
    /// A state test leaves other logs.
    #[error("the hash of the logs is {found}, expected {expected}")]
    Logs {
        /// As the test has it.
        expected: B256,
        /// As computed.
        found: B256,
    },
    /// Running the test panicked: a fault of the node.
    #[error("it panicked: {0}")]
    Panicked(String),
}

/// Why a test is not run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// Forks that this node does not have because they are over.
    BeforeParis(String),
    /// The fork is not final, and the test was made for another version of it than this node's EVM has.
    OtherVersion,
    /// A network that nobody knows.
    UnknownNetwork(String),
    /// A real block whose rules are not known here.
    RealBlock(LeftOut),
    /// A file that holds something else.
    UnknownFormat,
}

impl std::fmt::Display for Skip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BeforeParis(network) => write!(f, "the rules before the merge are not this node's ({network})"),
            Self::OtherVersion => {
                write!(
                    f,
                    "Amsterdam is not final: gas or logs of the test's blocks are another version's than the EVM's"
                )
            }
            Self::UnknownNetwork(network) => write!(f, "no network of the name {network:?} is known"),
            Self::RealBlock(reason) => write!(f, "{reason}"),
            Self::UnknownFormat => write!(f, "the file is none of the formats of tests"),
        }
    }
}

/// How a test ends when it does not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    Skip(Skip),
    Fail(ConformanceError),
}

impl<E: Into<ConformanceError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fail(error.into())
    }
}

impl From<Unusable> for Stop {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::LeftOut(reason) => Self::Skip(Skip::RealBlock(reason)),
            Unusable::Wrong(error) => Self::Fail(error.into()),
        }
    }
}

impl From<Skip> for Stop {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

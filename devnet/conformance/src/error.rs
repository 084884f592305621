//! Why a run cannot begin, and why a test fails.

use std::{io, path::PathBuf};

use alloy_primitives::{Address, B256};
use parapet_executor::TxError;
use parapet_import::ImportError;
use parapet_types::ReadError;

/// Why there is no report, or why a test of it failed.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// There is no such folder or file.
    #[error("{0} does not exist")]
    NotFound(PathBuf),
    /// A file or folder cannot be read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is longer than any test file.
    #[error("{path} is {bytes} bytes long, more than the {max} that a file of tests may have")]
    FileTooLong {
        /// Which.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// Most bytes.
        max: u64,
    },
    /// More files than any suite has.
    #[error("{path} holds more than {max} files")]
    TooManyFiles {
        /// The folder that was asked for.
        path: PathBuf,
        /// Most files.
        max: usize,
    },
    /// Folders within folders, perhaps in a circle.
    #[error("{path} lies more than {max} folders deep")]
    TooDeep {
        /// The folder at the bound.
        path: PathBuf,
        /// Most folders.
        max: usize,
    },
    /// Nothing that could be run.
    #[error("{0} holds no tests: no .json file of a known format")]
    NoTests(PathBuf),
    /// There are tests, but the filter lets none through.
    #[error("no test's name contains {0:?}")]
    NothingMatches(String),
    /// The archive cannot be unpacked.
    #[error("{archive} cannot be unpacked: {source}")]
    Unpack {
        /// Which.
        archive: PathBuf,
        /// Why.
        source: io::Error,
    },
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
    /// A number is too large for what it stands for.
    #[error("its {0} is out of range")]
    OutOfRange(&'static str),
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
    TransactionRefused(TxError),
    /// The transaction of a state test is accepted.
    #[error("the transaction is invalid ({0}), and was accepted")]
    TransactionAccepted(String),
    /// The transaction of a state test cannot be read.
    #[error("its transaction cannot be read: {0}")]
    Transaction(String),
    /// A state test ends in another state.
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
    /// A node of the trie is needed, and the witness does not have it.
    #[error("the witness has no node {0}")]
    MissingNode(B256),
    /// A node of the trie is none.
    #[error("node {hash} of the witness is malformed: {reason}")]
    MalformedNode {
        /// Its hash.
        hash: B256,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A leaf of the state trie is no account.
    #[error("the witness has no account where {0} should be: {1}")]
    MalformedAccount(Address, alloy_rlp::Error),
    /// Running the test panicked: a fault of the node.
    #[error("it panicked: {0}")]
    Panicked(String),
}

/// Why a test is not run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// Forks that this node does not have because they are over.
    BeforeParis(String),
    /// A fork that is not final.
    Amsterdam,
    /// A network that nobody knows.
    UnknownNetwork(String),
    /// A chain whose forks are not known here.
    UnknownChain(u64),
    /// A file that holds something else.
    UnknownFormat,
}

impl std::fmt::Display for Skip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BeforeParis(network) => write!(f, "the rules before the merge are not this node's ({network})"),
            Self::Amsterdam => write!(f, "Amsterdam is not final, and not a fork of this node"),
            Self::UnknownNetwork(network) => write!(f, "no network of the name {network:?} is known"),
            Self::UnknownChain(chain_id) => write!(f, "the forks of chain {chain_id} are not known"),
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

impl From<Skip> for Stop {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

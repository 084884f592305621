//! Why what lies on another chain cannot be had.

use std::{path::PathBuf, time::Duration};

use alloy_primitives::B256;
use parapet_types::ReadError;
use serde_json::value::RawValue;

/// Why something of the chain that was forked cannot be had. Endpoints are named without what may be secret in their URLs.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// Not an endpoint that can be asked.
    #[error("{endpoint} cannot be forked: {reason}; give the URL of a node's JSON-RPC, http:// or https://")]
    Url {
        /// As far as it can be shown.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A header that HTTP does not have.
    #[error("{0:?} is no HTTP header; write it as \"Name: value\"")]
    Header(String),
    /// The file of those who may vouch for endpoints cannot be used.
    #[error("the certificates of {} cannot be used: {reason}; --fork-ca takes a file in PEM", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection, or one that broke.
    #[error("the endpoint {endpoint} of the forked chain cannot be reached: {reason}")]
    Unreachable {
        /// Whom.
        endpoint: String,
        /// What the system reported.
        reason: String,
    },
    /// It took too long.
    #[error(
        "the endpoint {endpoint} of the forked chain did not answer {method} within {} ms; wait longer with --timeout, or \
         use another endpoint", waited.as_millis()
    )]
    Timeout {
        /// Whom.
        endpoint: String,
        /// What it was asked.
        method: String,
        /// For how long.
        waited: Duration,
    },
    /// It answers that it is asked too much.
    #[error(
        "the endpoint {endpoint} of the forked chain refuses {method} for its rate, {attempts} times in a row{}; use one that \
         grants more, or wait longer with --fork-retry-backoff", asks_to_wait(*asked_for)
    )]
    Limited {
        /// Whom.
        endpoint: String,
        /// What it was asked.
        method: String,
        /// How often.
        attempts: u32,
        /// For how long it asks to be left alone, if it does.
        asked_for: Option<Duration>,
    },
    /// It does not know who asks.
    #[error(
        "the endpoint {endpoint} of the forked chain answers {method} with status {status}: it wants to know who asks; give it its \
         key, in the URL or by --fork-header"
    )]
    Denied {
        /// Whom.
        endpoint: String,
        /// What it was asked.
        method: String,
        /// HTTP status.
        status: u16,
    },
    /// It failed a moment ago, and is left alone until it may have recovered.
    #[error("the endpoint {endpoint} of the forked chain failed a moment ago ({reason}); ask again in some seconds")]
    Resting {
        /// Whom.
        endpoint: String,
        /// How.
        reason: String,
    },
    /// Its answer is larger than anything it was asked for.
    #[error("the endpoint {endpoint} of the forked chain answered {method} with more than {bytes_max} bytes")]
    TooLarge {
        /// Whom.
        endpoint: String,
        /// What it was asked.
        method: String,
        /// Most that is read.
        bytes_max: u64,
    },
    /// Its answer cannot be one.
    #[error("the endpoint {endpoint} of the forked chain answered {method} with nonsense: {reason}")]
    Nonsense {
        /// Whom.
        endpoint: String,
        /// What it was asked.
        method: String,
        /// What is wrong.
        reason: String,
    },
    /// It will not answer.
    #[error(
        "the endpoint {endpoint} of the forked chain refuses {method}: {message} (code {code}){}",
        too_old(message)
    )]
    Refused {
        /// Whom.
        endpoint: String,
        /// What it was asked.
        method: String,
        /// JSON-RPC code.
        code: i32,
        /// Its words.
        message: String,
        /// Its data.
        data: Option<Box<RawValue>>,
    },
    /// What it says is not what the block's state root commits to.
    #[error(
        "the endpoint {endpoint} of the forked chain is not to be trusted: what it says of {of} is not what the state root \
         of block {block} commits to ({reason})"
    )]
    Unproven {
        /// Whom.
        endpoint: String,
        /// Account or block.
        of: String,
        /// Hash of the block.
        block: B256,
        /// Where they differ.
        reason: String,
    },
    /// Proofs are wanted, and there are none.
    #[error(
        "the endpoint {endpoint} has no proofs of block {number}, so its answers cannot be verified: {reason}; use an \
         endpoint that has them, or go without --fork-verify"
    )]
    NoProofs {
        /// Whom.
        endpoint: String,
        /// The block.
        number: u64,
        /// What it answered.
        reason: String,
    },
    /// The block is not there.
    #[error("the endpoint {endpoint} has no block {wanted}")]
    NoBlock {
        /// Whom.
        endpoint: String,
        /// As it was asked for.
        wanted: String,
    },
    /// The transaction is not there.
    #[error("the endpoint {endpoint} has no block with transaction {hash}: {reason}")]
    NoTransaction {
        /// Whom.
        endpoint: String,
        /// Hash asked for.
        hash: B256,
        /// What it answered.
        reason: &'static str,
    },
    /// The block is another one.
    #[error("block {number} of the endpoint {endpoint} has hash {found}, but {wanted} was asked for")]
    OtherBlock {
        /// Whom.
        endpoint: String,
        /// The block.
        number: u64,
        /// Its hash there.
        found: B256,
        /// Hash asked for.
        wanted: B256,
    },
    /// The chain is another one.
    #[error(
        "the endpoint {endpoint} is of chain {found}, and chain {wanted} is forked; give the URL of a node of chain {wanted}"
    )]
    OtherChain {
        /// Whom.
        endpoint: String,
        /// Its chain id.
        found: u64,
        /// The one asked for.
        wanted: u64,
    },
    /// The rules of the block are none that a chain of this node follows.
    #[error(
        "block {number} of chain {chain_id} is from before the merge, whose rules no chain of this node follows; fork a later \
         block, or name the rules to go on by with --hardfork"
    )]
    Rules {
        /// Chain id.
        chain_id: u64,
        /// The block.
        number: u64,
    },
    /// The folder of the cache cannot be used.
    #[error(
        "the cache {path} cannot be used: {source}; give it another folder with --fork-cache, or go without by \
             --no-storage-caching"
    )]
    Cache {
        /// Folder or file.
        path: PathBuf,
        /// What the system reported.
        source: std::io::Error,
    },
}

/// For how long an endpoint asks to be left alone, in words.
fn asks_to_wait(asked_for: Option<Duration>) -> String {
    asked_for.map_or_else(String::new, |time| format!(", and asks to be left alone for {} s", time.as_secs()))
}

/// What to do where an endpoint's words say that it no longer has the state of a block.
fn too_old(message: &str) -> &'static str {
    const WORDS: [&str; 6] =
        ["missing trie node", "pruned", "historical state", "state not available", "archive", "state is not available"];
    let message = message.to_ascii_lowercase();
    if WORDS.iter().any(|words| message.contains(words)) {
        "; it keeps no state as old as that of the forked block: fork a newer one, or use an archive node"
    } else {
        ""
    }
}

impl From<ForkError> for ReadError {
    fn from(error: ForkError) -> Self {
        Self(Box::new(error))
    }
}

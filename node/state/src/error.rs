//! What can go wrong with a store, and what follows from it.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use parapet_types::{Activation, ChainParams, ChainSpec, ReadError, Upgrade};

use crate::disk::{FORMAT_VERSION, FORMER_VERSION};

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be created, read or written.
    #[error("the data folder {path} cannot be used: {source}; check that it exists and that you may write to it")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system reported.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("the data folder {path} is in use by another process; stop that process or choose another folder")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It went while it was in use.
    #[error(
        "the data folder was removed or replaced while it was in use: {path} is not the file that was opened; nothing is \
         stored any more; see who did it, then start again"
    )]
    Replaced {
        /// A file of the folder.
        path: PathBuf,
    },
    /// Another program's database, or one of a later version.
    #[error(
        "the data folder {path} holds {found:?}, which this version does not know: it was written by a later version \
         or by another program; choose another folder"
    )]
    Unknown {
        /// The folder.
        path: PathBuf,
        /// Column families that are not ours.
        found: Vec<String>,
    },
    /// Written in a format this version does not read.
    #[error(
        "the data folder {path} has format {found}, and this program reads format {expected} alone; {remedy}",
        remedy = format_remedy(*found, *expected)
    )]
    Format {
        /// The folder.
        path: PathBuf,
        /// Number of the format found.
        found: u32,
        /// Number of the format that this program reads and writes.
        expected: u32,
    },
    /// A chain was to be taken over from a folder that is not of the former format.
    #[error(
        "the data folder {path} has format {found}, and chains of format {FORMER_VERSION} alone are taken over; {remedy}",
        remedy = takeover_remedy(*found)
    )]
    NotFormer {
        /// The folder.
        path: PathBuf,
        /// Number of the format found.
        found: u32,
    },
    /// A chain that goes on from another one was to be opened as if it did not.
    #[error(
        "the data folder {path} holds a chain that goes on from another one: go on with parapet dev --fork-url URL --datadir {path}; \
         nothing else reads such a chain"
    )]
    Forked {
        /// The folder.
        path: PathBuf,
    },
    /// The log of such a chain is not what was written.
    #[error("{path} is damaged: {reason}; nothing was changed: restore it from a copy, or choose another folder")]
    DamagedFork {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A chain was to begin where there is one.
    #[error("there is a chain in {path} already; name another folder, and it begins there")]
    ChainThere {
        /// The folder.
        path: PathBuf,
    },
    /// It holds a chain with other parameters.
    #[error(
        "the data folder {path} holds a chain with {stored}, but {given} was asked for; start with the chain's own \
         parameters, or choose another folder",
        stored = describe(stored), given = describe(given)
    )]
    OtherChain {
        /// The folder.
        path: PathBuf,
        /// Parameters found.
        stored: Box<ChainSpec>,
        /// Parameters asked for.
        given: Box<ChainSpec>,
    },
    /// It holds a chain that began differently.
    #[error(
        "the data folder {path} holds a chain with another genesis (state root {stored}, here {given}): other \
         accounts, balances or contracts; start as it was created, or choose another folder"
    )]
    OtherGenesis {
        /// The folder.
        path: PathBuf,
        /// State root of the genesis found.
        stored: B256,
        /// State root of the genesis asked for.
        given: B256,
    },
    /// Files of the database are gone.
    #[error(
        "the data folder {path} is damaged: {missing} is missing although data is there; restore the folder from a copy"
    )]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// File that is missing.
        missing: &'static str,
    },
    /// Part of what says which files belong to the database is gone.
    #[error(
        "the table of contents {file} is damaged: it has {bytes} bytes, and a newer one or more of it was there ({expected} \
         bytes); nothing was changed: restore the folder from a copy, and look at the disk"
    )]
    CutContents {
        /// The file.
        file: PathBuf,
        /// Its length.
        bytes: u64,
        /// The length that the newest one had.
        expected: u64,
    },
    /// What was written last cannot be read.
    #[error(
        "the write-ahead log {path} is damaged: {source}; nothing was changed: restore the folder from a copy, and look at \
         the disk"
    )]
    DamagedLog {
        /// The file.
        path: PathBuf,
        /// What the database reported.
        source: rocksdb::Error,
    },
    /// A record cannot be understood, or contradicts others.
    #[error(
        "the data folder {path} is damaged: record {key} of column family {family}: {reason}; restore it from a copy"
    )]
    Corrupted {
        /// The folder.
        path: PathBuf,
        /// Column family.
        family: &'static str,
        /// Key, in hex or as text.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Blocks that were stored are gone.
    #[error(
        "block {announced} was stored here, but block {head} is the newest that can be read: a write-ahead log in the \
         data folder is damaged or missing; nothing was changed: restore the folder from a copy, or remove {path} to go on \
         from block {head}, without those after it"
    )]
    Lost {
        /// The file that remembers the newest block.
        path: PathBuf,
        /// Its number.
        announced: u64,
        /// The newest block in the database.
        head: u64,
    },
    /// The state that was loaded is not the one that was stored.
    #[error(
        "the data folder {path} is damaged: the state of block {number} has root {computed}, its header says \
         {expected}; restore it from a copy"
    )]
    StoredRoot {
        /// The folder.
        path: PathBuf,
        /// Block whose state it is.
        number: u64,
        /// Root in the header.
        expected: B256,
        /// Root of what was loaded.
        computed: B256,
    },
    /// The database failed.
    #[error("the database in {path} failed while {action}: {source}; {remedy}", remedy = database_remedy(source))]
    Database {
        /// The folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the database reported.
        source: rocksdb::Error,
    },
    /// An earlier read or write failed, so what the database holds is not known.
    #[error("nothing more is written to the database in {path}, which failed before: {first}")]
    Failed {
        /// The folder.
        path: PathBuf,
        /// The first failure.
        first: String,
    },
    /// The block does not follow the head.
    #[error("block {number} with parent {parent} does not follow the head, block {head_number} {head_hash}")]
    NotNext {
        /// Number of the block.
        number: u64,
        /// Its parent.
        parent: B256,
        /// Number of the head.
        head_number: u64,
        /// Hash of the head.
        head_hash: B256,
    },
    /// The state handed in is not the one the header commits to.
    #[error("the state of block {number} has root {computed}, its header says {expected}")]
    Root {
        /// Number of the block.
        number: u64,
        /// Root in the header.
        expected: B256,
        /// Root of the state handed in.
        computed: B256,
    },
    /// The state handed in does not lie on the head's.
    #[error("the state of block {number} was not derived from the one that the store has of the head")]
    Stranger {
        /// Number of the block.
        number: u64,
    },
    /// An account gets code that nobody has.
    #[error("{address} gets code with hash {code_hash}, which neither the changes nor the state have")]
    Code {
        /// The account.
        address: Address,
        /// Hash of its code.
        code_hash: B256,
    },
    /// Receipts or results are missing or too many.
    #[error("block {number} has {transactions} transactions, but {receipts} receipts and {executed} results")]
    Body {
        /// Number of the block.
        number: u64,
        /// Transactions.
        transactions: usize,
        /// Receipts.
        receipts: usize,
        /// Results.
        executed: usize,
    },
    /// A block comes with another access list than it commits to.
    #[error("block {number} commits to the access list {expected:?}, and comes with {found:?}")]
    AccessList {
        /// Number of the block.
        number: u64,
        /// Hash in its header, if there is one.
        expected: Option<B256>,
        /// Hash of what came with it, if anything did.
        found: Option<B256>,
    },
    /// The state after a block is no longer kept.
    #[error(
        "the state after block {number} is no longer kept: it was pruned; ask for a later block, or keep more with --prune"
    )]
    Pruned {
        /// Number of the block.
        number: u64,
    },
    /// A block was dropped while its state was read.
    #[error("block {number} was dropped while its state was read; ask again")]
    Dropped {
        /// Number of the block.
        number: u64,
    },
    /// The state over which this one lies cannot be read.
    #[error(transparent)]
    Below(#[from] ReadError),
    /// A proof was asked for of a state that lies over another one.
    #[error(
        "the state of a forked chain has no proofs: only what was changed since the fork is in its tries; ask for a block \
         before the fork, of which the chain that was forked has proofs"
    )]
    NoProof,
    /// There is no chain in the folder.
    #[error("there is no chain in {path}; give the folder that `parapet dev --datadir` was started with")]
    NoChain {
        /// The folder.
        path: PathBuf,
    },
    /// What was asked for is of a chain on disk.
    #[error("the chain lives in memory; there is no folder")]
    InMemory,
    /// There is no such block.
    #[error("there is no block {number}; the head is block {head}")]
    NoBlock {
        /// Number asked for.
        number: u64,
        /// Number of the head.
        head: u64,
    },
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The call is refused; nothing has changed and the store goes on.
    Refuse,
    /// Nothing further can be stored: the node must stop.
    StopNode,
}

impl StoreError {
    /// What follows from it.
    #[must_use]
    pub const fn consequence(&self) -> Consequence {
        match self {
            Self::NotNext { .. }
            | Self::Root { .. }
            | Self::Stranger { .. }
            | Self::Code { .. }
            | Self::Body { .. }
            | Self::AccessList { .. }
            | Self::Pruned { .. }
            | Self::Dropped { .. }
            | Self::Below(_)
            | Self::NoProof
            | Self::InMemory
            | Self::ChainThere { .. }
            | Self::NoBlock { .. } => Consequence::Refuse,
            Self::Folder { .. }
            | Self::InUse { .. }
            | Self::Replaced { .. }
            | Self::DamagedLog { .. }
            | Self::CutContents { .. }
            | Self::Unknown { .. }
            | Self::Format { .. }
            | Self::NotFormer { .. }
            | Self::Forked { .. }
            | Self::DamagedFork { .. }
            | Self::OtherChain { .. }
            | Self::OtherGenesis { .. }
            | Self::Incomplete { .. }
            | Self::NoChain { .. }
            | Self::Corrupted { .. }
            | Self::Lost { .. }
            | Self::StoredRoot { .. }
            | Self::Database { .. }
            | Self::Failed { .. } => Consequence::StopNode,
        }
    }
}

fn database_remedy(source: &rocksdb::Error) -> &'static str {
    let said = source.as_ref();
    let is_said = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if is_said(&["No such file"]) {
        "a file is missing, and nothing was changed: restore the folder from a copy"
    } else if source.kind() == rocksdb::ErrorKind::Corruption {
        "a file is damaged, and nothing was changed: restore the folder from a copy, and look at the disk"
    } else if is_said(&["No space left", "File too large", "Disk quota exceeded"]) {
        "there is no room: make some, then start again; what was announced is kept"
    } else if is_said(&["Permission denied", "Read-only file system"]) {
        "see that this user may write to the folder and all its files, then start again"
    } else if source.kind() == rocksdb::ErrorKind::IOError {
        "see that the folder's files can be read and written, then start again"
    } else {
        "start again; if it fails again, restore the folder from a copy"
    }
}

fn format_remedy(found: u32, expected: u32) -> &'static str {
    if found == FORMER_VERSION {
        "an older program wrote it: take the chain over into another folder with `parapet db migrate OLD NEW`, which leaves this one \
         as it is"
    } else if found < expected {
        "an older program wrote it: go on with that one, or begin a new chain in another folder"
    } else {
        "a newer program wrote it: update this one, or choose another folder"
    }
}

fn takeover_remedy(found: u32) -> &'static str {
    if found == FORMAT_VERSION {
        "this one is of today's: use it as it is"
    } else {
        format_remedy(found, FORMAT_VERSION)
    }
}

fn describe(spec: &ChainSpec) -> String {
    let ChainParams { chain_id, hardfork, block_gas_limit, guards, deposit_contract, limits } = spec.genesis();
    let later = spec.upgrades().iter().map(|Upgrade { since, hardfork }| match since {
        Activation::Block(number) => format!(", {hardfork} from block {number} on"),
        Activation::Time(time) => format!(", {hardfork} from time {time} on"),
    });
    let later: String = later.collect();
    let limit = |what, other: Option<u64>| other.map(|max| format!(", {what} up to {max}")).unwrap_or_default();
    let limits = limit("code", limits.code_bytes_max) + &limit("gas of a transaction", limits.transaction_gas_max);
    let (ratio, fuel) = (guards.fuel_per_gas, guards.block_fuel_max.0);
    format!(
        "chain id {chain_id}, hardfork {hardfork}{later}, block gas limit {block_gas_limit}, {ratio} fuel per gas, {fuel} \
         fuel per block, deposit contract {deposit_contract}{limits}"
    )
}

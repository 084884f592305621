//! What can go wrong, in words that say what, where, and what to do.

use std::{io, path::PathBuf, process::ExitCode};

use alloy_primitives::{Address, B256};

/// How a command ended that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Code 1: refused.
    Refused,
    /// Code 2: wrong use.
    WrongUse,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Refused => Self::from(1),
            Exit::WrongUse => Self::from(2),
        }
    }
}

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Neither a module's file nor a shipped guard.
    #[error("{given:?} is neither a file nor a guard that is shipped; shipped are {known}")]
    NoSuchModule {
        /// What was given.
        given: String,
        /// Names of the shipped guards.
        known: String,
    },
    /// Neither a module's hash nor a shipped guard.
    #[error(
        "{given:?} is neither a module hash (0x and 64 hex digits, as `parapet guard deploy` prints it) nor a guard that \
         is shipped; shipped are {known}"
    )]
    NoSuchGuard {
        /// What was given.
        given: String,
        /// Names of the shipped guards.
        known: String,
    },
    /// A new guard cannot be made where something is.
    #[error("{} exists already; choose another name, or remove it first", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// Not a name for a guard.
    #[error("{name:?} cannot be a guard's name: {reason}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No checkout of the SDK was found.
    #[error(
        "there is no SDK at or around {}; write --sdk DIR with a checkout of Parapet, which has sdk/guest in it",
        looked.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    NoSdk {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// The tests of a guard did not pass.
    #[error("the tests of {} did not pass: what failed stands above", path.display())]
    Tests {
        /// The crate.
        path: PathBuf,
    },
    /// What scenes wrote cannot be read.
    #[error(
        "what the tests played was written to {} by another version of the SDK; build the guard with the SDK of this program, \
         or write --native",
        path.display()
    )]
    Journal {
        /// The folder.
        path: PathBuf,
    },
    /// The guard VM could not show a module what a test played.
    #[error("the guard VM cannot run {module}: {reason}")]
    Host {
        /// The guard.
        module: String,
        /// Why.
        reason: String,
    },
    /// A module says something else than its guard natively.
    #[error("{0}")]
    Differs(Box<crate::test::Difference>),
    /// The folder holds no crate that can become a guard.
    #[error("{} is no guard's crate: {reason}", path.display())]
    NotACrate {
        /// The folder.
        path: PathBuf,
        /// What is missing, and what to write.
        reason: String,
    },
    /// No compiler for Wasm was found.
    #[error("{0}")]
    NoToolchain(crate::build::NoToolchain),
    /// A program could not be started.
    #[error("cannot start {program}: {source}; is it installed and in PATH?")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Cargo reported errors.
    #[error("cargo could not build {}: its errors stand above", path.display())]
    Cargo {
        /// The crate.
        path: PathBuf,
    },
    /// Cargo succeeded without making a module.
    #[error(
        "{} was built, but made no module: write `crate-type = [\"cdylib\", \"lib\"]` under [lib] in its Cargo.toml",
        path.display()
    )]
    NoModule {
        /// The crate.
        path: PathBuf,
    },
    /// What cargo made of a contract cannot be lowered.
    #[error("{}: {source}", path.display())]
    Lower {
        /// The module.
        path: PathBuf,
        /// Why.
        source: crate::build::NotLowered,
    },
    /// Vetting refused the module.
    #[error("{module} cannot be a guard: {source}")]
    Vet {
        /// The file or name.
        module: String,
        /// Why.
        source: Box<crate::module::Refusal>,
    },
    /// The module passes vetting and does not run.
    #[error("{module} cannot be run: {reason}")]
    Estimate {
        /// The guard.
        module: String,
        /// Why.
        reason: String,
    },
    /// A parameter of a guard that cannot be encoded.
    #[error("{0}")]
    Parameter(#[from] crate::parameters::ParameterError),
    /// A message that is none.
    #[error("{message:?} is no message: {source}; write JSON, in quotes for the shell, as in '{{\"window\":{{}}}}'")]
    Message {
        /// What was given.
        message: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Terms, and no guard that has them.
    #[error(
        "--account, --chain-wide, --like and --param are terms of a guard: name it by --with FILE.WASM, NAME or HASH"
    )]
    NoGuardNamed,
    /// A guard, and nobody whom it guards.
    #[error(
        "whom is the guard to guard? write --account ADDRESS (up to 64 times), --chain-wide for everybody, or --like \
         ATTACHMENT to take accounts and parameters of one that is attached"
    )]
    NobodyGuarded,
    /// A function's signature or its arguments.
    #[error("{signature:?} makes no call: {reason}")]
    Signature {
        /// What was given.
        signature: String,
        /// What is wrong with it, or with its arguments.
        reason: String,
    },
    /// A file that is not to be written over.
    #[error("{} is there already: write --force to replace it, or --out for another file", .0.display())]
    FileExists(PathBuf),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted; nothing was changed")]
    Interrupted,
    /// Blocks that were to be executed are no more.
    #[error("the chain was taken back while the guard was tried out on it; try again")]
    Rewound,
    /// The node's address is none.
    #[error("{url:?} is no address of a node: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a private key. The key itself is not repeated.
    #[error("the private key is none: write 0x and 64 hex digits, as `parapet dev` prints them")]
    PrivateKey,
    /// The node could not be reached, or did not answer as a node does.
    #[error("no usable answer from {url} to {method}: {reason}; is a node running there? `parapet dev` starts one")]
    NoAnswer {
        /// Its address.
        url: String,
        /// What was asked.
        method: &'static str,
        /// What happened.
        reason: String,
    },
    /// The node said no.
    #[error("{what} was refused: {reason}")]
    Refused {
        /// What was to be done.
        what: &'static str,
        /// The node's reason, in words.
        reason: String,
    },
    /// The transaction is in a block, and failed.
    #[error(
        "{what} failed in transaction {transaction}, although the node's estimate had passed; \
         `parapet guard verdicts {transaction}` tells whether a guard vetoed it"
    )]
    Failed {
        /// What was to be done.
        what: &'static str,
        /// The transaction.
        transaction: B256,
    },
    /// No block took the transaction in time.
    #[error(
        "transaction {transaction} is in no block after {seconds} seconds; it may still be taken, look for it later"
    )]
    NotIncluded {
        /// The transaction.
        transaction: B256,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The chain has no registry.
    #[error("{url} has no guard registry at {registry}: it is no Parapet chain, or another genesis")]
    NoRegistry {
        /// The node.
        url: String,
        /// Where the registry should be.
        registry: Address,
    },
    /// The module is not on the chain.
    #[error("module {module} is not registered on this chain; `parapet guard deploy {given}` puts it there")]
    NotDeployed {
        /// The module.
        module: B256,
        /// What was given for it.
        given: String,
    },
    /// The node knows no such transaction.
    #[error("the node has judged no transaction {0}: not sent yet, still waiting, or known to another chain")]
    UnknownTransaction(B256),
    /// The node knows no such block.
    #[error("the node has no block {0}: not built yet, dropped, or known to another chain")]
    UnknownBlock(String),
    /// The runtime for network calls could not be started.
    #[error("the asynchronous runtime cannot start: {0}")]
    Runtime(io::Error),
    /// The program and its guards disagree.
    #[error("the shipped guards are not what this program was built for: {0}; build it again")]
    Shipped(String),
}

impl CliError {
    /// Whether it was refused or used wrongly.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Read { .. }
            | Self::Write { .. }
            | Self::NoSuchModule { .. }
            | Self::NoSuchGuard { .. }
            | Self::NotACrate { .. }
            | Self::Exists { .. }
            | Self::Name { .. }
            | Self::NoSdk { .. }
            | Self::Parameter(_)
            | Self::Message { .. }
            | Self::NoGuardNamed
            | Self::NobodyGuarded
            | Self::Signature { .. }
            | Self::FileExists(_)
            | Self::Url { .. }
            | Self::PrivateKey => Exit::WrongUse,
            Self::NoToolchain(_)
            | Self::Start { .. }
            | Self::Cargo { .. }
            | Self::Tests { .. }
            | Self::Journal { .. }
            | Self::Host { .. }
            | Self::Differs(_)
            | Self::NoModule { .. }
            | Self::Lower { .. }
            | Self::Vet { .. }
            | Self::Estimate { .. }
            | Self::NoAnswer { .. }
            | Self::Refused { .. }
            | Self::Failed { .. }
            | Self::NotIncluded { .. }
            | Self::NoRegistry { .. }
            | Self::NotDeployed { .. }
            | Self::UnknownTransaction(_)
            | Self::UnknownBlock(_)
            | Self::Interrupted
            | Self::Rewound
            | Self::Runtime(_)
            | Self::Shipped(_) => Exit::Refused,
        }
    }
}

//! The command line of `parapet db`.

use std::{num::NonZeroU64, path::PathBuf};

use clap::Subcommand;

/// Printed below the list of commands.
const EXAMPLES: &str = "\
Examples:
  parapet db stats chain                                what the folder holds and takes
  parapet db verify chain --every                       read everything, check every state that is kept
  parapet db prune chain --keep 1000                    forget the states of older blocks
  parapet db export chain state.json --form genesis     the head's state, in geth's form
  parapet db import other state.json                    begin a chain with it in another folder
  parapet db migrate old new                            take a chain of an older program over

Stop the node first: a folder has one user. Exit code 0 is success, 1 a refusal or damage, 2 wrong use.";

/// Look after the folder of a chain that is kept.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DbArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Tell what the folder holds and takes.
    Stats {
        /// The folder.
        #[command(flatten)]
        folder: FolderArgs,
    },
    /// Read everything and check that all of it agrees.
    Verify {
        /// The folder.
        #[command(flatten)]
        folder: FolderArgs,
        /// Check the state of every kept block, each from the one before it, and not only the oldest and the newest anew.
        #[arg(long)]
        every: bool,
    },
    /// Compute a state root anew from accounts and slots, and compare it with the block's header.
    RebuildRoot {
        /// The folder.
        #[command(flatten)]
        folder: FolderArgs,
        /// Number of the block; the newest, unless told otherwise.
        #[arg(long, value_name = "NUMBER")]
        block: Option<u64>,
    },
    /// Forget the states of old blocks. Blocks and receipts stay.
    Prune {
        /// The folder.
        #[command(flatten)]
        folder: FolderArgs,
        /// States that are kept, the newest block's counted.
        #[arg(long, value_name = "BLOCKS")]
        keep: NonZeroU64,
    },
    /// Take a chain that an older program kept over into another folder: blocks, receipts, verdicts and all states.
    Migrate {
        /// The folder.
        #[command(flatten)]
        folder: FolderArgs,
        /// The other folder, in which there is no chain yet.
        #[arg(value_name = "NEW")]
        into: PathBuf,
    },
    /// Write a state or the chain into a file.
    Export {
        /// The folder.
        #[command(flatten)]
        folder: FolderArgs,
        /// The file, which must not be there yet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What is written, and how.
        #[arg(long, value_enum, default_value = "genesis", value_name = "FORM")]
        form: Form,
        /// Number of the block whose state is written, or with which the chain ends; the newest, unless told otherwise.
        #[arg(long, value_name = "NUMBER")]
        block: Option<u64>,
    },
    /// Begin a chain with a state out of a file, or append a file of blocks to a chain.
    Import {
        /// The folder.
        #[command(flatten)]
        folder: FolderArgs,
        /// A genesis in geth's form, a state in anvil's, or blocks in RLP, one after the other.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// A folder, and how its user is answered.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FolderArgs {
    /// Folder of a chain that is kept, as it is given to `parapet dev --datadir`.
    #[arg(value_name = "FOLDER")]
    pub(crate) datadir: PathBuf,
    /// Print one JSON object, and no progress.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// A state with the chain's parameters, as geth's genesis files have it.
    Genesis,
    /// A state, as anvil's --dump-state writes it and its --load-state reads it.
    Anvil,
    /// Blocks but the first, in RLP, one after the other, as `geth export` writes them.
    Blocks,
}

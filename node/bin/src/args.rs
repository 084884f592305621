//! The command line: the commands, and in modules beside this one what each can be told.
//!
//! Invariant: whatever is out of range is refused here, by the name of its option, before anything is opened.

pub(crate) mod anvil;
mod chain;
mod dev;
mod monitors;
mod rerun;
pub(crate) mod serving;

use std::num::NonZeroUsize;

use clap::{Parser, Subcommand};
use parapet_builder::cores;

pub(crate) use chain::ChainArgs;
pub(crate) use dev::{CACHE_MIB, CACHE_MIB_MIN, DevArgs};
pub(crate) use monitors::{LocalGuardArg, local_guard};
pub(crate) use rerun::{ConformanceArgs, ReplayArgs};

use crate::{
    config::ConfigArgs,
    db::DbArgs,
    node::NodeArgs,
    shell::{CompletionsArgs, ManArgs},
    version,
};

/// Most threads that execute a block: more than any machine has use for.
pub(crate) const THREADS_MAX: usize = 256;
/// Bytes in a mebibyte.
pub(crate) const MIB: u64 = 1_024 * 1_024;
/// Printed below the list of commands.
const EXAMPLES: &str = "\
Examples:
  parapet dev                                          a chain on 127.0.0.1:8545 with ten funded accounts
  parapet dev --datadir chain --threads 4              one that is kept, its blocks executed by four threads
  parapet node --config parapet.toml                   a durable node; parapet config init writes its settings
  parapet guard deploy reentrancy                      upload a shipped guard to the running chain
  parapet guard attach reentrancy --account 0x…        put a contract of yours under its protection
  parapet replay --datadir chain --explain             execute its blocks again and say what slowed them down
  parapet conformance target/fixtures/dev --threads 2  Ethereum's own tests

Every command has a page of its own: parapet <command> --help. Exit code 0 is success, 1 a refusal, 2 wrong use.";

/// An EVM node that runs guards, which can veto transactions before they are committed.
///
/// It serves Ethereum's JSON-RPC, executes blocks on several threads, and hands each transaction to the guards (small
/// WebAssembly modules) that are attached to the contracts it touches. A guard's veto reverts the transaction.
#[derive(Debug, Parser)]
#[command(name = "parapet", version, long_version = version::LONG, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a development chain.
    Dev(Box<DevArgs>),
    /// Run a durable node by its settings.
    Node(NodeArgs),
    /// Write a node's commented default settings, or what a chain begins with, and check a file of settings.
    Config(ConfigArgs),
    /// Look after the folder of a chain that is kept: check, count, prune, export, import.
    Db(DbArgs),
    /// Build, check, deploy, attach and list guards.
    Guard(parapet_cli::GuardArgs),
    /// Execute blocks again, of a kept chain or of a real one, compare, and say what slowed them down.
    Replay(ReplayArgs),
    /// Run Ethereum's public tests, and real blocks, through this node's own execution.
    Conformance(ConformanceArgs),
    /// Print what a shell needs to complete commands and options.
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for every command into a folder.
    Man(ManArgs),
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(number) if number.get() <= THREADS_MAX => Ok(number),
        _ => Err(format!("give a number from 1 to {THREADS_MAX}")),
    }
}

/// The machine's cores, as far as they are of use.
pub(crate) fn default_threads() -> NonZeroUsize {
    cores().min(NonZeroUsize::new(THREADS_MAX).expect("it is above zero"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_number_of_threads_is_bounded() {
        assert_eq!(threads("256").map(NonZeroUsize::get), Ok(256));
        for text in ["0", "257", "-1", "many", ""] {
            assert!(threads(text).is_err(), "{text:?}");
        }
        assert!(default_threads().get() <= THREADS_MAX);
    }
}

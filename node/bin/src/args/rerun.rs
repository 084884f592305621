//! Blocks and tests that are executed again: `parapet replay` and `parapet conformance`.

use std::{num::NonZeroUsize, ops::RangeInclusive, path::PathBuf};

use crate::args::{ChainArgs, default_threads, threads};

/// Printed below the options of `parapet replay`.
const REPLAY_HELP: &str = "\
Every block is executed by all threads and then one transaction after the other. Both must come to the same, and to
what the block's header says. Each line tells of a block:

  ahead    executions that ran ahead of the transactions before them, on what those might do
  settled  executions that ran when all before them was certain, for the first or the second time
  as one   transactions that ran as one stretch, as a sequential loop would run them

A chain is opened as `parapet dev` opens it, so give the same --chain-id, --accounts, --balance, --hardfork,
--gas-limit, --fuel-per-gas and --block-fuel, if you gave any; and stop the node first. Exit code 1 tells that a block is not what it was.";

/// Execute blocks again, of a kept chain or of a real one, compare, and say what slowed them down.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = REPLAY_HELP)]
pub(crate) struct ReplayArgs {
    /// Where the blocks come from.
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Execute only the block of this number.
    #[arg(long, value_name = "NUMBER", conflicts_with = "fixtures", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) block: Option<u64>,
    /// Execute only these blocks, both ends included.
    #[arg(long, value_name = "FIRST..LAST", conflicts_with_all = ["fixtures", "block"], value_parser = range)]
    pub(crate) blocks: Option<RangeInclusive<u64>>,
    /// Threads that execute each block; as many as the machine has cores, unless told otherwise.
    #[arg(long, default_value_t = default_threads(), value_name = "NUMBER", value_parser = threads)]
    pub(crate) threads: NonZeroUsize,
    /// Name the contracts and slots that made transactions wait for each other.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print one JSON object at the end instead of a line per block.
    #[arg(long)]
    pub(crate) json: bool,
    /// What the chain began with.
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

/// Where blocks to be replayed come from: one of these.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SourceArgs {
    /// Folder of a chain that `parapet dev --datadir` kept.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) datadir: Option<PathBuf>,
    /// Folder or file of real blocks with the state they need (pre-state or witness), as JSON.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) fixtures: Option<PathBuf>,
}

/// Run Ethereum's public tests, and real blocks, through this node's own execution.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ConformanceArgs {
    /// Folder of tests, or one file: blockchain tests, state tests, blocks with pre-state or witness, as JSON.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Threads that execute each block; with one, files are spread over the machine's cores instead.
    #[arg(long, default_value = "1", value_name = "NUMBER", value_parser = threads)]
    pub(crate) threads: NonZeroUsize,
    /// Keep every state in a folder, through the store that nodes use, and verify the folder in the end: slower.
    #[arg(long)]
    pub(crate) store: bool,
    /// Run only tests whose name or path contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// First and last block, as `3..7`.
fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let range = text.split_once("..").and_then(|(first, last)| {
        let range = first.parse::<u64>().ok()?..=last.parse().ok()?;
        (*range.start() > 0 && !range.is_empty()).then_some(range)
    });
    range.ok_or_else(|| "give the first and the last number, as in 3..7; block 0 has nothing to execute".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_blocks_has_two_ends_in_their_order() {
        assert_eq!(range("3..7"), Ok(3..=7));
        assert_eq!(range("3..3"), Ok(3..=3));
        for text in ["7..3", "0..3", "3", "..3", "3..", "3..=7", "a..b", ""] {
            assert!(range(text).is_err(), "{text:?}");
        }
    }
}

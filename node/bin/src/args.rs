//! The command line.

use std::{net::IpAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use alloy_primitives::U256;
use clap::{Parser, Subcommand};
use parapet_builder::{BLOCK_TIME_MAX, Mining};
use parapet_genesis::{ACCOUNTS, ACCOUNTS_MAX, BALANCE_WEI, BLOCK_GAS_LIMIT, CHAIN_ID, DevSettings};
use parapet_types::{ChainParams, Hardfork};

/// Wei of one ether.
const ETHER_WEI: u128 = 1_000_000_000_000_000_000;
/// Least block gas limit: below it no contract could be created.
const GAS_LIMIT_MIN: u64 = 100_000;
/// Most threads that execute a block: more than any machine has use for.
const THREADS_MAX: usize = 256;
/// Most ether one account can be given: more than there is.
const BALANCE_ETHER_MAX: u64 = 1_000_000_000_000;

/// An EVM node that runs guards, which can veto transactions before they are committed.
#[derive(Debug, Parser)]
#[command(name = "parapet", version, propagate_version = true)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a development chain.
    Dev(DevArgs),
    /// Build, check, deploy, attach and list guards.
    Guard(parapet_cli::GuardArgs),
    /// Run Ethereum's public tests, and real blocks, through this node's own execution.
    Conformance(ConformanceArgs),
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
    /// Run only tests whose name or path contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Start a development chain.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) host: IpAddr,
    /// Port for HTTP and WebSocket; 0 takes a free one.
    #[arg(long, short, default_value_t = 8545)]
    pub(crate) port: u16,
    /// Chain id.
    #[arg(long, default_value_t = CHAIN_ID, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) chain_id: u64,
    /// Number of funded accounts.
    #[arg(long, short, default_value_t = ACCOUNTS, value_name = "NUMBER", value_parser = accounts)]
    pub(crate) accounts: usize,
    /// Balance of each account, in ether.
    #[arg(long, default_value_t = default_balance(), value_name = "ETHER",
          value_parser = clap::value_parser!(u64).range(..=BALANCE_ETHER_MAX))]
    pub(crate) balance: u64,
    /// Mine a block every so many seconds instead of one per transaction.
    #[arg(long, short, value_name = "SECONDS", conflicts_with = "no_mining",
          value_parser = clap::value_parser!(u64).range(1..=BLOCK_TIME_MAX.as_secs()))]
    pub(crate) block_time: Option<u64>,
    /// Mine only when asked to, by evm_mine.
    #[arg(long)]
    pub(crate) no_mining: bool,
    /// Folder that keeps the chain; without it, the chain lives in memory.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) datadir: Option<PathBuf>,
    /// Rules to follow: paris, shanghai, cancun, prague or osaka.
    #[arg(long, default_value_t = Hardfork::default(), value_name = "FORK")]
    pub(crate) hardfork: Hardfork,
    /// Gas limit of every block.
    #[arg(long, default_value_t = BLOCK_GAS_LIMIT, value_name = "GAS",
          value_parser = clap::value_parser!(u64).range(GAS_LIMIT_MIN..))]
    pub(crate) gas_limit: u64,
    /// What to log to standard error: error, warn, info, debug, trace, or directives such as `info,parapet_vm=debug`.
    #[arg(long, env = "RUST_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Print nothing but errors, whatever the log filter says.
    #[arg(long)]
    pub(crate) silent: bool,
    /// Print what the node is as one JSON object.
    #[arg(long, conflicts_with = "silent")]
    pub(crate) json: bool,
}

impl DevArgs {
    /// The chain that was asked for, begun at a time in seconds since 1970.
    pub(crate) fn genesis(&self, timestamp: u64) -> DevSettings {
        DevSettings {
            accounts: self.accounts,
            balance: U256::from(self.balance) * U256::from(ETHER_WEI),
            params: ChainParams { chain_id: self.chain_id, hardfork: self.hardfork, block_gas_limit: self.gas_limit },
            timestamp,
        }
    }

    pub(crate) fn mining(&self) -> Mining {
        match (self.block_time, self.no_mining) {
            (Some(seconds), _) => Mining::Interval(Duration::from_secs(seconds)),
            (None, true) => Mining::Manual,
            (None, false) => Mining::Instant,
        }
    }
}

fn accounts(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=ACCOUNTS_MAX).contains(&number) => Ok(number),
        _ => Err(format!("give a number from 1 to {ACCOUNTS_MAX}")),
    }
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(number) if number.get() <= THREADS_MAX => Ok(number),
        _ => Err(format!("give a number from 1 to {THREADS_MAX}")),
    }
}

fn default_balance() -> u64 {
    u64::try_from(BALANCE_WEI / ETHER_WEI).expect("a few thousand")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}

//! The command line.

pub(crate) mod anvil;

use std::{
    net::IpAddr,
    num::{NonZeroU64, NonZeroUsize},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use alloy_primitives::{Address, U256};
use clap::{Parser, Subcommand};
use parapet_builder::{BLOCK_TIME_MAX, Mining, SequentialCheck, cores};
use parapet_genesis::{
    ACCOUNTS, ACCOUNTS_MAX, BALANCE_WEI, BLOCK_GAS_LIMIT, CHAIN_ID, DevSettings, GenesisError, StateFile,
};
use parapet_monitor::Fuel;
use parapet_rpc::Screening;
use parapet_state::{StoreSettings, SyncMode};
use parapet_types::{BLOCK_FUEL_MAX, ChainParams, FuelPerGas, GuardParams, Hardfork};

use crate::{
    args::anvil::{LikenessArgs, NO_GAS_LIMIT, RuleArgs, StateArgs, WalletArgs},
    config::{ConfigArgs, LogFormat},
    db::DbArgs,
    engine::EngineArgs,
    forking::ForkArgs,
    node::NodeArgs,
    shell::{CompletionsArgs, ManArgs},
    version,
};

/// Wei of one ether.
const ETHER_WEI: u128 = 1_000_000_000_000_000_000;
/// Shortest time between blocks that can be asked for.
const BLOCK_TIME_MIN: Duration = Duration::from_millis(1);
/// Least block gas limit: below it no contract could be created.
const GAS_LIMIT_MIN: u64 = 100_000;
/// Most threads that execute a block: more than any machine has use for.
pub(crate) const THREADS_MAX: usize = 256;
/// Bytes in a mebibyte.
pub(crate) const MIB: u64 = 1_024 * 1_024;
/// Memory for a chain that is kept, in mebibytes.
pub(crate) const CACHE_MIB: u32 = 512;
/// Least of it: below, more is read again than is executed.
pub(crate) const CACHE_MIB_MIN: u32 = 16;
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
/// Printed below the options of `parapet replay`.
const REPLAY_HELP: &str = "\
Every block is executed by all threads and then one transaction after the other. Both must come to the same, and to
what the block's header says. Each line tells of a block:

  ahead    executions that ran ahead of the transactions before them, on what those might do
  settled  executions that ran when all before them was certain, for the first or the second time
  as one   transactions that ran as one stretch, as a sequential loop would run them

A chain is opened as `parapet dev` opens it, so give the same --chain-id, --accounts, --balance, --hardfork,
--gas-limit, --fuel-per-gas and --block-fuel, if you gave any; and stop the node first. Exit code 1 tells that a block is not what it was.";

/// Most ether one account can be given: more than there is.
const BALANCE_ETHER_MAX: u64 = 1_000_000_000_000;

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

/// What a development chain begins with. A chain that is kept in a folder is always opened with the same.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ChainArgs {
    /// Chain id; 31,337, or that of the chain that is forked, unless told otherwise here or by --init.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) chain_id: Option<u64>,
    /// Number of funded accounts.
    #[arg(long, short, default_value_t = ACCOUNTS, value_name = "NUMBER", value_parser = accounts)]
    pub(crate) accounts: usize,
    /// Balance of each account, in ether.
    #[arg(long, default_value_t = default_balance(), value_name = "ETHER",
          value_parser = clap::value_parser!(u64).range(..=BALANCE_ETHER_MAX))]
    pub(crate) balance: u64,
    /// Rules to follow: paris, shanghai, cancun, prague, osaka, bpo1 or bpo2; osaka (`latest`), or those of the block that
    /// is forked, unless told otherwise.
    #[arg(long, value_name = "FORK")]
    pub(crate) hardfork: Option<Hardfork>,
    /// Gas limit of every block; 30,000,000, or that of the block that is forked, unless told otherwise.
    #[arg(long, value_name = "GAS", value_parser = clap::value_parser!(u64).range(GAS_LIMIT_MIN..))]
    pub(crate) gas_limit: Option<u64>,
    /// Guard fuel that one gas pays for.
    #[arg(long, default_value_t = FuelPerGas::DEFAULT, value_name = "FUEL")]
    pub(crate) fuel_per_gas: FuelPerGas,
    /// Most fuel that the guards of one block may spend.
    #[arg(long, default_value_t = BLOCK_FUEL_MAX.0, value_name = "FUEL")]
    pub(crate) block_fuel: u64,
    /// What the accounts derive from.
    #[command(flatten)]
    pub(crate) wallet: WalletArgs,
    /// What is otherwise than on Ethereum.
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
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

/// Start a development chain.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Address to listen on.
    #[arg(long, env = "ANVIL_IP_ADDR", default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) host: IpAddr,
    /// Port for HTTP and WebSocket; 0 takes a free one.
    #[arg(long, short, default_value_t = 8545)]
    pub(crate) port: u16,
    /// What the chain begins with.
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    /// Threads that execute each block; as many as the machine has cores, unless told otherwise.
    #[arg(long, default_value_t = default_threads(), value_name = "NUMBER", value_parser = threads)]
    pub(crate) threads: NonZeroUsize,
    /// Execute every block sequentially, too, and refuse to store one that is then another: half as fast.
    #[arg(long)]
    pub(crate) check_sequential: bool,
    /// Mine a block every so many seconds instead of one per transaction.
    #[arg(long, short, visible_alias = "blockTime", value_name = "SECONDS", conflicts_with = "no_mining",
          value_parser = block_time)]
    pub(crate) block_time: Option<Duration>,
    /// Besides, mine transactions as they come.
    #[arg(long, requires = "block_time")]
    pub(crate) mixed_mining: bool,
    /// Most milliseconds that executing one block may take; what is not done by then waits for the next block. With
    /// --block-time it is half of that time, unless told otherwise.
    #[arg(long, value_name = "MILLISECONDS",
          value_parser = clap::value_parser!(u64).range(1..=BLOCK_TIME_MAX.as_secs() * 1_000))]
    pub(crate) block_deadline: Option<u64>,
    /// Mine only when asked to, by evm_mine.
    #[arg(long, visible_alias = "no-mine")]
    pub(crate) no_mining: bool,
    /// Ask guards about each transaction before it is admitted, and refuse one that they would veto: its sender learns of it
    /// before paying.
    #[arg(long)]
    pub(crate) screen: bool,
    /// Folder that keeps the chain; without it, the chain lives in memory.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) datadir: Option<PathBuf>,
    /// File with what the chain begins with, instead of funded accounts: a genesis in geth's form, or a state that anvil
    /// wrote. A chain that is kept is always opened with the same.
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["chain_id", "accounts", "balance", "hardfork", "gas_limit", "fuel_per_gas", "block_fuel"])]
    pub(crate) genesis: Option<PathBuf>,
    /// File of blocks in RLP, as `geth export` writes them: executed, checked and appended before the node serves. Those that
    /// the chain has already are passed over.
    #[arg(long, value_name = "FILE")]
    pub(crate) import: Option<PathBuf>,
    /// How the folder is used.
    #[command(flatten)]
    pub(crate) kept: KeptArgs,
    /// How a consensus client reaches the node.
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// From where the chain goes on.
    #[command(flatten)]
    pub(crate) fork: ForkArgs,
    /// States in files.
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// What else anvil can be told.
    #[command(flatten)]
    pub(crate) likeness: LikenessArgs,
    /// A guard that this node runs for itself: a file or a shipped guard's name, and its parameters, as in
    /// 'outflow_cap:tx_max=1000;window_seconds=60'. It can only tell, acts nowhere and costs nobody gas.
    #[arg(long = "monitor", value_name = "FILE.WASM | NAME[:PARAMETERS]", value_parser = local_guard)]
    pub(crate) monitors: Vec<LocalGuardArg>,
    /// An account that these guards watch; without it, they watch the whole chain.
    #[arg(long = "monitor-account", value_name = "ADDRESS", requires = "monitors")]
    pub(crate) monitor_accounts: Vec<Address>,
    /// What to log to standard error: error, warn, info, debug, trace, or directives such as `info,parapet_vm=debug`.
    #[arg(long, env = "RUST_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How a log line is written: for people, or as one JSON object.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
    /// Print nothing but errors, whatever the log filter says.
    #[arg(long, short = 'q', visible_alias = "quiet")]
    pub(crate) silent: bool,
    /// Print what the node is as one JSON object.
    #[arg(long, conflicts_with = "silent")]
    pub(crate) json: bool,
}

impl ChainArgs {
    /// The chain that was asked for, begun now, in seconds since 1970, unless it says when.
    ///
    /// # Errors
    /// [`GenesisError::Words`].
    pub(crate) fn genesis(&self, now: u64) -> Result<DevSettings, GenesisError> {
        let unlimited = self.rules.disable_block_gas_limit.then_some(NO_GAS_LIMIT);
        Ok(DevSettings {
            accounts: self.accounts,
            balance: U256::from(self.balance) * U256::from(ETHER_WEI),
            params: ChainParams {
                chain_id: self.chain_id.unwrap_or(CHAIN_ID),
                hardfork: self.hardfork.unwrap_or_default(),
                block_gas_limit: unlimited.or(self.gas_limit).unwrap_or(BLOCK_GAS_LIMIT),
                guards: GuardParams { fuel_per_gas: self.fuel_per_gas, block_fuel_max: Fuel(self.block_fuel) },
                deposit_contract: ChainParams::MAINNET_DEPOSITS,
                limits: self.rules.limits(),
            },
            timestamp: self.rules.timestamp.unwrap_or(now),
            base_fee: self.rules.base_fee(),
            wallet: self.wallet.wallet()?,
            create2_factory: self.rules.create2_factory(),
            others: StateFile::default(),
        })
    }
}

/// How a folder with a chain is used.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of a chain that is kept")]
pub(crate) struct KeptArgs {
    /// Keep the states of the newest so many blocks; without it, of all. Blocks and receipts are always kept.
    #[arg(long, value_name = "BLOCKS", requires = "datadir")]
    pub(crate) prune: Option<NonZeroU64>,
    /// What a block waits for before it is announced: `block`, until it is on the disk; `system`, until the operating system
    /// has it, which is faster, and may lose the newest blocks with the machine's power, though never with the process.
    #[arg(long, value_enum, default_value = "block", value_name = "MODE", requires = "datadir")]
    pub(crate) sync: SyncArg,
    /// Mebibytes of memory for what is read from the folder, for what is to be written, and for what blocks changed lately.
    #[arg(long, default_value_t = CACHE_MIB, value_name = "MEBIBYTES", requires = "datadir",
          value_parser = clap::value_parser!(u32).range(i64::from(CACHE_MIB_MIN)..))]
    pub(crate) cache: u32,
}

/// What a block waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SyncArg {
    /// The disk.
    Block,
    /// The operating system.
    System,
}

impl DevArgs {
    /// How the chain's folder is used.
    pub(crate) fn store(&self) -> StoreSettings {
        let KeptArgs { prune, sync, cache } = self.kept;
        let sync = match sync {
            SyncArg::Block => SyncMode::Block,
            SyncArg::System => SyncMode::System,
        };
        let bytes = usize::try_from(u64::from(cache) * MIB).unwrap_or(usize::MAX);
        StoreSettings { sync, prune, ..StoreSettings::with_memory(bytes) }
    }

    pub(crate) const fn screening(&self) -> Screening {
        if self.screen { Screening::On } else { Screening::Off }
    }

    pub(crate) const fn check(&self) -> SequentialCheck {
        if self.check_sequential { SequentialCheck::On } else { SequentialCheck::Off }
    }

    pub(crate) fn mining(&self) -> Mining {
        match (self.block_time, self.no_mining, self.mixed_mining) {
            (Some(every), _, false) => Mining::Interval(every),
            (Some(every), _, true) => Mining::Mixed(every),
            (None, true, _) => Mining::Manual,
            (None, false, _) => Mining::Instant,
        }
    }
}

/// A guard of this node's own, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalGuardArg {
    pub(crate) module: String,
    pub(crate) parameters: Vec<(String, String)>,
}

/// `NAME`, or `NAME:a=1;b=2`.
pub(crate) fn local_guard(text: &str) -> Result<LocalGuardArg, String> {
    let (module, rest) = text.split_once(':').unwrap_or((text, ""));
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("write {part}=VALUE"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    let parts = rest.split(';').filter(|part| !part.trim().is_empty());
    Ok(LocalGuardArg { module: module.to_owned(), parameters: parts.map(parameter).collect::<Result<_, String>>()? })
}

/// Seconds, perhaps with a fraction.
fn block_time(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| (BLOCK_TIME_MIN..=BLOCK_TIME_MAX).contains(time))
        .ok_or_else(|| format!("give 0.001 to {} seconds", BLOCK_TIME_MAX.as_secs()))
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

/// The machine's cores, as far as they are of use.
pub(crate) fn default_threads() -> NonZeroUsize {
    cores().min(NonZeroUsize::new(THREADS_MAX).expect("it is above zero"))
}

/// First and last block, as `3..7`.
fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let range = text.split_once("..").and_then(|(first, last)| {
        let range = first.parse::<u64>().ok()?..=last.parse().ok()?;
        (*range.start() > 0 && !range.is_empty()).then_some(range)
    });
    range.ok_or_else(|| "give the first and the last number, as in 3..7; block 0 has nothing to execute".to_owned())
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

    #[test]
    fn a_range_of_blocks_has_two_ends_in_their_order() {
        assert_eq!(range("3..7"), Ok(3..=7));
        assert_eq!(range("3..3"), Ok(3..=3));
        for text in ["7..3", "0..3", "3", "..3", "3..", "3..=7", "a..b", ""] {
            assert!(range(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_guard_of_the_nodes_own_is_named_with_its_parameters() {
        let named = |text: &str| local_guard(text).map(|guard| (guard.module, guard.parameters));
        assert_eq!(named("reentrancy"), Ok(("reentrancy".to_owned(), Vec::new())));
        let parameters =
            [("tx_max", "1 ether"), ("tokens", "0x1,0x2")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(named("a.wasm:tx_max=1 ether;tokens=0x1,0x2"), Ok(("a.wasm".to_owned(), parameters.to_vec())));
        assert!(named("reentrancy:nonsense").is_err());
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

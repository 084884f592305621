//! `parapet dev`: what it serves, when it mines, and how a chain that it keeps lies in its folder.

use std::{
    net::IpAddr,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use alloy_primitives::Address;
use parapet_builder::{BLOCK_TIME_MAX, Mining, PREFETCH_THREADS, PREFETCH_THREADS_MAX, SequentialCheck};
use parapet_rpc::Screening;
use parapet_state::{StoreSettings, SyncMode};

use crate::{
    args::{
        ChainArgs, LocalGuardArg, MIB,
        anvil::{LikenessArgs, StateArgs},
        default_threads, local_guard,
        serving::ServingArgs,
        threads,
    },
    config::LogFormat,
    engine::EngineArgs,
    forking::ForkArgs,
};

/// Shortest time between blocks that can be asked for.
const BLOCK_TIME_MIN: Duration = Duration::from_millis(1);
/// Memory for a chain that is kept, in mebibytes.
pub(crate) const CACHE_MIB: u32 = 512;
/// Least of it: below, more is read again than is executed.
pub(crate) const CACHE_MIB_MIN: u32 = 16;

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
    /// How clients reach the node.
    #[command(flatten)]
    pub(crate) serving: ServingArgs,
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
    /// Threads that read from the folder, ahead of their block, what transactions that wait are likely to need; 0 for none.
    #[arg(long, default_value_t = PREFETCH_THREADS, value_name = "NUMBER", requires = "datadir",
          value_parser = prefetch_threads)]
    pub(crate) prefetch_threads: usize,
}

/// What a block waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SyncArg {
    /// The disk.
    Block,
    /// The operating system.
    System,
}

fn prefetch_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= PREFETCH_THREADS_MAX => Ok(number),
        _ => Err(format!("give a number from 0 to {PREFETCH_THREADS_MAX}")),
    }
}

impl DevArgs {
    /// How the chain's folder is used.
    pub(crate) fn store(&self) -> StoreSettings {
        let KeptArgs { prune, sync, cache, prefetch_threads: _ } = self.kept;
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

/// Seconds, perhaps with a fraction.
fn block_time(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| (BLOCK_TIME_MIN..=BLOCK_TIME_MAX).contains(time))
        .ok_or_else(|| format!("give 0.001 to {} seconds", BLOCK_TIME_MAX.as_secs()))
}

//! Flags that anvil has, with the meaning they have there, so that `parapet dev` can stand where anvil stood.
//!
//! `docs/ANVIL.md` lists them all, those with another meaning and those that are not taken with the reason.

use std::{path::PathBuf, time::Duration};

use parapet_builder::BLOCK_TRANSACTIONS_MAX;
use parapet_genesis::{BASE_FEE_WEI, Create2Factory, DERIVATION_PATH, GenesisError, Wallet};
use parapet_pool::{Balances, Order};
use parapet_types::ExecutionLimits;

/// Gas limit of blocks that have none: the highest that geth takes.
pub(crate) const NO_GAS_LIMIT: u64 = i64::MAX as u64;
/// Seconds between two dumps of a state that is dumped, unless told otherwise.
const DUMP_SECONDS: u64 = 60;
/// Slots in an epoch, as Ethereum has it.
const EPOCH_SLOTS: u64 = 32;

/// What the funded accounts derive from.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Accounts")]
pub(crate) struct WalletArgs {
    /// Phrase that the accounts derive from, instead of the one that everybody knows.
    #[arg(long, short, value_name = "WORDS", conflicts_with_all = ["mnemonic_random", "mnemonic_seed_unsafe"])]
    pub(crate) mnemonic: Option<String>,
    /// A new phrase, of 12 words or as many as are given.
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "12",
          conflicts_with = "mnemonic_seed_unsafe")]
    pub(crate) mnemonic_random: Option<usize>,
    /// The phrase that anvil makes of a seed: whoever knows the seed has the keys.
    #[arg(long, value_name = "SEED")]
    pub(crate) mnemonic_seed_unsafe: Option<u64>,
    /// Where the accounts lie below the phrase; an account's number follows.
    #[arg(long, default_value = DERIVATION_PATH, value_name = "PATH")]
    pub(crate) derivation_path: String,
}

impl WalletArgs {
    /// What was asked for; a new phrase each time it is asked for one.
    pub(crate) fn wallet(&self) -> Result<Wallet, GenesisError> {
        let usual = Wallet::default();
        let phrase = match (&self.mnemonic, self.mnemonic_random, self.mnemonic_seed_unsafe) {
            (Some(phrase), _, _) => phrase.clone(),
            (None, Some(words), _) => Wallet::random_phrase(words, &mut rand::thread_rng())?,
            (None, None, Some(seed)) => Wallet::seeded_phrase(seed),
            (None, None, None) => usual.phrase,
        };
        Ok(Wallet { phrase, path: self.derivation_path.clone() })
    }
}

/// How the chain's rules differ from Ethereum's, and how it begins.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleArgs {
    /// Timestamp of the genesis block, in seconds since 1970; now, unless told otherwise.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timestamp: Option<u64>,
    /// Base fee of the first two blocks, in wei per gas.
    #[arg(long, visible_alias = "base-fee", value_name = "WEI")]
    pub(crate) block_base_fee_per_gas: Option<u64>,
    /// Longest code of a contract, in bytes; 24,576 unless told otherwise (EIP-170).
    #[arg(long, value_name = "BYTES", conflicts_with = "disable_code_size_limit")]
    pub(crate) code_size_limit: Option<u64>,
    /// Take code of any length.
    #[arg(long)]
    pub(crate) disable_code_size_limit: bool,
    /// Take transactions of any gas limit.
    #[arg(long, conflicts_with = "gas_limit")]
    pub(crate) disable_block_gas_limit: bool,
    /// Refuse transactions with a gas limit above 16,777,216, as Ethereum does from Osaka on (EIP-7825).
    #[arg(long, visible_alias = "tx-gas-limit")]
    pub(crate) enable_tx_gas_limit: bool,
    /// Begin without the factory for CREATE2 that deployment scripts expect.
    #[arg(long, visible_alias = "no-create2")]
    pub(crate) disable_default_create2_deployer: bool,
}

impl RuleArgs {
    pub(crate) fn base_fee(&self) -> u64 {
        self.block_base_fee_per_gas.unwrap_or(BASE_FEE_WEI)
    }

    pub(crate) fn limits(&self) -> ExecutionLimits {
        ExecutionLimits {
            code_bytes_max: self.code_size_limit.or(self.disable_code_size_limit.then_some(u64::MAX)),
            transaction_gas_max: (!self.enable_tx_gas_limit).then_some(u64::MAX),
        }
    }

    pub(crate) const fn create2_factory(&self) -> Create2Factory {
        if self.disable_default_create2_deployer { Create2Factory::Absent } else { Create2Factory::Deployed }
    }
}

/// Files with a state: to begin with, and to leave behind.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "State in files, as anvil has it")]
pub(crate) struct StateArgs {
    /// Begin with the accounts of a genesis.json besides the chain's own, and with its chain id, time and base fee.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["genesis", "load_state", "state"])]
    pub(crate) init: Option<PathBuf>,
    /// Begin with the accounts of a state that anvil or `parapet dev` dumped.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["genesis", "state"])]
    pub(crate) load_state: Option<PathBuf>,
    /// Dump the state to a file when the node stops, and every so often before; in a folder, to its `state.json`.
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    pub(crate) dump_state: Option<PathBuf>,
    /// Both: begin with the state of the file if there is one, and dump the state to it.
    #[arg(long, value_name = "FILE", conflicts_with = "genesis")]
    pub(crate) state: Option<PathBuf>,
    /// Seconds between two dumps.
    #[arg(long, short = 's', value_name = "SECONDS", default_value_t = DUMP_SECONDS,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) state_interval: u64,
    /// Write accounts and keys to a file, as JSON in anvil's form.
    #[arg(long, value_name = "FILE")]
    pub(crate) config_out: Option<PathBuf>,
}

impl StateArgs {
    /// The file to begin with, if there is one.
    pub(crate) fn source(&self) -> Option<PathBuf> {
        let state = self.state.as_deref().map(in_folder).filter(|path| path.exists());
        state.or_else(|| self.load_state.as_deref().map(in_folder)).or_else(|| self.init.clone())
    }

    /// The file to leave the state in.
    pub(crate) fn target(&self) -> Option<PathBuf> {
        self.dump_state.as_deref().or(self.state.as_deref()).map(in_folder)
    }

    pub(crate) const fn dump_interval(&self) -> Duration {
        Duration::from_secs(self.state_interval)
    }
}

/// The file that is meant by a path that may be a folder.
fn in_folder(path: &std::path::Path) -> PathBuf {
    if path.is_dir() { path.join("state.json") } else { path.to_owned() }
}

/// What else anvil can be told.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "As anvil has it")]
pub(crate) struct LikenessArgs {
    /// Number of the first block, of a chain that lives in memory and begins with itself.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["datadir", "genesis", "urls", "import"])]
    pub(crate) number: Option<u64>,
    /// Send for every account without a signature, as if all were impersonated.
    #[arg(long, visible_alias = "auto-unlock")]
    pub(crate) auto_impersonate: bool,
    /// Which of the transactions that wait a block takes first.
    #[arg(long, value_enum, default_value = "fees", value_name = "ORDER")]
    pub(crate) order: OrderArg,
    /// Most transactions of one block.
    #[arg(long, value_name = "NUMBER", default_value_t = BLOCK_TRANSACTIONS_MAX, value_parser = transactions)]
    pub(crate) max_transactions: usize,
    /// Admit transactions that their sender cannot pay for yet. One that it still cannot pay for when its block is built is
    /// dropped.
    #[arg(long)]
    pub(crate) disable_pool_balance_checks: bool,
    /// Slots in an epoch: `safe` is the block so many before the newest, `finalized` the one twice as many before.
    #[arg(long, default_value_t = EPOCH_SLOTS, value_name = "NUMBER")]
    pub(crate) slots_in_an_epoch: u64,
    /// Flags without effect here.
    #[command(flatten)]
    pub(crate) idle: IdleArgs,
}

/// How transactions that wait are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OrderArg {
    /// By their effective tips.
    Fees,
    /// As they came.
    Fifo,
}

impl From<OrderArg> for Order {
    fn from(order: OrderArg) -> Self {
        match order {
            OrderArg::Fees => Self::Tips,
            OrderArg::Fifo => Self::Arrival,
        }
    }
}

impl LikenessArgs {
    pub(crate) const fn balances(&self) -> Balances {
        if self.disable_pool_balance_checks { Balances::Ignored } else { Balances::Checked }
    }
}

fn transactions(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=BLOCK_TRANSACTIONS_MAX).contains(&number) => Ok(number),
        _ => Err(format!("give a number from 1 to {BLOCK_TRANSACTIONS_MAX}")),
    }
}

/// Flags of anvil's that are taken and have no effect here; `docs/ANVIL.md` says why of each.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct IdleArgs {
    #[arg(long, visible_alias = "tracing", hide = true)]
    pub(crate) steps_tracing: bool,
    #[arg(long, visible_alias = "enable-trace-printing", hide = true)]
    pub(crate) print_traces: bool,
    #[arg(long, visible_alias = "no-console-log", hide = true)]
    pub(crate) disable_console_log: bool,
    #[arg(long, visible_alias = "no-priority-fee", hide = true)]
    pub(crate) disable_min_priority_fee: bool,
    #[arg(long, hide = true)]
    pub(crate) gas_price: Option<u128>,
    #[arg(long, hide = true)]
    pub(crate) memory_limit: Option<u64>,
    #[arg(long, hide = true)]
    pub(crate) max_persisted_states: Option<usize>,
    #[arg(long, hide = true)]
    pub(crate) transaction_block_keeper: Option<usize>,
    #[arg(long, hide = true)]
    pub(crate) preserve_historical_states: bool,
    #[arg(long, num_args = 0..=1, default_missing_value = "0", hide = true)]
    pub(crate) prune_history: Option<usize>,
    #[arg(long, hide = true)]
    pub(crate) cache_path: Option<PathBuf>,
    #[arg(long, hide = true)]
    pub(crate) color: Option<String>,
    #[arg(long, short, action = clap::ArgAction::Count, hide = true)]
    pub(crate) verbosity: u8,
}

impl IdleArgs {
    /// Those that were given and do something in anvil that does not happen here.
    pub(crate) fn missed(&self) -> Vec<&'static str> {
        let given = [
            (self.print_traces, "--print-traces"),
            (self.memory_limit.is_some(), "--memory-limit"),
            (self.verbosity > 0, "--verbosity"),
            (self.preserve_historical_states, "--preserve-historical-states"),
            (self.prune_history.is_some(), "--prune-history"),
        ];
        given.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::{Args, Command, DevArgs};

    fn dev(flags: &[&str]) -> Result<DevArgs, clap::Error> {
        match Args::try_parse_from(["parapet", "dev"].iter().chain(flags))?.command {
            Command::Dev(dev) => Ok(*dev),
            _ => unreachable!("dev was asked for"),
        }
    }

    #[test]
    fn a_usual_command_line_of_anvils_is_taken() {
        let line = "-a 5 --balance 300 -b 0.5 --mixed-mining -m test --derivation-path m/44'/60'/0'/0/ --port 1 --host 0.0.0.0 \
                    --chain-id 1337 --hardfork cancun --gas-limit 12000000 --base-fee 0 --gas-price 0 --timestamp 5 --order fees \
                    --code-size-limit 50000 --auto-impersonate --steps-tracing --slots-in-an-epoch 1 --dump-state x -s 5 \
                    --disable-console-log --no-priority-fee --tx-gas-limit --config-out y --silent";
        let dev = dev(&line.split_whitespace().collect::<Vec<_>>()).expect("it is taken");
        assert_eq!(dev.block_time.map(|time| time.as_millis()), Some(500));
        assert_eq!(dev.chain.rules.limits().code_bytes_max, Some(50_000));
        assert_eq!(dev.chain.rules.limits().transaction_gas_max, None);
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        for line in [
            "--mnemonic a --mnemonic-random",
            "--mixed-mining",
            "--state a --dump-state b",
            "--code-size-limit 1 --disable-code-size-limit",
            "--order chaos",
            "--max-transactions 0",
            "-b 0",
            "-b 0.0001",
        ] {
            assert!(dev(&line.split(' ').collect::<Vec<_>>()).is_err(), "{line}");
        }
    }

    #[test]
    fn each_way_to_a_phrase_gives_one() {
        let wallet = |flags: &[&str]| dev(flags).expect("it is taken").chain.wallet.wallet().expect("a wallet");
        assert_eq!(wallet(&[]), parapet_genesis::Wallet::default());
        assert_eq!(wallet(&["--mnemonic-random", "24"]).phrase.split(' ').count(), 24);
        assert_ne!(wallet(&["--mnemonic-random"]), wallet(&["--mnemonic-random"]));
        let seeded = wallet(&["--mnemonic-seed-unsafe", "1"]).phrase;
        assert_eq!(seeded, "gesture car maximum regret pudding merry fatal electric sea grab crack social");
    }
}

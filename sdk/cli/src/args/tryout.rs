//! Arguments of the commands by which guards are tried out before they are attached.

use std::path::PathBuf;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256};
use clap::{ArgGroup, Args};

use super::{FailureArg, NodeArgs, block, name_and_value};
use crate::range::BlockRange;

/// Terms by which a guard is tried out that is attached nowhere.
#[derive(Clone, Debug, Args)]
pub struct TryoutArgs {
    /// Account that the guard is to guard; may be given up to 64 times.
    #[arg(long = "account", value_name = "ADDRESS", conflicts_with = "chain_wide")]
    pub accounts: Vec<Address>,
    /// Guard every account of the chain.
    #[arg(long)]
    pub chain_wide: bool,
    /// Take accounts and parameters of this attachment, where none are given.
    #[arg(long = "like", value_name = "ATTACHMENT", conflicts_with = "chain_wide")]
    pub like: Option<B256>,
    /// A parameter of the guard, as in tx_max=1000, 'tx_max=1 ether' or allow_callers=0x…,0x…
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// What follows when the guard traps or exceeds a limit.
    #[arg(long, value_enum, default_value_t = FailureArg::Closed)]
    pub failure: FailureArg,
    /// Fuel for one transaction, at most 100,000,000; 0 takes the registry's default.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub fuel_max: u64,
    /// Number of a trigger that wakes the guard, from 0, in the order of its descriptor; all without it.
    #[arg(long = "trigger", value_name = "N", value_parser = clap::value_parser!(u8).range(0..32))]
    pub triggers: Vec<u8>,
}

/// A guard that is tried out beside those of the chain, if one is wanted.
#[derive(Clone, Debug, Args)]
pub struct WithArgs {
    /// Try this guard out, too: a module's file, the name of a guard that is shipped, or the hash of a deployed module.
    /// Needs --account, --chain-wide or --like.
    #[arg(long = "with", value_name = "FILE.WASM | NAME | HASH")]
    pub with: Option<String>,
    /// Its terms.
    #[command(flatten)]
    pub terms: TryoutArgs,
}

/// `record`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parapet guard record 0x3a…f1                        writes 3a0c12f1.recording.json
  parapet guard record 0x3a…f1 --out attack.json
  parapet guard record 0x3a…f1 --with my_guard.wasm --account 0x5F…9b
      records what my_guard looks at as well, so that its test finds it")]
pub struct RecordArgs {
    /// Hash of a transaction that is in a block.
    #[arg(value_name = "TX HASH")]
    pub transaction: B256,
    /// Where to write it; without it, the first digits of the hash with .recording.json behind them.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    pub force: bool,
    /// Whose looks are recorded, too.
    #[command(flatten)]
    pub with: WithArgs,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `backtest`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parapet guard backtest outflow_cap --account 0x5F…9b
      tries the shipped guard on every transaction that the node has
  parapet guard backtest my_guard.wasm --account 0x5F…9b --param 'tx_max=5 ether' --blocks 100..200
  parapet guard backtest my_guard.wasm --like 0x9c…20 --blocks 5000.. --json")]
pub struct BacktestArgs {
    /// The guard: a module's file, the name of a guard that is shipped, or the hash of a deployed module.
    #[arg(value_name = "FILE.WASM | NAME | HASH")]
    pub module: String,
    /// Blocks to try it on, both ends included: 100..200, 100.., ..200, or one alone. All without it.
    #[arg(long, value_name = "A..B", default_value = "..")]
    pub blocks: BlockRange,
    /// Its terms.
    #[command(flatten)]
    pub terms: TryoutArgs,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `diff`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parapet guard diff v1.wasm v2.wasm --account 0x5F…9b --blocks 100..200
  parapet guard diff v1.wasm v1.wasm --like 0x9c…20 --new-param tx_max=500
      one guard, with another parameter
  parapet guard diff v1.wasm v2.wasm --like 0x9c…20 --fuel-percent 50")]
pub struct DiffArgs {
    /// One guard: a module's file, the name of a guard that is shipped, or the hash of a deployed module.
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The other one.
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Blocks to try both on, both ends included: 100..200, 100.., ..200, or one alone. All without it.
    #[arg(long, value_name = "A..B", default_value = "..")]
    pub blocks: BlockRange,
    /// Tell transactions on which the new one spends more or less fuel by more than this many percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    pub fuel_percent: u32,
    /// A parameter of the new guard alone; in place of one that both are given.
    #[arg(long = "new-param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub new_parameters: Vec<(String, String)>,
    /// The terms of both.
    #[command(flatten)]
    pub terms: TryoutArgs,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `simulate`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
#[command(after_help = "\
Examples:
  parapet guard simulate 0x3a…f1
      executes a transaction once more in its block
  parapet guard simulate --from 0xf3…66 --to 0x5F…9b --sig 'withdraw(uint256)' '3 ether'
  parapet guard simulate --to 0x5F…9b --data 0x3ccfd60b --with my_guard.wasm --account 0x5F…9b")]
pub struct SimulateArgs {
    /// Hash of a transaction that is in a block.
    #[arg(value_name = "TX HASH", group = "what", conflicts_with_all = ["to", "from", "value", "data", "sig", "block"])]
    pub transaction: Option<B256>,
    /// A call instead: whom it calls.
    #[arg(long, value_name = "ADDRESS", group = "what")]
    pub to: Option<Address>,
    /// Who calls; the zero address without it.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<Address>,
    /// Value in wei, or with its unit, as in '1 ether'.
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub value: Option<U256>,
    /// Calldata; the init code of a creation where --to is not given.
    #[arg(long, value_name = "HEX", group = "what", conflicts_with = "sig")]
    pub data: Option<Bytes>,
    /// A function's signature and its arguments instead of calldata.
    #[arg(long, value_names = ["SIGNATURE", "ARGUMENTS"], num_args = 1.., requires = "to")]
    pub sig: Vec<String>,
    /// The block after which the call runs: a number, a hash, or latest.
    #[arg(long, value_name = "BLOCK", value_parser = block, default_value = "latest")]
    pub block: BlockId,
    /// A guard that is attached nowhere.
    #[command(flatten)]
    pub with: WithArgs,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `watch`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parapet guard watch
      vetoes and alerts of all attachments, as blocks come, until Ctrl-C
  parapet guard watch --attachment 0x9c…20 --all --json
  parapet guard watch --with my_guard.wasm --account 0x5F…9b
      a monitor of your own: it needs no authority, costs nobody gas, and can only tell")]
pub struct WatchArgs {
    /// Only what this attachment says; may be given several times. All without it.
    #[arg(long = "attachment", value_name = "ATTACHMENT", conflicts_with = "with")]
    pub attachments: Vec<B256>,
    /// Tell it, too, when a guard had nothing to object to.
    #[arg(long)]
    pub all: bool,
    /// First block to tell of; without it, the next one.
    #[arg(long, value_name = "N")]
    pub from_block: Option<u64>,
    /// A guard that is attached nowhere, instead of the chain's.
    #[command(flatten)]
    pub with: WithArgs,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Wei, or a number with its unit.
fn amount(text: &str) -> Result<U256, String> {
    use alloy_dyn_abi::{DynSolType, DynSolValue};
    match DynSolType::Uint(256).coerce_str(text) {
        Ok(DynSolValue::Uint(amount, _)) => Ok(amount),
        Ok(_) | Err(_) => Err("write wei, or a number with its unit, as in '1.5 ether' or '20 gwei'".to_owned()),
    }
}

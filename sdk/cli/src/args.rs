//! The command line of `parapet guard`.

mod life;
mod tryout;

use std::path::PathBuf;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

pub use life::{
    AccountArgs, AuthorityArgs, ChangeArgs, ConfigureArgs, DelayArgs, KindArg, LifeArgs, ManagerArgs, PendingArgs,
    ProveArgs, ShowArgs, TermsArgs, UpgradeArgs,
};
pub use tryout::{BacktestArgs, DiffArgs, RecordArgs, SimulateArgs, TryoutArgs, WatchArgs, WithArgs};

/// Builds, deploys, attaches and watches guards.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Print one JSON object instead of text; of an error too.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: GuardCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum GuardCommand {
    /// Make a guard's crate that builds and passes its tests at once.
    New(NewArgs),
    /// Run the tests of a guard's crate, and show the same to its module.
    Test(TestArgs),
    /// Compile a guard's crate to Wasm and vet the result.
    Build(BuildArgs),
    /// Vet a module as a node would, show what it says about itself, and estimate what it costs at worst.
    Check(CheckArgs),
    /// Try a guard on the transactions of the past: whom it would have vetoed, and what it costs.
    Backtest(BacktestArgs),
    /// Try two guards on the same transactions, and show where they differ.
    Diff(DiffArgs),
    /// Show what guards say of a call, or of a transaction once more.
    Simulate(SimulateArgs),
    /// Write a transaction to a file, with the state it met and its trace, for the test of a guard.
    Record(RecordArgs),
    /// Tell what guards say, as blocks come; of the chain's, or of a monitor of your own.
    Watch(WatchArgs),
    /// Upload and register a module; what is there already is skipped.
    Deploy(DeployArgs),
    /// Bind a deployed guard to accounts.
    Attach(AttachArgs),
    /// List modules and attachments.
    List(ListArgs),
    /// Show what guards said of a transaction, in a block, or what one attachment said.
    Verdicts(VerdictsArgs),
    /// Show one attachment whole: its terms, what it said so far, what waits for it.
    Show(ShowArgs),
    /// List changes that wait.
    Pending(PendingArgs),
    /// Ask a contract that is attached, as its author lets readers.
    Query(QueryArgs),
    /// Move an attachment between shadow and enforce.
    SetMode(ModeArgs),
    /// Replace the parameters of an attachment's guard.
    Configure(ConfigureArgs),
    /// Replace an attachment's guard and its parameters; its state stays.
    Upgrade(UpgradeArgs),
    /// Change how an attachment judges: limits, failure, escapes, triggers, the share of vetoes that demotes it.
    SetTerms(TermsArgs),
    /// Change for how long an attachment's changes wait.
    SetDelay(DelayArgs),
    /// Do a change that has waited long enough; anyone may.
    Apply(ChangeArgs),
    /// Drop a change that waits.
    Cancel(ChangeArgs),
    /// Let an attachment go on although it vetoes more than it declared: what was counted towards its demotion is forgotten.
    Keep(HoldArgs),
    /// Offer the office of an attachment's manager.
    ProposeManager(ManagerArgs),
    /// Take the office of an attachment's manager.
    AcceptManager(HoldArgs),
    /// Remove an attachment.
    Detach(HoldArgs),
    /// Stop an attachment from judging, at once; the guardian's right.
    Pause(HoldArgs),
    /// Let a paused attachment judge again; the guardian's right, and the accounts' authority's.
    Unpause(HoldArgs),
    /// Tell in whose hands an account is.
    Authority(AuthorityArgs),
    /// Take an account over that changed hands, with its guards.
    ConfirmAuthority(AccountArgs),
    /// Show that the key's address created an account that has no owner.
    ProveDeployer(ProveArgs),
}

/// The node to speak to.
#[derive(Clone, Debug, Args)]
pub struct NodeArgs {
    /// Address of the node's JSON-RPC.
    #[arg(long, env = "PARAPET_RPC_URL", value_name = "URL", default_value = "http://127.0.0.1:8545")]
    pub rpc_url: String,
}

/// The node to speak to, and who speaks.
#[derive(Clone, Debug, Args)]
pub struct SignerArgs {
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
    /// Private key that signs: 0x and 64 hex digits.
    #[arg(long, env = "PARAPET_PRIVATE_KEY", hide_env_values = true, value_name = "KEY")]
    pub private_key: String,
}

/// `new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Folder to make; its name becomes the guard's.
    #[arg(value_name = "NAME")]
    pub path: PathBuf,
    /// A CosmWasm contract in place of a native guard.
    #[arg(long)]
    pub cosmwasm: bool,
    /// Checkout of Parapet whose SDK the guard uses; without it, the one around here, or the one this program is from.
    #[arg(long, value_name = "DIR")]
    pub sdk: Option<PathBuf>,
}

/// `test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Folder of the guard's crate.
    #[arg(value_name = "CRATE DIR", default_value = ".")]
    pub crate_dir: PathBuf,
    /// Leave the module alone: run the tests natively, and no more.
    #[arg(long)]
    pub native: bool,
    /// What cargo test is given besides, as in -- --nocapture or the name of a test.
    #[arg(last = true, value_name = "CARGO ARGS")]
    pub cargo: Vec<String>,
}

/// `build`
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Folder of the guard's crate.
    #[arg(value_name = "CRATE DIR", default_value = ".")]
    pub crate_dir: PathBuf,
    /// Where to put the module; without it, it stays in the crate's target folder.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `check`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parapet guard check reentrancy
  parapet guard check my_guard.wasm --param 'tx_max=5 ether'
      asks its init for these parameters, and runs it with them to estimate its fuel")]
pub struct CheckArgs {
    /// The module, the name of a guard that is shipped, or the folder of a guard's crate, which is built first.
    #[arg(value_name = "FILE.WASM | NAME | CRATE DIR", default_value = ".")]
    pub module: String,
    /// A parameter of the guard, as in tx_max=1000 or 'tx_max=1 ether'; its defaults without it.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
}

/// `deploy`
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The module, or the name of a guard that is shipped.
    #[arg(value_name = "FILE.WASM | NAME")]
    pub module: String,
    /// Who deploys.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `attach`
#[derive(Debug, Args)]
pub struct AttachArgs {
    /// Hash of a deployed module, or the name of a guard that is shipped.
    #[arg(value_name = "MODULE HASH | NAME")]
    pub module: String,
    /// Account to guard; may be given 1 to 64 times. The key needs authority over each: see `parapet guard authority`.
    #[arg(long = "account", value_name = "ADDRESS", required_unless_present = "chain_wide")]
    pub accounts: Vec<Address>,
    /// Guard every account of the chain; governance's right.
    #[arg(long, conflicts_with = "accounts")]
    pub chain_wide: bool,
    /// A parameter of the guard, as in tx_max=1000, 'tx_max=1 ether' or allow_callers=0x…,0x…
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// What verdicts do.
    #[arg(long, value_enum, default_value_t = ModeArg::Enforce)]
    pub mode: ModeArg,
    /// What follows when the guard traps or exceeds a limit: closed vetoes, open lets through with an alert.
    #[arg(long, value_enum, default_value_t = FailureArg::Closed)]
    pub failure: FailureArg,
    /// Lower judges first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub priority: u32,
    /// Fuel for one transaction, at most 100,000,000; 0 takes the registry's default.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub fuel_max: u64,
    /// Its life.
    #[command(flatten)]
    pub life: LifeArgs,
    /// Who attaches.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `verdicts`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true))]
pub struct VerdictsArgs {
    /// Hash of a transaction.
    #[arg(value_name = "TX HASH", group = "whose")]
    pub transaction: Option<B256>,
    /// A block instead: a number, a hash, or latest. Shows what was said of the chain's own calls and withdrawals, too.
    #[arg(long, value_name = "BLOCK", group = "whose", value_parser = block)]
    pub block: Option<BlockId>,
    /// An attachment instead, by its id.
    #[arg(long, value_name = "ATTACHMENT", group = "whose")]
    pub attachment: Option<B256>,
    /// First block to look for the attachment's verdicts in; without it, genesis.
    #[arg(long, value_name = "N", requires = "attachment")]
    pub from_block: Option<u64>,
    /// Last one; without it, the head.
    #[arg(long, value_name = "N", requires = "attachment")]
    pub to_block: Option<u64>,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `query`
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// The message, as the contract's page has it: {"window":{}}.
    #[arg(value_name = "JSON")]
    pub message: String,
    /// The block after which the state is looked at: a number, a hash, or latest.
    #[arg(long, value_name = "BLOCK", value_parser = block, default_value = "latest")]
    pub block: BlockId,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `set-mode`
#[derive(Debug, Args)]
pub struct ModeArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// What verdicts do from now on.
    #[arg(value_enum)]
    pub mode: ModeArg,
    /// Who has authority over the attachment's accounts.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `detach`, `pause`, `unpause`, `keep`, `accept-manager`
#[derive(Debug, Args)]
pub struct HoldArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// Who has the right to.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// What verdicts do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Judge and record, never act.
    Shadow,
    /// Judge, record, and act.
    Enforce,
}

/// What follows when a guard cannot finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailureArg {
    /// Veto.
    Closed,
    /// Let through, with an alert.
    Open,
}

fn block(text: &str) -> Result<BlockId, String> {
    text.parse().map_err(|_| "write a number, a hash (0x and 64 hex digits), latest or earliest".to_owned())
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write NAME=VALUE, as in tx_max=1000".to_owned()),
    }
}

//! `parapet guard …`: new, test, build, check, try out, deploy, attach, and all of an attachment's life. The `parapet` program
//! mounts it.
//!
//! ```text
//! args (clap) → command → Report (text and JSON) or CliError → stdout, exit code
//! ```
//!
//! Assumptions and invariants:
//! - Commands speak to a node through public JSON-RPC alone: what they do, any Ethereum tool can do.
//! - Standard output holds the result and nothing else, one JSON object with `--json`, errors included; progress goes to
//!   standard error. `watch` tells one thing on each line.
//! - Exit code 0: done. 1: refused, by the node, by vetting, or because the result could not be had. 2: wrong use.
//! - Absent: no transaction is executed here; guards are tried out by the node, which has the history, and run here only to
//!   estimate their fuel on a made-up trace, and to compare them with what a test played. Vetting is `parapet-vm`'s and
//!   `parapet-cosmwasm`'s, the registry's interface `parapet-registry`'s.

mod args;
pub mod artifacts;
mod attach;
mod authority;
mod backtest;
pub mod build;
mod candidate;
mod changes;
mod check;
mod control;
mod deploy;
mod diff;
mod error;
mod list;
mod module;
mod new;
mod node;
pub mod parameters;
mod query;
mod range;
mod record;
mod report;
pub mod shipped;
mod show;
mod simulate;
mod terms;
mod test;
mod verdicts;
mod watch;

use std::process::ExitCode;

pub use args::{
    AccountArgs, AttachArgs, AuthorityArgs, BacktestArgs, BuildArgs, ChangeArgs, CheckArgs, ConfigureArgs, DelayArgs,
    DeployArgs, DiffArgs, GuardArgs, GuardCommand, HoldArgs, KindArg, LifeArgs, ListArgs, ManagerArgs, ModeArgs,
    NewArgs, NodeArgs, PendingArgs, ProveArgs, QueryArgs, RecordArgs, ShowArgs, SignerArgs, SimulateArgs, TermsArgs,
    TestArgs, TryoutArgs, UpgradeArgs, VerdictsArgs, WatchArgs, WithArgs,
};
pub use error::{CliError, Exit};
pub use module::Refusal;
pub use range::{BlockRange, RangeError};
pub use report::{Form, Report};
pub use test::Difference;

/// Runs a command and prints what came of it. Brings its own asynchronous runtime: call it outside of one.
#[must_use]
pub fn run(args: GuardArgs) -> ExitCode {
    let form = if args.json { Form::Json } else { Form::Text };
    let outcome = execute(args.command, form);
    report::print(&outcome, form);
    match outcome {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => error.exit().into(),
    }
}

/// Runs a command; progress goes to standard error. One that tells while it runs does so in the form that is asked for.
///
/// # Errors
/// [`CliError`] says what was wrong, where, and what to do.
pub fn execute(command: GuardCommand, form: Form) -> Result<Report, CliError> {
    match command {
        GuardCommand::New(args) => new::run(&args),
        GuardCommand::Test(args) => test::run(&args),
        GuardCommand::Build(args) => build::run(&args),
        GuardCommand::Check(args) => check::run(&args),
        GuardCommand::Deploy(args) => on_runtime(deploy::run(&args)),
        GuardCommand::Attach(args) => on_runtime(attach::run(&args)),
        GuardCommand::List(args) => on_runtime(list::run(&args)),
        GuardCommand::Verdicts(args) => on_runtime(verdicts::run(&args)),
        GuardCommand::Show(args) => on_runtime(show::run(&args)),
        GuardCommand::Pending(args) => on_runtime(changes::pending(&args)),
        GuardCommand::Apply(args) => on_runtime(changes::apply(&args)),
        GuardCommand::Cancel(args) => on_runtime(changes::cancel(&args)),
        GuardCommand::Configure(args) => on_runtime(control::configure(&args)),
        GuardCommand::Upgrade(args) => on_runtime(control::upgrade(&args)),
        GuardCommand::SetTerms(args) => on_runtime(control::set_terms(&args)),
        GuardCommand::SetDelay(args) => on_runtime(control::set_delay(&args)),
        GuardCommand::ProposeManager(args) => on_runtime(control::propose_manager(&args)),
        GuardCommand::Keep(args) => on_runtime(control::keep(&args)),
        GuardCommand::AcceptManager(args) => on_runtime(control::accept_manager(&args)),
        GuardCommand::Authority(args) => on_runtime(authority::show(&args)),
        GuardCommand::ConfirmAuthority(args) => on_runtime(authority::confirm(&args)),
        GuardCommand::ProveDeployer(args) => on_runtime(authority::prove(&args)),
        GuardCommand::Record(args) => on_runtime(record::run(&args)),
        GuardCommand::Backtest(args) => on_runtime(backtest::run(&args)),
        GuardCommand::Diff(args) => on_runtime(diff::run(&args)),
        GuardCommand::Simulate(args) => on_runtime(simulate::run(&args)),
        GuardCommand::Watch(args) => on_runtime(watch::run(&args, form)),
        GuardCommand::Query(args) => on_runtime(query::run(&args)),
        GuardCommand::SetMode(args) => on_runtime(control::set_mode(&args)),
        GuardCommand::Detach(args) => on_runtime(control::detach(&args)),
        GuardCommand::Pause(args) => on_runtime(control::pause(&args)),
        GuardCommand::Unpause(args) => on_runtime(control::unpause(&args)),
    }
}

/// A guard that is not attached to a chain: its module, and its parameters as `abi.encode` gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The module.
    pub module: Vec<u8>,
    /// The parameters.
    pub configuration: Vec<u8>,
}

/// Reads a module, given as a file or as the name of a shipped guard, vets it, and encodes its parameters.
///
/// # Errors
/// [`CliError`] says what was wrong, where, and what to do.
pub fn prepare(given: &str, parameters: &[(String, String)]) -> Result<Prepared, CliError> {
    let module = module::Module::open(given)?;
    let configuration = parameters::encode(&module.descriptor, parameters)?;
    Ok(Prepared { module: module.wasm.into_owned(), configuration })
}

fn on_runtime<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(command)
}

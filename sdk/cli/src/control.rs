//! Small changes of an attachment: mode, pause, removal. Each succeeds when things are so already.

use alloy_primitives::B256;
use alloy_sol_types::SolCall;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::json;

use crate::{CliError, HoldArgs, ModeArgs, Report, SignerArgs, args::ModeArg, attach, node::Client};

pub(crate) async fn set_mode(args: &ModeArgs) -> Result<Report, CliError> {
    let call = registry::setModeCall { id: args.attachment, mode: attach::mode(args.mode) };
    let outcome = match args.mode {
        ModeArg::Shadow => "judges in shadow",
        ModeArg::Enforce => "enforces its verdicts",
    };
    change(&args.signer, args.attachment, "changing the mode", &call, outcome).await
}

pub(crate) async fn detach(args: &HoldArgs) -> Result<Report, CliError> {
    let call = registry::detachCall { id: args.attachment };
    change(&args.signer, args.attachment, "detaching", &call, "is detached").await
}

pub(crate) async fn pause(args: &HoldArgs) -> Result<Report, CliError> {
    let call = registry::pauseCall { id: args.attachment };
    change(&args.signer, args.attachment, "pausing", &call, "is paused").await
}

pub(crate) async fn unpause(args: &HoldArgs) -> Result<Report, CliError> {
    let call = registry::unpauseCall { id: args.attachment };
    change(&args.signer, args.attachment, "unpausing", &call, "judges again").await
}

async fn change<C: SolCall>(
    signer: &SignerArgs,
    attachment: B256,
    what: &'static str,
    call: &C,
    outcome: &str,
) -> Result<Report, CliError> {
    let client = Client::connect(signer).await?;
    let receipt = client.send(what, call).await?;
    let transaction = receipt.transaction_hash;
    Ok(Report {
        text: format!("attachment {attachment} {outcome} (transaction {transaction})"),
        json: json!({ "attachment": attachment, "outcome": outcome, "transaction": transaction }),
    })
}

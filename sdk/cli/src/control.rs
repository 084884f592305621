//! Changes of an attachment. Each succeeds when things are so already; what its delay puts off waits, and the report says until
//! when.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolCall;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::json;

use crate::{
    CliError, ConfigureArgs, DelayArgs, HoldArgs, ManagerArgs, ModeArgs, Report, SignerArgs, TermsArgs, UpgradeArgs,
    args::ModeArg,
    attach::{self, fetch, hash_of},
    changes::Waiting,
    deploy::registered,
    node::Client,
    terms,
};

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

pub(crate) async fn keep(args: &HoldArgs) -> Result<Report, CliError> {
    let call = registry::keepCall { id: args.attachment };
    change(&args.signer, args.attachment, "keeping it", &call, "stays as it is; what was counted is forgotten").await
}

pub(crate) async fn configure(args: &ConfigureArgs) -> Result<Report, CliError> {
    let client = Client::connect(&args.signer).await?;
    let standing = attachment(&client, args.attachment).await?;
    let module = fetch(&client.node, standing.module).await?;
    let configuration = module.encode(&args.parameters)?.into();
    let call = registry::setConfigurationCall { id: args.attachment, configuration };
    sent(&client, args.attachment, "changing the configuration", &call, "has the new configuration").await
}

pub(crate) async fn upgrade(args: &UpgradeArgs) -> Result<Report, CliError> {
    let hash = hash_of(&args.module)?;
    let client = Client::connect(&args.signer).await?;
    if !registered(&client, hash).await? {
        return Err(CliError::NotDeployed { module: hash, given: args.module.clone() });
    }
    let module = fetch(&client.node, hash).await?;
    let configuration = module.encode(&args.parameters)?.into();
    let call = registry::upgradeCall { id: args.attachment, module: hash, configuration };
    let outcome = format!("has guard {} {}, and keeps its state", module.descriptor.name, module.descriptor.version);
    sent(&client, args.attachment, "upgrading", &call, &outcome).await
}

pub(crate) async fn set_terms(args: &TermsArgs) -> Result<Report, CliError> {
    let client = Client::connect(&args.signer).await?;
    let standing = attachment(&client, args.attachment).await?;
    let terms = terms::changed(&standing.terms, args);
    let outcome = format!("judges by new terms: {}", terms::text(&terms));
    let call = registry::setTermsCall { id: args.attachment, terms };
    sent(&client, args.attachment, "changing the terms", &call, &outcome).await
}

pub(crate) async fn set_delay(args: &DelayArgs) -> Result<Report, CliError> {
    let call = registry::setDelayCall { id: args.attachment, delay: args.delay };
    let outcome = format!("has a delay of {} s", args.delay);
    change(&args.signer, args.attachment, "changing the delay", &call, &outcome).await
}

pub(crate) async fn propose_manager(args: &ManagerArgs) -> Result<Report, CliError> {
    let call = registry::proposeManagerCall { id: args.attachment, next: args.next };
    let outcome = match args.next {
        Address::ZERO => "offers its manager's office to nobody".to_owned(),
        next => format!("offers its manager's office to {next}, who takes it by `parapet guard accept-manager`"),
    };
    change(&args.signer, args.attachment, "offering the manager's office", &call, &outcome).await
}

pub(crate) async fn accept_manager(args: &HoldArgs) -> Result<Report, CliError> {
    let client = Client::connect(&args.signer).await?;
    let call = registry::acceptManagerCall { id: args.attachment };
    let outcome = format!("is run by {}", client.address);
    sent(&client, args.attachment, "taking the manager's office", &call, &outcome).await
}

async fn attachment(client: &Client, id: B256) -> Result<registry::AttachmentInfo, CliError> {
    client.node.read("reading the attachment", &registry::attachmentCall { id }).await
}

async fn change<C: SolCall>(
    signer: &SignerArgs,
    attachment: B256,
    what: &'static str,
    call: &C,
    outcome: &str,
) -> Result<Report, CliError> {
    sent(&Client::connect(signer).await?, attachment, what, call, outcome).await
}

async fn sent<C: SolCall>(
    client: &Client,
    attachment: B256,
    what: &'static str,
    call: &C,
    outcome: &str,
) -> Result<Report, CliError> {
    let receipt = client.send(what, call).await?;
    let transaction = receipt.transaction_hash;
    let waiting = Waiting::in_receipt(&receipt, attachment);
    let text = match &waiting {
        None => format!("attachment {attachment} {outcome} (transaction {transaction})"),
        Some(waiting) => format!("{what} {} (transaction {transaction})", waiting.line(attachment)),
    };
    let json = json!({
        "attachment": attachment,
        "outcome": if waiting.is_some() { "waits" } else { outcome },
        "waiting": waiting.map(|waiting| waiting.json()),
        "transaction": transaction,
    });
    Ok(Report { text, json })
}

//! `parapet guard attach`: binds a deployed guard to accounts, with parameters by name.

use std::borrow::Cow;

use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::SolEvent as _;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::json;

use crate::{
    AttachArgs, CliError, Report,
    args::ModeArg,
    changes::Waiting,
    deploy::registered,
    module::Module,
    node::{Client, Node},
    report::{grouped, progress},
    shipped, terms,
};

pub(crate) async fn run(args: &AttachArgs) -> Result<Report, CliError> {
    let hash = hash_of(&args.module)?;
    let client = Client::connect(&args.signer).await?;
    if !registered(&client, hash).await? {
        return Err(CliError::NotDeployed { module: hash, given: args.module.clone() });
    }
    let module = fetch(&client.node, hash).await?;
    let configuration = module.encode(&args.parameters)?;
    let decoded = module.decode(&configuration).unwrap_or_default();
    progress(&format!("attaching {} {} to {}", module.descriptor.name, hash, whom(args)));
    let request = registry::AttachRequest {
        module: hash,
        accounts: args.accounts.clone(),
        configuration: configuration.into(),
        mode: mode(args.mode),
        manager: args.life.manager.unwrap_or_default(),
        delay: args.life.delay,
        terms: terms::of_new(args),
    };
    let what = "attaching the guard";
    let receipt = if args.chain_wide {
        client.send(what, &registry::attachChainWideCall { request }).await?
    } else {
        client.send(what, &registry::attachCall { request }).await?
    };
    let (id, waiting) = match (attached(&receipt), Waiting::attached_in(&receipt)) {
        (Some(id), _) => (id, None),
        (None, Some((id, waiting))) => (id, Some(waiting)),
        (None, None) => return Err(CliError::Failed { what: "attaching", transaction: receipt.transaction_hash }),
    };
    Ok(report(args, &module, &decoded, (id, waiting), &receipt))
}

/// A module's hash, or that of a shipped guard.
pub(crate) fn hash_of(given: &str) -> Result<B256, CliError> {
    match (shipped::find(given), given.parse()) {
        (Some(shipped), _) => Ok(shipped.hash()),
        (None, Ok(hash)) if given.starts_with("0x") => Ok(hash),
        (None, _) => Err(CliError::NoSuchGuard { given: given.to_owned(), known: shipped::names() }),
    }
}

/// The module as the chain has it.
pub(crate) async fn fetch(node: &Node, hash: B256) -> Result<Module, CliError> {
    let wasm = node.read("reading the module", &registry::moduleCodeCall { module: hash }).await?;
    Module::vet(&hash.to_string(), Cow::Owned(wasm.into()))
}

fn whom(args: &AttachArgs) -> String {
    if args.chain_wide { "the whole chain".to_owned() } else { format!("{} accounts", args.accounts.len()) }
}

/// The id that the registry gave.
fn attached(receipt: &TransactionReceipt) -> Option<B256> {
    let mut logs = receipt.logs().iter();
    logs.find_map(|log| registry::Attached::decode_log(&log.inner).ok()).map(|event| event.attachment)
}

pub(crate) const fn mode(mode: ModeArg) -> registry::Mode {
    match mode {
        ModeArg::Shadow => registry::Mode::Shadow,
        ModeArg::Enforce => registry::Mode::Enforce,
    }
}

fn report(
    args: &AttachArgs,
    module: &Module,
    parameters: &[(String, String)],
    (id, waiting): (B256, Option<Waiting>),
    receipt: &TransactionReceipt,
) -> Report {
    let mode = if args.mode == ModeArg::Enforce { "enforce" } else { "shadow" };
    let accounts = args.accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let accounts = if args.chain_wide { whom(args) } else { accounts };
    let mut lines = vec![
        format!("attachment {id}"),
        format!("guard      {} {} (module {})", module.descriptor.name, module.descriptor.version, module.hash),
        format!("mode       {mode}"),
        format!("accounts   {accounts}"),
    ];
    lines.extend(parameters.iter().map(|(name, value)| format!("parameter  {name} = {value}")));
    if let Some(waiting) = &waiting {
        lines.push(format!("attaching  {}", waiting.line(id)));
    }
    lines.push(format!("cost       {} gas, transaction {}", grouped(receipt.gas_used), receipt.transaction_hash));
    let json = json!({
        "attachment": id,
        "module": module.hash,
        "guard": module.descriptor.name,
        "mode": mode,
        "waiting": waiting.map(|waiting| waiting.json()),
        "accounts": args.accounts,
        "parameters": by_name(parameters),
        "configuration": Bytes::from(module.encode(&args.parameters).unwrap_or_default()),
        "transaction": receipt.transaction_hash,
        "gasUsed": receipt.gas_used,
    });
    Report { text: lines.join("\n"), json }
}

/// Parameters as a JSON object.
pub(crate) fn by_name(parameters: &[(String, String)]) -> serde_json::Map<String, serde_json::Value> {
    parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
}

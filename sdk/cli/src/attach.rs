//! `parapet guard attach`: binds a deployed guard to accounts, with parameters by name.

use std::borrow::Cow;

use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::SolEvent as _;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::json;

use crate::{
    AttachArgs, CliError, Report,
    args::{FailureArg, ModeArg},
    deploy::registered,
    module::Module,
    node::{Client, Node},
    report::{grouped, progress},
    shipped,
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
        manager: Address::ZERO,
        delay: 0,
        terms: registry::Terms {
            failure: failure(args.failure),
            priority: args.priority,
            fuelMax: args.fuel_max,
            demotionShare: 0,
            triggers: 0,
            escapes: Vec::new(),
        },
    };
    let what = "attaching the guard";
    let receipt = if args.chain_wide {
        client.send(what, &registry::attachChainWideCall { request }).await?
    } else {
        client.send(what, &registry::attachCall { request }).await?
    };
    let id = attached(&receipt).ok_or(CliError::Failed { what: "attaching", transaction: receipt.transaction_hash })?;
    Ok(report(args, &module, &decoded, id, &receipt))
}

/// A module's hash, or that of a shipped guard.
fn hash_of(given: &str) -> Result<B256, CliError> {
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

const fn failure(failure: FailureArg) -> registry::Failure {
    match failure {
        FailureArg::Closed => registry::Failure::Closed,
        FailureArg::Open => registry::Failure::Open,
    }
}

fn report(
    args: &AttachArgs,
    module: &Module,
    parameters: &[(String, String)],
    id: B256,
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
    lines.push(format!("cost       {} gas, transaction {}", grouped(receipt.gas_used), receipt.transaction_hash));
    let json = json!({
        "attachment": id,
        "module": module.hash,
        "guard": module.descriptor.name,
        "mode": mode,
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

//! `parapet guard list`: modules and attachments as the registry has them, by `eth_call` alone.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::{Value, json};

use crate::{
    CliError, ListArgs, Report,
    attach::{by_name, fetch},
    module::Module,
    node::Node,
    report::grouped,
};

/// Ids that one call asks for.
const PAGE: u64 = 256;

/// What vetting says of each module; nothing where it refuses it, which a listing can show too.
type Modules = BTreeMap<B256, Option<Module>>;

pub(crate) async fn run(args: &ListArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let hashes = module_hashes(&node).await?;
    let mut modules = Modules::new();
    for module in &hashes {
        modules.insert(*module, describe(&node, *module).await?);
    }
    let mut attachments = Vec::new();
    for id in attachment_ids(&node).await? {
        attachments.push(node.read("reading an attachment", &registry::attachmentCall { id }).await?);
    }
    // The registry keeps them in no lasting order.
    attachments.sort_by_key(|attachment| (attachment.attachedAt, attachment.terms.priority, attachment.id));
    Ok(report(&hashes, &attachments, &modules))
}

async fn module_hashes(node: &Node) -> Result<Vec<B256>, CliError> {
    let mut all = Vec::new();
    loop {
        let call = registry::modulesCall { offset: U256::from(all.len()), limit: U256::from(PAGE) };
        let page = node.read("listing modules", &call).await?;
        all.extend_from_slice(&page);
        if (page.len() as u64) < PAGE {
            return Ok(all);
        }
    }
}

async fn attachment_ids(node: &Node) -> Result<Vec<B256>, CliError> {
    let mut all = Vec::new();
    loop {
        let call = registry::attachmentsCall { offset: U256::from(all.len()), limit: U256::from(PAGE) };
        let page = node.read("listing attachments", &call).await?;
        all.extend_from_slice(&page);
        if (page.len() as u64) < PAGE {
            return Ok(all);
        }
    }
}

async fn describe(node: &Node, module: B256) -> Result<Option<Module>, CliError> {
    match fetch(node, module).await {
        Ok(module) => Ok(Some(module)),
        Err(CliError::Vet { .. } | CliError::Parameter(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn report(hashes: &[B256], attachments: &[registry::AttachmentInfo], modules: &Modules) -> Report {
    let vetted = |module: &B256| modules.get(module).and_then(Option::as_ref);
    let mut lines = Vec::new();
    let mut listed = Vec::new();
    for module in hashes {
        let descriptor = vetted(module).map(|module| &module.descriptor);
        let (name, version) =
            descriptor.map_or(("(cannot be a guard)", ""), |descriptor| (&descriptor.name, &descriptor.version));
        lines.push(format!("module     {module} {name} {version}"));
        listed.push(json!({ "module": module, "descriptor": descriptor }));
    }
    for attachment in attachments {
        lines.push(String::new());
        lines.extend(attachment_lines(attachment, vetted(&attachment.module)));
    }
    if attachments.is_empty() {
        lines.push("no attachments: `parapet guard attach` makes one".to_owned());
    }
    let attachments: Vec<_> =
        attachments.iter().map(|attachment| attachment_json(attachment, vetted(&attachment.module))).collect();
    Report { text: lines.join("\n"), json: json!({ "modules": listed, "attachments": attachments }) }
}

fn attachment_lines(attachment: &registry::AttachmentInfo, module: Option<&Module>) -> Vec<String> {
    let paused = if attachment.paused { ", paused" } else { "" };
    let accounts = attachment.accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let accounts = if attachment.accounts.is_empty() { "the whole chain" } else { &accounts };
    let name = module.map_or("(cannot be a guard)", |module| &module.descriptor.name);
    let mut lines = vec![
        format!("attachment {}", attachment.id),
        format!("guard      {name} (module {})", attachment.module),
        format!("mode       {}, fails {}{paused}", mode(attachment.mode), failure(attachment.terms.failure)),
        format!("limits     priority {}, fuel {}", attachment.terms.priority, grouped(attachment.terms.fuelMax)),
        format!("accounts   {accounts}"),
    ];
    match module.and_then(|module| module.decode(&attachment.configuration)) {
        Some(parameters) => {
            lines.extend(parameters.iter().map(|(name, value)| format!("parameter  {name} = {value}")));
        }
        None => lines.push(format!("parameters {} (not as the guard declares them)", attachment.configuration)),
    }
    lines.push(format!("attached   in block {}, revision {}", grouped(attachment.attachedAt), attachment.revision));
    lines
}

fn attachment_json(attachment: &registry::AttachmentInfo, module: Option<&Module>) -> Value {
    let parameters = module.and_then(|module| module.decode(&attachment.configuration));
    json!({
        "attachment": attachment.id,
        "module": attachment.module,
        "guard": module.map(|module| &module.descriptor.name),
        "manager": attachment.manager,
        "mode": mode(attachment.mode),
        "failure": failure(attachment.terms.failure),
        "paused": attachment.paused,
        "priority": attachment.terms.priority,
        "fuelMax": attachment.terms.fuelMax,
        "attachedAt": attachment.attachedAt,
        "accounts": attachment.accounts,
        "configuration": attachment.configuration,
        "parameters": parameters.as_deref().map(by_name),
    })
}

const fn mode(mode: registry::Mode) -> &'static str {
    match mode {
        registry::Mode::Shadow => "shadow",
        registry::Mode::Enforce => "enforce",
        registry::Mode::None | registry::Mode::__Invalid => "none",
    }
}

const fn failure(failure: registry::Failure) -> &'static str {
    match failure {
        registry::Failure::Closed => "closed",
        registry::Failure::Open => "open",
        registry::Failure::__Invalid => "unknown",
    }
}

//! `parapet guard list`: modules and attachments as the registry has them, by `eth_call` alone.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use parapet_monitor::Descriptor;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::{Value, json};

use crate::{
    CliError, ListArgs, Report,
    attach::{by_name, fetch},
    node::Node,
    parameters,
    report::grouped,
};

/// Ids that one call asks for.
const PAGE: u64 = 256;

type Descriptors = BTreeMap<B256, Option<Descriptor>>;

pub(crate) async fn run(args: &ListArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let modules = module_hashes(&node).await?;
    let mut descriptors = Descriptors::new();
    for module in &modules {
        descriptors.insert(*module, describe(&node, *module).await?);
    }
    let mut attachments = Vec::new();
    for id in attachment_ids(&node).await? {
        attachments.push(node.read("reading an attachment", &registry::attachmentCall { id }).await?);
    }
    // The registry keeps them in no lasting order.
    attachments.sort_by_key(|attachment| (attachment.attachedAt, attachment.priority, attachment.id));
    Ok(report(&modules, &attachments, &descriptors))
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

/// What a module says about itself; nothing when vetting refuses it, which a listing can show too.
async fn describe(node: &Node, module: B256) -> Result<Option<Descriptor>, CliError> {
    match fetch(node, module).await {
        Ok(module) => Ok(Some(module.descriptor)),
        Err(CliError::Vet { .. } | CliError::Parameter(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn report(modules: &[B256], attachments: &[registry::AttachmentInfo], descriptors: &Descriptors) -> Report {
    let described = |module: &B256| descriptors.get(module).and_then(Option::as_ref);
    let mut lines = Vec::new();
    let mut listed = Vec::new();
    for module in modules {
        let (name, version) =
            described(module).map_or(("(cannot be a guard)", ""), |descriptor| (&descriptor.name, &descriptor.version));
        lines.push(format!("module     {module} {name} {version}"));
        listed.push(json!({ "module": module, "descriptor": described(module) }));
    }
    for attachment in attachments {
        lines.push(String::new());
        lines.extend(attachment_lines(attachment, described(&attachment.module)));
    }
    if attachments.is_empty() {
        lines.push("no attachments: `parapet guard attach` makes one".to_owned());
    }
    let attachments: Vec<_> =
        attachments.iter().map(|attachment| attachment_json(attachment, described(&attachment.module))).collect();
    Report { text: lines.join("\n"), json: json!({ "modules": listed, "attachments": attachments }) }
}

fn attachment_lines(attachment: &registry::AttachmentInfo, descriptor: Option<&Descriptor>) -> Vec<String> {
    let paused = if attachment.paused { ", paused" } else { "" };
    let accounts = attachment.accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let accounts = if attachment.accounts.is_empty() { "the whole chain" } else { &accounts };
    let name = descriptor.map_or("(cannot be a guard)", |descriptor| &descriptor.name);
    let mut lines = vec![
        format!("attachment {}", attachment.id),
        format!("guard      {name} (module {})", attachment.module),
        format!("mode       {}, fails {}{paused}", mode(attachment.mode), failure(attachment.failure)),
        format!("limits     priority {}, fuel {}", attachment.priority, grouped(attachment.fuelMax)),
        format!("accounts   {accounts}"),
    ];
    match descriptor.and_then(|descriptor| parameters::decode(descriptor, &attachment.configuration)) {
        Some(parameters) => {
            lines.extend(parameters.iter().map(|(name, value)| format!("parameter  {name} = {value}")));
        }
        None => lines.push(format!("parameters {} (not as the guard declares them)", attachment.configuration)),
    }
    lines.push(format!("attached   by {} in block {}", attachment.manager, grouped(attachment.attachedAt)));
    lines
}

fn attachment_json(attachment: &registry::AttachmentInfo, descriptor: Option<&Descriptor>) -> Value {
    let parameters = descriptor.and_then(|descriptor| parameters::decode(descriptor, &attachment.configuration));
    json!({
        "attachment": attachment.id,
        "module": attachment.module,
        "guard": descriptor.map(|descriptor| &descriptor.name),
        "manager": attachment.manager,
        "mode": mode(attachment.mode),
        "failure": failure(attachment.failure),
        "paused": attachment.paused,
        "priority": attachment.priority,
        "fuelMax": attachment.fuelMax,
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

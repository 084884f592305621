//! `parapet guard list`: modules and attachments as the registry has them, by `eth_call` alone.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use parapet_monitor::Counts;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::{Value, json};

use crate::{
    CliError, ListArgs, Report,
    attach::{by_name, fetch},
    module::Module,
    node::Node,
    report::{failure, grouped, mode},
    show::{counts, said},
    terms,
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
        let attachment = node.read("reading an attachment", &registry::attachmentCall { id }).await?;
        attachments.push((attachment, counts(&node, id).await?));
    }
    // The registry keeps them in no lasting order.
    attachments.sort_by_key(|(attachment, _)| (attachment.attachedAt, attachment.terms.priority, attachment.id));
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

pub(crate) async fn describe(node: &Node, module: B256) -> Result<Option<Module>, CliError> {
    match fetch(node, module).await {
        Ok(module) => Ok(Some(module)),
        Err(CliError::Vet { .. } | CliError::Parameter(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn report(hashes: &[B256], attachments: &[(registry::AttachmentInfo, Counts)], modules: &Modules) -> Report {
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
    for (attachment, counts) in attachments {
        lines.push(String::new());
        lines.extend(attachment_lines(attachment, vetted(&attachment.module)));
        lines.push(format!("counts     {}", said(counts)));
    }
    if attachments.is_empty() {
        lines.push("no attachments: `parapet guard attach` makes one".to_owned());
    }
    let attachments = attachments.iter().map(|(attachment, counts)| {
        let mut json = attachment_json(attachment, vetted(&attachment.module));
        json["counts"] = json!(counts);
        json
    });
    let attachments: Vec<_> = attachments.collect();
    Report { text: lines.join("\n"), json: json!({ "modules": listed, "attachments": attachments }) }
}

pub(crate) fn attachment_lines(attachment: &registry::AttachmentInfo, module: Option<&Module>) -> Vec<String> {
    let paused = if attachment.paused { ", paused" } else { "" };
    let demoted = if attachment.demoted { ", demoted by the chain" } else { "" };
    let terms = &attachment.terms;
    let accounts = attachment.accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let accounts = if attachment.accounts.is_empty() { "the whole chain" } else { &accounts };
    let name = module.map_or("(cannot be a guard)", |module| &module.descriptor.name);
    let mut lines = vec![
        format!("attachment {}", attachment.id),
        format!("guard      {name} (module {})", attachment.module),
        format!("mode       {}, fails {}{paused}{demoted}", mode(attachment.mode), failure(terms.failure)),
        format!("limits     priority {}, fuel {}", terms.priority, grouped(terms.fuelMax)),
        format!("escapes    {}", terms::escapes(terms)),
        format!("triggers   {}", terms::triggers(terms)),
        format!("demotion   {}", terms::demotion(terms)),
        format!("changes    wait {} s", grouped(attachment.delay.into())),
        format!("accounts   {accounts}"),
    ];
    match module.and_then(|module| module.decode(&attachment.configuration)) {
        Some(parameters) => {
            lines.extend(parameters.iter().map(|(name, value)| format!("parameter  {name} = {value}")));
        }
        None => lines.push(format!("parameters {} (not as the guard declares them)", attachment.configuration)),
    }
    if !attachment.manager.is_zero() {
        lines.push(format!("manager    {}", attachment.manager));
    }
    if !attachment.proposedManager.is_zero() {
        lines.push(format!("offered    the manager's office, to {}", attachment.proposedManager));
    }
    lines.push(format!("attached   in block {}, revision {}", grouped(attachment.attachedAt), attachment.revision));
    lines
}

pub(crate) fn attachment_json(attachment: &registry::AttachmentInfo, module: Option<&Module>) -> Value {
    let parameters = module.and_then(|module| module.decode(&attachment.configuration));
    json!({
        "attachment": attachment.id,
        "module": attachment.module,
        "guard": module.map(|module| &module.descriptor.name),
        "manager": attachment.manager,
        "proposedManager": attachment.proposedManager,
        "mode": mode(attachment.mode),
        "paused": attachment.paused,
        "demoted": attachment.demoted,
        "delay": attachment.delay,
        "revision": attachment.revision,
        "terms": terms::json_of(&attachment.terms),
        "attachedAt": attachment.attachedAt,
        "accounts": attachment.accounts,
        "configuration": attachment.configuration,
        "parameters": parameters.as_deref().map(by_name),
    })
}

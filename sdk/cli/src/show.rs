//! `parapet guard show`: one attachment whole, with what it said so far and what waits for it.

use alloy_primitives::B256;
use parapet_monitor::Counts;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::json;

use crate::{
    CliError, Report, ShowArgs, changes,
    list::{attachment_json, attachment_lines, describe},
    node::Node,
    report::grouped,
};

pub(crate) async fn run(args: &ShowArgs) -> Result<Report, CliError> {
    let (node, id) = (Node::connect(&args.node).await?, args.attachment);
    let attachment = node.read("reading the attachment", &registry::attachmentCall { id }).await?;
    let module = describe(&node, attachment.module).await?;
    let counts = counts(&node, id).await?;
    let waiting = changes::of(&node, Some(id)).await?;
    let mut lines = attachment_lines(&attachment, module.as_ref());
    lines.push(format!("counts     {}", said(&counts)));
    lines.extend(evidence(&counts));
    lines.extend(waiting.iter().flat_map(changes::text));
    let mut json = attachment_json(&attachment, module.as_ref());
    json["counts"] = json!(counts);
    json["pending"] = waiting.iter().map(changes::json_of).collect();
    Ok(Report { text: lines.join("\n"), json })
}

/// What an attachment said so far.
pub(crate) async fn counts(node: &Node, attachment: B256) -> Result<Counts, CliError> {
    node.ask("asking for an attachment's counts", "guard_getCounts", attachment).await
}

pub(crate) fn said(counts: &Counts) -> String {
    format!(
        "{} judged, {} vetoed, {} would have been, {} alerts, {} fuel",
        grouped(counts.judged),
        grouped(counts.vetoed),
        grouped(counts.would_veto),
        grouped(counts.alerts),
        grouped(counts.fuel.0),
    )
}

fn evidence(counts: &Counts) -> Option<String> {
    let evidence = counts.evidence;
    (evidence.judged > 0 || evidence.windows > 0).then(|| {
        format!(
            "evidence   {} of {} known senders vetoed in this window; too many in {} windows in a row before it",
            evidence.vetoed, evidence.judged, evidence.windows
        )
    })
}

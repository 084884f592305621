//! Changes of attachments that wait: what they would do, in words and as JSON, and whether a transaction set one going.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::{SolEvent as _, SolValue as _};
use parapet_registry::contract::IGuardRegistry::{self as registry, ChangeKind};
use serde_json::{Value, json};

use crate::{
    ChangeArgs, CliError, PendingArgs, Report,
    args::KindArg,
    node::{Client, Node},
    report::mode,
    terms,
};

/// Changes that one call asks for.
const PAGE: u64 = 64;

/// A change that a transaction set going and that waits.
pub(crate) struct Waiting {
    kind: ChangeKind,
    ready_at: u64,
}

impl Waiting {
    /// What a receipt says of an attachment.
    pub(crate) fn in_receipt(receipt: &TransactionReceipt, attachment: B256) -> Option<Self> {
        let mut logs = receipt.logs().iter();
        let event = logs.find_map(|log| registry::ChangeProposed::decode_log(&log.inner).ok())?;
        (event.attachment == attachment).then(|| Self { kind: event.kind, ready_at: event.readyAt })
    }

    /// The attachment that a receipt says will be made.
    pub(crate) fn attached_in(receipt: &TransactionReceipt) -> Option<(B256, Self)> {
        let mut logs = receipt.logs().iter();
        let event = logs.find_map(|log| registry::ChangeProposed::decode_log(&log.inner).ok())?;
        (event.kind == ChangeKind::Attach)
            .then(|| (event.attachment, Self { kind: event.kind, ready_at: event.readyAt }))
    }

    pub(crate) fn line(&self, attachment: B256) -> String {
        let kind = name(self.kind);
        format!("waits until block time {}; then anyone may `parapet guard apply {attachment} {kind}`", self.ready_at)
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "kind": name(self.kind), "readyAt": self.ready_at })
    }
}

pub(crate) async fn pending(args: &PendingArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let changes = of(&node, args.attachment).await?;
    let mut lines = Vec::new();
    for change in &changes {
        lines.push(format!("attachment {}", change.attachment));
        lines.extend(text(change));
    }
    if changes.is_empty() {
        lines.push("no change waits".to_owned());
    }
    let changes: Vec<_> = changes.iter().map(json_of).collect();
    Ok(Report { text: lines.join("\n"), json: json!({ "pending": changes }) })
}

/// What waits for one attachment, or for all, by attachment and kind: the registry keeps them in no lasting order.
pub(crate) async fn of(node: &Node, attachment: Option<B256>) -> Result<Vec<registry::ChangeInfo>, CliError> {
    let mut all = Vec::new();
    let mut offset = 0;
    loop {
        let call = registry::pendingChangesCall { offset: U256::from(offset), limit: U256::from(PAGE) };
        let page = node.read("listing what waits", &call).await?;
        let count = page.len() as u64;
        all.extend(page.into_iter().filter(|change| attachment.is_none_or(|id| change.attachment == id)));
        offset += count;
        if count < PAGE {
            all.sort_by_key(|change| (change.attachment, change.kind as u8));
            return Ok(all);
        }
    }
}

pub(crate) fn text(change: &registry::ChangeInfo) -> [String; 2] {
    [
        format!("waiting    {}, proposed by {}", would(change), change.proposer),
        format!("           from block time {} to {}", change.readyAt, change.lapsesAt),
    ]
}

pub(crate) fn json_of(change: &registry::ChangeInfo) -> Value {
    json!({
        "attachment": change.attachment,
        "kind": name(change.kind),
        "proposer": change.proposer,
        "readyAt": change.readyAt,
        "lapsesAt": change.lapsesAt,
        "does": would(change),
        "arguments": change.arguments,
    })
}

pub(crate) async fn apply(args: &ChangeArgs) -> Result<Report, CliError> {
    let call = registry::applyChangeCall { id: args.attachment, kind: kind(args.kind) };
    done(&Client::connect(&args.signer).await?, args, "applying the change", &call, "applied").await
}

pub(crate) async fn cancel(args: &ChangeArgs) -> Result<Report, CliError> {
    let call = registry::cancelChangeCall { id: args.attachment, kind: kind(args.kind) };
    done(&Client::connect(&args.signer).await?, args, "cancelling the change", &call, "cancelled").await
}

async fn done<C: alloy_sol_types::SolCall>(
    client: &Client,
    args: &ChangeArgs,
    what: &'static str,
    call: &C,
    outcome: &str,
) -> Result<Report, CliError> {
    let transaction = client.send(what, call).await?.transaction_hash;
    let (attachment, kind) = (args.attachment, name(kind(args.kind)));
    Ok(Report {
        text: format!("attachment {attachment}: {kind} is {outcome} (transaction {transaction})"),
        json: json!({ "attachment": attachment, "kind": kind, "outcome": outcome, "transaction": transaction }),
    })
}

/// What a change would do, in words.
fn would(change: &registry::ChangeInfo) -> String {
    described(change.kind, &change.arguments)
        .unwrap_or_else(|| format!("{} with arguments that do not read: {}", name(change.kind), change.arguments))
}

fn described(kind: ChangeKind, arguments: &[u8]) -> Option<String> {
    Some(match kind {
        ChangeKind::Attach => {
            let request = registry::AttachRequest::abi_decode(arguments).ok()?;
            let accounts = request.accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let whom = if accounts.is_empty() { "the whole chain".to_owned() } else { accounts };
            format!("attach: module {} to {whom}, {}", request.module, mode(request.mode))
        }
        ChangeKind::Mode => format!("mode: {}", mode(registry::Mode::abi_decode(arguments).ok()?)),
        ChangeKind::Content => {
            let (module, configuration) = <(B256, Bytes)>::abi_decode_params(arguments).ok()?;
            format!("content: module {module}, configuration {configuration}")
        }
        ChangeKind::Terms => format!("terms: {}", terms::text(&registry::Terms::abi_decode(arguments).ok()?)),
        ChangeKind::Delay => format!("delay: {} s", u32::abi_decode(arguments).ok()?),
        ChangeKind::Manager => {
            let next = Address::abi_decode(arguments).ok()?;
            let offered = if next.is_zero() { "to nobody".to_owned() } else { format!("to {next}") };
            format!("manager: dismissed, and the office offered {offered}")
        }
        ChangeKind::Unpause => "unpause: it judges again".to_owned(),
        ChangeKind::Detach => "detach: it is removed".to_owned(),
        ChangeKind::__Invalid => return None,
    })
}

const fn kind(kind: KindArg) -> ChangeKind {
    match kind {
        KindArg::Attach => ChangeKind::Attach,
        KindArg::Mode => ChangeKind::Mode,
        KindArg::Content => ChangeKind::Content,
        KindArg::Terms => ChangeKind::Terms,
        KindArg::Delay => ChangeKind::Delay,
        KindArg::Manager => ChangeKind::Manager,
        KindArg::Unpause => ChangeKind::Unpause,
        KindArg::Detach => ChangeKind::Detach,
    }
}

const fn name(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Attach => "attach",
        ChangeKind::Mode => "mode",
        ChangeKind::Content => "content",
        ChangeKind::Terms => "terms",
        ChangeKind::Delay => "delay",
        ChangeKind::Manager => "manager",
        ChangeKind::Unpause => "unpause",
        ChangeKind::Detach => "detach",
        ChangeKind::__Invalid => "unknown",
    }
}

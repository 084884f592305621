//! Subscriptions over WebSocket.
//!
//! A client that reads too slowly loses the oldest announcements, and its subscription ends rather than going on with
//! a gap that it cannot see.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use alloy_rpc_types_eth::{
    Filter, Transaction,
    pubsub::{Params, SubscriptionKind},
};
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink,
    core::{SubscriptionResult, async_trait},
    proc_macros::rpc,
    types::ErrorObjectOwned,
};
use parapet_builder::Event;
use parapet_monitor::{AttachmentId, Outcome, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    RpcError,
    api::Api,
    node::Node,
    wire::{Removed, SaidVerdict, block_logs, header, pending_transaction},
};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthSubscribe {
    /// Ethereum's kinds, and two of guards: `guardVerdicts`, everything that attachments say of blocks as they come, and
    /// `guardAlerts`, what of it a person should know: vetoes, those that would have been, and alerts. Both take a
    /// [`VerdictFilter`].
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = serde_json::Value)]
    async fn subscribe(&self, kind: Kind, params: Option<Value>) -> SubscriptionResult;
}

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Kind {
    Ethereum(SubscriptionKind),
    Guards(GuardKind),
}

/// What can be subscribed to of guards.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum GuardKind {
    GuardVerdicts,
    GuardAlerts,
}

/// Whose verdicts are wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerdictFilter {
    /// These attachments'; everybody's where none is named.
    #[serde(default)]
    attachments: BTreeSet<AttachmentId>,
}

impl VerdictFilter {
    fn wants(&self, kind: GuardKind, verdict: &Verdict) -> bool {
        let tells = match (kind, verdict.outcome) {
            (GuardKind::GuardVerdicts, _) => true,
            (GuardKind::GuardAlerts, Outcome::Alert | Outcome::Veto | Outcome::WouldVeto) => true,
            (GuardKind::GuardAlerts, Outcome::Allow) => false,
        };
        tells && (self.attachments.is_empty() || self.attachments.contains(&verdict.attachment))
    }
}

#[async_trait]
impl EthSubscribeServer for Api {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        kind: Kind,
        params: Option<Value>,
    ) -> SubscriptionResult {
        let feed = match Feed::open(&self.0, kind, params.unwrap_or_default()) {
            Ok(feed) => feed,
            Err(error) => {
                pending.reject(ErrorObjectOwned::from(error)).await;
                return Ok(());
            }
        };
        let sink = pending.accept().await?;
        tokio::select! {
            () = sink.closed() => {}
            _ = feed.run(&self.0, &sink) => {}
        }
        Ok(())
    }
}

/// Where a subscription's messages come from.
enum Feed {
    Heads(Receiver<Event>),
    Logs(Receiver<Event>, Box<Filter>),
    PendingHashes(Receiver<B256>),
    PendingTransactions(Receiver<B256>),
    Verdicts(Receiver<Event>, GuardKind, VerdictFilter),
    Syncing,
}

/// Why a feed ended: the client left, or fell behind.
struct Ended;

impl Feed {
    fn open(node: &Node, kind: Kind, params: Value) -> Result<Self, RpcError> {
        let wrong = |named: &dyn std::fmt::Display| {
            RpcError::params(format!("{named} cannot be subscribed to with these parameters"))
        };
        let kind = match kind {
            Kind::Guards(kind) => {
                let filter =
                    if params.is_null() { Ok(VerdictFilter::default()) } else { VerdictFilter::deserialize(params) };
                let filter = filter.map_err(|error| RpcError::params(format!("the filter of verdicts: {error}")))?;
                return match filter.attachments.len() {
                    count if count > node.limits.subscribed_attachments_max => Err(RpcError::TooMuch {
                        what: format!("{count} attachments"),
                        max: node.limits.subscribed_attachments_max as u64,
                    }),
                    _ => Ok(Self::Verdicts(node.chain.events(), kind, filter)),
                };
            }
            Kind::Ethereum(kind) => kind,
        };
        let params =
            if params.is_null() { Params::None } else { Params::deserialize(params).map_err(|_| wrong(&kind))? };
        Ok(match (kind, params) {
            (SubscriptionKind::NewHeads, Params::None) => Self::Heads(node.chain.events()),
            (SubscriptionKind::Logs, Params::None) => Self::Logs(node.chain.events(), Box::default()),
            (SubscriptionKind::Logs, Params::Logs(filter)) => Self::Logs(node.chain.events(), filter),
            (SubscriptionKind::NewPendingTransactions, Params::None | Params::Bool(false)) => {
                Self::PendingHashes(node.chain.pending())
            }
            (SubscriptionKind::NewPendingTransactions, Params::Bool(true)) => {
                Self::PendingTransactions(node.chain.pending())
            }
            (SubscriptionKind::Syncing, Params::None) => Self::Syncing,
            (kind, _) => return Err(wrong(&kind)),
        })
    }

    /// Sends until the client leaves.
    async fn run(self, node: &Node, sink: &SubscriptionSink) -> Result<(), Ended> {
        match self {
            Self::Heads(mut events) => loop {
                if let Event::Block(block) = next(&mut events).await? {
                    send(sink, &header(&block)).await?;
                }
            },
            Self::Logs(mut events, filter) => loop {
                let (blocks, removed) = match next(&mut events).await? {
                    Event::Block(block) => (vec![block], Removed::No),
                    Event::Dropped(blocks) => (blocks, Removed::Yes),
                };
                for log in blocks.iter().flat_map(|block| block_logs(block, &filter, removed)) {
                    send(sink, &log).await?;
                }
            },
            Self::PendingHashes(mut hashes) => loop {
                send(sink, &next(&mut hashes).await?).await?;
            },
            Self::PendingTransactions(mut hashes) => loop {
                let hash = next(&mut hashes).await?;
                let transaction = node.waiting_or_mined(hash).map_err(|error| {
                    tracing::error!("a subscription was ended: {error}");
                    Ended
                })?;
                if let Some(transaction) = transaction {
                    send(sink, &transaction).await?;
                }
            },
            Self::Verdicts(mut events, kind, filter) => loop {
                let (blocks, removed) = match next(&mut events).await? {
                    Event::Block(block) => (vec![block], Removed::No),
                    Event::Dropped(blocks) => (blocks, Removed::Yes),
                };
                for block in blocks {
                    for said in SaidVerdict::of(&block, removed, |verdict| filter.wants(kind, verdict)) {
                        send(sink, &said).await?;
                    }
                }
            },
            Self::Syncing => {
                send(sink, &false).await?;
                // Nothing more is to be told: the node has nobody to follow.
                std::future::pending().await
            }
        }
    }
}

impl Node {
    /// A transaction that came into the pool, as it came: it may be in a block by now, or gone.
    pub(crate) fn waiting_or_mined(&self, hash: B256) -> Result<Option<Transaction>, RpcError> {
        if let Some(transaction) = self.chain.pooled(hash) {
            return Ok(Some(pending_transaction(&transaction)));
        }
        let found = self.chain.transaction(hash)?;
        Ok(found.map(|(block, index)| pending_transaction(&block.transactions[index])))
    }
}

async fn next<T: Clone>(receiver: &mut Receiver<T>) -> Result<T, Ended> {
    receiver.recv().await.map_err(|error| {
        if let RecvError::Lagged(lost) = error {
            tracing::warn!("a subscription was ended: its client is {lost} messages behind");
        }
        Ended
    })
}

async fn send<T: Serialize>(sink: &SubscriptionSink, item: &T) -> Result<(), Ended> {
    let message = SubscriptionMessage::new(sink.method_name(), sink.subscription_id(), item);
    let message = message.map_err(|error| {
        tracing::error!("a subscription was ended: its message cannot be written as JSON: {error}");
        Ended
    })?;
    sink.send(message).await.map_err(|_| Ended)
}

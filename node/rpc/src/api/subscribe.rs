//! Subscriptions over WebSocket.
//!
//! What is announced waits for room in what the client has not taken, which is bounded in bytes. A client that reads too slowly would
//! lose the oldest announcements; its subscription ends instead, with an error in a last message, rather than going on with a gap that
//! it cannot see.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use alloy_primitives::B256;
use alloy_rpc_types_eth::{
    Filter, Transaction,
    pubsub::{Params, SubscriptionKind},
};
use jsonrpsee::{
    Extensions, PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink,
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
    connection::Connection,
    node::Node,
    wire::{Removed, SaidVerdict, block_logs, header, pending_transaction},
};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthSubscribe {
    /// Ethereum's kinds, and two of guards: `guardVerdicts`, everything that attachments say of blocks as they come, and
    /// `guardAlerts`, what of it a person should know: vetoes, those that would have been, and alerts. Both take a
    /// [`VerdictFilter`].
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = serde_json::Value, with_extensions)]
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
        extensions: &Extensions,
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
        let connection = extensions.get::<Arc<Connection>>().cloned();
        let connection = connection.ok_or("a subscription without a connection: this is a fault of the node")?;
        let line = Line { sink: pending.accept().await?, connection, wait_max: self.0.limits.announcement_time_max };
        let ended = tokio::select! {
            () = line.sink.closed() => Ended::Left,
            ended = feed.run(&self.0, &line) => ended.err().unwrap_or(Ended::Left),
        };
        match ended {
            Ended::Left => Ok(()),
            behind @ (Ended::Lost(_) | Ended::Stalled | Ended::Fault(_)) => {
                tracing::warn!("{behind}");
                Err(behind.to_string().into())
            }
        }
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

/// Why a feed ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the client left")]
    Left,
    #[error(
        "the subscription was ended: its client reads too slowly, and {0} announcements were lost; subscribe again"
    )]
    Lost(u64),
    #[error("the subscription was ended: its client takes nothing of what waits for it; subscribe again")]
    Stalled,
    #[error("the subscription was ended: {0}")]
    Fault(String),
}

/// Where a subscription's messages go.
struct Line {
    sink: SubscriptionSink,
    connection: Arc<Connection>,
    /// Longest time for which a message waits for room.
    wait_max: Duration,
}

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
            (SubscriptionKind::Logs, Params::Logs(filter)) => {
                node.check_filter(&filter)?;
                Self::Logs(node.chain.events(), filter)
            }
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
    async fn run(self, node: &Node, line: &Line) -> Result<(), Ended> {
        match self {
            Self::Heads(mut events) => loop {
                if let Event::Block(block) = next(&mut events).await? {
                    line.send(&header(&block)).await?;
                }
            },
            Self::Logs(mut events, filter) => loop {
                let (blocks, removed) = match next(&mut events).await? {
                    Event::Block(block) => (vec![block], Removed::No),
                    Event::Dropped(blocks) => (blocks, Removed::Yes),
                };
                for log in blocks.iter().flat_map(|block| block_logs(block, &filter, removed)) {
                    line.send(&log).await?;
                }
            },
            Self::PendingHashes(mut hashes) => loop {
                line.send(&next(&mut hashes).await?).await?;
            },
            Self::PendingTransactions(mut hashes) => loop {
                let hash = next(&mut hashes).await?;
                let transaction = node.waiting_or_mined(hash).map_err(|error| Ended::Fault(error.to_string()))?;
                if let Some(transaction) = transaction {
                    line.send(&transaction).await?;
                }
            },
            Self::Verdicts(mut events, kind, filter) => loop {
                let (blocks, removed) = match next(&mut events).await? {
                    Event::Block(block) => (vec![block], Removed::No),
                    Event::Dropped(blocks) => (blocks, Removed::Yes),
                };
                for block in blocks {
                    for said in SaidVerdict::of(&block, removed, |verdict| filter.wants(kind, verdict)) {
                        line.send(&said).await?;
                    }
                }
            },
            Self::Syncing => {
                line.send(&false).await?;
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
    receiver.recv().await.map_err(|error| match error {
        RecvError::Lagged(lost) => Ended::Lost(lost),
        RecvError::Closed => Ended::Left,
    })
}

impl Line {
    async fn send<T: Serialize>(&self, item: &T) -> Result<(), Ended> {
        let item = serde_json::value::to_raw_value(item).map_err(|error| Ended::Fault(error.to_string()))?;
        let bytes = u64::try_from(item.get().len()).unwrap_or(u64::MAX);
        let room = tokio::time::timeout(self.wait_max, self.connection.room(bytes));
        room.await.map_err(|_| Ended::Stalled)?;
        self.sink.send(SubscriptionMessage::from(item)).await.map_err(|_| Ended::Left)
    }
}

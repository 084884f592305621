//! Subscriptions over WebSocket.
//!
//! A client that reads too slowly loses the oldest announcements, and its subscription ends rather than going on with
//! a gap that it cannot see.

use alloy_primitives::B256;
use alloy_rpc_types_eth::{
    Filter,
    pubsub::{Params, SubscriptionKind},
};
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink,
    core::{SubscriptionResult, async_trait},
    proc_macros::rpc,
    types::ErrorObjectOwned,
};
use parapet_builder::Event;
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    RpcError,
    api::Api,
    node::Node,
    wire::{Removed, block_logs, header, pending_transaction},
};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthSubscribe {
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = serde_json::Value)]
    async fn subscribe(&self, kind: SubscriptionKind, params: Option<Params>) -> SubscriptionResult;
}

#[async_trait]
impl EthSubscribeServer for Api {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        kind: SubscriptionKind,
        params: Option<Params>,
    ) -> SubscriptionResult {
        let params = params.unwrap_or_default();
        let feed = match (kind, params) {
            (SubscriptionKind::NewHeads, Params::None) => Feed::Heads(self.0.chain.events()),
            (SubscriptionKind::Logs, Params::None) => Feed::Logs(self.0.chain.events(), Box::default()),
            (SubscriptionKind::Logs, Params::Logs(filter)) => Feed::Logs(self.0.chain.events(), filter),
            (SubscriptionKind::NewPendingTransactions, Params::None | Params::Bool(false)) => {
                Feed::PendingHashes(self.0.chain.pending())
            }
            (SubscriptionKind::NewPendingTransactions, Params::Bool(true)) => {
                Feed::PendingTransactions(self.0.chain.pending())
            }
            (SubscriptionKind::Syncing, Params::None) => Feed::Syncing,
            (kind, _) => {
                let error = RpcError::params(format!("{kind} cannot be subscribed to with these parameters"));
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
    Syncing,
}

/// Why a feed ended: the client left, or fell behind.
struct Ended;

impl Feed {
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
                let mined = || node.chain.transaction(hash).map(|(block, index)| block.transactions[index].clone());
                if let Some(transaction) = node.chain.pooled(hash).or_else(mined) {
                    send(sink, &pending_transaction(&transaction)).await?;
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

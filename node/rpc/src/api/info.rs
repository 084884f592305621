//! What the node is, and what waits in its pool.

use std::collections::BTreeMap;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes, U64, keccak256};
use alloy_rpc_types_eth::Transaction;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_types::Transaction as Pooled;
use serde::Serialize;

use crate::{RpcError, api::Api, node::Node, wire};

/// Transactions by sender and nonce, the nonce as decimal text.
type Lanes<T> = BTreeMap<Address, BTreeMap<String, T>>;

/// A part of the pool, by sender and nonce.
type Waiting = BTreeMap<Address, BTreeMap<u64, Pooled>>;

/// The two parts of the pool.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Parts<T> {
    pending: T,
    queued: T,
}

#[rpc(server)]
pub(crate) trait Info {
    /// The network id, which is the chain id, as decimal text.
    #[method(name = "net_version")]
    fn net_version(&self) -> Result<String, RpcError>;

    #[method(name = "net_listening")]
    fn net_listening(&self) -> Result<bool, RpcError>;

    #[method(name = "net_peerCount")]
    fn net_peer_count(&self) -> Result<U64, RpcError>;

    #[method(name = "web3_clientVersion")]
    fn client_version(&self) -> Result<String, RpcError>;

    #[method(name = "web3_sha3")]
    fn sha3(&self, data: Bytes) -> Result<B256, RpcError>;

    #[method(name = "rpc_modules")]
    fn modules(&self) -> Result<BTreeMap<&'static str, &'static str>, RpcError>;

    #[method(name = "txpool_status")]
    fn pool_status(&self) -> Result<Parts<U64>, RpcError>;

    #[method(name = "txpool_content")]
    async fn pool_content(&self) -> Result<Parts<Lanes<Transaction>>, RpcError>;

    #[method(name = "txpool_contentFrom")]
    async fn pool_content_from(&self, sender: Address) -> Result<Parts<BTreeMap<String, Transaction>>, RpcError>;

    #[method(name = "txpool_inspect")]
    async fn pool_inspect(&self) -> Result<Parts<Lanes<String>>, RpcError>;
}

#[async_trait]
impl InfoServer for Api {
    fn net_version(&self) -> Result<String, RpcError> {
        Ok(self.0.params().chain_id.to_string())
    }

    fn net_listening(&self) -> Result<bool, RpcError> {
        Ok(true)
    }

    fn net_peer_count(&self) -> Result<U64, RpcError> {
        Ok(U64::ZERO)
    }

    fn client_version(&self) -> Result<String, RpcError> {
        Ok(self.0.client_version.clone())
    }

    fn sha3(&self, data: Bytes) -> Result<B256, RpcError> {
        Ok(keccak256(data))
    }

    fn modules(&self) -> Result<BTreeMap<&'static str, &'static str>, RpcError> {
        Ok(self.0.namespaces.iter().map(|namespace| (*namespace, "1.0")).collect())
    }

    fn pool_status(&self) -> Result<Parts<U64>, RpcError> {
        let (pending, queued) = self.0.chain.pool_counts();
        Ok(Parts { pending: U64::from(pending), queued: U64::from(queued) })
    }

    async fn pool_content(&self) -> Result<Parts<Lanes<Transaction>>, RpcError> {
        self.0.read(|node| Ok(node.pool(wire::pending_transaction))).await
    }

    async fn pool_content_from(&self, sender: Address) -> Result<Parts<BTreeMap<String, Transaction>>, RpcError> {
        let of_sender = move |part: &Waiting| {
            part.get(&sender).map(|entries| lane(entries, wire::pending_transaction)).unwrap_or_default()
        };
        self.0
            .read(move |node| {
                let content = node.chain.pool_content();
                Ok(Parts { pending: of_sender(&content.pending), queued: of_sender(&content.queued) })
            })
            .await
    }

    async fn pool_inspect(&self) -> Result<Parts<Lanes<String>>, RpcError> {
        let told = |transaction: &Pooled| {
            let to = transaction.to().map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
            let (value, gas, price) = (transaction.value(), transaction.gas_limit(), transaction.max_fee_per_gas());
            format!("{to}: {value} wei + {gas} gas × {price} wei")
        };
        self.0.read(move |node| Ok(node.pool(told))).await
    }
}

/// A part of the pool, as it is to be seen.
fn lanes<T>(part: &Waiting, view: impl Fn(&Pooled) -> T) -> Lanes<T> {
    part.iter().map(|(sender, entries)| (*sender, lane(entries, &view))).collect()
}

/// The same of one sender.
fn lane<T>(entries: &BTreeMap<u64, Pooled>, view: impl Fn(&Pooled) -> T) -> BTreeMap<String, T> {
    entries.iter().map(|(nonce, transaction)| (nonce.to_string(), view(transaction))).collect()
}

impl Node {
    /// What waits, as it is to be seen. The pool may be full, so this is work for a thread for reads.
    fn pool<T>(&self, view: impl Fn(&Pooled) -> T) -> Parts<Lanes<T>> {
        let content = self.chain.pool_content();
        Parts { pending: lanes(&content.pending, &view), queued: lanes(&content.queued, &view) }
    }
}

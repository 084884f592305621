//! What the node is, and what waits in its pool.

use std::collections::BTreeMap;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes, U64, keccak256};
use alloy_rpc_types_eth::Transaction;
use jsonrpsee::proc_macros::rpc;
use serde::Serialize;

use crate::{RpcError, api::Api, wire};

/// Transactions by sender and nonce, the nonce as decimal text.
type Lanes<T> = BTreeMap<Address, BTreeMap<String, T>>;

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
    fn pool_content(&self) -> Result<Parts<Lanes<Transaction>>, RpcError>;

    #[method(name = "txpool_contentFrom")]
    fn pool_content_from(&self, sender: Address) -> Result<Parts<BTreeMap<String, Transaction>>, RpcError>;

    #[method(name = "txpool_inspect")]
    fn pool_inspect(&self) -> Result<Parts<Lanes<String>>, RpcError>;
}

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

    fn pool_content(&self) -> Result<Parts<Lanes<Transaction>>, RpcError> {
        Ok(self.pool(wire::pending_transaction))
    }

    fn pool_content_from(&self, sender: Address) -> Result<Parts<BTreeMap<String, Transaction>>, RpcError> {
        let Parts { mut pending, mut queued } = self.pool(wire::pending_transaction);
        let lane = |part: &mut Lanes<Transaction>| part.remove(&sender).unwrap_or_default();
        Ok(Parts { pending: lane(&mut pending), queued: lane(&mut queued) })
    }

    fn pool_inspect(&self) -> Result<Parts<Lanes<String>>, RpcError> {
        Ok(self.pool(|transaction| {
            let to = transaction.to().map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
            let (value, gas, price) = (transaction.value(), transaction.gas_limit(), transaction.max_fee_per_gas());
            format!("{to}: {value} wei + {gas} gas × {price} wei")
        }))
    }
}

impl Api {
    fn pool<T>(&self, view: impl Fn(&parapet_types::Transaction) -> T) -> Parts<Lanes<T>> {
        let content = self.0.chain.pool_content();
        let lanes = |part: &BTreeMap<Address, BTreeMap<u64, parapet_types::Transaction>>| {
            let lane = |lane: &BTreeMap<u64, parapet_types::Transaction>| {
                lane.iter().map(|(nonce, transaction)| (nonce.to_string(), view(transaction))).collect()
            };
            part.iter().map(|(sender, entries)| (*sender, lane(entries))).collect()
        };
        Parts { pending: lanes(&content.pending), queued: lanes(&content.queued) }
    }
}

//! What this development node is and where it stands, as anvil and Hardhat tell it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{B256, U64, U256, keccak256};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::BlockLog;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    RpcError,
    api::{Api, fees::SUGGESTED_TIP_WEI, forking::ForkConfig},
    node::Node,
};

/// Where the chain stands, and what the next block is to be like.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeInfo {
    current_block_number: U64,
    current_block_timestamp: u64,
    current_block_hash: B256,
    hard_fork: &'static str,
    transaction_order: &'static str,
    environment: Environment,
    fork_config: ForkConfig,
}

/// What the next block is to be like.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Environment {
    base_fee: U256,
    chain_id: u64,
    gas_limit: U64,
    gas_price: U256,
}

/// What distinguishes this run of the node from others.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    client_version: String,
    client_semver: &'static str,
    client_commit_sha: Option<String>,
    chain_id: u64,
    instance_id: B256,
    latest_block_number: u64,
    latest_block_hash: B256,
    forked_network: Option<Value>,
    /// Number and hash of the block at which each was taken.
    snapshots: BTreeMap<U64, (u64, B256)>,
}

/// A name for this run of the chain: another after each reset.
#[derive(Debug)]
pub(crate) struct Instance {
    started: u64,
    resets: AtomicU64,
}

impl Instance {
    /// Of a node that starts at this time, in seconds since 1970.
    pub(crate) const fn starting_at(started: u64) -> Self {
        Self { started, resets: AtomicU64::new(0) }
    }

    pub(crate) fn renew(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
    }

    /// What two runs cannot have in common: process, time and number of resets.
    fn id(&self) -> B256 {
        let process = u64::from(std::process::id());
        let parts = [process, self.started, self.resets.load(Ordering::Relaxed)];
        keccak256(parts.map(u64::to_be_bytes).concat())
    }
}

#[rpc(server)]
pub(crate) trait About {
    #[method(name = "anvil_nodeInfo")]
    fn node_info(&self) -> Result<NodeInfo, RpcError>;

    #[method(name = "anvil_metadata", aliases = ["hardhat_metadata"])]
    async fn metadata(&self) -> Result<Metadata, RpcError>;

    #[method(name = "anvil_getGenesisTime")]
    fn genesis_time(&self) -> Result<u64, RpcError>;

    #[method(name = "anvil_setLoggingEnabled", aliases = ["hardhat_setLoggingEnabled"])]
    fn set_logging_enabled(&self, on: bool) -> Result<(), RpcError>;
}

impl Node {
    fn metadata(&self) -> Result<Metadata, RpcError> {
        let head = self.chain.head();
        let snapshots = self.chain.snapshots()?;
        Ok(Metadata {
            client_version: self.client_version.clone(),
            client_semver: env!("CARGO_PKG_VERSION"),
            client_commit_sha: None,
            chain_id: self.params().chain_id,
            instance_id: self.instance.id(),
            latest_block_number: head.block.number(),
            latest_block_hash: head.block.hash(),
            forked_network: self.chain.fork().map(|fork| {
                let (number, hash) = (fork.header().number, fork.header().hash());
                json!({ "chainId": fork.chain_id(), "forkBlockNumber": number, "forkBlockHash": hash })
            }),
            snapshots: snapshots.iter().map(|point| (U64::from(point.id), (point.number, point.hash))).collect(),
        })
    }
}

#[async_trait]
impl AboutServer for Api {
    fn node_info(&self) -> Result<NodeInfo, RpcError> {
        let block = &self.0.chain.head().block;
        let params = self.0.params();
        let base_fee = self.0.next_base_fee();
        Ok(NodeInfo {
            current_block_number: U64::from(block.number()),
            current_block_timestamp: block.header.timestamp,
            current_block_hash: block.hash(),
            hard_fork: params.hardfork.name(),
            transaction_order: "fees",
            environment: Environment {
                base_fee: U256::from(base_fee),
                chain_id: params.chain_id,
                gas_limit: U64::from(params.block_gas_limit),
                gas_price: U256::from(base_fee + SUGGESTED_TIP_WEI),
            },
            fork_config: ForkConfig::of(&self.0.chain),
        })
    }

    async fn metadata(&self) -> Result<Metadata, RpcError> {
        // The list of snapshots is the writer's.
        self.0.write(Node::metadata).await
    }

    /// On a fork, that of the block that was forked.
    fn genesis_time(&self) -> Result<u64, RpcError> {
        Ok(self.0.known_block(self.0.chain.first().into())?.header.timestamp)
    }

    /// Whether blocks and their transactions are told in the log as they are added.
    fn set_logging_enabled(&self, on: bool) -> Result<(), RpcError> {
        self.0.chain.set_block_log(if on { BlockLog::On } else { BlockLog::Off });
        Ok(())
    }
}

//! `engine_` as far as it is spoken: blocks that are handed in, and the choice of the head (execution-apis, `src/engine`).

use std::sync::Arc;

use alloy_consensus::{BlockHeader as _, Transaction as _, TxEnvelope};
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_engine::{
    CancunPayloadFields, ExecutionPayload, ExecutionPayloadInputV2, ExecutionPayloadSidecar, ExecutionPayloadV1,
    ExecutionPayloadV3, ForkchoiceState, ForkchoiceUpdated, PayloadStatus, PayloadStatusEnum, PraguePayloadFields,
};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::{ChainError, Chosen, Received};
use parapet_import::{Consequence, IncomingBlock};
use parapet_types::Hardfork;
use serde::Serialize;
use serde_json::Value;

use crate::{RpcError, node::Node};

/// What is answered here, as `engine_exchangeCapabilities` tells it.
const CAPABILITIES: [&str; 8] = [
    "engine_newPayloadV1",
    "engine_newPayloadV2",
    "engine_newPayloadV3",
    "engine_newPayloadV4",
    "engine_forkchoiceUpdatedV1",
    "engine_forkchoiceUpdatedV2",
    "engine_forkchoiceUpdatedV3",
    "engine_getClientVersionV1",
];

/// The node, as a consensus client sees it.
pub(super) struct Engine(pub(super) Arc<Node>);

/// Who answers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ClientVersion {
    code: &'static str,
    name: &'static str,
    version: &'static str,
    commit: &'static str,
}

#[rpc(server, namespace = "engine")]
pub(super) trait EngineApi {
    #[method(name = "newPayloadV1")]
    async fn new_payload_v1(&self, payload: ExecutionPayloadV1) -> Result<PayloadStatus, RpcError>;

    #[method(name = "newPayloadV2")]
    async fn new_payload_v2(&self, payload: ExecutionPayloadInputV2) -> Result<PayloadStatus, RpcError>;

    #[method(name = "newPayloadV3")]
    async fn new_payload_v3(
        &self,
        payload: ExecutionPayloadV3,
        versioned_hashes: Vec<B256>,
        parent_beacon_block_root: B256,
    ) -> Result<PayloadStatus, RpcError>;

    #[method(name = "newPayloadV4")]
    async fn new_payload_v4(
        &self,
        payload: ExecutionPayloadV3,
        versioned_hashes: Vec<B256>,
        parent_beacon_block_root: B256,
        requests: Vec<Bytes>,
    ) -> Result<PayloadStatus, RpcError>;

    #[method(name = "forkchoiceUpdatedV1")]
    async fn forkchoice_updated_v1(
        &self,
        state: ForkchoiceState,
        attributes: Option<Value>,
    ) -> Result<ForkchoiceUpdated, RpcError>;

    #[method(name = "forkchoiceUpdatedV2")]
    async fn forkchoice_updated_v2(
        &self,
        state: ForkchoiceState,
        attributes: Option<Value>,
    ) -> Result<ForkchoiceUpdated, RpcError>;

    #[method(name = "forkchoiceUpdatedV3")]
    async fn forkchoice_updated_v3(
        &self,
        state: ForkchoiceState,
        attributes: Option<Value>,
    ) -> Result<ForkchoiceUpdated, RpcError>;

    #[method(name = "exchangeCapabilities")]
    fn exchange_capabilities(&self, theirs: Vec<String>) -> Result<Vec<&'static str>, RpcError>;

    #[method(name = "getClientVersionV1")]
    fn client_version(&self, theirs: Value) -> Result<Vec<ClientVersion>, RpcError>;
}

#[async_trait]
impl EngineApiServer for Engine {
    async fn new_payload_v1(&self, payload: ExecutionPayloadV1) -> Result<PayloadStatus, RpcError> {
        let forks = (Hardfork::Paris, Hardfork::Shanghai);
        self.payload(payload.into(), ExecutionPayloadSidecar::none(), forks).await
    }

    async fn new_payload_v2(&self, payload: ExecutionPayloadInputV2) -> Result<PayloadStatus, RpcError> {
        let forks = (Hardfork::Paris, Hardfork::Cancun);
        self.payload(payload.into_payload(), ExecutionPayloadSidecar::none(), forks).await
    }

    async fn new_payload_v3(
        &self,
        payload: ExecutionPayloadV3,
        versioned_hashes: Vec<B256>,
        parent_beacon_block_root: B256,
    ) -> Result<PayloadStatus, RpcError> {
        let cancun = CancunPayloadFields::new(parent_beacon_block_root, versioned_hashes);
        let forks = (Hardfork::Cancun, Hardfork::Prague);
        self.payload(payload.into(), ExecutionPayloadSidecar::v3(cancun), forks).await
    }

    async fn new_payload_v4(
        &self,
        payload: ExecutionPayloadV3,
        versioned_hashes: Vec<B256>,
        parent_beacon_block_root: B256,
        requests: Vec<Bytes>,
    ) -> Result<PayloadStatus, RpcError> {
        let cancun = CancunPayloadFields::new(parent_beacon_block_root, versioned_hashes);
        let prague = PraguePayloadFields::new(Requests::new(requests));
        let forks = (Hardfork::Prague, Hardfork::Amsterdam);
        self.payload(payload.into(), ExecutionPayloadSidecar::v4(cancun, prague), forks).await
    }

    async fn forkchoice_updated_v1(
        &self,
        state: ForkchoiceState,
        attributes: Option<Value>,
    ) -> Result<ForkchoiceUpdated, RpcError> {
        self.choose(state, attributes).await
    }

    async fn forkchoice_updated_v2(
        &self,
        state: ForkchoiceState,
        attributes: Option<Value>,
    ) -> Result<ForkchoiceUpdated, RpcError> {
        self.choose(state, attributes).await
    }

    async fn forkchoice_updated_v3(
        &self,
        state: ForkchoiceState,
        attributes: Option<Value>,
    ) -> Result<ForkchoiceUpdated, RpcError> {
        self.choose(state, attributes).await
    }

    fn exchange_capabilities(&self, theirs: Vec<String>) -> Result<Vec<&'static str>, RpcError> {
        tracing::debug!("a consensus client speaks {} methods", theirs.len());
        Ok(CAPABILITIES.to_vec())
    }

    fn client_version(&self, theirs: Value) -> Result<Vec<ClientVersion>, RpcError> {
        tracing::info!("a consensus client is there: {theirs}");
        let version = env!("CARGO_PKG_VERSION");
        Ok(vec![ClientVersion { code: "PP", name: "Parapet", version, commit: "0x00000000" }])
    }
}

impl Engine {
    /// Takes a block in whose fork is one of those from the first to, and without, the second.
    async fn payload(
        &self,
        payload: ExecutionPayload,
        sidecar: ExecutionPayloadSidecar,
        (from, to): (Hardfork, Hardfork),
    ) -> Result<PayloadStatus, RpcError> {
        self.0
            .write(move |node| {
                let hardfork = node.chain.spec().hardfork_at(payload.block_number(), payload.timestamp());
                if hardfork < from || hardfork >= to {
                    return Err(RpcError::UnsupportedFork(hardfork));
                }
                match decode(payload, &sidecar) {
                    Ok(block) => receive(node, block),
                    Err(reason) => Ok(invalid(reason, None)),
                }
            })
            .await
    }

    async fn choose(&self, state: ForkchoiceState, attributes: Option<Value>) -> Result<ForkchoiceUpdated, RpcError> {
        self.0
            .write(move |node| {
                let head = state.head_block_hash;
                let status = match node.choose(head)? {
                    Chosen::Head { .. } | Chosen::Ancestor => PayloadStatusEnum::Valid,
                    Chosen::Unknown => return Ok(ForkchoiceUpdated::from_status(PayloadStatusEnum::Syncing)),
                };
                for hash in [state.safe_block_hash, state.finalized_block_hash] {
                    if !hash.is_zero() && node.chain.block_by_hash(hash)?.is_none() {
                        return Err(RpcError::ForkchoiceState(hash));
                    }
                }
                match attributes {
                    Some(_) => Err(RpcError::NoPayloads),
                    None => Ok(ForkchoiceUpdated::new(PayloadStatus::new(status, Some(head)))),
                }
            })
            .await
    }
}

impl Node {
    /// Makes a block the head, and has filters look again at what took the place of dropped blocks.
    fn choose(&self, hash: B256) -> Result<Chosen, RpcError> {
        let chosen = self.chain.choose(hash)?;
        if let Chosen::Head { dropped, .. } = &chosen {
            self.filters.rewind(dropped);
        }
        Ok(chosen)
    }
}

/// The block of a payload, if it has the hash and the blobs that it should have.
fn decode(payload: ExecutionPayload, sidecar: &ExecutionPayloadSidecar) -> Result<IncomingBlock, String> {
    let hash = payload.block_hash();
    let block = payload.try_into_block_with_sidecar::<TxEnvelope>(sidecar).map_err(|error| error.to_string())?;
    if let Some(expected) = sidecar.versioned_hashes() {
        let blobs = block.body.transactions.iter().filter_map(|transaction| transaction.blob_versioned_hashes());
        if !blobs.flatten().eq(expected) {
            return Err("the versioned hashes are not those of the block's blobs".to_owned());
        }
    }
    let block = IncomingBlock::from_block(block).map_err(|error| error.to_string())?;
    match block.header.hash() {
        found if found == hash => Ok(block),
        found => Err(format!("the block hash is {found}, not {hash}")),
    }
}

fn receive(node: &Node, block: IncomingBlock) -> Result<PayloadStatus, RpcError> {
    let (hash, parent) = (block.header.hash(), block.header.parent_hash());
    match node.chain.receive(block) {
        Ok(Received::Valid) => Ok(PayloadStatus::new(PayloadStatusEnum::Valid, Some(hash))),
        Ok(Received::UnknownParent) => Ok(PayloadStatus::from_status(PayloadStatusEnum::Syncing)),
        Err(ChainError::Import(error)) if error.consequence() == Consequence::Refuse => {
            Ok(invalid(error.to_string(), Some(parent)))
        }
        Err(error) => Err(error.into()),
    }
}

fn invalid(validation_error: String, latest_valid: Option<B256>) -> PayloadStatus {
    PayloadStatus::new(PayloadStatusEnum::Invalid { validation_error }, latest_valid)
}

//! `engine_`: blocks that are handed in, built and fetched, and the choice of the head (execution-apis, `src/engine`).
//!
//! Versions of a method differ in the forks whose blocks they are for, and in what goes with a block. Each version is a row
//! of a table, and what they have in common is one function.

use alloy_consensus::{BlockHeader as _, Transaction as _, TxEnvelope};
use alloy_eips::{
    eip4844::{BlobAndProofV1, BlobAndProofV2},
    eip7685::Requests,
};
use alloy_primitives::{B256, Bytes, U64, U256};
use alloy_rpc_types_engine::{
    CancunPayloadFields, ExecutionPayload, ExecutionPayloadBodyV1, ExecutionPayloadBodyV2, ExecutionPayloadInputV2,
    ExecutionPayloadSidecar, ExecutionPayloadV1, ExecutionPayloadV3, PayloadId, PayloadStatus, PayloadStatusEnum,
    PraguePayloadFields,
};
use jsonrpsee::{
    RpcModule,
    core::{RegisterMethodError, async_trait},
    proc_macros::rpc,
    types::{Params, ParamsSequence},
};
use parapet_builder::{ChainError, Received};
use parapet_import::{Consequence, IncomingBlock};
use parapet_types::Hardfork;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Engine, Forks, contents::body};
use crate::{RpcError, node::Node, wire::BuiltPayload};

/// Takes a block that was built elsewhere.
const NEW_PAYLOAD: [(&str, Incoming, Forks); 4] = [
    ("engine_newPayloadV1", Incoming::One, (Hardfork::Paris, Hardfork::Shanghai)),
    ("engine_newPayloadV2", Incoming::Two, (Hardfork::Paris, Hardfork::Cancun)),
    ("engine_newPayloadV3", Incoming::Three, (Hardfork::Cancun, Hardfork::Prague)),
    ("engine_newPayloadV4", Incoming::Four, (Hardfork::Prague, Hardfork::Amsterdam)),
];
/// Chooses the head, and has a block built on it.
const FORKCHOICE_UPDATED: [(&str, Forks); 3] = [
    ("engine_forkchoiceUpdatedV1", (Hardfork::Paris, Hardfork::Shanghai)),
    ("engine_forkchoiceUpdatedV2", (Hardfork::Paris, Hardfork::Cancun)),
    ("engine_forkchoiceUpdatedV3", (Hardfork::Cancun, Hardfork::Amsterdam)),
];
/// Fetches a block that was built.
const GET_PAYLOAD: [(&str, Told, Forks); 5] = [
    ("engine_getPayloadV1", Told::Block, (Hardfork::Paris, Hardfork::Shanghai)),
    ("engine_getPayloadV2", Told::Value, (Hardfork::Paris, Hardfork::Cancun)),
    ("engine_getPayloadV3", Told::Blobs, (Hardfork::Cancun, Hardfork::Prague)),
    ("engine_getPayloadV4", Told::Requests, (Hardfork::Prague, Hardfork::Osaka)),
    ("engine_getPayloadV5", Told::Requests, (Hardfork::Osaka, Hardfork::Amsterdam)),
];
/// A client does not tell of it, for it has just asked it.
const EXCHANGE: &str = "engine_exchangeCapabilities";

/// What comes with a block that is handed in.
#[derive(Clone, Copy)]
enum Incoming {
    /// Nothing.
    One,
    /// Withdrawals, if its fork has them.
    Two,
    /// Besides, its blobs' hashes and the beacon block's root.
    Three,
    /// Besides, its requests.
    Four,
}

/// What is told of a block that was built.
#[derive(Clone, Copy)]
enum Told {
    /// The block alone.
    Block,
    /// Besides, what it pays.
    Value,
    /// Besides, its blobs.
    Blobs,
    /// Besides, its requests.
    Requests,
}

/// A block that was built, as a version of the method tells it.
#[derive(Clone, Serialize)]
#[serde(untagged)]
enum Fetched {
    Block(ExecutionPayload),
    #[serde(rename_all = "camelCase")]
    Value {
        execution_payload: ExecutionPayload,
        block_value: U256,
    },
    Whole(Box<BuiltPayload>),
}

/// Who answers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ClientVersion {
    code: &'static str,
    name: &'static str,
    version: &'static str,
    commit: String,
}

#[rpc(server, namespace = "engine")]
pub(super) trait EngineApi {
    #[method(name = "getPayloadBodiesByHashV1")]
    async fn bodies_by_hash(&self, hashes: Vec<B256>) -> Result<Vec<Option<ExecutionPayloadBodyV1>>, RpcError>;

    #[method(name = "getPayloadBodiesByHashV2")]
    async fn listed_bodies_by_hash(&self, hashes: Vec<B256>) -> Result<Vec<Option<ExecutionPayloadBodyV2>>, RpcError>;

    #[method(name = "getPayloadBodiesByRangeV1")]
    async fn bodies_by_range(&self, start: U64, count: U64) -> Result<Vec<Option<ExecutionPayloadBodyV1>>, RpcError>;

    #[method(name = "getPayloadBodiesByRangeV2")]
    async fn listed_bodies_by_range(
        &self,
        start: U64,
        count: U64,
    ) -> Result<Vec<Option<ExecutionPayloadBodyV2>>, RpcError>;

    /// Before Osaka.
    #[method(name = "getBlobsV1")]
    async fn blobs(&self, hashes: Vec<B256>) -> Result<Vec<Option<BlobAndProofV1>>, RpcError>;

    /// All of them, or `null`.
    #[method(name = "getBlobsV2")]
    async fn all_blobs(&self, hashes: Vec<B256>) -> Result<Option<Vec<BlobAndProofV2>>, RpcError>;

    #[method(name = "getBlobsV3")]
    async fn some_blobs(&self, hashes: Vec<B256>) -> Result<Vec<Option<BlobAndProofV2>>, RpcError>;

    #[method(name = "getClientVersionV1")]
    fn client_version(&self, theirs: Value) -> Result<Vec<ClientVersion>, RpcError>;
}

#[async_trait]
impl EngineApiServer for Engine {
    async fn bodies_by_hash(&self, hashes: Vec<B256>) -> Result<Vec<Option<ExecutionPayloadBodyV1>>, RpcError> {
        self.node.read(move |node| node.bodies_by_hash(&hashes, |_, block| Ok(body(block)))).await
    }

    async fn listed_bodies_by_hash(&self, hashes: Vec<B256>) -> Result<Vec<Option<ExecutionPayloadBodyV2>>, RpcError> {
        self.node.read(move |node| node.bodies_by_hash(&hashes, Node::listed_body)).await
    }

    async fn bodies_by_range(&self, start: U64, count: U64) -> Result<Vec<Option<ExecutionPayloadBodyV1>>, RpcError> {
        let range = (start.to(), count.to());
        self.node.read(move |node| node.bodies_by_range(range, |_, block| Ok(body(block)))).await
    }

    async fn listed_bodies_by_range(
        &self,
        start: U64,
        count: U64,
    ) -> Result<Vec<Option<ExecutionPayloadBodyV2>>, RpcError> {
        let range = (start.to(), count.to());
        self.node.read(move |node| node.bodies_by_range(range, Node::listed_body)).await
    }

    async fn blobs(&self, hashes: Vec<B256>) -> Result<Vec<Option<BlobAndProofV1>>, RpcError> {
        let hardfork = self.node.params().hardfork;
        if hardfork >= Hardfork::Osaka {
            return Err(RpcError::UnsupportedFork(hardfork));
        }
        self.node.read(move |node| node.blobs_v1(&hashes)).await
    }

    async fn all_blobs(&self, hashes: Vec<B256>) -> Result<Option<Vec<BlobAndProofV2>>, RpcError> {
        self.node.read(move |node| Ok(node.blobs_v2(&hashes)?.into_iter().collect())).await
    }

    async fn some_blobs(&self, hashes: Vec<B256>) -> Result<Vec<Option<BlobAndProofV2>>, RpcError> {
        self.node.read(move |node| node.blobs_v2(&hashes)).await
    }

    fn client_version(&self, theirs: Value) -> Result<Vec<ClientVersion>, RpcError> {
        tracing::info!("a consensus client is there: {theirs}");
        let version = env!("CARGO_PKG_VERSION");
        Ok(vec![ClientVersion { code: "PP", name: "Parapet", version, commit: self.commit.to_string() }])
    }
}

/// All methods of the namespace.
pub(super) fn methods(engine: Engine) -> Result<RpcModule<Engine>, RegisterMethodError> {
    let mut module = EngineApiServer::into_rpc(engine);
    for (name, incoming, forks) in NEW_PAYLOAD {
        module.register_async_method(name, move |params, engine, _| async move {
            let (payload, sidecar) = incoming.read(&params)?;
            engine.receive(payload, sidecar, forks).await
        })?;
    }
    for (name, forks) in FORKCHOICE_UPDATED {
        module.register_async_method(name, move |params, engine, _| async move {
            let mut params = params.sequence();
            let state = next(&mut params)?;
            let attributes: Option<Value> =
                params.optional_next().map_err(|error| RpcError::params(error.to_string()))?;
            engine.choose(state, attributes, forks).await
        })?;
    }
    for (name, told, forks) in GET_PAYLOAD {
        module.register_async_method(name, move |params, engine, _| async move {
            engine.fetch(next(&mut params.sequence())?, told, forks).await
        })?;
    }
    let names: Vec<&str> = module.method_names().collect();
    module.register_method(EXCHANGE, move |_, _, _| names.clone())?;
    Ok(module)
}

/// The next of a call's parameters.
fn next<T: DeserializeOwned>(params: &mut ParamsSequence<'_>) -> Result<T, RpcError> {
    let next: Result<Value, _> = params.next();
    let value = next.map_err(|error| RpcError::params(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| RpcError::params(error.to_string()))
}

impl Incoming {
    fn read(self, params: &Params<'_>) -> Result<(ExecutionPayload, ExecutionPayloadSidecar), RpcError> {
        let mut params = params.sequence();
        let payload = match self {
            Self::One => next::<ExecutionPayloadV1>(&mut params)?.into(),
            Self::Two => next::<ExecutionPayloadInputV2>(&mut params)?.into_payload(),
            Self::Three | Self::Four => next::<ExecutionPayloadV3>(&mut params)?.into(),
        };
        let mut cancun = || {
            let (hashes, root) = (next::<Vec<B256>>(&mut params)?, next::<B256>(&mut params)?);
            Ok::<_, RpcError>(CancunPayloadFields::new(root, hashes))
        };
        let sidecar = match self {
            Self::One | Self::Two => ExecutionPayloadSidecar::none(),
            Self::Three => ExecutionPayloadSidecar::v3(cancun()?),
            Self::Four => {
                let cancun = cancun()?;
                let requests = Requests::new(next::<Vec<Bytes>>(&mut params)?);
                ExecutionPayloadSidecar::v4(cancun, PraguePayloadFields::new(requests))
            }
        };
        Ok((payload, sidecar))
    }
}

impl Engine {
    /// Takes a block of one of those forks.
    async fn receive(
        &self,
        payload: ExecutionPayload,
        sidecar: ExecutionPayloadSidecar,
        (from, to): Forks,
    ) -> Result<PayloadStatus, RpcError> {
        self.node
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

    /// The block of a build, if it is of one of those forks.
    async fn fetch(&self, id: PayloadId, told: Told, (from, to): Forks) -> Result<Fetched, RpcError> {
        let payload = self.builds.fetch(id).await?;
        let hardfork = self.node.chain.spec().of(&payload.block.header).hardfork;
        if hardfork < from || hardfork >= to {
            return Err(RpcError::UnsupportedFork(hardfork));
        }
        let built = BuiltPayload::from(payload);
        Ok(match told {
            Told::Block => Fetched::Block(built.execution_payload),
            Told::Value => {
                Fetched::Value { execution_payload: built.execution_payload, block_value: built.block_value }
            }
            Told::Blobs => Fetched::Whole(Box::new(BuiltPayload { execution_requests: None, ..built })),
            Told::Requests => Fetched::Whole(Box::new(built)),
        })
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
        Ok(Received::Bad { latest_valid }) => Ok(refused_before(latest_valid)),
        Ok(Received::UnknownParent) => Ok(PayloadStatus::from_status(PayloadStatusEnum::Syncing)),
        Err(ChainError::Import(error)) if error.consequence() == Consequence::Refuse => {
            Ok(invalid(error.to_string(), Some(parent)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is said of a block that was refused before, or stands on one that was.
pub(super) fn refused_before(latest_valid: B256) -> PayloadStatus {
    invalid("it is, or stands on, a block that was refused before".to_owned(), Some(latest_valid))
}

fn invalid(validation_error: String, latest_valid: Option<B256>) -> PayloadStatus {
    PayloadStatus::new(PayloadStatusEnum::Invalid { validation_error }, latest_valid)
}

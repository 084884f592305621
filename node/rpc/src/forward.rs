//! What lies before the fork of a forked chain: calls about it are passed on to the chain's endpoint, and its answers are given
//! as they are.
//!
//! Here is only whose business a call is. Of the block that was forked, the chain that goes on from it has the state, with what
//! it laid over it, and the other chain has the block itself, with its transactions. An answer that is passed on is what the
//! endpoint says: nothing of it is checked, no guard was asked, and the endpoint's limits hold.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use jsonrpsee::{MethodResponse, ResponsePayload, types::ErrorObjectOwned};
use parapet_fork::Fork;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use crate::{RpcError, api::BundleContext, asked::Asked, node::Node, wire::BlockRef};

/// Most calls that are passed on at a time; others wait.
const PASSED_ON_MAX: usize = 8;

/// Passes calls on.
pub(crate) struct Forward {
    node: Arc<Node>,
    response_bytes_max: usize,
    permits: Arc<Semaphore>,
}

/// What a method asks about, and which of its parameters says of which block or transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// State after a block.
    State(usize),
    /// A block and what is in it.
    Block(usize),
    /// A transaction, by its hash.
    Transaction(usize),
    /// Blocks from one to another, as fields of a filter.
    Range,
}

/// What a method asks about that may lie before a fork.
fn about(method: &str) -> Option<About> {
    Some(match method {
        "eth_getBalance"
        | "eth_getTransactionCount"
        | "eth_getCode"
        | "eth_call"
        | "eth_estimateGas"
        | "eth_createAccessList"
        | "eth_simulateV1"
        | "debug_traceCall"
        | "debug_traceCallMany"
        | "ots_hasCode" => About::State(1),
        "eth_getStorageAt" => About::State(2),
        "trace_call" => About::State(2),
        // Of the forked block itself the other chain has proofs.
        "eth_getProof" => About::Block(2),
        "eth_getBlockByNumber"
        | "eth_getBlockByHash"
        | "eth_getHeaderByNumber"
        | "eth_getHeaderByHash"
        | "eth_getBlockTransactionCountByNumber"
        | "eth_getBlockTransactionCountByHash"
        | "eth_getUncleCountByBlockNumber"
        | "eth_getUncleCountByBlockHash"
        | "eth_getUncleByBlockNumberAndIndex"
        | "eth_getUncleByBlockHashAndIndex"
        | "eth_getTransactionByBlockNumberAndIndex"
        | "eth_getTransactionByBlockHashAndIndex"
        | "eth_getRawTransactionByBlockNumberAndIndex"
        | "eth_getRawTransactionByBlockHashAndIndex"
        | "eth_getBlockReceipts"
        | "debug_getRawBlock"
        | "debug_getRawHeader"
        | "debug_getRawReceipts"
        | "debug_getRawBlockAccessList"
        | "debug_storageRangeAt"
        | "erigon_getHeaderByNumber"
        | "eth_getBlockAccessList"
        | "debug_traceBlockByNumber"
        | "debug_traceBlockByHash"
        | "trace_block"
        | "trace_replayBlockTransactions"
        | "ots_getBlockDetails"
        | "ots_getBlockDetailsByHash"
        | "ots_getBlockTransactions" => About::Block(0),
        "eth_feeHistory" => About::Block(1),
        "eth_getTransactionByHash"
        | "eth_getTransactionReceipt"
        | "eth_getRawTransactionByHash"
        | "debug_traceTransaction"
        | "debug_getRawTransaction"
        | "trace_transaction"
        | "trace_get"
        | "trace_replayTransaction"
        | "ots_getInternalOperations"
        | "ots_getTransactionError"
        | "ots_traceTransaction" => About::Transaction(0),
        "trace_filter" => About::Range,
        _ => return None,
    })
}

/// Where a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Here,
    There,
    /// There, where this parameter is to be a block's number: by the name that it has here, the other chain has another one.
    ThereAs(usize, u64),
}

impl Node {
    /// Where a call is answered on a chain that goes on from another one.
    fn place(&self, fork: &Fork, method: &str, params: Option<&str>) -> Result<Place, RpcError> {
        let (Some(about), Some(params)) = (about(method), params) else { return Ok(Place::Here) };
        // What is not as it should be is for the method to refuse.
        let Ok(params) = serde_json::from_str::<Vec<&RawValue>>(params) else { return Ok(Place::Here) };
        let fork_number = fork.header().number;
        match about {
            About::State(index) => {
                let there = |number| number < fork_number;
                self.place_of_block(fork, (block(&params, index), index), there)
            }
            About::Block(index) => {
                let there = |number| number <= fork_number;
                self.place_of_block(fork, (block(&params, index), index), there)
            }
            About::Transaction(index) => {
                let Some(hash) = nth::<B256>(&params, index) else { return Ok(Place::Here) };
                let is_ours = self.chain.transaction(hash)?.is_some() || self.chain.pooled(hash).is_some();
                Ok(if is_ours { Place::Here } else { Place::There })
            }
            About::Range => self.place_of_range(fork_number, &params),
        }
    }

    fn place_of_block(
        &self,
        fork: &Fork,
        (id, index): (Option<BlockId>, usize),
        is_there: impl Fn(u64) -> bool,
    ) -> Result<Place, RpcError> {
        let number = match id {
            None | Some(BlockId::Number(BlockNumberOrTag::Pending)) => return Ok(Place::Here),
            Some(BlockId::Number(BlockNumberOrTag::Number(number))) => number,
            Some(BlockId::Number(BlockNumberOrTag::Earliest)) => 0,
            Some(BlockId::Number(tag)) => {
                let number = self.number_of(tag);
                return Ok(if is_there(number) { Place::ThereAs(index, number) } else { Place::Here });
            }
            Some(BlockId::Hash(hash)) if hash.block_hash == fork.header().hash() => fork.header().number,
            Some(BlockId::Hash(hash)) => match self.chain.block_by_hash(hash.block_hash)? {
                Some(_) => return Ok(Place::Here),
                None => return Ok(Place::There),
            },
        };
        Ok(if is_there(number) { Place::There } else { Place::Here })
    }

    fn place_of_range(&self, fork_number: u64, params: &[&RawValue]) -> Result<Place, RpcError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Range {
            from_block: Option<BlockNumberOrTag>,
            to_block: Option<BlockNumberOrTag>,
        }
        let Some(Range { from_block, to_block }) = nth::<Range>(params, 0) else { return Ok(Place::Here) };
        let number = |tag: Option<BlockNumberOrTag>| self.number_of(tag.unwrap_or_default());
        match (number(from_block) <= fork_number, number(to_block) <= fork_number) {
            (_, true) => Ok(Place::There),
            (false, false) => Ok(Place::Here),
            (true, false) => Err(RpcError::params(format!(
                "the range begins before the fork and ends after it; ask for the blocks up to {fork_number} and for those \
                 after it apart"
            ))),
        }
    }
}

/// A parameter as a block, if it is one.
fn block(params: &[&RawValue], index: usize) -> Option<BlockId> {
    let of_bundles = || nth::<BundleContext>(params, index).and_then(|context| context.parts().0);
    nth::<BlockRef>(params, index).map(|block| block.0).or_else(of_bundles)
}

/// A parameter as a value, if it is one.
fn nth<T: DeserializeOwned>(params: &[&RawValue], index: usize) -> Option<T> {
    serde_json::from_str(params.get(index)?.get()).ok()
}

/// Parameters, one of them replaced by a block's number.
fn renamed(params: String, block: Option<(usize, u64)>) -> Box<RawValue> {
    let params = RawValue::from_string(params).expect("it was parsed before");
    let Some((index, number)) = block else { return params };
    let number = serde_json::value::to_raw_value(&format!("{number:#x}")).expect("a string");
    let mut each: Vec<&RawValue> = serde_json::from_str(params.get()).expect("it was parsed before");
    if let Some(param) = each.get_mut(index) {
        *param = &number;
    }
    serde_json::value::to_raw_value(&each).expect("it is JSON already")
}

impl Forward {
    pub(crate) fn new(node: Arc<Node>, response_bytes_max: usize) -> Self {
        Self { node, response_bytes_max, permits: Arc::new(Semaphore::new(PASSED_ON_MAX)) }
    }

    /// The answer to a call that is not answered here.
    pub(crate) async fn elsewhere(&self, asked: &Asked<'_>) -> Option<MethodResponse> {
        let fork = self.node.chain.fork()?;
        match self.node.place(&fork, &asked.method, asked.params_text()) {
            Ok(Place::Here) => None,
            Ok(Place::There) => Some(self.pass_on(fork, asked, None).await),
            Ok(Place::ThereAs(index, number)) => Some(self.pass_on(fork, asked, Some((index, number))).await),
            Err(error) => Some(MethodResponse::error(asked.id.clone(), ErrorObjectOwned::from(error))),
        }
    }

    /// The endpoint's answer.
    async fn pass_on(&self, fork: Arc<Fork>, asked: &Asked<'_>, block: Option<(usize, u64)>) -> MethodResponse {
        let (id, method) = (asked.id.clone(), asked.method.clone().into_owned());
        let params = renamed(asked.params_text().unwrap_or("[]").to_owned(), block);
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("never closed");
        let passed = tokio::task::spawn_blocking(move || {
            // Whoever asked may leave; the endpoint is still asked.
            let _permit = permit;
            fork.pass_on(&method, &params)
        });
        match passed.await {
            Ok(Ok(answer)) => MethodResponse::response(id, ResponsePayload::success(answer), self.response_bytes_max),
            Ok(Err(error)) => MethodResponse::error(id, ErrorObjectOwned::from(RpcError::from(error))),
            Err(panic) => MethodResponse::error(id, ErrorObjectOwned::from(RpcError::Internal(panic.to_string()))),
        }
    }
}

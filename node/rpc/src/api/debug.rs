//! Debug traces, and the chain's encodings.

use std::sync::Arc;

use alloy_consensus::ReceiptEnvelope;
use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718 as _};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::{Block, BlockTransactionsKind, TransactionRequest};
use alloy_rpc_types_trace::geth::{GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_simulate::SimulateError;
use parapet_state::StoredBlock;
use serde::Serialize;

use crate::{
    RpcError,
    api::Api,
    node::Node,
    wire::{self, Hash},
};

#[rpc(server, namespace = "debug")]
pub(crate) trait Debug {
    #[method(name = "traceTransaction")]
    async fn trace_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<GethTrace, RpcError>;

    #[method(name = "traceBlockByNumber")]
    async fn trace_block_by_number(
        &self,
        number: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, RpcError>;

    #[method(name = "traceBlockByHash")]
    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, RpcError>;

    #[method(name = "traceCall")]
    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<GethTrace, RpcError>;

    #[method(name = "getRawTransaction")]
    fn debug_raw_transaction(&self, hash: Hash) -> Result<Option<Bytes>, RpcError>;

    #[method(name = "getRawHeader")]
    fn raw_header(&self, id: BlockId) -> Result<Bytes, RpcError>;

    #[method(name = "getRawBlock")]
    fn raw_block(&self, id: BlockId) -> Result<Bytes, RpcError>;

    #[method(name = "getRawReceipts")]
    fn raw_receipts(&self, id: BlockId) -> Result<Vec<Bytes>, RpcError>;

    /// The last blocks that came by the Engine API and are not valid, newest first.
    #[method(name = "getBadBlocks")]
    fn bad_blocks(&self) -> Result<Vec<BadBlock>, RpcError>;
}

/// A block that is not valid.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BadBlock {
    block: Block,
    hash: B256,
    rlp: Bytes,
}

impl Node {
    /// The bound on steps, which is told and not silent: a client's own limit stands where it is lower. One step more than
    /// is answered tells whether there were too many.
    pub(crate) fn bounded(&self, mut options: GethDebugTracingOptions) -> GethDebugTracingOptions {
        let wanted = options.config.limit.filter(|limit| *limit != 0);
        options.config.limit = Some(wanted.unwrap_or(u64::MAX).min(self.limits.trace_steps_max + 1));
        options
    }

    pub(crate) fn too_many_steps(&self) -> RpcError {
        let max = self.limits.trace_steps_max;
        let what = format!("a trace of more than {max} steps (use a tracer such as callTracer, or set a limit)");
        RpcError::TooMuch { what, max }
    }

    fn trace(
        &self,
        options: GethDebugTracingOptions,
        run: impl FnOnce(GethDebugTracingOptions) -> Result<GethTrace, RpcError>,
    ) -> Result<GethTrace, RpcError> {
        let trace = run(self.bounded(options))?;
        match &trace {
            GethTrace::Default(frame) if frame.struct_logs.len() as u64 > self.limits.trace_steps_max => {
                Err(self.too_many_steps())
            }
            _ => Ok(trace),
        }
    }

    /// All transactions of a block; the bound on steps is for all of them together.
    fn trace_block(&self, id: BlockId, options: Option<GethDebugTracingOptions>) -> Result<Vec<TraceResult>, RpcError> {
        let block = self.known_block(id)?;
        let at = self.start_of(&block)?;
        let options = self.bounded(options.unwrap_or_default());
        let max = self.limits.trace_steps_max;
        let traces = parapet_simulate::trace_block(&at.point(), &block.transactions, &options, max, self.monitor());
        let traces = traces.map_err(|error| match error {
            SimulateError::Steps => self.too_many_steps(),
            other => other.into(),
        })?;
        let named = traces.into_iter().zip(&block.transactions);
        Ok(named.map(|(result, tx)| TraceResult::new_success(result, Some(*tx.hash()))).collect())
    }
}

#[async_trait]
impl DebugServer for Api {
    async fn trace_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<GethTrace, RpcError> {
        self.0
            .read(move |node| {
                let (block, index) = node.chain.transaction(hash)?.ok_or(RpcError::NoTransaction(hash))?;
                let at = node.start_of(&block)?;
                let (preceding, target) = (&block.transactions[..index], &block.transactions[index]);
                let monitor = node.monitor();
                node.trace(options.unwrap_or_default(), |options| {
                    Ok(parapet_simulate::trace_transaction(&at.point(), preceding, target, options, monitor)?)
                })
            })
            .await
    }

    async fn trace_block_by_number(
        &self,
        number: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, RpcError> {
        self.0.read(move |node| node.trace_block(number.into(), options)).await
    }

    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, RpcError> {
        self.0.read(move |node| node.trace_block(hash.into(), options)).await
    }

    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<GethTrace, RpcError> {
        let request = self.0.call_request(request)?;
        let options = options.unwrap_or_default();
        self.0
            .read(move |node| {
                let at = match options.tx_index {
                    Some(index) => {
                        let block = node.known_block(block.unwrap_or_default())?;
                        node.within(&block, usize::try_from(index).unwrap_or(usize::MAX))?
                    }
                    None => node.at(block)?,
                };
                let at = Node::overridden(at, options.state_overrides, options.block_overrides)?;
                node.trace(options.tracing_options, |options| {
                    Ok(parapet_simulate::trace_call(&at.point(), &at.laid(request), options, node.monitor())?)
                })
            })
            .await
    }

    fn debug_raw_transaction(&self, hash: Hash) -> Result<Option<Bytes>, RpcError> {
        self.raw_transaction(hash.0)
    }

    fn raw_header(&self, id: BlockId) -> Result<Bytes, RpcError> {
        Ok(alloy_rlp::encode(self.0.known_block(id)?.header.inner()).into())
    }

    fn raw_block(&self, id: BlockId) -> Result<Bytes, RpcError> {
        Ok(alloy_rlp::encode(self.0.known_block(id)?.to_consensus_block()).into())
    }

    fn raw_receipts(&self, id: BlockId) -> Result<Vec<Bytes>, RpcError> {
        let block = self.0.known_block(id)?;
        Ok(block.receipts.iter().map(|receipt: &ReceiptEnvelope| receipt.encoded_2718().into()).collect())
    }

    fn bad_blocks(&self) -> Result<Vec<BadBlock>, RpcError> {
        let told = |block: Arc<StoredBlock>| BadBlock {
            block: wire::block(&block, BlockTransactionsKind::Full),
            hash: block.hash(),
            rlp: alloy_rlp::encode(block.to_consensus_block()).into(),
        };
        Ok(self.0.chain.bad_blocks().into_iter().map(told).collect())
    }
}

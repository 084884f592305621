//! Debug traces, and the chain's encodings.

use alloy_consensus::ReceiptEnvelope;
use alloy_eips::{BlockId, eip2718::Encodable2718 as _};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::{GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace};
use jsonrpsee::{core::async_trait, proc_macros::rpc};

use crate::{RpcError, api::Api, node::Node};

#[rpc(server, namespace = "debug")]
pub(crate) trait Debug {
    #[method(name = "traceTransaction")]
    async fn trace_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<GethTrace, RpcError>;

    #[method(name = "traceCall")]
    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<GethTrace, RpcError>;

    #[method(name = "getRawTransaction")]
    fn debug_raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, RpcError>;

    #[method(name = "getRawHeader")]
    fn raw_header(&self, id: BlockId) -> Result<Bytes, RpcError>;

    #[method(name = "getRawBlock")]
    fn raw_block(&self, id: BlockId) -> Result<Bytes, RpcError>;

    #[method(name = "getRawReceipts")]
    fn raw_receipts(&self, id: BlockId) -> Result<Vec<Bytes>, RpcError>;
}

impl Node {
    /// Traces with a bound on steps that is told and not silent: a client's own limit stands where it is lower.
    fn trace(
        &self,
        mut options: GethDebugTracingOptions,
        run: impl FnOnce(GethDebugTracingOptions) -> Result<GethTrace, RpcError>,
    ) -> Result<GethTrace, RpcError> {
        let max = self.limits.trace_steps_max;
        let wanted = options.config.limit.filter(|limit| *limit != 0);
        // One step more than is answered tells whether there were too many.
        options.config.limit = Some(wanted.unwrap_or(u64::MAX).min(max + 1));
        let trace = run(options)?;
        match &trace {
            GethTrace::Default(frame) if frame.struct_logs.len() as u64 > max => {
                let what =
                    format!("a trace of more than {max} steps (use a tracer such as callTracer, or set a limit)");
                Err(RpcError::TooMuch { what, max })
            }
            _ => Ok(trace),
        }
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
                let (block, index) = node.chain.transaction(hash).ok_or(RpcError::NoTransaction(hash))?;
                let at = node.start_of(&block)?;
                let (preceding, target) = (&block.transactions[..index], &block.transactions[index]);
                let monitor = node.monitor();
                node.trace(options.unwrap_or_default(), |options| {
                    Ok(parapet_simulate::trace_transaction(&at.point(), preceding, target, options, monitor)?)
                })
            })
            .await
    }

    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<GethTrace, RpcError> {
        let request = self.0.call_request(request)?;
        let options = options.unwrap_or_default();
        if options.tx_index.is_some() {
            return Err(RpcError::params("txIndex is not supported: calls are traced on the state after a block"));
        }
        self.0
            .read(move |node| {
                let at = node.at_with(block, options.state_overrides, options.block_overrides)?;
                node.trace(options.tracing_options, |options| {
                    Ok(parapet_simulate::trace_call(&at.point(), &request, options, node.monitor())?)
                })
            })
            .await
    }

    fn debug_raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, RpcError> {
        Ok(self.raw_transaction(hash))
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
}

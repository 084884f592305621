//! Debug traces of calls that follow one another, as Erigon and reth have them: bundles of calls, each bundle in a block of its
//! own.

use alloy_eips::BlockId;
use alloy_rpc_types_eth::{BlockOverrides, StateContext, TransactionIndex, TransactionRequest};
use alloy_rpc_types_trace::geth::{GethDebugTracingCallOptions, GethTrace};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_simulate::{CallRequest, SimulateError, TraceBudget};
use serde::Deserialize;

use crate::{
    RpcError,
    api::{Api, trace::CALLS_MAX},
    node::{At, Node},
};

/// Seconds from one bundle's block to the next: a slot.
const SLOT_SECONDS: u64 = 12;

/// Calls that run in one block.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallBundle {
    transactions: Vec<TransactionRequest>,
    /// What of the block is to be otherwise.
    #[serde(default, alias = "blockOverrides")]
    block_override: Option<BlockOverrides>,
}

/// Where the first bundle runs: after a block, or after so many transactions of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum BundleContext {
    /// A block, as other methods take it.
    Block(BlockId),
    /// A block and a place in it.
    Within(StateContext),
}

impl BundleContext {
    /// The block, and how many of its transactions are executed before; all where it does not say.
    pub(crate) const fn parts(&self) -> (Option<BlockId>, TransactionIndex) {
        match self {
            Self::Block(block) => (Some(*block), TransactionIndex::All),
            Self::Within(StateContext { block_number, transaction_index: Some(index) }) => (*block_number, *index),
            Self::Within(StateContext { block_number, transaction_index: None }) => {
                (*block_number, TransactionIndex::All)
            }
        }
    }
}

#[rpc(server, namespace = "debug")]
pub(crate) trait Bundles {
    /// Traces calls, each on the state that those before it leave; nothing of it is committed. The first bundle runs in the
    /// block that is meant, as after its transactions or the first of them, each further one in a block after that of
    /// the bundle before it, 12 seconds later. State overrides hold from the start on, a bundle's block overrides for that
    /// bundle.
    #[method(name = "traceCallMany")]
    async fn trace_calls(
        &self,
        bundles: Vec<CallBundle>,
        state_context: Option<BundleContext>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<Vec<Vec<GethTrace>>, RpcError>;
}

/// A bundle whose calls are bounded in gas.
type Calls = (Vec<CallRequest>, Option<BlockOverrides>);

impl Node {
    fn bundle_start(
        &self,
        context: Option<&BundleContext>,
        options: &GethDebugTracingCallOptions,
    ) -> Result<At, RpcError> {
        let (block, index) = context.map_or((None, TransactionIndex::All), BundleContext::parts);
        let index = match index {
            TransactionIndex::Index(index) => Some(index),
            TransactionIndex::All => options.tx_index.map(|index| usize::try_from(index).unwrap_or(usize::MAX)),
        };
        match index {
            Some(index) => self.within(&*self.known_block(block.unwrap_or_default())?, index),
            None => self.at(block),
        }
    }

    fn trace_bundles(
        &self,
        bundles: Vec<Calls>,
        context: Option<&BundleContext>,
        options: GethDebugTracingCallOptions,
    ) -> Result<Vec<Vec<GethTrace>>, RpcError> {
        let at = self.bundle_start(context, &options)?;
        let mut at = Self::overridden(at, options.state_overrides, options.block_overrides)?;
        let options = self.bounded(options.tracing_options);
        let mut budget = TraceBudget::of(self.limits.trace_steps_max);
        let mut traced = Vec::with_capacity(bundles.len());
        for (calls, overrides) in bundles {
            let here = Self::overridden(at.clone(), None, overrides)?;
            let calls: Vec<_> = calls.into_iter().map(|call| here.laid(call)).collect();
            let ran = parapet_simulate::trace_calls(&here.point(), &calls, &options, &mut budget, self.monitor());
            let (traces, changes) = ran.map_err(|error| match error {
                SimulateError::Steps => self.too_many_steps(),
                other => other.into(),
            })?;
            at.world = at.world.apply(&changes)?;
            at.context.number = at.context.number.saturating_add(1);
            at.context.timestamp = at.context.timestamp.saturating_add(SLOT_SECONDS);
            traced.push(traces);
        }
        Ok(traced)
    }
}

#[async_trait]
impl BundlesServer for Api {
    async fn trace_calls(
        &self,
        bundles: Vec<CallBundle>,
        state_context: Option<BundleContext>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<Vec<Vec<GethTrace>>, RpcError> {
        let count: usize = bundles.iter().map(|bundle| bundle.transactions.len().max(1)).sum();
        if count > CALLS_MAX {
            return Err(RpcError::TooMuch { what: format!("{count} calls"), max: CALLS_MAX as u64 });
        }
        let bounded = |CallBundle { transactions, block_override }| {
            let calls = transactions.into_iter().map(|request| self.0.call_request(request));
            Ok((calls.collect::<Result<_, RpcError>>()?, block_override))
        };
        let bundles = bundles.into_iter().map(bounded).collect::<Result<Vec<Calls>, RpcError>>()?;
        let options = options.unwrap_or_default();
        self.0.read(move |node| node.trace_bundles(bundles, state_context.as_ref(), options)).await
    }
}

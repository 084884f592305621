//! Traces in OpenEthereum's form: calls as a flat list, each with its place in the tree.
//!
//! Steps (`vmTrace`) are bounded for all that one request replays, as those of `debug_trace…` are.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes, U64};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::{
    filter::TraceFilter,
    parity::{
        Action, LocalizedTransactionTrace, TraceResults, TraceResultsWithTransactionHash, TraceType, TransactionTrace,
    },
};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_simulate::{Steps, TraceTypes};
use parapet_state::StoredBlock;

use crate::{
    RpcError,
    api::{Api, send::signed_transaction},
    node::Node,
};

#[rpc(server, namespace = "trace")]
pub(crate) trait Trace {
    /// Every call of a block, by transaction; `null` if there is no such block.
    #[method(name = "block")]
    async fn block_traces(&self, id: BlockId) -> Result<Option<Vec<LocalizedTransactionTrace>>, RpcError>;

    /// Every call of a transaction; `null` if it is in no block.
    #[method(name = "transaction")]
    async fn transaction_traces(&self, hash: B256) -> Result<Option<Vec<LocalizedTransactionTrace>>, RpcError>;

    /// The call at one place of a transaction's tree; `null` if there is none.
    #[method(name = "get")]
    async fn trace_at(&self, hash: B256, place: Vec<U64>) -> Result<Option<LocalizedTransactionTrace>, RpcError>;

    /// Calls of a range of blocks by who called and who was called.
    #[method(name = "filter")]
    async fn filter_traces(&self, filter: TraceFilter) -> Result<Vec<LocalizedTransactionTrace>, RpcError>;

    /// A call that is never committed, with what is wanted of it: `trace`, `stateDiff`, `vmTrace`.
    #[method(name = "call")]
    async fn replay_call(
        &self,
        request: TransactionRequest,
        types: Vec<TraceType>,
        block: Option<BlockId>,
    ) -> Result<TraceResults, RpcError>;

    /// The same of several calls, each on the state that those before it leave.
    #[method(name = "callMany")]
    async fn replay_calls(&self, calls: Vec<WantedCall>, block: Option<BlockId>)
    -> Result<Vec<TraceResults>, RpcError>;

    /// The same of a signed transaction that is not sent, after the head.
    #[method(name = "rawTransaction")]
    async fn replay_raw(&self, raw: Bytes, types: Vec<TraceType>) -> Result<TraceResults, RpcError>;

    /// A transaction once more, with what is wanted of it.
    #[method(name = "replayTransaction")]
    async fn replay_transaction(&self, hash: B256, types: Vec<TraceType>) -> Result<TraceResults, RpcError>;

    /// A block's transactions once more; `null` if there is no such block.
    #[method(name = "replayBlockTransactions")]
    async fn replay_block(
        &self,
        id: BlockId,
        types: Vec<TraceType>,
    ) -> Result<Option<Vec<TraceResultsWithTransactionHash>>, RpcError>;
}

/// A call with what is wanted of it.
pub(crate) type WantedCall = (TransactionRequest, Vec<TraceType>);

/// Most calls of one request.
pub(crate) const CALLS_MAX: usize = 1_000;

fn wanted(types: Vec<TraceType>) -> TraceTypes {
    types.into_iter().collect()
}

fn calls_alone() -> TraceTypes {
    std::iter::once(TraceType::Trace).collect()
}

/// A transaction's calls, with where the transaction stands.
fn placed(block: &StoredBlock, index: usize, traced: TraceResults) -> Vec<LocalizedTransactionTrace> {
    let place = |trace| LocalizedTransactionTrace {
        trace,
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        transaction_hash: Some(*block.transactions[index].hash()),
        transaction_position: Some(index as u64),
    };
    traced.trace.into_iter().map(place).collect()
}

/// Bytes of a call that an answer tells.
fn told_bytes(trace: &TransactionTrace) -> usize {
    let input = match &trace.action {
        Action::Call(call) => call.input.len(),
        Action::Create(create) => create.init.len(),
        Action::Selfdestruct(_) | Action::Reward(_) => 0,
    };
    input + trace.result.as_ref().map_or(0, |result| result.output().len())
}

impl Node {
    fn steps_max(&self) -> Steps {
        Steps(self.limits.trace_steps_max)
    }

    fn replayed(&self, block: &StoredBlock, types: &TraceTypes) -> Result<Vec<TraceResults>, RpcError> {
        if block.transactions.is_empty() {
            return Ok(Vec::new());
        }
        let at = self.start_of(block)?;
        Ok(parapet_simulate::replay_block(&at.point(), &block.transactions, types, self.steps_max(), self.monitor())?)
    }

    fn replayed_transaction(
        &self,
        block: &StoredBlock,
        index: usize,
        types: &TraceTypes,
    ) -> Result<TraceResults, RpcError> {
        let at = self.start_of(block)?;
        let (preceding, target) = (&block.transactions[..index], &block.transactions[index]);
        Ok(parapet_simulate::replay_transaction(
            &at.point(),
            preceding,
            target,
            types,
            self.steps_max(),
            self.monitor(),
        )?)
    }

    pub(crate) fn calls_of(&self, block: &StoredBlock) -> Result<Vec<LocalizedTransactionTrace>, RpcError> {
        let traced = self.replayed(block, &calls_alone())?;
        Ok(traced.into_iter().enumerate().flat_map(|(index, traced)| placed(block, index, traced)).collect())
    }

    pub(crate) fn calls_of_transaction(&self, hash: B256) -> Result<Option<Vec<LocalizedTransactionTrace>>, RpcError> {
        let Some((block, index)) = self.chain.transaction(hash)? else { return Ok(None) };
        Ok(Some(placed(&block, index, self.replayed_transaction(&block, index, &calls_alone())?)))
    }

    fn filtered(&self, filter: &TraceFilter) -> Result<Vec<LocalizedTransactionTrace>, RpcError> {
        let number = |number: Option<u64>| number.map(BlockNumberOrTag::Number);
        let (from, to) = self.range(number(filter.from_block), number(filter.to_block))?;
        let max = self.limits.trace_blocks_max;
        if to - from >= max {
            return Err(RpcError::TooMuch { what: format!("traces of {} blocks", to - from + 1), max });
        }
        let matcher = filter.matcher();
        let mut left_out = filter.after.unwrap_or(0);
        let most = filter.count.unwrap_or(u64::MAX).min(self.limits.traces_max as u64 + 1);
        let (mut found, mut bytes) = (Vec::new(), 0);
        for block in self.blocks(from, to)? {
            let block = block?;
            for call in self.calls_of(&block)?.into_iter().filter(|call| matcher.matches(&call.trace)) {
                if left_out > 0 {
                    left_out -= 1;
                } else if (found.len() as u64) < most {
                    bytes += told_bytes(&call.trace);
                    found.push(call);
                }
            }
            if bytes > self.limits.answer_bytes_max() {
                let max = self.limits.answer_bytes_max() as u64;
                return Err(RpcError::TooMuch { what: format!("inputs and outputs of {bytes} bytes"), max });
            }
            if found.len() as u64 >= most {
                break;
            }
        }
        match found.len() {
            many if many > self.limits.traces_max => Err(RpcError::TooMuch {
                what: "more traces than one answer holds".into(),
                max: self.limits.traces_max as u64,
            }),
            _ => Ok(found),
        }
    }
}

#[async_trait]
impl TraceServer for Api {
    async fn block_traces(&self, id: BlockId) -> Result<Option<Vec<LocalizedTransactionTrace>>, RpcError> {
        self.0.read(move |node| node.block(id)?.map(|block| node.calls_of(&block)).transpose()).await
    }

    async fn transaction_traces(&self, hash: B256) -> Result<Option<Vec<LocalizedTransactionTrace>>, RpcError> {
        self.0.read(move |node| node.calls_of_transaction(hash)).await
    }

    async fn trace_at(&self, hash: B256, place: Vec<U64>) -> Result<Option<LocalizedTransactionTrace>, RpcError> {
        self.0
            .read(move |node| {
                let calls = node.calls_of_transaction(hash)?.unwrap_or_default();
                let is_there = |call: &LocalizedTransactionTrace| {
                    let there = call.trace.trace_address.iter().map(|step| U64::from(*step));
                    there.eq(place.iter().copied())
                };
                Ok(calls.into_iter().find(is_there))
            })
            .await
    }

    async fn filter_traces(&self, filter: TraceFilter) -> Result<Vec<LocalizedTransactionTrace>, RpcError> {
        self.0.read(move |node| node.filtered(&filter)).await
    }

    async fn replay_call(
        &self,
        request: TransactionRequest,
        types: Vec<TraceType>,
        block: Option<BlockId>,
    ) -> Result<TraceResults, RpcError> {
        let (request, types) = (self.0.call_request(request)?, wanted(types));
        self.0
            .read(move |node| {
                let at = node.at(block)?;
                Ok(parapet_simulate::replay_call(&at.point(), &request, &types, node.steps_max(), node.monitor())?)
            })
            .await
    }

    async fn replay_calls(
        &self,
        calls: Vec<WantedCall>,
        block: Option<BlockId>,
    ) -> Result<Vec<TraceResults>, RpcError> {
        if calls.len() > CALLS_MAX {
            return Err(RpcError::TooMuch { what: format!("{} calls", calls.len()), max: CALLS_MAX as u64 });
        }
        let call = |(request, types)| Ok((self.0.call_request(request)?, wanted(types)));
        let calls = calls.into_iter().map(call).collect::<Result<Vec<_>, RpcError>>()?;
        self.0
            .read(move |node| {
                let at = node.at(block)?;
                Ok(parapet_simulate::replay_calls(&at.point(), &calls, node.steps_max(), node.monitor())?)
            })
            .await
    }

    async fn replay_raw(&self, raw: Bytes, types: Vec<TraceType>) -> Result<TraceResults, RpcError> {
        let request = TransactionRequest::from_recovered_transaction(signed_transaction(&raw)?);
        self.replay_call(request, types, None).await
    }

    async fn replay_transaction(&self, hash: B256, types: Vec<TraceType>) -> Result<TraceResults, RpcError> {
        let types = wanted(types);
        self.0
            .read(move |node| {
                let (block, index) = node.chain.transaction(hash)?.ok_or(RpcError::NoTransaction(hash))?;
                node.replayed_transaction(&block, index, &types)
            })
            .await
    }

    async fn replay_block(
        &self,
        id: BlockId,
        types: Vec<TraceType>,
    ) -> Result<Option<Vec<TraceResultsWithTransactionHash>>, RpcError> {
        let types = wanted(types);
        self.0
            .read(move |node| {
                let Some(block) = node.block(id)? else { return Ok(None) };
                let traced = node.replayed(&block, &types)?.into_iter().zip(&block.transactions);
                let named = traced.map(|(full_trace, transaction)| TraceResultsWithTransactionHash {
                    full_trace,
                    transaction_hash: *transaction.hash(),
                });
                Ok(Some(named.collect()))
            })
            .await
    }
}

//! Guards tried out before they are attached: over a node's history, on one transaction, on a call; and recordings for
//! their tests.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_monitor::{Candidate, Monitor, Verdict};
use parapet_recording::Recording;
use parapet_simulate::{Judged, Tried, call_beside, record, transaction_beside};
use parapet_types::{Destiny, FuelPerGas};
use serde::{Deserialize, Serialize};

use crate::{
    RpcError,
    api::Api,
    backtests::Backtest,
    node::Node,
    wire::{BacktestPage, TriedGuard, TriedOpinion},
};

/// What a transaction does and what guards say of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Simulated {
    destiny: Destiny,
    gas_used: U256,
    /// What of it is for guards.
    guard_gas_used: U256,
    output: Bytes,
    verdicts: Vec<Verdict>,
    /// What guards say that are attached nowhere, in the order of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<SimulatedGuard>,
}

#[derive(Clone, Debug, Serialize)]
struct SimulatedGuard {
    #[serde(flatten)]
    guard: TriedGuard,
    #[serde(flatten)]
    opinion: TriedOpinion,
}

impl Simulated {
    fn of(judged: Judged, tried: &[Tried]) -> Self {
        let Judged { executed, opinions } = judged;
        let candidates = tried.iter().zip(opinions);
        let candidates = candidates
            .map(|(tried, opinion)| SimulatedGuard { guard: TriedGuard::from(tried), opinion: opinion.into() });
        Self {
            destiny: executed.destiny,
            gas_used: U256::from(executed.gas_used),
            guard_gas_used: U256::from(executed.guard_gas_used),
            output: executed.output,
            verdicts: executed.verdicts,
            candidates: candidates.collect(),
        }
    }
}

/// What to try out, and on which blocks.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BacktestRequest {
    candidates: Vec<Candidate>,
    from_block: BlockNumberOrTag,
    /// Last block; without it the backtest goes on with each new block and is never done.
    to_block: Option<BlockNumberOrTag>,
}

/// A backtest that begins.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begun {
    handle: U64,
    from_block: U64,
    to_block: Option<U64>,
    /// What of a guard's fuel one gas pays for on this chain.
    fuel_per_gas: FuelPerGas,
    candidates: Vec<TriedGuard>,
}

#[rpc(server, namespace = "guard")]
pub(crate) trait GuardTryout {
    /// What a transaction would do and what guards would say of it, after a block; after the head where none is named.
    /// Guards that are attached nowhere may be named; they begin without state, and can only tell.
    #[method(name = "simulate")]
    async fn simulate(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        candidates: Option<Vec<Candidate>>,
    ) -> Result<Simulated, RpcError>;

    /// The same of a transaction of a block, executed once more in its place.
    #[method(name = "simulateTransaction")]
    async fn simulate_transaction(&self, hash: B256, candidates: Option<Vec<Candidate>>)
    -> Result<Simulated, RpcError>;

    /// A transaction of a block with all that a test of a guard needs of it, in the form of `sdk/recording`: as it runs
    /// while nobody objects. What the guards named beside it look at is recorded, too.
    #[method(name = "record")]
    async fn record(&self, hash: B256, candidates: Option<Vec<Candidate>>) -> Result<Recording, RpcError>;

    /// Begins to try guards out over a range of blocks. Each transaction is executed again on the state it met, with the
    /// chain's guards as they stood then; guards that are tried out can only tell, and have their state from block to
    /// block. Nothing on the chain changes. Answers a handle for `guard_backtestNext`.
    #[method(name = "backtest")]
    async fn backtest(&self, request: BacktestRequest) -> Result<Begun, RpcError>;

    /// The next page of a backtest: what was said of the blocks that could be executed in the time of a page. A handle
    /// that nobody asks for is dropped after a minute.
    #[method(name = "backtestNext")]
    async fn backtest_next(&self, handle: U64) -> Result<BacktestPage, RpcError>;

    /// Ends a backtest before it is done, and tells whether there was one.
    #[method(name = "backtestStop")]
    fn backtest_stop(&self, handle: U64) -> Result<bool, RpcError>;
}

#[async_trait]
impl GuardTryoutServer for Api {
    async fn simulate(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        candidates: Option<Vec<Candidate>>,
    ) -> Result<Simulated, RpcError> {
        let request = self.0.call_request(request)?;
        let alone = candidates.as_ref().is_none_or(Vec::is_empty);
        let work = move |node: &Node| {
            let at = node.at(block)?;
            let mut tried = node.try_out(candidates.unwrap_or_default())?;
            let judged = call_beside(&at.point(), &request, node.monitor(), &mut tried)?;
            Ok(Simulated::of(judged, &tried))
        };
        if alone { self.0.read(work).await } else { self.0.try_out_apart(work).await }
    }

    async fn simulate_transaction(
        &self,
        hash: B256,
        candidates: Option<Vec<Candidate>>,
    ) -> Result<Simulated, RpcError> {
        let alone = candidates.as_ref().is_none_or(Vec::is_empty);
        let work = move |node: &Node| {
            let (block, index) = node.mined(hash)?;
            let at = node.start_of(&block)?;
            let mut tried = node.try_out(candidates.unwrap_or_default())?;
            let (preceding, target) = (&block.transactions[..index], &block.transactions[index]);
            let judged = transaction_beside(&at.point(), preceding, target, node.monitor(), &mut tried)?;
            Ok(Simulated::of(judged, &tried))
        };
        if alone { self.0.read(work).await } else { self.0.try_out_apart(work).await }
    }

    async fn record(&self, hash: B256, candidates: Option<Vec<Candidate>>) -> Result<Recording, RpcError> {
        let work = move |node: &Node| {
            let (block, index) = node.mined(hash)?;
            let at = node.start_of(&block)?;
            let tried = node.try_out(candidates.unwrap_or_default())?;
            let beside: Vec<&dyn Monitor> = tried.iter().map(|tried| &*tried.tryout().monitor).collect();
            let (preceding, target) = (&block.transactions[..index], &block.transactions[index]);
            Ok(record(&at.point(), preceding, target, node.monitor(), &beside)?)
        };
        self.0.try_out_apart(work).await
    }

    async fn backtest(&self, request: BacktestRequest) -> Result<Begun, RpcError> {
        let work = move |node: &Node| {
            let (from, to) = node.tried_range(&request)?;
            if request.candidates.is_empty() {
                return Err(RpcError::params("candidates is empty: name at least one guard to try out"));
            }
            let tried = node.try_out(request.candidates)?;
            let candidates = tried.iter().map(TriedGuard::from).collect();
            let handle = node.backtests.begin(node, Backtest::new(tried, from, to))?;
            let fuel_per_gas = node.params().guards.fuel_per_gas;
            Ok(Begun { handle, from_block: U64::from(from), to_block: to.map(U64::from), fuel_per_gas, candidates })
        };
        self.0.try_out_apart(work).await
    }

    async fn backtest_next(&self, handle: U64) -> Result<BacktestPage, RpcError> {
        self.0.try_out_apart(move |node| node.backtests.next(node, handle)).await
    }

    fn backtest_stop(&self, handle: U64) -> Result<bool, RpcError> {
        Ok(self.0.backtests.end(handle))
    }
}

impl Node {
    /// First and last block to try guards out on; no last one where the head is followed.
    fn tried_range(&self, request: &BacktestRequest) -> Result<(u64, Option<u64>), RpcError> {
        // The first block has no transactions, and no state before it.
        let first = |from: u64| from.max(1);
        if request.to_block.is_some() {
            let (from, to) = self.range(Some(request.from_block), request.to_block)?;
            return Ok((first(from), Some(to)));
        }
        let next = self.chain.head().block.number() + 1;
        let from = match request.from_block {
            BlockNumberOrTag::Number(number) if number > next => {
                return Err(RpcError::params(format!("block {number} is asked for, the next one is {next}")));
            }
            BlockNumberOrTag::Number(number) => number,
            BlockNumberOrTag::Earliest => self.chain.first(),
            BlockNumberOrTag::Pending => next,
            BlockNumberOrTag::Latest | BlockNumberOrTag::Safe | BlockNumberOrTag::Finalized => next - 1,
        };
        Ok((first(from), None))
    }
}

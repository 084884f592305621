//! What transactions cost.

use alloy_consensus::Transaction as _;
use alloy_eips::{BlockId, BlockNumberOrTag, eip7840::BlobParams};
use alloy_primitives::U256;
use alloy_rpc_types_eth::FeeHistory;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::{next_base_fee, next_excess_blob_gas};
use parapet_executor::blob_params;
use parapet_state::StoredBlock;
use parapet_types::ChainParams;

use crate::{RpcError, api::Api, node::Node, wire::Quantity};

/// The tip that is suggested, in wei per gas: blocks of a development chain are never full for long.
pub(crate) const SUGGESTED_TIP_WEI: u128 = 1_000_000_000;

#[rpc(server, namespace = "eth")]
pub(crate) trait EthFees {
    #[method(name = "gasPrice")]
    fn gas_price(&self) -> Result<U256, RpcError>;

    #[method(name = "maxPriorityFeePerGas")]
    fn max_priority_fee_per_gas(&self) -> Result<U256, RpcError>;

    #[method(name = "baseFee")]
    fn base_fee(&self) -> Result<U256, RpcError>;

    #[method(name = "blobBaseFee")]
    fn blob_base_fee(&self) -> Result<U256, RpcError>;

    #[method(name = "feeHistory")]
    async fn fee_history(
        &self,
        blocks: Quantity,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, RpcError>;
}

#[async_trait]
impl EthFeesServer for Api {
    fn gas_price(&self) -> Result<U256, RpcError> {
        Ok(U256::from(self.0.next_base_fee() + SUGGESTED_TIP_WEI))
    }

    fn max_priority_fee_per_gas(&self) -> Result<U256, RpcError> {
        Ok(U256::from(SUGGESTED_TIP_WEI))
    }

    fn base_fee(&self) -> Result<U256, RpcError> {
        Ok(U256::from(self.0.next_base_fee()))
    }

    fn blob_base_fee(&self) -> Result<U256, RpcError> {
        Ok(U256::from(self.0.next_blob_fee(&self.0.chain.head().block)?))
    }

    async fn fee_history(
        &self,
        blocks: Quantity,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, RpcError> {
        self.0.read(move |node| node.fee_history(blocks.0, newest, percentiles.as_deref())).await
    }
}

impl Node {
    /// Base fee of the next block, in wei per gas.
    pub(crate) fn next_base_fee(&self) -> u128 {
        u128::from(self.chain.head().next_base_fee())
    }

    /// Blob base fee of the block after this one, in wei per blob gas; zero before Cancun.
    fn next_blob_fee(&self, block: &StoredBlock) -> Result<u128, RpcError> {
        let next = self.params_after(block)?;
        Ok(blob_fee(next_excess_blob_gas(&next, &block.header), blob_params(next.hardfork)))
    }

    /// Parameters of the block after this one: of the next one stored, or of the one that would be built now.
    fn params_after(&self, block: &StoredBlock) -> Result<ChainParams, RpcError> {
        let next = self.chain.block(block.number() + 1)?;
        Ok(next.map_or_else(|| self.params(), |next| self.chain.spec().of(&next.header)))
    }

    fn fee_history(
        &self,
        count: u64,
        newest: BlockNumberOrTag,
        percentiles: Option<&[f64]>,
    ) -> Result<FeeHistory, RpcError> {
        check_percentiles(percentiles.unwrap_or_default(), self.limits.fee_percentiles_max)?;
        let last = self.known_block(BlockId::Number(newest))?;
        // Of blocks up to a fork the other chain's endpoint knows.
        let known = match self.chain.fork() {
            Some(fork) => last.number().saturating_sub(fork.header().number),
            None => (last.number() + 1).saturating_sub(self.chain.first()),
        };
        let count = count.min(self.limits.fee_history_blocks_max).min(known);
        if count == 0 {
            return Ok(FeeHistory::default());
        }
        let oldest_block = last.number() + 1 - count;
        let mut history = FeeHistory { oldest_block, ..FeeHistory::default() };
        let mut rewards = Vec::new();
        for block in (oldest_block..=last.number()).filter_map(|number| self.chain.block(number).transpose()) {
            parapet_simulate::check_time()?;
            let block = block?;
            let header = &block.header;
            history.base_fee_per_gas.push(header.base_fee_per_gas.unwrap_or_default().into());
            history.gas_used_ratio.push(ratio(header.gas_used, header.gas_limit));
            let blobs = self.blobs(header);
            history.base_fee_per_blob_gas.push(blob_fee(header.excess_blob_gas, blobs));
            let blob_gas_max = blobs.map_or(0, |blobs| blobs.max_blob_gas_per_block());
            history.blob_gas_used_ratio.push(ratio(header.blob_gas_used.unwrap_or_default(), blob_gas_max));
            rewards.push(tips(&block, percentiles.unwrap_or_default()));
        }
        let head = self.chain.head();
        let next = if last.hash() == head.block.hash() { head.next_base_fee() } else { next_base_fee(&last.header) };
        history.base_fee_per_gas.push(next.into());
        history.base_fee_per_blob_gas.push(self.next_blob_fee(&last)?);
        history.reward = percentiles.filter(|wanted| !wanted.is_empty()).map(|_| rewards);
        Ok(history)
    }
}

fn check_percentiles(percentiles: &[f64], max: usize) -> Result<(), RpcError> {
    if percentiles.len() > max {
        return Err(RpcError::TooMuch { what: format!("{} percentiles", percentiles.len()), max: max as u64 });
    }
    let in_range = percentiles.iter().all(|percentile| (0.0..=100.0).contains(percentile));
    if !in_range || !percentiles.is_sorted() {
        return Err(RpcError::params("invalid reward percentile: give numbers from 0 to 100 in ascending order"));
    }
    Ok(())
}

fn blob_fee(excess: Option<u64>, blobs: Option<BlobParams>) -> u128 {
    excess.zip(blobs).map_or(0, |(excess, blobs)| blobs.calc_blob_fee(excess))
}

/// Two quantities of gas, both far below 2^53.
fn ratio(used: u64, available: u64) -> f64 {
    if available == 0 { 0.0 } else { used as f64 / available as f64 }
}

/// The effective tips at percentiles of the gas that a block used.
fn tips(block: &StoredBlock, percentiles: &[f64]) -> Vec<u128> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let tip = |index: usize| block.transactions[index].inner().effective_tip_per_gas(base_fee).unwrap_or_default();
    let mut paid: Vec<(u128, u64)> =
        block.executed.iter().enumerate().map(|(index, executed)| (tip(index), executed.gas_used)).collect();
    paid.sort_unstable();
    let at = |percentile: &f64| {
        let threshold = block.header.gas_used as f64 * percentile / 100.0;
        let mut gas = 0.0;
        let reached = paid.iter().find(|(_, used)| {
            gas += *used as f64;
            gas >= threshold
        });
        reached.or(paid.last()).map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(at).collect()
}

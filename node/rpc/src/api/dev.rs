//! Mining, time and snapshots of development chains, under the names that anvil, Hardhat and Ganache gave them.

use std::time::Duration;

use alloy_primitives::U64;
use alloy_rpc_types_eth::BlockTransactionsKind;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::{MineRequest, Mining};
use parapet_state::StoredBlock;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    RpcError,
    api::{Api, forking::ForkingOptions},
    node::Node,
    revert::revert_message,
    wire::{self, Quantity},
};

/// Timestamps above this many seconds are milliseconds: as seconds they lie 30,000 years ahead.
const SECONDS_MAX: u64 = 1_000_000_000_000;
/// Most blocks that are told in detail at once.
const DETAILED_BLOCKS_MAX: u64 = 1_000;

/// What `evm_mine` may be given.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum MineOptions {
    /// The timestamp of the block.
    Timestamp(Quantity),
    /// Ganache's form.
    Options {
        /// The timestamp of the first block.
        timestamp: Option<Quantity>,
        /// How many blocks.
        blocks: Option<Quantity>,
    },
}

/// What `anvil_reset` may be given.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ResetOptions {
    /// Another chain to go on from, or another block of the same.
    forking: Option<ForkingOptions>,
}

#[rpc(server)]
pub(crate) trait Dev {
    #[method(name = "anvil_mine", aliases = ["hardhat_mine"])]
    async fn mine(&self, blocks: Option<Quantity>, spacing: Option<Quantity>) -> Result<(), RpcError>;

    #[method(name = "evm_mine")]
    async fn evm_mine(&self, options: Option<MineOptions>) -> Result<&'static str, RpcError>;

    #[method(name = "anvil_mine_detailed", aliases = ["evm_mine_detailed"])]
    async fn mine_detailed(&self, options: Option<MineOptions>) -> Result<Vec<Value>, RpcError>;

    #[method(name = "evm_snapshot", aliases = ["anvil_snapshot"])]
    async fn snapshot(&self) -> Result<U64, RpcError>;

    #[method(name = "evm_revert", aliases = ["anvil_revert"])]
    async fn revert(&self, id: Quantity) -> Result<bool, RpcError>;

    #[method(name = "anvil_reset", aliases = ["hardhat_reset"])]
    async fn reset(&self, options: Option<ResetOptions>) -> Result<(), RpcError>;

    #[method(name = "evm_increaseTime", aliases = ["anvil_increaseTime"])]
    async fn increase_time(&self, seconds: Quantity) -> Result<i64, RpcError>;

    #[method(name = "evm_setNextBlockTimestamp", aliases = ["anvil_setNextBlockTimestamp"])]
    async fn set_next_block_timestamp(&self, timestamp: Quantity) -> Result<(), RpcError>;

    #[method(name = "evm_setTime", aliases = ["anvil_setTime"])]
    async fn set_time(&self, timestamp: Quantity) -> Result<u64, RpcError>;

    #[method(name = "anvil_setBlockTimestampInterval")]
    async fn set_block_timestamp_interval(&self, seconds: Quantity) -> Result<(), RpcError>;

    #[method(name = "anvil_removeBlockTimestampInterval")]
    async fn remove_block_timestamp_interval(&self) -> Result<bool, RpcError>;

    #[method(name = "evm_setAutomine", aliases = ["anvil_setAutomine"])]
    async fn set_automine(&self, on: bool) -> Result<(), RpcError>;

    #[method(name = "anvil_getAutomine", aliases = ["hardhat_getAutomine"])]
    fn automine(&self) -> Result<bool, RpcError>;

    #[method(name = "evm_setIntervalMining", aliases = ["anvil_setIntervalMining"])]
    async fn set_interval_mining(&self, seconds: Quantity) -> Result<(), RpcError>;

    #[method(name = "anvil_getIntervalMining")]
    fn interval_mining(&self) -> Result<Option<u64>, RpcError>;
}

impl Api {
    async fn set_mining(&self, mining: Mining) -> Result<(), RpcError> {
        self.0.write(move |node| Ok(node.chain.set_mining(mining)?)).await
    }
}

/// What is to be mined, as `evm_mine` was asked.
fn mine_request(options: Option<MineOptions>) -> MineRequest {
    let (timestamp, blocks) = match options {
        None => (None, None),
        Some(MineOptions::Timestamp(timestamp)) => (Some(timestamp), None),
        Some(MineOptions::Options { timestamp, blocks }) => (timestamp, blocks),
    };
    MineRequest {
        blocks: blocks.map_or(1, |quantity| quantity.0),
        spacing: None,
        timestamp: timestamp.map(|quantity| quantity.0),
    }
}

impl Node {
    /// Begins anew, as another run of the chain: on its first block, or on that of another chain.
    fn reset(&self, options: ResetOptions) -> Result<(), RpcError> {
        let dropped = if options.forking.is_none() && self.chain.fork().is_none() {
            self.chain.reset()?
        } else {
            self.begin_again(options.forking)?
        };
        self.filters.rewind(&dropped);
        self.filters.begin_again(self.chain.head().block.number());
        self.instance.renew();
        Ok(())
    }

    fn revert(&self, id: u64) -> Result<bool, RpcError> {
        let dropped = self.chain.revert(id)?;
        self.filters.rewind(dropped.as_deref().unwrap_or_default());
        Ok(dropped.is_some())
    }

    /// Mines, and tells of the blocks as anvil does.
    fn mine_detailed(&self, request: MineRequest) -> Result<Vec<Value>, RpcError> {
        if request.blocks > DETAILED_BLOCKS_MAX {
            let what = format!("{} blocks in detail", request.blocks);
            return Err(RpcError::TooMuch { what, max: DETAILED_BLOCKS_MAX });
        }
        self.chain.mine(request)?;
        let last = self.chain.head().block.number();
        // Whoever went back since has taken some of them.
        let blocks = ((last + 1).saturating_sub(request.blocks)..=last)
            .filter_map(|number| self.chain.block(number).transpose());
        blocks.map(|block| detailed(&*block?)).collect()
    }
}

/// A block with its transactions, and with each what it returned.
fn detailed(block: &StoredBlock) -> Result<Value, RpcError> {
    let told = serde_json::to_value(wire::block(block, BlockTransactionsKind::Full));
    let mut told = told.map_err(|error| RpcError::Internal(error.to_string()))?;
    let transactions = told["transactions"].as_array_mut().into_iter().flatten();
    for (transaction, executed) in transactions.zip(&block.executed) {
        transaction["output"] = json!(executed.output);
        if !executed.succeeded() {
            transaction["revertReason"] = json!(revert_message(&executed.output));
        }
    }
    Ok(told)
}

#[async_trait]
impl DevServer for Api {
    async fn mine(&self, blocks: Option<Quantity>, spacing: Option<Quantity>) -> Result<(), RpcError> {
        let request = MineRequest {
            blocks: blocks.map_or(1, |quantity| quantity.0),
            spacing: spacing.map(|quantity| quantity.0),
            timestamp: None,
        };
        self.0.write(move |node| Ok(node.chain.mine(request)?)).await
    }

    async fn evm_mine(&self, options: Option<MineOptions>) -> Result<&'static str, RpcError> {
        let request = mine_request(options);
        self.0.write(move |node| Ok(node.chain.mine(request)?)).await?;
        Ok("0x0")
    }

    async fn mine_detailed(&self, options: Option<MineOptions>) -> Result<Vec<Value>, RpcError> {
        let request = mine_request(options);
        self.0.write(move |node| node.mine_detailed(request)).await
    }

    async fn snapshot(&self) -> Result<U64, RpcError> {
        self.0.write(|node| Ok(U64::from(node.chain.snapshot()?))).await
    }

    async fn revert(&self, id: Quantity) -> Result<bool, RpcError> {
        self.0.write(move |node| node.revert(id.0)).await
    }

    async fn reset(&self, options: Option<ResetOptions>) -> Result<(), RpcError> {
        self.0.write(move |node| node.reset(options.unwrap_or_default())).await
    }

    async fn increase_time(&self, seconds: Quantity) -> Result<i64, RpcError> {
        self.0.write(move |node| Ok(node.chain.increase_time(seconds.0)?)).await
    }

    async fn set_next_block_timestamp(&self, timestamp: Quantity) -> Result<(), RpcError> {
        self.0.write(move |node| Ok(node.chain.set_next_block_timestamp(timestamp.0)?)).await
    }

    /// In seconds since 1970, or in milliseconds, as Ganache has it.
    async fn set_time(&self, timestamp: Quantity) -> Result<u64, RpcError> {
        let seconds = if timestamp.0 > SECONDS_MAX { timestamp.0 / 1_000 } else { timestamp.0 };
        self.0.write(move |node| Ok(node.chain.set_time(seconds)?)).await
    }

    async fn set_block_timestamp_interval(&self, seconds: Quantity) -> Result<(), RpcError> {
        self.0.write(move |node| Ok(node.chain.set_block_spacing(Some(seconds.0)).map(drop)?)).await
    }

    /// Whether there was one.
    async fn remove_block_timestamp_interval(&self) -> Result<bool, RpcError> {
        self.0.write(|node| Ok(node.chain.set_block_spacing(None)?.is_some())).await
    }

    /// Turning it off leaves an interval alone that is not mixed with it.
    async fn set_automine(&self, on: bool) -> Result<(), RpcError> {
        match (self.0.chain.mining().is_instant(), on) {
            (false, true) => self.set_mining(Mining::Instant).await,
            (true, false) => self.set_mining(Mining::Manual).await,
            (true, true) | (false, false) => Ok(()),
        }
    }

    fn automine(&self) -> Result<bool, RpcError> {
        Ok(self.0.chain.mining().is_instant())
    }

    async fn set_interval_mining(&self, seconds: Quantity) -> Result<(), RpcError> {
        let mining = match seconds.0 {
            0 => Mining::Manual,
            seconds => Mining::Interval(Duration::from_secs(seconds)),
        };
        self.set_mining(mining).await
    }

    /// In seconds; null where blocks are not mined at intervals.
    fn interval_mining(&self) -> Result<Option<u64>, RpcError> {
        Ok(self.0.chain.mining().interval().map(|every| every.as_secs()))
    }
}

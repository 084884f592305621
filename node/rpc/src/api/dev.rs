//! Conveniences of development chains, under the names that anvil, Hardhat and Ganache gave them.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::{Amendment, MineRequest, Mining};
use serde::{Deserialize, Serialize};

use crate::{
    RpcError,
    api::{
        Api,
        fees::SUGGESTED_TIP_WEI,
        forking::{ForkConfig, ForkingOptions},
    },
    node::Node,
    wire::Quantity,
};

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

/// What the chain is and where it stands, as anvil tells it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeInfo {
    current_block_number: U64,
    current_block_timestamp: u64,
    current_block_hash: B256,
    hard_fork: &'static str,
    transaction_order: &'static str,
    environment: Environment,
    fork_config: ForkConfig,
}

/// What the next block is to be like.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Environment {
    base_fee: U256,
    chain_id: u64,
    gas_limit: U64,
    gas_price: U256,
}

#[rpc(server)]
pub(crate) trait Dev {
    #[method(name = "anvil_setBalance", aliases = ["hardhat_setBalance"])]
    async fn set_balance(&self, address: Address, balance: U256) -> Result<(), RpcError>;

    #[method(name = "anvil_setCode", aliases = ["hardhat_setCode"])]
    async fn set_code(&self, address: Address, code: Bytes) -> Result<(), RpcError>;

    #[method(name = "anvil_setNonce", aliases = ["hardhat_setNonce", "evm_setAccountNonce"])]
    async fn set_nonce(&self, address: Address, nonce: Quantity) -> Result<(), RpcError>;

    #[method(name = "anvil_setStorageAt", aliases = ["hardhat_setStorageAt"])]
    async fn set_storage_at(&self, address: Address, slot: U256, value: B256) -> Result<bool, RpcError>;

    #[method(name = "anvil_mine", aliases = ["hardhat_mine"])]
    async fn mine(&self, blocks: Option<Quantity>, spacing: Option<Quantity>) -> Result<(), RpcError>;

    #[method(name = "anvil_nodeInfo")]
    fn node_info(&self) -> Result<NodeInfo, RpcError>;

    #[method(name = "evm_mine")]
    async fn evm_mine(&self, options: Option<MineOptions>) -> Result<&'static str, RpcError>;

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

    #[method(name = "evm_setAutomine", aliases = ["anvil_setAutomine"])]
    async fn set_automine(&self, on: bool) -> Result<(), RpcError>;

    #[method(name = "anvil_getAutomine", aliases = ["hardhat_getAutomine"])]
    fn automine(&self) -> Result<bool, RpcError>;

    #[method(name = "evm_setIntervalMining", aliases = ["anvil_setIntervalMining"])]
    async fn set_interval_mining(&self, seconds: Quantity) -> Result<(), RpcError>;
}

impl Api {
    async fn amend(&self, address: Address, amendment: Amendment) -> Result<(), RpcError> {
        self.0.write(move |node| Ok(node.chain.amend(address, amendment)?)).await
    }

    async fn set_mining(&self, mining: Mining) -> Result<(), RpcError> {
        self.0.write(move |node| Ok(node.chain.set_mining(mining)?)).await
    }
}

impl Node {
    /// Begins anew, as another run of the chain: on a block of another one, or, where none is named, on none.
    fn reset(&self, options: ResetOptions) -> Result<(), RpcError> {
        let dropped = self.begin_again(options.forking)?;
        self.filters.rewind(&dropped);
        Ok(())
    }

    fn revert(&self, id: u64) -> Result<bool, RpcError> {
        let dropped = self.chain.revert(id)?;
        self.filters.rewind(dropped.as_deref().unwrap_or_default());
        Ok(dropped.is_some())
    }
}

#[async_trait]
impl DevServer for Api {
    async fn set_balance(&self, address: Address, balance: U256) -> Result<(), RpcError> {
        self.amend(address, Amendment::Balance(balance)).await
    }

    async fn set_code(&self, address: Address, code: Bytes) -> Result<(), RpcError> {
        self.amend(address, Amendment::Code(code)).await
    }

    async fn set_nonce(&self, address: Address, nonce: Quantity) -> Result<(), RpcError> {
        self.amend(address, Amendment::Nonce(nonce.0)).await
    }

    async fn set_storage_at(&self, address: Address, slot: U256, value: B256) -> Result<bool, RpcError> {
        self.amend(address, Amendment::Storage { slot, value: value.into() }).await?;
        Ok(true)
    }

    async fn mine(&self, blocks: Option<Quantity>, spacing: Option<Quantity>) -> Result<(), RpcError> {
        let request = MineRequest {
            blocks: blocks.map_or(1, |quantity| quantity.0),
            spacing: spacing.map(|quantity| quantity.0),
            timestamp: None,
        };
        self.0.write(move |node| Ok(node.chain.mine(request)?)).await
    }

    fn node_info(&self) -> Result<NodeInfo, RpcError> {
        let block = &self.0.chain.head().block;
        let params = self.0.params();
        let base_fee = self.0.next_base_fee();
        Ok(NodeInfo {
            current_block_number: U64::from(block.number()),
            current_block_timestamp: block.header.timestamp,
            current_block_hash: block.hash(),
            hard_fork: params.hardfork.name(),
            transaction_order: "fees",
            environment: Environment {
                base_fee: U256::from(base_fee),
                chain_id: params.chain_id,
                gas_limit: U64::from(params.block_gas_limit),
                gas_price: U256::from(base_fee + SUGGESTED_TIP_WEI),
            },
            fork_config: ForkConfig::of(&self.0.chain),
        })
    }

    async fn evm_mine(&self, options: Option<MineOptions>) -> Result<&'static str, RpcError> {
        let (timestamp, blocks) = match options {
            None => (None, None),
            Some(MineOptions::Timestamp(timestamp)) => (Some(timestamp), None),
            Some(MineOptions::Options { timestamp, blocks }) => (timestamp, blocks),
        };
        let request = MineRequest {
            blocks: blocks.map_or(1, |quantity| quantity.0),
            spacing: None,
            timestamp: timestamp.map(|quantity| quantity.0),
        };
        self.0.write(move |node| Ok(node.chain.mine(request)?)).await?;
        Ok("0x0")
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

    async fn set_automine(&self, on: bool) -> Result<(), RpcError> {
        self.set_mining(if on { Mining::Instant } else { Mining::Manual }).await
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
}

//! What tools fix of blocks to come, and of what waits for them.

use alloy_primitives::{Address, B256, U256};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::BlockOverride;

use crate::{RpcError, api::Api, wire::Quantity};

#[rpc(server)]
pub(crate) trait Upcoming {
    #[method(name = "anvil_setCoinbase", aliases = ["hardhat_setCoinbase"])]
    async fn set_coinbase(&self, account: Address) -> Result<(), RpcError>;

    #[method(name = "anvil_setBlockGasLimit", aliases = ["evm_setBlockGasLimit"])]
    async fn set_block_gas_limit(&self, limit: Quantity) -> Result<bool, RpcError>;

    #[method(name = "anvil_setNextBlockBaseFeePerGas", aliases = ["hardhat_setNextBlockBaseFeePerGas"])]
    async fn set_next_block_base_fee(&self, wei: Quantity) -> Result<(), RpcError>;

    #[method(name = "anvil_setNextBlockPrevRandao", aliases = ["hardhat_setPrevRandao"])]
    async fn set_prev_randao(&self, word: B256) -> Result<(), RpcError>;

    #[method(name = "anvil_setMinGasPrice", aliases = ["hardhat_setMinGasPrice"])]
    fn set_min_gas_price(&self, wei: U256) -> Result<(), RpcError>;

    #[method(name = "anvil_dropTransaction", aliases = ["hardhat_dropTransaction"])]
    async fn drop_transaction(&self, hash: B256) -> Result<Option<B256>, RpcError>;

    #[method(name = "anvil_dropAllTransactions", aliases = ["hardhat_dropAllTransactions"])]
    async fn drop_all_transactions(&self) -> Result<(), RpcError>;

    #[method(name = "anvil_removePoolTransactions")]
    async fn remove_pool_transactions(&self, sender: Address) -> Result<(), RpcError>;
}

impl Api {
    async fn override_blocks(&self, with: BlockOverride) -> Result<(), RpcError> {
        self.0.write(move |node| Ok(node.chain.override_blocks(with)?)).await
    }
}

#[async_trait]
impl UpcomingServer for Api {
    async fn set_coinbase(&self, account: Address) -> Result<(), RpcError> {
        self.override_blocks(BlockOverride::Beneficiary(account)).await
    }

    async fn set_block_gas_limit(&self, limit: Quantity) -> Result<bool, RpcError> {
        self.override_blocks(BlockOverride::GasLimit(limit.0)).await?;
        Ok(true)
    }

    async fn set_next_block_base_fee(&self, wei: Quantity) -> Result<(), RpcError> {
        self.override_blocks(BlockOverride::BaseFee(wei.0)).await
    }

    async fn set_prev_randao(&self, word: B256) -> Result<(), RpcError> {
        self.override_blocks(BlockOverride::PrevRandao(word)).await
    }

    /// There is no such price since there is a base fee; anvil and Hardhat refuse it in these words.
    fn set_min_gas_price(&self, _: U256) -> Result<(), RpcError> {
        Err(RpcError::params(
            "anvil_setMinGasPrice is not supported when EIP-1559 is active; set the next block's base fee",
        ))
    }

    /// Gives the hash back if there was such a transaction.
    async fn drop_transaction(&self, hash: B256) -> Result<Option<B256>, RpcError> {
        self.0.write(move |node| Ok(node.chain.drop_transaction(hash).then_some(hash))).await
    }

    async fn drop_all_transactions(&self) -> Result<(), RpcError> {
        self.0
            .write(|node| {
                node.chain.drop_all_transactions();
                Ok(())
            })
            .await
    }

    async fn remove_pool_transactions(&self, sender: Address) -> Result<(), RpcError> {
        self.0
            .write(move |node| {
                node.chain.drop_transactions_of(&sender);
                Ok(())
            })
            .await
    }
}

//! Blocks, transactions and receipts of the chain.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes, U64, U256};
use alloy_rpc_types_eth::{Block, BlockTransactionsKind, Index, SyncStatus, Transaction};
use jsonrpsee::proc_macros::rpc;

use crate::{
    RpcError,
    api::Api,
    wire::{self, Receipt},
};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthBlocks {
    #[method(name = "chainId")]
    fn chain_id(&self) -> Result<U64, RpcError>;

    #[method(name = "blockNumber")]
    fn block_number(&self) -> Result<U256, RpcError>;

    #[method(name = "syncing")]
    fn syncing(&self) -> Result<SyncStatus, RpcError>;

    #[method(name = "getBlockByNumber")]
    fn block_by_number(&self, number: BlockNumberOrTag, full: Option<bool>) -> Result<Option<Block>, RpcError>;

    #[method(name = "getBlockByHash")]
    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> Result<Option<Block>, RpcError>;

    #[method(name = "getBlockTransactionCountByNumber")]
    fn transaction_count_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, RpcError>;

    #[method(name = "getBlockTransactionCountByHash")]
    fn transaction_count_by_hash(&self, hash: B256) -> Result<Option<U64>, RpcError>;

    #[method(name = "getUncleCountByBlockNumber")]
    fn uncle_count_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, RpcError>;

    #[method(name = "getUncleCountByBlockHash")]
    fn uncle_count_by_hash(&self, hash: B256) -> Result<Option<U64>, RpcError>;

    #[method(name = "getTransactionByHash")]
    fn transaction_by_hash(&self, hash: B256) -> Result<Option<Transaction>, RpcError>;

    #[method(name = "getRawTransactionByHash")]
    fn raw_transaction_by_hash(&self, hash: B256) -> Result<Option<Bytes>, RpcError>;

    #[method(name = "getTransactionByBlockNumberAndIndex")]
    fn transaction_by_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<Transaction>, RpcError>;

    #[method(name = "getTransactionByBlockHashAndIndex")]
    fn transaction_by_block(&self, hash: B256, index: Index) -> Result<Option<Transaction>, RpcError>;

    #[method(name = "getTransactionReceipt")]
    fn receipt(&self, hash: B256) -> Result<Option<Receipt>, RpcError>;

    #[method(name = "getBlockReceipts")]
    fn block_receipts(&self, id: BlockId) -> Result<Option<Vec<Receipt>>, RpcError>;
}

impl Api {
    fn block(&self, id: BlockId, full: Option<bool>) -> Result<Option<Block>, RpcError> {
        let kind = BlockTransactionsKind::from(full.unwrap_or_default());
        Ok(self.0.block(id)?.map(|block| wire::block(&block, kind)))
    }

    fn transaction_count(&self, id: BlockId) -> Result<Option<U64>, RpcError> {
        Ok(self.0.block(id)?.map(|block| U64::from(block.transactions.len())))
    }

    fn transaction_at(&self, id: BlockId, index: Index) -> Result<Option<Transaction>, RpcError> {
        Ok(self.0.block(id)?.and_then(|block| wire::mined_transaction(&block, index.into())))
    }

    fn uncle_count(&self, id: BlockId) -> Result<Option<U64>, RpcError> {
        Ok(self.0.block(id)?.map(|block| U64::from(block.ommers.len())))
    }

    /// A transaction of a block or of the pool, in its EIP-2718 encoding.
    pub(crate) fn raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, RpcError> {
        use alloy_eips::eip2718::Encodable2718 as _;
        Ok(match self.0.chain.transaction(hash)? {
            Some((block, index)) => Some(block.transactions[index].inner().encoded_2718().into()),
            None => self.0.chain.pooled(hash).map(|transaction| transaction.inner().encoded_2718().into()),
        })
    }
}

impl EthBlocksServer for Api {
    fn chain_id(&self) -> Result<U64, RpcError> {
        Ok(U64::from(self.0.chain.spec().chain_id()))
    }

    fn block_number(&self) -> Result<U256, RpcError> {
        Ok(U256::from(self.0.chain.head().block.number()))
    }

    fn syncing(&self) -> Result<SyncStatus, RpcError> {
        Ok(SyncStatus::None)
    }

    fn block_by_number(&self, number: BlockNumberOrTag, full: Option<bool>) -> Result<Option<Block>, RpcError> {
        self.block(number.into(), full)
    }

    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> Result<Option<Block>, RpcError> {
        self.block(hash.into(), full)
    }

    fn transaction_count_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, RpcError> {
        self.transaction_count(number.into())
    }

    fn transaction_count_by_hash(&self, hash: B256) -> Result<Option<U64>, RpcError> {
        self.transaction_count(hash.into())
    }

    fn uncle_count_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, RpcError> {
        self.uncle_count(number.into())
    }

    fn uncle_count_by_hash(&self, hash: B256) -> Result<Option<U64>, RpcError> {
        self.uncle_count(hash.into())
    }

    fn transaction_by_hash(&self, hash: B256) -> Result<Option<Transaction>, RpcError> {
        Ok(match self.0.chain.transaction(hash)? {
            Some((block, index)) => wire::mined_transaction(&block, index),
            None => self.0.chain.pooled(hash).map(|transaction| wire::pending_transaction(&transaction)),
        })
    }

    fn raw_transaction_by_hash(&self, hash: B256) -> Result<Option<Bytes>, RpcError> {
        self.raw_transaction(hash)
    }

    fn transaction_by_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<Transaction>, RpcError> {
        self.transaction_at(number.into(), index)
    }

    fn transaction_by_block(&self, hash: B256, index: Index) -> Result<Option<Transaction>, RpcError> {
        self.transaction_at(hash.into(), index)
    }

    fn receipt(&self, hash: B256) -> Result<Option<Receipt>, RpcError> {
        let found = self.0.chain.transaction(hash)?;
        Ok(found.and_then(|(block, index)| wire::receipt(&block, index, self.0.blobs(&block.header))))
    }

    fn block_receipts(&self, id: BlockId) -> Result<Option<Vec<Receipt>>, RpcError> {
        Ok(self.0.block(id)?.map(|block| wire::receipts(&block, self.0.blobs(&block.header))))
    }
}

//! What Otterscan asks a node, as its documentation of the API, level 8, has it.

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_trace::otterscan::{
    BlockDetails, ContractCreator, InternalOperation, OtsBlockTransactions, TraceEntry, TransactionsWithReceipts,
};
use jsonrpsee::{core::async_trait, proc_macros::rpc};

use crate::{
    RpcError,
    api::Api,
    wire::{BlockRef, Quantity},
};

/// Version of the API that Otterscan expects.
const API_LEVEL: u64 = 8;

#[rpc(server, namespace = "ots")]
pub(crate) trait Otterscan {
    /// Which version of these methods is served.
    #[method(name = "getApiLevel")]
    fn api_level(&self) -> Result<u64, RpcError>;

    /// Whether an account has code.
    #[method(name = "hasCode")]
    async fn has_code(&self, address: Address, block: Option<BlockRef>) -> Result<bool, RpcError>;

    /// Ether that moved inside a transaction, creations and self-destructs, as far as they stand; empty if it is in no block.
    #[method(name = "getInternalOperations")]
    async fn internal_operations(&self, hash: B256) -> Result<Vec<InternalOperation>, RpcError>;

    /// What a transaction that failed returned; `0x` if it succeeded, `null` if it is in no block.
    #[method(name = "getTransactionError")]
    fn transaction_error(&self, hash: B256) -> Result<Option<Bytes>, RpcError>;

    /// Every call of a transaction with its depth; `null` if it is in no block.
    #[method(name = "traceTransaction")]
    async fn trace_tree(&self, hash: B256) -> Result<Option<Vec<TraceEntry>>, RpcError>;

    /// A block without its transactions, with what it issued and what was paid in fees; `null` if there is no such block.
    #[method(name = "getBlockDetails")]
    fn block_details(&self, number: BlockRef) -> Result<Option<BlockDetails>, RpcError>;

    /// The same by hash.
    #[method(name = "getBlockDetailsByHash")]
    fn block_details_by_hash(&self, hash: B256) -> Result<Option<BlockDetails>, RpcError>;

    /// A page of a block's transactions with their receipts. The pages go from the block's end to its beginning.
    #[method(name = "getBlockTransactions")]
    fn block_transactions(
        &self,
        number: Quantity,
        page: Quantity,
        page_size: Quantity,
    ) -> Result<Option<OtsBlockTransactions>, RpcError>;

    /// Transactions below a block that an account has to do with, newest first; below all blocks where the number is 0. A
    /// page ends with a whole block, so it may be longer than asked for.
    #[method(name = "searchTransactionsBefore")]
    async fn search_before(
        &self,
        address: Address,
        number: Quantity,
        page_size: Quantity,
    ) -> Result<TransactionsWithReceipts, RpcError>;

    /// The same above a block: those nearest to it, newest first.
    #[method(name = "searchTransactionsAfter")]
    async fn search_after(
        &self,
        address: Address,
        number: Quantity,
        page_size: Quantity,
    ) -> Result<TransactionsWithReceipts, RpcError>;

    /// The hash of the transaction that an account sent with a nonce; `null` if there is none in a block.
    #[method(name = "getTransactionBySenderAndNonce")]
    async fn transaction_by_sender(&self, sender: Address, nonce: Quantity) -> Result<Option<B256>, RpcError>;

    /// Who created a contract, and by which transaction; `null` if it is none, or has been there from genesis on.
    #[method(name = "getContractCreator")]
    async fn contract_creator(&self, address: Address) -> Result<Option<ContractCreator>, RpcError>;
}

#[async_trait]
impl OtterscanServer for Api {
    fn api_level(&self) -> Result<u64, RpcError> {
        Ok(API_LEVEL)
    }

    async fn has_code(&self, address: Address, block: Option<BlockRef>) -> Result<bool, RpcError> {
        self.0.look(move |node| node.has_code(block.map_or_else(BlockId::default, |block| block.0), address)).await
    }

    async fn internal_operations(&self, hash: B256) -> Result<Vec<InternalOperation>, RpcError> {
        self.0.read(move |node| node.operations(hash)).await
    }

    fn transaction_error(&self, hash: B256) -> Result<Option<Bytes>, RpcError> {
        let found = self.0.chain.transaction(hash)?;
        Ok(found.map(|(block, index)| match &block.executed[index] {
            executed if executed.succeeded() => Bytes::new(),
            executed => executed.output.clone(),
        }))
    }

    async fn trace_tree(&self, hash: B256) -> Result<Option<Vec<TraceEntry>>, RpcError> {
        self.0.read(move |node| node.tree(hash)).await
    }

    fn block_details(&self, number: BlockRef) -> Result<Option<BlockDetails>, RpcError> {
        self.0.details(number.0)
    }

    fn block_details_by_hash(&self, hash: B256) -> Result<Option<BlockDetails>, RpcError> {
        self.0.details(hash.into())
    }

    fn block_transactions(
        &self,
        number: Quantity,
        page: Quantity,
        page_size: Quantity,
    ) -> Result<Option<OtsBlockTransactions>, RpcError> {
        self.0.page_of_block(number.0.into(), page.0, page_size.0)
    }

    async fn search_before(
        &self,
        address: Address,
        number: Quantity,
        page_size: Quantity,
    ) -> Result<TransactionsWithReceipts, RpcError> {
        self.0.read(move |node| node.search_before(address, number.0, page_size.0)).await
    }

    async fn search_after(
        &self,
        address: Address,
        number: Quantity,
        page_size: Quantity,
    ) -> Result<TransactionsWithReceipts, RpcError> {
        self.0.read(move |node| node.search_after(address, number.0, page_size.0)).await
    }

    async fn transaction_by_sender(&self, sender: Address, nonce: Quantity) -> Result<Option<B256>, RpcError> {
        self.0.read(move |node| node.sent_with(sender, nonce.0)).await
    }

    async fn contract_creator(&self, address: Address) -> Result<Option<ContractCreator>, RpcError> {
        self.0.read(move |node| node.creator(address)).await
    }
}

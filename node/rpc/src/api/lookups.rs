//! Look-ups that anvil and geth have besides those of the specification: whole accounts, transactions as bytes by their
//! place, code by its hash, ommers, and what a node of proof of stake says of mining.

use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718 as _};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::{Block, Header, Index, Transaction};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use serde::Serialize;

use crate::{
    RpcError,
    api::Api,
    node::Node,
    wire::{self, BlockRef, Quantity},
};

/// Version of Ethereum's wire protocol, as anvil tells it.
const PROTOCOL_VERSION: u64 = 1;

/// An account as the trie of accounts has it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrieAccount {
    nonce: U64,
    balance: U256,
    storage_root: B256,
    code_hash: B256,
}

/// An account with its code.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AccountView {
    balance: U256,
    nonce: U64,
    code: Bytes,
}

#[rpc(server)]
pub(crate) trait Lookups {
    #[method(name = "eth_getAccount")]
    async fn account(&self, address: Address, block: Option<BlockId>) -> Result<TrieAccount, RpcError>;

    #[method(name = "eth_getAccountInfo")]
    async fn account_info(&self, address: Address, block: Option<BlockId>) -> Result<AccountView, RpcError>;

    #[method(name = "eth_getRawTransactionByBlockHashAndIndex")]
    fn raw_by_block(&self, hash: B256, index: Index) -> Result<Option<Bytes>, RpcError>;

    #[method(name = "eth_getRawTransactionByBlockNumberAndIndex")]
    fn raw_by_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<Bytes>, RpcError>;

    /// The transaction that an account sent with a nonce, if it is in a block.
    #[method(name = "eth_getTransactionBySenderAndNonce")]
    async fn by_sender_and_nonce(&self, sender: Address, nonce: Quantity) -> Result<Option<Transaction>, RpcError>;

    /// The header of a block's ommer; there are none since the merge.
    #[method(name = "eth_getUncleByBlockHashAndIndex")]
    fn uncle_by_block(&self, hash: B256, index: Index) -> Result<Option<Block>, RpcError>;

    /// The header of a block's ommer; there are none since the merge.
    #[method(name = "eth_getUncleByBlockNumberAndIndex")]
    fn uncle_by_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<Block>, RpcError>;

    #[method(name = "erigon_getHeaderByNumber")]
    fn header_by_number(&self, number: BlockRef) -> Result<Option<Header>, RpcError>;

    /// Code by its hash; empty where no account has it.
    #[method(name = "debug_codeByHash")]
    async fn code_by_hash(&self, hash: B256, block: Option<BlockId>) -> Result<Bytes, RpcError>;

    /// Who is paid the tips of the next block.
    #[method(name = "eth_coinbase")]
    fn coinbase(&self) -> Result<Address, RpcError>;

    #[method(name = "eth_hashrate")]
    fn hashrate(&self) -> Result<U64, RpcError>;

    #[method(name = "eth_protocolVersion")]
    fn protocol_version(&self) -> Result<u64, RpcError>;

    #[method(name = "eth_networkId")]
    fn network_id(&self) -> Result<String, RpcError>;
}

impl Node {
    fn ommer_at(&self, id: BlockId, index: Index) -> Result<Option<Block>, RpcError> {
        Ok(self.block(id)?.and_then(|block| wire::ommer(&block, index.into())))
    }

    fn raw_at(&self, id: BlockId, index: Index) -> Result<Option<Bytes>, RpcError> {
        let found = self.block(id)?;
        let transaction = found.as_ref().and_then(|block| block.transactions.get(usize::from(index)));
        Ok(transaction.map(|transaction| transaction.inner().encoded_2718().into()))
    }
}

#[async_trait]
impl LookupsServer for Api {
    async fn account(&self, address: Address, block: Option<BlockId>) -> Result<TrieAccount, RpcError> {
        self.0
            .read(move |node| {
                let world = node.world(block)?;
                let info = world.account(&address)?.unwrap_or_default();
                let storage_root = world.proof(address, &[])?.storage_root;
                Ok(TrieAccount {
                    nonce: U64::from(info.nonce),
                    balance: info.balance,
                    storage_root,
                    code_hash: info.code_hash,
                })
            })
            .await
    }

    async fn account_info(&self, address: Address, block: Option<BlockId>) -> Result<AccountView, RpcError> {
        self.0
            .look(move |node| {
                let world = node.world(block)?;
                let info = world.account(&address)?.unwrap_or_default();
                let code = world.code(info.code_hash)?.unwrap_or_default();
                Ok(AccountView { balance: info.balance, nonce: U64::from(info.nonce), code })
            })
            .await
    }

    fn raw_by_block(&self, hash: B256, index: Index) -> Result<Option<Bytes>, RpcError> {
        self.0.raw_at(hash.into(), index)
    }

    fn raw_by_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<Bytes>, RpcError> {
        self.0.raw_at(number.into(), index)
    }

    async fn by_sender_and_nonce(&self, sender: Address, nonce: Quantity) -> Result<Option<Transaction>, RpcError> {
        self.0
            .read(move |node| {
                let Some(hash) = node.sent_with(sender, nonce.0)? else { return Ok(None) };
                let found = node.chain.transaction(hash)?;
                Ok(found.and_then(|(block, index)| wire::mined_transaction(&block, index)))
            })
            .await
    }

    fn uncle_by_block(&self, hash: B256, index: Index) -> Result<Option<Block>, RpcError> {
        self.0.ommer_at(hash.into(), index)
    }

    fn uncle_by_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<Block>, RpcError> {
        self.0.ommer_at(number.into(), index)
    }

    fn header_by_number(&self, number: BlockRef) -> Result<Option<Header>, RpcError> {
        Ok(self.0.block(number.0)?.map(|block| wire::header(&block)))
    }

    async fn code_by_hash(&self, hash: B256, block: Option<BlockId>) -> Result<Bytes, RpcError> {
        self.0.look(move |node| Ok(node.world(block)?.code(hash)?.unwrap_or_default())).await
    }

    fn coinbase(&self) -> Result<Address, RpcError> {
        let head = self.0.chain.head();
        Ok(self.0.chain.next_context(&head).beneficiary)
    }

    /// Nobody mines by work.
    fn hashrate(&self) -> Result<U64, RpcError> {
        Ok(U64::ZERO)
    }

    fn protocol_version(&self) -> Result<u64, RpcError> {
        Ok(PROTOCOL_VERSION)
    }

    fn network_id(&self) -> Result<String, RpcError> {
        Ok(self.0.params().chain_id.to_string())
    }
}

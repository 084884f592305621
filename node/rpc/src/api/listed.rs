//! Access lists of blocks (EIP-7928). No chain of this node follows a fork that has them yet; whoever asks for one of a block
//! that is there is told so.

use alloy_eips::BlockId;
use alloy_primitives::Bytes;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_state::StoredBlock;

use crate::{RpcError, api::Api, node::Node, wire::AccountAccess};

#[rpc(server)]
pub(crate) trait Listed {
    /// What a block reads and changes, by account; `null` if there is no such block, an error if its fork has no access
    /// lists.
    #[method(name = "eth_getBlockAccessList")]
    async fn access_list(&self, block: BlockId) -> Result<Option<Vec<AccountAccess>>, RpcError>;

    /// The same in RLP.
    #[method(name = "debug_getRawBlockAccessList")]
    async fn raw_access_list(&self, block: BlockId) -> Result<Bytes, RpcError>;
}

impl Node {
    fn listed<T>(
        &self,
        block: &StoredBlock,
        told: impl Fn(&alloy_eip7928::BlockAccessList) -> T,
    ) -> Result<T, RpcError> {
        let list = self.chain.access_list(block.number())?;
        list.map(|list| told(&list)).ok_or_else(|| RpcError::NoAccessList(block.number()))
    }
}

#[async_trait]
impl ListedServer for Api {
    async fn access_list(&self, block: BlockId) -> Result<Option<Vec<AccountAccess>>, RpcError> {
        self.0
            .read(move |node| {
                let Some(block) = node.block(block)? else { return Ok(None) };
                node.listed(&block, |list| list.iter().map(AccountAccess::from).collect()).map(Some)
            })
            .await
    }

    async fn raw_access_list(&self, block: BlockId) -> Result<Bytes, RpcError> {
        self.0
            .read(move |node| {
                let block = node.known_block(block)?;
                node.listed(&block, |list| alloy_rlp::encode(list).into())
            })
            .await
    }
}

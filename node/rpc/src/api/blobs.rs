//! Blobs of transactions that wait or were mined lately, for development: elsewhere they are the consensus client's.

use alloy_eips::eip4844::Blob;
use alloy_primitives::B256;
use jsonrpsee::{core::async_trait, proc_macros::rpc};

use crate::{RpcError, api::Api};

#[rpc(server)]
pub(crate) trait Blobs {
    /// By its versioned hash; null where it is not kept, or never was.
    #[method(name = "anvil_getBlobByHash")]
    async fn blob_by_hash(&self, hash: B256) -> Result<Option<Box<Blob>>, RpcError>;

    /// In their order; null where they are not kept, or never were.
    #[method(name = "anvil_getBlobsByTransactionHash")]
    async fn blobs_of_transaction(&self, hash: B256) -> Result<Option<Vec<Blob>>, RpcError>;
}

#[async_trait]
impl BlobsServer for Api {
    async fn blob_by_hash(&self, hash: B256) -> Result<Option<Box<Blob>>, RpcError> {
        self.0.read(move |node| Ok(node.chain.blob(hash))).await
    }

    async fn blobs_of_transaction(&self, hash: B256) -> Result<Option<Vec<Blob>>, RpcError> {
        self.0.read(move |node| Ok(node.chain.sidecar(hash).map(|sidecar| sidecar.blobs().to_vec()))).await
    }
}

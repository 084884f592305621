//! What a consensus client fetches of blocks that it has the headers of: their bodies, and blobs that wait in the pool.

use alloy_eips::{
    eip4844::{BlobAndProofV1, BlobAndProofV2},
    eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_engine::{ExecutionPayloadBodyV1, ExecutionPayloadBodyV2};
use parapet_state::StoredBlock;

use crate::{RpcError, node::Node};

/// Most bodies of one request: execution-apis asks for at least 32.
const BODIES_MAX: u64 = 1_024;
/// Most blobs of one request, which is the least that execution-apis asks for.
const BLOBS_MAX: usize = 128;

/// A block's transactions and withdrawals.
pub(super) fn body(block: &StoredBlock) -> ExecutionPayloadBodyV1 {
    let withdrawals = block.withdrawals.clone();
    ExecutionPayloadBodyV1::new(withdrawals, block.transactions.iter().map(|transaction| transaction.inner()))
}

impl Node {
    /// The same with the block's access list, where it has one (EIP-7928).
    pub(super) fn listed_body(&self, block: &StoredBlock) -> Result<ExecutionPayloadBodyV2, RpcError> {
        let list = self.chain.access_list(block.number())?;
        let block_access_list = list.map(|list| Bytes::from(alloy_rlp::encode(&*list)));
        Ok(ExecutionPayloadBodyV2 { block_access_list, ..body(block).into() })
    }

    /// Something of each block that is named; `None` for one that is not there.
    pub(super) fn bodies_by_hash<T>(
        &self,
        hashes: &[B256],
        body: impl Fn(&Self, &StoredBlock) -> Result<T, RpcError>,
    ) -> Result<Vec<Option<T>>, RpcError> {
        if hashes.len() as u64 > BODIES_MAX {
            return Err(RpcError::TooLargeRequest { asked: hashes.len() as u64, max: BODIES_MAX });
        }
        hashes.iter().map(|hash| self.chain.block_by_hash(*hash)?.map(|block| body(self, &block)).transpose()).collect()
    }

    /// Something of each block from a number on, up to the head.
    pub(super) fn bodies_by_range<T>(
        &self,
        (start, count): (u64, u64),
        body: impl Fn(&Self, &StoredBlock) -> Result<T, RpcError>,
    ) -> Result<Vec<Option<T>>, RpcError> {
        if start == 0 || count == 0 {
            return Err(RpcError::params("a range begins at block 1 at the earliest, and has at least one block"));
        }
        if count > BODIES_MAX {
            return Err(RpcError::TooLargeRequest { asked: count, max: BODIES_MAX });
        }
        let last = self.chain.head().block.number().min(start.saturating_add(count - 1));
        (start..=last).map(|number| self.chain.block(number)?.map(|block| body(self, &block)).transpose()).collect()
    }

    /// Blobs that wait in the pool with one proof each, by their versioned hashes.
    pub(super) fn blobs_v1(&self, hashes: &[B256]) -> Result<Vec<Option<BlobAndProofV1>>, RpcError> {
        self.blobs_of(hashes, |sidecar| match sidecar {
            BlobTransactionSidecarVariant::Eip4844(sidecar) => sidecar.match_versioned_hashes(hashes).collect(),
            BlobTransactionSidecarVariant::Eip7594(_) => Vec::new(),
        })
    }

    /// Blobs that wait in the pool with a proof for each cell (EIP-7594), by their versioned hashes.
    pub(super) fn blobs_v2(&self, hashes: &[B256]) -> Result<Vec<Option<BlobAndProofV2>>, RpcError> {
        self.blobs_of(hashes, |sidecar| match sidecar {
            BlobTransactionSidecarVariant::Eip7594(sidecar) => sidecar.match_versioned_hashes(hashes).collect(),
            BlobTransactionSidecarVariant::Eip4844(_) => Vec::new(),
        })
    }

    fn blobs_of<T>(
        &self,
        hashes: &[B256],
        matching: impl Fn(&BlobTransactionSidecarVariant) -> Vec<(usize, T)>,
    ) -> Result<Vec<Option<T>>, RpcError> {
        if hashes.len() > BLOBS_MAX {
            return Err(RpcError::TooLargeRequest { asked: hashes.len() as u64, max: BLOBS_MAX as u64 });
        }
        let mut found: Vec<Option<T>> = hashes.iter().map(|_| None).collect();
        for sidecar in self.chain.sidecars_of(hashes) {
            for (index, blob) in matching(&sidecar) {
                found[index] = Some(blob);
            }
        }
        Ok(found)
    }
}

//! Blocks that were built for others, as the Engine API has them (execution-apis, `src/engine`).

use alloy_consensus::Blob;
use alloy_eips::{eip4844::Bytes48, eip7594::BlobTransactionSidecarVariant, eip7685::Requests};
use alloy_primitives::U256;
use alloy_rpc_types_engine::ExecutionPayload;
use parapet_builder::Payload;
use serde::Serialize;

/// A block, what it pays, and what goes with it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuiltPayload {
    pub(crate) execution_payload: ExecutionPayload,
    /// In wei.
    pub(crate) block_value: U256,
    pub(crate) blobs_bundle: BlobsBundle,
    /// Whether this block is to be taken rather than one that was built elsewhere; the node has no reason to say so.
    pub(crate) should_override_builder: bool,
    /// EIP-7685, empty ones left out; told from Prague on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execution_requests: Option<Requests>,
}

/// The blobs of a block's transactions, in order.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct BlobsBundle {
    commitments: Vec<Bytes48>,
    /// One for each blob; from Osaka on one for each cell of each blob (EIP-7594).
    proofs: Vec<Bytes48>,
    blobs: Vec<Blob>,
}

impl BlobsBundle {
    fn add(&mut self, sidecar: &BlobTransactionSidecarVariant) {
        let (commitments, proofs, blobs) = match sidecar {
            BlobTransactionSidecarVariant::Eip4844(sidecar) => (&sidecar.commitments, &sidecar.proofs, &sidecar.blobs),
            BlobTransactionSidecarVariant::Eip7594(sidecar) => {
                (&sidecar.commitments, &sidecar.cell_proofs, &sidecar.blobs)
            }
        };
        self.commitments.extend(commitments);
        self.proofs.extend(proofs);
        self.blobs.extend(blobs);
    }
}

impl From<Payload> for BuiltPayload {
    fn from(payload: Payload) -> Self {
        let Payload { block, requests, sidecars, tips } = payload;
        let (execution_payload, _) = ExecutionPayload::from_block_unchecked(block.hash(), &block.to_consensus_block());
        let mut blobs_bundle = BlobsBundle::default();
        for sidecar in sidecars {
            blobs_bundle.add(&sidecar);
        }
        // The first byte is the type.
        let told = requests.take().into_iter().filter(|request| request.len() > 1);
        Self {
            execution_payload,
            block_value: tips,
            blobs_bundle,
            should_override_builder: false,
            execution_requests: Some(Requests::new(told.collect())),
        }
    }
}

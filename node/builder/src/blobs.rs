//! Blobs of transactions that were mined lately. They are no part of blocks; whoever asks for them on a development chain has no
//! consensus client to ask.
//!
//! Invariant: their bytes are within the bound, for which the oldest make room.

use std::{collections::VecDeque, sync::Arc};

use alloy_consensus::Typed2718 as _;
use alloy_eips::eip4844::Blob;
use alloy_primitives::B256;
use parapet_pool::Sidecar;
use parapet_state::StoredBlock;

use crate::Chain;

/// Blobs by their transactions, oldest first.
#[derive(Debug)]
pub(crate) struct MinedBlobs {
    sidecars: VecDeque<(B256, Arc<Sidecar>)>,
    bytes: usize,
    bytes_max: usize,
}

impl MinedBlobs {
    pub(crate) const fn new(bytes_max: usize) -> Self {
        Self { sidecars: VecDeque::new(), bytes: 0, bytes_max }
    }

    fn keep(&mut self, transaction: B256, sidecar: Arc<Sidecar>) {
        self.bytes += sidecar.size();
        self.sidecars.push_back((transaction, sidecar));
        while self.bytes > self.bytes_max {
            let Some((_, oldest)) = self.sidecars.pop_front() else { break };
            self.bytes -= oldest.size();
        }
    }
}

impl Chain {
    /// The blobs of a transaction that waits, or was mined lately enough, as far as [`Settings`](crate::Settings) have them kept.
    #[must_use]
    pub fn sidecar(&self, transaction: B256) -> Option<Arc<Sidecar>> {
        let waiting = self.0.pool.read().sidecar(transaction);
        waiting.or_else(|| {
            let mined = self.0.mined_blobs.lock();
            mined.sidecars.iter().rev().find(|(hash, _)| *hash == transaction).map(|(_, sidecar)| Arc::clone(sidecar))
        })
    }

    /// A blob by its versioned hash, of such a transaction.
    #[must_use]
    pub fn blob(&self, hash: B256) -> Option<Box<Blob>> {
        let found = |sidecar: &Sidecar| {
            let index = sidecar.versioned_hashes().position(|is| is == hash)?;
            sidecar.blobs().get(index).map(|blob| Box::new(*blob))
        };
        let mined = self.0.mined_blobs.lock();
        let mined = mined.sidecars.iter().rev().find_map(|(_, sidecar)| found(sidecar));
        mined.or_else(|| self.0.pool.read().sidecars().find_map(|sidecar| found(sidecar)))
    }

    /// Keeps the blobs of a block's transactions, which still wait in the pool.
    pub(crate) fn keep_blobs(&self, block: &StoredBlock) {
        if self.0.settings.mined_blob_bytes_max == 0 {
            return;
        }
        for transaction in block.transactions.iter().filter(|transaction| transaction.is_eip4844()) {
            let hash = *transaction.tx_hash();
            if let Some(sidecar) = self.0.pool.read().sidecar(hash) {
                self.0.mined_blobs.lock().keep(hash, sidecar);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_eips::eip4844::{BlobTransactionSidecar, Bytes48};

    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let blob =
            Sidecar::Eip4844(BlobTransactionSidecar::new(vec![Blob::ZERO], vec![Bytes48::ZERO], vec![Bytes48::ZERO]));
        let mut kept = MinedBlobs::new(2 * blob.size());
        for index in 1..=3 {
            kept.keep(B256::repeat_byte(index), Arc::new(blob.clone()));
        }
        let hashes: Vec<_> = kept.sidecars.iter().map(|(hash, _)| *hash).collect();
        assert_eq!(hashes, [B256::repeat_byte(2), B256::repeat_byte(3)]);
        assert_eq!(kept.bytes, 2 * blob.size());
    }
}

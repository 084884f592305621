//! Blocks that were built elsewhere and are not valid: what stands on one is not valid either, and is not looked at.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::B256;
use parapet_import::IncomingBlock;
use parapet_state::StoredBlock;

use crate::Chain;

/// Most blocks that are remembered; the oldest makes room.
const BAD_BLOCKS_MAX: usize = 16;

/// Oldest first.
#[derive(Default)]
pub(crate) struct BadBlocks(VecDeque<Bad>);

struct Bad {
    block: Arc<StoredBlock>,
    /// The newest block below it that is valid.
    latest_valid: B256,
}

impl BadBlocks {
    /// The newest valid block below one that is not.
    pub(crate) fn latest_valid(&self, hash: B256) -> Option<B256> {
        self.0.iter().find(|bad| bad.block.hash() == hash).map(|bad| bad.latest_valid)
    }

    /// Remembers a block that breaks a rule, or stands on one that does.
    pub(crate) fn remember(&mut self, incoming: IncomingBlock, latest_valid: B256) {
        if self.latest_valid(incoming.header.hash()).is_some() {
            return;
        }
        let IncomingBlock { header, transactions, withdrawals, ommers, .. } = incoming;
        let (receipts, executed, chain_acts) = (Vec::new(), Vec::new(), Vec::new());
        let block = StoredBlock { header, transactions, withdrawals, ommers, receipts, executed, chain_acts };
        if self.0.len() >= BAD_BLOCKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Bad { block: Arc::new(block), latest_valid });
    }
}

impl Chain {
    /// Blocks that came in last and are not valid, newest first. They have no receipts.
    #[must_use]
    pub fn bad_blocks(&self) -> Vec<Arc<StoredBlock>> {
        self.0.bad.lock().0.iter().rev().map(|bad| Arc::clone(&bad.block)).collect()
    }
}

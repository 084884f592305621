//! Takes transactions in. Where mining is instant, a transaction is in its block before its submission returns.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use parapet_executor::Consequence;
use parapet_pool::Rules;
use parapet_types::Transaction;

use crate::{
    Chain, ChainError, Mining,
    chain::Writer,
    header::next_base_fee,
    mine::{EmptyBlock, Unfit},
};

impl Chain {
    /// Admits a transaction to the pool and gives its hash. With [`Mining::Instant`] it is mined at once, as far as its
    /// nonce allows, and so is what was waiting for it.
    ///
    /// # Errors
    /// [`ChainError`] when it is not admitted, or cannot be in any block; it is not in the pool then. A transaction
    /// that the guard engine could not judge stays in the pool and is no error.
    pub fn submit(&self, transaction: Transaction) -> Result<B256, ChainError> {
        if self.mining() != Mining::Instant {
            return self.admit(transaction);
        }
        let mut writer = self.writer()?;
        let hash = self.admit(transaction)?;
        self.settle(&mut writer, Some(hash))?;
        Ok(hash)
    }

    fn admit(&self, transaction: Transaction) -> Result<B256, ChainError> {
        let head = self.head();
        let params = self.params();
        let rules = Rules {
            chain_id: params.chain_id,
            hardfork: params.hardfork,
            block_gas_limit: params.block_gas_limit,
            base_fee: next_base_fee(&head.block.header),
        };
        let account = self.stored(head.world.account(&transaction.signer()))?.unwrap_or_default();
        let added = self.0.pool.write().add(transaction, &account, &rules)?;
        for evicted in added.evicted {
            tracing::warn!("{evicted} was dropped: the pool is full of transactions that pay more");
        }
        // Having no listener is no fault.
        let _: Result<usize, _> = self.0.pending.send(added.hash);
        Ok(added.hash)
    }

    /// Mines what is ready, a block per transaction. A sender whose transaction has to wait is passed over, so every
    /// turn takes a transaction or a sender out of the running, and the loop ends.
    pub(crate) fn settle(&self, writer: &mut Writer, wanted: Option<B256>) -> Result<(), ChainError> {
        let mut passed_over = BTreeSet::<Address>::new();
        let mut refused = None;
        loop {
            let base_fee = next_base_fee(&self.head().block.header);
            let ready = self.0.pool.read().best(base_fee);
            let Some(next) = ready.into_iter().find(|tx| !passed_over.contains(&tx.signer())) else {
                return refused.map_or(Ok(()), Err);
            };
            let sender = next.signer();
            for Unfit { transaction, reason } in self.build(writer, vec![next], EmptyBlock::Skip)? {
                passed_over.insert(sender);
                let hash = *transaction.tx_hash();
                if wanted == Some(hash) && reason.consequence() == Consequence::Reject {
                    refused = Some(ChainError::Rejected { hash, reason });
                }
            }
        }
    }
}

//! Takes transactions out of the pool, and out of its journal, because somebody asked for it, or a fork does not take them.

use alloy_primitives::{Address, B256};
use parapet_pool::{Content, Pool};
use parapet_types::Hardfork;

use crate::Chain;

impl Chain {
    /// Takes a transaction out of the pool. Tells whether it was there.
    #[must_use]
    pub fn drop_transaction(&self, hash: B256) -> bool {
        let was_there = Pool::drop(&mut self.0.pool.write(), hash).is_some();
        self.rewrite_journal();
        was_there
    }

    /// Takes the transactions of one sender out of the pool.
    pub fn drop_transactions_of(&self, sender: &Address) {
        let mut pool = self.0.pool.write();
        let Content { mut pending, mut queued } = pool.content();
        let lanes = [pending.remove(sender), queued.remove(sender)];
        for transaction in lanes.into_iter().flatten().flat_map(std::collections::BTreeMap::into_values) {
            Pool::drop(&mut pool, *transaction.tx_hash());
        }
        drop(pool);
        self.rewrite_journal();
    }

    /// Takes out what cannot be in a block of a fork because of how its blobs are proved. Who sent it has to send it again.
    pub(crate) fn enter(&self, hardfork: Hardfork) {
        let stale = self.0.pool.write().enter(hardfork);
        for transaction in &stale {
            let hash = transaction.tx_hash();
            tracing::warn!(
                "{hash} was dropped: its blobs are not proved as {hardfork} has it; send it with such proofs"
            );
        }
        if !stale.is_empty() {
            self.rewrite_journal();
        }
    }

    /// Takes all transactions out of the pool.
    pub fn drop_all_transactions(&self) {
        self.0.pool.write().clear();
        self.rewrite_journal();
    }
}

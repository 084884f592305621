//! What the node's other steps read of the chain. None of it waits for a block that is being executed.

use std::sync::Arc;

use alloy_eip7928::BlockAccessList;
use alloy_primitives::{Address, B256};
use parapet_monitor::Monitor;
use parapet_pool::{Content, Sidecar};
use parapet_state::{StoredBlock, WorldState};
use parapet_types::{Ancestors, BlockContext, ChainParams, ChainSpec, Transaction};
use tokio::sync::broadcast;

use crate::{
    Chain, ChainError, Mining,
    chain::{Event, Head},
    header::next_context,
};

impl Chain {
    /// Parameters of the chain over its whole length.
    #[must_use]
    pub fn spec(&self) -> Arc<ChainSpec> {
        Arc::clone(&self.0.spec.read())
    }

    /// Parameters of the next block if it were built now.
    #[must_use]
    pub fn params(&self) -> ChainParams {
        self.next_params(&self.head())
    }

    fn next_params(&self, head: &Head) -> ChainParams {
        let parent = &head.block.header;
        let timestamp = head.outlook.time.timestamp(&*self.0.clock, parent.timestamp);
        head.outlook.params(self.spec().at(parent.number + 1, timestamp))
    }

    /// What judges transactions.
    #[must_use]
    pub fn monitor(&self) -> &dyn Monitor {
        &*self.0.monitor
    }

    /// The wall clock, in seconds since 1970, untouched by what the chain's time was set to.
    #[must_use]
    pub fn wall_clock(&self) -> u64 {
        self.0.clock.now()
    }

    /// The newest block and the state to build on.
    #[must_use]
    pub fn head(&self) -> Arc<Head> {
        Arc::clone(&self.0.head.read())
    }

    /// What the next block would be given if it were built now.
    #[must_use]
    pub fn next_context(&self, head: &Head) -> BlockContext {
        let parent = &head.block.header;
        let timestamp = head.outlook.time.timestamp(&*self.0.clock, parent.timestamp);
        let params = self.spec().at(parent.number + 1, timestamp);
        head.outlook.apply(next_context(&params, &self.0.settings, parent, timestamp))
    }

    /// A block by its number.
    ///
    /// # Errors
    /// [`ChainError::Store`] when it cannot be read.
    pub fn block(&self, number: u64) -> Result<Option<Arc<StoredBlock>>, ChainError> {
        self.stored(self.0.store.read().block(number))
    }

    /// A block by its hash.
    ///
    /// # Errors
    /// [`ChainError::Store`] when it cannot be read.
    pub fn block_by_hash(&self, hash: B256) -> Result<Option<Arc<StoredBlock>>, ChainError> {
        self.stored(self.0.store.read().block_by_hash(hash))
    }

    /// A block's access list (EIP-7928); `None` where there is no such block, or its fork has none.
    ///
    /// # Errors
    /// [`ChainError::Store`] when it cannot be read.
    pub fn access_list(&self, number: u64) -> Result<Option<Arc<BlockAccessList>>, ChainError> {
        self.stored(self.0.store.read().access_list(number))
    }

    /// The state after a block; at the head, with what was amended since.
    ///
    /// # Errors
    /// [`ChainError::Store`] when it cannot be read, or is no longer kept.
    pub fn world(&self, number: u64) -> Result<Option<WorldState>, ChainError> {
        let head = self.head();
        if head.block.number() == number { Ok(Some(head.world.clone())) } else { self.committed_world(number) }
    }

    /// The state that a block's header commits to.
    ///
    /// # Errors
    /// [`ChainError::Store`] when it cannot be read, or is no longer kept.
    pub fn committed_world(&self, number: u64) -> Result<Option<WorldState>, ChainError> {
        self.stored(self.0.store.read().world(number))
    }

    /// The state that a block's transactions started from: the parent's, with what was amended before the block.
    ///
    /// # Errors
    /// [`ChainError::Store`] when it cannot be read, or is no longer kept.
    pub fn start_world(&self, number: u64) -> Result<Option<WorldState>, ChainError> {
        let Some(parent) = number.checked_sub(1) else { return Ok(None) };
        let Some(parent) = self.committed_world(parent)? else { return Ok(None) };
        let amended = self.0.amended.read();
        match amended.before(number) {
            Some(changes) => self.stored(parent.apply(changes)).map(Some),
            None => Ok(Some(parent)),
        }
    }

    /// Number of the oldest block whose state is kept.
    #[must_use]
    pub fn oldest_state(&self) -> u64 {
        self.0.store.read().oldest_state()
    }

    /// The block that holds a transaction, and its index there.
    ///
    /// # Errors
    /// [`ChainError::Store`] when it cannot be read.
    pub fn transaction(&self, hash: B256) -> Result<Option<(Arc<StoredBlock>, usize)>, ChainError> {
        self.stored(self.0.store.read().transaction(hash))
    }

    /// Hashes for BLOCKHASH in the block of a number, which need not exist yet.
    ///
    /// # Errors
    /// [`ChainError::Store`] when they cannot be read.
    pub fn ancestors(&self, of_block_number: u64) -> Result<Ancestors, ChainError> {
        self.stored(self.0.store.read().ancestors(of_block_number))
    }

    /// Blocks as they are added and dropped.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Hashes of transactions as the pool admits them.
    #[must_use]
    pub fn pending(&self) -> broadcast::Receiver<B256> {
        self.0.pending.subscribe()
    }

    /// A transaction that waits in the pool.
    #[must_use]
    pub fn pooled(&self, hash: B256) -> Option<Transaction> {
        self.0.pool.read().get(hash).cloned()
    }

    /// What waits in the pool.
    #[must_use]
    pub fn pool_content(&self) -> Content {
        self.0.pool.read().content()
    }

    /// The blobs that wait in the pool and are named by any of these versioned hashes, with the others of their
    /// transactions.
    #[must_use]
    pub fn sidecars_of(&self, hashes: &[B256]) -> Vec<Arc<Sidecar>> {
        let named = |sidecar: &Arc<Sidecar>| sidecar.versioned_hashes().any(|hash| hashes.contains(&hash));
        self.0.pool.read().sidecars().filter(|sidecar| named(sidecar)).cloned().collect()
    }

    /// Number of transactions that wait in the pool: pending ones, then queued ones.
    #[must_use]
    pub fn pool_counts(&self) -> (usize, usize) {
        self.0.pool.read().counts()
    }

    /// The nonce of an account's next transaction, those that wait in the pool counted.
    ///
    /// # Errors
    /// [`ChainError::Store`] when the account cannot be read.
    pub fn next_nonce(&self, address: &Address) -> Result<u64, ChainError> {
        let account_nonce = self.stored(self.head().world.account(address))?.unwrap_or_default().nonce;
        Ok(self.0.pool.read().next_nonce(address, account_nonce))
    }

    /// When blocks are mined.
    #[must_use]
    pub fn mining(&self) -> Mining {
        *self.0.mining.borrow()
    }
}

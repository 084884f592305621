//! What is done to a folder by hand: counted, checked, pruned.

use alloy_primitives::B256;

use super::ChainStore;
use crate::{
    Checked, MemoryUse, Progress, Scope, Step, StoreError, StoreStats,
    disk::{Disk, ENTRY_BYTES},
};

impl ChainStore {
    /// The folder in figures; `None` where the chain lives in memory.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn stats(&self) -> Result<Option<StoreStats>, StoreError> {
        self.disk.as_ref().map(|disk| disk.stats(self.in_memory_of(disk)?)).transpose()
    }

    /// What an open folder takes of memory, and has written; `None` where the chain lives in memory.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn memory(&self) -> Result<Option<MemoryUse>, StoreError> {
        self.disk.as_ref().map(|disk| self.in_memory_of(disk)).transpose()
    }

    fn in_memory_of(&self, disk: &Disk) -> Result<MemoryUse, StoreError> {
        let (values, recent_bytes) = (self.recent.head().world.values_cached() as u64, self.recent.bytes() as u64);
        let value_bytes = values * ENTRY_BYTES as u64;
        Ok(MemoryUse { values, value_bytes, recent_bytes, ..disk.memory()? })
    }

    /// Reads the whole folder and checks that all of it agrees.
    ///
    /// # Errors
    /// The first contradiction, or a fault of the database.
    pub fn verify(&self, scope: Scope, tell: &mut dyn FnMut(Progress)) -> Result<Checked, StoreError> {
        self.on_disk()?.verify(scope, tell)
    }

    /// The root of the state after a block, from nothing but accounts and slots. It is compared with the one in the block's
    /// header.
    ///
    /// # Errors
    /// [`StoreError::StoredRoot`] where they differ; a fault of the database.
    pub fn rebuild_root(&self, number: u64, tell: &mut dyn FnMut(Progress)) -> Result<B256, StoreError> {
        self.on_disk()?.rebuild_root(number, tell)
    }

    /// Forgets all states but those of so many blocks, the head's counted. Blocks and receipts stay.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn prune(&mut self, keep: std::num::NonZeroU64, tell: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        let block = self.head();
        let head = block.number();
        let disk = self.disk.as_mut().ok_or(StoreError::InMemory)?;
        let (from, to) = (disk.oldest(), (head + 1).saturating_sub(keep.get()));
        while disk.oldest() < to {
            disk.prune_one()?;
            tell(Progress { step: Step::Prune, done: disk.oldest() - from, total: Some(to - from) });
        }
        // What lies in memory stands on a state that may be gone.
        let world = disk.head_world(block.header.state_root);
        self.recent.restart(block, world);
        Ok(())
    }

    fn on_disk(&self) -> Result<&Disk, StoreError> {
        self.disk.as_ref().ok_or(StoreError::InMemory)
    }
}

//! Snapshots: points of the chain to come back to. Reverting to one uses it up, and those taken after it.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::B256;
use parapet_state::{StoreError, StoredBlock};
use parapet_types::StateChanges;

use crate::{Chain, ChainError, Event, Head, SNAPSHOTS_MAX, outlook::Outlook};

/// A point of the chain.
struct Snapshot {
    point: SnapshotPoint,
    outlook: Outlook,
    amendments: StateChanges,
}

/// Where a snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPoint {
    /// What it is called.
    pub id: u64,
    /// Number of the head.
    pub number: u64,
    /// Hash of the head.
    pub hash: B256,
}

/// Those that can still be reverted to, oldest first.
#[derive(Default)]
pub(crate) struct Snapshots {
    kept: VecDeque<Snapshot>,
    taken: u64,
}

impl Snapshots {
    /// Forgets those of blocks after a number, which are about to go or gone.
    pub(crate) fn drop_after(&mut self, number: u64) {
        self.kept.retain(|snapshot| snapshot.point.number <= number);
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}

impl Chain {
    /// Takes a snapshot and names it: 1, 2, 3 and so on.
    ///
    /// # Errors
    /// [`ChainError::Closed`].
    pub fn snapshot(&self) -> Result<u64, ChainError> {
        let mut writer = self.writer()?;
        let head = self.head();
        let (outlook, amendments) = (writer.outlook, writer.amendments.clone());
        let snapshots = &mut writer.snapshots;
        snapshots.taken += 1;
        let id = snapshots.taken;
        let point = SnapshotPoint { id, number: head.block.number(), hash: head.block.hash() };
        snapshots.kept.push_back(Snapshot { point, outlook, amendments });
        if snapshots.kept.len() > SNAPSHOTS_MAX {
            snapshots.kept.pop_front();
        }
        Ok(id)
    }

    /// The snapshots that can be reverted to, oldest first.
    ///
    /// # Errors
    /// [`ChainError::Closed`].
    pub fn snapshots(&self) -> Result<Vec<SnapshotPoint>, ChainError> {
        Ok(self.writer()?.snapshots.kept.iter().map(|snapshot| snapshot.point).collect())
    }

    /// Goes back to a snapshot: blocks after it are dropped, the pool is emptied, the chain's time is as it was then.
    /// Gives the blocks, newest first; `None` where there is no such snapshot.
    ///
    /// # Errors
    /// [`ChainError`] when the store fails or the node is stopping.
    pub fn revert(&self, id: u64) -> Result<Option<Vec<Arc<StoredBlock>>>, ChainError> {
        let mut writer = self.writer()?;
        let Some(index) = writer.snapshots.kept.iter().position(|snapshot| snapshot.point.id == id) else {
            return Ok(None);
        };
        let Snapshot { point, outlook, amendments } = &writer.snapshots.kept[index];
        let (point, outlook, amendments) = (*point, *outlook, amendments.clone());
        let dropped = self.unwind(&mut writer, point.number, outlook, amendments)?;
        assert_eq!(self.head().block.hash(), point.hash, "blocks before a snapshot are only dropped together with it");
        writer.snapshots.kept.truncate(index);
        self.0.pool.write().clear();
        // What it held would join again after a restart, and what was dropped with the blocks too.
        self.rewrite_journal();
        tracing::info!("went back to block {} (snapshot {id})", point.number);
        Ok(Some(dropped))
    }

    /// Goes back to the first block, as if nothing had happened since: no snapshot, no amendment, an empty pool. Gives the blocks
    /// that are gone, newest first.
    ///
    /// # Errors
    /// [`ChainError`] when the store fails or the node is stopping.
    pub fn reset(&self) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
        let mut writer = self.writer()?;
        let (first, fork) = (self.first(), self.fork());
        let block = self.block(first)?.ok_or(StoreError::NoBlock { number: first, head: first })?;
        let outlook = Outlook::at_start(&self.0.settings, (first, &block.header), fork.as_deref(), &*self.0.clock);
        let dropped = self.unwind(&mut writer, first, outlook, StateChanges::default())?;
        writer.snapshots.clear();
        self.0.pool.write().clear();
        self.rewrite_journal();
        tracing::info!("went back to block {first}");
        Ok(dropped)
    }

    /// Blocks after a number, newest first.
    pub(crate) fn blocks_after(&self, number: u64) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
        let blocks = (number + 1..=self.head().block.number()).rev().map(|number| self.block(number));
        blocks.filter_map(Result::transpose).collect()
    }

    /// Tells listeners; having none is no fault.
    pub(crate) fn announce(&self, event: Event) {
        let _: Result<usize, _> = self.0.events.send(event);
    }
}

/// A head with another outlook.
pub(crate) fn with_outlook(head: &Head, outlook: Outlook) -> Head {
    Head { block: Arc::clone(&head.block), world: head.world.clone(), outlook }
}

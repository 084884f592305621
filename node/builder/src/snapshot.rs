//! Snapshots: points of the chain to come back to. Reverting to one uses it up, and those taken after it.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::B256;
use parapet_state::StoredBlock;
use parapet_types::StateChanges;

use crate::{Chain, ChainError, Event, Head, SNAPSHOTS_MAX, clock::ChainTime};

/// A point of the chain.
struct Snapshot {
    id: u64,
    number: u64,
    hash: B256,
    time: ChainTime,
    amendments: StateChanges,
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
        self.kept.retain(|snapshot| snapshot.number <= number);
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
        let (time, amendments) = (writer.time, writer.amendments.clone());
        let snapshots = &mut writer.snapshots;
        snapshots.taken += 1;
        let id = snapshots.taken;
        snapshots.kept.push_back(Snapshot {
            id,
            number: head.block.number(),
            hash: head.block.hash(),
            time,
            amendments,
        });
        if snapshots.kept.len() > SNAPSHOTS_MAX {
            snapshots.kept.pop_front();
        }
        Ok(id)
    }

    /// Goes back to a snapshot: blocks after it are dropped, the pool is emptied, the chain's time is as it was then.
    /// Gives the blocks, newest first; `None` where there is no such snapshot.
    ///
    /// # Errors
    /// [`ChainError`] when the store fails or the node is stopping.
    pub fn revert(&self, id: u64) -> Result<Option<Vec<Arc<StoredBlock>>>, ChainError> {
        let mut writer = self.writer()?;
        let Some(index) = writer.snapshots.kept.iter().position(|snapshot| snapshot.id == id) else {
            return Ok(None);
        };
        let snapshot = &writer.snapshots.kept[index];
        let (number, hash, time, amendments) =
            (snapshot.number, snapshot.hash, snapshot.time, snapshot.amendments.clone());
        let dropped = self.unwind(&mut writer, number, time, amendments)?;
        assert_eq!(self.head().block.hash(), hash, "blocks before a snapshot are only dropped together with it");
        writer.snapshots.kept.truncate(index);
        self.0.pool.write().clear();
        // What it held would join again after a restart, and what was dropped with the blocks too.
        self.rewrite_journal();
        tracing::info!("went back to block {number} (snapshot {id})");
        Ok(Some(dropped))
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

/// A head with another notion of time.
pub(crate) fn with_time(head: &Head, time: ChainTime) -> Head {
    Head { block: Arc::clone(&head.block), world: head.world.clone(), time }
}

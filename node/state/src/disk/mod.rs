//! The chain in RocksDB. Invariant: a block is one batch, written before anyone hears of it, so the folder always holds a
//! whole chain up to its head, with the state after every block that is kept.
//!
//! The [schema](schema) says what lies where. The database is in `chain/` of the data folder; beside it, `announced`
//! remembers the newest block (see [`marker`]).

mod base;
mod cache;
mod contents;
mod database;
mod follow;
mod forked;
mod former;
mod marker;
mod newest;
mod open;
mod precheck;
mod prune;
mod read;
mod record;
mod rewind;
mod schema;
mod stats;
mod unfinished;
mod verify;
mod write;

use std::{
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy_eip7928::BlockAccessList;
use alloy_primitives::B256;
use parapet_types::StateChanges;
use parking_lot::Mutex;
use rocksdb::WriteBatch;

pub(crate) use self::{
    base::{Base, StoredAccount},
    cache::ENTRY_BYTES,
    forked::{Began, ForkedLog, Found, Record},
    former::{FORMER_VERSION, Former},
    open::Opened,
    read::Reader,
    unfinished::Unfinished,
};
use self::{
    cache::ReadCache,
    database::Database,
    marker::Marker,
    schema::{META, META_AMENDMENTS},
};
pub use self::{
    schema::FORMAT_VERSION,
    stats::{FamilyStats, MemoryUse, StoreStats},
    verify::{Checked, Progress, Scope, Step},
};
use crate::{StoreError, StoreSettings, StoredBlock, WorldState};

/// The database's own folder within the data folder.
const DATABASE_DIR: &str = "chain";

/// An open folder, for its one writer.
#[derive(Debug)]
pub(crate) struct Disk {
    reader: Reader,
    settings: StoreSettings,
    marker: Marker,
    head: u64,
    oldest: u64,
    /// Names this store, as nodes in memory know it; another one after each rewind.
    store: u64,
    /// States that somebody may still read.
    bases: Mutex<Vec<Weak<Base>>>,
    /// Memory of trie nodes that lie on the head's base.
    node_bytes: usize,
}

/// The state after a block that was written.
#[derive(Debug)]
pub(crate) enum Kept {
    /// As it was, with what is in memory.
    InMemory(WorldState),
    /// Memory was full: it, and all states before it, are read from the database from now on.
    OnDisk(WorldState),
}

impl Disk {
    pub(crate) const fn reader(&self) -> &Reader {
        &self.reader
    }

    pub(crate) const fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    /// Refuses where something has failed before, reads included.
    pub(crate) fn check_unfailed(&self) -> Result<(), StoreError> {
        self.database().check_unfailed()
    }

    /// Number of the oldest block whose state is kept.
    pub(crate) const fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Writes a block, its access list if it has one, and its state, which was derived from that of the head.
    pub(crate) fn commit(
        &mut self,
        block: &StoredBlock,
        access_list: Option<&BlockAccessList>,
        world: WorldState,
    ) -> Result<Kept, StoreError> {
        let number = block.number();
        let base = world.base().filter(|base| base.is_in(self.database())).map(|base| base.block());
        let Some(base) = base else { return Err(StoreError::Stranger { number }) };
        let mut batch = WriteBatch::default();
        write::put_block(self.database(), &mut batch, block);
        if let Some(list) = access_list {
            write::put_access_list(self.database(), &mut batch, number, list);
        }
        let written = write::put_state(self.database(), &mut batch, number, self.store, &world);
        batch.delete_cf(self.database().family(META), META_AMENDMENTS);
        self.write(batch, "writing a block")?;
        self.head = number;
        self.marker.advance(number);
        self.node_bytes += written.node_bytes;
        self.prune_some(base)?;
        if self.node_bytes <= self.settings.trie_bytes && !self.is_left_behind(base) {
            return Ok(Kept::InMemory(world.saved()));
        }
        Ok(Kept::OnDisk(self.head_world_after(&world)))
    }

    /// The head's state, with nothing of it in memory but what was read.
    fn head_world_after(&mut self, world: &WorldState) -> WorldState {
        self.node_bytes = 0;
        let cache = world.base().and_then(|base| base.hand_over(world));
        self.world_of(self.head, world.root(), cache)
    }

    /// Whether a base is so old that it may soon be pruned: what reads the states above it would find it gone. They are given
    /// another one when half of the blocks that are kept have come, and who is at work on the old one has as many to finish.
    fn is_left_behind(&self, base: u64) -> bool {
        self.settings.prune.is_some_and(|keep| self.head - base >= (keep.get() / 2).max(1))
    }

    /// The head's state, with nothing of it in memory.
    pub(crate) fn head_world(&mut self, root: B256) -> WorldState {
        self.node_bytes = 0;
        self.world_of(self.head, root, Some(ReadCache::new(self.settings.value_bytes)))
    }

    /// The state after a block that is kept, by its root.
    pub(crate) fn world(&self, number: u64, root: B256) -> Result<WorldState, StoreError> {
        if number < self.oldest { Err(StoreError::Pruned { number }) } else { Ok(self.world_of(number, root, None)) }
    }

    fn world_of(&self, number: u64, root: B256, cache: Option<ReadCache>) -> WorldState {
        let base = Arc::new(Base::new(Arc::clone(self.database()), number, self.store, cache));
        let mut bases = self.bases.lock();
        bases.retain(|base| base.strong_count() > 0);
        bases.push(Arc::downgrade(&base));
        WorldState::at(base, root)
    }

    /// Writes what is amended since the head, in place of what was.
    pub(crate) fn amend(&mut self, amendments: &StateChanges) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let family = self.database().family(META);
        if *amendments == StateChanges::default() {
            batch.delete_cf(family, META_AMENDMENTS);
        } else {
            let json = serde_json::to_vec(amendments).expect("amendments are plain data");
            batch.put_cf(family, META_AMENDMENTS, json);
        }
        self.write(batch, "writing amendments")
    }

    /// Tells whoever reads a state that it is about to go.
    fn each_base(&self, tell: impl Fn(&Base)) {
        self.bases.lock().iter().filter_map(Weak::upgrade).for_each(|base| tell(&base));
    }

    fn database(&self) -> &Arc<Database> {
        self.reader.database()
    }

    fn write(&self, batch: WriteBatch, action: &'static str) -> Result<(), StoreError> {
        self.marker.check_place().map_err(|error| self.database().note(error))?;
        self.database().write(batch, self.settings.sync, action)
    }
}

/// A name for a store that no other in this process has or had.
fn next_store() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The database's folder in a data folder.
fn database_dir(dir: &Path) -> std::path::PathBuf {
    dir.join(DATABASE_DIR)
}

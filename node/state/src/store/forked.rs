//! Chains that go on from a block of another one, in memory, and kept in a folder.

use std::{path::Path, sync::Arc};

use alloy_consensus::{Header, Sealed};
use parapet_types::{ChainSpec, StateReader};

use super::ChainStore;
use crate::{
    StoreError, StoredBlock, SyncMode, WorldState,
    disk::{Began, ForkedLog, Found, Record},
};

/// A chain that goes on from a block of another one, and was found in a folder. No other process can have it meanwhile.
#[derive(Debug)]
pub struct KeptFork(Found);

impl KeptFork {
    /// What a folder holds, if such a chain has begun there.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be used, is in use, or is damaged.
    pub fn find(dir: &Path) -> Result<Option<Self>, StoreError> {
        Ok(Found::look(dir)?.map(Self))
    }

    /// Id of the chain that was forked.
    #[must_use]
    pub const fn forked_id(&self) -> u64 {
        self.0.began.forked_id
    }

    /// The block of that chain from which it goes on.
    #[must_use]
    pub fn block(&self) -> Sealed<Header> {
        self.0.began.block()
    }

    /// Parameters of the chain.
    #[must_use]
    pub const fn spec(&self) -> &ChainSpec {
        &self.0.began.spec
    }

    /// Whether nothing has happened since it began.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.0.is_new()
    }

    /// The chain as it was, over the state of the block from which it goes on. What its blocks changed is asked for there as far as it
    /// was then.
    ///
    /// # Errors
    /// [`StoreError`] when the log is damaged or what lies below cannot answer.
    pub fn resume(self, below: Arc<dyn StateReader>, sync: SyncMode) -> Result<ChainStore, StoreError> {
        let Began { spec, changes, .. } = &self.0.began;
        let header = self.0.began.block();
        let block = StoredBlock { header: header.clone(), ..StoredBlock::genesis(header.into_inner()) };
        let mut store = ChainStore::forked(spec.clone(), block, WorldState::over(below).apply(changes)?);
        let log = self.0.read(sync, |record| match record {
            Record::Block { block, access_list, changes } => {
                let world = store.head_world().apply(&changes)?;
                store.commit_listed(*block, access_list, world).map(|_| ())
            }
            Record::Amended(changes) => store.amend_head(&changes),
            Record::Rewound(number) => store.rewind(number),
        })?;
        store.log = Some(log);
        Ok(store)
    }
}

impl ChainStore {
    /// A chain in memory that goes on from a block of another chain. Its state lies over that block's, which may be changed
    /// already, and no root that is computed here is comparable with one of the other chain.
    ///
    /// # Panics
    /// When the state does not lie over another one.
    #[must_use]
    pub fn forked(spec: ChainSpec, block: StoredBlock, world: WorldState) -> Self {
        assert!(world.is_over_another(), "the state of a forked chain lies over the one that was forked");
        Self::begun(spec, block, world)
    }

    /// The same, begun in a folder that has none. All of it is in memory, too. `forked_id` is the id of the chain that is
    /// forked.
    ///
    /// # Errors
    /// [`StoreError::ChainThere`]; [`StoreError`] when the folder cannot be used or is in use.
    ///
    /// # Panics
    /// As [`forked`](Self::forked).
    pub fn forked_in(
        (dir, sync): (&Path, SyncMode),
        forked_id: u64,
        spec: ChainSpec,
        block: StoredBlock,
        world: WorldState,
    ) -> Result<Self, StoreError> {
        let began = Began {
            forked_id,
            spec: spec.clone(),
            hash: block.hash(),
            header: block.header.inner().clone(),
            changes: world.since_kept(),
        };
        let log = ForkedLog::begin(dir, &began, sync)?;
        Ok(Self { log: Some(log), ..Self::forked(spec, block, world) })
    }
}

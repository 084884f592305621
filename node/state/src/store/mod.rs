//! The chain that is kept: blocks, the state after each, and where transactions are.
//!
//! Invariant: block `n + 1` follows block `n` by number and parent hash, and the state kept with a block is the one its
//! header commits to. Disk, where there is one, is never behind memory: memory then holds the newest blocks alone.

mod forked;
mod maintain;
mod migrate;
mod recent;

pub use self::forked::KeptFork;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use alloy_eip7928::{BlockAccessList, compute_block_access_list_hash};
use alloy_primitives::B256;
use parapet_types::{Ancestors, ChainSpec, StateChanges};

use self::recent::Recent;
use crate::{
    GenesisBlock, StoreError, StoreSettings, StoredBlock, WorldState,
    disk::{Disk, ForkedLog, Kept, Opened},
};

/// Most hashes that BLOCKHASH can reach.
pub const ANCESTORS_MAX: u64 = 256;

/// Blocks from genesis to the head, each with the state after it; in memory, or on disk.
#[derive(Debug)]
pub struct ChainStore {
    spec: ChainSpec,
    /// The newest blocks; all, where there is no disk.
    recent: Recent,
    /// Hashes of the newest blocks.
    hashes: Ancestors,
    /// What was amended since the head, outside any block.
    amendments: StateChanges,
    /// Access lists of blocks, where there is no disk.
    access_lists: BTreeMap<u64, Arc<BlockAccessList>>,
    disk: Option<Disk>,
    /// Of a chain that goes on from another one and is kept.
    log: Option<ForkedLog>,
}

impl ChainStore {
    /// A chain that lives as long as the process, wholly in memory.
    ///
    /// # Panics
    /// When the genesis header does not commit to the genesis state.
    #[must_use]
    pub fn in_memory(genesis: GenesisBlock) -> Self {
        let GenesisBlock { spec, header, world } = genesis;
        assert_eq!(header.state_root, world.root(), "the genesis header commits to the genesis state");
        Self::begun(spec, StoredBlock::genesis(header), world)
    }

    fn begun(spec: ChainSpec, block: StoredBlock, world: WorldState) -> Self {
        let block = Arc::new(block);
        Self {
            spec,
            hashes: [(block.number(), block.hash())].into(),
            recent: Recent::new(block, world.kept_in_memory(), usize::MAX),
            amendments: StateChanges::default(),
            access_lists: BTreeMap::new(),
            disk: None,
            log: None,
        }
    }

    /// A chain that lives in a folder: begun there, or resumed with its head and its history.
    ///
    /// A resumed chain keeps its own genesis block; the one given must agree with it in everything but the timestamp.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be used, is in use, holds another chain or format, or is damaged.
    #[allow(clippy::needless_pass_by_value, reason = "a genesis is handed over, as to `in_memory`")]
    pub fn open(dir: &Path, genesis: GenesisBlock, settings: StoreSettings) -> Result<Self, StoreError> {
        Self::opened(dir, Disk::open(dir, settings, Some(&genesis))?)
    }

    /// The chain that lives in a folder, whatever it began with.
    ///
    /// # Errors
    /// [`StoreError`] when there is none, and as [`open`](Self::open).
    pub fn open_existing(dir: &Path, settings: StoreSettings) -> Result<Self, StoreError> {
        Self::opened(dir, Disk::open(dir, settings, None)?)
    }

    fn opened(dir: &Path, opened: Opened) -> Result<Self, StoreError> {
        let Opened { disk, spec, head, world, amendments } = opened;
        let head = Arc::new(head);
        let mut hashes = Ancestors::new();
        for number in head.number().saturating_sub(ANCESTORS_MAX)..head.number() {
            hashes.extend(disk.reader().header(number)?.map(|header| (number, header.seal())));
        }
        hashes.insert(head.number(), head.hash());
        let recent_bytes = disk.settings().recent_bytes;
        let recent = Recent::new(head, world, recent_bytes);
        let store =
            Self { spec, recent, hashes, amendments, access_lists: BTreeMap::new(), disk: Some(disk), log: None };
        tracing::info!(folder = %dir.display(), head = store.head().number(), "chain opened");
        Ok(store)
    }

    /// Parameters of the chain.
    #[must_use]
    pub const fn spec(&self) -> &ChainSpec {
        &self.spec
    }

    /// The newest block.
    #[must_use]
    pub fn head(&self) -> Arc<StoredBlock> {
        Arc::clone(&self.recent.head().block)
    }

    /// The state after the newest block.
    #[must_use]
    pub fn head_world(&self) -> WorldState {
        self.recent.head().world.clone()
    }

    /// Number of the first block: zero on disk; in memory whatever the chain began with, for all its blocks are there.
    #[must_use]
    pub fn first(&self) -> u64 {
        if self.is_on_disk() { 0 } else { self.recent.oldest().number() }
    }

    /// Whether it is kept in a folder.
    #[must_use]
    pub const fn is_on_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Number of the oldest block whose state is kept.
    #[must_use]
    pub fn oldest_state(&self) -> u64 {
        self.disk.as_ref().map_or(0, Disk::oldest)
    }

    /// Whether blocks can still be stored: not where the folder has failed before, be it at a read.
    ///
    /// # Errors
    /// [`StoreError::Failed`] with the first failure.
    pub fn check_unfailed(&self) -> Result<(), StoreError> {
        self.disk.as_ref().map_or(Ok(()), Disk::check_unfailed)?;
        self.log.as_ref().map_or(Ok(()), ForkedLog::check_unfailed)
    }

    /// What was amended since the head, outside any block: not part of [`head_world`](Self::head_world).
    #[must_use]
    pub const fn amendments(&self) -> &StateChanges {
        &self.amendments
    }

    /// Keeps what is amended since the head, in place of what was. The next commit or rewind forgets it: the state of the
    /// next block is to include it.
    ///
    /// # Errors
    /// A fault of the database, after which nothing has changed.
    pub fn amend_head(&mut self, amendments: &StateChanges) -> Result<(), StoreError> {
        if let Some(disk) = &mut self.disk {
            disk.amend(amendments)?;
        }
        if let Some(log) = &mut self.log {
            log.amended(amendments)?;
        }
        self.amendments = amendments.clone();
        Ok(())
    }

    /// Appends a block. When this returns, the block survives a crash, as far as [`SyncMode`](crate::SyncMode) says.
    ///
    /// `world` is the state after it, derived from [`head_world`](Self::head_world); the next one is to be derived from what
    /// that gives then, which may hold less in memory.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then. After a fault of the database every further commit fails.
    pub fn commit(&mut self, block: StoredBlock, world: WorldState) -> Result<Arc<StoredBlock>, StoreError> {
        self.commit_listed(block, None, world)
    }

    /// The same for a block whose header may commit to an access list (EIP-7928), which is kept with it. That of a first block
    /// is not kept: nothing was executed.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); [`StoreError::AccessList`] for another list than the header's.
    pub fn commit_listed(
        &mut self,
        block: StoredBlock,
        access_list: Option<BlockAccessList>,
        world: WorldState,
    ) -> Result<Arc<StoredBlock>, StoreError> {
        self.check_next(&block, &world)?;
        check_listed(&block, access_list.as_ref())?;
        let (number, block) = (block.number(), Arc::new(block));
        match &mut self.disk {
            None => {
                if let Some(log) = &mut self.log {
                    log.block(&block, access_list.as_ref(), &world.since_kept())?;
                }
                self.recent.push(Arc::clone(&block), world.kept_in_memory());
                self.access_lists.extend(access_list.map(|list| (number, Arc::new(list))));
            }
            Some(disk) => match disk.commit(&block, access_list.as_ref(), world)? {
                Kept::InMemory(world) => self.recent.push(Arc::clone(&block), world),
                Kept::OnDisk(world) => self.recent.push_alone(Arc::clone(&block), world),
            },
        }
        self.hashes.insert(number, block.hash());
        self.hashes.remove(&(number.saturating_sub(ANCESTORS_MAX + 1)));
        self.amendments = StateChanges::default();
        Ok(block)
    }

    /// A block by its number.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn block(&self, number: u64) -> Result<Option<Arc<StoredBlock>>, StoreError> {
        match (self.recent.block(number), &self.disk) {
            (Some(block), _) => Ok(Some(block)),
            (None, Some(disk)) => Ok(disk.reader().block(number)?.map(Arc::new)),
            (None, None) => Ok(None),
        }
    }

    /// A block by its hash.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn block_by_hash(&self, hash: B256) -> Result<Option<Arc<StoredBlock>>, StoreError> {
        match (self.recent.number(hash), &self.disk) {
            (Some(number), _) => self.block(number),
            (None, Some(disk)) => disk.reader().number(hash)?.map_or(Ok(None), |number| self.block(number)),
            (None, None) => Ok(None),
        }
    }

    /// A block's access list (EIP-7928); `None` where there is no such block, or its header commits to none.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn access_list(&self, number: u64) -> Result<Option<Arc<BlockAccessList>>, StoreError> {
        match &self.disk {
            Some(disk) => Ok(disk.reader().access_list(number)?.map(Arc::new)),
            None => Ok(self.access_lists.get(&number).map(Arc::clone)),
        }
    }

    /// The state after a block; `None` where there is no such block.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] where the state is no longer kept; a fault of the database.
    pub fn world(&self, number: u64) -> Result<Option<WorldState>, StoreError> {
        if number < self.oldest_state() {
            return Err(StoreError::Pruned { number });
        }
        match (self.recent.world(number), &self.disk) {
            (Some(world), _) => Ok(Some(world)),
            (None, Some(disk)) => match disk.reader().header(number)? {
                Some(header) => disk.world(number, header.state_root).map(Some),
                None => Ok(None),
            },
            (None, None) => Ok(None),
        }
    }

    /// The block that holds a transaction, and its index there.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn transaction(&self, hash: B256) -> Result<Option<(Arc<StoredBlock>, usize)>, StoreError> {
        let place = match (self.recent.place(hash), &self.disk) {
            (Some(place), _) => Some(place),
            (None, Some(disk)) => disk.reader().place(hash)?,
            (None, None) => None,
        };
        let Some((number, index)) = place else { return Ok(None) };
        Ok(self.block(number)?.map(|block| (block, index)))
    }

    /// Hashes of up to [`ANCESTORS_MAX`] blocks before a number, which need not exist yet.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn ancestors(&self, of_block_number: u64) -> Result<Ancestors, StoreError> {
        let wanted = of_block_number.saturating_sub(ANCESTORS_MAX)..of_block_number;
        let known = self.hashes.range(wanted.clone()).map(|(number, hash)| (*number, *hash)).collect::<Ancestors>();
        let from_disk = wanted.start..known.keys().next().copied().unwrap_or(wanted.end).min(self.head().number() + 1);
        let mut all = known;
        for number in from_disk {
            let block = match &self.disk {
                Some(disk) => disk.reader().header(number)?.map(|header| header.seal()),
                None => self.recent.block(number).map(|block| block.hash()),
            };
            all.extend(block.map(|hash| (number, hash)));
        }
        Ok(all)
    }

    /// Drops every block after a number, in memory and on disk, and with them all they did to any table.
    ///
    /// # Errors
    /// [`StoreError::NoBlock`] when there is no such block, [`StoreError::Pruned`] when its state is no longer kept; nothing
    /// has changed then. A fault of the database, after which every further write fails.
    pub fn rewind(&mut self, number: u64) -> Result<(), StoreError> {
        let head = self.head().number();
        let block = self.block(number)?.ok_or(StoreError::NoBlock { number, head })?;
        if let Some(disk) = &mut self.disk {
            disk.rewind(number)?;
            let world = disk.head_world(block.header.state_root);
            self.recent.restart(block, world);
        } else {
            if let Some(log) = &mut self.log {
                log.rewound(number)?;
            }
            self.recent.rewind(number);
            self.access_lists.split_off(&(number + 1));
        }
        self.amendments = StateChanges::default();
        self.hashes.split_off(&(number + 1));
        if self.hashes.len() as u64 <= ANCESTORS_MAX {
            self.hashes.extend(self.ancestors(number + 1)?);
        }
        Ok(())
    }

    /// Drops the whole chain, and begins another one in its place with one write. A state of the chain that was can no
    /// longer be read.
    ///
    /// # Errors
    /// A fault of the database, after which every further write fails.
    ///
    /// # Panics
    /// In memory, when the genesis header does not commit to the genesis state.
    pub fn begin_again(&mut self, genesis: GenesisBlock) -> Result<(), StoreError> {
        let Some(disk) = &mut self.disk else {
            *self = Self::in_memory(genesis);
            return Ok(());
        };
        let (block, world) = disk.begin_again(&genesis)?;
        self.spec = genesis.spec;
        self.hashes = [(0, block.hash())].into();
        self.recent.restart(Arc::new(block), world);
        self.amendments = StateChanges::default();
        Ok(())
    }

    fn check_next(&self, block: &StoredBlock, world: &WorldState) -> Result<(), StoreError> {
        let (number, head) = (block.number(), &self.recent.head().block);
        if head.number().checked_add(1) != Some(number) || block.header.parent_hash != head.hash() {
            return Err(StoreError::NotNext {
                number,
                parent: block.header.parent_hash,
                head_number: head.number(),
                head_hash: head.hash(),
            });
        }
        let (transactions, receipts, executed) = (block.transactions.len(), block.receipts.len(), block.executed.len());
        if receipts != transactions || executed != transactions {
            return Err(StoreError::Body { number, transactions, receipts, executed });
        }
        if world.root() != block.header.state_root {
            return Err(StoreError::Root { number, expected: block.header.state_root, computed: world.root() });
        }
        // On disk it would be a pass over all of it: `verify` does that.
        debug_assert!(
            self.disk.is_some() || world.rebuild_root().is_ok_and(|root| root == world.root()),
            "the root that is kept up is the one of a full rebuild"
        );
        Ok(())
    }
}

/// A block has the access list that its header commits to, and none if it commits to none.
fn check_listed(block: &StoredBlock, access_list: Option<&BlockAccessList>) -> Result<(), StoreError> {
    let (expected, found) =
        (block.header.block_access_list_hash, access_list.map(|list| compute_block_access_list_hash(list.as_slice())));
    if expected == found { Ok(()) } else { Err(StoreError::AccessList { number: block.number(), expected, found }) }
}

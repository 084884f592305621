//! Where the states of a test lie: in memory, or in a folder, through the store that nodes use.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_consensus::{Header, Sealed};
use alloy_eip7928::BlockAccessList;
use alloy_primitives::B256;
use parapet_state::{ChainStore, GenesisBlock, Scope, StoreError, StoreSettings, StoredBlock, SyncMode, WorldState};
use parapet_types::{ChainParams, ExecutionLimits, GuardParams, Hardfork, StateChanges};

use crate::ConformanceError;

/// Where states lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// In memory.
    #[default]
    Memory,
    /// In a folder of the system's for temporary files, with nothing in memory between two blocks: each read goes through
    /// the store, each block on another branch is a reorganisation, and in the end the folder is verified. Chains follow
    /// each other in a folder.
    Disk,
}

/// Most chains that begin in one folder, one after the other, before another folder is made: making one takes a disk far
/// longer than a chain of a test does, and what was dropped is looked at until the database tidies up.
const CHAINS_MAX: u32 = 64;

/// Folders for the chains of tests, which come one after the other. A folder is given to one test at a time, and is not
/// given to another one where a test failed in it.
#[derive(Debug, Default)]
pub(crate) struct Folders(Mutex<Vec<Folder>>);

impl Folders {
    /// Begins a chain with a state.
    pub(crate) fn begin(&self, header: Header, world: WorldState) -> Result<Folder, ConformanceError> {
        // The store does not look at them, and forks that no chain of a node's follows cannot be written down.
        let params = ChainParams {
            chain_id: 1,
            hardfork: Hardfork::Osaka,
            block_gas_limit: 1,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        let genesis = GenesisBlock { spec: params.into(), header, world };
        let Some(mut folder) = self.free().pop() else { return Folder::new(genesis) };
        folder.store.begin_again(genesis)?;
        folder.known.clear();
        folder.chains += 1;
        Ok(folder)
    }

    /// Takes a folder back in which a test has passed.
    pub(crate) fn give_back(&self, folder: Folder) {
        if folder.chains < CHAINS_MAX {
            self.free().push(folder);
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Folder>> {
        // Nothing in here panics halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block that was appended.
#[derive(Clone, Debug)]
pub(crate) struct Appended {
    pub(crate) block: StoredBlock,
    /// Where its fork has one.
    pub(crate) access_list: Option<BlockAccessList>,
    pub(crate) changes: StateChanges,
}

/// A chain in a folder.
#[derive(Debug)]
pub(crate) struct Folder {
    store: ChainStore,
    /// Every block that was appended, by its hash.
    known: HashMap<B256, Appended>,
    /// Chains that began here.
    chains: u32,
    /// Removed with this.
    _dir: tempfile::TempDir,
}

impl Folder {
    fn new(genesis: GenesisBlock) -> Result<Self, ConformanceError> {
        let settings =
            StoreSettings { sync: SyncMode::System, trie_bytes: 0, recent_bytes: 0, ..StoreSettings::default() };
        let dir = tempfile::tempdir().map_err(ConformanceError::Folder)?;
        let store = ChainStore::open(dir.path(), genesis, settings)?;
        Ok(Self { store, known: HashMap::new(), chains: 1, _dir: dir })
    }

    /// The state after a block that was appended, or after the first. It becomes the head.
    pub(crate) fn go_to(&mut self, hash: B256) -> Result<WorldState, StoreError> {
        let (mut ahead, mut at) = (Vec::new(), hash);
        while self.store.block_by_hash(at)?.is_none() {
            let Some(Appended { block, .. }) = self.known.get(&at) else { break };
            ahead.push(at);
            at = block.header.parent_hash;
        }
        let base = self.store.block_by_hash(at)?;
        if let Some(base) = base.filter(|base| base.hash() != self.store.head().hash()) {
            self.store.rewind(base.number())?;
        }
        for hash in ahead.into_iter().rev() {
            let Appended { block, access_list, changes } = self.known[&hash].clone();
            let world = self.store.head_world().apply(&changes)?;
            self.store.commit_listed(block, access_list, world)?;
        }
        Ok(self.store.head_world())
    }

    /// Appends a block to the head, whose state is the head's after these changes.
    pub(crate) fn append(&mut self, appended: Appended) -> Result<(), StoreError> {
        let world = self.store.head_world().apply(&appended.changes)?;
        let Appended { block, access_list, .. } = appended.clone();
        self.known.insert(block.hash(), appended);
        self.store.commit_listed(block, access_list, world).map(|_| ())
    }

    /// Appends a block without transactions that does nothing but these changes; gives its state's root, computed anew
    /// from what was written.
    pub(crate) fn root_after(&mut self, changes: &StateChanges) -> Result<B256, StoreError> {
        let (head, world) = (self.store.head(), self.store.head_world().apply(changes)?);
        let number = head.number() + 1;
        let header = Header { parent_hash: head.hash(), number, state_root: world.root(), ..Header::default() };
        self.store
            .commit(StoredBlock { header: Sealed::new(header), ..StoredBlock::genesis(Header::default()) }, world)?;
        self.store.rebuild_root(number, &mut |_| ())
    }

    /// Reads all of it and checks that it agrees.
    pub(crate) fn verify(&self) -> Result<(), StoreError> {
        self.store.verify(Scope::Ends, &mut |_| ()).map(|_| ())
    }
}

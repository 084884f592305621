//! Where the states of a test lie: in memory, or in a folder, through the store that nodes use.

use std::collections::HashMap;

use alloy_consensus::{Header, Sealed};
use alloy_primitives::B256;
use parapet_state::{ChainStore, GenesisBlock, Scope, StoreError, StoreSettings, StoredBlock, SyncMode, WorldState};
use parapet_types::{ChainParams, GuardParams, Hardfork, StateChanges};

use crate::ConformanceError;

/// Where states lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// In memory.
    #[default]
    Memory,
    /// In a folder of the system's for temporary files, with nothing in memory between two blocks: each read goes through
    /// the store, each block on another branch is a reorganisation, and in the end the folder is verified.
    Disk,
}

/// A chain in a folder of its own.
#[derive(Debug)]
pub(crate) struct Folder {
    store: ChainStore,
    /// Every block that was appended, by its hash.
    known: HashMap<B256, (StoredBlock, StateChanges)>,
    /// Removed with this.
    _dir: tempfile::TempDir,
}

impl Folder {
    /// Begins a chain with a state.
    pub(crate) fn begin(header: Header, world: WorldState) -> Result<Self, ConformanceError> {
        // The store does not look at them, and forks that no chain of a node's follows cannot be written down.
        let params = ChainParams {
            chain_id: 1,
            hardfork: Hardfork::Osaka,
            block_gas_limit: 1,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
        };
        let settings =
            StoreSettings { sync: SyncMode::System, trie_bytes: 0, recent_bytes: 0, ..StoreSettings::default() };
        let dir = tempfile::tempdir().map_err(ConformanceError::Folder)?;
        let store = ChainStore::open(dir.path(), GenesisBlock { spec: params.into(), header, world }, settings)?;
        Ok(Self { store, known: HashMap::new(), _dir: dir })
    }

    /// The state after a block that was appended, or after the first. It becomes the head.
    pub(crate) fn go_to(&mut self, hash: B256) -> Result<WorldState, StoreError> {
        let (mut ahead, mut at) = (Vec::new(), hash);
        while self.store.block_by_hash(at)?.is_none() {
            let Some((block, _)) = self.known.get(&at) else { break };
            ahead.push(at);
            at = block.header.parent_hash;
        }
        if let Some(base) = self.store.block_by_hash(at)? {
            self.store.rewind(base.number())?;
        }
        for hash in ahead.into_iter().rev() {
            let (block, changes) = self.known[&hash].clone();
            let world = self.store.head_world().apply(&changes)?;
            self.store.commit(block, world)?;
        }
        Ok(self.store.head_world())
    }

    /// Appends a block to the head, whose state is the head's after these changes.
    pub(crate) fn append(&mut self, block: StoredBlock, changes: StateChanges) -> Result<(), StoreError> {
        let world = self.store.head_world().apply(&changes)?;
        self.known.insert(block.hash(), (block.clone(), changes));
        self.store.commit(block, world).map(|_| ())
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

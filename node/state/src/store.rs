//! The chain that is kept: blocks, the state after each, and where transactions are.
//!
//! Invariant: block `n + 1` follows block `n` by number and parent hash, and the state kept with a block is the one its
//! header commits to. Disk, where there is one, is never behind memory.

use std::{collections::HashMap, path::Path, sync::Arc};

use alloy_primitives::{Address, B256};
use parapet_types::{AccountChange, Ancestors, ChainParams, StateChanges};

use crate::{GenesisBlock, StoreError, StoredBlock, WorldState, disk::Disk};

/// Most hashes that BLOCKHASH can reach.
pub const ANCESTORS_MAX: u64 = 256;

/// Blocks from genesis to the head, each with the state after it; in memory, or in memory and on disk.
#[derive(Debug)]
pub struct ChainStore {
    params: ChainParams,
    /// By number, from genesis on; never empty.
    kept: Vec<Kept>,
    /// Number of a block by its hash.
    numbers: HashMap<B256, u64>,
    /// Number of the block and index in it, by transaction hash.
    transactions: HashMap<B256, (u64, usize)>,
    /// What was amended since the head, outside any block.
    amendments: StateChanges,
    disk: Option<Disk>,
}

/// A block and the state after it.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) block: Arc<StoredBlock>,
    pub(crate) world: WorldState,
}

impl ChainStore {
    /// A chain that lives as long as the process.
    ///
    /// # Panics
    /// When the genesis header does not commit to the genesis state.
    #[must_use]
    pub fn in_memory(genesis: GenesisBlock) -> Self {
        let GenesisBlock { params, header, world } = genesis;
        assert_eq!(header.state_root, world.root(), "the genesis header commits to the genesis state");
        Self::from_kept(params, vec![Kept { block: Arc::new(StoredBlock::genesis(header)), world }], None)
    }

    /// A chain that lives in a folder: begun there, or resumed with its head, its history and all its states.
    ///
    /// A resumed chain keeps its own genesis block; the one given must agree with it in everything but the timestamp.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be used, is in use, holds another chain or format, or is damaged.
    #[allow(clippy::needless_pass_by_value, reason = "a genesis is handed over, as to `in_memory`")]
    pub fn open(dir: &Path, genesis: GenesisBlock) -> Result<Self, StoreError> {
        let params = genesis.params;
        let (disk, kept) = Disk::open(dir, &genesis)?;
        let amendments = disk.amendments()?;
        let store = Self { amendments, ..Self::from_kept(params, kept, Some(disk)) };
        tracing::info!(folder = %dir.display(), head = store.head().number(), "chain opened");
        Ok(store)
    }

    /// Parameters of the chain.
    #[must_use]
    pub const fn params(&self) -> &ChainParams {
        &self.params
    }

    /// The newest block.
    #[must_use]
    pub fn head(&self) -> Arc<StoredBlock> {
        Arc::clone(&self.last().block)
    }

    /// The state after the newest block.
    #[must_use]
    pub fn head_world(&self) -> WorldState {
        self.last().world.clone()
    }

    /// What was amended since the head, outside any block: not part of [`head_world`](Self::head_world).
    #[must_use]
    pub const fn amendments(&self) -> &StateChanges {
        &self.amendments
    }

    /// Keeps what is amended since the head, in place of what was. The next commit or rewind forgets it: the changes of
    /// the next block are to include it.
    ///
    /// # Errors
    /// A fault of the database, after which nothing has changed.
    pub fn amend_head(&mut self, amendments: &StateChanges) -> Result<(), StoreError> {
        if let Some(disk) = &mut self.disk {
            disk.amend(amendments)?;
        }
        self.amendments = amendments.clone();
        Ok(())
    }

    /// Appends a block. When this returns, the block survives a crash.
    ///
    /// `changes` leads from the head's state to `world`.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then. After a fault of the database every further commit fails.
    pub fn commit(
        &mut self,
        block: StoredBlock,
        changes: &StateChanges,
        world: WorldState,
    ) -> Result<Arc<StoredBlock>, StoreError> {
        self.check_next(&block, changes, &world)?;
        let before = self.head_world();
        if let Some(disk) = &mut self.disk {
            disk.commit(&block, changes, &before)?;
        }
        let block = Arc::new(block);
        self.index(&block);
        self.kept.push(Kept { block: Arc::clone(&block), world });
        self.amendments = StateChanges::default();
        Ok(block)
    }

    /// A block by its number.
    #[must_use]
    pub fn block(&self, number: u64) -> Option<Arc<StoredBlock>> {
        self.at(number).map(|kept| Arc::clone(&kept.block))
    }

    /// A block by its hash.
    #[must_use]
    pub fn block_by_hash(&self, hash: B256) -> Option<Arc<StoredBlock>> {
        self.numbers.get(&hash).and_then(|number| self.block(*number))
    }

    /// The state after a block.
    #[must_use]
    pub fn world(&self, number: u64) -> Option<WorldState> {
        self.at(number).map(|kept| kept.world.clone())
    }

    /// The block that holds a transaction, and its index there.
    #[must_use]
    pub fn transaction(&self, hash: B256) -> Option<(Arc<StoredBlock>, usize)> {
        let (number, index) = *self.transactions.get(&hash)?;
        self.block(number).map(|block| (block, index))
    }

    /// Hashes of up to [`ANCESTORS_MAX`] blocks before a number, which need not exist yet.
    #[must_use]
    pub fn ancestors(&self, of_block_number: u64) -> Ancestors {
        (of_block_number.saturating_sub(ANCESTORS_MAX)..of_block_number)
            .filter_map(|number| self.at(number).map(|kept| (number, kept.block.hash())))
            .collect()
    }

    /// Drops every block after a number, in memory and, at once, on disk.
    ///
    /// # Errors
    /// [`StoreError::NoBlock`] when there is no such block; a fault of the database, after which nothing has changed.
    pub fn rewind(&mut self, number: u64) -> Result<(), StoreError> {
        let head = self.last().block.number();
        let Some(index) = self.index_of(number) else {
            return Err(StoreError::NoBlock { number, head });
        };
        if let Some(disk) = &mut self.disk {
            disk.rewind(&self.kept[index..])?;
        }
        self.amendments = StateChanges::default();
        for dropped in self.kept.drain(index + 1..) {
            self.numbers.remove(&dropped.block.hash());
            for transaction in &dropped.block.transactions {
                self.transactions.remove(transaction.tx_hash());
            }
        }
        Ok(())
    }

    fn from_kept(params: ChainParams, kept: Vec<Kept>, disk: Option<Disk>) -> Self {
        let mut store = Self {
            params,
            kept: Vec::new(),
            numbers: HashMap::new(),
            transactions: HashMap::new(),
            amendments: StateChanges::default(),
            disk,
        };
        for kept in &kept {
            store.index(&kept.block);
        }
        store.kept = kept;
        store
    }

    fn index(&mut self, block: &StoredBlock) {
        self.numbers.insert(block.hash(), block.number());
        for (index, transaction) in block.transactions.iter().enumerate() {
            self.transactions.insert(*transaction.tx_hash(), (block.number(), index));
        }
    }

    fn check_next(&self, block: &StoredBlock, changes: &StateChanges, world: &WorldState) -> Result<(), StoreError> {
        let (number, head) = (block.number(), &self.last().block);
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
        debug_assert_eq!(world.root(), world.rebuild_root(), "the root that is kept up is the one of a full rebuild");
        match first_difference(changes, &self.last().world, world) {
            Some(address) => Err(StoreError::Changes { number, address }),
            None => Ok(()),
        }
    }

    fn last(&self) -> &Kept {
        self.kept.last().expect("genesis is never dropped")
    }

    fn at(&self, number: u64) -> Option<&Kept> {
        self.index_of(number).map(|index| &self.kept[index])
    }

    fn index_of(&self, number: u64) -> Option<usize> {
        let first = self.kept.first().expect("genesis is never dropped").block.number();
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        (index < self.kept.len()).then_some(index)
    }
}

/// First account of a change set that does not come out in a state as the change set says. Disk follows the change set
/// and memory the state, so they must agree.
fn first_difference(changes: &StateChanges, before: &WorldState, after: &WorldState) -> Option<Address> {
    let differs = |(address, change): &(&Address, &AccountChange)| {
        let account = after.account(address);
        let Some(info) = change.info else { return account.is_some() };
        let written = change.storage.values().filter(|value| !value.is_zero()).count();
        account != Some(info)
            || change.storage.iter().any(|(slot, value)| after.storage(address, *slot) != *value)
            || (change.wipe_storage && after.slots(address).count() != written)
            || after.code(info.code_hash).is_none()
            || (before.code(info.code_hash).is_none() && !changes.code.contains_key(&info.code_hash))
    };
    changes.accounts.iter().find(differs).map(|(address, _)| *address)
}

//! Blocks that were built elsewhere: each is checked and executed when it comes, and kept aside until somebody chooses it,
//! or one that stands on it, as the head.
//!
//! Invariant: what is kept aside is valid, and stood on a block that was in the chain or kept aside when it came. Where that
//! one has gone since, it is as unknown as one that never came. Nobody reads what is kept aside; the chain is one line of
//! blocks, and choosing another line drops the blocks that are not on it.

use std::{collections::HashMap, sync::Arc};

use alloy_consensus::Header;
use alloy_eip7928::BlockAccessList;
use alloy_primitives::{B256, Sealed};
use parapet_executor::{Mode, TxError};
use parapet_import::{Consequence, IncomingBlock, Parent, import_block};
use parapet_state::{StoredBlock, WorldState};
use parapet_types::{Ancestors, ExecutedBlock, StateChanges};

use crate::{Chain, ChainError, ahead::Finished, chain::Writer, mine::nonces};

/// Most blocks that are kept aside; the lowest makes room.
pub const PAYLOADS_MAX: usize = 64;
/// Most hashes that BLOCKHASH can reach.
const ANCESTORS_MAX: usize = 256;

/// What became of a block that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is valid, and in the chain or kept aside.
    Valid,
    /// It was refused before, or stands on a block that was.
    Bad {
        /// The newest block below it that is valid.
        latest_valid: B256,
    },
    /// Its parent is not known, so nothing is known of it.
    UnknownParent,
}

/// What became of a choice of the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// It is the head now, or was before.
    Head {
        /// Number of the last block that stands as it stood.
        kept: u64,
        /// Blocks that are gone, newest first.
        dropped: Vec<Arc<StoredBlock>>,
    },
    /// It is below the head, which stays.
    Ancestor,
    /// It is not valid.
    Bad {
        /// The newest block below it that is valid.
        latest_valid: B256,
    },
    /// Nothing is known of it.
    Unknown,
}

/// A block that is kept aside.
struct Aside {
    block: StoredBlock,
    access_list: Option<BlockAccessList>,
    changes: StateChanges,
    world: WorldState,
}

/// Blocks that are kept aside, by hash.
#[derive(Default)]
pub(crate) struct Payloads(HashMap<B256, Aside>);

impl Payloads {
    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn keep(&mut self, aside: Aside) {
        let hash = aside.block.hash();
        if self.0.len() >= PAYLOADS_MAX && !self.0.contains_key(&hash) {
            let lowest = self.0.iter().min_by_key(|(hash, aside)| (aside.block.number(), **hash));
            let lowest = lowest.map(|(hash, _)| *hash);
            lowest.map(|hash| self.0.remove(&hash));
        }
        self.0.insert(hash, aside);
    }
}

/// A block as it is stored, out of one that came in and what its execution gave.
#[must_use]
pub fn stored_block(incoming: IncomingBlock, executed: ExecutedBlock<TxError>) -> StoredBlock {
    let IncomingBlock { header, transactions, withdrawals, ommers, .. } = incoming;
    let chain_acts = executed.chain_acts;
    let (receipts, executed) =
        executed.included.into_iter().map(|included| (included.receipt, included.executed)).unzip();
    StoredBlock { header, transactions, withdrawals, ommers, receipts, executed, chain_acts }
}

impl Chain {
    /// Checks a block that was built elsewhere, executes it on its parent, and keeps it aside. It becomes part of the chain
    /// when it is [chosen](Self::choose).
    ///
    /// # Errors
    /// [`ChainError::Import`] names the rule that it breaks; [`ChainError`] when it could not be told.
    pub fn receive(&self, incoming: IncomingBlock) -> Result<Received, ChainError> {
        let mut writer = self.writer()?;
        let (hash, parent_hash) = (incoming.header.hash(), incoming.header.parent_hash);
        if self.block_by_hash(hash)?.is_some() || writer.payloads.0.contains_key(&hash) {
            return Ok(Received::Valid);
        }
        let mut bad = self.0.bad.lock();
        if let Some(latest_valid) = bad.latest_valid(hash).or_else(|| bad.latest_valid(parent_hash)) {
            bad.remember(incoming, latest_valid);
            return Ok(Received::Bad { latest_valid });
        }
        drop(bad);
        let Some((parent, world, ancestors)) = self.ground(&writer, parent_hash)? else {
            return Ok(Received::UnknownParent);
        };
        for transaction in &incoming.transactions {
            self.prefetch(&world, transaction.clone());
        }
        let params = self.spec().of(&incoming.header);
        let on = Parent { header: Some(&parent), world: &world, ancestors: &ancestors };
        let mode = Mode::Parallel(&self.0.workers);
        let imported = import_block(&params, on, &incoming, self.monitor(), mode, |changes| {
            let after = world.apply(changes)?;
            Ok((after.root(), after))
        });
        let imported = match imported {
            Ok(imported) => imported,
            Err(error) => {
                if error.consequence() == Consequence::Refuse {
                    self.0.bad.lock().remember(incoming, parent_hash);
                }
                return Err(error.into());
            }
        };
        let (mut executed, world) = (imported.executed, imported.state);
        self.learn(&incoming.transactions, &executed.changes);
        let (changes, access_list) = (executed.changes.clone(), executed.access_list.take());
        writer.payloads.keep(Aside { block: stored_block(incoming, executed), access_list, changes, world });
        Ok(Received::Valid)
    }

    /// A block's header, the state after it, and the hashes that its successor can ask for. `None` where it is not known.
    fn ground(&self, writer: &Writer, hash: B256) -> Result<Option<Ground>, ChainError> {
        let mut line = Vec::new();
        let mut at = hash;
        while let Some(aside) = writer.payloads.0.get(&at) {
            line.push(aside);
            at = aside.block.header.parent_hash;
        }
        let Some(base) = self.block_by_hash(at)? else { return Ok(None) };
        let mut ancestors = self.ancestors(base.number() + 1)?;
        ancestors.extend(line.iter().map(|aside| (aside.block.number(), aside.block.hash())));
        while ancestors.len() > ANCESTORS_MAX {
            ancestors.pop_first();
        }
        Ok(match line.first() {
            Some(aside) => Some((aside.block.header.clone(), aside.world.clone(), ancestors)),
            None => self.committed_world(base.number())?.map(|world| (base.header.clone(), world, ancestors)),
        })
    }

    /// Makes a block the head, with all that it stands on. Blocks that are not on its line are dropped, and the pool is
    /// emptied then. One that is below the head already changes nothing.
    ///
    /// # Errors
    /// [`ChainError`] when the store fails or the node is stopping.
    pub fn choose(&self, hash: B256) -> Result<Chosen, ChainError> {
        let mut writer = self.writer()?;
        let head = self.head();
        if head.block.hash() == hash {
            return Ok(Chosen::Head { kept: head.block.number(), dropped: Vec::new() });
        }
        if self.block_by_hash(hash)?.is_some() {
            return Ok(Chosen::Ancestor);
        }
        if let Some(latest_valid) = self.0.bad.lock().latest_valid(hash) {
            return Ok(Chosen::Bad { latest_valid });
        }
        let mut line = Vec::new();
        let mut at = hash;
        while let Some(aside) = writer.payloads.0.get(&at) {
            line.push(at);
            at = aside.block.header.parent_hash;
        }
        let Some(base) = self.block_by_hash(at)?.filter(|_| !line.is_empty()) else { return Ok(Chosen::Unknown) };
        let dropped = if base.number() < head.block.number() || writer.amendments != StateChanges::default() {
            self.drop_after(&mut writer, base.number())?
        } else {
            Vec::new()
        };
        for hash in line.into_iter().rev() {
            let aside = writer.payloads.0.remove(&hash).expect("it was found above, and there is one writer");
            let Aside { block, access_list, changes, .. } = aside;
            let world = self.0.store.read().head_world();
            let world = self.stored(world.apply(&changes))?;
            writer.outlook.after_block(&*self.0.clock, block.header.timestamp);
            let (outlook, amendments) = (writer.outlook, StateChanges::default());
            self.store(Finished { block, access_list, world, nonces: nonces(&changes), amendments, outlook })?;
        }
        let number = self.head().block.number();
        // What is far below can no longer be chosen without dropping what was.
        writer.payloads.0.retain(|_, aside| aside.block.number() + PAYLOADS_MAX as u64 > number);
        Ok(Chosen::Head { kept: base.number(), dropped })
    }

    /// Whether a block is another one, or below it; `None` where nothing is known of the other one.
    ///
    /// # Errors
    /// [`ChainError`] when the store fails or the node is stopping.
    pub fn stands_on(&self, head: B256, below: B256) -> Result<Option<bool>, ChainError> {
        let writer = self.writer()?;
        let mut at = head;
        while let Some(aside) = writer.payloads.0.get(&at) {
            if at == below {
                return Ok(Some(true));
            }
            at = aside.block.header.parent_hash;
        }
        let Some(base) = self.block_by_hash(at)? else { return Ok(None) };
        let found = self.block_by_hash(below)?;
        Ok(Some(found.is_some_and(|found| found.number() <= base.number())))
    }

    /// Drops the blocks after a number, and what was amended since the head.
    fn drop_after(&self, writer: &mut Writer, number: u64) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
        let outlook = writer.outlook;
        let dropped = self.unwind(writer, number, outlook, StateChanges::default())?;
        writer.snapshots.drop_after(number);
        self.0.pool.write().clear();
        self.rewrite_journal();
        Ok(dropped)
    }
}

/// What a block can be built on: a header, the state after it, and the hashes up to it.
type Ground = (Sealed<Header>, WorldState, Ancestors);

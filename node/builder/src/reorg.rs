//! Going back: blocks are dropped from the head down, and others may come in their place.
//!
//! All that a block did to any table goes with it, the state of guards included, and so do snapshots that were taken after it.
//! What waits in the pool is held against the state that is left. The registry is state, and whoever judges knows it by its
//! content, so nothing has to be told there. As anvil has it, time runs on from the block that becomes the head.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;
use parapet_executor::TxError;
use parapet_pool::Content;
use parapet_state::StoredBlock;
use parapet_types::{StateChanges, Transaction};

use crate::{
    BLOCKS_PER_REQUEST_MAX, Chain, ChainError, Event, Head,
    chain::Writer,
    mine::{EmptyBlock, Unfit},
    outlook::Outlook,
};

/// Blocks to be dropped, and what comes in their place.
#[derive(Clone, Debug)]
pub struct ReorgRequest {
    /// How many are dropped, and as many built.
    pub depth: u64,
    /// What the new blocks hold, by their place among them, 0 for the first; the others hold nothing.
    pub transactions: BTreeMap<u64, Vec<Transaction>>,
    /// What becomes of the transactions that were dropped.
    pub orphans: Orphans,
}

/// What becomes of transactions whose blocks were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orphans {
    /// They are gone, as with anvil.
    #[default]
    Forget,
    /// They wait in the pool again, unless the new blocks have taken their nonces.
    Readmit,
}

/// What came of a reorganisation.
#[derive(Debug)]
pub struct Reorg {
    /// The blocks that were dropped, newest first.
    pub dropped: Vec<Arc<StoredBlock>>,
    /// Transactions that were given and that no block could hold, and why.
    pub left_out: Vec<(B256, TxError)>,
}

impl Chain {
    /// Drops so many blocks, and gives them, newest first. Their transactions are gone; what is amended since the head, too.
    ///
    /// # Errors
    /// [`ChainError::TooDeep`] where there are not as many; [`ChainError::Store`] where the state is no longer kept. Nothing
    /// has changed then.
    pub fn rollback(&self, depth: u64) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
        let mut writer = self.writer()?;
        let dropped = self.unwind_by(&mut writer, depth)?;
        self.readmit(Vec::new());
        Ok(dropped)
    }

    /// Drops blocks and builds as many in their place, which are never the same ones.
    ///
    /// # Errors
    /// As [`rollback`](Self::rollback); [`ChainError::NoPlace`] for transactions of a block that is not to be built. Of what
    /// building can give; the blocks before the one that failed are there then.
    pub fn reorg(&self, request: ReorgRequest) -> Result<Reorg, ChainError> {
        let ReorgRequest { depth, mut transactions, orphans } = request;
        if let Some((&place, _)) = transactions.range(depth..).next() {
            return Err(ChainError::NoPlace { place, depth });
        }
        if depth > BLOCKS_PER_REQUEST_MAX {
            return Err(ChainError::TooManyBlocks(depth));
        }
        let mut writer = self.writer()?;
        let dropped = self.unwind_by(&mut writer, depth)?;
        let mut left_out = Vec::new();
        let first = dropped.last().map_or(0, |first| first.header.timestamp);
        let built = (0..depth).try_for_each(|place| {
            if place == 0 {
                self.step_aside(&mut writer, first);
            }
            let candidates = transactions.remove(&place).unwrap_or_default();
            let base = self.base(&mut writer)?;
            let unfit = self.build(&mut writer, &base, candidates, EmptyBlock::Keep)?;
            left_out.extend(unfit.into_iter().map(|Unfit { transaction, reason }| (*transaction.tx_hash(), reason)));
            Ok(())
        });
        let built = writer.ahead.take().map_or(Ok(()), |ahead| ahead.wait()).and(built);
        let orphaned = match orphans {
            Orphans::Forget => Vec::new(),
            Orphans::Readmit => dropped.iter().rev().flat_map(|block| block.transactions.iter().cloned()).collect(),
        };
        self.readmit(orphaned);
        built.map(|()| Reorg { dropped, left_out })
    }

    /// The next block is to have another timestamp than a block that was dropped: two empty blocks would be one.
    fn step_aside(&self, writer: &mut Writer, was: u64) {
        let parent = self.head().block.header.timestamp;
        if writer.outlook.time.timestamp(&*self.0.clock, parent) == was {
            writer.outlook.time.next = Some(was.saturating_add(1));
        }
    }

    /// Drops so many blocks; time runs on from the head that is left.
    fn unwind_by(&self, writer: &mut Writer, depth: u64) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
        let head = self.head().block.number();
        let to = head.checked_sub(depth).ok_or(ChainError::TooDeep { depth, head })?;
        if depth == 0 {
            return Ok(Vec::new());
        }
        // A chain that goes on from a block of another one has none before it.
        let left = self.block(to)?.ok_or(ChainError::TooDeep { depth, head })?;
        let mut outlook = writer.outlook;
        outlook.time = outlook.time.running_from(&*self.0.clock, left.header.timestamp);
        let dropped = self.unwind(writer, to, outlook, StateChanges::default())?;
        writer.snapshots.drop_after(to);
        tracing::info!("went back to block {to}");
        Ok(dropped)
    }

    /// Drops every block after a number, and shows and tells it. Gives them, newest first.
    pub(crate) fn unwind(
        &self,
        writer: &mut Writer,
        to: u64,
        outlook: Outlook,
        amendments: StateChanges,
    ) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
        let head = self.head().block.number();
        let dropped = (to + 1..=head).rev().map(|number| self.block(number));
        let dropped: Vec<_> = dropped.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        {
            let mut store = self.0.store.write();
            let rewound = store.rewind(to).and_then(|()| store.amend_head(&amendments));
            self.stored(rewound)?;
            self.measure_store(&store)?;
            let world = self.stored(store.head_world().apply(&amendments))?;
            self.0.amended.write().rewind(to);
            // Before the store is let go: a head that it has no longer is not seen beside it.
            self.publish(Head { block: store.head(), world, outlook });
        }
        writer.outlook = outlook;
        writer.amendments = amendments;
        if !dropped.is_empty() {
            self.announce(Event::Dropped(dropped.clone()));
        }
        Ok(dropped)
    }

    /// Holds what waits against the head's state: what that still admits waits on, behind those that are given. Who comes
    /// meanwhile is held against it as well.
    fn readmit(&self, mut transactions: Vec<Transaction>) {
        let waiting = {
            let mut pool = self.0.pool.write();
            let content = pool.content();
            pool.clear();
            content
        };
        transactions.extend(all_of(waiting));
        for refused in self.admit_all(transactions, &BTreeMap::new()).into_iter().filter_map(Result::err) {
            tracing::debug!("a transaction is not taken back into the pool: {refused}");
        }
        self.rewrite_journal();
    }
}

/// All that waited, those of a sender in the order of their nonces.
fn all_of(Content { pending, queued }: Content) -> impl Iterator<Item = Transaction> {
    pending.into_values().chain(queued.into_values()).flat_map(BTreeMap::into_values)
}

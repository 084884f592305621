//! Builds a block: candidates are executed under the monitor's eyes, the block is sealed, then stored, and only then shown. What
//! of it waits for what is in [`ahead`](crate::ahead).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, Bytes};
use parapet_executor::{Admission, BlockInput, Consequence, Listing, Point, TxError};
use parapet_pool::Pool;
use parapet_state::{ChainStore, StoredBlock, WorldState};
use parapet_types::{
    BlockContext, ChainParams, Destiny, Executed, ExecutedBlock, Hardfork, LeftOut, StateChanges, Transaction,
};

use crate::{
    BLOCKS_PER_REQUEST_MAX, Chain, ChainError, Event, Head,
    ahead::{Base, Finished},
    chain::Writer,
    deadline::{ByClock, time_for_block},
    forked::clear_overwritten,
    header::{Contents, next_context, seal},
    measure::note_store,
};

/// Blocks to be mined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MineRequest {
    /// How many.
    pub blocks: u64,
    /// Seconds between their timestamps; without it, the clock decides.
    pub spacing: Option<u64>,
    /// Timestamp of the first, in seconds since 1970; without it, the clock decides.
    pub timestamp: Option<u64>,
}

impl Default for MineRequest {
    fn default() -> Self {
        Self { blocks: 1, spacing: None, timestamp: None }
    }
}

/// What becomes of a block without transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyBlock {
    /// It is a block.
    Keep,
    /// There is no block.
    Skip,
}

/// A candidate that is not in the block.
pub(crate) struct Unfit {
    pub(crate) transaction: Transaction,
    pub(crate) reason: TxError,
}

impl Chain {
    /// Mines blocks, each with what the pool has for it.
    ///
    /// # Errors
    /// [`ChainError`]; the blocks before the one that failed are there.
    pub fn mine(&self, request: MineRequest) -> Result<(), ChainError> {
        if request.blocks > BLOCKS_PER_REQUEST_MAX {
            return Err(ChainError::TooManyBlocks(request.blocks));
        }
        let mut writer = self.writer()?;
        if let Some(timestamp) = request.timestamp {
            self.fix_next_timestamp(&mut writer, timestamp)?;
        }
        for index in 0..request.blocks {
            let base = self.base(&mut writer)?;
            if let Some(spacing) = request.spacing.filter(|_| index > 0) {
                writer.outlook.time.next = Some(base.header.timestamp.saturating_add(spacing));
            }
            let candidates = self.next_candidates(&base, &BTreeSet::new());
            self.build(&mut writer, &base, candidates, EmptyBlock::Keep)?;
        }
        writer.ahead.take().map_or(Ok(()), |ahead| ahead.wait())
    }

    /// Builds one block. Gives the candidates that are not in it; those that can never be in one have left the pool.
    pub(crate) fn build(
        &self,
        writer: &mut Writer,
        base: &Base,
        candidates: Vec<Transaction>,
        empty: EmptyBlock,
    ) -> Result<Vec<Unfit>, ChainError> {
        let parent = &base.header;
        let timestamp = writer.outlook.time.timestamp(&*self.0.clock, parent.timestamp);
        let params = self.spec().at(parent.number + 1, timestamp);
        if params.hardfork < Hardfork::Paris {
            return Err(ChainError::BeforeMerge { number: parent.number + 1, hardfork: params.hardfork });
        }
        let context = writer.outlook.apply(next_context(&params, &self.0.settings, parent, timestamp));
        let mut ancestors = self.ancestors(context.number)?;
        // The store may not have it yet.
        ancestors.insert(parent.number, parent.hash());
        let cleared = self.stored(clear_overwritten(&base.world, &params, &context))?;
        let world = self.stored(base.world.apply(&cleared))?;
        self.fetch_ahead(&world, &candidates);
        let at = Point { params: &params, world: &world, ancestors: &ancestors, block: &context };
        let time = time_for_block(self.0.settings.block_deadline, self.mining());
        let deadline = time.map(|time| ByClock::starting_now(&*self.0.clock, time));
        let input = BlockInput {
            at,
            transactions: &candidates,
            admission: Admission::Build,
            access_list: Listing::Ignore,
            deadline: None,
        };
        let mut executed = self.execute_what_can_be(&input, deadline.as_ref())?;
        let unfit = self.sort_out(&candidates, std::mem::take(&mut executed.left_out));
        let is_fault = |unfit: &Unfit| matches!(unfit.reason, TxError::Fault(_) | TxError::State(_) | TxError::Evm(_));
        if unfit.iter().any(is_fault) {
            self.look_for_failure()?;
        }
        if executed.included.is_empty() && empty == EmptyBlock::Skip {
            return Ok(unfit);
        }
        writer.amendments = std::mem::take(&mut writer.amendments).followed_by(&cleared);
        let finished = self.seal(writer, &world, (&params, &context), candidates, executed)?;
        match &self.0.storer {
            Some(storer) => writer.ahead = Some(storer.hand_over(self, writer.ahead.take(), finished)?),
            None => self.store(finished)?,
        }
        Ok(unfit)
    }

    /// Tells what the store takes and has written.
    pub(crate) fn measure_store(&self, store: &ChainStore) -> Result<(), ChainError> {
        if let Some(memory) = self.stored(store.memory())? {
            note_store(&memory);
        }
        Ok(())
    }

    /// Seals a block.
    fn seal(
        &self,
        writer: &mut Writer,
        world: &WorldState,
        (params, context): (&ChainParams, &BlockContext),
        candidates: Vec<Transaction>,
        mut executed: ExecutedBlock<TxError>,
    ) -> Result<Finished, ChainError> {
        let access_list = executed.access_list.take();
        self.learn(&candidates, &executed.changes);
        let world = self.stored(world.apply(&executed.changes))?;
        let nonces = nonces(&executed.changes);
        let extra_data = self.0.settings.extra_data.clone();
        let block = assemble((params, context), candidates, executed, &world, extra_data);
        writer.outlook.after_block(&*self.0.clock, block.header.timestamp);
        let (amendments, outlook) = (std::mem::take(&mut writer.amendments), writer.outlook);
        Ok(Finished { block, access_list, world, nonces, amendments, outlook })
    }

    /// Stores a block, then shows it.
    pub(crate) fn store(&self, finished: Finished) -> Result<(), ChainError> {
        let Finished { block, access_list, world, nonces, amendments, outlook } = finished;
        let block = {
            let mut store = self.0.store.write();
            let committed = store.commit_listed(block, access_list, world);
            let block = self.stored(committed)?;
            self.measure_store(&store)?;
            self.0.amended.write().record(block.number(), amendments);
            // Before the store is let go: whoever finds the block there finds it, or a later one, at the head.
            self.publish(Head { block: Arc::clone(&block), world: store.head_world(), outlook });
            block
        };
        self.keep_blobs(&block);
        for transaction in self.0.pool.write().follow(&block.transactions, nonces) {
            tracing::warn!("{} was dropped: its nonce has been used", transaction.tx_hash());
        }
        if self.0.logs_blocks.load(Ordering::Relaxed) {
            log_block(&block);
        }
        self.announce(Event::Block(block));
        Ok(())
    }

    /// Drops candidates that can never be included and keeps the others for the next block. A fault of the engine is
    /// the node's, so it is told loudly (I4).
    fn sort_out(&self, candidates: &[Transaction], left_out: Vec<LeftOut<TxError>>) -> Vec<Unfit> {
        let sort = |LeftOut { candidate, reason }| {
            let transaction = candidates[candidate].clone();
            let hash = *transaction.tx_hash();
            match &reason {
                TxError::Fault(_) | TxError::State(_) | TxError::Evm(_) => {
                    tracing::error!("{hash} is left out of this block and will be retried: {reason}");
                    self.0.pool.write().note_fault(hash);
                }
                TxError::Invalid(_)
                | TxError::BlockFull { .. }
                | TxError::GuardsFull { .. }
                | TxError::GuardsMayNotFit { .. }
                | TxError::Deadline
                | TxError::Interrupted => match reason.consequence() {
                    Consequence::Reject => {
                        tracing::warn!("{hash} was dropped: {reason}");
                        Pool::drop(&mut self.0.pool.write(), hash);
                    }
                    Consequence::Retry => tracing::debug!("{hash} waits for a later block: {reason}"),
                },
            }
            Unfit { transaction, reason }
        };
        left_out.into_iter().map(sort).collect()
    }
}

/// The nonces of all accounts that a block changed.
pub(crate) fn nonces(changes: &StateChanges) -> BTreeMap<Address, u64> {
    changes.accounts.iter().map(|(address, change)| (*address, change.info.map_or(0, |info| info.nonce))).collect()
}

/// A block of what was executed, sealed.
pub(crate) fn assemble(
    (params, context): (&ChainParams, &BlockContext),
    candidates: Vec<Transaction>,
    block: ExecutedBlock<TxError>,
    world: &WorldState,
    extra_data: Bytes,
) -> StoredBlock {
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    let mut transactions = Vec::with_capacity(block.included.len());
    let mut receipts = Vec::with_capacity(block.included.len());
    let mut executed = Vec::with_capacity(block.included.len());
    for included in block.included {
        transactions.push(candidates[included.candidate].take().expect("a candidate is included once"));
        receipts.push(included.receipt);
        executed.push(included.executed);
    }
    let outcome = Contents {
        state_root: &|| world.root(),
        transactions: &transactions,
        receipts: &receipts,
        gas_used: block.gas_used,
        blob_gas_used: block.blob_gas_used,
        requests_hash: block.requests.requests_hash(),
        extra_data,
    };
    let header = seal(params, context, outcome);
    let withdrawals = (params.hardfork >= Hardfork::Shanghai).then(|| context.withdrawals.clone().into());
    StoredBlock {
        header,
        transactions,
        withdrawals,
        ommers: Vec::new(),
        receipts,
        executed,
        chain_acts: block.chain_acts,
    }
}

/// One readable line for every transaction, or one for an empty block.
fn log_block(block: &StoredBlock) {
    let number = block.number();
    if block.transactions.is_empty() {
        tracing::info!("block {number}: empty");
    }
    for (transaction, executed) in block.transactions.iter().zip(&block.executed) {
        let (hash, from) = (transaction.tx_hash(), transaction.signer());
        let to = transaction.to().map_or_else(|| "new contract".to_owned(), |to| to.to_string());
        let gas = executed.gas_used;
        tracing::info!("block {number}: {hash} from {from} to {to}: {}, gas {gas}", outcome(executed));
    }
}

/// How a transaction ended, in a few words.
fn outcome(executed: &Executed) -> String {
    match &executed.destiny {
        Destiny::Succeeded => "succeeded".to_owned(),
        Destiny::Reverted => "reverted".to_owned(),
        Destiny::Halted { reason } => format!("halted ({reason})"),
        Destiny::Vetoed { attachment, code, detail, .. } => {
            let guard = executed.verdicts.iter().find(|verdict| verdict.attachment == *attachment);
            let name = guard.map_or_else(|| attachment.to_string(), |verdict| verdict.guard.clone());
            format!("vetoed by guard {name} (code {code}: {})", parapet_monitor::detail_text(detail))
        }
    }
}

//! Builds a block: candidates are executed under the monitor's eyes, the block is sealed and stored, and only then shown.

use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::Address;
use parapet_executor::{Admission, BlockInput, Consequence, Listing, Point, TxError};
use parapet_pool::Pool;
use parapet_state::StoredBlock;
use parapet_types::{BlockContext, ChainParams, Destiny, Executed, ExecutedBlock, Hardfork, LeftOut, Transaction};

use crate::{
    BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, BLOCKS_PER_REQUEST_MAX, Chain, ChainError, Event, Head,
    chain::Writer,
    deadline::{ByClock, time_for_block},
    header::{Outcome, next_base_fee, next_context, seal},
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
            let head = self.head();
            if let Some(spacing) = request.spacing.filter(|_| index > 0) {
                writer.time.next = Some(head.block.header.timestamp.saturating_add(spacing));
            }
            let candidates = fitting(self.0.pool.read().best(next_base_fee(&head.block.header)));
            self.build(&mut writer, candidates, EmptyBlock::Keep)?;
        }
        Ok(())
    }

    /// Builds one block on the head. Gives the candidates that are not in it; those that can never be in one have left
    /// the pool.
    pub(crate) fn build(
        &self,
        writer: &mut Writer,
        candidates: Vec<Transaction>,
        empty: EmptyBlock,
    ) -> Result<Vec<Unfit>, ChainError> {
        let head = self.head();
        let parent = &head.block.header;
        let timestamp = writer.time.timestamp(&*self.0.clock, parent.timestamp);
        let params = self.0.spec.at(parent.number + 1, timestamp);
        if params.hardfork < Hardfork::Paris {
            return Err(ChainError::BeforeMerge { number: parent.number + 1, hardfork: params.hardfork });
        }
        let context = next_context(&params, &self.0.settings, parent, timestamp);
        let ancestors = self.ancestors(context.number)?;
        let at = Point { params: &params, world: &head.world, ancestors: &ancestors, block: &context };
        let time = time_for_block(self.0.settings.block_deadline, self.mining());
        let deadline = time.map(|time| ByClock::starting_now(&*self.0.clock, time));
        let input = BlockInput {
            at,
            transactions: &candidates,
            admission: Admission::Build,
            access_list: Listing::Ignore,
            deadline: None,
        };
        let mut executed = self.execute(&input, deadline.as_ref())?;
        let unfit = self.sort_out(&candidates, std::mem::take(&mut executed.left_out));
        if executed.included.is_empty() && empty == EmptyBlock::Skip {
            return Ok(unfit);
        }
        self.commit(writer, &head, (&params, &context), candidates, executed)?;
        Ok(unfit)
    }

    /// Seals a block, stores it, shows it.
    fn commit(
        &self,
        writer: &mut Writer,
        head: &Head,
        (params, context): (&ChainParams, &BlockContext),
        candidates: Vec<Transaction>,
        executed: ExecutedBlock<TxError>,
    ) -> Result<(), ChainError> {
        let world = self.stored(head.world.apply(&executed.changes))?;
        let block = self.assemble((params, context), candidates, executed, world.root());
        let (block, world) = {
            let mut store = self.0.store.write();
            let committed = store.commit(block, world);
            let block = self.stored(committed)?;
            if let Some(memory) = self.stored(store.memory())? {
                note_store(&memory);
            }
            (block, store.head_world())
        };
        let amendments = std::mem::take(&mut writer.amendments);
        self.0.amended.write().record(block.number(), amendments);
        writer.time.after_block(&*self.0.clock, block.header.timestamp);
        self.publish(Head { block: Arc::clone(&block), world: world.clone(), time: writer.time });
        let account = |sender: &Address| Ok(world.account(sender)?.unwrap_or_default());
        let stale = self.0.pool.write().remove_mined(&block.transactions, account);
        let stale = self.stored(stale)?;
        for transaction in stale {
            tracing::warn!("{} was dropped: its nonce has been used", transaction.tx_hash());
        }
        log_block(&block);
        self.announce(Event::Block(block));
        Ok(())
    }

    fn assemble(
        &self,
        (params, context): (&ChainParams, &BlockContext),
        candidates: Vec<Transaction>,
        block: ExecutedBlock<TxError>,
        state_root: alloy_primitives::B256,
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
        let outcome = Outcome {
            state_root,
            transactions: &transactions,
            receipts: &receipts,
            gas_used: block.gas_used,
            blob_gas_used: block.blob_gas_used,
            requests_hash: block.requests.requests_hash(),
            extra_data: self.0.settings.extra_data.clone(),
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
                | TxError::Deadline => match reason.consequence() {
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

/// As many candidates, from the first on, as a block can hold by number and length.
fn fitting(mut candidates: Vec<Transaction>) -> Vec<Transaction> {
    let mut bytes = 0;
    let fits = |transaction: &&Transaction| {
        bytes += transaction.inner().encode_2718_len();
        bytes <= BLOCK_BYTES_MAX
    };
    let count = candidates.iter().take(BLOCK_TRANSACTIONS_MAX).take_while(fits).count();
    candidates.truncate(count);
    candidates
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

#[cfg(test)]
mod tests {
    use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
    use alloy_primitives::{Address, Signature};

    use super::*;

    fn candidate(input_bytes: usize) -> Transaction {
        let tx = TxEip1559 { input: vec![1; input_bytes].into(), ..TxEip1559::default() };
        Transaction::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), Address::ZERO)
    }

    #[test]
    fn a_block_takes_no_more_bytes_than_the_protocol_allows() {
        let long = candidate(100_000);
        let fit = BLOCK_BYTES_MAX / long.inner().encode_2718_len();
        assert_eq!(fitting(vec![long.clone(); fit]).len(), fit);
        assert_eq!(fitting(vec![long; fit + 5]).len(), fit);
    }

    #[test]
    fn a_block_takes_no_more_transactions_than_its_limit() {
        assert_eq!(fitting(vec![candidate(0); BLOCK_TRANSACTIONS_MAX + 5]).len(), BLOCK_TRANSACTIONS_MAX);
    }
}

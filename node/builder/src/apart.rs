//! Blocks that are built for whoever asks, and are none of the chain: nothing is stored, announced, or taken from the pool.
//!
//! They stand on the state that the head's header commits to, for whoever checks them knows no other; what a development
//! tool has amended since is not in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy_consensus::Transaction as _;
use alloy_eips::{eip4895::Withdrawal, eip7685::Requests};
use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_executor::{Admission, BlockInput, Deadline, Listing, Mode, Point, execute_block};
use parapet_pool::Sidecar;
use parapet_state::{StoreError, StoredBlock};
use parapet_types::{BlockContext, Hardfork, Transaction};

use crate::{
    Chain, ChainError, ahead::Base, deadline::ByClock, forked::clear_overwritten, header::next_context, mine::assemble,
};

/// What is fixed of such a block (Engine API: `PayloadAttributes`).
#[derive(Clone, Debug)]
pub struct PayloadRequest {
    /// The block to stand on, which must be the head.
    pub parent: B256,
    /// Seconds since 1970; after the head's.
    pub timestamp: u64,
    /// PREVRANDAO.
    pub prev_randao: B256,
    /// Who gets the tips.
    pub beneficiary: Address,
    /// EIP-4895.
    pub withdrawals: Vec<Withdrawal>,
    /// EIP-4788.
    pub parent_beacon_block_root: Option<B256>,
    /// These transactions and no others, in this order; what waits in the pool where none are named.
    pub transactions: Option<Vec<Transaction>>,
    /// Bytes that mean nothing; this node's where none are given.
    pub extra_data: Option<Bytes>,
}

/// A block that was built and is none of the chain.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The block.
    pub block: StoredBlock,
    /// EIP-7685.
    pub requests: Requests,
    /// The blobs of its transactions, as far as the pool has them, in the block's order.
    pub sidecars: Vec<Arc<Sidecar>>,
    /// What its transactions pay its beneficiary, in wei.
    pub tips: U256,
}

impl Chain {
    /// Builds a block on the head.
    ///
    /// # Errors
    /// [`ChainError::NotTheHead`]; [`ChainError::Timestamp`]; [`ChainError::Block`] when a transaction that is named cannot be
    /// in the block.
    pub fn build_apart(&self, request: PayloadRequest) -> Result<Payload, ChainError> {
        let writer = self.writer()?;
        let head = self.head();
        let parent = &head.block.header;
        if request.parent != parent.hash() {
            return Err(ChainError::NotTheHead { asked: request.parent, head: parent.hash() });
        }
        if request.timestamp <= parent.timestamp {
            return Err(ChainError::Timestamp { given: request.timestamp, head: parent.timestamp });
        }
        let params = self.spec().at(parent.number + 1, request.timestamp);
        if params.hardfork < Hardfork::Paris {
            return Err(ChainError::BeforeMerge { number: parent.number + 1, hardfork: params.hardfork });
        }
        let base = Base {
            header: parent.clone(),
            world: self
                .committed_world(parent.number)?
                .ok_or(StoreError::NoBlock { number: parent.number, head: parent.number })?,
            nonces: Arc::new(BTreeMap::new()),
            // What waits is held against the rules of its time.
            outlook: writer.outlook.at(request.timestamp),
        };
        let context = BlockContext {
            prev_randao: request.prev_randao,
            beneficiary: request.beneficiary,
            withdrawals: request.withdrawals,
            parent_beacon_block_root: request.parent_beacon_block_root.filter(|_| params.hardfork >= Hardfork::Cancun),
            ..next_context(&params, &self.0.settings, parent, request.timestamp)
        };
        // What is named is wanted as a whole.
        let (transactions, admission, time) = match request.transactions {
            Some(named) => (named, Admission::Import, None),
            None => (self.candidates(&base, &BTreeSet::new()), Admission::Build, self.0.settings.block_deadline),
        };
        let deadline = time.map(|time| ByClock::starting_now(&*self.0.clock, time));
        let ancestors = self.ancestors(context.number)?;
        let cleared = self.stored(clear_overwritten(&base.world, &params, &context))?;
        let world = self.stored(base.world.apply(&cleared))?;
        let input = BlockInput {
            at: Point { params: &params, world: &world, ancestors: &ancestors, block: &context },
            transactions: &transactions,
            admission,
            access_list: Listing::Ignore,
            deadline: deadline.as_ref().map(|deadline| deadline as &dyn Deadline),
        };
        let executed = execute_block(&input, self.monitor(), Mode::Parallel(&self.0.workers))?;
        let requests = executed.requests.clone();
        let world = self.stored(world.apply(&executed.changes))?;
        let extra_data = request.extra_data.unwrap_or_else(|| self.0.settings.extra_data.clone());
        let block = assemble((&params, &context), transactions, executed, &world, extra_data);
        let (sidecars, tips) = (self.sidecars(&block.transactions), tips(&block));
        Ok(Payload { block, requests, sidecars, tips })
    }

    /// The blobs of transactions that wait in the pool.
    fn sidecars(&self, transactions: &[Transaction]) -> Vec<Arc<Sidecar>> {
        let pool = self.0.pool.read();
        transactions.iter().filter_map(|transaction| pool.sidecar(*transaction.tx_hash())).collect()
    }
}

fn tips(block: &StoredBlock) -> U256 {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let paid = block.transactions.iter().zip(&block.executed).map(|(transaction, executed)| {
        let tip = transaction.inner().effective_tip_per_gas(base_fee).unwrap_or_default();
        U256::from(tip) * U256::from(executed.gas_used)
    });
    paid.fold(U256::ZERO, U256::saturating_add)
}

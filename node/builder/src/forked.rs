//! Chains that go on from a block of another one, whose endpoint may be slow, or gone.
//!
//! Invariant: a block never waits for the other chain where nothing in it depends on that.

use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_eips::{
    eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS},
    eip4788::BEACON_ROOTS_ADDRESS,
};
use alloy_primitives::{Address, U256};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, Workers, execute_block};
use parapet_fork::{Fork, Repeat, Want};
use parapet_monitor::Monitor;
use parapet_state::{ChainStore, StoreError, StoredBlock, WorldState};
use parapet_types::{AccountChange, BlockContext, ChainParams, Hardfork, StateChanges, Transaction};

use crate::{Chain, ChainError, Event, Head, Settings, mine::assemble, outlook::Outlook};

/// Words of time and of roots that the contract of beacon roots keeps (EIP-4788).
const BEACON_ROOTS_WORDS: u64 = 8_191;

/// What a chain begins with, or begins anew with.
#[derive(Debug)]
pub struct Beginning {
    /// The chain up to its head.
    pub store: ChainStore,
    /// The block of another chain from which it goes on, if it does.
    pub fork: Option<Arc<Fork>>,
}

impl From<ChainStore> for Beginning {
    fn from(store: ChainStore) -> Self {
        Self { store, fork: None }
    }
}

impl Beginning {
    /// With what is to be executed again of the other chain's next block, where the chain goes on after a transaction of
    /// that: a block of this chain, with the context of the other one's.
    ///
    /// # Errors
    /// [`ChainError`] when such a block cannot be built here.
    pub(crate) fn ready(
        mut self,
        settings: &Settings,
        monitor: &dyn Monitor,
        workers: &Workers,
    ) -> Result<Self, ChainError> {
        let Some(fork) = self.fork.as_deref().filter(|fork| fork.header().hash() == self.store.head().hash()) else {
            return Ok(self);
        };
        let Some(Repeat { header, transactions, gas_used }) = fork.repeat() else { return Ok(self) };
        let params = self.store.spec().of(header);
        if params.hardfork < Hardfork::Paris {
            return Err(ChainError::BeforeMerge { number: header.number, hardfork: params.hardfork });
        }
        let (world, ancestors) = (self.store.head_world(), self.store.ancestors(header.number)?);
        fetch_ahead(fork, &world, transactions);
        // What is paid after transactions comes after those that follow.
        let context = BlockContext::of_block(params.hardfork, header, &[], &[]);
        let input = BlockInput {
            at: Point { params: &params, world: &world, ancestors: &ancestors, block: &context },
            transactions,
            admission: Admission::Import,
            access_list: Listing::Ignore,
            deadline: None,
        };
        let executed = execute_block(&input, monitor, Mode::Parallel(workers))?;
        let (number, count, used) = (header.number, transactions.len(), executed.gas_used);
        tracing::info!("executed {count} transactions of block {number} of the forked chain again");
        if used != *gas_used {
            tracing::warn!("they used {used} gas, and {gas_used} there: not all of them did the same");
        }
        let world = world.apply(&executed.changes)?;
        let block = assemble((&params, &context), transactions.clone(), executed, &world, settings.extra_data.clone());
        self.store.commit(block, world)?;
        Ok(self)
    }
}

impl Chain {
    /// Number of the chain's first block: that of the block from which it was forked, if it was.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.0.store.read().first()
    }

    /// The block of another chain from which this one goes on, if it does.
    #[must_use]
    pub fn fork(&self) -> Option<Arc<Fork>> {
        self.0.fork.read().clone()
    }

    /// Begins anew with another beginning, as if nothing had happened since: no snapshot, no amendment, an empty pool. Gives the
    /// blocks that are gone, newest first.
    ///
    /// # Errors
    /// [`ChainError`] when a block cannot be read, or the node is stopping; nothing has changed then.
    pub fn begin_again(&self, beginning: Beginning) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
        let mut writer = self.writer()?;
        let Beginning { store, fork } = beginning.ready(&self.0.settings, self.monitor(), &self.0.workers)?;
        let dropped = self.blocks_after(self.first())?;
        let head = store.head();
        let outlook =
            Outlook::at_start(&self.0.settings, (store.first(), &head.header), fork.as_deref(), &*self.0.clock);
        let (block, world, spec) = (head, store.head_world(), Arc::new(store.spec().clone()));
        (*self.0.spec.write(), *self.0.fork.write(), *self.0.store.write()) = (spec, fork, store);
        (writer.outlook, writer.amendments) = (outlook, StateChanges::default());
        writer.snapshots.clear();
        self.0.amended.write().rewind(0);
        self.0.pool.write().clear();
        self.rewrite_journal();
        writer.payloads.clear();
        tracing::info!("began anew at block {} {}", block.number(), block.hash());
        self.publish(Head { block, world, outlook });
        if !dropped.is_empty() {
            self.announce(Event::Dropped(dropped.clone()));
        }
        Ok(dropped)
    }

    /// Reads from the other chain, in few requests, what transactions are known to need. What cannot be read is told by
    /// whoever needs it.
    pub(crate) fn fetch_ahead(&self, world: &WorldState, candidates: &[Transaction]) {
        if let Some(fork) = self.fork() {
            fetch_ahead(&fork, world, candidates);
        }
    }
}

fn fetch_ahead(fork: &Fork, world: &WorldState, transactions: &[Transaction]) {
    let is_below = |address: &Address| !world.is_here(address);
    let mut wanted = Vec::new();
    for transaction in transactions {
        let named = [Some(transaction.signer()), transaction.to()];
        wanted.extend(named.into_iter().flatten().filter(is_below).map(Want::Account));
        for item in transaction.access_list().into_iter().flat_map(|list| &list.0) {
            let slots = item.storage_keys.iter().map(|key| Want::Slot(item.address, U256::from_be_bytes(key.0)));
            wanted.extend(slots.filter(|_| is_below(&item.address)));
        }
    }
    if let Err(error) = fork.fetch_ahead(wanted) {
        tracing::debug!("nothing is fetched ahead: {error}");
    }
}

/// On a state that lies over another chain's: clears the words that the block's own calls write before anything runs
/// (EIP-4788, EIP-2935). What they held shows in nothing of the block, and so need not be asked for. Elsewhere it does nothing.
pub(crate) fn clear_overwritten(
    world: &WorldState,
    params: &ChainParams,
    context: &BlockContext,
) -> Result<StateChanges, StoreError> {
    let mut cleared = StateChanges::default();
    if !world.is_over_another() {
        return Ok(cleared);
    }
    let (time, before) = (context.timestamp % BEACON_ROOTS_WORDS, context.number.saturating_sub(1));
    for (since, contract, words) in [
        (Hardfork::Cancun, BEACON_ROOTS_ADDRESS, vec![time, time + BEACON_ROOTS_WORDS]),
        (Hardfork::Prague, HISTORY_STORAGE_ADDRESS, vec![before % HISTORY_SERVE_WINDOW as u64]),
    ] {
        if params.hardfork < since {
            continue;
        }
        if let Some(info) = world.account(&contract)? {
            let storage = words.into_iter().map(|word| (U256::from(word), U256::ZERO)).collect();
            let change = AccountChange { info: Some(info), wipe_storage: false, storage };
            cleared.accounts.insert(contract, change);
        }
    }
    Ok(cleared)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, keccak256};
    use parapet_types::{AccountInfo, ExecutionLimits, GuardParams};

    use super::*;

    #[test]
    fn only_words_that_the_block_writes_itself_are_cleared_and_only_over_another_chain() {
        let code = Bytes::from_static(&[0]);
        let info = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash: keccak256(&code) };
        let storage = |words: &[u64]| words.iter().map(|word| (U256::from(*word), U256::from(9))).collect();
        let contract = |words: &[u64]| AccountChange { info: Some(info), wipe_storage: false, storage: storage(words) };
        let below = WorldState::of(&StateChanges {
            accounts: [
                (BEACON_ROOTS_ADDRESS, contract(&[5, 6, 5 + BEACON_ROOTS_WORDS])),
                (HISTORY_STORAGE_ADDRESS, contract(&[3, 4])),
            ]
            .into(),
            code: [(info.code_hash, code)].into(),
        });
        let params = ChainParams {
            chain_id: 1,
            hardfork: Hardfork::Prague,
            block_gas_limit: 30_000_000,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        let context = BlockContext { number: 5, timestamp: 5 + BEACON_ROOTS_WORDS, ..BlockContext::default() };
        assert_eq!(clear_overwritten(&below, &params, &context).expect("in memory"), StateChanges::default());
        let over = WorldState::over(Arc::new(below));
        let cleared = over.apply(&clear_overwritten(&over, &params, &context).expect("in memory")).expect("in memory");
        let word = |contract, word: u64| cleared.storage(&contract, U256::from(word)).expect("in memory");
        assert_eq!(word(BEACON_ROOTS_ADDRESS, 5) + word(BEACON_ROOTS_ADDRESS, 5 + BEACON_ROOTS_WORDS), U256::ZERO);
        assert_eq!((word(BEACON_ROOTS_ADDRESS, 6), word(HISTORY_STORAGE_ADDRESS, 3)), (U256::from(9), U256::from(9)));
        assert_eq!(word(HISTORY_STORAGE_ADDRESS, 4), U256::ZERO);
        let before = ChainParams { hardfork: Hardfork::Shanghai, ..params };
        assert_eq!(clear_overwritten(&over, &before, &context).expect("in memory"), StateChanges::default());
    }
}

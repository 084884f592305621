//! Blocks that must be finished by a time. The clock moves on by one second whenever somebody looks at it.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parapet_builder::{Chain, Clock, MineRequest, Mining, SequentialCheck, Settings};
use parapet_monitor::NoMonitor;
use parapet_state::ChainStore;

use crate::fixture::{Dev, GENESIS_TIME, genesis, payload_request};

/// The chain's time stands still; for deadlines, every look takes a second.
#[derive(Default)]
struct Hurrying(AtomicU64);

impl Clock for Hurrying {
    fn now(&self) -> u64 {
        GENESIS_TIME + 100
    }

    fn steady(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// A chain with ten transactions of two senders in its pool, checked by a sequential execution.
fn waiting(mining: Mining, block_deadline: Option<Duration>, threads: usize) -> Chain {
    let threads = NonZeroUsize::new(threads).unwrap();
    let settings = Settings { mining, block_deadline, threads, check: SequentialCheck::On, ..Settings::default() };
    let store = ChainStore::in_memory(genesis().block);
    let chain = Chain::new(store, settings, Arc::new(NoMonitor), Arc::new(Hurrying::default())).unwrap();
    let signers = Dev::new(Settings::default());
    for nonce in 0..5 {
        for sender in 0..2 {
            chain.submit(signers.transfer(sender, nonce)).unwrap();
        }
    }
    chain
}

/// Number of transactions of each block until the pool is empty.
fn lengths(chain: &Chain) -> Vec<usize> {
    let mut lengths = Vec::new();
    while chain.pool_counts() != (0, 0) {
        assert!(lengths.len() < 10, "a block without transactions: {lengths:?}");
        chain.mine(MineRequest::default()).unwrap();
        lengths.push(chain.head().block.transactions.len());
    }
    lengths
}

#[test]
fn what_is_not_settled_by_the_deadline_waits_for_the_next_block() {
    for threads in [1, 2] {
        let chain = waiting(Mining::Manual, Some(Duration::from_secs(4)), threads);
        assert_eq!(lengths(&chain), [4, 4, 2], "{threads} threads");
    }
}

#[test]
fn a_block_that_is_built_for_somebody_else_has_the_same_deadline() {
    let chain = waiting(Mining::Manual, Some(Duration::from_secs(4)), 2);
    let request = payload_request(&chain, chain.head().block.header.timestamp + 1);
    assert_eq!(chain.build_apart(request).unwrap().block.transactions.len(), 4);
}

#[test]
fn a_chain_that_is_always_late_goes_on_by_one_transaction_per_block() {
    let chain = waiting(Mining::Manual, Some(Duration::ZERO), 2);
    assert_eq!(lengths(&chain), [1; 10]);
}

#[test]
fn mining_at_intervals_leaves_half_of_the_interval_for_what_comes_after_execution() {
    let chain = waiting(Mining::Interval(Duration::from_secs(10)), None, 2);
    assert_eq!(lengths(&chain), [5, 5]);
    let told = waiting(Mining::Interval(Duration::from_secs(10)), Some(Duration::from_secs(8)), 2);
    assert_eq!(lengths(&told), [8, 2], "unless told otherwise");
}

#[test]
fn a_block_that_was_asked_for_takes_as_long_as_it_needs() {
    assert_eq!(lengths(&waiting(Mining::Manual, None, 2)), [10]);
}

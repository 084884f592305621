//! Blocks dropped, and others in their place.

use std::{
    collections::BTreeMap,
    num::NonZeroU64,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use alloy_primitives::{B256, U256};
use parapet_builder::{Amendment, Chain, ChainError, Event, MineRequest, Mining, Orphans, ReorgRequest, Settings};
use parapet_monitor::NoMonitor;
use parapet_state::{ChainStore, StoreError, StoreSettings};
use parapet_types::Transaction;

use crate::fixture::{Dev, GENESIS_TIME, genesis};

fn manual() -> Settings {
    Settings { mining: Mining::Manual, ..Settings::default() }
}

fn mine(dev: &Dev) {
    dev.chain.mine(MineRequest::default()).unwrap();
}

fn hashes(dev: &Dev) -> Vec<B256> {
    (0..=dev.number()).map(|number| dev.chain.block(number).unwrap().unwrap().hash()).collect()
}

fn reorg<const N: usize>(depth: u64, blocks: [(u64, Vec<Transaction>); N]) -> ReorgRequest {
    ReorgRequest { depth, transactions: BTreeMap::from(blocks), orphans: Orphans::Forget }
}

#[test]
fn a_rollback_drops_blocks_with_all_they_did() {
    let dev = Dev::new(Settings::default());
    dev.submit(dev.transfer(0, 0));
    let before = dev.chain.head();
    let kept = dev.chain.snapshot().unwrap();
    let gone = [dev.submit(dev.transfer(0, 1)), dev.submit(dev.transfer(1, 0))];
    let lost = dev.chain.snapshot().unwrap();
    dev.chain.amend(dev.address(3), Amendment::Balance(U256::from(4))).unwrap();
    let mut events = dev.chain.events();

    let dropped = dev.chain.rollback(2).unwrap();
    assert_eq!(dropped.iter().map(|block| block.number()).collect::<Vec<_>>(), [3, 2]);
    let Event::Dropped(told) = events.try_recv().unwrap() else { panic!("blocks were dropped") };
    assert_eq!(told, dropped);
    let after = dev.chain.head();
    assert_eq!((&after.block, after.world.root()), (&before.block, before.world.root()));
    for hash in gone {
        assert_eq!(dev.chain.transaction(hash).unwrap(), None);
        assert!(dev.chain.pooled(hash).is_none());
    }
    assert!(dev.chain.revert(lost).unwrap().is_none(), "a snapshot of a block that is gone is gone");
    assert_eq!(dev.chain.revert(kept).unwrap(), Some(Vec::new()));
    dev.submit(dev.transfer(0, 1));
    assert_eq!(dev.number(), 2);
}

#[test]
fn a_rollback_beyond_the_first_block_or_what_is_kept_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let keep = StoreSettings { prune: NonZeroU64::new(3), ..StoreSettings::default() };
    let store = ChainStore::open(dir.path(), genesis().block, keep).unwrap();
    let dev = Dev::on(store, manual(), Arc::new(NoMonitor));
    for _ in 0..6 {
        mine(&dev);
    }
    let before = hashes(&dev);
    assert!(matches!(dev.chain.rollback(7), Err(ChainError::TooDeep { depth: 7, head: 6 })));
    assert!(matches!(dev.chain.reorg(reorg(7, [])), Err(ChainError::TooDeep { .. })));
    assert!(matches!(dev.chain.rollback(4), Err(ChainError::Store(StoreError::Pruned { number: 2 }))));
    let misplaced = reorg(2, [(2, vec![dev.transfer(0, 0)])]);
    assert!(matches!(dev.chain.reorg(misplaced), Err(ChainError::NoPlace { place: 2, depth: 2 })));
    assert_eq!(hashes(&dev), before);
    dev.chain.rollback(2).unwrap();
    assert_eq!(hashes(&dev), before[..=4]);
    assert!(dev.chain.rollback(0).unwrap().is_empty());
}

#[test]
fn a_branch_has_the_blocks_that_were_asked_for_and_no_block_of_the_other() {
    let dev = Dev::new(manual());
    for _ in 0..5 {
        mine(&dev);
    }
    let before = hashes(&dev);
    let (first, third) = (dev.transfer(0, 0), dev.transfer(0, 1));
    let wrong = dev.transfer(1, 9);
    let given = [(0, vec![first.clone(), wrong.clone()]), (2, vec![third.clone()])];
    let done = dev.chain.reorg(reorg(3, given)).unwrap();
    assert_eq!(done.dropped.iter().map(|block| block.hash()).rev().collect::<Vec<_>>(), before[3..]);
    assert_eq!(done.left_out.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [*wrong.tx_hash()]);
    let after = hashes(&dev);
    assert_eq!(after[..=2], before[..=2]);
    assert!(after.len() == before.len() && (3..=5).all(|number| after[number] != before[number]), "{after:?}");
    let held = |number| dev.chain.block(number).unwrap().unwrap().transactions.clone();
    assert_eq!((held(3), held(4), held(5)), (vec![first], vec![], vec![third]));
    // The clock stands still: an empty block in place of an empty block is another one all the same.
    dev.chain.reorg(reorg(2, [])).unwrap();
    assert!((4..=5).all(|number| hashes(&dev)[number] != after[number]));
}

#[test]
fn what_was_dropped_waits_again_where_it_is_wanted() {
    let dev = Dev::new(manual());
    let [one, two, other] = [dev.transfer(0, 0), dev.transfer(0, 1), dev.transfer(1, 0)];
    for transaction in [&one, &two, &other] {
        dev.submit(transaction.clone());
        mine(&dev);
    }
    let waiting = dev.submit(dev.transfer(0, 2));
    let instead =
        dev.sign(1, alloy_consensus::TxEip1559 { nonce: 0, ..crate::fixture::call(dev.address(2), U256::ONE) });
    let request = ReorgRequest { orphans: Orphans::Readmit, ..reorg(2, [(0, vec![instead])]) };
    dev.chain.reorg(request).unwrap();
    // The first block stayed, so the second transaction is next; the third one's nonce is taken.
    assert_eq!(dev.chain.pool_counts(), (2, 0));
    assert!(dev.chain.pooled(*two.tx_hash()).is_some() && dev.chain.pooled(waiting).is_some());
    assert!(dev.chain.pooled(*other.tx_hash()).is_none());
    mine(&dev);
    assert_eq!(dev.chain.head().block.transactions.len(), 2);

    // What waits behind what was dropped waits for a nonce now.
    let later = dev.submit(dev.transfer(0, 3));
    dev.chain.rollback(4).unwrap();
    assert_eq!((dev.number(), dev.chain.pool_counts()), (0, (0, 1)));
    assert!(dev.chain.pooled(later).is_some());
}

#[test]
fn what_comes_while_blocks_are_dropped_waits_on() {
    let late = Dev::new(manual()).transfer(1, 0);
    let (chain, is_armed) = (Arc::new(OnceLock::<Chain>::new()), Arc::new(AtomicBool::new(false)));
    // Whoever goes back looks at the clock on the way: that is when it comes.
    let clock = {
        let (chain, is_armed, late) = (Arc::clone(&chain), Arc::clone(&is_armed), late.clone());
        move || {
            if is_armed.swap(false, Ordering::SeqCst) {
                chain.get().unwrap().submit(late.clone()).unwrap();
            }
            GENESIS_TIME + 100
        }
    };
    let store = ChainStore::in_memory(genesis().block);
    let chain = chain.get_or_init(|| Chain::new(store, manual(), Arc::new(NoMonitor), Arc::new(clock)).unwrap());
    for request in [None, Some(reorg(1, []))] {
        let _: bool = chain.drop_transaction(*late.tx_hash());
        chain.mine(MineRequest::default()).unwrap();
        is_armed.store(true, Ordering::SeqCst);
        match request {
            None => drop(chain.rollback(1).unwrap()),
            Some(request) => drop(chain.reorg(request).unwrap()),
        }
        assert!(!is_armed.load(Ordering::SeqCst), "the clock was looked at");
        assert!(chain.pooled(*late.tx_hash()).is_some(), "it was admitted");
    }
}

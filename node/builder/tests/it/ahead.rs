//! Blocks that are executed while the one before is written: the same blocks, and nothing acknowledged too early.

use std::{fs, path::Path, sync::Arc, thread};

use alloy_consensus::{Transaction as _, TxEip1559};
use alloy_primitives::{Address, U256};
use parapet_builder::{ChainError, Event, MineRequest, Mining, Settings};
use parapet_monitor::NoMonitor;
use parapet_pool::PoolError;
use parapet_state::{ChainStore, StoreError, StoreSettings};

use crate::fixture::{Dev, call, genesis};

fn kept(folder: &Path, settings: Settings) -> Dev {
    let store = ChainStore::open(folder, genesis().block, StoreSettings::default()).unwrap();
    Dev::on(store, settings, Arc::new(NoMonitor))
}

#[test]
fn a_chain_that_is_kept_has_the_blocks_that_one_in_memory_has() {
    let folder = tempfile::tempdir().unwrap();
    let (memory, disk) = (Dev::new(Settings::default()), kept(folder.path(), Settings::default()));
    for dev in [&memory, &disk] {
        let submissions: Vec<_> =
            (0..40).map(|turn| dev.chain.begin_all(vec![dev.transfer(turn % 3, turn as u64 / 3)])).collect();
        for submission in submissions {
            submission.wait().remove(0).unwrap();
        }
        dev.chain.mine(MineRequest { blocks: 40, ..MineRequest::default() }).unwrap();
    }
    assert_eq!(memory.number(), 80);
    for number in 0..=80 {
        let hash = |dev: &Dev| dev.chain.block(number).unwrap().unwrap().hash();
        assert_eq!(hash(&memory), hash(&disk), "block {number}");
    }
}

#[test]
fn whoever_is_answered_finds_the_transaction_in_a_stored_block_even_after_a_restart() {
    const CLIENTS: usize = 4;
    const EACH: u64 = 12;
    let folder = tempfile::tempdir().unwrap();
    let dev = kept(folder.path(), Settings::default());
    let mut events = dev.chain.events();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let dev = &dev;
            scope.spawn(move || {
                for nonce in 0..EACH {
                    let hash = dev.submit(dev.transfer(client, nonce));
                    let (block, _) = dev.chain.transaction(hash).unwrap().unwrap();
                    assert!(block.number() <= dev.number());
                    assert!(dev.chain.pooled(hash).is_none());
                }
            });
        }
    });
    let (head, hash) = (dev.number(), dev.chain.head().block.hash());
    for number in 1..=head {
        let Event::Block(block) = events.try_recv().unwrap() else { panic!("no block was dropped") };
        assert_eq!(block.number(), number, "blocks are announced in their order");
    }
    drop(dev);
    let again = kept(folder.path(), Settings::default());
    assert_eq!((again.number(), again.chain.head().block.hash()), (head, hash));
    let nonce = |client| again.chain.next_nonce(&again.address(client)).unwrap();
    assert_eq!((0..CLIENTS).map(nonce).collect::<Vec<_>>(), [EACH; CLIENTS]);
}

#[test]
fn a_nonce_that_a_block_on_its_way_to_the_store_has_used_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let dev = kept(folder.path(), Settings::default());
    for nonce in 0..20 {
        let first = dev.chain.begin_all(vec![dev.transfer(0, nonce)]);
        let other = TxEip1559 {
            nonce,
            max_fee_per_gas: 1_000_000_000_000,
            max_priority_fee_per_gas: 500_000_000_000,
            ..call(Address::ZERO, U256::ZERO)
        };
        let second = dev.chain.begin_all(vec![dev.sign(0, other)]);
        assert!(first.wait().remove(0).is_ok());
        let error = second.wait().remove(0).unwrap_err();
        assert!(matches!(error, ChainError::Pool(PoolError::NonceTooLow { .. })), "{error}");
    }
    let blocks = (1..=dev.number()).map(|number| dev.chain.block(number).unwrap().unwrap());
    let nonces: Vec<_> = blocks.flat_map(|block| block.transactions.clone()).map(|tx| tx.nonce()).collect();
    assert_eq!(nonces, (0..20).collect::<Vec<_>>());
}

#[test]
fn what_changes_the_chain_otherwise_waits_until_all_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let dev = kept(folder.path(), Settings::default());
    let snapshot = dev.chain.snapshot().unwrap();
    let submission = dev.chain.begin_all(vec![dev.transfer(0, 0)]);
    let second = dev.chain.snapshot().unwrap();
    assert_eq!(dev.number(), 1, "the snapshot was taken behind the block");
    assert!(submission.wait().remove(0).is_ok());
    assert!(dev.chain.revert(second).unwrap().is_some());
    assert_eq!(dev.number(), 1);
    assert!(dev.chain.revert(snapshot).unwrap().is_some());
    assert_eq!(dev.number(), 0);
    assert!(dev.chain.submit(dev.transfer(0, 0)).is_ok());
}

#[test]
fn what_waits_rejoins_the_pool_after_a_restart_and_what_was_mined_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Settings {
        mining: Mining::Manual,
        journal: Some(folder.path().join("pool.journal")),
        ..Settings::default()
    };
    let dev = kept(folder.path(), settings());
    let mined = dev.submit(dev.transfer(0, 0));
    dev.chain.mine(MineRequest::default()).unwrap();
    let (ready, gapped) = (dev.submit(dev.transfer(0, 1)), dev.submit(dev.transfer(1, 3)));
    // Not closed: it was killed.
    drop(dev);
    let dev = kept(folder.path(), settings());
    assert_eq!(dev.chain.pool_counts(), (1, 1));
    assert!(dev.chain.pooled(ready).is_some() && dev.chain.pooled(gapped).is_some());
    assert!(dev.chain.pooled(mined).is_none());
    dev.chain.close();
    drop(dev);
    let dev = kept(folder.path(), Settings { mining: Mining::Instant, ..settings() });
    assert!(dev.chain.transaction(ready).unwrap().is_some(), "where mining is instant it is mined at once");
    assert_eq!(dev.chain.pool_counts(), (0, 1));
}

#[test]
fn what_was_taken_back_with_its_block_does_not_join_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Settings { journal: Some(folder.path().join("pool.journal")), ..Settings::default() };
    let dev = kept(folder.path(), settings());
    let before = dev.chain.snapshot().unwrap();
    dev.submit(dev.transfer(0, 0));
    assert_eq!(dev.number(), 1);
    assert!(dev.chain.revert(before).unwrap().is_some());
    // As after a kill: nothing is closed in order.
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("pool.journal"), copy.path().join("pool.journal")).unwrap();
    let journal = Some(copy.path().join("pool.journal"));
    let again = kept(copy.path(), Settings { journal, ..Settings::default() });
    assert_eq!((again.number(), again.chain.pool_counts()), (0, (0, 0)));
}

#[tokio::test]
async fn whoever_comes_after_a_block_that_could_not_be_stored_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("here");
    let dev = kept(&path, Settings::default());
    fs::rename(&path, folder.path().join("away")).unwrap();
    let first = dev.chain.begin_all(vec![dev.transfer(0, 0)]);
    dev.chain.storage_failed().await;
    let second = dev.chain.begin_all(vec![dev.transfer(0, 1)]);
    let told: Vec<_> = [second, first].into_iter().flat_map(|submission| submission.wait()).collect();
    let is_told = |answer: &Result<_, _>| matches!(answer, Err(ChainError::Store(StoreError::Replaced { .. })));
    assert!(told.iter().all(Result::is_err) && told.iter().any(is_told), "{told:?}");
}

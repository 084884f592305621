//! What is read ahead decides nothing: the same blocks with it and without it, and nothing of it outlives the chain.

use std::{path::Path, sync::Arc};

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, TxKind, U256};
use parapet_builder::{Chain, MineRequest, Mining, Settings};
use parapet_monitor::NoMonitor;
use parapet_state::{ChainStore, StoreSettings, SyncMode};

use crate::fixture::{Dev, call, genesis};

/// Takes one from the caller's entry of the mapping at 0, and adds one to that of the first argument.
const TOKEN: &[u8] = &[
    0x60, 38, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3, // returns what follows
    0x33, 0x5f, 0x52, 0x5f, 0x60, 0x20, 0x52, 0x60, 0x40, 0x5f, 0x20, // hash of the caller and 0
    0x80, 0x54, 0x60, 1, 0x90, 0x03, 0x90, 0x55, // minus 1
    0x60, 4, 0x35, 0x5f, 0x52, 0x60, 0x40, 0x5f, 0x20, // hash of the argument and 0
    0x80, 0x54, 0x60, 1, 0x01, 0x90, 0x55, 0x00, // plus 1
];

/// A chain in a folder, with memory for hardly anything but what was read.
fn kept(folder: &Path, prefetch_threads: usize) -> Dev {
    let store = StoreSettings { trie_bytes: 4_000, sync: SyncMode::System, ..StoreSettings::with_memory(16 << 20) };
    let store = ChainStore::open(folder, genesis().block, store).unwrap();
    let settings = Settings { mining: Mining::Manual, prefetch_threads, ..Settings::default() };
    Dev::on(store, settings, Arc::new(NoMonitor))
}

/// Gives one to a holder.
fn give(dev: &Dev, from: usize, nonce: u64, to: u64) -> parapet_types::Transaction {
    let token = dev.address(0).create(0);
    let argument = B256::from(U256::from(to));
    let input = [&[0xa9, 0x05, 0x9c, 0xbb][..], argument.as_slice()].concat();
    dev.sign(from, TxEip1559 { nonce, gas_limit: 100_000, input: input.into(), ..call(token, U256::ZERO) })
}

fn create(dev: &Dev) -> parapet_types::Transaction {
    let tx = call(Address::ZERO, U256::ZERO);
    dev.sign(0, TxEip1559 { gas_limit: 200_000, to: TxKind::Create, input: TOKEN.into(), ..tx })
}

fn mine(chain: &Chain) {
    chain.mine(MineRequest::default()).unwrap();
}

/// Blocks of calls by three senders, each block to other holders; the folder is opened anew halfway.
fn hashes(prefetch_threads: usize) -> Vec<B256> {
    let folder = tempfile::tempdir().unwrap();
    let mut dev = kept(folder.path(), prefetch_threads);
    dev.submit(create(&dev));
    mine(&dev.chain);
    for block in 0..8 {
        if block == 4 {
            drop(dev);
            dev = kept(folder.path(), prefetch_threads);
        }
        for turn in 0..30 {
            let (from, nonce) = (1 + turn % 3, block * 10 + turn as u64 / 3);
            dev.submit(give(&dev, from, nonce, (block * 7 + turn as u64) % 90));
        }
        mine(&dev.chain);
    }
    assert_eq!(dev.number(), 9);
    let token = dev.address(0).create(0);
    let world = &dev.chain.head().world;
    assert!(world.slots(&token).unwrap().len() > 80, "the calls did what they are there for");
    (0..=9).map(|number| dev.chain.block(number).unwrap().unwrap().hash()).collect()
}

#[test]
fn a_chain_that_reads_ahead_has_the_blocks_of_one_that_does_not() {
    let without = hashes(0);
    for threads in [1, 8] {
        assert_eq!(hashes(threads), without, "{threads} threads");
    }
}

#[test]
fn a_folder_can_be_opened_as_soon_as_its_chain_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let dev = kept(folder.path(), 4);
    dev.submit(create(&dev));
    mine(&dev.chain);
    drop(dev);
    for turn in 0..10 {
        let dev = kept(folder.path(), 4);
        for index in 0..40 {
            dev.submit(give(&dev, 1 + turn % 3, index, index + 1_000));
        }
    }
}

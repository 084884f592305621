//! What a folder gives back.

use std::path::Path;

use alloy_consensus::Header;
use alloy_eips::eip2718::Encodable2718 as _;
use parapet_state::{ChainStore, Scope, StoreSettings, WorldState};
use parapet_types::{Hardfork, StateChanges};

use crate::{
    chain::{extend, genesis, genesis_with, next_block},
    model::{Model, Random, random_changes},
};

/// Everything that can be asked of two stores is the same, but for states that the right one keeps no longer.
pub(crate) fn assert_same(left: &ChainStore, right: &ChainStore) {
    assert_eq!(left.spec(), right.spec());
    assert_eq!(left.head(), right.head());
    for number in 0..=left.head().number() {
        let block = left.block(number).unwrap().unwrap();
        assert_eq!(Some(&block), right.block(number).unwrap().as_ref());
        assert_eq!(right.block_by_hash(block.hash()).unwrap(), Some(block.clone()));
        for (index, transaction) in block.transactions.iter().enumerate() {
            assert_eq!(right.transaction(*transaction.tx_hash()).unwrap(), Some((block.clone(), index)));
            let kept = &right.block(number).unwrap().unwrap().transactions[index];
            assert_eq!((kept.signer(), kept.encoded_2718()), (transaction.signer(), transaction.encoded_2718()));
        }
        if number < right.oldest_state() {
            continue;
        }
        let (world, other) = (left.world(number).unwrap().unwrap(), right.world(number).unwrap().unwrap());
        assert_eq!(Model::of(&world), Model::of(&other), "state of block {number}");
        assert_eq!(other.root(), block.header.state_root, "root of block {number}");
        assert_eq!(other.rebuild_root().unwrap(), block.header.state_root, "rebuilt root of block {number}");
        assert_code_is_there(&world, &other);
    }
    let next = left.head().number() + 1;
    assert_eq!(left.ancestors(next).unwrap(), right.ancestors(next).unwrap());
}

fn assert_code_is_there(left: &WorldState, right: &WorldState) {
    for (address, info) in left.accounts().map(Result::unwrap) {
        let code = left.code(info.code_hash).unwrap();
        assert!(code.is_some(), "{address}");
        assert_eq!(right.code(info.code_hash).unwrap(), code, "{address}");
    }
}

fn open(dir: &Path) -> ChainStore {
    ChainStore::open(dir, genesis(1), StoreSettings::default()).unwrap()
}

#[test]
fn a_restart_keeps_blocks_states_and_indices() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = ChainStore::in_memory(genesis(1));
    extend(&mut memory, &mut Random(3), 40);
    let mut random = Random(3);
    for _ in 0..4 {
        extend(&mut open(dir.path()), &mut random, 10);
    }
    assert_same(&memory, &open(dir.path()));
}

#[test]
fn a_new_folder_holds_the_genesis_block() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b");
    drop(open(&deep));
    assert_same(&ChainStore::in_memory(genesis(1)), &open(&deep));
}

#[test]
fn a_resumed_chain_keeps_its_own_genesis_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).head();
    let resumed = ChainStore::open(dir.path(), genesis(999), StoreSettings::default()).unwrap();
    assert_eq!(resumed.head(), first);
}

#[test]
fn a_chain_of_every_fork_comes_back() {
    for hardfork in Hardfork::ALL {
        let dir = tempfile::tempdir().unwrap();
        let genesis = || genesis_with(5, hardfork, 1, 1_000);
        let mut store = ChainStore::open(dir.path(), genesis(), StoreSettings::default()).unwrap();
        extend(&mut store, &mut Random(4), 3);
        let mut memory = ChainStore::in_memory(genesis());
        extend(&mut memory, &mut Random(4), 3);
        drop(store);
        assert_same(&memory, &ChainStore::open(dir.path(), genesis(), StoreSettings::default()).unwrap());
    }
}

#[test]
fn a_rewind_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    extend(&mut store, &mut Random(5), 30);
    store.rewind(11).unwrap();
    drop(store);
    let mut memory = ChainStore::in_memory(genesis(1));
    extend(&mut memory, &mut Random(5), 30);
    memory.rewind(11).unwrap();
    assert_same(&memory, &open(dir.path()));

    let (mut store, mut random) = (open(dir.path()), Random(6));
    extend(&mut store, &mut random, 10);
    extend(&mut memory, &mut Random(6), 10);
    drop(store);
    assert_same(&memory, &open(dir.path()));
}

#[test]
fn rewinding_to_genesis_and_to_the_head_is_possible() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    extend(&mut store, &mut Random(5), 5);
    store.rewind(5).unwrap();
    assert_eq!(store.head().number(), 5);
    store.rewind(0).unwrap();
    drop(store);
    assert_same(&ChainStore::in_memory(genesis(1)), &open(dir.path()));
}

#[test]
fn random_commits_rewinds_and_restarts_equal_a_chain_in_memory() {
    for seed in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let (mut memory, mut store, mut random) = (ChainStore::in_memory(genesis(1)), open(dir.path()), Random(seed));
        for step in 0..20 {
            let choice = random.below(5);
            let head = memory.head().number();
            if choice == 0 {
                drop(store);
                store = open(dir.path());
            } else if choice == 1 {
                let to = random.below(head + 1);
                memory.rewind(to).unwrap();
                store.rewind(to).unwrap();
            } else {
                let blocks_seed = random.next();
                extend(&mut memory, &mut Random(blocks_seed), 3);
                extend(&mut store, &mut Random(blocks_seed), 3);
            }
            assert_eq!(memory.head(), store.head(), "seed {seed}, step {step}");
        }
        drop(store);
        assert_same(&memory, &open(dir.path()));
    }
}

#[test]
fn amendments_survive_a_restart_until_a_block_or_a_rewind() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(8);
    let amendments = random_changes(&mut random, &open(dir.path()).head_world());
    open(dir.path()).amend_head(&amendments).unwrap();

    let mut store = open(dir.path());
    assert_eq!(store.amendments(), &amendments);
    assert_eq!(store.head_world().root(), store.head().header.state_root, "they are no part of the head's state");
    extend(&mut store, &mut random, 1);
    assert_eq!(store.amendments(), &StateChanges::default());
    drop(store);
    let mut store = open(dir.path());
    assert_eq!(store.amendments(), &StateChanges::default());

    store.amend_head(&amendments).unwrap();
    store.rewind(0).unwrap();
    drop(store);
    assert_eq!(open(dir.path()).amendments(), &StateChanges::default());
}

#[test]
fn ommers_are_kept_beside_withdrawals_or_without() {
    for (hardfork, number) in [(Hardfork::Paris, 1), (Hardfork::Shanghai, 2)] {
        let begun = || genesis_with(1, hardfork, 1, 7);
        let dir = tempfile::tempdir().unwrap();
        let open = || ChainStore::open(dir.path(), begun(), StoreSettings::default()).unwrap();
        let (mut disk, mut random, mut blocks) = (open(), Random(number), Vec::new());
        for ommers in [0, 2, 1] {
            let (mut block, world) = next_block(&disk, &mut random);
            block.ommers = vec![Header { number: random.next(), ..Header::default() }; ommers];
            blocks.push(disk.commit(block, world).unwrap());
        }
        drop(disk);
        let again = open();
        for block in blocks {
            assert_eq!(again.block(block.number()).unwrap().as_ref(), Some(&block));
            assert_eq!(block.to_consensus_block().body.ommers, block.ommers);
        }
    }
}

#[test]
fn another_chain_in_the_place_of_one_is_as_if_that_had_never_been() {
    let (dir, mut random) = (tempfile::tempdir().unwrap(), Random(11));
    let first = genesis_with(7, Hardfork::Prague, 5, 3);
    let nothing_in_memory = StoreSettings { trie_bytes: 0, recent_bytes: 0, ..StoreSettings::default() };
    let mut store = ChainStore::open(dir.path(), first, nothing_in_memory).unwrap();
    extend(&mut store, &mut random, 12);
    let (old_head, old_world) = (store.head(), store.head_world());
    let mut memory = ChainStore::in_memory(genesis(1));
    store.begin_again(genesis(1)).unwrap();
    assert_same(&memory, &store);
    assert_eq!(store.block_by_hash(old_head.hash()).unwrap(), None);
    assert_eq!(store.transaction(*old_head.transactions[0].tx_hash()).unwrap(), None);
    assert!(old_world.rebuild_root().is_err(), "a state that was dropped is still answered for");

    extend(&mut memory, &mut Random(12), 8);
    extend(&mut store, &mut Random(12), 8);
    assert_same(&memory, &store);
    store.verify(Scope::Every, &mut |_| ()).unwrap();
    // Whoever holds a state keeps the folder open.
    drop((store, old_world));
    assert_same(&memory, &open(dir.path()));
}

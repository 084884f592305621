//! States of the past: read at any kept block, forgotten when they are pruned, gone when their blocks are.

use std::{num::NonZeroU64, path::Path, thread};

use parapet_state::{ChainStore, Consequence, Scope, StoreError, StoreSettings, SyncMode};

use crate::{
    chain::{block_of, extend, genesis, next_block},
    model::{Model, Random, address, random_changes},
    restart::assert_same,
};

/// Nothing stays in memory that need not.
fn tight() -> StoreSettings {
    StoreSettings { trie_bytes: 0, recent_bytes: 0, value_bytes: 0, ..StoreSettings::default() }
}

fn pruned(keep: u64) -> StoreSettings {
    StoreSettings { prune: NonZeroU64::new(keep), ..tight() }
}

fn open(dir: &Path, settings: StoreSettings) -> ChainStore {
    ChainStore::open(dir, genesis(1), settings).unwrap()
}

fn verify(store: &ChainStore) -> parapet_state::Checked {
    store.verify(Scope::Every, &mut |_| ()).unwrap()
}

#[test]
fn every_state_can_be_read_though_memory_holds_none_of_them() {
    for seed in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let mut memory = ChainStore::in_memory(genesis(1));
        let mut store = open(dir.path(), StoreSettings { sync: SyncMode::System, ..tight() });
        for step in 0..12 {
            extend(&mut memory, &mut Random(100 * seed + step), 4);
            extend(&mut store, &mut Random(100 * seed + step), 4);
        }
        assert_same(&memory, &store);
        assert!(store.memory().unwrap().unwrap().recent_bytes > 0, "the head stays");
        verify(&store);
    }
}

#[test]
fn any_bound_on_memory_gives_the_same_chain() {
    for trie_bytes in [1_000, 20_000, 200_000] {
        let dir = tempfile::tempdir().unwrap();
        let settings = StoreSettings { trie_bytes, value_bytes: 4_096, recent_bytes: 40_000, ..tight() };
        let (mut memory, mut store) = (ChainStore::in_memory(genesis(1)), open(dir.path(), settings));
        let mut random = Random(trie_bytes as u64);
        for _ in 0..20 {
            let seed = random.next();
            if random.below(5) == 0 {
                let to = random.below(memory.head().number() + 1);
                memory.rewind(to).unwrap();
                store.rewind(to).unwrap();
            }
            extend(&mut memory, &mut Random(seed), 3);
            extend(&mut store, &mut Random(seed), 3);
            let memory_used = store.memory().unwrap().unwrap();
            assert!(memory_used.trie_bytes <= trie_bytes as u64, "{memory_used:?}");
        }
        assert_same(&memory, &store);
        verify(&store);
    }
}

#[test]
fn pruning_keeps_the_newest_states_and_every_block() {
    let dir = tempfile::tempdir().unwrap();
    let (mut memory, mut store) = (ChainStore::in_memory(genesis(1)), open(dir.path(), pruned(5)));
    extend(&mut memory, &mut Random(1), 60);
    extend(&mut store, &mut Random(1), 60);
    assert_eq!(store.oldest_state(), 56);
    for number in 0..56 {
        let error = store.world(number).unwrap_err();
        assert!(matches!(error, StoreError::Pruned { number: of } if of == number), "{error}");
        assert_eq!(error.consequence(), Consequence::Refuse);
        assert_eq!(store.block(number).unwrap(), memory.block(number).unwrap());
    }
    for number in 56..=60 {
        let (world, expected) = (store.world(number).unwrap().unwrap(), memory.world(number).unwrap().unwrap());
        assert_eq!(Model::of(&world), Model::of(&expected), "state of block {number}");
        assert_eq!(world.rebuild_root().unwrap(), expected.root(), "state of block {number}");
    }
    verify(&store);
    let error = store.rewind(55).unwrap_err();
    assert!(matches!(error, StoreError::Pruned { number: 55 }), "{error}");
    store.rewind(57).unwrap();
    extend(&mut store, &mut Random(2), 9);
    verify(&store);
}

#[test]
fn pruning_leaves_nothing_that_no_kept_state_reaches() {
    for seed in 0..12 {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path(), tight());
        extend(&mut store, &mut Random(seed), 50);
        let before = verify(&store);
        store.prune(NonZeroU64::MIN, &mut |_| ()).unwrap();
        let after = verify(&store);
        assert_eq!(after.records, after.accounts + after.slots + after.nodes, "seed {seed}: {after:?}");
        assert_eq!((after.accounts, after.slots, after.root), (before.accounts, before.slots, before.root));
        assert!(before.records > after.records, "seed {seed}");
        extend(&mut store, &mut Random(seed + 1), 20);
        verify(&store);
    }
}

#[test]
fn a_long_history_is_pruned_little_by_little() {
    let dir = tempfile::tempdir().unwrap();
    extend(&mut open(dir.path(), tight()), &mut Random(1), 40);
    let mut store = open(dir.path(), pruned(2));
    extend(&mut store, &mut Random(2), 1);
    let after_one = store.oldest_state();
    assert!(after_one > 0 && after_one < 40, "{after_one}");
    extend(&mut store, &mut Random(3), 20);
    assert_eq!(store.oldest_state(), 60);
    verify(&store);
}

#[test]
fn who_reads_a_state_that_goes_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), tight());
    extend(&mut store, &mut Random(4), 8);
    let [stays, goes, is_pruned] = [5, 6, 2].map(|number| store.world(number).unwrap().unwrap());
    let expected = Model::of(&stays);
    store.rewind(5).unwrap();
    let error = goes.account(&address(0)).unwrap_err();
    assert!(matches!(error, StoreError::Dropped { number: 6 }), "{error}");
    assert_eq!(error.consequence(), Consequence::Refuse);
    extend(&mut store, &mut Random(5), 6);
    assert!(goes.account(&address(0)).is_err(), "other blocks with these numbers are not its own");
    store.prune(NonZeroU64::new(8).unwrap(), &mut |_| ()).unwrap();
    let error = is_pruned.account(&address(0)).unwrap_err();
    assert!(matches!(error, StoreError::Pruned { number: 2 }), "{error}");
    assert_eq!(Model::of(&stays), expected);
}

#[test]
fn a_state_that_was_derived_before_a_reorganisation_is_written_whole() {
    for seed in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path(), StoreSettings::default());
        extend(&mut store, &mut Random(seed), 6);
        let (block, world) = next_block(&store, &mut Random(seed + 100));
        store.commit(block.clone(), world.clone()).unwrap();
        extend(&mut store, &mut Random(seed + 200), 2);
        store.rewind(6).unwrap();
        match store.commit(block, world) {
            Ok(_) => {}
            Err(StoreError::Stranger { number: 7 }) => continue,
            Err(error) => panic!("{error}"),
        }
        verify(&store);
        extend(&mut store, &mut Random(seed + 300), 3);
        verify(&store);
    }
}

#[test]
fn a_state_of_another_chain_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, memory) = (open(dir.path(), tight()), ChainStore::in_memory(genesis(1)));
    let (block, world) = next_block(&memory, &mut Random(1));
    let error = store.commit(block, world).unwrap_err();
    assert!(matches!(error, StoreError::Stranger { number: 1 }), "{error}");
    assert_eq!(error.consequence(), Consequence::Refuse);
    extend(&mut store, &mut Random(1), 1);
}

#[test]
fn one_genesis_begins_chains_in_several_folders() {
    let genesis = genesis(1);
    for _ in 0..2 {
        let dir = tempfile::tempdir().unwrap();
        let mut store = ChainStore::open(dir.path(), genesis.clone(), tight()).unwrap();
        extend(&mut store, &mut Random(1), 2);
        verify(&store);
    }
}

/// An account is removed, comes back and is removed again, within one block and across blocks.
#[test]
fn what_is_removed_and_comes_back_has_only_what_was_written_since() {
    let dir = tempfile::tempdir().unwrap();
    let (mut memory, mut store) = (ChainStore::in_memory(genesis(1)), open(dir.path(), tight()));
    for seed in 0..40 {
        for chain in [&mut memory, &mut store] {
            let mut random = Random(seed);
            let mut world = chain.head_world();
            for _ in 0..4 {
                world = world.apply(&random_changes(&mut random, &world)).unwrap();
            }
            let (block, world) = block_of(chain, &mut random, world);
            chain.commit(block, world).unwrap();
        }
    }
    assert_same(&memory, &store);
    verify(&store);
}

#[test]
fn readers_of_one_state_are_not_disturbed_by_blocks_that_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), tight());
    extend(&mut store, &mut Random(6), 10);
    let (head, older) = (store.head_world(), store.world(4).unwrap().unwrap());
    let expected = [Model::of(&head), Model::of(&older)];
    thread::scope(|scope| {
        let readers: Vec<_> = [(&head, &expected[0]), (&older, &expected[1])]
            .into_iter()
            .map(|(world, expected)| scope.spawn(move || (0..20).for_each(|_| assert_eq!(Model::of(world), *expected))))
            .collect();
        extend(&mut store, &mut Random(7), 30);
        readers.into_iter().for_each(|reader| reader.join().expect("a reader saw what it should"));
    });
}

#[test]
fn states_that_are_kept_are_read_and_built_on_though_what_memory_stands_on_is_pruned() {
    for keep in [1, 2, 3, 8] {
        let dir = tempfile::tempdir().unwrap();
        // Whatever fits into memory stays there.
        let settings = StoreSettings { prune: NonZeroU64::new(keep), ..StoreSettings::default() };
        let (mut memory, mut store) = (ChainStore::in_memory(genesis(1)), open(dir.path(), settings));
        for step in 0..24 {
            extend(&mut memory, &mut Random(keep * 100 + step), 1);
            extend(&mut store, &mut Random(keep * 100 + step), 1);
            let head = memory.head().number();
            for number in store.oldest_state()..=head {
                let (world, expected) = (store.world(number).unwrap().unwrap(), memory.world(number).unwrap().unwrap());
                assert_eq!(Model::of(&world), Model::of(&expected), "{keep} kept, state of block {number} of {head}");
            }
        }
        // The state of the parent is the one that the newest one stands on.
        assert_eq!(store.oldest_state(), (25 - keep).min(23));
        let error = store.world(store.oldest_state() - 1).unwrap_err();
        assert!(matches!(error, StoreError::Pruned { .. }), "{error}");
        verify(&store);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), StoreSettings::default());
    extend(&mut store, &mut Random(1), 9);
    store.prune(NonZeroU64::MIN, &mut |_| ()).unwrap();
    extend(&mut store, &mut Random(2), 3);
    verify(&store);
}

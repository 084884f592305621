//! What lies in memory because it was read: ahead of its use, or before the head got another base.

use alloy_primitives::{Address, U256};
use parapet_state::{ChainStore, StoreSettings, SyncMode, WorldState};
use parapet_types::AccountInfo;

use crate::{
    chain::{extend, genesis},
    model::{ADDRESSES, Random, SLOTS, address},
};

/// Trie nodes of hardly a block, and all values that these tests read.
fn settings() -> StoreSettings {
    StoreSettings { trie_bytes: 4_000, value_bytes: 4 << 20, sync: SyncMode::System, ..StoreSettings::default() }
}

fn slots() -> Vec<U256> {
    (0..SLOTS).map(U256::from).collect()
}

/// All that there can be, absence included.
fn everything(world: &WorldState) -> Vec<(Address, Option<AccountInfo>, Vec<U256>)> {
    let words = |address: &Address| slots().into_iter().map(|slot| world.storage(address, slot).unwrap()).collect();
    (0..ADDRESSES).map(address).map(|of| (of, world.account(&of).unwrap(), words(&of))).collect()
}

fn values(store: &ChainStore) -> u64 {
    store.memory().unwrap().unwrap().values
}

#[test]
fn what_was_read_stays_in_memory_as_it_is_now_when_the_head_gets_another_base() {
    for seed in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let mut memory = ChainStore::in_memory(genesis(1));
        let mut store = ChainStore::open(dir.path(), genesis(1), settings()).unwrap();
        let mut random = Random(seed);
        let mut carried = 0;
        for step in 0..40 {
            if random.below(8) == 0 {
                let to = random.below(memory.head().number() + 1);
                memory.rewind(to).unwrap();
                store.rewind(to).unwrap();
            }
            assert_eq!(everything(&store.head_world()), everything(&memory.head_world()), "seed {seed}, step {step}");
            let (blocks, before) = (random.next(), values(&store));
            extend(&mut memory, &mut Random(blocks), 1);
            extend(&mut store, &mut Random(blocks), 1);
            let has_another_base = store.memory().unwrap().unwrap().trie_bytes == 0;
            carried += usize::from(has_another_base && before > 0);
            assert!(values(&store) >= before, "seed {seed}, step {step}");
        }
        assert!(carried > 5, "seed {seed}: the head had another base {carried} times");
    }
}

#[test]
fn what_is_read_ahead_is_in_memory_and_changes_no_answer() {
    for seed in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let mut memory = ChainStore::in_memory(genesis(1));
        extend(&mut memory, &mut Random(seed), 30);
        let mut store = ChainStore::open(dir.path(), genesis(1), settings()).unwrap();
        extend(&mut store, &mut Random(seed), 30);
        drop(store);
        let mut store = ChainStore::open_existing(dir.path(), settings()).unwrap();
        let world = store.head_world();
        let read_ahead = || (0..ADDRESSES).map(|of| world.read_ahead(&address(of), &slots()).unwrap()).sum::<usize>();
        let read = read_ahead();
        assert!(read > 0 && values(&store) == read as u64, "seed {seed}: {read}, {}", values(&store));
        assert_eq!(read_ahead(), 0, "seed {seed}: all of it is in memory");
        assert_eq!(everything(&world), everything(&memory.head_world()), "seed {seed}");
        // The same block follows from it.
        extend(&mut memory, &mut Random(seed + 1), 3);
        extend(&mut store, &mut Random(seed + 1), 3);
        assert_eq!(store.head().hash(), memory.head().hash());
    }
}

#[test]
fn nothing_is_read_ahead_of_a_state_in_memory() {
    let mut memory = ChainStore::in_memory(genesis(1));
    extend(&mut memory, &mut Random(1), 5);
    assert_eq!(memory.head_world().read_ahead(&address(1), &slots()).unwrap(), 0);
}

//! A chain that goes on from another one and is kept: what a folder gives back, and what it refuses.

use std::{fs, path::Path, sync::Arc};

use alloy_primitives::{B256, U256};
use parapet_state::{ChainStore, KeptFork, StoreError, StoreSettings, StoredBlock, SyncMode, WorldState};

use crate::{
    chain::{block_of, genesis},
    model::{Random, address as nth, random_changes},
};

const LOG: &str = "forked-chain.log";
/// Accounts and slots that are looked at.
const ACCOUNTS: u64 = 24;
const SLOTS: u64 = 12;

/// The state that is elsewhere.
fn below() -> Arc<WorldState> {
    let mut random = Random(77);
    let mut below = WorldState::new();
    for _ in 0..20 {
        below = below.apply(&random_changes(&mut random, &below)).unwrap();
    }
    Arc::new(below)
}

/// A chain that has just begun in a folder, with something laid over the other one's state.
fn begun(dir: &Path) -> ChainStore {
    let begun = genesis(1);
    let laid = random_changes(&mut Random(5), &below());
    let world = WorldState::over(below()).apply(&laid).unwrap();
    ChainStore::forked_in((dir, SyncMode::System), 9, begun.spec, StoredBlock::genesis(begun.header), world).unwrap()
}

fn resumed(dir: &Path) -> Result<ChainStore, StoreError> {
    KeptFork::find(dir)?.expect("a chain has begun there").resume(below(), SyncMode::System)
}

/// What is changed by a block, or amended. What is below shows what there is to remove.
fn extend(store: &mut ChainStore, random: &mut Random, whole: &mut WorldState) {
    let changes = random_changes(random, whole);
    *whole = whole.apply(&changes).unwrap();
    let world = store.head_world().apply(&changes).unwrap();
    let (block, world) = block_of(store, random, world);
    store.commit(block, world).unwrap();
}

fn assert_same(left: &ChainStore, right: &ChainStore) {
    assert_eq!((left.spec(), left.head(), left.amendments()), (right.spec(), right.head(), right.amendments()));
    assert_eq!(left.first(), right.first());
    for number in left.first()..=left.head().number() {
        assert_eq!(left.block(number).unwrap(), right.block(number).unwrap());
        let [left, right] = [left, right].map(|store| store.world(number).unwrap().unwrap());
        assert_eq!(left.root(), right.root(), "root of block {number}");
        for address in (0..ACCOUNTS).map(nth) {
            assert_eq!(left.account(&address).unwrap(), right.account(&address).unwrap(), "{address} at {number}");
            for slot in (0..SLOTS).map(U256::from) {
                let values = [&left, &right].map(|world| world.storage(&address, slot).unwrap());
                assert_eq!(values[0], values[1], "slot {slot} of {address} at {number}");
            }
        }
    }
    let next = left.head().number() + 1;
    assert_eq!(left.ancestors(next).unwrap(), right.ancestors(next).unwrap());
}

#[test]
fn a_restart_gives_back_blocks_states_what_was_amended_and_what_was_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, mut random) = (begun(dir.path()), Random(3));
    let mut whole = below().apply(&random_changes(&mut Random(5), &below())).unwrap();
    let mut kept = Vec::new();
    for step in 0..30 {
        extend(&mut store, &mut random, &mut whole);
        kept.push(whole.clone());
        if step % 7 == 3 {
            let number = store.head().number() - 2;
            store.rewind(number).unwrap();
            kept.truncate(usize::try_from(number).unwrap());
            whole = kept.last().unwrap().clone();
        }
        if step % 5 == 4 {
            let amendments = random_changes(&mut random, &whole);
            store.amend_head(&amendments).unwrap();
            // The next block's state is to include it.
            let (amended, world) = (whole.apply(&amendments).unwrap(), store.head_world().apply(&amendments).unwrap());
            let changes = random_changes(&mut random, &amended);
            whole = amended.apply(&changes).unwrap();
            let world = world.apply(&changes).unwrap();
            let (block, world) = block_of(&store, &mut random, world);
            store.commit(block, world).unwrap();
            kept.push(whole.clone());
        }
        if step % 10 == 9 {
            store.amend_head(&random_changes(&mut random, &whole)).unwrap();
            let before = std::mem::replace(&mut store, ChainStore::in_memory(genesis(1)));
            let head = before.head();
            drop(before);
            store = resumed(dir.path()).unwrap();
            assert_eq!(store.head(), head);
            assert!(!store.amendments().accounts.is_empty());
            store.amend_head(&Default::default()).unwrap();
        }
    }
    // The same again, in memory alone: what stands in the folder is all that there is.
    let copy = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join(LOG), copy.path().join(LOG)).unwrap();
    assert_same(&store, &resumed(copy.path()).unwrap());
    for address in (0..ACCOUNTS).map(nth) {
        assert_eq!(store.head_world().account(&address).unwrap(), whole.account(&address).unwrap(), "{address}");
    }
}

#[test]
fn a_record_that_was_not_written_to_its_end_is_left_out_and_other_damage_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join(LOG);
    let (mut store, mut random) = (begun(dir.path()), Random(4));
    let mut whole = below().apply(&random_changes(&mut Random(5), &below())).unwrap();
    let mut ends = vec![fs::metadata(&log).unwrap().len()];
    for _ in 0..3 {
        extend(&mut store, &mut random, &mut whole);
        ends.push(fs::metadata(&log).unwrap().len());
    }
    drop(store);
    let bytes = fs::read(&log).unwrap();
    let number = |bytes: &[u8]| {
        fs::write(&log, bytes).unwrap();
        resumed(dir.path()).map(|store| store.head().number())
    };
    for length in (ends[2]..ends[3]).step_by(97).chain([ends[2] + 1, ends[3] - 1]) {
        assert_eq!(number(&bytes[..usize::try_from(length).unwrap()]).unwrap(), 2, "cut at {length}");
        assert_eq!(fs::metadata(&log).unwrap().len(), ends[2], "what goes on is appended to what is whole");
    }
    for place in (0..ends[3]).step_by(131).chain([ends[1], ends[1] + 4, ends[2] + 2]) {
        let mut broken = bytes.clone();
        broken[usize::try_from(place).unwrap()] ^= 0x10;
        fs::write(&log, &broken).unwrap();
        let refused = KeptFork::find(dir.path())
            .and_then(|kept| kept.expect("it is not overlooked").resume(below(), SyncMode::System));
        assert!(matches!(refused, Err(StoreError::DamagedFork { .. })), "byte {place}: {refused:?}");
        assert_eq!(fs::read(&log).unwrap(), broken, "nothing is changed");
    }
    // One that ended as it began has no chain, and another one begins there.
    for length in [0, 5, usize::try_from(ends[0]).unwrap() - 1] {
        fs::write(&log, &bytes[..length]).unwrap();
        assert!(KeptFork::find(dir.path()).unwrap().is_none());
    }
    assert_eq!(begun(dir.path()).head().number(), 0);
}

#[test]
fn a_folder_has_one_user_and_one_kind_of_chain() {
    let dir = tempfile::tempdir().unwrap();
    let store = begun(dir.path());
    assert!(matches!(KeptFork::find(dir.path()), Err(StoreError::InUse { .. })));
    drop(store);
    let kept = KeptFork::find(dir.path()).unwrap().unwrap();
    assert_eq!((kept.forked_id(), kept.is_new(), kept.block().number), (9, true, 0));
    assert_ne!(kept.block().hash(), B256::ZERO);
    drop(kept);
    let usual = ChainStore::open(dir.path(), genesis(1), StoreSettings::default()).unwrap_err();
    assert!(matches!(usual, StoreError::Forked { .. }), "{usual}");
    let other = tempfile::tempdir().unwrap();
    drop(ChainStore::open(other.path(), genesis(1), StoreSettings::default()).unwrap());
    let begun = genesis(1);
    let place = (other.path(), SyncMode::System);
    let world = WorldState::over(below());
    let forked = ChainStore::forked_in(place, 9, begun.spec, StoredBlock::genesis(begun.header), world).unwrap_err();
    assert!(matches!(forked, StoreError::ChainThere { .. }), "{forked}");
}

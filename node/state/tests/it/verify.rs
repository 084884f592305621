//! Every kept state is checked, in one pass over what blocks wrote.

use std::{collections::BTreeSet, num::NonZeroU64, path::Path};

use parapet_state::{ChainStore, Consequence, Progress, Scope, Step, StoreError, StoreSettings, SyncMode};
use rocksdb::{DB, IteratorMode, Options};

use crate::{
    chain::{block_of, extend, genesis},
    model::{Random, random_changes},
};

const VERSIONED: [&str; 4] = ["accounts", "storage", "account_nodes", "storage_nodes"];
/// Bytes of a version at the end of a key, the complement of a block's number.
const VERSION_BYTES: usize = 8;
const BLOCKS: u64 = 20;
/// Records of a family that are changed, one after the other.
const RECORDS: usize = 3;

fn settings() -> StoreSettings {
    StoreSettings { sync: SyncMode::System, ..StoreSettings::default() }
}

fn open(dir: &Path) -> ChainStore {
    ChainStore::open_existing(dir, settings()).unwrap()
}

fn folder(seed: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    extend(&mut ChainStore::open(dir.path(), genesis(1), settings()).unwrap(), &mut Random(seed), BLOCKS as usize);
    dir
}

/// Changes the database behind the store's back.
fn tamper<T>(dir: &Path, change: impl FnOnce(&DB) -> T) -> T {
    let path = dir.join("chain");
    let families = DB::list_cf(&Options::default(), &path).unwrap();
    change(&DB::open_cf(&Options::default(), &path, families).unwrap())
}

fn put(dir: &Path, family: &str, key: &[u8], value: &[u8]) {
    tamper(dir, |db| db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap());
}

/// Records that say something and that a later block replaced: no state at either end has them.
fn replaced(dir: &Path, family: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let all: Vec<_> = tamper(dir, |db| {
        let records = db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start);
        records.map(|record| record.unwrap()).map(|(key, value)| (key.into_vec(), value.into_vec())).collect()
    });
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    // The newest of a key comes first, and the first block's are those of the oldest state.
    for (key, value) in all {
        let (name, version) = key.split_at(key.len() - VERSION_BYTES);
        let is_first = version == (!0u64).to_be_bytes();
        if !seen.insert(name.to_vec()) && !is_first && !value.is_empty() {
            found.push((key, value));
        }
    }
    found
}

#[test]
fn a_record_of_the_past_that_was_changed_is_found_though_both_ends_are_right() {
    let dir = folder(1);
    for family in VERSIONED {
        let records = replaced(dir.path(), family);
        assert!(records.len() >= RECORDS, "{family} has {} of them", records.len());
        for (key, value) in records.iter().step_by(records.len() / RECORDS) {
            let mut changed = value.clone();
            *changed.last_mut().unwrap() ^= 1;
            put(dir.path(), family, key, &changed);
            let store = open(dir.path());
            store.verify(Scope::Ends, &mut |_| ()).unwrap();
            let error = store.verify(Scope::Every, &mut |_| ()).unwrap_err();
            assert!(matches!(error, StoreError::Corrupted { .. } | StoreError::StoredRoot { .. }), "{family}: {error}");
            assert_eq!(error.consequence(), Consequence::StopNode);
            drop(store);
            put(dir.path(), family, key, value);
        }
        open(dir.path()).verify(Scope::Every, &mut |_| ()).unwrap();
    }
}

#[test]
fn a_code_that_is_gone_is_missed_where_a_block_gave_it() {
    let dir = folder(2);
    tamper(dir.path(), |db| {
        let family = db.cf_handle("code").unwrap();
        let (hash, _) = db.iterator_cf(family, IteratorMode::Start).next().unwrap().unwrap();
        db.delete_cf(family, hash).unwrap();
    });
    let error = open(dir.path()).verify(Scope::Every, &mut |_| ()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupted { family: "code", .. }), "{error}");
}

#[test]
fn every_state_is_followed_from_the_one_before_it_and_the_ends_alone_are_computed_anew() {
    let dir = folder(3);
    let (mut followed, mut anew) = (Vec::new(), BTreeSet::new());
    let checked = open(dir.path())
        .verify(Scope::Every, &mut |Progress { step, done, total }| match step {
            Step::Follow => followed.push((done, total)),
            Step::State { block } => drop(anew.insert(block)),
            _ => {}
        })
        .unwrap();
    assert_eq!((checked.states, checked.rebuilt), (BLOCKS + 1, 2));
    assert_eq!(followed, (1..=BLOCKS).map(|done| (done, Some(BLOCKS))).collect::<Vec<_>>());
    assert_eq!(anew, [0, BLOCKS].into());
    let checked = open(dir.path()).verify(Scope::Ends, &mut |_| ()).unwrap();
    assert_eq!((checked.states, checked.rebuilt), (2, 2));
}

/// Blocks may undo what they did, and remove what they made: the records then say more than what changed.
#[test]
fn what_comes_and_goes_within_a_block_is_no_contradiction() {
    for seed in 0..12 {
        let dir = tempfile::tempdir().unwrap();
        let mut store = ChainStore::open(dir.path(), genesis(1), settings()).unwrap();
        let mut random = Random(seed);
        for _ in 0..12 {
            let mut world = store.head_world();
            for _ in 0..4 {
                world = world.apply(&random_changes(&mut random, &world)).unwrap();
            }
            let (block, world) = block_of(&store, &mut random, world);
            store.commit(block, world).unwrap();
        }
        let checked = store.verify(Scope::Every, &mut |_| ()).unwrap();
        assert_eq!(checked.states, 13, "seed {seed}");
        store.prune(NonZeroU64::new(5).unwrap(), &mut |_| ()).unwrap();
        let checked = store.verify(Scope::Every, &mut |_| ()).unwrap();
        assert_eq!(checked.states, 5, "seed {seed}");
    }
}

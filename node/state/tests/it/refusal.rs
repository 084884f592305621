//! Folders that are refused, and what the message says.

use std::{collections::BTreeMap, fs, path::Path};

use alloy_primitives::{U256, b256, keccak256};
use parapet_state::{ChainStore, Consequence, FORMAT_VERSION, GenesisBlock, Scope, StoreError, StoreSettings};
use parapet_types::{AccountChange, Hardfork, StateChanges};
use rocksdb::{DB, IteratorMode, Options, WriteBatch};

use crate::{
    chain::{extend, genesis, genesis_with},
    model::{Random, address},
};

/// A folder with a short chain, closed.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    extend(&mut open(dir.path(), genesis(1)).unwrap(), &mut Random(1), 4);
    dir
}

fn open(dir: &Path, genesis: GenesisBlock) -> Result<ChainStore, StoreError> {
    ChainStore::open(dir, genesis, StoreSettings::default())
}

/// The error on opening, or on reading everything; it must stop the node and name the folder.
fn found(dir: &Path) -> StoreError {
    let read = open(dir, genesis(1)).and_then(|store| store.verify(Scope::Every, &mut |_| ()));
    let error = read.unwrap_err();
    assert_eq!(error.consequence(), Consequence::StopNode);
    assert!(error.to_string().contains(dir.to_str().unwrap()), "{error}");
    error
}

/// The error on opening; it must stop the node and name the folder.
fn refused(dir: &Path) -> StoreError {
    let error = open(dir, genesis(1)).unwrap_err();
    assert_eq!(error.consequence(), Consequence::StopNode);
    assert!(error.to_string().contains(dir.to_str().unwrap()), "{error}");
    error
}

/// Changes the database behind the store's back.
fn tamper(dir: &Path, change: impl FnOnce(&DB)) {
    let path = dir.join("chain");
    let families = DB::list_cf(&Options::default(), &path).unwrap();
    change(&DB::open_cf(&Options::default(), &path, families).unwrap());
}

/// First or last record of a family.
fn record(db: &DB, family: &str, mode: IteratorMode<'_>) -> (Vec<u8>, Vec<u8>) {
    let (key, value) = db.iterator_cf(db.cf_handle(family).unwrap(), mode).next().unwrap().unwrap();
    (key.into_vec(), value.into_vec())
}

fn put(db: &DB, family: &str, key: &[u8], value: &[u8]) {
    db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap();
}

#[test]
fn another_chain_id_hardfork_or_gas_limit_is_refused_by_name() {
    let dir = folder();
    for other in [genesis_with(5, Hardfork::Osaka, 1, 1_000), genesis_with(31_337, Hardfork::Prague, 1, 1_000)] {
        let error = open(dir.path(), other).unwrap_err();
        assert!(matches!(error, StoreError::OtherChain { .. }), "{error}");
        assert!(error.to_string().contains("chain id 31337, hardfork osaka, block gas limit 30000000"), "{error}");
    }
    assert!(open(dir.path(), genesis(1)).is_ok());
}

#[test]
fn another_genesis_state_is_refused() {
    let dir = folder();
    let other = genesis_with(31_337, Hardfork::Osaka, 1, 1_001);
    let given = other.header.state_root;
    let error = open(dir.path(), other).unwrap_err();
    assert!(matches!(error, StoreError::OtherGenesis { given: root, .. } if root == given), "{error}");
}

#[test]
fn a_second_opener_is_told_that_the_folder_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path(), genesis(1)).unwrap();
    assert!(matches!(refused(dir.path()), StoreError::InUse { .. }));
}

#[test]
fn an_older_or_newer_format_is_refused_with_both_numbers_and_what_to_do() {
    for (number, remedy) in [(FORMAT_VERSION - 1, "an older program wrote it"), (FORMAT_VERSION + 1, "update this one")]
    {
        let dir = folder();
        tamper(dir.path(), |db| put(db, "meta", b"format", &number.to_be_bytes()));
        let error = refused(dir.path());
        assert!(matches!(error, StoreError::Format { found, .. } if found == number), "{error}");
        let said = error.to_string();
        assert!(
            said.contains(&format!("format {number}, and this program reads format {FORMAT_VERSION} alone")),
            "{said}"
        );
        assert!(said.contains(remedy) && said.contains("another folder"), "{said}");
    }
}

#[test]
fn a_newer_format_with_more_families_is_named_by_its_number() {
    let dir = folder();
    tamper(dir.path(), |db| put(db, "meta", b"format", &(FORMAT_VERSION + 1).to_be_bytes()));
    add_family(dir.path(), "trie");
    let error = refused(dir.path());
    assert!(matches!(error, StoreError::Format { found, .. } if found == FORMAT_VERSION + 1), "{error}");
}

fn add_family(dir: &Path, name: &str) {
    let path = dir.join("chain");
    let mut options = Options::default();
    options.create_missing_column_families(true);
    let families = DB::list_cf(&options, &path).unwrap();
    drop(DB::open_cf(&options, &path, families.into_iter().chain([name.to_owned()])).unwrap());
}

/// Whoever changes a record's bytes raises the number and pins both anew.
#[test]
fn the_format_number_names_these_bytes() {
    let dir = folder();
    let mut store = open(dir.path(), genesis(1)).unwrap();
    let change = AccountChange { info: None, wipe_storage: true, storage: BTreeMap::from([(U256::ONE, U256::MAX)]) };
    let accounts = BTreeMap::from([(address(9), change)]);
    store.amend_head(&StateChanges { accounts, ..StateChanges::default() }).unwrap();
    drop(store);
    let mut all = Vec::new();
    let mut families = DB::list_cf(&Options::default(), dir.path().join("chain")).unwrap();
    families.sort_unstable();
    tamper(dir.path(), |db| {
        for family in &families {
            for entry in db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start) {
                let (key, value) = entry.unwrap();
                for part in [family.as_bytes(), &key, &value] {
                    all.extend(part.len().to_be_bytes());
                    all.extend(part);
                }
            }
        }
    });
    let pinned = (3, b256!("0x0bb7a8f0c468becd881479748031bd624ccda1a8566dcff44c51ec6fea2d53d5"));
    assert_eq!((FORMAT_VERSION, keccak256(&all)), pinned, "a layout that changes needs another number");
}

#[test]
fn a_database_with_unknown_families_is_refused_and_left_alone() {
    let dir = folder();
    add_family(dir.path(), "trie");
    let error = refused(dir.path());
    assert!(matches!(&error, StoreError::Unknown { found, .. } if found == &["trie"]), "{error}");
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("chain"), b"not a folder").unwrap();
    assert!(matches!(refused(dir.path()), StoreError::Folder { .. }));
}

#[test]
fn a_folder_that_lost_its_table_of_contents_is_not_begun_anew() {
    let dir = folder();
    fs::remove_file(dir.path().join("chain/CURRENT")).unwrap();
    assert!(matches!(refused(dir.path()), StoreError::Incomplete { missing: "CURRENT", .. }));
}

#[test]
fn damaged_records_are_named_by_family_and_key() {
    for family in ["accounts", "storage", "code", "bodies", "receipts", "results", "transactions", "numbers"] {
        let dir = folder();
        let mut damaged = String::new();
        tamper(dir.path(), |db| {
            let (key, value) = record(db, family, IteratorMode::End);
            damaged = alloy_primitives::hex::encode_prefixed(&key);
            put(db, family, &key, &value[..value.len() - 1]);
        });
        let error = found(dir.path());
        let StoreError::Corrupted { family: named, key, .. } = &error else { panic!("{family}: {error}") };
        let named = if ["receipts", "results"].contains(&family) && *named == "bodies" { family } else { *named };
        assert_eq!(named, family, "{error}");
        assert!(damaged.starts_with(key), "{error}");
    }
}

#[test]
fn a_missing_block_is_noticed() {
    for number in [0u64, 2, 4] {
        let dir = folder();
        for family in ["headers", "bodies", "receipts", "results"] {
            tamper(dir.path(), |db| db.delete_cf(db.cf_handle(family).unwrap(), number.to_be_bytes()).unwrap());
            let error = found(dir.path());
            assert!(matches!(error, StoreError::Corrupted { .. }), "without block {number}: {error}");
        }
    }
}

#[test]
fn a_missing_change_set_is_noticed() {
    let dir = folder();
    tamper(dir.path(), |db| db.delete_cf(db.cf_handle("changes").unwrap(), 3u64.to_be_bytes()).unwrap());
    let error = found(dir.path());
    assert!(matches!(error, StoreError::Corrupted { family: "changes", .. }), "{error}");
}

#[test]
fn a_changed_account_or_slot_does_not_match_the_state_root() {
    for (family, at) in [("accounts", 5), ("accounts", 24), ("storage", 1)] {
        let dir = folder();
        tamper(dir.path(), |db| {
            let records = db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start);
            let (key, value) = records.map(Result::unwrap).find(|(_, value)| !value.is_empty()).unwrap();
            let mut value = value.into_vec();
            // Of an account its address, or the balance; of a slot its number.
            *value.get_mut(at).unwrap() ^= 1;
            put(db, family, &key, &value);
        });
        let error = found(dir.path());
        assert!(matches!(error, StoreError::StoredRoot { .. } | StoreError::Corrupted { .. }), "{family}: {error}");
    }
}

#[test]
fn a_slot_without_an_account_is_noticed() {
    let dir = folder();
    let key = [&[0xff; 64][..], &(!0u64).to_be_bytes()].concat();
    tamper(dir.path(), |db| put(db, "storage", &key, &[0xc2, 1, 1]));
    let error = found(dir.path());
    assert!(matches!(error, StoreError::Corrupted { family: "storage", .. }), "{error}");
}

#[test]
fn a_database_without_its_format_is_not_begun_anew() {
    let dir = folder();
    tamper(dir.path(), |db| {
        let mut batch = WriteBatch::default();
        for key in ["format", "head", "params", "oldest"] {
            batch.delete_cf(db.cf_handle("meta").unwrap(), key);
        }
        db.write(batch).unwrap();
    });
    let error = refused(dir.path());
    assert!(matches!(error, StoreError::Corrupted { family: "meta", .. }), "{error}");
}

#[test]
fn a_family_that_came_later_is_added_to_a_folder_and_a_lost_or_stray_list_is_found() {
    let dir = folder();
    let path = dir.path().join("chain");
    let families = DB::list_cf(&Options::default(), &path).unwrap();
    DB::open_cf(&Options::default(), &path, families).unwrap().drop_cf("access_lists").unwrap();
    let mut store = open(dir.path(), genesis(1)).unwrap();
    assert_eq!(store.access_list(2).unwrap(), None);
    extend(&mut store, &mut Random(2), 2);
    store.verify(Scope::Every, &mut |_| ()).unwrap();
    drop(store);
    for (number, said) in [(9_u64, "belongs to no block"), (2, "does not commit to the block's access list")] {
        tamper(dir.path(), |db| put(db, "access_lists", &number.to_be_bytes(), &[0xc0]));
        assert!(found(dir.path()).to_string().contains(said));
        tamper(dir.path(), |db| db.delete_cf(db.cf_handle("access_lists").unwrap(), number.to_be_bytes()).unwrap());
    }
}

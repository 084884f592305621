//! Files that were cut or changed: an error that names them and what to do, or nothing that matters. Never another answer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parapet_state::{ChainStore, Consequence, Scope, StoreError, StoreSettings};

use crate::{
    chain::{extend, genesis},
    model::Random,
    restart::assert_same,
};

/// Pieces of every file that are looked at.
const PIECES: u64 = 6;

/// A chain whose records are in files of their own, and what it holds.
fn folder() -> (tempfile::TempDir, ChainStore) {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..3 {
        // What is in the log goes into files when the folder is opened again.
        extend(&mut open(dir.path()).unwrap(), &mut Random(seed), 6);
    }
    drop(open(dir.path()).unwrap());
    let mut memory = ChainStore::in_memory(genesis(1));
    for seed in 0..3 {
        extend(&mut memory, &mut Random(seed), 6);
    }
    (dir, memory)
}

fn open(dir: &Path) -> Result<ChainStore, StoreError> {
    ChainStore::open(dir, genesis(1), StoreSettings::default())
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.join("chain")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().unwrap().to_str().unwrap().contains(ending));
    files.sort_unstable();
    assert!(!files.is_empty(), "{ending}");
    files
}

fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("chain")).unwrap();
    for entry in fs::read_dir(dir.join("chain")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join("chain").join(entry.file_name())).unwrap();
    }
    fs::copy(dir.join("announced"), copy.path().join("announced")).unwrap();
    copy
}

/// Damages a copy's file and reads everything: it is told, or it does not matter. Gives what is told.
fn damaged(dir: &Path, memory: &ChainStore, file: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
    let copy = copy_of(dir);
    let path = copy.path().join("chain").join(file.file_name().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    damage(&mut bytes);
    fs::write(&path, bytes).unwrap();
    match open(copy.path()).and_then(|store| store.verify(Scope::Every, &mut |_| ()).map(|_| store)) {
        Ok(store) => {
            assert_same(memory, &store);
            None
        }
        Err(error) => {
            let said = error.to_string();
            assert_eq!(error.consequence(), Consequence::StopNode, "{said}");
            assert!(said.contains(copy.path().to_str().unwrap()), "the folder is named: {said}");
            assert!(said.contains("from a copy") || said.contains("start again"), "what to do is said: {said}");
            Some(said)
        }
    }
}

#[test]
fn a_flipped_bit_in_a_table_is_told_with_the_file_or_does_not_matter() {
    let (dir, memory) = folder();
    let (mut random, mut told) = (Random(1), 0);
    for file in files(dir.path(), ".sst") {
        for _ in 0..PIECES {
            let said = damaged(dir.path(), &memory, &file, |bytes| {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            });
            told += u64::from(said.is_some_and(|said| said.contains(".sst")));
        }
    }
    assert!(told > 20, "{told}");
}

#[test]
fn a_table_that_was_cut_or_is_gone_is_told() {
    let (dir, memory) = folder();
    for file in files(dir.path(), ".sst") {
        for part in [0, 1, 3] {
            let said = damaged(dir.path(), &memory, &file, |bytes| bytes.truncate(bytes.len() * part / 4));
            assert!(said.is_some_and(|said| said.contains(".sst")), "{file:?}");
        }
    }
}

#[test]
fn a_table_of_contents_that_was_changed_is_told_or_does_not_matter() {
    let (dir, memory) = folder();
    let mut random = Random(2);
    for file in files(dir.path(), "MANIFEST").into_iter().chain(files(dir.path(), "CURRENT")) {
        for _ in 0..2 * PIECES {
            damaged(dir.path(), &memory, &file, |bytes| {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            });
        }
        assert!(damaged(dir.path(), &memory, &file, |bytes| bytes.clear()).is_some(), "{file:?}");
    }
}

//! The journal: what went in comes out, and damage is told and skipped.

use std::{env, fs, path::PathBuf, process::Command};

use parapet_pool::{Journal, Rejoining};
use parapet_types::Transaction;
use proptest::prelude::*;

use crate::support::{signed, transfer, with_input};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("pool.journal")
    }

    fn read(&self) -> Rejoining {
        Journal::open(&self.journal()).unwrap().1
    }
}

fn some() -> Vec<Transaction> {
    vec![transfer(1, 0, 1), transfer(1, 1, 2), signed(2, with_input(0, 1, 700)), transfer(3, 9, 1)]
}

fn written(folder: &Folder) -> Vec<u8> {
    let (mut journal, empty) = Journal::open(&folder.journal()).unwrap();
    assert!(empty.transactions.is_empty() && empty.damaged_bytes == 0);
    journal.append(some()).unwrap();
    fs::read(folder.journal()).unwrap()
}

#[test]
fn what_was_added_comes_back_in_its_order_with_its_senders() {
    let folder = Folder::new();
    written(&folder);
    let Rejoining { transactions, damaged_bytes } = folder.read();
    assert_eq!((transactions, damaged_bytes), (some(), 0));
    let (mut journal, _) = Journal::open(&folder.journal()).unwrap();
    journal.append([&transfer(4, 0, 1)]).unwrap();
    assert_eq!(folder.read().transactions.len(), some().len() + 1);
}

#[test]
fn rewriting_leaves_what_waits_and_more_can_be_added() {
    let folder = Folder::new();
    written(&folder);
    let (mut journal, _) = Journal::open(&folder.journal()).unwrap();
    journal.rewrite([&some()[1]]).unwrap();
    journal.append([&some()[3]]).unwrap();
    assert_eq!(folder.read().transactions, [some()[1].clone(), some()[3].clone()]);
}

/// Set where the test below runs itself once more, under a bound on the size of files: the journal it is to fill.
const FULL: &str = "PARAPET_POOL_TEST_FULL_JOURNAL";

#[test]
fn what_a_full_disk_cuts_off_does_not_hide_what_comes_later() {
    let (long, short) = (signed(1, with_input(0, 1, 700)), transfer(2, 0, 1));
    if let Some(path) = env::var_os(FULL) {
        let (mut journal, _) = Journal::open(path.as_ref()).unwrap();
        while journal.append([&long]).is_ok() {}
        journal.append([&short]).unwrap();
        return;
    }
    let folder = Folder::new();
    // Without the signal that would end it, a process meets an error where its files may not grow further.
    let again = Command::new("sh")
        .args(["-c", r#"trap '' XFSZ; ulimit -f 8; exec "$0" --exact "$1""#])
        .arg(env::current_exe().unwrap())
        .arg("journal::what_a_full_disk_cuts_off_does_not_hide_what_comes_later")
        .env(FULL, folder.journal())
        .output()
        .unwrap();
    assert!(again.status.success(), "{again:?}");
    let Rejoining { transactions, damaged_bytes } = folder.read();
    assert_eq!((transactions.last(), damaged_bytes), (Some(&short), 0));
    assert!(transactions.len() > 2, "some of the long ones were there before");
}

#[test]
fn a_journal_grows_long_and_is_short_again() {
    let folder = Folder::new();
    let (mut journal, _) = Journal::open(&folder.journal()).unwrap();
    let long = signed(1, with_input(0, 1, 100_000));
    for _ in 0..10 {
        journal.append([&long]).unwrap();
        assert!(!journal.is_long());
    }
    journal.append([&long]).unwrap();
    assert!(journal.is_long());
    journal.rewrite([&long]).unwrap();
    assert!(!journal.is_long());
}

#[test]
fn a_record_that_was_changed_is_told_and_the_others_come_back() {
    let folder = Folder::new();
    let mut bytes = written(&folder);
    bytes[20] ^= 1;
    fs::write(folder.journal(), &bytes).unwrap();
    let Rejoining { transactions, damaged_bytes } = folder.read();
    assert_eq!(transactions, &some()[1..]);
    assert!(damaged_bytes > 0);
}

proptest! {
    #[test]
    fn whatever_is_damaged_what_comes_back_is_what_went_in(
        at in 0_usize..1_200, byte in any::<u8>(), cut in 0_usize..1_400, junk in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let folder = Folder::new();
        let mut bytes = written(&folder);
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(cut);
        bytes.extend(&junk);
        fs::write(folder.journal(), &bytes).unwrap();
        let Rejoining { transactions, .. } = folder.read();
        prop_assert!(transactions.iter().all(|transaction| some().contains(transaction)));
        prop_assert!(transactions.len() <= some().len());
    }
}

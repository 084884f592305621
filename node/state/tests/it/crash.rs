//! What is left when the process goes without a word.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use parapet_state::{ChainStore, Consequence, Scope, StoreError, StoreSettings};

use crate::{
    chain::{extend, genesis, next_block},
    model::Random,
    restart::assert_same,
};

/// Names the folder to the process that is going to end.
const FOLDER_VARIABLE: &str = "PARAPET_STATE_TEST_FOLDER";
/// Sets how often the process is killed. Thousands of kills are a matter of patience.
const KILLS_VARIABLE: &str = "PARAPET_STATE_TEST_KILLS";
/// Kills where nobody says how many.
const KILLS: u64 = 6;
/// Blocks after which the chain is begun again.
const BLOCKS_MAX: u64 = 200;
/// A process is killed within so many milliseconds of a block that it announced.
const KILL_DELAY_MS: u64 = 20;
/// Makes a test binary run what is meant for that process.
const CHILD_ARGUMENTS: [&str; 4] = ["crash::announces_blocks_while_it_can", "--exact", "--ignored", "--nocapture"];

/// The folder's files as they are now: all that is left when the process is killed now.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("chain")).unwrap();
    for entry in fs::read_dir(dir.join("chain")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join("chain").join(entry.file_name())).unwrap();
    }
    copy
}

/// The newest write-ahead log.
fn newest_log(dir: &Path) -> PathBuf {
    let entries = fs::read_dir(dir.join("chain")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "log")).max().unwrap()
}

fn open(dir: &Path) -> Result<ChainStore, StoreError> {
    ChainStore::open(dir, genesis(1), StoreSettings::default())
}

#[test]
fn a_store_that_is_never_closed_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, mut random) = (open(dir.path()).unwrap(), Random(1));
    for _ in 0..4 {
        extend(&mut store, &mut random, 5);
        assert_same(&store, &open(copy_of(dir.path()).path()).unwrap());
    }
    store.rewind(7).unwrap();
    assert_same(&store, &open(copy_of(dir.path()).path()).unwrap());
}

#[test]
fn a_torn_last_write_leaves_the_block_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, mut random) = (open(dir.path()).unwrap(), Random(2));
    extend(&mut store, &mut random, 4);
    let before = fs::metadata(newest_log(dir.path())).unwrap().len();
    extend(&mut store, &mut random, 1);
    let after = fs::metadata(newest_log(dir.path())).unwrap().len();

    let mut expected = ChainStore::in_memory(genesis(1));
    extend(&mut expected, &mut Random(2), 4);
    for cut in [1, 2, 7, 8, 60, (after - before) / 2, after - before - 1, after - before] {
        let copy = copy_of(dir.path());
        let log = fs::OpenOptions::new().write(true).open(newest_log(copy.path())).unwrap();
        log.set_len(after - cut).unwrap();
        assert_same(&expected, &open(copy.path()).unwrap());
    }
}

#[test]
fn a_flipped_bit_in_the_log_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    extend(&mut open(dir.path()).unwrap(), &mut Random(3), 1);
    let mut store = open(dir.path()).unwrap();
    extend(&mut store, &mut Random(3), 20);
    let log = newest_log(dir.path());
    let length = fs::metadata(&log).unwrap().len() as usize;
    for at in [length / 4, length / 2, length - 20] {
        let copy = copy_of(dir.path());
        let log = newest_log(copy.path());
        let mut bytes = fs::read(&log).unwrap();
        bytes[at] ^= 4;
        fs::write(&log, bytes).unwrap();
        let (error, path) = (open(copy.path()).unwrap_err(), log);
        assert!(matches!(&error, StoreError::DamagedLog { path: named, .. } if *named == path), "{error}");
    }
}

/// A folder with a chain that is all in the write-ahead log, as a kill leaves it.
fn killed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).unwrap();
    extend(&mut store, &mut Random(4), 12);
    let copy = copy_of(dir.path());
    fs::copy(dir.path().join("announced"), copy.path().join("announced")).unwrap();
    copy
}

fn assert_lost(dir: &Path) {
    let error = open(dir).unwrap_err();
    assert!(matches!(error, StoreError::Lost { announced: 12, head, .. } if head < 12), "{error}");
}

#[test]
fn a_log_that_is_gone_or_cut_is_no_older_chain() {
    let gone = killed();
    fs::remove_file(newest_log(gone.path())).unwrap();
    assert_lost(gone.path());
    for part in [0, 1, 2, 3] {
        let cut = killed();
        let log = fs::OpenOptions::new().write(true).open(newest_log(cut.path())).unwrap();
        log.set_len(log.metadata().unwrap().len() * part / 4).unwrap();
        assert_lost(cut.path());
        // The first remedy that the message names: nothing was changed, so the log alone is enough.
        let (refused, whole) = (copy_of(cut.path()), killed());
        fs::copy(cut.path().join("announced"), refused.path().join("announced")).unwrap();
        fs::copy(newest_log(whole.path()), newest_log(refused.path())).unwrap();
        assert_eq!(open(refused.path()).unwrap().head().number(), 12);
        // The second.
        fs::remove_file(cut.path().join("announced")).unwrap();
        let mut store = open(cut.path()).unwrap();
        extend(&mut store, &mut Random(5), 1);
    }
}

#[test]
fn no_flipped_bit_in_the_log_goes_unnoticed() {
    let original = killed();
    let bytes = fs::read(newest_log(original.path())).unwrap();
    let mut random = Random(6);
    for _ in 0..60 {
        let at = random.below(bytes.len() as u64) as usize;
        let copy = copy_of(original.path());
        fs::copy(original.path().join("announced"), copy.path().join("announced")).unwrap();
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << random.below(8);
        fs::write(newest_log(copy.path()), &flipped).unwrap();
        let error = open(copy.path()).map(|_| ()).unwrap_err();
        assert!(matches!(error, StoreError::DamagedLog { .. } | StoreError::Lost { .. }), "byte {at}: {error}");
        assert_eq!(fs::read(newest_log(copy.path())).unwrap(), flipped, "byte {at}: the log can be looked at still");
    }
}

#[test]
fn a_marker_that_a_crash_left_behind_or_tore_does_no_harm() {
    for marker in [&[0; 16][..], &[1, 2, 3], &[]] {
        let dir = killed();
        fs::write(dir.path().join("announced"), marker).unwrap();
        assert_eq!(open(dir.path()).unwrap().head().number(), 12);
    }
}

/// Not a test by itself: runs in a process that is killed or cannot write on, and tells of each block once it is stored.
#[test]
#[ignore = "started by other tests, in a process of its own"]
fn announces_blocks_while_it_can() {
    let dir = PathBuf::from(std::env::var_os(FOLDER_VARIABLE).unwrap());
    let mut store = open(&dir).unwrap();
    let announce = |line: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{line}").unwrap();
        out.flush().unwrap();
    };
    loop {
        let head = store.head();
        let (block, world) = next_block(&store, &mut Random(head.number()));
        if let Err(error) = store.commit(block.clone(), world.clone()) {
            assert!(matches!(error, StoreError::Database { action: "writing a block", .. }), "{error}");
            assert_eq!((store.head(), error.consequence()), (head, Consequence::StopNode));
            let again = store.commit(block, world).unwrap_err();
            announce(format!("stopped: {again}"));
            return;
        }
        announce(format!("block {} {}", store.head().number(), store.head().hash()));
    }
}

fn announcing(command: &mut Command, dir: &Path) -> (Child, impl Iterator<Item = String>) {
    let child = command.env(FOLDER_VARIABLE, dir).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    (child, lines.filter(|line| line.starts_with("block ") || line.starts_with("stopped: ")))
}

/// The announced block is there, and every state has its root.
fn check_announced(store: &ChainStore, announced: &str) {
    let number: u64 = announced.split(' ').nth(1).unwrap().parse().unwrap();
    let block = store.block(number).unwrap().unwrap_or_else(|| panic!("{announced} is gone"));
    assert_eq!(format!("block {number} {}", block.hash()), announced);
    store.verify(Scope::Ends, &mut |_| ()).unwrap();
}

#[test]
fn blocks_that_were_announced_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(11);
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    for _ in 0..kills {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let (mut child, mut lines) = announcing(command.args(CHILD_ARGUMENTS), dir.path());
        let first = lines.nth(random.below(8) as usize).unwrap();
        // In the midst of the next block, or of the one after it, or between them.
        std::thread::sleep(std::time::Duration::from_micros(random.below(KILL_DELAY_MS * 1_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let announced = lines.last().unwrap_or(first);
        let mut store = open(dir.path()).unwrap();
        check_announced(&store, &announced);
        // So that a thousand kills do not come to a chain of many thousand blocks.
        if store.head().number() > BLOCKS_MAX {
            store.rewind(0).unwrap();
        }
    }
}

/// A bound on the size of files stands for a full disk: both fail the write.
#[cfg(unix)]
#[test]
fn blocks_that_were_announced_survive_a_disk_that_takes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe().unwrap()).args(CHILD_ARGUMENTS);
    let (mut child, lines) = announcing(&mut command, dir.path());
    let lines: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{lines:?}");
    let [.., announced, stopped] = &lines[..] else { panic!("{lines:?}") };
    assert!(
        stopped.contains("which failed before") && stopped.contains("there is no room: make some, then start again"),
        "{stopped}"
    );
    let mut store = open(dir.path()).unwrap();
    check_announced(&store, announced);
    extend(&mut store, &mut Random(1), 3);
}

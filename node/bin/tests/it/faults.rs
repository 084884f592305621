//! Folders that the node cannot go on with, and faults that come while it runs: it ends with code 1 and says in one line
//! what is wrong with which file and what to do. It never answers as if nothing were.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, Bytes, U256};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::TransactionRequest;

use crate::{
    guards::{OWNER, guard_ok, pay, payment},
    kills::copy_all,
    process::{Node, parapet},
};

const RECEIVER: Address = Address::repeat_byte(0x42);
/// How often it is looked whether a process has ended, and how often at most.
const LOOKS_MAX: u32 = 1_200;
const LOOK_EVERY: Duration = Duration::from_millis(50);

async fn send(provider: &DynProvider) -> Option<u64> {
    let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::ONE).with_gas_limit(100_000);
    let sent = provider.send_transaction(request).await.ok()?;
    provider.get_transaction_receipt(*sent.tx_hash()).await.ok()??.block_number
}

/// A folder as a kill left it: a chain of some blocks, the newest of them in the write-ahead log.
async fn killed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let node = Node::start(&["--datadir", dir.path().to_str().unwrap()]);
        for _ in 0..3 {
            send(&node.provider()).await.unwrap();
        }
        node.stop("-KILL");
    }
    dir
}

fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_all(dir, copy.path());
    copy
}

/// Files of the database whose names hold this, empty ones left out.
fn files(dir: &Path, part: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.join("chain")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.file_name().unwrap().to_str().unwrap().contains(part) && path.metadata().unwrap().len() > 0
    });
    files.sort_unstable();
    assert!(!files.is_empty(), "no file is called {part}");
    files
}

fn change(file: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    damage(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// How a command ends, which is to end by itself.
fn ended(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..LOOKS_MAX {
        if child.try_wait().unwrap().is_some() {
            return child.wait_with_output().unwrap();
        }
        std::thread::sleep(LOOK_EVERY);
    }
    child.kill().unwrap();
    panic!("it does not end: {:?}", child.wait_with_output().unwrap());
}

/// What a node says that does not start on a folder.
fn refused(dir: &Path) -> String {
    let output = ended(parapet(&["dev", "--port", "0", "--datadir", dir.to_str().unwrap()]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]), "{said}");
    assert!(said.starts_with("parapet: ") && said.lines().count() == 1, "{said}");
    assert!(said.contains(dir.to_str().unwrap()), "{said}");
    said
}

/// A kind of damage, the part of a file's name that it is done to, and what must be said.
type Damage = (&'static str, fn(&Path), &'static [&'static str]);

const FROM_A_COPY: &str = "restore the folder from a copy";

/// Each is done to the newest file of a kind.
const DAMAGES: [Damage; 12] = [
    (
        ".log",
        |file| change(file, |bytes| bytes.truncate(bytes.len() / 2)),
        &["write-ahead log", FROM_A_COPY, "announced"],
    ),
    (".log", |file| change(file, |bytes| bytes[40] ^= 1), &["write-ahead log", ".log is damaged", FROM_A_COPY]),
    (".log", |file| fs::remove_file(file).unwrap(), &["write-ahead log", FROM_A_COPY, "announced"]),
    ("MANIFEST", |file| change(file, |bytes| bytes.truncate(bytes.len() / 2)), &["MANIFEST-", FROM_A_COPY]),
    ("MANIFEST", |file| change(file, |bytes| bytes[40] ^= 1), &["MANIFEST-", FROM_A_COPY]),
    ("MANIFEST", |file| fs::remove_file(file).unwrap(), &["MANIFEST-", "a file is missing", FROM_A_COPY]),
    ("CURRENT", |file| fs::write(file, "").unwrap(), &["CURRENT", FROM_A_COPY]),
    ("CURRENT", |file| fs::write(file, "MANIFEST-999999\n").unwrap(), &["MANIFEST-999999", FROM_A_COPY]),
    ("CURRENT", |file| fs::remove_file(file).unwrap(), &["CURRENT is missing", FROM_A_COPY]),
    (".sst", |file| change(file, |bytes| bytes.truncate(bytes.len() / 2)), &[".sst", FROM_A_COPY]),
    (".sst", |file| fs::remove_file(file).unwrap(), &[".sst", FROM_A_COPY]),
    (".sst", |file| change(file, |bytes| bytes.clear()), &[".sst", FROM_A_COPY]),
];

#[tokio::test]
async fn a_damaged_folder_is_refused_in_one_line_that_names_the_file_and_the_remedy() {
    let dir = killed().await;
    for (index, (part, damage, words)) in DAMAGES.into_iter().enumerate() {
        let copy = copy_of(dir.path());
        let file = files(copy.path(), part).pop().unwrap();
        damage(&file);
        for attempt in ["first", "second"] {
            let said = refused(copy.path());
            for word in words {
                assert!(said.contains(word), "damage {index}, {attempt} attempt, {word:?} is not in: {said}");
            }
        }
        // What the message tells to do, with that file alone: nothing else was changed.
        fs::copy(dir.path().join("chain").join(file.file_name().unwrap()), &file).unwrap();
        let node = Node::start(&["--datadir", copy.path().to_str().unwrap()]);
        assert_eq!(node.provider().get_block_number().await.unwrap(), 6, "damage {index}");
    }
}

#[tokio::test]
async fn flipped_bits_of_tables_are_told_or_do_not_matter() {
    let dir = killed().await;
    let verify = |dir: &Path| ended(parapet(&["db", "verify", dir.to_str().unwrap(), "--json"]));
    let whole = verify(copy_of(dir.path()).path()).stdout;
    let mut told = 0;
    for file in files(dir.path(), ".sst") {
        let copy = copy_of(dir.path());
        change(&copy.path().join("chain").join(file.file_name().unwrap()), |bytes| bytes[16] ^= 4);
        let output = verify(copy.path());
        let said = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => assert_eq!(output.stdout, whole, "{file:?}"),
            Some(1) => {
                assert!(said.contains(file.file_name().unwrap().to_str().unwrap()), "{said}");
                assert!(said.contains(FROM_A_COPY) && said.lines().count() == 1, "{said}");
                told += 1;
            }
            other => panic!("{other:?}: {said}"),
        }
    }
    assert!(told > 3, "{told} were told");
}

/// A running node whose standard error is kept in a file.
fn started(dir: &Path, prefix: &str) -> (Node, PathBuf) {
    let errors = dir.join("errors");
    let shell = format!("{prefix} exec \"$0\" dev --port 0 --json --datadir \"$1\" 2>\"$2\"");
    let mut command = Command::new("bash");
    command.args(["-c", &shell, env!("CARGO_BIN_EXE_parapet"), dir.to_str().unwrap(), errors.to_str().unwrap()]);
    command.env_remove("RUST_LOG");
    (Node::spawn(command), errors)
}

/// The node has ended by itself, and says this.
fn assert_ended(mut node: Node, errors: &Path, words: &[&str]) {
    assert_eq!(node.wait().code(), Some(1));
    let said = fs::read_to_string(errors).unwrap();
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(said.lines().last().unwrap().starts_with("parapet: the node stops"), "{said}");
    assert!(!said.contains("internal error"), "{said}");
}

#[tokio::test]
async fn a_full_disk_stops_the_node_and_loses_no_block_that_was_announced() {
    let dir = tempfile::tempdir().unwrap();
    // Files of this process may not grow beyond 600 KiB, and writing more is an error instead of a signal.
    let (node, errors) = started(dir.path(), "trap '' XFSZ; ulimit -f 600;");
    let provider = node.provider();
    let mut announced = 0;
    for _ in 0..100 {
        let input = Bytes::from(vec![0; 60_000]);
        let request = TransactionRequest::default().with_to(RECEIVER).with_input(input).with_gas_limit(1_000_000);
        let Ok(sent) = provider.send_transaction(request).await else { break };
        let Ok(Some(receipt)) = provider.get_transaction_receipt(*sent.tx_hash()).await else { break };
        announced = receipt.block_number.unwrap();
    }
    assert!((1..100).contains(&announced), "{announced} blocks were stored");
    assert_ended(node, &errors, &["there is no room: make some, then start again", dir.path().to_str().unwrap()]);

    let node = Node::start(&["--datadir", dir.path().to_str().unwrap()]);
    let provider = node.provider();
    assert!(provider.get_block_number().await.unwrap() >= announced);
    send(&provider).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_removed_or_replaced_under_the_node_stops_it() {
    for replaced in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (path, away) = (dir.path().join("here"), dir.path().join("away"));
        fs::create_dir(&path).unwrap();
        let (node, _) = started(&path, "");
        let provider = node.provider();
        assert_eq!(send(&provider).await, Some(1));
        fs::rename(&path, &away).unwrap();
        let other = replaced.then(|| Node::start(&["--datadir", path.to_str().unwrap()]));
        assert_eq!(send(&provider).await, None, "nobody is told of a block that nobody will find");
        assert_ended(node, &away.join("errors"), &["removed or replaced while it was in use", path.to_str().unwrap()]);
        if let Some(other) = other {
            assert_eq!(send(&other.provider()).await, Some(1));
        }
        let node = Node::start(&["--datadir", away.to_str().unwrap()]);
        // The transaction that nobody was told of waits in the pool's journal, so there may be one more block.
        assert!(node.provider().get_block_number().await.unwrap() >= 1);
    }
}

#[tokio::test]
async fn damage_that_is_met_while_the_node_runs_is_told_and_stops_it() {
    let dir = killed().await;
    // The log's records get into tables when the folder is opened, and nothing of them is in memory when it is opened again.
    Node::start(&["--datadir", dir.path().to_str().unwrap()]).stop("-KILL");
    let (node, errors) = started(dir.path(), "");
    let provider = node.provider();
    for file in files(dir.path(), ".sst") {
        change(&file, |bytes| bytes[16] ^= 4);
    }
    // In place of an account that nobody has asked for yet.
    let asked = provider.get_balance(RECEIVER).await;
    let said = asked.unwrap_err().to_string();
    assert!(said.contains(".sst") && said.contains(FROM_A_COPY), "{said}");
    assert_eq!(send(&provider).await, None);
    assert_ended(node, &errors, &[".sst", FROM_A_COPY]);
}

#[tokio::test]
async fn a_damaged_compiled_guard_is_told_and_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(&["--datadir", dir.path().to_str().unwrap()]);
    guard_ok(&node, &["deploy", "outflow_cap"]);
    guard_ok(&node, &["attach", "outflow_cap", "--account", OWNER, "--mode", "enforce", "--param", "tx_max=5 ether"]);
    assert!(pay(&node.provider(), "4").await.status());
    node.stop("-INT");
    let folder = dir.path().join("compiled-guards");
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&file).unwrap();
    let damages: [fn(&mut Vec<u8>); 3] =
        [|bytes| *bytes.last_mut().unwrap() ^= 1, |bytes| bytes.truncate(bytes.len() / 2), Vec::clear];
    for damage in damages {
        change(&file, damage);
        let (node, errors) = started(dir.path(), "");
        let provider = node.provider();
        assert!(pay(&provider, "4").await.status());
        let error = provider.estimate_gas(payment("6")).await.unwrap_err();
        assert!(error.to_string().contains("vetoed by guard outflow_cap"), "{error}");
        node.stop("-INT");
        let said = fs::read_to_string(errors).unwrap();
        assert!(said.contains(file.file_name().unwrap().to_str().unwrap()), "{said}");
        assert!(said.contains("it is damaged, and is compiled again"), "{said}");
        assert_eq!(fs::read(&file).unwrap().len(), whole.len(), "it is whole again");
    }
}

//! `parapet db migrate`, on a folder that a program of the former format left (`tests/fixtures/format-2`).

use std::{collections::BTreeMap, fs, path::Path, process::Stdio, time::Duration};

use alloy_primitives::{Address, B256, U256, b256, utils::parse_ether};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::BlockId;
use serde_json::{Value, json};

use crate::{
    guards::{OWNER, RECEIVER, payment},
    kills::copy_all,
    process::{Node, parapet},
};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/format-2");
/// What its program said of it.
const HEAD: B256 = b256!("0xed5615dfe61f98aa53d9b0cb75dcfd5c15e0bb69470fc6ae4a217c09785c9cee");
const HEAD_NUMBER: u64 = 8;
const VETOED: B256 = b256!("0xb4061b4ad678240cc08e46890b6deb55df41c227f161d40befb7be0d2d592cea");
/// A program that takes a chain over is killed after a time that grows by so much, until it comes to its end.
const KILL_STEP_MS: u64 = 7;
const KILLS_MAX: u64 = 500;
const AMENDED_BEFORE: Address = Address::repeat_byte(0x43);
const AMENDED_AFTER: Address = Address::repeat_byte(0x44);

/// Exit code, what was printed, what was complained of.
fn run(args: &[&str]) -> (Option<i32>, Value, String) {
    let output = parapet(args).output().unwrap();
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), printed, String::from_utf8(output.stderr).unwrap())
}

fn bytes_of(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir.join("chain")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

fn old_folder(dir: &Path) -> String {
    let old = dir.join("old");
    fs::create_dir(&old).unwrap();
    copy_all(Path::new(FIXTURE), &old);
    old.to_str().unwrap().to_owned()
}

#[test]
fn a_takeover_that_is_killed_leaves_the_old_folder_and_no_part_of_a_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (old_folder(dir.path()), dir.path().join("new").to_str().unwrap().to_owned());
    let before = bytes_of(Path::new(&old));
    for kill in 0..KILLS_MAX {
        let mut takeover = parapet(&["db", "migrate", &old, &new]);
        let mut takeover = takeover.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(kill * KILL_STEP_MS));
        let has_ended = takeover.try_wait().unwrap().is_some();
        takeover.kill().unwrap();
        takeover.wait().unwrap();
        assert_eq!(bytes_of(Path::new(&old)), before, "the old folder is as it was");
        let (code, stats, error) = run(&["db", "stats", &new, "--json"]);
        if code == Some(0) {
            assert_eq!(stats["head"], HEAD_NUMBER, "kill {kill}");
            let (code, checked, error) = run(&["db", "verify", &new, "--every", "--json"]);
            assert_eq!((code, &checked["states"]), (Some(0), &json!(HEAD_NUMBER + 1)), "{error}");
            println!("after {kill} kills");
            return;
        }
        assert!(!has_ended && error.contains("there is no chain"), "kill {kill}: {error}");
    }
    panic!("it does not come to its end");
}

#[tokio::test]
async fn a_chain_of_the_former_format_is_refused_with_the_way_over_and_taken_over_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let before = bytes_of(Path::new(&old_folder(dir.path())));
    let (code, _, error) = run(&["dev", "--port", "0", "--datadir", &path("old")]);
    assert_eq!((code, error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("has format 2") && error.contains("parapet db migrate"), "{error}");

    let (code, printed, error) = run(&["db", "migrate", &path("old"), &path("new"), "--json"]);
    assert_eq!((code, printed), (Some(0), json!({ "head": HEAD_NUMBER, "hash": HEAD })), "{error}");
    let (code, _, error) = run(&["db", "migrate", &path("old"), &path("new"), "--json"]);
    assert_eq!((code, error.contains("already")), (Some(1), true), "{error}");
    let (code, checked, error) = run(&["db", "verify", &path("new"), "--every", "--json"]);
    assert_eq!((code, &checked["states"]), (Some(0), &json!(HEAD_NUMBER + 1)), "{error}");
    assert_eq!(bytes_of(Path::new(&path("old"))), before, "the old folder is as it was");

    // Today's chains begin otherwise.
    run(&["db", "export", &path("new"), &path("genesis.json"), "--block", "0"]);
    let node = Node::start(&["--datadir", &path("new"), "--genesis", &path("genesis.json")]);
    let provider = node.provider();
    let head = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!((head.header.number, head.header.hash), (HEAD_NUMBER, HEAD));
    let paid = parse_ether("4").unwrap();
    assert_eq!(provider.get_balance(RECEIVER).await.unwrap(), paid + U256::ONE);
    assert_eq!(provider.get_balance(RECEIVER).block_id(BlockId::from(HEAD_NUMBER - 1)).await.unwrap(), paid);
    assert_eq!(provider.get_balance(AMENDED_BEFORE).await.unwrap(), U256::from(9));
    assert_eq!(provider.get_balance(AMENDED_AFTER).await.unwrap(), U256::from(8), "what waits for a block waits still");
    assert!(!provider.get_transaction_receipt(VETOED).await.unwrap().unwrap().status());
    let contract = OWNER.parse::<Address>().unwrap().create(6);
    assert_eq!(provider.get_storage_at(contract, U256::ONE).await.unwrap(), U256::from(7));
    let verdicts: Value = provider.raw_request("guard_getVerdicts".into(), json!([VETOED])).await.unwrap();
    assert!(verdicts.to_string().contains("outflow_cap"), "{verdicts}");
    // The guard judges on, with what it had counted.
    let error = provider.estimate_gas(payment("5")).await.unwrap_err();
    assert!(error.to_string().contains("vetoed by guard outflow_cap"), "{error}");
}

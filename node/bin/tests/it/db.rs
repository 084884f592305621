//! `parapet db`: what it prints, and that what it writes can be read again.

use std::{fs, path::Path};

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, Bytes, U256};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::{BlockId, TransactionRequest};
use serde_json::{Value, json};

use crate::process::{Node, parapet};

const RECEIVER: Address = Address::repeat_byte(0x42);
/// Returns a contract that stores 7 in slot 1 when it is made, and has the code STOP.
const STORER: [u8; 12] = [0x60, 7, 0x60, 1, 0x55, 0x60, 1, 0x60, 0, 0xf3, 0, 0];

/// Runs `parapet db …`; gives its exit code, what it printed and what it complained of.
fn db(args: &[&str]) -> (i32, String, String) {
    let output = parapet(&["db"]).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn done(args: &[&str]) -> Value {
    let (code, printed, error) = db(&[args, &["--json"]].concat());
    assert_eq!(code, 0, "{args:?}: {error}");
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{args:?} printed {printed:?}"))
}

/// A chain of payments and a contract with storage, in a folder that is not in use any more.
async fn chain(dir: &Path, args: &[&str]) -> u64 {
    let node = Node::start(&[&["--datadir", dir.to_str().unwrap()], args].concat());
    let provider = node.provider();
    let create = TransactionRequest::default().with_deploy_code(Bytes::from_static(&STORER)).with_gas_limit(200_000);
    provider.send_transaction(create).await.unwrap().get_receipt().await.unwrap();
    for value in 1..6u64 {
        let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::from(value));
        provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    }
    let head = provider.get_block_number().await.unwrap();
    assert_eq!(node.stop("-INT").0.code(), Some(0));
    head
}

#[tokio::test]
async fn counts_verifies_rebuilds_and_prunes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let head = chain(dir.path(), &[]).await;
    let stats = done(&["stats", folder]);
    assert_eq!((&stats["head"], &stats["oldestState"]), (&json!(head), &json!(0)));
    assert!(stats["families"].as_array().unwrap().iter().any(|family| family["name"] == "storage_nodes"), "{stats}");
    let checked = done(&["verify", folder, "--every"]);
    assert_eq!((&checked["blocks"], &checked["states"]), (&json!(head + 1), &json!(head + 1)));
    let rebuilt = done(&["rebuild-root", folder]);
    assert_eq!(rebuilt["root"], checked["root"]);
    assert_eq!(done(&["rebuild-root", folder, "--block", "1"])["block"], 1);

    assert_eq!(done(&["prune", folder, "--keep", "2"])["oldestState"], head - 1);
    let (code, _, error) = db(&["rebuild-root", folder, "--block", "1"]);
    assert_eq!((code, error.contains("no longer kept")), (1, true), "{error}");
    let checked = done(&["verify", folder, "--every"]);
    assert_eq!((&checked["blocks"], &checked["states"]), (&json!(head + 1), &json!(2)));
    let (code, printed, _) = db(&["verify", folder]);
    assert_eq!((code, printed.starts_with("all is well")), (0, true), "{printed}");
}

#[tokio::test]
async fn states_of_any_block_are_read_after_a_restart_until_they_are_pruned() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let head = chain(dir.path(), &[]).await;
    let node = Node::start(&["--datadir", folder]);
    let provider = node.provider();
    for number in 1..=head {
        // 1 + 2 + … wei, from the second block on.
        let expected = (number - 1) * number / 2;
        let balance = provider.get_balance(RECEIVER).block_id(BlockId::from(number)).await.unwrap();
        assert_eq!(balance, U256::from(expected), "block {number}");
        let proof = provider.get_proof(RECEIVER, vec![]).block_id(BlockId::from(number)).await.unwrap();
        assert_eq!(proof.balance, U256::from(expected), "block {number}");
    }
    node.stop("-INT");
    let node = Node::start(&["--datadir", folder, "--prune", "3"]);
    let provider = node.provider();
    let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::ONE);
    provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    let error = provider.get_balance(RECEIVER).block_id(BlockId::from(1)).await.unwrap_err();
    assert!(error.as_error_resp().unwrap().message.contains("pruned"), "{error}");
    assert!(provider.get_balance(RECEIVER).block_id(BlockId::from(head)).await.is_ok());
    assert!(provider.get_block_by_number(1.into()).await.unwrap().is_some(), "blocks are kept");
}

#[tokio::test]
async fn a_state_begins_another_chain_in_either_form() {
    let dir = tempfile::tempdir().unwrap();
    chain(&dir.path().join("from"), &[]).await;
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let root = done(&["rebuild-root", &path("from")])["root"].clone();
    for form in ["genesis", "anvil"] {
        let (file, folder) = (path(&format!("{form}.json")), path(form));
        done(&["export", &path("from"), &file, "--form", form]);
        assert_eq!(done(&["import", &folder, &file])["stateRoot"], root, "{form}");
        let (code, _, error) = db(&["import", &folder, &file]);
        assert_eq!((code, error.contains("already")), (1, true), "{error}");
        let node = Node::start(&["--datadir", &folder, "--genesis", &file]);
        assert_eq!(node.provider().get_balance(RECEIVER).await.unwrap(), U256::from(15), "{form}");
        let (code, _, error) = db(&["stats", &folder]);
        assert_eq!((code, error.contains("in use")), (1, true), "{error}");
        node.stop("-INT");
    }
}

#[tokio::test]
async fn a_chain_goes_on_with_its_own_first_block_out_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().join("chain"), dir.path().join("genesis.json"));
    let (folder, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    let head = chain(Path::new(folder), &[]).await;
    done(&["export", folder, file, "--block", "0"]);
    let node = Node::start(&["--datadir", folder, "--genesis", file]);
    assert_eq!(node.provider().get_block_number().await.unwrap(), head);
}

#[tokio::test]
async fn blocks_are_executed_again_in_another_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let genesis = json!({
        "config": { "chainId": 31337, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0 },
        "gasLimit": "0x1c9c380", "timestamp": "0x5",
        "alloc": { "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266": { "balance": "1000000000000000000000" } },
    });
    fs::write(path("genesis.json"), genesis.to_string()).unwrap();
    let head = chain(&dir.path().join("from"), &["--genesis", &path("genesis.json")]).await;
    done(&["export", &path("from"), &path("blocks.rlp"), "--form", "blocks"]);
    done(&["import", &path("to"), &path("genesis.json")]);
    assert_eq!(done(&["import", &path("to"), &path("blocks.rlp")]), json!({ "blocks": head, "head": head }));
    assert_eq!(done(&["import", &path("to"), &path("blocks.rlp")])["blocks"], 0, "they are there already");
    let (from, to) = (done(&["verify", &path("from")]), done(&["verify", &path("to")]));
    assert_eq!(from, to);
    let (code, _, error) = db(&["export", &path("from"), &path("blocks.rlp")]);
    assert_eq!((code, error.contains("blocks.rlp")), (1, true), "a file is not written over: {error}");
}

#[test]
fn a_folder_without_a_chain_is_refused_and_stays_empty() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["stats", "verify", "rebuild-root"] {
        let (code, _, error) = db(&[command, dir.path().to_str().unwrap()]);
        assert_eq!((code, error.contains("there is no chain")), (1, true), "{command}: {error}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

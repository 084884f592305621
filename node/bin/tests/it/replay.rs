//! `parapet replay` from outside: chains that `parapet dev` kept, and real blocks.

use std::{path::Path, process::Output};

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::TransactionRequest;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    guards::{OWNER, guard_ok, pay},
    process::{Node, parapet},
};

/// Creates a contract that adds one to its slot 5 whenever it is called.
/// PUSH1 9 DUP1 PUSH1 9 PUSH0 CODECOPY PUSH0 RETURN; PUSH1 5 SLOAD PUSH1 1 ADD PUSH1 5 SSTORE.
const COUNTER: [u8; 18] = hex!("6009 80 6009 5f 39 5f f3 6005 54 6001 01 6005 55");
/// Where the first account's first contract lies.
const CONTRACT: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
/// Calls of the counter in one block.
const CALLS: u64 = 40;

/// Sends without waiting for a block, and without an estimate: nothing is mined yet.
async fn send(provider: &DynProvider, request: TransactionRequest) {
    let _pending = provider.send_transaction(request.with_gas_limit(200_000)).await.unwrap();
}

async fn mine(provider: &DynProvider) {
    provider.raw_request::<_, Value>("evm_mine".into(), ()).await.unwrap();
}

fn transfer(to: u8) -> TransactionRequest {
    TransactionRequest::default().with_to(Address::repeat_byte(to)).with_value(U256::from(7))
}

/// A chain with a creation, an empty block, a block of calls that all meet in one slot, and a block of transfers.
async fn chain(folder: &Path) {
    let node = Node::start(&["--no-mining", "--datadir", folder.to_str().unwrap()]);
    let provider = node.provider();
    send(&provider, TransactionRequest::default().with_deploy_code(Bytes::from(COUNTER))).await;
    mine(&provider).await;
    mine(&provider).await;
    for _ in 0..CALLS {
        send(&provider, TransactionRequest::default().with_to(CONTRACT.parse().unwrap())).await;
    }
    mine(&provider).await;
    for receiver in 0..30 {
        send(&provider, transfer(0x50 + receiver)).await;
    }
    mine(&provider).await;
    let counted = provider.get_storage_at(CONTRACT.parse().unwrap(), U256::from(5)).await.unwrap();
    assert_eq!(counted, U256::from(CALLS));
    assert_eq!(node.stop("-INT").0.code(), Some(0));
}

fn replay(folder: &Path, args: &[&str]) -> Output {
    parapet(&[&["replay", "--datadir", folder.to_str().unwrap()], args].concat()).output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one line that a failure is told in.
fn failure(output: &Output) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(output.stdout.is_empty());
    error
}

#[tokio::test]
async fn a_kept_chain_is_what_it_was_and_the_hot_slot_is_named() {
    let folder = TempDir::new().unwrap();
    chain(folder.path()).await;

    let output = replay(folder.path(), &["--threads", "2", "--explain"]);
    let table = text(&output);
    assert_eq!(output.status.code(), Some(0), "{table}");
    let blocks: Vec<_> = table.lines().filter(|line| line.ends_with("  as it was")).collect();
    assert_eq!(blocks.len(), 4, "{table}");
    let last = "4 blocks executed again, by 2 threads and sequentially: 0 differ";
    assert_eq!(table.lines().last(), Some(last));
    let hot = format!("  slot 0x5 of {CONTRACT} was fought over {} times", CALLS - 1);
    let chain = format!("  the longest wait is a chain of {CALLS} transactions with 100% of the gas");
    for expected in [hot, chain] {
        assert_eq!(
            table.lines().filter(|line| line.starts_with(&expected)).count(),
            1,
            "{expected:?} is not in\n{table}"
        );
    }

    let output = replay(folder.path(), &["--block", "3", "--threads", "1", "--explain", "--json"]);
    let report: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!((&report["replayed"], &report["different"], &report["threads"]), (&1.into(), &0.into(), &1.into()));
    let block = &report["blocks"][0];
    assert_eq!((&block["block"], &block["matches"]), (&"3".into(), &true.into()));
    assert_eq!((&block["transactions"], &block["speculated"]), (&CALLS.into(), &0.into()));
    let ran = block["settled"].as_u64().unwrap() + block["asOne"].as_u64().unwrap();
    assert_eq!(ran, CALLS, "one thread runs each of them once, and nothing ahead");
    for count in ["putOff", "hintsRight", "hintsWrong"] {
        assert_eq!(block[count], 0, "one thread has nobody to wait for: {count}");
    }
    let waits = &block["waits"];
    assert_eq!((&waits["waiting"], &waits["chainTransactions"]), (&(CALLS - 1).into(), &CALLS.into()));
    assert_eq!((&waits["chainGas"], &waits["gas"]), (&block["gas"], &block["gas"]));
    let place = &waits["places"][0];
    assert_eq!((&place["slot"], &place["times"]), (&"0x5".into(), &(CALLS - 1).into()));
    assert_eq!(place["address"].as_str().unwrap().parse::<Address>().unwrap(), CONTRACT.parse::<Address>().unwrap());
    assert_eq!(waits["places"].as_array().unwrap().len(), 1);

    // Nobody waits for anybody where nobody shares a slot, and nothing is explained that was not asked for.
    for (args, blocks) in [(["--blocks", "2..4"], 3), (["--blocks", "4..4"], 1)] {
        let output = replay(folder.path(), &[&args[..], &["--json", "--threads", "8"]].concat());
        let report: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!(report["replayed"], blocks);
        assert!(report["blocks"][0]["waits"].is_null());
    }
    let output = replay(folder.path(), &["--block", "4", "--explain"]);
    assert!(!text(&output).contains("fought over"), "{}", text(&output));
}

#[tokio::test]
async fn blocks_with_transactions_of_impersonated_accounts_are_what_they_were() {
    let folder = TempDir::new().unwrap();
    let node = Node::start(&["--no-mining", "--datadir", folder.path().to_str().unwrap()]);
    let provider = node.provider();
    let (contract, stranger): (Address, _) = (CONTRACT.parse().unwrap(), Address::repeat_byte(0x71));
    let ether = U256::from(10).pow(U256::from(18));
    send(&provider, TransactionRequest::default().with_deploy_code(Bytes::from(COUNTER))).await;
    for account in [stranger, contract] {
        send(&provider, TransactionRequest::default().with_to(account).with_value(ether)).await;
    }
    mine(&provider).await;
    // A stranger's key nobody has, and a contract has none; an account of the node's own sends in the same block.
    for account in [stranger, contract] {
        provider.raw_request::<_, Value>("anvil_impersonateAccount".into(), [account]).await.unwrap();
        for (to, input) in [(Address::repeat_byte(0x72), Bytes::new()), (contract, Bytes::from_static(&[1]))] {
            let sent = serde_json::json!([{ "from": account, "to": to, "gas": "0x186a0", "input": input }]);
            provider.raw_request::<_, Value>("eth_sendTransaction".into(), sent).await.unwrap();
        }
    }
    send(&provider, transfer(0x73)).await;
    mine(&provider).await;
    let block = provider.get_block_by_number(2.into()).await.unwrap().unwrap();
    assert_eq!(block.transactions.len(), 5);
    node.stop("-INT");

    for threads in ["1", "2"] {
        let output = replay(folder.path(), &["--threads", threads, "--json", "--explain"]);
        let report: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!((&report["replayed"], &report["different"]), (&2.into(), &0.into()), "{report}");
    }
    let verified = parapet(&["db", "verify", folder.path().to_str().unwrap()]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test]
async fn a_block_that_is_not_what_it_was_is_told_and_ends_with_code_1() {
    let folder = TempDir::new().unwrap();
    let node = Node::start(&["--no-mining", "--datadir", folder.path().to_str().unwrap()]);
    let provider = node.provider();
    send(&provider, transfer(0x60)).await;
    mine(&provider).await;
    let amended = (Address::repeat_byte(0x61), U256::from(9));
    provider.raw_request::<_, ()>("anvil_setBalance".into(), amended).await.unwrap();
    send(&provider, transfer(0x62)).await;
    mine(&provider).await;
    node.stop("-INT");

    let output = replay(folder.path(), &["--threads", "2"]);
    let table = text(&output);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(lines[1].ends_with("  as it was"), "{table}");
    let differs =
        lines[2].contains("DIFFERS: the header has 0x") && lines[2].contains(" as state root, executing it again");
    assert!(differs && lines[2].contains("anvil_set"), "{table}");
    assert_eq!(lines[3], "2 blocks executed again, by 2 threads and sequentially: 1 DIFFER");
    assert_eq!(replay(folder.path(), &["--block", "1"]).status.code(), Some(0));

    let output = replay(folder.path(), &["--block", "2", "--json"]);
    let report: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!((&report["different"], &report["blocks"][0]["matches"]), (&1.into(), &false.into()));
    assert!(report["blocks"][0]["mismatch"].as_str().unwrap().contains("state root"), "{report}");
}

#[tokio::test]
async fn guards_say_the_same_again() {
    let folder = TempDir::new().unwrap();
    let node = Node::start(&["--datadir", folder.path().to_str().unwrap()]);
    guard_ok(&node, &["deploy", "outflow_cap"]);
    let parameters =
        ["--param", "tx_max=5 ether", "--param", "window_max=8 ether", "--param", "window_seconds=10000000"];
    guard_ok(&node, &[&["attach", "outflow_cap", "--account", OWNER, "--mode", "enforce"][..], &parameters].concat());
    let provider = node.provider();
    let mut succeeded = Vec::new();
    for ether in ["1", "2", "6", "1"] {
        succeeded.push(pay(&provider, ether).await.status());
    }
    assert_eq!(succeeded, [true, true, false, true], "the third pays more than the guard allows");
    let head = provider.get_block_number().await.unwrap();
    node.stop("-INT");

    for threads in ["1", "2"] {
        let output = replay(folder.path(), &["--threads", threads, "--json", "--explain"]);
        let report: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!((&report["replayed"], &report["different"]), (&head.into(), &0.into()), "{report}");
        let waits = report["blocks"].as_array().unwrap().iter().map(|block| &block["waits"]);
        assert!(
            waits.clone().all(|waits| waits.is_object()),
            "guards do not keep blocks from being explained: {report}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_replayed_is_one_readable_line() {
    let folder = TempDir::new().unwrap();
    let absent = folder.path().join("absent");
    for path in [absent.as_path(), folder.path()] {
        assert!(failure(&replay(path, &[])).contains("there is no chain in"), "{path:?}");
    }
    assert!(!absent.exists(), "looking begins no chain");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "looking begins no chain");

    let node = Node::start(&["--datadir", folder.path().to_str().unwrap()]);
    assert!(failure(&replay(folder.path(), &[])).contains("in use by another process"));
    node.stop("-INT");
    assert!(failure(&replay(folder.path(), &[])).contains("has no block but its first"));
    assert!(failure(&replay(folder.path(), &["--block", "7"])).contains("there is no block 7: the newest is block 0"));
    assert!(failure(&replay(folder.path(), &["--chain-id", "5"])).contains("chain id 31337"));
    let fixtures = parapet(&["replay", "--fixtures", absent.to_str().unwrap()]).output().unwrap();
    assert!(failure(&fixtures).contains("absent does not exist"));
    let none = TempDir::new().unwrap();
    let path = none.path().to_str().unwrap();
    let fixtures = parapet(&["replay", "--fixtures", path]).output().unwrap();
    assert!(failure(&fixtures).contains("holds no real blocks"));
    std::fs::write(none.path().join("block.json"), "{}").unwrap();
    let fixtures = parapet(&["replay", "--fixtures", path]).output().unwrap();
    assert!(failure(&fixtures).contains("no real blocks can be read"));
}

#[test]
fn wrong_use_says_what_is_right() {
    for (args, expected) in [
        (&["replay"][..], "--datadir <FOLDER>|--fixtures <FOLDER>"),
        (&["replay", "--datadir", "a", "--fixtures", "b"], "cannot be used with"),
        (&["replay", "--datadir", "a", "--block", "0"], "--block"),
        (&["replay", "--datadir", "a", "--blocks", "9..3"], "as in 3..7"),
        (&["replay", "--datadir", "a", "--block", "1", "--blocks", "1..3"], "cannot be used with"),
        (&["replay", "--datadir", "a", "--threads", "257"], "1 to 256"),
        (&["replay", "--fixtures", "a", "--block", "1"], "cannot be used with"),
    ] {
        let output = parapet(args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn real_blocks_are_what_they_were() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let Some(fixtures) = parapet_fixtures::unpacked(project).unwrap() else {
        println!("skipped: there are no fixtures beside the project");
        return;
    };
    let file = fixtures.join("prestate-blocks/19933122.json");
    let arguments = ["replay", "--fixtures", file.to_str().unwrap(), "--threads", "2", "--explain"];
    let output = parapet(&arguments).output().unwrap();
    let table = text(&output);
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(table.contains("prestate-blocks/19933122 ") && table.contains("  as it was"), "{table}");
    assert!(table.contains(" transactions needed what an earlier one of the block wrote"), "{table}");
    let last = "1 block executed again, by 2 threads and sequentially: 0 differ";
    assert_eq!(table.lines().last(), Some(last));
}

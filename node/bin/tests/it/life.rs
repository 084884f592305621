//! The whole life of a guard, by `parapet guard` alone: watched in shadow, enforced, attacked with a stolen key, broken, paused,
//! upgraded and removed; and whatever takes the chain back takes the registry back.

use alloy_network::{EthereumWallet, TransactionBuilder as _};
use alloy_primitives::{Address, Selector, U256, keccak256, utils::parse_ether};
use alloy_provider::{DynProvider, Provider as _, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use serde_json::{Value, json};

use crate::{
    guards::hostile_module,
    process::{Node, parapet},
};

/// Account 0 of every development chain is its guardian.
const GUARDIAN: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Account 1 owns what is guarded: itself. Whoever stole the key is this account, too.
const OWNER: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
/// Account 2 runs the guard.
const MANAGER: &str = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
const RECEIVER: Address = Address::repeat_byte(0x42);
const DAY_S: u64 = 86_400;
/// At most 5 ether in one transaction, and 12 in three years.
const CAPS: [&str; 6] =
    ["--param", "tx_max=5 ether", "--param", "window_max=12 ether", "--param", "window_seconds=100000000"];

fn address(key: &str) -> Address {
    key.parse::<PrivateKeySigner>().unwrap().address()
}

/// Runs `parapet guard …`, signed where a key is given; gives its exit code and what it printed.
fn run(node: &Node, key: Option<&str>, arguments: &[&str]) -> (i32, Value) {
    let mut command = parapet(&["guard"]);
    command.args(arguments).args(["--json", "--rpc-url", node.ready["http"].as_str().unwrap()]);
    if let Some(key) = key {
        command.args(["--private-key", key]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?} printed {text:?}, {output:?}"));
    (output.status.code().unwrap(), printed)
}

fn done(node: &Node, key: &str, arguments: &[&str]) -> Value {
    let (code, printed) = run(node, Some(key), arguments);
    assert_eq!(code, 0, "{arguments:?}: {printed}");
    printed
}

/// What was set going waits, under this name.
fn waits(node: &Node, key: &str, arguments: &[&str], kind: &str) {
    let printed = done(node, key, arguments);
    assert_eq!(printed["waiting"]["kind"], kind, "{arguments:?}: {printed}");
}

fn refused(node: &Node, key: &str, arguments: &[&str], words: &str) {
    let (code, printed) = run(node, Some(key), arguments);
    let error = printed["error"].to_string();
    assert!(code == 1 && error.contains(words), "{arguments:?}: {printed}");
}

fn shown(node: &Node, id: &str) -> Value {
    let (code, printed) = run(node, None, &["show", id]);
    assert_eq!(code, 0, "{printed}");
    printed
}

fn pending(node: &Node) -> Vec<String> {
    let (_, printed) = run(node, None, &["pending"]);
    let kinds = printed["pending"].as_array().unwrap().iter();
    kinds.map(|change| change["kind"].as_str().unwrap().to_owned()).collect()
}

/// A client without memory: nonces move by other means, too.
fn client(node: &Node, key: &str) -> DynProvider {
    let wallet = EthereumWallet::from(key.parse::<PrivateKeySigner>().unwrap());
    let url = node.ready["http"].as_str().unwrap().parse().unwrap();
    ProviderBuilder::new().wallet(wallet).connect_http(url).erased()
}

/// Whether a payment of the owner's stood.
async fn pays(node: &Node, ether: &str) -> bool {
    let payment =
        TransactionRequest::default().with_to(RECEIVER).with_value(parse_ether(ether).unwrap()).with_gas_limit(200_000);
    let sent = client(node, OWNER).send_transaction(payment).await.unwrap();
    sent.get_receipt().await.unwrap().status()
}

async fn raw<T: serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + Unpin + 'static>(
    node: &Node,
    method: &'static str,
    argument: Value,
) -> T {
    client(node, OWNER).raw_request(method.into(), json!([argument])).await.unwrap()
}

async fn after_a_day(node: &Node) {
    let _: Value = raw(node, "evm_increaseTime", json!(DAY_S + 3_600)).await;
    client(node, OWNER).raw_request::<_, Value>("evm_mine".into(), ()).await.unwrap();
}

async fn snapshot(node: &Node) -> U256 {
    client(node, OWNER).raw_request("evm_snapshot".into(), ()).await.unwrap()
}

async fn revert(node: &Node, snapshot: U256) {
    assert!(raw::<bool>(node, "evm_revert", json!(snapshot)).await);
}

/// A node on which the owner has proposed a guard that lets 5 ether pass in one transaction, and a day has passed.
async fn watched(args: &[&str]) -> (Node, String) {
    let node = Node::start(args);
    done(&node, OWNER, &["deploy", "outflow_cap"]);
    let (owner, manager, day) = (address(OWNER).to_string(), address(MANAGER).to_string(), DAY_S.to_string());
    let attach = ["attach", "outflow_cap", "--account", &owner, "--mode", "shadow"];
    let life = ["--delay", &day, "--manager", &manager, "--escape", "rescue()", "--demotion-share", "2500"];
    let attached = done(&node, OWNER, &[&attach[..], &CAPS, &life].concat());
    assert_eq!(attached["waiting"]["kind"], "attach", "{attached}");
    let id = attached["attachment"].as_str().unwrap().to_owned();
    assert_eq!(pending(&node), ["attach"]);
    refused(&node, MANAGER, &["apply", &id, "attach"], "waits until the block time");
    after_a_day(&node).await;
    // Anyone may.
    done(&node, GUARDIAN, &["apply", &id, "attach"]);
    (node, id)
}

/// As [`watched`], and the guard enforces.
async fn enforced(args: &[&str]) -> (Node, String) {
    let (node, id) = watched(args).await;
    waits(&node, MANAGER, &["set-mode", &id, "enforce"], "mode");
    after_a_day(&node).await;
    done(&node, OWNER, &["apply", &id, "mode"]);
    (node, id)
}

#[tokio::test]
async fn a_guard_is_watched_and_enforced_and_its_counts_are_public() {
    let (node, id) = watched(&[]).await;
    assert!(pays(&node, "6").await, "in shadow nothing is vetoed");
    let counts = &shown(&node, &id)["counts"];
    assert_eq!((&counts["judged"], &counts["wouldVeto"], &counts["vetoed"]), (&json!(1), &json!(1), &json!(0)));

    waits(&node, OWNER, &["set-mode", &id, "enforce"], "mode");
    assert!(pays(&node, "6").await, "what waits does not hold yet");
    after_a_day(&node).await;
    done(&node, OWNER, &["apply", &id, "mode"]);
    assert!(!pays(&node, "6").await);
    assert!(pays(&node, "5").await);

    let shown = shown(&node, &id);
    assert_eq!(shown["mode"], "enforce");
    let rescue = Selector::from_slice(&keccak256("rescue()")[..4]);
    assert_eq!(shown["terms"]["escapes"], json!([rescue]));
    assert_eq!((&shown["terms"]["demotionShare"], &shown["delay"]), (&json!(2_500), &json!(DAY_S)));
    let counts = &shown["counts"];
    assert_eq!((&counts["judged"], &counts["wouldVeto"], &counts["vetoed"]), (&json!(4), &json!(2), &json!(1)));
    assert!(counts["fuel"].as_u64().unwrap() > 0);
    let (_, listed) = run(&node, None, &["list"]);
    assert_eq!(listed["attachments"][0]["counts"], *counts);
}

#[tokio::test]
async fn a_stolen_owner_key_removes_nothing_in_time() {
    let (node, id) = enforced(&[]).await;
    // The thief has the owner's key, and tries everything.
    for (arguments, kind) in [
        (&["detach", &id][..], "detach"),
        (&["set-mode", &id, "shadow"], "mode"),
        (&["set-delay", &id, "0"], "delay"),
        (&["configure", &id, "--param", "tx_max=1000000 ether"], "content"),
        (&["set-terms", &id, "--escape", "anything()", "--failure", "open"], "terms"),
        (&["propose-manager", &id, "0x0000000000000000000000000000000000000000"], "manager"),
    ] {
        waits(&node, OWNER, arguments, kind);
        refused(&node, OWNER, &["apply", &id, kind], "waits until the block time");
    }
    refused(&node, OWNER, &["pause", &id], "is not the chain's guardian");
    assert!(!pays(&node, "6").await, "the theft is vetoed meanwhile");

    // Whoever runs the guard stops all of it but its own dismissal, and the guardian that.
    for kind in ["detach", "mode", "delay", "content", "terms"] {
        done(&node, MANAGER, &["cancel", &id, kind]);
    }
    refused(&node, MANAGER, &["cancel", &id, "manager"], "may not cancel");
    done(&node, GUARDIAN, &["cancel", &id, "manager"]);
    assert!(pending(&node).is_empty());
    after_a_day(&node).await;
    refused(&node, OWNER, &["apply", &id, "detach"], "no such change waits");
    assert!(!pays(&node, "6").await);
}

#[tokio::test]
async fn a_broken_guard_is_paused_at_once_and_upgraded_with_its_state() {
    let (node, id) = enforced(&[]).await;
    assert!(pays(&node, "4").await);
    let folder = tempfile::tempdir().unwrap();
    let broken =
        done(&node, OWNER, &["deploy", &hostile_module(folder.path(), "broken", "unreachable")])["module"].clone();
    waits(&node, OWNER, &["upgrade", &id, broken.as_str().unwrap()], "content");
    assert!(pays(&node, "1").await && !pays(&node, "6").await, "until then the old guard judges");
    after_a_day(&node).await;
    done(&node, OWNER, &["apply", &id, "content"]);
    assert!(!pays(&node, "1").await, "it traps at everything");
    done(&node, GUARDIAN, &["pause", &id]);
    assert!(pays(&node, "6").await, "nobody is judged while it is paused");

    let mended = [&["upgrade", &id, "outflow_cap"][..], &CAPS].concat();
    waits(&node, OWNER, &mended, "content");
    waits(&node, GUARDIAN, &["unpause", &id], "unpause");
    after_a_day(&node).await;
    done(&node, OWNER, &["apply", &id, "content"]);
    assert!(pays(&node, "6").await);
    done(&node, OWNER, &["apply", &id, "unpause"]);
    assert!(!pays(&node, "6").await);
    let shown = shown(&node, &id);
    assert_eq!(
        (&shown["guard"], &shown["paused"], &shown["revision"]),
        (&json!("outflow_cap"), &json!(false), &json!(5))
    );
    assert!(shown["counts"]["vetoed"].as_u64().unwrap() >= 3, "its counts go on: {shown}");
    // So does its state: the 5 ether that left before the upgrade are in the window still.
    assert!(pays(&node, "5").await);
    assert!(!pays(&node, "3").await);
    assert!(pays(&node, "1").await);
}

#[tokio::test]
async fn an_upgrade_that_the_new_guard_refuses_changes_nothing() {
    let (node, id) = enforced(&[]).await;
    let wrong = [
        "upgrade",
        &id,
        "outflow_cap",
        "--param",
        "tx_max=9 ether",
        "--param",
        "window_max=9",
        "--param",
        "window_seconds=0",
    ];
    waits(&node, OWNER, &wrong, "content");
    let before = shown(&node, &id);
    after_a_day(&node).await;
    // It is vetted as it is applied, in the registry's name.
    refused(&node, OWNER, &["apply", &id, "content"], "window_seconds");
    let after = shown(&node, &id);
    assert_eq!((&after["configuration"], &after["revision"]), (&before["configuration"], &before["revision"]));
    assert!(!pays(&node, "6").await, "the old guard goes on");
    assert!(pays(&node, "5").await);
}

#[tokio::test]
async fn the_managers_office_is_handed_on_and_a_guard_is_removed_when_its_delay_has_passed() {
    let (node, id) = enforced(&[]).await;
    let next = address(GUARDIAN).to_string();
    done(&node, MANAGER, &["propose-manager", &id, &next]);
    refused(&node, OWNER, &["accept-manager", &id], "was not offered");
    done(&node, GUARDIAN, &["accept-manager", &id]);
    assert_eq!(shown(&node, &id)["manager"].as_str().unwrap().to_lowercase(), next.to_lowercase());
    let account = address(OWNER).to_string();
    let (_, authority) = run(&node, None, &["authority", &account, "--of", &account]);
    assert_eq!((&authority["isConfirmed"], &authority["hasAuthority"]), (&json!(true), &json!(true)));
    done(&node, OWNER, &["confirm-authority", &account]);

    waits(&node, OWNER, &["detach", &id], "detach");
    after_a_day(&node).await;
    assert!(!pays(&node, "6").await, "until somebody applies it");
    done(&node, MANAGER, &["apply", &id, "detach"]);
    assert!(pays(&node, "6").await);
    let (code, printed) = run(&node, None, &["show", &id]);
    assert!(code == 1 && printed["error"].to_string().contains(&id), "{printed}");
}

#[tokio::test]
async fn what_takes_the_chain_back_takes_the_registry_back() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--datadir", folder.path().to_str().unwrap()];
    let (node, id) = enforced(&args).await;
    waits(&node, OWNER, &["detach", &id], "detach");
    after_a_day(&node).await;
    let before = snapshot(&node).await;
    done(&node, OWNER, &["apply", &id, "detach"]);
    assert!(pays(&node, "6").await);
    revert(&node, before).await;
    assert!(!pays(&node, "6").await, "the index is that of the head that holds again");
    let counted = shown(&node, &id)["counts"].clone();
    assert_eq!(pending(&node), ["detach"]);
    node.stop("-KILL");

    let node = Node::start(&args);
    assert_eq!(pending(&node), ["detach"]);
    assert_eq!(shown(&node, &id)["counts"], counted);
    assert!(!pays(&node, "6").await);
    let before = snapshot(&node).await;
    done(&node, GUARDIAN, &["pause", &id]);
    assert!(pays(&node, "6").await);
    revert(&node, before).await;
    assert!(!pays(&node, "6").await);
    done(&node, OWNER, &["apply", &id, "detach"]);
    assert!(pays(&node, "6").await);
}

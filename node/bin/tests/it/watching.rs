//! Who watches is told as blocks come, of the chain's guards or of one of its own, and misses nothing.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use alloy_primitives::B256;
use alloy_provider::Provider as _;
use serde_json::{Value, json};

use crate::{
    guards::{OWNER, guard_ok, pay, verdict},
    process::{Node, parapet},
    tryouts::{BOUNDS, history},
};

/// `parapet guard watch`, and the lines that it has printed.
struct Watching {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watching {
    /// Waits until it says that it watches.
    fn start(node: &Node, arguments: &[&str]) -> Self {
        let mut command = parapet(&["guard", "watch", "--json", "--rpc-url", node.ready["http"].as_str().unwrap()]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("watching"), "{line}");
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Presses Ctrl-C, and gives exit code and last line.
    fn stop(mut self) -> (Option<i32>, Value) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let last = self.next();
        (self.child.wait().unwrap().code(), last)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

#[tokio::test]
async fn who_watches_is_told_of_vetoes_as_blocks_come_and_of_what_takes_their_place() {
    let node = Node::start(&[]);
    guard_ok(&node, &["deploy", "outflow_cap"]);
    let attach = ["attach", "outflow_cap", "--account", OWNER, "--param", "tx_max=3 ether"];
    let attachment = guard_ok(&node, &attach)["attachment"].clone();
    let provider = node.provider();
    let mut alerts = Watching::start(&node, &["--attachment", attachment.as_str().unwrap()]);
    let mut everything = Watching::start(&node, &["--all"]);
    let others = Watching::start(&node, &["--attachment", &B256::repeat_byte(9).to_string()]);
    let snapshot: Value = provider.raw_request("evm_snapshot".into(), ()).await.unwrap();
    let honest = pay(&provider, "1").await.transaction_hash;
    let theft = pay(&provider, "4").await.transaction_hash;
    let told = alerts.next();
    assert_eq!((&told["transaction"], &told["outcome"], &told["code"]), (&json!(theft), &"veto".into(), &1.into()));
    assert_eq!((&told["attachment"], told["reason"].is_string()), (&attachment, true));
    let told = [everything.next(), everything.next()].map(|said| said["transaction"].clone());
    assert_eq!(told, [json!(honest), json!(theft)]);
    // The chain is taken back, and another theft takes the place of the first.
    let _: Value = provider.raw_request("evm_revert".into(), (snapshot,)).await.unwrap();
    let other = pay(&node.provider(), "4.5").await.transaction_hash;
    assert_eq!(alerts.next()["transaction"], json!(other));
    assert_eq!(everything.next()["transaction"], json!(other));
    let (code, last) = others.stop();
    assert_eq!((code, &last["watched"]["verdicts"]), (Some(0), &0.into()));
    let (code, last) = alerts.stop();
    assert_eq!((code, &last["watched"]["verdicts"]), (Some(0), &2.into()));
}

#[tokio::test]
async fn a_monitor_of_ones_own_is_told_as_blocks_come_and_keeps_its_window() {
    let node = Node::start(&[]);
    let provider = node.provider();
    let with = [&["--with", "outflow_cap", "--account", OWNER][..], &BOUNDS].concat();
    let mut watching = Watching::start(&node, &with);
    let (_, theft) = history(&provider).await;
    let told = watching.next();
    assert_eq!((&told["transaction"], &told["outcome"]), (&json!(theft), &"would_veto".into()), "{told}");
    // It has no authority, pays nothing, and acts nowhere.
    assert!(provider.get_transaction_receipt(theft).await.unwrap().unwrap().status());
    assert_eq!(verdict(&node, theft)["verdicts"], json!([]));
    let (code, last) = watching.stop();
    assert_eq!((code, &last["watched"]["verdicts"]), (Some(0), &1.into()));
}

/// A port that is free now.
fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

#[tokio::test]
async fn who_watches_waits_for_a_node_that_goes_away_and_misses_nothing() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let args = ["--datadir", folder.path().to_str().unwrap()];
    let node = Node::start_at(&port, &args);
    guard_ok(&node, &["deploy", "outflow_cap"]);
    guard_ok(&node, &["attach", "outflow_cap", "--account", OWNER, "--param", "tx_max=3 ether"]);
    let mut watching = Watching::start(&node, &[]);
    let first = pay(&node.provider(), "4").await.transaction_hash;
    assert_eq!(watching.next()["transaction"], json!(first));
    node.stop("-KILL");
    let node = Node::start_at(&port, &args);
    let second = pay(&node.provider(), "5").await.transaction_hash;
    assert_eq!(watching.next()["transaction"], json!(second));
    let (code, last) = watching.stop();
    assert_eq!((code, &last["watched"]["verdicts"]), (Some(0), &2.into()));
}

//! `parapet node`: a durable node by its settings, from its start to its end.

use std::{
    io::{BufRead as _, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Stdio,
};

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, U256, utils::parse_ether};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::TransactionRequest;
use serde_json::{Value, json};

use crate::process::{KEY, Node, parapet};

const RECEIVER: Address = Address::repeat_byte(0x42);

/// The first account of development chains, which has something here, and nothing to say.
const SENDER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const GUARDIAN: &str = "0x4747474747474747474747474747474747474747";

/// A genesis written into a folder by the program itself.
fn genesis(folder: &Path) -> String {
    let file = folder.join("genesis.json");
    let file = file.to_str().unwrap();
    let fund = format!("{SENDER}=1000.5");
    let written = parapet(&[
        "config",
        "genesis",
        file,
        "--chain-id",
        "31337",
        "--guardian",
        GUARDIAN,
        "--governance",
        GUARDIAN,
        "--fund",
        &fund,
    ])
    .output()
    .unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    file.to_owned()
}

/// Status and body of a GET.
pub(crate) fn get(node: &Node, path: &str, host: &str) -> (u16, String) {
    let address = node.ready["http"].as_str().unwrap().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Code of the error with which a call is refused.
async fn refused(node: &Node, method: &'static str, params: Value) -> i64 {
    let error = node.provider().raw_request::<_, Value>(method.into(), params).await.unwrap_err();
    error.as_error_resp().unwrap().code
}

#[tokio::test]
async fn a_node_by_a_file_keeps_its_chain_and_serves_nothing_for_development() {
    let dir = tempfile::tempdir().unwrap();
    let genesis = genesis(dir.path());
    let (chain, file) = (dir.path().join("chain"), dir.path().join("parapet.toml"));
    assert!(parapet(&["config", "init", file.to_str().unwrap()]).output().unwrap().status.success());
    let args =
        ["--config", file.to_str().unwrap(), "--datadir", chain.to_str().unwrap(), "--set", "builder.mining=instant"];
    let node = Node::start_node(&[&args[..], &["--genesis", &genesis]].concat());
    assert_eq!((&node.ready["chainId"], &node.ready["head"]), (&31_337.into(), &0.into()));
    let provider = node.provider();
    for (method, params) in [
        ("anvil_mine", json!([])),
        ("evm_setNextBlockTimestamp", json!([1])),
        ("hardhat_setBalance", json!([RECEIVER, "0x1"])),
        ("eth_sendUnsignedTransaction", json!([{"from": RECEIVER}])),
    ] {
        assert_eq!(refused(&node, method, params).await, -32_601, "{method}");
    }
    let registry: Address = "0x5061726170657400000000000000000000000001".parse().unwrap();
    assert!(!provider.get_code_at(registry).await.unwrap().is_empty());
    assert_eq!(provider.get_balance(SENDER.parse().unwrap()).await.unwrap(), parse_ether("1000.5").unwrap());
    let modules: Value = provider.raw_request("rpc_modules".into(), ()).await.unwrap();
    assert!(modules.get("eth").is_some() && modules.get("anvil").is_none(), "{modules}");
    assert_eq!(provider.get_accounts().await.unwrap(), Vec::<Address>::new());
    let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::from(5));
    assert!(provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap().status());
    assert_eq!(get(&node, "/health", "localhost").0, 200);
    assert_eq!(
        get(&node, "/ready", "127.0.0.1"),
        (200, r#"{"ready":true,"checks":{"builder":"ok","head":"ok","serving":"ok","store":"ok"}}"#.into())
    );
    assert_eq!(get(&node, "/health", "evil.example").0, 403, "a name that was rebound");
    assert_eq!(node.stop("-TERM").0.code(), Some(0));

    // What it began with is known from then on.
    let node = Node::start_node(&args);
    assert_eq!(node.ready["head"], 1);
    assert_eq!(node.provider().get_balance(RECEIVER).await.unwrap(), U256::from(5));
    assert_eq!(node.stop("-TERM").0.code(), Some(0));
}

#[test]
fn a_node_without_a_folder_or_a_beginning_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = dir.path().join("nothing");
    let public = ["config", "genesis", "g.json", "--chain-id", "5", "--guardian", SENDER, "--governance", GUARDIAN];
    for (args, code, expected) in [
        (&["node"][..], 2, "chain.datadir"),
        (&["node", "--datadir", nothing.to_str().unwrap()], 1, "nothing"),
        (&["node", "--set", "rpc.prot=5"], 2, "did you mean rpc.port?"),
        (&["node", "--set", "rpc.port"], 2, "NAME=VALUE"),
        (&["node", "--config", "/no/such/file.toml"], 2, "/no/such/file.toml"),
        (&["config", "check", "/no/such/file.toml"], 2, "/no/such/file.toml"),
        (&public, 2, "everybody has the key"),
    ] {
        let output = parapet(args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn the_commented_default_is_written_once_and_can_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("parapet.toml");
    let file = file.to_str().unwrap();
    let printed = parapet(&["config", "init"]).output().unwrap().stdout;
    assert!(parapet(&["config", "init", file]).output().unwrap().status.success());
    assert_eq!(std::fs::read(file).unwrap(), printed);
    assert!(parapet(&["config", "check", file]).output().unwrap().status.success());
    assert_eq!(parapet(&["config", "init", file]).output().unwrap().status.code(), Some(1), "it is there");
}

#[test]
fn a_node_whose_head_is_old_says_that_it_is_of_no_use_and_lives() {
    let dir = tempfile::tempdir().unwrap();
    let genesis = genesis(dir.path());
    // Of long ago.
    let mut begun: Value = serde_json::from_str(&std::fs::read_to_string(&genesis).unwrap()).unwrap();
    begun["timestamp"] = json!("0x5f5e100");
    std::fs::write(&genesis, begun.to_string()).unwrap();
    let chain = dir.path().join("chain");
    let node = Node::start_node(&[
        "--datadir",
        chain.to_str().unwrap(),
        "--genesis",
        &genesis,
        "--set",
        "builder.mining=none",
        "--set",
        "health.head_age_max=1s",
    ]);
    let (status, body) = get(&node, "/ready", "localhost");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains(r#""ready":false"#) && body.contains("1 s are allowed"), "{body}");
    assert_eq!(get(&node, "/health", "localhost").0, 200);
}

/// A request whose body never comes, so that the node waits for it.
fn half_a_request(node: &Node) -> TcpStream {
    let address = node.ready["http"].as_str().unwrap().strip_prefix("http://").unwrap();
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    )
    .unwrap();
    // It was read once another request is answered.
    assert_eq!(get(node, "/health", "localhost").0, 200);
    half
}

#[test]
fn a_node_that_is_told_to_stop_waits_for_a_request_until_its_deadline_and_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let (genesis, chain) = (genesis(dir.path()), dir.path().join("chain"));
    let settings = ["--set", "stop.deadline=300ms", "--set", "rpc.limits.body_time_max=1h"];
    let node =
        Node::start_node(&[&["--datadir", chain.to_str().unwrap(), "--genesis", &genesis][..], &settings].concat());
    let _half = half_a_request(&node);
    assert_eq!(node.stop("-TERM").0.code(), Some(0));
}

#[test]
fn a_second_signal_ends_a_node_that_waits_for_a_request() {
    let node = Node::start(&[]);
    let _half = half_a_request(&node);
    node.signal("-TERM");
    while !is_closed(&node) {
        std::thread::yield_now();
    }
    let (status, _) = node.stop("-TERM");
    assert_eq!(status.code(), Some(128 + 15));
}

/// Whether the node takes no more connections.
fn is_closed(node: &Node) -> bool {
    let address = node.ready["http"].as_str().unwrap().strip_prefix("http://").unwrap();
    TcpStream::connect(address).is_err()
}

#[tokio::test]
async fn a_log_for_programs_is_json_and_no_log_holds_a_secret() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = parapet(&["dev", "--port", "0", "--json", "--log", "trace", "--log-format", "json"]);
    command.stderr(Stdio::from(log.reopen().unwrap()));
    let node = Node::spawn_with_log(command);
    let token = "a-token-that-opens-doors";
    let address = node.ready["http"].as_str().unwrap().strip_prefix("http://").unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "personal_sign", "params": ["0x01", node.ready["accounts"][0]["address"]]});
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("result"), "{answer}");
    // Signed by the node, with a key that it holds.
    let params = json!([{"from": node.ready["accounts"][0]["address"], "to": RECEIVER, "value": "0x1"}]);
    node.provider().raw_request::<_, Value>("eth_sendTransaction".into(), params).await.unwrap();
    node.stop("-TERM");

    let lines: Vec<String> = std::io::BufReader::new(log.reopen().unwrap()).lines().map(Result::unwrap).collect();
    assert!(lines.len() > 10, "everything is logged");
    for line in &lines {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(parsed["level"].is_string() && parsed["timestamp"].is_string(), "{line}");
        for secret in [token, KEY.strip_prefix("0x").unwrap(), "test test test"] {
            assert!(!line.to_lowercase().contains(secret), "{line}");
        }
    }
}

#[test]
fn shells_and_man_are_told_every_command() {
    for (shell, marker) in [("bash", "_parapet"), ("zsh", "#compdef parapet"), ("fish", "complete -c parapet")] {
        let text = String::from_utf8(parapet(&["completions", shell]).output().unwrap().stdout).unwrap();
        assert!(text.contains(marker) && text.contains("check-sequential"), "{shell}: {text}");
    }
    let page = String::from_utf8(parapet(&["man"]).output().unwrap().stdout).unwrap();
    assert!(page.contains(".TH parapet 1") && page.contains("parapet\\-node"), "{page}");
    let dir = tempfile::tempdir().unwrap();
    assert!(parapet(&["man", "--out", dir.path().to_str().unwrap()]).output().unwrap().status.success());
    for name in ["parapet.1", "parapet-node.1", "parapet-db-export.1", "parapet-guard-attach.1"] {
        assert!(dir.path().join(name).exists(), "{name}");
    }
}

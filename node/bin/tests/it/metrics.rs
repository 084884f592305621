//! `GET /metrics` of a running node, as Prometheus asks for it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, Bytes, U256};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::TransactionRequest;
use serde_json::json;

use crate::{kills::draw, process::Node};

/// The page, without its headers.
fn page(node: &Node) -> String {
    let url = node.ready["metrics"].as_str().unwrap();
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    body.to_owned()
}

/// Values by name, without those of single buckets.
fn values(page: &str) -> BTreeMap<&str, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#') && !line.is_empty() && !line.contains('{'));
    lines.map(|line| line.split_once(' ').unwrap()).map(|(name, value)| (name, value.parse().unwrap())).collect()
}

#[tokio::test]
async fn what_the_executor_did_is_counted_block_by_block() {
    let node = Node::start(&["--threads", "2", "--check-sequential"]);
    assert_eq!(node.ready["threads"], 2);
    let first = page(&node);
    assert_eq!(values(&first).get("parapet_executor_threads"), Some(&2.0));
    assert_eq!(values(&first).get("parapet_executor_blocks_total"), Some(&0.0), "counts begin at zero");
    let provider = node.provider();
    for _ in 0..3 {
        let request = TransactionRequest::default().with_to(Address::repeat_byte(0x42)).with_value(U256::ONE);
        let receipt = provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
        assert!(receipt.status());
    }
    let page = page(&node);
    let values = values(&page);
    for (name, expected) in [
        ("parapet_executor_threads", 2.0),
        ("parapet_executor_blocks_total", 3.0),
        ("parapet_executor_transactions_total", 3.0),
        ("parapet_executor_left_out_transactions_total", 0.0),
        ("parapet_executor_gas_total", 63_000.0),
        ("parapet_executor_conflicts_total", 0.0),
        ("parapet_executor_waits_total", 0.0),
        ("parapet_executor_right_hints_total", 0.0),
        ("parapet_executor_wrong_hints_total", 0.0),
        ("parapet_executor_block_transactions_sum", 3.0),
        ("parapet_executor_block_gas_sum", 63_000.0),
        ("parapet_executor_block_wall_seconds_count", 3.0),
        ("parapet_executor_block_cpu_seconds_count", 3.0),
        ("parapet_executor_block_slots_count", 3.0),
    ] {
        assert_eq!(values.get(name), Some(&expected), "{name} in\n{page}");
    }
    // A transfer meets its two ends, at least.
    assert!(values["parapet_executor_block_accounts_sum"] >= 6.0, "{page}");
    assert!(values["parapet_executor_block_wall_seconds_sum"] > 0.0, "{page}");
    let ran = ["speculated_incarnations", "settled_incarnations", "as_one_transactions"];
    let ran: f64 = ran.iter().map(|kind| values[format!("parapet_executor_{kind}_total").as_str()]).sum();
    assert!(ran >= 3.0, "{page}");
    assert!(page.contains("# HELP parapet_executor_conflicts_total "), "{page}");
    assert!(page.contains("# TYPE parapet_executor_block_wall_seconds histogram"), "{page}");
}

/// Types by name, as a page of metrics tells them.
fn told(page: &str) -> BTreeMap<String, String> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    lines.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// Types by name, as the page for people has them.
fn documented() -> BTreeMap<String, String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(name, rest)| (name.to_owned(), rest.split_once(" | ").unwrap().0.to_owned())).collect()
}

#[tokio::test]
async fn the_page_for_people_has_every_metric_of_a_running_node_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(&["--datadir", dir.path().to_str().unwrap()]);
    let provider = node.provider();
    let request = TransactionRequest::default().with_to(Address::repeat_byte(0x42)).with_value(U256::ONE);
    provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    provider.raw_request::<_, ()>("eth_flyToTheMoon".into(), ()).await.unwrap_err();
    assert_eq!(told(&page(&node)), documented());
}

#[tokio::test]
async fn calls_are_counted_by_method_and_names_that_clients_make_up_are_not_kept() {
    let node = Node::start(&[]);
    let provider = node.provider();
    for _ in 0..3 {
        provider.get_chain_id().await.unwrap();
    }
    for name in ["eth_one", "eth_two"] {
        provider.raw_request::<_, ()>(name.into(), ()).await.unwrap_err();
    }
    let page = page(&node);
    for line in [
        r#"parapet_rpc_calls_total{method="eth_chainId"} 3"#,
        r#"parapet_rpc_calls_total{method="unknown"} 2"#,
        r#"parapet_rpc_failed_calls_total{method="unknown"} 2"#,
        "parapet_node_ready 1",
        "parapet_chain_head_number 0",
    ] {
        assert!(page.lines().any(|told| told == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("eth_one"), "{page}");
}

/// What a node tells of its store, by the rest of the names.
fn store(node: &Node) -> BTreeMap<String, f64> {
    let page = page(node);
    let named = values(&page).into_iter();
    named.filter_map(|(name, value)| Some((name.strip_prefix("parapet_store_")?.to_owned(), value))).collect()
}

/// A block with so many bytes in it, of which none can be compressed away.
async fn block_of(provider: &DynProvider, bytes: usize) {
    let input: Bytes = (0..bytes).map(|place| draw(place as u64, 256) as u8).collect();
    let request = TransactionRequest::default().with_to(Address::repeat_byte(0x42)).with_input(input);
    let sent = provider.send_transaction(request.with_gas_limit(4_000_000)).await.unwrap();
    assert!(sent.get_receipt().await.unwrap().status());
}

#[tokio::test]
async fn what_the_store_takes_and_writes_is_told_block_by_block() {
    const BYTES: usize = 60_000;
    const MIB: f64 = 1_048_576.0;
    let dir = tempfile::tempdir().unwrap();
    // Of 16 MiB, what is not in files yet has an eighth, and so have recent blocks.
    let args = ["--datadir", dir.path().to_str().unwrap(), "--cache", "16"];
    let node = Node::start(&args);
    let provider = node.provider();
    block_of(&provider, 0).await;
    let first = store(&node);
    assert_eq!(first.len(), 8, "{first:?}");
    block_of(&provider, BYTES).await;
    let second = store(&node);
    let grown = |name: &str| second[name] - first[name];
    for name in ["log_bytes_total", "write_buffer_bytes", "recent_blocks_bytes"] {
        assert!(grown(name) >= BYTES as f64, "{name}: {first:?}, then {second:?}");
    }
    assert!(grown("trie_bytes") > 0.0, "a block changes nodes: {first:?}, then {second:?}");
    assert_eq!(second["file_bytes_total"], first["file_bytes_total"], "there is room in memory");

    for place in 0..50 {
        provider.get_balance(Address::with_last_byte(100 + place)).await.unwrap();
    }
    for _ in 0..40 {
        block_of(&provider, BYTES).await;
    }
    let third = store(&node);
    for name in ["cached_values", "value_bytes"] {
        assert!(third[name] > second[name], "{name}: {second:?}, then {third:?}");
    }
    assert!(third["file_bytes_total"] >= MIB, "more was written than may wait: {third:?}");
    assert!(third["write_buffer_bytes"] < third["log_bytes_total"], "{third:?}");
    assert!(third["recent_blocks_bytes"] <= 2.0 * MIB, "{third:?}");
    provider.raw_request::<_, ()>("anvil_rollback".into(), json!([40])).await.unwrap();
    let fourth = store(&node);
    assert!(fourth["recent_blocks_bytes"] < 2.0 * BYTES as f64, "the head alone is left: {fourth:?}");
    node.stop("-INT");

    let node = Node::start(&args);
    block_of(&node.provider(), 0).await;
    let fifth = store(&node);
    assert!(
        fifth["block_cache_bytes"] > 0.0 && fifth["cached_values"] >= 2.0,
        "accounts are read from files: {fifth:?}"
    );
    assert!(fifth["block_cache_bytes"] <= 4.0 * MIB, "{fifth:?}");
}

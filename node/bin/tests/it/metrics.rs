//! `GET /metrics` of a running node, as Prometheus asks for it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, U256};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::TransactionRequest;

use crate::process::Node;

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

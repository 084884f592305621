//! Logs and polled filters.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_network::ReceiptResponse as _;
use alloy_primitives::{Address, B256};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::Filter;
use jsonrpsee::{
    core::client::{Error as ClientError, SubscriptionClientT as _},
    rpc_params,
};
use parapet_builder::{BLOCKS_PER_REQUEST_MAX, Settings};
use parapet_monitor::NoMonitor;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO, exchange};

/// A node with a contract that logs whenever it is called.
async fn echoing(limits: Limits) -> (Dev, Address) {
    let dev = Dev::with(Settings::default(), limits, Arc::new(NoMonitor)).await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    (dev, echo)
}

async fn log(dev: &Dev, echo: Address, data: &str) {
    dev.ask("eth_sendTransaction", json!([{"from": dev.address(0), "to": echo, "data": data}])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_found_by_address_topic_and_range() {
    let (dev, echo) = echoing(Limits::default()).await;
    log(&dev, echo, "0x01").await;
    log(&dev, echo, "0x02").await;
    let seven = B256::with_last_byte(7);
    let logs = dev.provider.get_logs(&Filter::new().from_block(0).address(echo).event_signature(seven)).await.unwrap();
    assert_eq!(logs.iter().map(|log| log.data().data[0]).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(logs.iter().map(|log| log.block_number.unwrap()).collect::<Vec<_>>(), [2, 3]);
    let other = Filter::new().from_block(0).address(Address::ZERO);
    assert!(dev.provider.get_logs(&other).await.unwrap().is_empty());
    let hash = dev.chain.block(2).unwrap().unwrap().hash();
    assert_eq!(dev.provider.get_logs(&Filter::new().at_block_hash(hash)).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_ranges_and_too_much_are_refused() {
    let limits = Limits { log_blocks_max: 2, logs_max: 1, ..Limits::default() };
    let (dev, echo) = echoing(limits).await;
    log(&dev, echo, "0x01").await;
    let code = async |filter: Value| dev.ask("eth_getLogs", json!([filter])).await.unwrap_err().code;
    assert_eq!(code(json!({"fromBlock": "0x2", "toBlock": "0x1"})).await, -32_602);
    assert_eq!(code(json!({"fromBlock": "0x0", "toBlock": "0x63"})).await, -32_602);
    assert_eq!(code(json!({"blockHash": B256::ZERO})).await, -32_000);
    assert_eq!(code(json!({"fromBlock": "0x0"})).await, -32_005);
    log(&dev, echo, "0x02").await;
    assert_eq!(code(json!({"fromBlock": "0x2"})).await, -32_005);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_report_each_thing_once() {
    let (dev, echo) = echoing(Limits::default()).await;
    let logs = dev.ask("eth_newFilter", json!([{"address": echo}])).await.unwrap();
    let blocks = dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    let pending = dev.ask("eth_newPendingTransactionFilter", json!([])).await.unwrap();
    let whole = dev.ask("eth_newPendingTransactionFilter", json!([true])).await.unwrap();
    log(&dev, echo, "0x01").await;
    let transfer = dev.transfer().await;
    let changes = async |id: &Value| dev.ask("eth_getFilterChanges", json!([id])).await.unwrap();
    assert_eq!(changes(&logs).await.as_array().unwrap().len(), 1);
    assert_eq!(changes(&blocks).await.as_array().unwrap().len(), 2);
    assert_eq!(changes(&pending).await.as_array().unwrap().len(), 2);
    let came = changes(&whole).await;
    assert_eq!((&came[1]["hash"], &came[1]["value"]), (&json!(transfer.transaction_hash), &json!("0x1")));
    for id in [&logs, &blocks, &pending] {
        assert_eq!(changes(id).await, json!([]));
    }
    assert_eq!(dev.ask("eth_getFilterLogs", json!([logs])).await.unwrap().as_array().unwrap().len(), 0);
    assert_eq!(dev.ask("eth_uninstallFilter", json!([logs])).await.unwrap(), true);
    assert_eq!(dev.ask("eth_uninstallFilter", json!([logs])).await.unwrap(), false);
    let refused = dev.ask("eth_getFilterChanges", json!([logs])).await.unwrap_err();
    assert!(refused.message.starts_with("filter not found"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_in_place_of_dropped_ones_are_new_to_a_filter() {
    let dev = Dev::start().await;
    let snapshot = dev.ask("evm_snapshot", json!([])).await.unwrap();
    let blocks = dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    dev.transfer().await;
    dev.ask("eth_getFilterChanges", json!([blocks])).await.unwrap();
    dev.ask("evm_revert", json!([snapshot])).await.unwrap();
    dev.transfer().await;
    let changes = dev.ask("eth_getFilterChanges", json!([blocks])).await.unwrap();
    assert_eq!(changes, json!([dev.chain.head().block.hash()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_answer_cannot_hold_is_left_for_the_next_poll() {
    let (dev, echo) = echoing(Limits { log_blocks_max: 2, logs_max: 1, ..Limits::default() }).await;
    let logs = dev.ask("eth_newFilter", json!([{"address": echo}])).await.unwrap();
    let blocks = dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    for data in ["0x01", "0x02", "0x03"] {
        log(&dev, echo, data).await;
    }
    let changes = async |id: &Value| dev.ask("eth_getFilterChanges", json!([id])).await.unwrap();
    for data in ["0x01", "0x02", "0x03"] {
        let told = changes(&logs).await;
        assert_eq!((told.as_array().unwrap().len(), &told[0]["data"]), (1, &json!(data)));
    }
    for count in [2, 1, 0] {
        assert_eq!(changes(&blocks).await.as_array().unwrap().len(), count);
    }
    assert_eq!(changes(&logs).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_name_too_much_are_refused_whoever_is_to_keep_them() {
    let (dev, echo) = echoing(Limits { filter_values_max: 3, ..Limits::default() }).await;
    let filter = |topics: &[u8]| {
        let topics: Vec<_> = topics.iter().map(|topic| B256::with_last_byte(*topic)).collect();
        json!([{"address": echo, "topics": [topics]}])
    };
    for method in ["eth_getLogs", "eth_newFilter"] {
        dev.ask(method, filter(&[1, 2])).await.unwrap();
        assert_eq!(dev.ask(method, filter(&[1, 2, 3])).await.unwrap_err().code, -32_005, "{method}");
    }
    let socket = dev.socket().await;
    let subscribe = async |filter: Value| {
        let params = rpc_params!["logs", filter[0].clone()];
        socket.subscribe::<Value, _>("eth_subscribe", params, "eth_unsubscribe").await.map(drop)
    };
    subscribe(filter(&[1, 2])).await.unwrap();
    let refused = subscribe(filter(&[1, 2, 3])).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Call(error) if error.code() == -32_005), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_calls_that_no_answer_could_hold_are_not_collected() {
    let (dev, echo) = echoing(Limits { response_bytes_max: 20_000, ..Limits::default() }).await;
    let data = format!("0x{}", "01".repeat(6_000));
    log(&dev, echo, &data).await;
    dev.ask("eth_getLogs", json!([{"fromBlock": "0x0"}])).await.unwrap();
    log(&dev, echo, &data).await;
    for (method, filter) in
        [("eth_getLogs", json!([{"fromBlock": "0x0"}])), ("trace_filter", json!([{"fromBlock": "0x0"}]))]
    {
        let refused = dev.ask(method, filter).await.unwrap_err();
        assert_eq!(refused.code, -32_005, "{method}: {}", refused.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_bounded_in_number() {
    let (dev, _) = echoing(Limits { filters_max: 2, ..Limits::default() }).await;
    let first = dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    assert_eq!(dev.ask("eth_newBlockFilter", json!([])).await.unwrap_err().code, -32_005);
    dev.ask("eth_uninstallFilter", json!([first])).await.unwrap();
    dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_nobody_polls_is_dropped_and_one_that_is_polled_stays() {
    let seconds = Arc::new(AtomicU64::new(1_800_000_000));
    let now = Arc::clone(&seconds);
    let clock = Arc::new(move || now.load(Ordering::SeqCst));
    let dev = Dev::timed(Settings::default(), Limits::default(), Arc::new(NoMonitor), clock).await;
    let idle = dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    let polled = dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    for _ in 0..3 {
        seconds.fetch_add(200, Ordering::SeqCst);
        dev.ask("eth_getFilterChanges", json!([polled])).await.unwrap();
    }
    let refused = dev.ask("eth_getFilterChanges", json!([idle])).await.unwrap_err();
    assert!(refused.message.starts_with("filter not found"), "{}", refused.message);
}

/// Blocks of a long chain: `PARAPET_LOG_BLOCKS=1000000` for a very long one.
fn long() -> u64 {
    std::env::var("PARAPET_LOG_BLOCKS").ok().map_or(1_000, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_over_a_long_chain_are_found_in_time_or_refused_and_blocks_go_on_meanwhile() {
    let limits = Limits { log_blocks_max: long() + 100, heavy_reads_max: 2, ..Limits::default() };
    let (dev, echo) = echoing(limits).await;
    let dev = Arc::new(dev);
    log(&dev, echo, "0x01").await;
    let mut left = long();
    while left > 0 {
        let blocks = left.min(BLOCKS_PER_REQUEST_MAX);
        dev.ask("anvil_mine", json!([format!("{blocks:#x}")])).await.unwrap();
        left -= blocks;
    }
    let all = json!([{"fromBlock": "0x0", "toBlock": "latest", "address": echo}]);
    let (asker, asked) = (Arc::clone(&dev), all.clone());
    let asking = tokio::spawn(async move {
        for _ in 0..8 {
            let found = asker.ask("eth_getLogs", asked.clone()).await.unwrap();
            assert_eq!(found.as_array().unwrap().len(), 1);
        }
    });
    for _ in 0..20 {
        let before = dev.chain.head().block.number();
        dev.transfer().await;
        assert_eq!(dev.chain.head().block.number(), before + 1);
    }
    asking.await.unwrap();
    let limits = Limits { log_blocks_max: long() / 2, ..Limits::default() };
    let settings = parapet_rpc::Settings { limits, ..parapet_rpc::Settings::default() };
    let narrow = parapet_rpc::serve(dev.chain.clone(), &[], settings).await.unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": all}).to_string();
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let (_, refused) = exchange(narrow.address(), "POST / HTTP/1.1", &headers, body.as_bytes()).await;
    assert!(refused.contains("-32005"), "{refused}");
}

//! Subscriptions over WebSocket.

use alloy_network::ReceiptResponse as _;
use jsonrpsee::{
    core::{
        client::{ClientT as _, Error, Subscription, SubscriptionClientT as _},
        params::ArrayParams,
    },
    rpc_params,
};
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO};

async fn subscribe(dev: &Dev, params: ArrayParams) -> Result<Subscription<Value>, Error> {
    let socket = dev.socket().await;
    let subscription = socket.subscribe("eth_subscribe", params, "eth_unsubscribe").await;
    // A client closes its connection with its last handle; the subscription needs it until the test ends.
    std::mem::forget(socket);
    subscription
}

#[tokio::test(flavor = "multi_thread")]
async fn new_heads_arrive_as_they_are_mined() {
    let dev = Dev::start().await;
    let mut heads = subscribe(&dev, rpc_params!["newHeads"]).await.unwrap();
    dev.transfer().await;
    dev.transfer().await;
    for number in ["0x1", "0x2"] {
        let head = heads.next().await.unwrap().unwrap();
        assert_eq!(head["number"], number);
        assert!(head["hash"].is_string());
    }
    heads.unsubscribe().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_arrive_filtered_and_are_taken_back_with_their_block() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let snapshot = dev.ask("evm_snapshot", json!([])).await.unwrap();
    let mut logs = subscribe(&dev, rpc_params!["logs", json!({"address": echo})]).await.unwrap();
    dev.transfer().await;
    let call = json!([{"from": dev.address(0), "to": echo, "data": "0x2a"}]);
    dev.ask("eth_sendTransaction", call).await.unwrap();
    let log = logs.next().await.unwrap().unwrap();
    assert_eq!((&log["data"], &log["removed"]), (&json!("0x2a"), &json!(false)));
    dev.ask("evm_revert", json!([snapshot])).await.unwrap();
    let log = logs.next().await.unwrap().unwrap();
    assert_eq!((&log["data"], &log["removed"]), (&json!("0x2a"), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_transactions_arrive_as_hashes_or_whole() {
    let dev = Dev::start().await;
    let mut hashes = subscribe(&dev, rpc_params!["newPendingTransactions"]).await.unwrap();
    let mut whole = subscribe(&dev, rpc_params!["newPendingTransactions", true]).await.unwrap();
    let receipt = dev.transfer().await;
    assert_eq!(hashes.next().await.unwrap().unwrap(), json!(receipt.transaction_hash));
    assert_eq!(whole.next().await.unwrap().unwrap()["hash"], json!(receipt.transaction_hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_subscriptions_are_refused_and_calls_work_on_the_same_port() {
    let dev = Dev::start().await;
    for params in [rpc_params!["newMoons"], rpc_params!["newHeads", true], rpc_params!["transactionReceipts"]] {
        let Err(Error::Call(refused)) = subscribe(&dev, params).await else { panic!("it was accepted") };
        assert_eq!(refused.code(), -32_602, "{}", refused.message());
    }
    let number: Value = dev.socket().await.request("eth_blockNumber", rpc_params![]).await.unwrap();
    assert_eq!(number, "0x0");
}

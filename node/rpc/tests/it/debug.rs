//! Debug traces and encodings.

use std::sync::Arc;

use alloy_eips::eip2718::Decodable2718 as _;
use alloy_network::ReceiptResponse as _;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use parapet_builder::Settings;
use parapet_monitor::NoMonitor;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO};

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_traced_in_its_place() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let call = json!([{"from": dev.address(0), "to": echo, "data": "0x2a"}]);
    let hash = dev.ask("eth_sendTransaction", call).await.unwrap();
    let receipt = dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap();

    let steps = dev.ask("debug_traceTransaction", json!([hash])).await.unwrap();
    assert_eq!(steps["failed"], false);
    assert_eq!(steps["structLogs"][0]["op"], "CALLDATASIZE");
    let calls = dev.ask("debug_traceTransaction", json!([hash, {"tracer": "callTracer"}])).await.unwrap();
    assert_eq!((&calls["type"], &calls["output"]), (&json!("CALL"), &json!("0x2a")));
    assert_eq!(calls["gasUsed"], receipt["gasUsed"]);

    let refused = dev.ask("debug_traceTransaction", json!([B256::ZERO])).await.unwrap_err();
    assert!(refused.message.starts_with("transaction not found"), "{}", refused.message);
    let refused = dev.ask("debug_traceTransaction", json!([hash, {"tracer": "nonsenseTracer"}])).await.unwrap_err();
    assert_eq!(refused.code, -32_602, "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_traced() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let params = json!([{"to": echo, "data": "0x2b"}, "latest", {"tracer": "callTracer"}]);
    assert_eq!(dev.ask("debug_traceCall", params).await.unwrap()["output"], "0x2b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_of_too_many_steps_is_refused_and_not_cut_silently() {
    let limits = Limits { trace_steps_max: 12, ..Limits::default() };
    let dev = Dev::with(Settings::default(), limits, Arc::new(NoMonitor)).await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let trace = async |to: Address, options: Value| {
        dev.ask("debug_traceCall", json!([{"to": to, "data": "0x2b"}, "latest", options])).await
    };
    // The contract ends with its twelfth step.
    assert_eq!(trace(echo, json!({})).await.unwrap()["structLogs"].as_array().unwrap().len(), 11);
    let endless = Address::repeat_byte(0x15);
    dev.ask("anvil_setCode", json!([endless, "0x5b5f56"])).await.unwrap();
    assert_eq!(trace(endless, json!({})).await.unwrap_err().code, -32_005);
    assert_eq!(trace(endless, json!({"limit": 5})).await.unwrap()["structLogs"].as_array().unwrap().len(), 5);
    assert!(trace(endless, json!({"tracer": "callTracer"})).await.unwrap()["error"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings_are_those_that_hashes_are_of() {
    let dev = Dev::start().await;
    let receipt = dev.transfer().await;
    let bytes =
        async |method, params| -> Bytes { serde_json::from_value(dev.ask(method, params).await.unwrap()).unwrap() };
    let header = bytes("debug_getRawHeader", json!(["0x1"])).await;
    assert_eq!(Some(keccak256(&header)), receipt.block_hash);
    let raw = bytes("debug_getRawTransaction", json!([receipt.transaction_hash])).await;
    assert_eq!(keccak256(&raw), receipt.transaction_hash);
    assert_eq!(bytes("eth_getRawTransactionByHash", json!([receipt.transaction_hash])).await, raw);
    let block = bytes("debug_getRawBlock", json!(["latest"])).await;
    assert!(block.len() > header.len() + raw.len());
    let receipts = dev.ask("debug_getRawReceipts", json!(["latest"])).await.unwrap();
    let first: Bytes = serde_json::from_value(receipts[0].clone()).unwrap();
    assert!(alloy_consensus::ReceiptEnvelope::decode_2718_exact(&first).unwrap().status());
}

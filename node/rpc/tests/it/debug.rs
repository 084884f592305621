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

    let traced = async |tracer: &str, config: Value| {
        let options = json!({"tracer": tracer, "tracerConfig": config});
        dev.ask("debug_traceTransaction", json!([hash, options])).await.unwrap()
    };
    assert_eq!(traced("noopTracer", json!({})).await, json!({}));
    assert!(traced("4byteTracer", json!({})).await.is_object());
    assert_eq!(traced("flatCallTracer", json!({})).await[0]["action"]["input"], "0x2a");
    assert!(traced("prestateTracer", json!({"diffMode": true})).await["post"].is_object());
    let muxed = traced("muxTracer", json!({"callTracer": {}, "4byteTracer": null})).await;
    assert_eq!((&muxed["callTracer"]["output"], muxed["4byteTracer"].is_object()), (&json!("0x2a"), true));

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

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_block_is_traced_in_its_order() {
    let limits = Limits { trace_steps_max: 15, ..Limits::default() };
    let dev = Dev::with(Settings::default(), limits, Arc::new(NoMonitor)).await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let mut hashes = Vec::new();
    for data in ["0x01", "0x02"] {
        let call = json!([{"from": dev.address(0), "to": echo, "data": data}]);
        hashes.push(dev.ask("eth_sendTransaction", call).await.unwrap());
    }
    dev.ask("evm_mine", json!([])).await.unwrap();
    let options = json!({"tracer": "callTracer"});
    let traces = dev.ask("debug_traceBlockByNumber", json!(["latest", options])).await.unwrap();
    let outputs: Vec<_> = traces.as_array().unwrap().iter().map(|trace| trace["result"]["output"].clone()).collect();
    assert_eq!(outputs, [json!("0x01"), json!("0x02")]);
    assert_eq!([&traces[0]["txHash"], &traces[1]["txHash"]], [&hashes[0], &hashes[1]]);
    let block = dev.ask("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    let by_hash = dev.ask("debug_traceBlockByHash", json!([block["hash"], options])).await.unwrap();
    assert_eq!(by_hash, traces);

    // Each of the two has eleven steps: one is answered, both together are too many.
    assert!(dev.ask("debug_traceTransaction", json!([hashes[0]])).await.is_ok());
    assert_eq!(dev.ask("debug_traceBlockByNumber", json!(["latest"])).await.unwrap_err().code, -32_005);
    assert!(dev.ask("debug_traceBlockByNumber", json!(["0x0"])).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_told_as_a_flat_list_by_transaction_block_and_range() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let call = json!([{"from": dev.address(1), "to": echo, "data": "0x2a"}]);
    let hash = dev.ask("eth_sendTransaction", call).await.unwrap();
    let calls = dev.ask("trace_transaction", json!([hash])).await.unwrap();
    assert_eq!(calls.as_array().unwrap().len(), 1);
    assert_eq!((&calls[0]["type"], &calls[0]["result"]["output"]), (&json!("call"), &json!("0x2a")));
    assert_eq!(calls[0]["transactionHash"], hash);
    assert_eq!(dev.ask("trace_block", json!(["latest"])).await.unwrap(), calls);
    assert_eq!(dev.ask("trace_get", json!([hash, []])).await.unwrap(), calls[0]);
    assert_eq!(dev.ask("trace_get", json!([hash, ["0x0"]])).await.unwrap(), Value::Null);
    assert_eq!(dev.ask("trace_transaction", json!([B256::ZERO])).await.unwrap(), Value::Null);

    let by_caller = json!([{"fromBlock": "0x1", "toBlock": "0x2", "fromAddress": [dev.address(1)]}]);
    assert_eq!(dev.ask("trace_filter", by_caller).await.unwrap(), calls);
    let all = dev.ask("trace_filter", json!([{"fromBlock": "0x1", "toBlock": "0x2"}])).await.unwrap();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["type"]), (2, &json!("create")));
    let second = json!([{"fromBlock": "0x1", "toBlock": "0x2", "after": 1, "count": 1}]);
    assert_eq!(dev.ask("trace_filter", second).await.unwrap()[0], all[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transaction_changed_is_told_with_its_steps_if_they_are_wanted() {
    let dev = Dev::start().await;
    let receipt = dev.transfer().await;
    let replayed = dev.ask("trace_replayTransaction", json!([receipt.transaction_hash, ["stateDiff"]])).await.unwrap();
    let changed = replayed["stateDiff"].as_object().unwrap();
    assert!(changed.contains_key(&format!("{:#x}", receipt.to.unwrap())), "{replayed}");
    let block = dev.ask("trace_replayBlockTransactions", json!(["latest", ["stateDiff"]])).await.unwrap();
    assert_eq!(block[0]["stateDiff"], replayed["stateDiff"]);
    let call = json!([{"to": receipt.to, "value": "0x0"}, ["trace"], "latest"]);
    assert_eq!(dev.ask("trace_call", call).await.unwrap()["trace"][0]["action"]["callType"], "call");
    let created = dev.deploy(&ECHO).await.transaction_hash;
    let steps = dev.ask("trace_replayTransaction", json!([created, ["vmTrace"]])).await.unwrap();
    let ops = steps["vmTrace"]["ops"].as_array().unwrap();
    assert_eq!((&ops[0]["op"], &ops[0]["pc"]), (&json!("PUSH2"), &json!(0)), "{steps}");
    assert!(steps["stateDiff"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_of_all_that_is_replayed_are_bounded() {
    let limits = Limits { trace_steps_max: 20, ..Limits::default() };
    let dev = Dev::with(Settings::default(), limits, Arc::new(NoMonitor)).await;
    // Eight steps each.
    let call = json!([{"data": "0x5f5f5f5f5f5f5ff3"}, ["vmTrace"]]);
    let many = |count: usize| json!([vec![call.clone(); count], "latest"]);
    assert_eq!(dev.ask("trace_callMany", many(2)).await.unwrap().as_array().unwrap().len(), 2);
    assert_eq!(dev.ask("trace_callMany", many(3)).await.unwrap_err().code, -32_005);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_follow_one_another_see_what_those_before_them_did() {
    let dev = Dev::start().await;
    let (from, to) = (dev.address(0), alloy_primitives::Address::repeat_byte(0x21));
    let pass = |from, wei: &str| json!([{"from": from, "to": dev.address(1), "value": wei}, ["stateDiff", "trace"]]);
    let give = json!([{"from": from, "to": to, "value": "0x9"}, ["trace"]]);
    let traced = dev.ask("trace_callMany", json!([[give, pass(to, "0x5")], "latest"])).await.unwrap();
    let left = &traced[1]["stateDiff"][format!("{to:#x}")]["balance"]["*"];
    assert_eq!((&left["from"], &left["to"]), (&json!("0x9"), &json!("0x4")), "{traced}");
    assert!(dev.ask("trace_callMany", json!([[pass(to, "0x5")], "latest"])).await.is_err(), "it has nothing by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tracer_of_geth_answers_in_its_form() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let call = json!({"from": dev.address(0), "to": echo, "data": "0x2a2a2a2a", "value": "0x0"});
    let trace = async |tracer: &str, config: Value| {
        let options = json!({"tracer": tracer, "tracerConfig": config});
        dev.ask("debug_traceCall", json!([call, "latest", options])).await.unwrap()
    };
    let calls = trace("callTracer", json!({"withLog": true})).await;
    assert_eq!((&calls["type"], &calls["output"]), (&json!("CALL"), &json!("0x2a2a2a2a")));
    assert_eq!(calls["logs"].as_array().unwrap().len(), 1);
    let before = trace("prestateTracer", json!({})).await;
    assert!(before.get(format!("{echo:#x}")).is_some(), "{before}");
    let difference = trace("prestateTracer", json!({"diffMode": true})).await;
    assert!(difference["post"].is_object() && difference["pre"].is_object(), "{difference}");
    assert_eq!(trace("4byteTracer", json!({})).await, json!({"0x2a2a2a2a-0": 1}));
    assert_eq!(trace("flatCallTracer", json!({})).await[0]["action"]["callType"], "call");
    assert_eq!(trace("noopTracer", json!({})).await, json!({}));
    let several = trace("muxTracer", json!({"callTracer": {}, "4byteTracer": null})).await;
    assert_eq!(several["callTracer"]["type"], "CALL");
    assert_eq!(several["4byteTracer"], json!({"0x2a2a2a2a-0": 1}));
    let script = json!({"tracer": "{step: function() {}, fault: function() {}, result: function() { return 1; }}"});
    let refused = dev.ask("debug_traceCall", json!([call, "latest", script])).await.unwrap_err();
    assert_eq!(refused.code, -32_602, "JavaScript is not run: {}", refused.message);
}

/// Keeps what it is called with under itself, then returns what lies in slot 1.
/// SSTORE(CALLDATALOAD(0), CALLDATALOAD(0)); RETURN(SLOAD(1)).
const KEEPER: [u8; 13] = alloy_primitives::hex!("5f358055 6001545f52 60205ff3");

#[tokio::test(flavor = "multi_thread")]
async fn state_in_the_middle_of_a_block_is_told() {
    let dev = Dev::start().await;
    let keeper = Address::repeat_byte(0x44);
    dev.ask("anvil_setCode", json!([keeper, Bytes::from(KEEPER)])).await.unwrap();
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    for slot in 1..=3 {
        let call = json!([{"from": dev.address(slot), "to": keeper, "gas": "0x20000", "data": word(slot)}]);
        dev.ask("eth_sendTransaction", call).await.unwrap();
    }
    dev.ask("evm_mine", json!([])).await.unwrap();
    let block = dev.ask("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    assert_eq!(block["transactions"].as_array().unwrap().len(), 3);

    let range = async |index: u64, start: Value, count: u64| {
        dev.ask("debug_storageRangeAt", json!([block["hash"], index, keeper, start, count])).await
    };
    let slots = |range: &Value| range["storage"].as_object().unwrap().len();
    for (index, there) in [(0, 0), (1, 1), (3, 3)] {
        assert_eq!(slots(&range(index, json!("0x"), 10).await.unwrap()), there, "before transaction {index}");
    }
    let first = range(3, json!("0x"), 2).await.unwrap();
    let rest = range(3, first["nextKey"].clone(), 2).await.unwrap();
    assert_eq!((slots(&first), slots(&rest), &rest["nextKey"]), (2, 1, &Value::Null));
    for (hash, entry) in rest["storage"].as_object().unwrap() {
        let key: B256 = serde_json::from_value(entry["key"].clone()).unwrap();
        assert_eq!((json!(hash), &entry["value"]), (json!(keccak256(key)), &entry["key"]));
    }
    assert_eq!(range(4, json!("0x"), 2).await.unwrap_err().code, -32_602);
    assert_eq!(range(3, json!("0x"), 10_001).await.unwrap_err().code, -32_005);

    let returned = async |index: u64| {
        let options = json!({"tracer": "callTracer", "txIndex": index});
        dev.ask("debug_traceCall", json!([{"to": keeper}, "latest", options])).await.unwrap()["output"].clone()
    };
    assert_eq!((returned(0).await, returned(3).await), (json!(word(0)), json!(word(1))));
}

fn word(number: usize) -> B256 {
    B256::from(alloy_primitives::U256::from(number))
}

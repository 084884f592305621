//! Debug traces of calls that follow one another.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use parapet_builder::Settings;
use parapet_monitor::NoMonitor;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::Dev;

/// Adds one to slot 0, and returns what was there, the block's number and its timestamp.
/// MSTORE(0, SLOAD(0)); SSTORE(0, ADD(1, MLOAD(0))); MSTORE(32, NUMBER); MSTORE(64, TIMESTAMP); RETURN(0, 96).
const COUNTER: [u8; 23] = hex!("5f545f52 5f51600101 5f55 43602052 42604052 60605ff3");

/// A counter at an address, which counts on from 5.
async fn counter(dev: &Dev) -> Address {
    let counter = Address::repeat_byte(0x44);
    dev.ask("anvil_setCode", json!([counter, Bytes::from(COUNTER)])).await.unwrap();
    dev.ask("anvil_setStorageAt", json!([counter, "0x0", B256::with_last_byte(5)])).await.unwrap();
    counter
}

/// What calls of the counter returned: count, number and timestamp.
fn outputs(traced: &Value) -> Vec<Vec<[u64; 3]>> {
    let words = |trace: &Value| {
        let output: Bytes = serde_json::from_value(trace["output"].clone()).unwrap();
        std::array::from_fn(|word| U256::from_be_slice(&output[32 * word..32 * (word + 1)]).to::<u64>())
    };
    let bundle = |bundle: &Value| bundle.as_array().unwrap().iter().map(words).collect();
    traced.as_array().unwrap().iter().map(bundle).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_sees_what_those_before_it_did_and_each_bundle_has_a_block() {
    let dev = Dev::start().await;
    let counter = counter(&dev).await;
    dev.ask("evm_mine", json!([])).await.unwrap();
    let head = dev.ask("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    let quantity = |field: &str| u64::from_str_radix(&head[field].as_str().unwrap()[2..], 16).unwrap();
    let (number, time) = (quantity("number"), quantity("timestamp"));
    let call = json!({ "to": counter });
    let bundles = json!([
        { "transactions": [call, call] },
        { "transactions": [call], "blockOverride": { "number": "0x63" } },
        { "transactions": [] },
        { "transactions": [call], "blockOverrides": { "time": "0x7fffffff" } },
    ]);
    let tracer = json!({ "tracer": "callTracer" });
    let expected = [
        vec![[5, number, time], [6, number, time]],
        vec![[7, 0x63, time + 12]],
        vec![],
        vec![[8, number + 3, 0x7fff_ffff]],
    ];
    for context in
        [json!("latest"), json!({ "blockNumber": "latest" }), json!({ "blockNumber": head["number"] }), Value::Null]
    {
        let traced = dev.ask("debug_traceCallMany", json!([bundles, context, tracer])).await.unwrap();
        assert_eq!(outputs(&traced), expected, "{context}");
    }
    let steps = dev.ask("debug_traceCallMany", json!([bundles])).await.unwrap();
    assert_eq!(steps[0][1]["structLogs"][0]["op"], "PUSH0");
    // State that is another one from the start is so for every bundle, but for what calls did to it.
    let overrides =
        json!({ (counter.to_string()): { "stateDiff": { (B256::ZERO.to_string()): B256::with_last_byte(40) } } });
    let options = json!({ "tracer": "callTracer", "stateOverrides": overrides });
    let traced = dev.ask("debug_traceCallMany", json!([bundles, "latest", options])).await.unwrap();
    let counts: Vec<_> = outputs(&traced).concat().iter().map(|[count, ..]| *count).collect();
    assert_eq!(counts, [40, 41, 42, 43]);
    let pending = dev.ask("debug_traceCallMany", json!([bundles, "pending", tracer])).await.unwrap();
    assert_eq!(outputs(&pending)[0][0][..2], [5, number + 1]);
    let kept = dev.ask("eth_getStorageAt", json!([counter, "0x0", "latest"])).await.unwrap();
    assert_eq!(kept, json!(B256::with_last_byte(5)), "nothing of it is committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_may_begin_in_the_middle_of_a_block() {
    let dev = Dev::start().await;
    let counter = counter(&dev).await;
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    for sender in 0..3 {
        let call = json!([{ "from": dev.address(sender), "to": counter, "gas": "0x20000" }]);
        dev.ask("eth_sendTransaction", call).await.unwrap();
    }
    dev.ask("evm_mine", json!([])).await.unwrap();
    let first_count = async |context: Value| {
        let calls = json!([[{ "transactions": [{ "to": counter }] }], context, { "tracer": "callTracer" }]);
        dev.ask("debug_traceCallMany", calls).await.map(|traced| outputs(&traced)[0][0][0])
    };
    for (index, count) in [(0, 5), (1, 6), (3, 8), (-1, 8)] {
        let context = json!({ "blockNumber": "0x1", "transactionIndex": index });
        assert_eq!(first_count(context).await.unwrap(), count, "{index}");
    }
    let beyond = json!({ "blockNumber": "0x1", "transactionIndex": 4 });
    assert_eq!(first_count(beyond).await.unwrap_err().code, -32_602);
    assert!(first_count(json!({ "blockNumber": "0x99" })).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_request_traces_is_bounded() {
    let limits = Limits { trace_steps_max: 20, ..Limits::default() };
    let dev = Dev::with(Settings::default(), limits, Arc::new(NoMonitor)).await;
    // Eight steps each.
    let call = json!({ "data": "0x5f5f5f5f5f5f5ff3" });
    let ask = async |bundles: Value| dev.ask("debug_traceCallMany", json!([bundles])).await;
    assert!(ask(json!([{ "transactions": [call] }, { "transactions": [call] }])).await.is_ok());
    let steps = ask(json!([{ "transactions": [call] }, { "transactions": [call, call] }])).await.unwrap_err();
    assert_eq!(steps.code, -32_005, "{steps:?}");
    for many in [json!([{ "transactions": vec![call; 1_001] }]), json!(vec![json!({ "transactions": [] }); 1_001])] {
        assert_eq!(ask(many).await.unwrap_err().code, -32_005);
    }
}

//! What is answered quickly is what the methods answer.

use alloy_primitives::{Address, B256, hex};
use jsonrpsee::core::client::{Client, ClientT as _, Error};
use serde_json::{Value, json, value::RawValue};

use crate::fixture::{Dev, ECHO};

/// SLOAD of the first slot, which is returned.
const FIRST_SLOT: [u8; 9] = hex!("5f545f5260205ff300");

/// A method, parameters with which it may be answered quickly, and others that ask the same and never are: they name the newest
/// block by its number, or have one parameter more than there is.
type Question = (&'static str, Value, Value);

fn questions(dev: &Dev, echo: Address, head: u64) -> Vec<Question> {
    let (rich, nobody, keeper) = (dev.address(0), Address::repeat_byte(0x77), Address::repeat_byte(0x11));
    let head = format!("{head:#x}");
    let mut questions = Vec::new();
    let mut ask = |method, quick, usual| questions.push((method, quick, usual));
    ask("eth_chainId", json!([]), json!([1]));
    ask("eth_blockNumber", json!([]), json!([1]));
    for method in ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"] {
        for address in [rich, nobody, echo] {
            for quick in [json!([address]), json!([address, "latest"]), json!([address, null])] {
                ask(method, quick, json!([address, head]));
            }
            ask(method, json!([address, "pending"]), json!([address, "pending", 1]));
            ask(method, json!([address, "0xff"]), json!([address, "0xff", 1]));
        }
        ask(method, json!(["0x12", "latest"]), json!(["0x12", head]));
    }
    let slot = B256::ZERO;
    for quick in [json!([keeper, slot, "latest"]), json!([keeper, slot]), json!([keeper, "0x0", "latest"])] {
        ask("eth_getStorageAt", quick, json!([keeper, slot, head]));
    }
    ask("eth_getStorageAt", json!([nobody, slot]), json!([nobody, slot, head]));
    let requests = [
        json!({"to": echo, "data": "0x0102"}),
        json!({"to": keeper}),
        json!({"to": nobody}),
        json!({"data": "0xfe"}),
        json!({"to": echo, "input": "0x01", "data": "0x02"}),
        json!({"from": nobody, "value": "0x1", "to": echo}),
        json!({"to": echo, "gas": "0x5208", "data": "0x01"}),
        json!({"to": echo, "gasPrice": "0x1"}),
        json!({"to": 1}),
    ];
    for request in requests {
        ask("eth_call", json!([request]), json!([request, head]));
        ask("eth_call", json!([request, "latest"]), json!([request, head]));
        ask("eth_estimateGas", json!([request]), json!([request, "pending"]));
    }
    for filter in
        [json!({"fromBlock": "0x0", "toBlock": "latest", "address": echo}), json!({}), json!({"fromBlock": "0x9"})]
    {
        ask("eth_getLogs", json!([filter]), json!([filter, 1]));
    }
    questions
}

/// An answer's own text: what comes after the id.
async fn by_socket(socket: &Client, method: &str, params: &Value) -> String {
    let params = params.as_array().unwrap().clone();
    match socket.request::<Box<RawValue>, _>(method, params).await {
        Ok(result) => format!(r#""result":{result}"#),
        Err(Error::Call(error)) => format!(r#""error":{}"#, serde_json::to_string(&error).unwrap()),
        Err(other) => panic!("{method}: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_is_the_same_bytes_quickly_or_not_alone_or_in_a_batch_and_over_a_websocket() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address.unwrap();
    for data in ["0x07", "0x"] {
        dev.ask("eth_sendTransaction", json!([{"from": dev.address(0), "to": echo, "data": data}])).await.unwrap();
    }
    let keeper = Address::repeat_byte(0x11);
    dev.ask("anvil_setCode", json!([keeper, hex::encode_prefixed(FIRST_SLOT)])).await.unwrap();
    dev.ask("anvil_setStorageAt", json!([keeper, "0x0", B256::repeat_byte(0x5a)])).await.unwrap();
    let socket = dev.socket().await;
    let (mut batch, mut expected) = (Vec::new(), Vec::new());
    for (index, (method, quick, usual)) in
        questions(&dev, echo, dev.chain.head().block.number()).into_iter().enumerate()
    {
        let id = if index % 3 == 0 { json!(format!("\"{index}\\")) } else { json!(index) };
        let call = |params: &Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let whole = dev.post(&serde_json::to_vec(&call(&usual)).unwrap()).await.1;
        assert_eq!(dev.post(&serde_json::to_vec(&call(&quick)).unwrap()).await.1, whole, "{method} {quick}");
        let over_socket = by_socket(&socket, method, &quick).await;
        assert_eq!(format!(r#"{{"jsonrpc":"2.0","id":{id},{over_socket}}}"#), whole, "{method} {quick}");
        batch.extend([call(&quick), call(&usual)]);
        expected.extend([whole.clone(), whole]);
    }
    let (_, answers) = dev.post(&serde_json::to_vec(&batch).unwrap()).await;
    assert_eq!(answers, format!("[{}]", expected.join(",")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_too_long_for_the_rest_of_a_batch_is_refused_as_ever() {
    let limits = parapet_rpc::Limits { response_bytes_max: 300, ..parapet_rpc::Limits::default() };
    let dev =
        Dev::with(parapet_builder::Settings::default(), limits, std::sync::Arc::new(parapet_monitor::NoMonitor)).await;
    let keeper = Address::repeat_byte(0x11);
    let code = |bytes: usize| hex::encode_prefixed(vec![0; bytes]);
    let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getCode", "params": [keeper]});
    for (bytes, alone, together) in [(50, true, true), (110, true, false), (200, false, false)] {
        dev.ask("anvil_setCode", json!([keeper, code(bytes)])).await.unwrap();
        let (_, one) = dev.post(&serde_json::to_vec(&ask).unwrap()).await;
        assert_eq!(one.contains("result"), alone, "{bytes}: {one}");
        let (_, two) = dev.post(&serde_json::to_vec(&[&ask, &ask]).unwrap()).await;
        assert_eq!(two.starts_with('[') && !two.contains("error"), together, "{bytes}: {two}");
    }
}

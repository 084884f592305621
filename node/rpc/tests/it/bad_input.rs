//! Requests that are no requests. Each is answered with its standard code, and the node goes on.

use std::sync::Arc;

use parapet_builder::Settings;
use parapet_monitor::NoMonitor;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::Dev;

fn code(body: &str) -> i64 {
    let answer: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{body:?}: {error}"));
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{body} is no error"))
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_get_their_codes() {
    let dev = Dev::start().await;
    for (body, expected) in [
        ("{", -32_700),
        ("hello", -32_700),
        ("[1", -32_700),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32_600),
        (r#"{"id":1,"method":5}"#, -32_600),
        ("[]", -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_flyToTheMoon","params":[]}"#, -32_601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#, -32_601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[]}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x12"]}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["yesterday"]}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByHash","params":["00"]}"#, -32_602),
    ] {
        let (_, answer) = dev.post(body.as_bytes()).await;
        assert_eq!(code(&answer), expected, "{body}: {answer}");
    }
    assert!(dev.post(b"{").await.1.contains("not valid JSON"));
    assert!(dev.post(br#"{"id": 1}"#).await.1.contains("jsonrpc"));
    assert_eq!(dev.ask("eth_blockNumber", json!([])).await.unwrap(), "0x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_name_the_method_and_what_is_wrong() {
    let dev = Dev::start().await;
    let refused = dev.ask("eth_getBallance", json!([])).await.unwrap_err();
    assert!(refused.message.contains("eth_getBallance does not exist"), "{}", refused.message);
    let refused = dev.ask("anvil_getBalance", json!([])).await.unwrap_err();
    assert!(refused.message.contains("did you mean eth_getBalance?"), "{}", refused.message);
    let refused = dev.ask("eth_getBalance", json!(["0x12"])).await.unwrap_err();
    assert!(refused.message.starts_with("invalid parameters for eth_getBalance: "), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_batches_beyond_the_limit_are_refused_at_once() {
    let limits = Limits { request_bytes_max: 10_000, batch_calls_max: 3, ..Limits::default() };
    let dev = Dev::with(Settings::default(), limits, Arc::new(NoMonitor)).await;
    let (status, answer) = dev.post(&vec![b' '; 10_001]).await;
    assert_eq!((status, code(&answer)), (413, -32_007));
    assert!(answer.contains("at most 10000 bytes"), "{answer}");
    let call = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "eth_chainId", "params": []});
    let batch = json!((0..4).map(call).collect::<Vec<_>>()).to_string();
    let (_, answer) = dev.post(batch.as_bytes()).await;
    assert_eq!(code(&answer), -32_010);
    assert!(answer.contains("at most 3 calls"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_each_call_by_itself() {
    let dev = Dev::start().await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_nothing", "params": []},
        {"jsonrpc": "2.0", "method": "eth_chainId", "params": []},
        7,
    ]);
    let (status, answer) = dev.post(batch.to_string().as_bytes()).await;
    let answers: Vec<Value> = serde_json::from_str(&answer).unwrap();
    assert_eq!(status, 200);
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["result"], "0x7a69");
    assert_eq!(answers[1]["error"]["code"], -32_601);
    assert!(answers[1]["error"]["message"].as_str().unwrap().contains("eth_nothing"));
    assert_eq!(answers[2]["error"]["code"], -32_600);
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_not_answered() {
    let dev = Dev::start().await;
    let notification = json!({"jsonrpc": "2.0", "method": "eth_chainId", "params": []});
    for body in [notification.clone(), json!([notification, notification])] {
        assert_eq!(dev.post(body.to_string().as_bytes()).await, (200, String::new()), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_port_is_refused_in_words() {
    let dev = Dev::start().await;
    let settings = parapet_rpc::Settings { address: dev.server.address(), ..parapet_rpc::Settings::default() };
    let error = parapet_rpc::serve(dev.chain.clone(), &[], settings).await.unwrap_err();
    assert!(error.to_string().contains("choose another port"), "{error}");
}

//! The Engine API, as a consensus client speaks it.

use std::net::SocketAddr;

use alloy_primitives::B256;
use alloy_rpc_types_engine::ExecutionPayload;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use parapet_builder::Clock as _;
use parapet_rpc::{EngineSettings, Running};
use serde_json::{Value, json};

use crate::fixture::{Dev, exchange};

const SECRET: [u8; 32] = [7; 32];

/// A token that is signed with a secret, `age` seconds old.
fn token(secret: &[u8], age: u64) -> String {
    let now = parapet_builder::SystemClock.now();
    let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
    let claims = json!({ "iat": now - age }).to_string();
    let signed = format!("{}.{}", encode(r#"{"typ":"JWT","alg":"HS256"}"#.to_owned()), encode(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn engine(dev: &Dev) -> Running {
    let secret = B256::from(SECRET).to_string().parse().unwrap();
    dev.server.serve_engine(EngineSettings { address: ([127, 0, 0, 1], 0).into(), secret }).await.unwrap()
}

async fn post(to: SocketAddr, token: Option<&str>, method: &str, params: Value) -> (u16, String) {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let token = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n{token}", body.len());
    exchange(to, "POST / HTTP/1.1", &headers, body.as_bytes()).await
}

/// What is answered to who has the secret.
async fn ask(to: SocketAddr, method: &str, params: Value) -> Value {
    let (status, body) = post(to, Some(&token(&SECRET, 0)), method, params).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// The head of a node as parameters of `engine_newPayloadV4`.
fn payload(dev: &Dev) -> (B256, Value) {
    let head = dev.chain.head();
    let block = head.block.to_consensus_block();
    let (payload, _) = ExecutionPayload::from_block_unchecked(head.block.hash(), &block);
    let beacon = block.header.parent_beacon_block_root.unwrap();
    (head.block.hash(), json!([payload, [], beacon, []]))
}

fn state(head: B256) -> Value {
    json!({ "headBlockHash": head, "safeBlockHash": B256::ZERO, "finalizedBlockHash": B256::ZERO })
}

async fn mine(dev: &Dev) {
    dev.ask("evm_mine", json!([])).await.unwrap();
}

#[tokio::test]
async fn who_has_no_token_is_let_in_nowhere() {
    let dev = Dev::start().await;
    let running = engine(&dev).await;
    let to = running.address();
    let other = token(&[8; 32], 0);
    let old = token(&SECRET, 120);
    for token in [None, Some("x.y.z"), Some(other.as_str()), Some(old.as_str())] {
        for method in ["engine_exchangeCapabilities", "eth_chainId"] {
            let (status, body) = post(to, token, method, json!([[]])).await;
            assert_eq!(status, 401, "{token:?}: {body}");
        }
    }
    assert_eq!(ask(to, "eth_chainId", json!([])).await["result"], "0x7a69");
    let none = ask(to, "evm_mine", json!([])).await;
    assert_eq!(none["error"]["code"], -32601, "a development method is not for consensus clients: {none}");
    let (_, body) = dev.post(br#"{"jsonrpc":"2.0","id":1,"method":"engine_exchangeCapabilities","params":[[]]}"#).await;
    assert!(body.contains("-32601"), "nor are its methods for everybody: {body}");
}

#[tokio::test]
async fn a_payload_becomes_the_head_when_it_is_chosen() {
    let (from, to) = (Dev::start().await, Dev::start().await);
    let running = engine(&to).await;
    let at = running.address();
    mine(&from).await;
    let (first, first_payload) = payload(&from);
    mine(&from).await;
    let (second, second_payload) = payload(&from);
    let answer = ask(at, "engine_newPayloadV4", second_payload.clone()).await;
    assert_eq!(answer["result"]["status"], "SYNCING", "{answer}");
    for (hash, payload) in [(first, first_payload), (second, second_payload)] {
        let answer = ask(at, "engine_newPayloadV4", payload).await;
        let result = &answer["result"];
        assert_eq!((&result["status"], &result["latestValidHash"]), (&json!("VALID"), &json!(hash)), "{answer}");
    }
    assert_eq!(to.chain.head().block.number(), 0);
    let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([state(second), null])).await;
    assert_eq!(answer["result"]["payloadStatus"]["status"], "VALID", "{answer}");
    assert_eq!(answer["result"]["payloadStatus"]["latestValidHash"], json!(second));
    assert_eq!(to.chain.head().block.hash(), second);
    assert_eq!(to.ask("eth_blockNumber", json!([])).await.unwrap(), "0x2");
    let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([state(B256::repeat_byte(1)), null])).await;
    assert_eq!(answer["result"]["payloadStatus"]["status"], "SYNCING", "{answer}");
}

#[tokio::test]
async fn what_is_wrong_with_a_payload_is_told() {
    let (from, to) = (Dev::start().await, Dev::start().await);
    let running = engine(&to).await;
    let at = running.address();
    mine(&from).await;
    let (hash, good) = payload(&from);
    let parent = to.chain.head().block.hash();
    // The hash no longer is that of the block.
    let mut other = good.clone();
    other[0]["stateRoot"] = json!(B256::repeat_byte(9));
    let answer = ask(at, "engine_newPayloadV4", other.clone()).await;
    assert_eq!(answer["result"]["status"], "INVALID", "{answer}");
    assert_eq!(answer["result"]["latestValidHash"], Value::Null);
    // The hash is right, and the state is not.
    let reason = answer["result"]["validationError"].as_str().unwrap();
    let found = reason.split_whitespace().find(|word| word.starts_with("0x")).unwrap();
    other[0]["blockHash"] = json!(found.trim_end_matches(','));
    let answer = ask(at, "engine_newPayloadV4", other).await;
    assert_eq!(answer["result"]["latestValidHash"], json!(parent), "{answer}");
    assert!(answer["result"]["validationError"].as_str().unwrap().contains("state root"), "{answer}");
    // Another version of the method, blobs that are not there, a head that nobody knows as finalized.
    let older = json!([good[0], [], good[2]]);
    assert_eq!(ask(at, "engine_newPayloadV3", older).await["error"]["code"], -38005);
    let mut blobs = good.clone();
    blobs[1] = json!([B256::repeat_byte(1)]);
    assert_eq!(ask(at, "engine_newPayloadV4", blobs).await["result"]["status"], "INVALID");
    assert_eq!(ask(at, "engine_newPayloadV4", good).await["result"]["status"], "VALID");
    let mut unknown = state(hash);
    unknown["finalizedBlockHash"] = json!(B256::repeat_byte(3));
    let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([unknown, null])).await;
    assert_eq!(answer["error"]["code"], -38002, "{answer}");
    let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([state(hash), {}])).await;
    assert_eq!(answer["error"]["code"], -38003, "no block is built for others: {answer}");
    let answer = ask(at, "engine_exchangeCapabilities", json!([[]])).await;
    assert!(answer["result"].as_array().unwrap().contains(&json!("engine_newPayloadV4")));
}

//! The Engine API, as a consensus client speaks it.

use std::net::SocketAddr;

use alloy_consensus::{SignableTransaction as _, TxEip4844, TxEip4844Variant, TxEip4844WithSidecar, TxEnvelope};
use alloy_eips::{
    eip2718::Encodable2718 as _,
    eip4844::builder::{SidecarBuilder, SimpleCoder},
    eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256};
use alloy_rpc_types_engine::ExecutionPayload;
use alloy_signer::SignerSync as _;
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
    dev.server
        .serve_engine(EngineSettings { address: ([127, 0, 0, 1], 0).into(), secret, commit: FixedBytes([1, 2, 3, 4]) })
        .await
        .unwrap()
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
    let bad = to.ask("debug_getBadBlocks", json!([])).await.unwrap();
    let hash_of_bad = serde_json::from_value(bad[0]["hash"].clone()).unwrap();
    let refused = ask(at, "engine_forkchoiceUpdatedV3", json!([state(hash_of_bad), null])).await;
    assert_eq!(refused["result"]["payloadStatus"]["latestValidHash"], json!(parent), "{refused}");
    assert_eq!(
        (bad.as_array().unwrap().len(), &bad[0]["block"]["stateRoot"]),
        (1, &json!(B256::repeat_byte(9))),
        "{bad}"
    );
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
    assert_eq!(answer["error"]["code"], -38003, "nothing is said of the block: {answer}");
    let answer = ask(at, "engine_exchangeCapabilities", json!([[]])).await;
    assert!(answer["result"].as_array().unwrap().contains(&json!("engine_newPayloadV4")));
}

/// What is fixed of a block that is to be built on a node's head.
fn attributes(dev: &Dev) -> Value {
    json!({
        "timestamp": U256::from(dev.chain.head().block.header.timestamp + 12),
        "prevRandao": B256::repeat_byte(5),
        "suggestedFeeRecipient": Address::repeat_byte(0x66),
        "withdrawals": [{ "index": "0x0", "validatorIndex": "0x1", "address": Address::repeat_byte(0x77), "amount": "0x2" }],
        "parentBeaconBlockRoot": B256::repeat_byte(6),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_built_for_a_consensus_client_and_becomes_the_head_when_it_is_handed_in() {
    let dev = Dev::start().await;
    let running = engine(&dev).await;
    let at = running.address();
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let transfer = json!([{ "from": dev.address(0), "to": dev.address(1), "value": "0x1" }]);
    dev.ask("eth_sendTransaction", transfer).await.unwrap();
    let (head, wanted) = (dev.chain.head().block.hash(), attributes(&dev));
    let begin = async || ask(at, "engine_forkchoiceUpdatedV3", json!([state(head), wanted])).await;
    let begun = begin().await;
    let id = begun["result"]["payloadId"].clone();
    assert_eq!((&begun["result"]["payloadStatus"]["status"], id.is_string()), (&json!("VALID"), true), "{begun}");
    assert_eq!(begin().await["result"]["payloadId"], id, "the same block is built once");
    let fetched = ask(at, "engine_getPayloadV5", json!([id])).await;
    let fetched = &fetched["result"];
    let payload = &fetched["executionPayload"];
    assert_eq!(payload["transactions"].as_array().unwrap().len(), 1, "{fetched}");
    assert_eq!((&payload["prevRandao"], &payload["parentHash"]), (&wanted["prevRandao"], &json!(head)));
    assert_eq!(
        (&payload["feeRecipient"], &payload["withdrawals"]),
        (&wanted["suggestedFeeRecipient"], &wanted["withdrawals"])
    );
    assert_ne!(fetched["blockValue"], "0x0");
    assert_eq!(fetched["blobsBundle"], json!({ "commitments": [], "proofs": [], "blobs": [] }));
    assert_eq!(dev.chain.head().block.hash(), head, "nothing has come of it yet");
    let handed = json!([payload, [], wanted["parentBeaconBlockRoot"], fetched["executionRequests"]]);
    let answer = ask(at, "engine_newPayloadV4", handed).await;
    assert_eq!(answer["result"]["status"], "VALID", "{answer}");
    let built: B256 = serde_json::from_value(payload["blockHash"].clone()).unwrap();
    let mut chosen = state(built);
    (chosen["safeBlockHash"], chosen["finalizedBlockHash"]) = (json!(built), json!(head));
    let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([chosen, null])).await;
    assert_eq!(
        answer["result"],
        json!({
            "payloadStatus": { "status": "VALID", "latestValidHash": built, "validationError": null }, "payloadId": null,
        })
    );
    assert_eq!(dev.ask("txpool_status", json!([])).await.unwrap()["pending"], "0x0");
    for (tag, hash) in [("latest", built), ("safe", built), ("finalized", head)] {
        assert_eq!(dev.ask("eth_getBlockByNumber", json!([tag, false])).await.unwrap()["hash"], json!(hash), "{tag}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_built_is_told_and_the_head_is_chosen_all_the_same() {
    let dev = Dev::start().await;
    let running = engine(&dev).await;
    let at = running.address();
    mine(&dev).await;
    let head = dev.chain.head().block.hash();
    let with = |name: &str, value: Value| {
        let mut wanted = attributes(&dev);
        wanted[name] = value;
        wanted
    };
    for (wanted, code) in [
        (with("timestamp", json!("0x1")), -38_003),
        (with("withdrawals", Value::Null), -38_003),
        (with("parentBeaconBlockRoot", Value::Null), -38_003),
        (json!("what"), -38_003),
    ] {
        let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([state(head), wanted])).await;
        assert_eq!(answer["error"]["code"], code, "{wanted}: {answer}");
    }
    for version in ["engine_forkchoiceUpdatedV1", "engine_forkchoiceUpdatedV2"] {
        let answer = ask(at, version, json!([state(head), attributes(&dev)])).await;
        assert_eq!(answer["error"]["code"], -38_005, "{version} is of forks before: {answer}");
    }
    let genesis = dev.chain.block(0).unwrap().unwrap().hash();
    let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([state(genesis), attributes(&dev)])).await;
    assert_eq!(answer["result"]["payloadId"], Value::Null, "nothing is built on what others stand on: {answer}");
    let answer = ask(at, "engine_getPayloadV5", json!(["0x0102030405060708"])).await;
    assert_eq!(answer["error"]["code"], -38_001, "{answer}");
    let begun = ask(at, "engine_forkchoiceUpdatedV3", json!([state(head), attributes(&dev)])).await;
    let answer = ask(at, "engine_getPayloadV3", json!([begun["result"]["payloadId"]])).await;
    assert_eq!(answer["error"]["code"], -38_005, "{answer}");
    let mut beside = state(head);
    beside["safeBlockHash"] = json!(B256::repeat_byte(9));
    let answer = ask(at, "engine_forkchoiceUpdatedV3", json!([beside, null])).await;
    assert_eq!(answer["error"]["code"], -38_002, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_blobs_are_fetched_and_what_is_not_there_is_null() {
    let dev = Dev::start().await;
    let running = engine(&dev).await;
    let at = running.address();
    dev.transfer().await;
    mine(&dev).await;
    let first = dev.chain.block(1).unwrap().unwrap();
    let answer = ask(at, "engine_getPayloadBodiesByHashV1", json!([[first.hash(), B256::ZERO]])).await;
    let raw = dev.ask("debug_getRawTransaction", json!([first.transactions[0].inner().tx_hash()])).await.unwrap();
    assert_eq!(answer["result"], json!([{ "transactions": [raw], "withdrawals": [] }, null]));
    let answer = ask(at, "engine_getPayloadBodiesByRangeV2", json!(["0x1", "0x9"])).await;
    let bodies = answer["result"].as_array().unwrap();
    assert_eq!((bodies.len(), &bodies[1]["transactions"]), (2, &json!([])), "nothing beyond the head: {answer}");
    assert_eq!(bodies[0]["blockAccessList"], Value::Null);
    for (range, code) in [(["0x0", "0x1"], -32_602), (["0x1", "0x0"], -32_602), (["0x1", "0x401"], -38_004)] {
        let answer = ask(at, "engine_getPayloadBodiesByRangeV1", json!(range)).await;
        assert_eq!(answer["error"]["code"], code, "{range:?}: {answer}");
    }
    let hash = B256::repeat_byte(1);
    assert_eq!(ask(at, "engine_getBlobsV1", json!([[hash]])).await["error"]["code"], -38_005, "cells have proofs now");
    assert_eq!(ask(at, "engine_getBlobsV2", json!([[hash]])).await["result"], Value::Null);
    assert_eq!(ask(at, "engine_getBlobsV3", json!([[hash]])).await["result"], json!([null]));
    let many = vec![hash; 129];
    assert_eq!(ask(at, "engine_getBlobsV3", json!([many])).await["error"]["code"], -38_004);
    let version = ask(
        at,
        "engine_getClientVersionV1",
        json!([{ "code": "LH", "name": "x", "version": "1", "commit": "0x00000000" }]),
    );
    assert_eq!(version.await["result"][0]["commit"], "0x01020304");
}

/// A transaction with one blob, as it is sent, and the blob's versioned hash.
fn with_blob(dev: &Dev) -> (Bytes, B256) {
    let sidecar = SidecarBuilder::<SimpleCoder>::from_slice(b"parapet").build_7594().unwrap();
    let sidecar = BlobTransactionSidecarVariant::from(sidecar);
    let hashes: Vec<B256> = sidecar.versioned_hashes().collect();
    let tx = TxEip4844 {
        chain_id: dev.chain.spec().chain_id(),
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1,
        max_fee_per_blob_gas: 1_000_000_000,
        to: dev.address(1),
        blob_versioned_hashes: hashes.clone(),
        ..TxEip4844::default()
    };
    let signature = dev.signers[0].sign_hash_sync(&tx.signature_hash()).unwrap();
    let whole = TxEip4844WithSidecar::from_tx_and_sidecar(tx, sidecar);
    let signed = TxEip4844Variant::TxEip4844WithSidecar(whole).into_signed(signature);
    (TxEnvelope::Eip4844(signed).encoded_2718().into(), hashes[0])
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_come_with_the_block_that_names_them_and_are_fetched_while_they_wait() {
    let dev = Dev::start().await;
    let running = engine(&dev).await;
    let at = running.address();
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let (raw, hash) = with_blob(&dev);
    dev.ask("eth_sendRawTransaction", json!([raw])).await.unwrap();
    let (head, wanted) = (dev.chain.head().block.hash(), attributes(&dev));
    let begun = ask(at, "engine_forkchoiceUpdatedV3", json!([state(head), wanted])).await;
    let fetched = ask(at, "engine_getPayloadV5", json!([begun["result"]["payloadId"]])).await;
    let bundle = &fetched["result"]["blobsBundle"];
    let count = |name: &str| bundle[name].as_array().unwrap().len();
    assert_eq!((count("blobs"), count("commitments"), count("proofs")), (1, 1, 128));
    assert_eq!(fetched["result"]["executionPayload"]["blobGasUsed"], "0x20000");
    let beacon = &wanted["parentBeaconBlockRoot"];
    let handed = json!([fetched["result"]["executionPayload"], [hash], beacon, []]);
    assert_eq!(ask(at, "engine_newPayloadV4", handed).await["result"]["status"], "VALID");
    let waiting = ask(at, "engine_getBlobsV3", json!([[B256::ZERO, hash]])).await;
    assert_eq!(waiting["result"][0], Value::Null);
    assert_eq!(
        (&waiting["result"][1]["blob"], &waiting["result"][1]["proofs"]),
        (&bundle["blobs"][0], &bundle["proofs"])
    );
    assert_eq!(ask(at, "engine_getBlobsV2", json!([[B256::ZERO, hash]])).await["result"], Value::Null, "all or none");
    assert_eq!(ask(at, "engine_getBlobsV2", json!([[hash]])).await["result"], json!([waiting["result"][1]]));
}

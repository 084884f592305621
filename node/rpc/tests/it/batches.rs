//! Transactions that come in one request.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, U256};
use alloy_signer::SignerSync as _;
use parapet_rpc::{Namespaces, Settings, serve};
use serde_json::{Value, json};

use crate::fixture::{Dev, exchange};

fn signed(dev: &Dev, account: usize, nonce: u64) -> Bytes {
    let tx = TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: Address::repeat_byte(0x42).into(),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let signature = dev.signers[account].sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718().into()
}

fn call(id: u64, method: &str, parameters: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters})
}

async fn ask(dev: &Dev, batch: &[Value]) -> Vec<Value> {
    let body = serde_json::to_vec(batch).unwrap();
    let (status, answer) = dev.post(&body).await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_of_a_batch_has_the_answer_it_would_have_alone_in_its_place() {
    let dev = Dev::start().await;
    let send = |id, raw: &Bytes| call(id, "eth_sendRawTransaction", &json!([raw]));
    let raw: Vec<_> = (0..3).map(|nonce| signed(&dev, 0, nonce)).collect();
    let answers = ask(
        &dev,
        &[
            send(1, &raw[0]),
            send(2, &raw[1]),
            send(3, &raw[1]),
            send(4, &Bytes::from_static(&[0x02, 0xc0])),
            call(5, "eth_sendRawTransaction", &json!([])),
            call(6, "eth_sendRawTransaction", &json!(["0xnothing"])),
            call(7, "eth_blockNumber", &json!([])),
            send(8, &raw[2]),
            call(9, "eth_getTransactionCount", &json!([dev.address(0), "latest"])),
        ],
    )
    .await;
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let code = |index: usize| answers[index]["error"]["code"].as_i64();
    assert_eq!((0..9).map(code).collect::<Vec<_>>(), {
        let (refused, wrong) = (Some(-32_000), Some(-32_602));
        [None, None, refused, wrong, wrong, wrong, None, None, None]
    });
    assert!(answers[2]["error"]["message"].as_str().unwrap().starts_with("already known"), "{}", answers[2]);
    assert_eq!((&answers[6]["result"], &answers[8]["result"]), (&json!("0x1"), &json!("0x3")));
    for (index, alone) in [(3, json!(["0x02c0"])), (4, json!([])), (5, json!(["0xnothing"]))] {
        let refusal = dev.ask("eth_sendRawTransaction", alone).await.unwrap_err();
        assert_eq!(answers[index]["error"]["message"], refusal.message, "the words are the same");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_many_senders_is_one_block_and_its_receipts_come_in_one_answer() {
    let dev = Dev::start().await;
    let sends: Vec<_> = (0..100)
        .map(|index| call(index, "eth_sendRawTransaction", &json!([signed(&dev, index as usize % 10, index / 10)])))
        .collect();
    let hashes = ask(&dev, &sends).await;
    let receipts: Vec<_> =
        hashes.iter().map(|answer| call(1, "eth_getTransactionReceipt", &json!([answer["result"]]))).collect();
    let receipts = ask(&dev, &receipts).await;
    assert!(
        receipts.iter().all(|answer| answer["result"]["status"] == "0x1" && answer["result"]["blockNumber"] == "0x1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sends_nothing_where_nothing_is_to_be_sent() {
    let dev = Dev::start().await;
    let namespaces = Namespaces::of(["net"]).unwrap();
    let settings = Settings { namespaces, ..Settings::default() };
    let closed = serve(dev.chain.clone(), &[], settings).await.unwrap();
    let sends = [0, 1].map(|nonce| call(nonce, "eth_sendRawTransaction", &json!([signed(&dev, 0, nonce)])));
    let body = serde_json::to_vec(&sends).unwrap();
    let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let (_, answer) = exchange(closed.address(), "POST / HTTP/1.1", &head, &body).await;
    let answers: Vec<Value> = serde_json::from_str(&answer).unwrap();
    assert!(answers.iter().all(|answer| answer["error"]["code"] == -32_601), "{answer}");
    assert_eq!((dev.chain.head().block.number(), dev.chain.pool_counts()), (0, (0, 0)));
}

//! Blocks that are built for tests of clients (`testing_buildBlockV1`).

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_signer::SignerSync as _;
use serde_json::{Value, json};

use crate::fixture::Dev;

const TIP_WEI: u128 = 7;

fn signed(dev: &Dev, nonce: u64) -> Bytes {
    let tx = TxEip1559 {
        chain_id: dev.chain.spec().chain_id(),
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: TIP_WEI,
        to: dev.address(1).into(),
        ..TxEip1559::default()
    };
    let signature = dev.signers[0].sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718().into()
}

fn attributes(dev: &Dev) -> Value {
    json!({
        "timestamp": U256::from(dev.chain.head().block.header.timestamp + 12),
        "prevRandao": B256::with_last_byte(5),
        "suggestedFeeRecipient": Address::repeat_byte(0x66),
        "withdrawals": [],
        "parentBeaconBlockRoot": B256::with_last_byte(6),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_built_with_the_transactions_that_are_named_and_nothing_changes() {
    let dev = Dev::start().await;
    let (head, raw) = (dev.chain.head().block.hash(), signed(&dev, 0));
    let build = async |transactions: Value| {
        dev.ask("testing_buildBlockV1", json!([head, attributes(&dev), transactions, "0xabcd"])).await
    };
    let built = build(json!([raw])).await.unwrap();
    let payload = &built["executionPayload"];
    assert_eq!((&payload["transactions"], &payload["gasUsed"]), (&json!([raw]), &json!("0x5208")));
    assert_eq!((&payload["parentHash"], &payload["blockNumber"]), (&json!(head), &json!("0x1")));
    assert_eq!((&payload["extraData"], &payload["prevRandao"]), (&json!("0xabcd"), &json!(B256::with_last_byte(5))));
    assert_eq!(built["blockValue"], json!(U256::from(21_000 * TIP_WEI)));
    let empty = build(json!([])).await.unwrap();
    assert_eq!(empty["executionPayload"]["transactions"], json!([]));
    assert_ne!(empty["executionPayload"]["stateRoot"], payload["stateRoot"]);
    assert_eq!(dev.ask("eth_blockNumber", json!([])).await.unwrap(), "0x0");
    assert_eq!(dev.ask("txpool_status", json!([])).await.unwrap()["pending"], "0x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_pool_is_built_and_waits_on() {
    let dev = Dev::start().await;
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let raw = signed(&dev, 0);
    dev.ask("eth_sendRawTransaction", json!([raw])).await.unwrap();
    let head = dev.chain.head().block.hash();
    let built = dev.ask("testing_buildBlockV1", json!([head, attributes(&dev), null])).await.unwrap();
    assert_eq!(built["executionPayload"]["transactions"], json!([raw]));
    assert_eq!(dev.ask("txpool_status", json!([])).await.unwrap()["pending"], "0x1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_built_is_refused() {
    let dev = Dev::start().await;
    let head = dev.chain.head().block.hash();
    let far = json!([head, attributes(&dev), [signed(&dev, 9)], "0x"]);
    assert_eq!(dev.ask("testing_buildBlockV1", far).await.unwrap_err().code, -32_000);
    let elsewhere = json!([B256::ZERO, attributes(&dev), [], "0x"]);
    assert_eq!(dev.ask("testing_buildBlockV1", elsewhere).await.unwrap_err().code, -32_000);
    let mut early = attributes(&dev);
    early["timestamp"] = json!("0x1");
    assert!(dev.ask("testing_buildBlockV1", json!([head, early, [], "0x"])).await.is_err());
}

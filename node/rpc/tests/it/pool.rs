//! Transactions that are refused, with the words Ethereum's tools match on.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Bytes, TxKind, U256};
use alloy_signer::SignerSync as _;
use serde_json::{Value, json};

use crate::fixture::{Dev, Refusal};

/// One wei from account 0 to account 1, and what a test changes of it.
async fn send(dev: &Dev, change: impl FnOnce(&mut TxEip1559)) -> Result<Value, Refusal> {
    let mut tx = TxEip1559 {
        chain_id: 31_337,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(dev.address(1)),
        value: U256::ONE,
        ..TxEip1559::default()
    };
    change(&mut tx);
    let signature = dev.signers[0].sign_hash_sync(&tx.signature_hash()).unwrap();
    let raw = Bytes::from(TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718());
    dev.ask("eth_sendRawTransaction", json!([raw])).await
}

async fn refused(dev: &Dev, start: &str, change: impl FnOnce(&mut TxEip1559)) {
    let refusal = send(dev, change).await.unwrap_err();
    assert_eq!(refusal.code, -32_000, "{}", refusal.message);
    assert!(refusal.message.starts_with(start), "{:?} does not start with {start:?}", refusal.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_transaction_gets_its_own_words_and_the_node_goes_on() {
    let dev = Dev::start().await;
    send(&dev, |_| ()).await.unwrap();
    refused(&dev, "nonce too low", |tx| tx.value = U256::from(2)).await;
    refused(&dev, "invalid chain id for signer", |tx| tx.chain_id = 1).await;
    refused(&dev, "max fee per gas less than block base fee", |tx| {
        (tx.nonce, tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (1, 1, 1);
    })
    .await;
    refused(&dev, "max priority fee per gas higher than max fee per gas", |tx| {
        (tx.nonce, tx.max_priority_fee_per_gas) = (1, u128::MAX / 2);
    })
    .await;
    refused(&dev, "intrinsic gas too low", |tx| (tx.nonce, tx.gas_limit) = (1, 20_999)).await;
    refused(&dev, "insufficient funds for gas * price + value", |tx| (tx.nonce, tx.value) = (1, U256::MAX)).await;
    refused(&dev, "transaction gas limit too high", |tx| (tx.nonce, tx.gas_limit) = (1, 20_000_000)).await;
    refused(&dev, "max initcode size exceeded", |tx| {
        (tx.nonce, tx.to, tx.gas_limit) = (1, TxKind::Create, 10_000_000);
        tx.input = vec![0; 49_153].into();
    })
    .await;
    send(&dev, |tx| tx.nonce = 1).await.unwrap();
    assert_eq!(dev.chain.head().block.number(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_code_of_the_greatest_length_passes() {
    let dev = Dev::start().await;
    let deploy = |tx: &mut TxEip1559| {
        (tx.to, tx.gas_limit, tx.value) = (TxKind::Create, 10_000_000, U256::ZERO);
        tx.input = vec![0; 49_152].into();
    };
    let hash = send(&dev, deploy).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap()["status"], "0x1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_must_pay_more_and_a_copy_is_known() {
    let dev = Dev::start().await;
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    send(&dev, |_| ()).await.unwrap();
    refused(&dev, "already known", |_| ()).await;
    refused(&dev, "replacement transaction underpriced", |tx| tx.value = U256::from(2)).await;
    let better = send(&dev, |tx| {
        (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (20_000_000_000, 2_000_000_000);
    });
    better.await.unwrap();
    assert_eq!(dev.ask("txpool_status", json!([])).await.unwrap(), json!({"pending": "0x1", "queued": "0x0"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_behind_a_gap_waits_and_is_shown() {
    let dev = Dev::start().await;
    let hash = send(&dev, |tx| tx.nonce = 2).await.unwrap();
    let pooled = dev.ask("eth_getTransactionByHash", json!([hash])).await.unwrap();
    assert_eq!(pooled["blockNumber"], Value::Null);
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap(), Value::Null);
    let sender = dev.address(0).to_string();
    let content = dev.ask("txpool_content", json!([])).await.unwrap();
    let lane = content["queued"].as_object().unwrap().iter().find(|(key, _)| key.eq_ignore_ascii_case(&sender));
    assert_eq!(lane.unwrap().1["2"]["hash"], hash);
    assert!(dev.ask("txpool_inspect", json!([])).await.unwrap()["queued"].to_string().contains("1 wei"));

    send(&dev, |_| ()).await.unwrap();
    send(&dev, |tx| tx.nonce = 1).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap()["blockNumber"], "0x2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_signed_transaction_is_refused() {
    let dev = Dev::start().await;
    for raw in ["0x", "0x02", "0x02c0", "0xdeadbeef", "0xc0"] {
        let refusal = dev.ask("eth_sendRawTransaction", json!([raw])).await.unwrap_err();
        assert_eq!(refusal.code, -32_602, "{raw}: {}", refusal.message);
    }
    // A signature whose s is in the upper half is not valid since Homestead (EIP-2).
    let tx = TxEip1559 { chain_id: 31_337, ..TxEip1559::default() };
    let signature = dev.signers[0].sign_hash_sync(&tx.signature_hash()).unwrap();
    let order =
        "115792089237316195423570985008687907852837564279074904382605163141518161494337".parse::<U256>().unwrap();
    let malleated = alloy_primitives::Signature::new(signature.r(), order - signature.s(), !signature.v());
    let raw = Bytes::from(TxEnvelope::Eip1559(tx.into_signed(malleated)).encoded_2718());
    let refusal = dev.ask("eth_sendRawTransaction", json!([raw])).await.unwrap_err();
    assert!(refusal.message.contains("invalid sender"), "{}", refusal.message);
}

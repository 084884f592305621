//! Many who send and many who ask at once, in small: nothing is lost, everybody is answered. In large it is `make bench-load
//! BENCH='--siege 60'`.

use std::{sync::Arc, time::Duration};

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_signer::SignerSync as _;
use parapet_builder::{Mining, Settings};
use parapet_monitor::NoMonitor;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::Dev;

const SENDERS: usize = 10;
const BATCHES: u64 = 4;
const BATCH: u64 = 25;
const ASKING: usize = 60;
const TARGET: Address = Address::repeat_byte(0x42);

fn signed(dev: &Dev, account: usize, nonce: u64) -> Bytes {
    let tx = TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: u128::from(nonce % 7) * 100_000_000,
        to: TARGET.into(),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let signature = dev.signers[account].sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718().into()
}

fn batch(dev: &Dev, account: usize, number: u64) -> Vec<u8> {
    let nonces = number * BATCH..(number + 1) * BATCH;
    let call = |nonce| {
        let raw = hex::encode_prefixed(signed(dev, account, nonce));
        json!({"jsonrpc": "2.0", "id": nonce, "method": "eth_sendRawTransaction", "params": [raw]})
    };
    serde_json::to_vec(&nonces.map(call).collect::<Vec<_>>()).unwrap()
}

async fn besiege(mining: Mining) {
    let dev = Dev::with(Settings { mining, ..Settings::default() }, Limits::default(), Arc::new(NoMonitor)).await;
    let dev = Arc::new(dev);
    let miner = tokio::spawn(dev.chain.clone().mine_at_intervals());
    let mut senders = tokio::task::JoinSet::new();
    for account in 0..SENDERS {
        let dev = Arc::clone(&dev);
        senders.spawn(async move {
            for number in 0..BATCHES {
                let (_, answer) = dev.post(&batch(&dev, account, number)).await;
                let answers: Vec<Value> = serde_json::from_str(&answer).unwrap();
                assert!(answers.iter().all(|answer| answer["result"].is_string()), "{answer}");
            }
        });
    }
    for _ in 0..ASKING {
        let dev = Arc::clone(&dev);
        senders.spawn(async move {
            for _ in 0..5 {
                assert_eq!(dev.ask("eth_chainId", json!([])).await.unwrap(), "0x7a69");
                dev.ask("eth_getBalance", json!([TARGET, "latest"])).await.unwrap();
                dev.ask("eth_call", json!([{"to": TARGET}, "pending"])).await.unwrap();
            }
        });
    }
    while let Some(done) = senders.join_next().await {
        done.unwrap();
    }
    while dev.chain.pool_counts() != (0, 0) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let all = SENDERS as u64 * BATCHES * BATCH;
    let blocks = (1..=dev.chain.head().block.number()).map(|number| dev.chain.block(number).unwrap().unwrap());
    assert_eq!(blocks.map(|block| block.transactions.len() as u64).sum::<u64>(), all);
    assert_eq!(dev.ask("eth_getBalance", json!([TARGET, "latest"])).await.unwrap(), format!("{all:#x}"));
    dev.chain.close();
    miner.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_where_blocks_come_as_transactions_come() {
    besiege(Mining::Instant).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_where_blocks_come_by_themselves() {
    besiege(Mining::Interval(Duration::from_millis(50))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_where_blocks_come_both_ways() {
    besiege(Mining::Mixed(Duration::from_millis(50))).await;
}

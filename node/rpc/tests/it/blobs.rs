//! Blobs by their hash and by their transaction, and chains that begin at another number.

use std::sync::Arc;

use alloy_consensus::{SidecarBuilder, SimpleCoder};
use alloy_network::{TransactionBuilder as _, TransactionBuilder4844 as _};
use alloy_primitives::{Address, B256};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::TransactionRequest;
use parapet_builder::{Mining, Settings as ChainSettings, SystemClock};
use parapet_genesis::DevSettings;
use parapet_monitor::NoMonitor;
use parapet_rpc::Settings;
use serde_json::{Value, json};

use crate::fixture::{Dev, GENESIS_TIME};

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_told_while_they_wait_and_once_they_are_mined() {
    let settings =
        ChainSettings { mining: Mining::Manual, mined_blob_bytes_max: 1_000_000, ..ChainSettings::default() };
    let chain = Dev::chain(&DevSettings::at(GENESIS_TIME), settings, Arc::new(NoMonitor), Arc::new(SystemClock));
    let dev = Dev::served(chain, Settings::default()).await;
    let sidecar = SidecarBuilder::<SimpleCoder>::from_slice(b"parapet").build_7594().unwrap();
    let (blob, hash) = (json!(sidecar.blobs[0]), sidecar.versioned_hashes().next().unwrap());
    let request = TransactionRequest::default()
        .with_to(Address::repeat_byte(0x42))
        .with_max_fee_per_blob_gas(1_000_000_000)
        .with_blob_sidecar_7594(sidecar);
    let transaction = *dev.wallet(0).send_transaction(request).await.unwrap().tx_hash();
    for mined in [false, true] {
        let found = dev.ask("anvil_getBlobByHash", json!([hash])).await.unwrap();
        assert!(found == blob, "mined: {mined}");
        let found = dev.ask("anvil_getBlobsByTransactionHash", json!([transaction])).await.unwrap();
        assert!(found == json!([blob]), "mined: {mined}");
        dev.ask("evm_mine", json!([])).await.unwrap();
    }
    for (method, unknown) in [("anvil_getBlobByHash", transaction), ("anvil_getBlobsByTransactionHash", hash)] {
        assert_eq!(dev.ask(method, json!([unknown])).await.unwrap(), Value::Null);
        assert_eq!(dev.ask(method, json!([B256::ZERO])).await.unwrap(), Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_may_begin_at_another_number() {
    let begun = DevSettings { number: 1_000, ..DevSettings::at(GENESIS_TIME) };
    let chain = Dev::chain(&begun, ChainSettings::default(), Arc::new(NoMonitor), Arc::new(SystemClock));
    let dev = Dev::served(chain, Settings::default()).await;
    let number = async |name: &str| {
        let block = dev.ask("eth_getBlockByNumber", json!([name, false])).await.unwrap();
        block["number"].clone()
    };
    for name in ["earliest", "latest", "safe", "finalized"] {
        assert_eq!(number(name).await, "0x3e8", "{name}");
    }
    assert_eq!(number("0x3e7").await, Value::Null);
    let receipt = dev.transfer().await;
    assert_eq!(receipt.block_number, Some(1_001));
    let snapshot = dev.ask("evm_snapshot", json!([])).await.unwrap();
    dev.transfer().await;
    assert_eq!(dev.ask("evm_revert", json!([snapshot])).await.unwrap(), true);
    assert_eq!(dev.ask("eth_getLogs", json!([{ "fromBlock": "earliest" }])).await.unwrap(), json!([]));
    assert_eq!(dev.ask("eth_feeHistory", json!(["0x5", "latest", []])).await.unwrap()["oldestBlock"], "0x3e8");
    dev.ask("anvil_reset", json!([])).await.unwrap();
    assert_eq!(number("latest").await, "0x3e8");
}

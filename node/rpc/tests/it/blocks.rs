//! Blocks, transactions, receipts.

use alloy_consensus::Transaction as _;
use alloy_network::ReceiptResponse as _;
use alloy_primitives::{B256, U256};
use alloy_provider::Provider as _;
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO, EPOCH_SLOTS};

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_found_in_every_way() {
    let dev = Dev::start().await;
    let receipt = dev.transfer().await;
    assert!(receipt.status());
    assert_eq!((receipt.block_number, receipt.gas_used), (Some(1), 21_000));
    assert_eq!(receipt.from, dev.address(0));

    let block = dev.provider.get_block_by_number(1.into()).full().await.unwrap().unwrap();
    assert_eq!(block.header.hash, receipt.block_hash.unwrap());
    assert_eq!(block.header.hash, block.header.inner.hash_slow());
    let transaction = block.transactions.txns().next().unwrap();
    assert_eq!(*transaction.inner.tx_hash(), receipt.transaction_hash);
    assert_eq!(transaction.value(), U256::ONE);

    let by_hash = dev.provider.get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
    assert_eq!(&by_hash, transaction);
    let hash = receipt.block_hash.unwrap();
    assert_eq!(
        dev.ask("eth_getTransactionByBlockNumberAndIndex", json!(["0x1", "0x0"])).await.unwrap()["hash"],
        json!(receipt.transaction_hash)
    );
    assert_eq!(
        dev.ask("eth_getTransactionByBlockHashAndIndex", json!([hash, "0x0"])).await.unwrap()["hash"],
        json!(receipt.transaction_hash)
    );
    assert_eq!(dev.ask("eth_getTransactionByBlockHashAndIndex", json!([hash, "0x1"])).await.unwrap(), Value::Null);
    assert_eq!(dev.ask("eth_getBlockTransactionCountByNumber", json!(["latest"])).await.unwrap(), "0x1");
    assert_eq!(dev.ask("eth_getBlockTransactionCountByHash", json!([hash])).await.unwrap(), "0x1");
    let receipts = dev.provider.get_block_receipts(1.into()).await.unwrap().unwrap();
    assert_eq!(receipts, [receipt]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_null_and_no_error() {
    let dev = Dev::start().await;
    let nowhere = B256::repeat_byte(9);
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x64", false])),
        ("eth_getBlockByHash", json!([nowhere, true])),
        ("eth_getTransactionByHash", json!([nowhere])),
        ("eth_getTransactionReceipt", json!([nowhere])),
        ("eth_getBlockReceipts", json!(["0x64"])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x64"])),
        ("guard_getVerdicts", json!([nowhere])),
    ] {
        assert_eq!(dev.ask(method, params).await.unwrap(), Value::Null, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_one_block_count_logs_and_gas_on() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let (zero, one) = (dev.address(0), dev.address(1));
    for (from, data) in [(zero, "0x01"), (zero, "0x02"), (one, "0x03")] {
        let request = json!([{"from": from, "to": echo, "data": data, "gas": "0x186a0"}]);
        dev.ask("eth_sendTransaction", request).await.unwrap();
    }
    dev.ask("evm_mine", json!([])).await.unwrap();
    let receipts = dev.provider.get_block_receipts(2.into()).await.unwrap().unwrap();
    let logs: Vec<_> = receipts.iter().flat_map(|receipt| receipt.logs()).collect();
    assert_eq!(logs.iter().map(|log| log.log_index.unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(logs.iter().map(|log| log.transaction_index.unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    let mut gas = 0;
    for receipt in &receipts {
        gas += receipt.gas_used;
        assert_eq!(receipt.inner.cumulative_gas_used(), gas);
        let alone = dev.provider.get_transaction_receipt(receipt.transaction_hash).await.unwrap().unwrap();
        assert_eq!(&alone, receipt);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_says_what_it_is() {
    let dev = Dev::start().await;
    assert_eq!(dev.ask("eth_chainId", json!([])).await.unwrap(), "0x7a69");
    assert_eq!(dev.ask("net_version", json!([])).await.unwrap(), "31337");
    assert_eq!(dev.ask("net_listening", json!([])).await.unwrap(), true);
    assert_eq!(dev.ask("web3_clientVersion", json!([])).await.unwrap(), "parapet/test");
    assert_eq!(dev.ask("eth_syncing", json!([])).await.unwrap(), false);
    let empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(dev.ask("web3_sha3", json!(["0x"])).await.unwrap(), empty);
    assert_eq!(dev.ask("rpc_modules", json!([])).await.unwrap()["guard"], "1.0");
    assert_eq!(dev.ask("guard_registry", json!([])).await.unwrap(), "0x5061726170657400000000000000000000000001");
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_follow_the_chain() {
    let dev = Dev::start().await;
    dev.transfer().await;
    dev.ask("anvil_mine", json!(["0x3"])).await.unwrap();
    let history = dev.provider.get_fee_history(3, 4.into(), &[25.0, 75.0]).await.unwrap();
    assert_eq!(history.oldest_block, 2);
    assert_eq!(history.base_fee_per_gas.len(), 4);
    assert_eq!(history.gas_used_ratio, [0.0; 3]);
    assert_eq!(history.reward.unwrap(), vec![vec![0, 0]; 3]);
    let next = history.base_fee_per_gas[3];
    assert_eq!(dev.provider.get_gas_price().await.unwrap(), next + 1_000_000_000);

    let first = dev.provider.get_fee_history(10, 1.into(), &[50.0]).await.unwrap();
    assert_eq!((first.oldest_block, first.gas_used_ratio.len()), (0, 2));
    assert!(first.reward.unwrap()[1][0] > 0);
    let refused = dev.ask("eth_feeHistory", json!(["0x1", "latest", [75.0, 25.0]])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
    assert_eq!(dev.ask("eth_blobBaseFee", json!([])).await.unwrap(), "0x1");
}

#[tokio::test(flavor = "multi_thread")]
async fn safe_and_finalized_are_one_and_two_epochs_behind() {
    let dev = Dev::start().await;
    let number = async |tag: &str| {
        let block = dev.ask("eth_getBlockByNumber", serde_json::json!([tag, false])).await.unwrap();
        u64::from_str_radix(block["number"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    };
    assert_eq!((number("safe").await, number("finalized").await), (0, 0));
    dev.ask("anvil_mine", serde_json::json!([5])).await.unwrap();
    assert_eq!((number("safe").await, number("finalized").await), (5 - EPOCH_SLOTS, 5 - 2 * EPOCH_SLOTS));
}

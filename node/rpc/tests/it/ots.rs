//! What Otterscan asks.

use alloy_network::ReceiptResponse as _;
use alloy_primitives::{Address, U256, hex};
use parapet_builder::Settings;
use parapet_monitor::NoMonitor;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO, init_code};

/// CALL(gas, 0x…77, CALLVALUE): forwards what it is sent.
const FORWARD: [u8; 13] = hex!("5f5f5f5f34 6077 5af1 00 000000");
const HEIR: Address = alloy_primitives::address!("0000000000000000000000000000000000000077");

async fn send(dev: &Dev, index: usize, to: Address, wei: u64) -> Value {
    let call = json!([{"from": dev.address(index), "to": to, "value": U256::from(wei)}]);
    dev.ask("eth_sendTransaction", call).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_told_with_its_calls_operations_and_error() {
    let dev = Dev::start().await;
    assert_eq!(dev.ask("ots_getApiLevel", json!([])).await.unwrap(), 8);
    let creation = dev.deploy(&FORWARD).await;
    let forward = creation.contract_address().unwrap();
    assert_eq!(dev.ask("ots_hasCode", json!([forward, "latest"])).await.unwrap(), true);
    assert_eq!(dev.ask("ots_hasCode", json!([forward, "0x0"])).await.unwrap(), false);
    assert_eq!(dev.ask("ots_hasCode", json!([forward, 0])).await.unwrap(), false, "as Otterscan sends it");
    let hash = send(&dev, 1, forward, 5).await;

    let tree = dev.ask("ots_traceTransaction", json!([hash])).await.unwrap();
    let told: Vec<_> =
        tree.as_array().unwrap().iter().map(|call| (&call["type"], &call["depth"], &call["to"])).collect();
    let call = json!("CALL");
    assert_eq!(told, [(&call, &json!(0), &json!(forward)), (&call, &json!(1), &json!(HEIR))]);
    let operations = dev.ask("ots_getInternalOperations", json!([hash])).await.unwrap();
    assert_eq!(operations, json!([{"type": 0, "from": forward, "to": HEIR, "value": "0x5"}]));
    assert_eq!(dev.ask("ots_getTransactionError", json!([hash])).await.unwrap(), "0x");

    // MSTORE8(0, 0xab) REVERT(0, 1)
    let failing = Address::repeat_byte(0x31);
    dev.ask("anvil_setCode", json!([failing, "0x60ab5f5360015ffd"])).await.unwrap();
    let call = json!([{"from": dev.address(1), "to": failing, "gas": "0x30000"}]);
    let failed = dev.ask("eth_sendTransaction", call).await.unwrap();
    assert_eq!(dev.ask("ots_getTransactionError", json!([failed])).await.unwrap(), "0xab");

    let creator = dev.ask("ots_getContractCreator", json!([forward])).await.unwrap();
    assert_eq!(creator, json!({"hash": creation.transaction_hash, "creator": dev.address(0)}));
    assert_eq!(dev.ask("ots_getContractCreator", json!([dev.address(0)])).await.unwrap(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_found_by_its_sender_and_nonce() {
    let dev = Dev::start().await;
    let mut sent = Vec::new();
    for wei in 1..=5 {
        sent.push(send(&dev, 0, dev.address(1), wei).await);
        send(&dev, 2, dev.address(1), wei).await;
    }
    for (nonce, hash) in (0_u64..).zip(&sent) {
        let params = json!([dev.address(0), nonce]);
        assert_eq!(dev.ask("ots_getTransactionBySenderAndNonce", params).await.unwrap(), *hash, "nonce {nonce}");
    }
    let next = json!([dev.address(0), 5]);
    assert_eq!(dev.ask("ots_getTransactionBySenderAndNonce", next).await.unwrap(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_go_page_by_page_from_either_end() {
    let dev = Dev::start().await;
    let target = Address::repeat_byte(0x44);
    let mut sent = Vec::new();
    for wei in 1..=5 {
        sent.push(send(&dev, 0, target, wei).await);
        send(&dev, 0, dev.address(1), wei).await;
    }
    let search = async |direction: &'static str, number: u64| {
        let page = dev.ask(direction, json!([target, number, 2])).await.unwrap();
        let hashes: Vec<Value> = page["txs"].as_array().unwrap().iter().map(|tx| tx["hash"].clone()).collect();
        assert_eq!(page["receipts"].as_array().unwrap().len(), hashes.len());
        (hashes, page["firstPage"] == true, page["lastPage"] == true)
    };
    let newest_first = |range: std::ops::Range<usize>| sent[range].iter().rev().cloned().collect::<Vec<_>>();
    // The five lie in blocks 1, 3, 5, 7 and 9.
    assert_eq!(search("ots_searchTransactionsBefore", 0).await, (newest_first(3..5), true, false));
    assert_eq!(search("ots_searchTransactionsBefore", 7).await, (newest_first(1..3), false, false));
    assert_eq!(search("ots_searchTransactionsBefore", 3).await, (newest_first(0..1), false, true));
    assert_eq!(search("ots_searchTransactionsAfter", 0).await, (newest_first(0..2), false, true));
    assert_eq!(search("ots_searchTransactionsAfter", 3).await, (newest_first(2..4), false, false));
    assert_eq!(search("ots_searchTransactionsAfter", 7).await, (newest_first(4..5), true, false));
    assert_eq!(search("ots_searchTransactionsBefore", 1).await, (Vec::new(), false, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_only_called_from_within_is_found_and_searches_are_bounded() {
    let limits = Limits { trace_blocks_max: 3, ..Limits::default() };
    let dev = Dev::with(Settings::default(), limits, std::sync::Arc::new(NoMonitor)).await;
    let forward = dev.deploy(&FORWARD).await.contract_address().unwrap();
    let hash = send(&dev, 1, forward, 1).await;
    let page = dev.ask("ots_searchTransactionsBefore", json!([HEIR, 0, 1])).await.unwrap();
    assert_eq!(page["txs"][0]["hash"], hash);
    for _ in 0..2 {
        send(&dev, 1, dev.address(0), 1).await;
    }
    let far = dev.ask("ots_searchTransactionsBefore", json!([Address::repeat_byte(9), 0, 1])).await.unwrap_err();
    assert_eq!(far.code, -32_005, "no short page that would be taken for the end");
    for page_size in [0, 101] {
        assert!(dev.ask("ots_searchTransactionsBefore", json!([HEIR, 0, page_size])).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_told_without_transactions_and_its_transactions_by_pages_from_its_end() {
    let dev = Dev::start().await;
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let mut hashes = Vec::new();
    for wei in 1..=3 {
        hashes.push(send(&dev, 0, dev.address(1), wei).await);
    }
    let code = alloy_primitives::Bytes::from(init_code(&ECHO));
    hashes.push(dev.ask("eth_sendTransaction", json!([{"from": dev.address(0), "data": code}])).await.unwrap());
    dev.ask("evm_mine", json!([])).await.unwrap();

    let details = dev.ask("ots_getBlockDetails", json!(["latest"])).await.unwrap();
    assert_eq!((&details["block"]["transactionCount"], &details["block"]["transactions"]), (&json!(4), &Value::Null));
    assert_eq!(details["issuance"], json!({"blockReward": "0x0", "uncleReward": "0x0", "issuance": "0x0"}));
    let hash = details["block"]["hash"].clone();
    assert_eq!(dev.ask("ots_getBlockDetailsByHash", json!([hash])).await.unwrap(), details);
    let mut paid = U256::ZERO;
    for hash in &hashes {
        let receipt = dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap();
        let quantity = |field: &str| serde_json::from_value::<U256>(receipt[field].clone()).unwrap();
        paid += quantity("gasUsed") * quantity("effectiveGasPrice");
    }
    assert_eq!(details["totalFees"], json!(paid));

    let page = async |number: u64| {
        // As Otterscan sends it: a number of JSON's own.
        let head = dev.chain.head().block.number();
        let page = dev.ask("ots_getBlockTransactions", json!([head, number, 3])).await.unwrap();
        assert_eq!(page["fullblock"]["transactionCount"], 4);
        assert!(page["receipts"].as_array().unwrap().iter().all(|receipt| receipt["logs"].is_null()));
        page["fullblock"]["transactions"].as_array().unwrap().clone()
    };
    let hash_of = |transactions: Vec<Value>| transactions.iter().map(|tx| tx["hash"].clone()).collect::<Vec<_>>();
    let last = page(0).await;
    assert_eq!(last[2]["input"].as_str().unwrap().len(), 10, "of calldata there is only the selector");
    assert_eq!(hash_of(last), hashes[1..]);
    assert_eq!(hash_of(page(1).await), hashes[..1]);
    assert!(page(2).await.is_empty());
}

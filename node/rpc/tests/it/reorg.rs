//! Reorganisations over JSON-RPC.

use alloy_eips::eip2718::Encodable2718 as _;
use alloy_network::{NetworkTransactionBuilder as _, ReceiptResponse as _, TransactionBuilder as _};
use alloy_primitives::{B256, U256};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::{
    core::client::{Subscription, SubscriptionClientT as _},
    rpc_params,
};
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO};

fn hash(dev: &Dev, number: u64) -> B256 {
    dev.chain.block(number).unwrap().unwrap().hash()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_back_as_many_blocks_as_are_asked_for() {
    let dev = Dev::start().await;
    dev.ask("anvil_mine", json!(["0x5"])).await.unwrap();
    let before = [hash(&dev, 1), hash(&dev, 4)];
    assert_eq!(dev.ask("anvil_rollback", json!([])).await.unwrap(), Value::Null);
    assert_eq!((dev.provider.get_block_number().await.unwrap(), hash(&dev, 4)), (4, before[1]));
    dev.ask("anvil_rollback", json!([3])).await.unwrap();
    assert_eq!((dev.provider.get_block_number().await.unwrap(), hash(&dev, 1)), (1, before[0]));
    let refused = dev.ask("anvil_rollback", json!([2])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
    assert!(refused.message.contains("depth must not exceed"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_mines_what_it_is_given_signed_or_not() {
    let dev = Dev::start().await;
    dev.transfer().await;
    dev.ask("anvil_mine", json!(["0x4"])).await.unwrap();
    let before = [hash(&dev, 2), hash(&dev, 5)];
    let signed = {
        let request = TransactionRequest::default().to(dev.address(2)).value(U256::from(5)).gas_limit(21_000);
        let request = request.nonce(0).max_fee_per_gas(10_000_000_000).max_priority_fee_per_gas(1);
        let request = request.with_chain_id(31_337);
        let wallet = alloy_network::EthereumWallet::from(dev.signers[1].clone());
        alloy_primitives::Bytes::from(request.build(&wallet).await.unwrap().encoded_2718())
    };
    let plain = json!({"from": dev.address(0), "to": dev.address(3), "value": "0x1"});
    let options = json!([4, [[plain, 1], [signed, 0], [plain, 1]]]);
    dev.ask("anvil_reorg", options).await.unwrap();
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 5);
    assert!(hash(&dev, 2) != before[0] && hash(&dev, 5) != before[1]);
    let held: Vec<_> = (1..=5).map(|number| dev.chain.block(number).unwrap().unwrap().transactions.len()).collect();
    assert_eq!(held, [1, 1, 2, 0, 0]);
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 3);

    // As named parameters, which is how a library sends them.
    dev.ask("anvil_reorg", json!({"depth": 2, "tx_block_pairs": []})).await.unwrap();
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 5);
    let refused = dev.ask("anvil_reorg", json!([2, [[plain, 2]]])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
    assert!(refused.message.contains("exceeds the reorganised chain"), "{}", refused.message);
    let refused = dev.ask("anvil_reorg", json!([6, []])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
}

async fn subscribe(dev: &Dev, params: jsonrpsee::core::params::ArrayParams) -> Subscription<Value> {
    let socket = dev.socket().await;
    let subscription = socket.subscribe("eth_subscribe", params, "eth_unsubscribe").await.unwrap();
    // A client closes its connection with its last handle; the subscription needs it until the test ends.
    std::mem::forget(socket);
    subscription
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_dropped_blocks_are_taken_back_and_new_heads_announced() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let filter = dev.ask("eth_newFilter", json!([{"address": echo}])).await.unwrap();
    let unread = dev.ask("eth_newFilter", json!([{"address": echo}])).await.unwrap();
    let mut logs = subscribe(&dev, rpc_params!["logs", json!({"address": echo})]).await;
    let mut heads = subscribe(&dev, rpc_params!["newHeads"]).await;
    let call = |data: &str| json!({"from": dev.address(0), "to": echo, "data": data});
    dev.ask("eth_sendTransaction", json!([call("0x01")])).await.unwrap();
    let seen = |changes: Value| -> Vec<(Value, Value)> {
        let logs = changes.as_array().unwrap().iter();
        logs.map(|log| (log["data"].clone(), log["removed"].clone())).collect()
    };
    let changes = async |id: &Value| seen(dev.ask("eth_getFilterChanges", json!([id])).await.unwrap());
    assert_eq!(changes(&filter).await, [(json!("0x01"), json!(false))]);

    dev.ask("anvil_reorg", json!([1, [[call("0x02"), 0]]])).await.unwrap();
    let both = [(json!("0x01"), json!(true)), (json!("0x02"), json!(false))];
    assert_eq!(changes(&filter).await, both);
    assert_eq!(changes(&unread).await, [both[1].clone()], "who never saw a log is not told that it is gone");
    assert!(changes(&filter).await.is_empty());
    for expected in [(json!("0x01"), json!(false)), both[0].clone(), both[1].clone()] {
        let log = logs.next().await.unwrap().unwrap();
        assert_eq!((log["data"].clone(), log["removed"].clone()), expected);
    }
    let (old, new) = (heads.next().await.unwrap().unwrap(), heads.next().await.unwrap().unwrap());
    assert_eq!((&old["number"], &new["number"]), (&json!("0x2"), &json!("0x2")));
    assert_ne!(old["hash"], new["hash"]);
    assert_eq!(new["hash"], json!(hash(&dev, 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_at_their_end_are_refused_and_break_nothing() {
    let dev = Dev::start().await;
    dev.ask("anvil_mine", json!(["0x2"])).await.unwrap();
    let last = json!({"from": dev.address(0), "to": dev.address(3), "nonce": "0xffffffffffffffff", "gas": "0x5208"});
    dev.ask("anvil_reorg", json!([1, [[last, 0]]])).await.unwrap();
    assert_eq!(dev.chain.head().block.transactions.len(), 0, "no block can hold it");
    let highest = "0xffffffffffffffffffffffffffffffff";
    let dear = json!({"from": dev.address(0), "to": dev.address(3), "gas": "0x5208", "maxPriorityFeePerGas": highest});
    dev.ask("anvil_reorg", json!([1, [[dear, 0]]])).await.unwrap();
    assert_eq!(dev.chain.head().block.transactions.len(), 0, "nobody can pay for it");
    let filled = dev.ask("eth_fillTransaction", json!([dear])).await.unwrap();
    assert_eq!(filled["tx"]["maxFeePerGas"], json!(highest));
}

//! Conveniences of development chains.

use alloy_provider::Provider as _;
use serde_json::{Value, json};

use crate::fixture::Dev;

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_reverted_once() {
    let dev = Dev::start().await;
    let id = dev.ask("evm_snapshot", json!([])).await.unwrap();
    assert_eq!(id, "0x1");
    dev.transfer().await;
    assert_eq!(dev.ask("evm_revert", json!([id])).await.unwrap(), true);
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 0);
    assert_eq!(dev.ask("evm_revert", json!([id])).await.unwrap(), false);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_and_blocks_are_made_as_asked() {
    let dev = Dev::start().await;
    let latest = async || {
        let block = dev.provider.get_block_by_number(alloy_eips::BlockNumberOrTag::Latest).await.unwrap().unwrap();
        (block.header.number, block.header.timestamp)
    };
    let far = 4_000_000_000_u64;
    dev.ask("evm_setNextBlockTimestamp", json!([far])).await.unwrap();
    assert_eq!(dev.ask("evm_mine", json!([])).await.unwrap(), "0x0");
    assert_eq!(latest().await, (1, far));
    dev.ask("evm_mine", json!([far + 100])).await.unwrap();
    assert_eq!(latest().await, (2, far + 100));
    dev.ask("evm_mine", json!([{"timestamp": format!("{:#x}", far + 200), "blocks": 2}])).await.unwrap();
    assert_eq!(latest().await.0, 4);
    dev.ask("hardhat_mine", json!(["0x3", "0x3c"])).await.unwrap();
    let (number, timestamp) = latest().await;
    assert_eq!(number, 7);
    dev.ask("evm_increaseTime", json!([1_000])).await.unwrap();
    dev.ask("anvil_mine", json!([])).await.unwrap();
    assert!(latest().await.1 >= timestamp + 1_000 - 120);

    let refused = dev.ask("evm_setNextBlockTimestamp", json!([5])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
    let refused = dev.ask("anvil_mine", json!([100_001])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn mining_is_switched() {
    let dev = Dev::start().await;
    assert_eq!(dev.ask("anvil_getAutomine", json!([])).await.unwrap(), true);
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    assert_eq!(dev.ask("anvil_getAutomine", json!([])).await.unwrap(), false);
    let request = json!([{"from": dev.address(0), "to": dev.address(1)}]);
    let hash = dev.ask("eth_sendTransaction", request).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap(), Value::Null);
    assert_eq!(dev.ask("anvil_getIntervalMining", json!([])).await.unwrap(), Value::Null);
    dev.ask("evm_setIntervalMining", json!([3_600])).await.unwrap();
    assert_eq!(dev.ask("anvil_getIntervalMining", json!([])).await.unwrap(), 3_600);
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    assert_eq!(dev.ask("anvil_getIntervalMining", json!([])).await.unwrap(), 3_600, "it was not on");
    assert_eq!(dev.ask("anvil_getAutomine", json!([])).await.unwrap(), false);
    let refused = dev.ask("evm_setIntervalMining", json!([1_000_000])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
    let info = dev.ask("anvil_nodeInfo", json!([])).await.unwrap();
    assert_eq!((&info["hardFork"], &info["environment"]["chainId"]), (&json!("osaka"), &json!(31_337)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_chain_begins_anew_under_another_name() {
    let dev = Dev::start().await;
    let before = dev.ask("anvil_metadata", json!([])).await.unwrap();
    dev.transfer().await;
    dev.ask("evm_snapshot", json!([])).await.unwrap();
    let filter = dev.ask("eth_newBlockFilter", json!([])).await.unwrap();
    let head = dev.ask("hardhat_metadata", json!([])).await.unwrap();
    assert_eq!((&head["latestBlockNumber"], &head["instanceId"]), (&json!(1), &before["instanceId"]));
    assert_eq!(head["snapshots"], json!({"0x1": [1, head["latestBlockHash"]]}));
    dev.ask("hardhat_reset", json!([])).await.unwrap();
    let after = dev.ask("anvil_metadata", json!([])).await.unwrap();
    assert_eq!((&after["latestBlockNumber"], &after["snapshots"]), (&json!(0), &json!({})));
    assert_eq!(after["latestBlockHash"], before["latestBlockHash"]);
    assert_ne!(after["instanceId"], before["instanceId"]);
    let receipt = dev.transfer().await;
    assert_eq!(dev.ask("eth_getFilterChanges", json!([filter])).await.unwrap(), json!([receipt.block_hash]));
    let refused = dev.ask("anvil_reset", json!([{"forking": {"jsonRpcUrl": "http://localhost:1"}}])).await;
    assert_eq!(refused.unwrap_err().code, -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_spaced_and_time_is_set() {
    let dev = Dev::start().await;
    let mined = async || {
        let blocks = dev.ask("anvil_mine_detailed", json!([])).await.unwrap();
        u64::from_str_radix(&blocks[0]["timestamp"].as_str().unwrap()[2..], 16).unwrap()
    };
    assert_eq!(dev.ask("anvil_removeBlockTimestampInterval", json!([])).await.unwrap(), false);
    dev.ask("anvil_setBlockTimestampInterval", json!([7])).await.unwrap();
    let first = mined().await;
    assert_eq!(mined().await, first + 7);
    assert_eq!(dev.ask("anvil_removeBlockTimestampInterval", json!([])).await.unwrap(), true);
    let far = 4_000_000_000_u64;
    let ahead = dev.ask("evm_setTime", json!([far * 1_000])).await.unwrap();
    assert!(ahead.as_u64().unwrap() > 1_000_000_000, "{ahead}");
    assert!((far..far + 60).contains(&mined().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_told_in_detail_with_what_transactions_returned() {
    let dev = Dev::start().await;
    dev.ask("anvil_setAutomine", json!([false])).await.unwrap();
    // REVERT(0, 0) as creation code: it fails, and returns nothing.
    let request = json!([{"from": dev.address(0), "data": "0x5f5ffd", "gas": "0x186a0"}]);
    let hash = dev.ask("eth_sendTransaction", request).await.unwrap();
    let blocks = dev.ask("evm_mine_detailed", json!([{"blocks": 2}])).await.unwrap();
    let [first, second] = &blocks.as_array().unwrap()[..] else { panic!("two blocks") };
    let transaction = &first["transactions"][0];
    assert_eq!((&transaction["hash"], &transaction["output"]), (&hash, &json!("0x")));
    assert_eq!(transaction["revertReason"], "execution reverted");
    assert_eq!((&second["number"], &second["transactions"]), (&json!("0x2"), &json!([])));
    let refused = dev.ask("evm_mine_detailed", json!([{"blocks": 1_001}])).await.unwrap_err();
    assert_eq!(refused.code, -32_005);
}

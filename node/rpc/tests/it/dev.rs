//! Conveniences of development chains.

use alloy_primitives::{Address, B256, U256};
use alloy_provider::Provider as _;
use serde_json::{Value, json};

use crate::fixture::Dev;

#[tokio::test(flavor = "multi_thread")]
async fn accounts_can_be_set_under_both_names() {
    let dev = Dev::start().await;
    let account = Address::repeat_byte(0x55);
    dev.ask("anvil_setBalance", json!([account, "0x64"])).await.unwrap();
    assert_eq!(dev.provider.get_balance(account).await.unwrap(), U256::from(100));
    dev.ask("hardhat_setBalance", json!([account, "0xc8"])).await.unwrap();
    assert_eq!(dev.provider.get_balance(account).await.unwrap(), U256::from(200));
    dev.ask("anvil_setNonce", json!([account, "0x9"])).await.unwrap();
    assert_eq!(dev.provider.get_transaction_count(account).await.unwrap(), 9);
    dev.ask("hardhat_setCode", json!([account, "0x6001"])).await.unwrap();
    assert_eq!(dev.provider.get_code_at(account).await.unwrap()[..], [0x60, 0x01]);
    let set = dev.ask("hardhat_setStorageAt", json!([account, "0x2", B256::with_last_byte(3)])).await.unwrap();
    assert_eq!(set, true);
    assert_eq!(dev.provider.get_storage_at(account, U256::from(2)).await.unwrap(), U256::from(3));
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 0);
}

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
    dev.ask("evm_setIntervalMining", json!([3_600])).await.unwrap();
    assert_eq!(dev.ask("anvil_getAutomine", json!([])).await.unwrap(), false);
    let refused = dev.ask("evm_setIntervalMining", json!([1_000_000])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
    let info = dev.ask("anvil_nodeInfo", json!([])).await.unwrap();
    assert_eq!((&info["hardFork"], &info["environment"]["chainId"]), (&json!("osaka"), &json!(31_337)));
}

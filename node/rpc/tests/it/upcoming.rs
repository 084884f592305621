//! What tools fix of blocks to come, and of what waits for them.

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

use crate::fixture::Dev;

#[tokio::test(flavor = "multi_thread")]
async fn the_next_block_is_as_it_was_asked_for() {
    let dev = Dev::start().await;
    let (miner, word) = (Address::repeat_byte(0x11), B256::repeat_byte(0x22));
    dev.ask("hardhat_setCoinbase", json!([miner])).await.unwrap();
    assert_eq!(dev.ask("evm_setBlockGasLimit", json!(["0x989680"])).await.unwrap(), true);
    dev.ask("anvil_setNextBlockBaseFeePerGas", json!(["0x3b9aca07"])).await.unwrap();
    dev.ask("hardhat_setPrevRandao", json!([word])).await.unwrap();
    let info = dev.ask("anvil_nodeInfo", json!([])).await.unwrap();
    assert_eq!(info["environment"]["baseFee"], "0x3b9aca07");
    assert_eq!(info["environment"]["gasLimit"], "0x989680");
    assert_eq!(dev.ask("eth_gasPrice", json!([])).await.unwrap(), "0x77359407");
    let history = dev.ask("eth_feeHistory", json!(["0x1", "latest", []])).await.unwrap();
    assert_eq!(history["baseFeePerGas"][1], "0x3b9aca07");
    let block = dev.ask("anvil_mine_detailed", json!([])).await.unwrap();
    let told = ["miner", "gasLimit", "baseFeePerGas", "mixHash"].map(|field| block[0][field].clone());
    assert_eq!(told, [json!(miner), json!("0x989680"), json!("0x3b9aca07"), json!(word)]);
    assert_eq!(dev.ask("anvil_setBlockGasLimit", json!([1])).await.unwrap_err().code, -32_602);
    let refused = dev.ask("hardhat_setMinGasPrice", json!(["0x1"])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
    assert!(refused.message.contains("EIP-1559"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_transactions_are_taken_out() {
    let dev = Dev::start().await;
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let send = async |from: usize| {
        let request = json!([{"from": dev.address(from), "to": dev.address(9), "value": "0x1"}]);
        dev.ask("eth_sendTransaction", request).await.unwrap()
    };
    let waiting = async || dev.ask("txpool_status", json!([])).await.unwrap()["pending"].clone();
    let hash = send(0).await;
    assert_eq!(dev.ask("anvil_dropTransaction", json!([hash])).await.unwrap(), hash);
    assert_eq!(dev.ask("hardhat_dropTransaction", json!([hash])).await.unwrap(), Value::Null);
    for from in [1, 1, 2, 3] {
        send(from).await;
    }
    dev.ask("anvil_removePoolTransactions", json!([dev.address(1)])).await.unwrap();
    assert_eq!(waiting().await, "0x2");
    dev.ask("anvil_dropAllTransactions", json!([])).await.unwrap();
    assert_eq!(waiting().await, "0x0");
}

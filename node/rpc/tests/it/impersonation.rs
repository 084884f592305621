//! Transactions that nobody signed.

use alloy_primitives::{Address, U256};
use alloy_provider::Provider as _;
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO, Refusal};

const STRANGER: Address = Address::repeat_byte(0x77);
const ETHER: u128 = 1_000_000_000_000_000_000;

async fn fund(dev: &Dev, account: Address) {
    dev.ask("anvil_setBalance", json!([account, U256::from(ETHER)])).await.unwrap();
}

async fn send(dev: &Dev, from: Address) -> Result<Value, Refusal> {
    dev.ask("eth_sendTransaction", json!([{"from": from, "to": dev.address(1), "value": "0x1"}])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_sends_while_it_is_impersonated() {
    let dev = Dev::start().await;
    fund(&dev, STRANGER).await;
    assert_eq!(send(&dev, STRANGER).await.unwrap_err().code, -32_000);
    dev.ask("hardhat_impersonateAccount", json!([STRANGER])).await.unwrap();
    let hash = send(&dev, STRANGER).await.unwrap();
    let transaction = dev.ask("eth_getTransactionByHash", json!([hash])).await.unwrap();
    assert_eq!(transaction["from"], json!(STRANGER));
    let receipt = dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &json!(STRANGER)));
    assert_eq!(dev.provider.get_transaction_count(STRANGER).await.unwrap(), 1);
    let accounts = dev.ask("eth_accounts", json!([])).await.unwrap();
    assert_eq!(accounts.as_array().unwrap().last(), Some(&json!(STRANGER)));
    dev.ask("anvil_stopImpersonatingAccount", json!([STRANGER])).await.unwrap();
    assert_eq!(send(&dev, STRANGER).await.unwrap_err().code, -32_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_sends_and_its_transaction_is_traced_and_raw() {
    let dev = Dev::start().await;
    let contract = dev.deploy(&ECHO).await.contract_address.unwrap();
    fund(&dev, contract).await;
    dev.ask("anvil_impersonateAccount", json!([contract])).await.unwrap();
    let request = json!([{"from": contract, "to": contract, "data": "0x0102"}]);
    let hash = dev.ask("eth_sendTransaction", request).await.unwrap();
    let receipt = dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!((&receipt["status"], &receipt["logs"][0]["data"]), (&json!("0x1"), &json!("0x0102")));
    let trace = dev.ask("debug_traceTransaction", json!([hash, {"tracer": "callTracer"}])).await.unwrap();
    assert_eq!((&trace["from"], &trace["output"]), (&json!(contract), &json!("0x0102")));
    // What its bytes say no key ever signed, so nobody can send them.
    let raw = dev.ask("debug_getRawTransaction", json!([hash])).await.unwrap();
    let refused = dev.ask("eth_sendRawTransaction", json!([raw])).await.unwrap_err();
    assert!(refused.message.contains("signature"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_impersonated_where_that_is_asked_for() {
    let dev = Dev::start().await;
    fund(&dev, STRANGER).await;
    dev.ask("anvil_autoImpersonateAccount", json!([true])).await.unwrap();
    send(&dev, STRANGER).await.unwrap();
    dev.ask("anvil_autoImpersonateAccount", json!([false])).await.unwrap();
    assert_eq!(send(&dev, STRANGER).await.unwrap_err().code, -32_000);
    let request = json!([{"from": STRANGER, "to": dev.address(1), "value": "0x2"}]);
    dev.ask("eth_sendUnsignedTransaction", request).await.unwrap();
    assert_eq!(dev.provider.get_transaction_count(STRANGER).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_money_is_told_so() {
    let dev = Dev::start().await;
    dev.ask("anvil_impersonateAccount", json!([STRANGER])).await.unwrap();
    let refused = dev
        .ask("eth_sendTransaction", json!([{"from": STRANGER, "to": dev.address(1), "value": "0x1", "gas": "0x5208"}]))
        .await
        .unwrap_err();
    assert!(refused.message.starts_with("insufficient funds"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_sent_and_its_receipt_waited_for() {
    let dev = Dev::start().await;
    fund(&dev, STRANGER).await;
    dev.ask("anvil_impersonateAccount", json!([STRANGER])).await.unwrap();
    let request = json!([{"from": STRANGER, "to": dev.address(1), "value": "0x1"}]);
    let receipt = dev.ask("eth_sendTransactionSync", request).await.unwrap();
    assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &json!(STRANGER)));
}

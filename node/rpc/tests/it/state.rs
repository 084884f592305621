//! Accounts, storage, proofs.

use alloy_network::ReceiptResponse as _;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_provider::Provider as _;
use serde_json::json;

use crate::fixture::{Dev, ECHO};

#[tokio::test(flavor = "multi_thread")]
async fn state_is_told_as_of_any_block() {
    let dev = Dev::start().await;
    dev.transfer().await;
    let ether = U256::from(10).pow(U256::from(18));
    let receiver = dev.address(1);
    assert_eq!(dev.provider.get_balance(receiver).await.unwrap(), ether * U256::from(10_000) + U256::ONE);
    let before = dev.provider.get_balance(receiver).block_id(0.into()).await.unwrap();
    assert_eq!(before, ether * U256::from(10_000));
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 1);
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).block_id(0.into()).await.unwrap(), 0);

    let hash = dev.chain.block(0).unwrap().unwrap().hash();
    let object = json!([receiver, {"blockHash": hash, "requireCanonical": true}]);
    assert_eq!(dev.ask("eth_getBalance", object).await.unwrap(), json!(before));
    let refused = dev.ask("eth_getBalance", json!([receiver, "0x64"])).await.unwrap_err();
    assert_eq!(refused.code, -32_000);
    assert!(refused.message.starts_with("header not found"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_and_storage_are_told() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    assert_eq!(dev.provider.get_code_at(echo).await.unwrap(), Bytes::from(ECHO));
    assert_eq!(dev.provider.get_code_at(Address::ZERO).await.unwrap(), Bytes::new());
    dev.ask("anvil_setStorageAt", json!([echo, "0x1", B256::with_last_byte(5)])).await.unwrap();
    assert_eq!(dev.provider.get_storage_at(echo, U256::ONE).await.unwrap(), U256::from(5));
    assert_eq!(
        dev.ask("eth_getStorageAt", json!([echo, "0x1", "latest"])).await.unwrap(),
        json!(B256::with_last_byte(5))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_verify_against_the_header() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    dev.ask("anvil_setStorageAt", json!([echo, "0x1", B256::with_last_byte(5)])).await.unwrap();
    dev.ask("evm_mine", json!([])).await.unwrap();
    let proof = dev.provider.get_proof(echo, vec![B256::with_last_byte(1)]).await.unwrap();
    assert_eq!(proof.nonce, 1);
    assert_eq!(proof.storage_proof[0].value, U256::from(5));
    assert!(!proof.account_proof.is_empty());
    let root = dev.chain.head().block.header.state_root;
    assert_eq!(alloy_primitives::keccak256(&proof.account_proof[0]), root);
    assert_eq!(alloy_primitives::keccak256(&proof.storage_proof[0].proof[0]), proof.storage_hash);

    let slots = vec![B256::ZERO; 1_025];
    let refused = dev.ask("eth_getProof", json!([echo, slots, "latest"])).await.unwrap_err();
    assert_eq!(refused.code, -32_005);
}

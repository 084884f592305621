//! Accounts as tools want them.

use alloy_primitives::{Address, B256, U256, hex};
use alloy_provider::Provider as _;
use serde_json::json;

use crate::fixture::{Dev, ECHO};

/// A token's reading half: whatever is asked, it answers with the word behind `keccak256(first argument, 0)`.
/// MSTORE(0, CALLDATALOAD(4)); MSTORE(0, SLOAD(KECCAK256(0, 64))); RETURN(0, 32).
const TOKEN: [u8; 16] = hex!("600435 5f52 60405f20 54 5f52 60205ff3");

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
async fn balances_are_added_to_and_do_not_wrap() {
    let dev = Dev::start().await;
    let account = Address::repeat_byte(0x55);
    dev.ask("anvil_setBalance", json!([account, 100])).await.unwrap();
    dev.ask("tenderly_addBalance", json!([account, "0x17"])).await.unwrap();
    assert_eq!(dev.provider.get_balance(account).await.unwrap(), U256::from(123));
    dev.ask("anvil_addBalance", json!([account, U256::MAX])).await.unwrap();
    assert_eq!(dev.provider.get_balance(account).await.unwrap(), U256::MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_dealt_where_the_token_keeps_them() {
    let dev = Dev::start().await;
    let token = dev.deploy(&TOKEN).await.contract_address.unwrap();
    let owner = dev.address(2);
    let read = async |data: String| dev.ask("eth_call", json!([{"to": token, "data": data}])).await.unwrap();
    let balance = format!("0x70a08231{:0>64}", hex::encode(owner));
    dev.ask("anvil_dealERC20", json!([owner, token, "0x1234"])).await.unwrap();
    assert_eq!(read(balance.clone()).await, json!(B256::from(U256::from(0x1234))));
    dev.ask("anvil_setERC20Allowance", json!([owner, dev.address(3), token, 7])).await.unwrap();
    assert_eq!(read(balance).await, json!(B256::from(U256::from(7))), "this token has one number for both");

    let echo = dev.deploy(&ECHO).await.contract_address.unwrap();
    let refused = dev.ask("hardhat_dealERC20", json!([owner, echo, "0x1"])).await.unwrap_err();
    assert!(refused.message.starts_with("no slot of storage"), "{}", refused.message);
}

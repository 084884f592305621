//! The whole state as one value.

use alloy_primitives::{Address, B256, U256};
use alloy_provider::Provider as _;
use serde_json::json;

use crate::fixture::{Dev, ECHO};

const STRANGER: Address = Address::repeat_byte(0x55);

#[tokio::test(flavor = "multi_thread")]
async fn a_dumped_state_is_loaded_by_another_chain() {
    let (one, other) = (Dev::start().await, Dev::start().await);
    let contract = one.deploy(&ECHO).await.contract_address.unwrap();
    let word = B256::with_last_byte(5);
    one.ask("anvil_setStorageAt", json!([STRANGER, "0x1", word])).await.unwrap();
    one.ask("anvil_setNonce", json!([STRANGER, 3])).await.unwrap();
    let dump = one.ask("anvil_dumpState", json!([])).await.unwrap();
    assert!(dump.as_str().unwrap().starts_with("0x1f8b"));

    other.ask("anvil_setStorageAt", json!([STRANGER, "0x2", word])).await.unwrap();
    other.transfer().await;
    assert_eq!(other.ask("hardhat_loadState", json!([dump])).await.unwrap(), true);
    assert_eq!(other.provider.get_code_at(contract).await.unwrap()[..], ECHO);
    assert_eq!(other.provider.get_transaction_count(STRANGER).await.unwrap(), 3);
    assert_eq!(other.provider.get_storage_at(STRANGER, U256::from(1)).await.unwrap(), U256::from(5));
    assert_eq!(other.provider.get_storage_at(STRANGER, U256::from(2)).await.unwrap(), U256::ZERO, "it is as dumped");
    let of = async |dev: &Dev| dev.provider.get_balance(dev.address(0)).await.unwrap();
    assert_eq!(of(&other).await, of(&one).await);
    assert_eq!(other.provider.get_block_number().await.unwrap(), 1, "the chain goes on from its own head");
    other.ask("anvil_mine", json!([])).await.unwrap();
    assert_eq!(other.provider.get_code_at(contract).await.unwrap()[..], ECHO);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_dump_is_refused() {
    let dev = Dev::start().await;
    for dump in ["0x", "0x1f8b00", "0x7b7d", "0x6e6f"] {
        assert_eq!(dev.ask("anvil_loadState", json!([dump])).await.unwrap_err().code, -32_602, "{dump}");
    }
}

//! The chain's forks, what the node keeps, slots of several accounts, and receipts that are waited for.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use alloy_signer::SignerSync as _;
use serde_json::{Value, json};

use crate::fixture::Dev;

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_one_fork_tells_it_and_no_other() {
    let dev = Dev::start().await;
    let config = dev.ask("eth_config", json!([])).await.unwrap();
    assert_eq!((&config["next"], &config["last"]), (&Value::Null, &Value::Null));
    let current = &config["current"];
    assert_eq!(current["activationTime"], 0);
    assert_eq!(current["chainId"], dev.ask("eth_chainId", json!([])).await.unwrap());
    assert_eq!(current["blobSchedule"], json!({"target": 6, "max": 9, "baseFeeUpdateFraction": 5_007_716}));
    assert_eq!(current["precompiles"]["P256VERIFY"], json!(Address::from_word(B256::from(U256::from(0x100)))));
    assert_eq!(current["systemContracts"].as_object().unwrap().len(), 5);
    assert_eq!(current["forkId"].as_str().unwrap().len(), 10);

    let kept = dev.ask("eth_capabilities", json!([])).await.unwrap();
    assert_eq!(kept["head"], json!({"number": "0x0", "hash": dev.chain.head().block.hash()}));
    assert_eq!(kept["state"], json!({"disabled": false, "oldestBlock": "0x0"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_of_several_accounts_are_told_at_once() {
    let dev = Dev::start().await;
    let [one, other] = [0x51, 0x52].map(Address::repeat_byte);
    let word = |value: u64| B256::from(U256::from(value));
    for (slot, value) in [(1, 7), (2, 8)] {
        dev.ask("anvil_setStorageAt", json!([one, U256::from(slot), word(value)])).await.unwrap();
    }
    let asked = json!([{one.to_string(): [word(2), "0x1"], other.to_string(): ["0x0"]}]);
    let told = dev.ask("eth_getStorageValues", asked).await.unwrap();
    assert_eq!(told, json!({format!("{one:#x}"): [word(8), word(7)], format!("{other:#x}"): [word(0)]}));
    assert_eq!(dev.ask("eth_getStorageValues", json!([{}])).await.unwrap_err().code, -32_602);
    let many = json!([{one.to_string(): vec!["0x1"; 1_025]}]);
    assert_eq!(dev.ask("eth_getStorageValues", many).await.unwrap_err().code, -32_005);
}

fn signed(dev: &Dev, nonce: u64) -> (Bytes, B256) {
    let tx = TxEip1559 {
        chain_id: dev.chain.spec().chain_id(),
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(dev.address(1)),
        ..TxEip1559::default()
    };
    let signature = dev.signers[0].sign_hash_sync(&tx.signature_hash()).unwrap();
    let envelope = TxEnvelope::Eip1559(tx.into_signed(signature));
    (envelope.encoded_2718().into(), *envelope.tx_hash())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_receipt_gets_it_or_is_told_that_it_is_not_there_yet() {
    let dev = Dev::start().await;
    let (raw, hash) = signed(&dev, 0);
    let receipt = dev.ask("eth_sendRawTransactionSync", json!([raw])).await.unwrap();
    assert_eq!((&receipt["transactionHash"], &receipt["status"]), (&json!(hash), &json!("0x1")));

    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let (raw, hash) = signed(&dev, 1);
    let waited = dev.ask("eth_sendRawTransactionSync", json!([raw, 20])).await.unwrap_err();
    assert_eq!((waited.code, waited.data), (4, Some(json!(hash))));
    let (raw, hash) = signed(&dev, 2);
    let wait = dev.ask("eth_sendRawTransactionSync", json!([raw, 60_000]));
    // Whoever mines may come before the transaction, so it goes on until there is a receipt.
    let mine = async {
        while dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap().is_null() {
            dev.ask("evm_mine", json!([])).await.unwrap();
        }
    };
    let (receipt, ()) = tokio::join!(wait, mine);
    assert_eq!(receipt.unwrap()["transactionHash"], json!(hash));
    let refused = dev.ask("eth_sendRawTransactionSync", json!([Bytes::from(hex!("02c0"))])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
}

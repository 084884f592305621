//! Transactions on their way in.

use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_provider::Provider as _;
use alloy_signer_local::PrivateKeySigner;
use serde_json::json;

use crate::fixture::Dev;

#[tokio::test(flavor = "multi_thread")]
async fn the_node_signs_for_its_own_accounts_only() {
    let dev = Dev::start().await;
    let accounts = dev.provider.get_accounts().await.unwrap();
    assert_eq!(accounts.len(), 10);
    assert_eq!(accounts[0], address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));

    let send = json!([{"from": accounts[0], "to": accounts[1], "value": "0x5"}]);
    let hash: B256 = serde_json::from_value(dev.ask("eth_sendTransaction", send).await.unwrap()).unwrap();
    let receipt = dev.provider.get_transaction_receipt(hash).await.unwrap().unwrap();
    assert!(receipt.status());
    assert_eq!(receipt.gas_used, 21_000);

    let stranger = Address::repeat_byte(0x99);
    let refused = dev.ask("eth_sendTransaction", json!([{"from": stranger, "to": stranger}])).await.unwrap_err();
    assert_eq!(refused.code, -32_000);
    assert!(refused.message.starts_with("unknown account"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_signed_under_their_prefix() {
    let dev = Dev::start().await;
    let message = Bytes::from_static(b"parapet");
    let signer: Address = dev.address(2);
    let signed = dev.ask("eth_sign", json!([signer, message])).await.unwrap();
    assert_eq!(dev.ask("personal_sign", json!([message, signer])).await.unwrap(), signed);
    let bytes: Bytes = serde_json::from_value(signed).unwrap();
    let signature = alloy_primitives::Signature::from_raw(&bytes).unwrap();
    assert_eq!(signature.recover_address_from_msg(&message).unwrap(), signer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_transaction_and_one_with_an_access_list_pass() {
    let dev = Dev::start().await;
    let (from, to) = (dev.address(0), dev.address(1));
    for (request, kind) in [
        (json!([{"from": from, "to": to, "gasPrice": "0x77359400"}]), "0x0"),
        (
            json!([{"from": from, "to": to, "gasPrice": "0x77359400", "accessList": [{"address": to, "storageKeys": []}]}]),
            "0x1",
        ),
        (json!([{"from": from, "to": to}]), "0x2"),
    ] {
        let hash = dev.ask("eth_sendTransaction", request).await.unwrap();
        let receipt = dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap();
        assert_eq!((receipt["type"].as_str().unwrap(), receipt["status"].as_str().unwrap()), (kind, "0x1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_nonce_counts_what_waits() {
    let dev = Dev::start().await;
    dev.ask("evm_setAutomine", json!([false])).await.unwrap();
    let from = dev.address(0);
    for _ in 0..3 {
        dev.ask("eth_sendTransaction", json!([{"from": from, "to": from}])).await.unwrap();
    }
    assert_eq!(dev.ask("eth_getTransactionCount", json!([from, "pending"])).await.unwrap(), "0x3");
    assert_eq!(dev.ask("eth_getTransactionCount", json!([from, "latest"])).await.unwrap(), "0x0");
    dev.ask("evm_setAutomine", json!([true])).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionCount", json!([from, "latest"])).await.unwrap(), "0x3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_code_transaction_delegates() {
    use alloy_consensus::{SignableTransaction as _, TxEip7702, TxEnvelope};
    use alloy_eips::{eip2718::Encodable2718 as _, eip7702::Authorization};
    use alloy_signer::SignerSync as _;

    let dev = Dev::start().await;
    let (sender, authority): (&PrivateKeySigner, &PrivateKeySigner) = (&dev.signers[0], &dev.signers[3]);
    let target = Address::repeat_byte(0x44);
    let authorization = Authorization { chain_id: U256::from(31_337), address: target, nonce: 0 };
    let signature = authority.sign_hash_sync(&authorization.signature_hash()).unwrap();
    let tx = TxEip7702 {
        chain_id: 31_337,
        nonce: 0,
        gas_limit: 100_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1,
        to: dev.address(1),
        authorization_list: vec![authorization.into_signed(signature)],
        ..TxEip7702::default()
    };
    let signature = sender.sign_hash_sync(&tx.signature_hash()).unwrap();
    let raw = Bytes::from(TxEnvelope::Eip7702(tx.into_signed(signature)).encoded_2718());
    let hash = dev.ask("eth_sendRawTransaction", json!([raw])).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap()["status"], "0x1");
    let code = dev.provider.get_code_at(authority.address()).await.unwrap();
    assert_eq!(code, Bytes::from([&[0xef, 0x01, 0x00][..], target.as_slice()].concat()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once_lose_nothing() {
    const CLIENTS: usize = 8;
    const EACH: usize = 10;
    let dev = std::sync::Arc::new(Dev::start().await);
    let client = |index: usize| {
        let dev = std::sync::Arc::clone(&dev);
        async move {
            let request = json!([{"from": dev.address(index), "to": Address::repeat_byte(0x77), "value": "0x1"}]);
            for _ in 0..EACH {
                let hash = dev.ask("eth_sendTransaction", request.clone()).await.unwrap();
                let receipt = dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap();
                assert_eq!(receipt["status"], "0x1");
                dev.ask("eth_getBlockByNumber", json!(["latest", true])).await.unwrap();
            }
        }
    };
    let clients: Vec<_> = (0..CLIENTS).map(|index| tokio::spawn(client(index))).collect();
    for client in clients {
        client.await.unwrap();
    }
    let expected = (CLIENTS * EACH) as u64;
    // Those that come while a block is built are in the next one together.
    assert!(dev.provider.get_block_number().await.unwrap() <= expected);
    assert_eq!(dev.provider.get_balance(Address::repeat_byte(0x77)).await.unwrap(), U256::from(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_signed_and_sent_nowhere() {
    let dev = Dev::start().await;
    let request = json!([{"from": dev.address(0), "to": dev.address(1), "value": "0x5"}]);
    let raw = dev.ask("eth_signTransaction", request.clone()).await.unwrap();
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 0);
    dev.ask("eth_sendRawTransaction", json!([raw])).await.unwrap();
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 1);
    dev.ask("anvil_autoImpersonateAccount", json!([true])).await.unwrap();
    let stranger = json!([{"from": Address::repeat_byte(7), "to": dev.address(1), "gas": "0x5208"}]);
    let refused = dev.ask("eth_signTransaction", stranger).await.unwrap_err();
    assert_eq!(refused.code, -32_000, "who is impersonated has no key all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_data_is_signed_under_each_name() {
    let dev = Dev::start().await;
    let data = json!({
        "types": {"Data": [{"name": "value", "type": "uint256[]"}]},
        "primaryType": "Data", "domain": {"name": "test", "chainId": 31_337}, "message": {"value": [1, "2"]},
    });
    let sign = async |method| dev.ask(method, json!([dev.address(0), data])).await.unwrap();
    let signature = sign("eth_signTypedData_v4").await;
    assert_eq!(signature.as_str().unwrap().len(), 2 + 2 * 65);
    assert_eq!(sign("eth_signTypedData").await, signature);
    assert_eq!(sign("eth_signTypedData_v3").await, signature);
    let refused = dev.ask("eth_signTypedData_v4", json!([dev.address(0), {}])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
}

//! Calls, estimates, access lists.

use std::{sync::Arc, time::Duration};

use alloy_network::ReceiptResponse as _;
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::{Revert, SolError as _};
use parapet_builder::Settings;
use parapet_monitor::NoMonitor;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO};

/// Puts code at an address without a transaction.
async fn place(dev: &Dev, address: Address, code: &[u8]) {
    dev.ask("anvil_setCode", json!([address, Bytes::copy_from_slice(code)])).await.unwrap();
}

/// Runtime code that reverts with what it is called with.
const MIRROR: [u8; 7] = hex!("365f5f37365ffd");

#[tokio::test(flavor = "multi_thread")]
async fn a_call_returns_its_output_and_changes_nothing() {
    let dev = Dev::start().await;
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let call = TransactionRequest::default().to(echo).input(Bytes::from_static(b"hello").into());
    assert_eq!(dev.provider.call(call).await.unwrap(), Bytes::from_static(b"hello"));
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reverts_tell_their_reason_and_data() {
    let dev = Dev::start().await;
    let mirror = Address::repeat_byte(0x11);
    place(&dev, mirror, &MIRROR).await;
    let reason = Bytes::from(Revert::from("not yours").abi_encode());
    for method in ["eth_call", "eth_estimateGas"] {
        let refused = dev.ask(method, json!([{"to": mirror, "data": reason}])).await.unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (3, "execution reverted: not yours"));
        assert_eq!(refused.data, Some(json!(reason)));
    }
    let refused = dev.ask("eth_call", json!([{"to": mirror, "input": "0xdead"}])).await.unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (3, "execution reverted"));
    assert_eq!(refused.data, Some(json!("0xdead")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_halts_is_told_without_data() {
    let dev = Dev::start().await;
    let broken = Address::repeat_byte(0x12);
    place(&dev, broken, &hex!("fe")).await;
    let refused = dev.ask("eth_call", json!([{"to": broken}])).await.unwrap_err();
    assert_eq!((refused.code, refused.data), (-32_000, None));
    assert!(!refused.message.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn state_and_block_are_seen_as_overridden() {
    let dev = Dev::start().await;
    let probe = Address::repeat_byte(0x13);
    // MSTORE(0, SLOAD(1)); MSTORE(32, BALANCE(this)); MSTORE(64, NUMBER); RETURN(0, 96)
    let code = Bytes::from(hex!("6001545f52 30316020 52 43604052 60605ff3"));
    let overrides = json!({ probe.to_string(): {
        "code": code,
        "balance": "0x7",
        "stateDiff": { format!("{:#066x}", 1): format!("{:#066x}", 9) },
    }});
    let call = json!([{"to": probe}, "latest", overrides, {"number": "0x63"}]);
    let output: Bytes = serde_json::from_value(dev.ask("eth_call", call).await.unwrap()).unwrap();
    let words: Vec<U256> = output.chunks(32).map(U256::from_be_slice).collect();
    assert_eq!(words, [U256::from(9), U256::from(7), U256::from(0x63)]);
    assert_eq!(dev.ask("eth_getCode", json!([probe, "latest"])).await.unwrap(), "0x");

    let both = json!({ probe.to_string(): { "state": {}, "stateDiff": {} } });
    let refused = dev.ask("eth_call", json!([{"to": probe}, "latest", both])).await.unwrap_err();
    assert_eq!(refused.code, -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn estimates_are_enough_and_not_far_too_much() {
    let dev = Dev::start().await;
    let transfer = json!([{"from": dev.address(0), "to": dev.address(1), "value": "0x1"}]);
    let estimate: U256 = serde_json::from_value(dev.ask("eth_estimateGas", transfer).await.unwrap()).unwrap();
    assert!((21_000..=21_300).contains(&estimate.to::<u64>()), "{estimate}");
    let echo = dev.deploy(&ECHO).await.contract_address().unwrap();
    let call = TransactionRequest::default().from(dev.address(0)).to(echo).input(Bytes::from(vec![1; 500]).into());
    let estimate = dev.provider.estimate_gas(call.clone()).await.unwrap();
    let receipt = dev.wallet(0).send_transaction(call.gas_limit(estimate)).await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
    assert!(estimate < receipt.gas_used * 11 / 10, "{estimate} for {}", receipt.gas_used);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_lists_name_what_is_touched() {
    let dev = Dev::start().await;
    let probe = Address::repeat_byte(0x14);
    place(&dev, probe, &hex!("60015400")).await;
    let result = dev.ask("eth_createAccessList", json!([{"from": dev.address(0), "to": probe}])).await.unwrap();
    assert_eq!(result["accessList"][0]["address"], json!(probe));
    assert_eq!(result["accessList"][0]["storageKeys"], json!([format!("{:#066x}", 1)]));
    assert_eq!(result.get("error"), None::<&Value>);
}

#[tokio::test(flavor = "multi_thread")]
async fn contradictory_calls_are_refused_with_what_to_do() {
    let dev = Dev::start().await;
    let to = dev.address(1);
    for call in [
        json!({"to": to, "gasPrice": "0x1", "maxFeePerGas": "0x1"}),
        json!({"to": to, "data": "0x01", "input": "0x02"}),
        json!({"to": to, "maxFeePerBlobGas": "0x1", "blobVersionedHashes": []}),
    ] {
        let refused = dev.ask("eth_call", json!([call])).await.unwrap_err();
        assert_eq!(refused.code, -32_602, "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_end_ends() {
    let dev = Dev::start().await;
    let endless = Address::repeat_byte(0x15);
    place(&dev, endless, &hex!("5b5f56")).await;
    let call = json!([{"to": endless, "gas": "0xffffffffffffffff"}]);
    let refused = dev.ask("eth_call", call).await.unwrap_err();
    assert_eq!(refused.code, -32_000, "{}", refused.message);
    assert_eq!(dev.ask("eth_blockNumber", json!([])).await.unwrap(), "0x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_end_is_ended_when_its_time_is_up_and_its_thread_serves_the_next_one() {
    let limits = Limits {
        heavy_reads_max: 1,
        call_gas_max: u64::MAX >> 2,
        read_time_max: Duration::from_millis(100),
        ..Limits::default()
    };
    let dev = Dev::with(Settings::default(), limits, Arc::new(NoMonitor)).await;
    let (endless, short) = (Address::repeat_byte(0x1a), Address::repeat_byte(0x1b));
    place(&dev, endless, &hex!("5b5f56")).await;
    place(&dev, short, &hex!("00")).await;
    let request = json!({"to": endless, "gas": U256::from(u64::MAX >> 2)});
    let tracer = json!({"tracer": "callTracer"});
    for (method, params) in [
        ("eth_call", json!([request])),
        ("eth_createAccessList", json!([request])),
        ("debug_traceCall", json!([request, "latest", tracer])),
    ] {
        let late = dev.ask(method, params).await.unwrap_err();
        assert_eq!(late.code, -32_002, "{method}: {}", late.message);
        assert!(late.message.contains("timed out"), "{method}: {}", late.message);
        // Were the only thread for reads still at it, none would be served.
        while dev.ask("eth_createAccessList", json!([{"to": short}])).await.is_err() {}
    }
}

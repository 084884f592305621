//! State tests. There are none among the fixtures, so their outcome comes from elsewhere: from arithmetic on paper, and
//! from the headers of blocks of one transaction in a fork whose blocks do nothing of their own.

use std::fs;

use alloy_consensus::{Block, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, U256, address, b256, hex, keccak256};
use alloy_rlp::Decodable as _;
use alloy_trie::{TrieAccount, root::state_root_unhashed};
use parapet_conformance::ConformanceError;
use serde_json::{Value, json};

use crate::fixtures::{reasons, run_text, suite};

const SENDER: Address = address!("00000000000000000000000000000000000000aa");
const CONTRACT: Address = address!("00000000000000000000000000000000000000cc");
const COINBASE: Address = address!("00000000000000000000000000000000000000ff");
/// PUSH1 0, PUSH1 0, LOG0.
const CODE: [u8; 5] = hex!("60006000a0");
/// 21,000 for the transaction, twice 3 for the pushes, 375 for the log.
const GAS_USED: u64 = 21_381;
const BASE_FEE: u64 = 7;
const BALANCE: u64 = 1_000_000_000;
/// RLP of a list of one log of the contract, without topics and data.
const LOGS: [u8; 25] = hex!("d8d79400000000000000000000000000000000000000ccc080");
/// Keccak-256 of the RLP of an empty list.
const EMPTY_LOGS: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");

/// The state after the call, as paper has it: the sender pays gas and value, the contract gets the value, the coinbase
/// the tip. `burnt` goes to nobody.
fn root_after(gas_price: u64, value: u64, burnt: u64) -> B256 {
    root_after_gas(GAS_USED, gas_price, value, burnt)
}

fn root_after_gas(gas_used: u64, gas_price: u64, value: u64, burnt: u64) -> B256 {
    let account = |nonce, balance: u64, code: &[u8]| {
        TrieAccount::new(nonce, U256::from(balance), alloy_trie::EMPTY_ROOT_HASH, keccak256(code))
    };
    let accounts = [
        (SENDER, account(1, BALANCE - gas_used * gas_price - value - burnt, &[])),
        (CONTRACT, account(1, value, &CODE)),
        (COINBASE, account(0, gas_used * (gas_price - BASE_FEE), &[])),
    ];
    state_root_unhashed(accounts)
}

fn root_before() -> B256 {
    let account = |nonce, balance: u64, code: &[u8]| {
        TrieAccount::new(nonce, U256::from(balance), alloy_trie::EMPTY_ROOT_HASH, keccak256(code))
    };
    state_root_unhashed([(SENDER, account(0, BALANCE, &[])), (CONTRACT, account(1, 0, &CODE))])
}

/// A call of the contract with `transaction`'s fields on top of what every type has.
fn test(fork: &str, transaction: &Value, post: &Value) -> Value {
    let mut fields = json!({
        "sender": SENDER, "to": CONTRACT, "nonce": "0x00", "gasLimit": ["0x0186a0"], "value": ["0x05"], "data": ["0x"],
    });
    fields.as_object_mut().unwrap().extend(transaction.as_object().unwrap().clone());
    json!({ "made": {
        "env": {
            "currentCoinbase": COINBASE, "currentGasLimit": "0x01c9c380", "currentNumber": "0x01",
            "currentTimestamp": "0x03e8", "currentRandom": "0x00", "currentBaseFee": "0x07",
        },
        "pre": {
            SENDER.to_string(): { "nonce": "0x00", "balance": format!("{BALANCE:#x}"), "code": "0x", "storage": {} },
            CONTRACT.to_string(): { "nonce": "0x01", "balance": "0x00", "code": Bytes::from(CODE), "storage": {} },
        },
        "transaction": fields,
        "post": { fork: [post] },
    }})
}

fn post(hash: B256, logs: B256) -> Value {
    json!({ "hash": hash, "logs": logs, "indexes": { "data": 0, "gas": 0, "value": 0 } })
}

fn passes(test: &Value) {
    let report = run_text(test.to_string()).unwrap();
    assert_eq!((report.passed, reasons(&report).len()), (1, 0), "{:?}\n{test}", report.failures);
}

#[test]
fn a_call_leaves_what_arithmetic_says_at_every_fork() {
    for fork in ["Paris", "Merge", "Shanghai", "Cancun", "Prague", "Osaka"] {
        let post = post(root_after(10, 5, 0), keccak256(LOGS));
        passes(&test(fork, &json!({ "gasPrice": "0x0a" }), &post));
    }
}

#[test]
fn every_type_of_transaction_is_built_of_its_fields() {
    let plain = post(root_after(9, 5, 0), keccak256(LOGS));
    passes(&test("Paris", &json!({ "gasPrice": "0x09", "accessLists": [[]] }), &plain));
    passes(&test("Paris", &json!({ "maxFeePerGas": "0x14", "maxPriorityFeePerGas": "0x02" }), &plain));
    // One blob costs 131,072 units of blob gas at the least price, which nobody gets.
    let blob = json!({
        "maxFeePerGas": "0x14", "maxPriorityFeePerGas": "0x02", "maxFeePerBlobGas": "0x01",
        "blobVersionedHashes": ["0x0100000000000000000000000000000000000000000000000000000000000000"],
    });
    passes(&test("Cancun", &blob, &post(root_after(9, 5, 131_072), keccak256(LOGS))));
    // An authorization for another chain is paid for, 25,000 gas, and does nothing. Files have more fields than it has.
    let delegation = json!({
        "maxFeePerGas": "0x14", "maxPriorityFeePerGas": "0x02",
        "authorizationList": [{
            "chainId": "0x05", "address": CONTRACT, "nonce": "0x00", "v": "0x00", "r": "0x01", "s": "0x01",
            "signer": SENDER, "yParity": "0x00",
        }],
    });
    passes(&test("Prague", &delegation, &post(root_after_gas(GAS_USED + 25_000, 9, 5, 0), keccak256(LOGS))));
}

#[test]
fn the_indexes_choose_the_variant() {
    let mut post = post(root_after(10, 3, 0), keccak256(LOGS));
    post["indexes"] = json!({ "data": 1, "gas": 1, "value": 1 });
    let fields = json!({
        "gasPrice": "0x0a", "gasLimit": ["0x01", "0x0186a0"], "value": ["0x05", "0x03"], "data": ["0xff", "0x"],
    });
    passes(&test("Osaka", &fields, &post));
}

#[test]
fn another_outcome_is_a_failure() {
    let gas = json!({ "gasPrice": "0x0a" });
    let reason = |post: Value| {
        let report = run_text(test("Prague", &gas, &post).to_string()).unwrap();
        let mut failures = report.failures;
        failures.pop().unwrap().reason
    };
    let right = root_after(10, 5, 0);
    assert!(
        matches!(reason(post(root_after(10, 6, 0), keccak256(LOGS))), ConformanceError::StateRoot { found, .. } if found == right)
    );
    assert!(matches!(reason(post(right, EMPTY_LOGS)), ConformanceError::Logs { .. }));
    let mut refused = post(right, keccak256(LOGS));
    refused["expectException"] = "TransactionException.NONCE_MISMATCH_TOO_HIGH".into();
    assert!(matches!(reason(refused), ConformanceError::TransactionAccepted(_)));
    let mut absent = post(right, keccak256(LOGS));
    absent["indexes"]["value"] = 7.into();
    assert!(matches!(reason(absent), ConformanceError::Missing("value")));
}

#[test]
fn a_transaction_that_is_refused_leaves_the_state_as_it_was() {
    let mut expected = post(root_before(), EMPTY_LOGS);
    expected["expectException"] = "TransactionException.NONCE_MISMATCH_TOO_HIGH".into();
    passes(&test("Osaka", &json!({ "gasPrice": "0x0a", "nonce": "0x01" }), &expected));
    passes(&test(
        "Osaka",
        &json!({ "gasPrice": "0x0a", "value": ["0x:bigint 0x10000000000000000000000000000000000000000000000000000000000000000"] }),
        &expected,
    ));
    expected["txbytes"] = "0x02c0".into();
    passes(&test("Osaka", &json!({ "gasPrice": "0x0a" }), &expected));
    let unexpected = post(root_before(), EMPTY_LOGS);
    let report = run_text(test("Osaka", &json!({ "gasPrice": "0x0a", "nonce": "0x01" }), &unexpected).to_string());
    assert!(matches!(reasons(&report.unwrap())[..], [ConformanceError::TransactionRefused(_)]));
}

/// A blockchain test of one transaction as a state test: Shanghai's blocks do nothing but what their transactions do, so
/// the header's state root is the transaction's. Without logs in the bloom, their hash is known too.
fn as_state_test(test: &Value, with_bytes: bool) -> Option<Value> {
    let [block] = &test["blocks"].as_array()?[..] else { return None };
    let (header, transactions) = (&block["blockHeader"], block["transactions"].as_array()?);
    let [transaction] = &transactions[..] else { return None };
    let quiet = header["bloom"].as_str()?.bytes().skip(2).all(|digit| digit == b'0');
    if test["network"] != "Shanghai" || !quiet || block["withdrawals"].as_array().is_some_and(|all| !all.is_empty()) {
        return None;
    }
    let mut fields = transaction.clone();
    for list in ["gasLimit", "value", "data"] {
        fields[list] = json!([transaction[list]]);
    }
    if let Some(list) = transaction.get("accessList") {
        fields["accessLists"] = json!([list]);
    }
    let mut post = json!({
        "hash": header["stateRoot"], "logs": EMPTY_LOGS, "indexes": { "data": 0, "gas": 0, "value": 0 },
    });
    if with_bytes {
        let rlp: Bytes = block["rlp"].as_str()?.parse().unwrap();
        let decoded = Block::<TxEnvelope>::decode(&mut &rlp[..]).unwrap();
        post["txbytes"] = Bytes::from(decoded.body.transactions[0].encoded_2718()).to_string().into();
    }
    Some(json!({
        "env": {
            "currentCoinbase": header["coinbase"], "currentGasLimit": header["gasLimit"],
            "currentNumber": header["number"], "currentTimestamp": header["timestamp"],
            "currentRandom": header["mixHash"], "currentBaseFee": header["baseFeePerGas"],
        },
        "pre": test["pre"],
        "transaction": fields,
        "post": { "Shanghai": [post] },
        "config": test["config"],
    }))
}

#[test]
fn transactions_alone_leave_what_the_headers_of_their_blocks_announce() {
    let Some(folder) = suite("eest-stable-v5.4.0") else { return };
    let mut folders = vec![folder];
    let mut made = serde_json::Map::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            if !text.contains("Shanghai") {
                continue;
            }
            let tests: Value = serde_json::from_str(&text).unwrap();
            for (name, test) in tests.as_object().unwrap() {
                for with_bytes in [false, true] {
                    if let Some(test) = as_state_test(test, with_bytes) {
                        made.insert(format!("{name}/{with_bytes}"), test);
                    }
                }
            }
        }
    }
    let tests = made.len() as u64;
    let report = run_text(Value::Object(made).to_string()).unwrap();
    assert_eq!((report.passed, report.failures.len()), (tests, 0), "{:#?}", report.failures);
    assert!(tests > 100, "only {tests} tests could be made");
}

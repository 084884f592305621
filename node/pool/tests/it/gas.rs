//! Intrinsic gas against sums worked out by hand from the EIPs.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEip7702, TxEnvelope};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::Authorization,
};
use alloy_primitives::{B256, Bytes, Signature, TxKind, U256};
use parapet_pool::{IntrinsicGas, intrinsic_gas};
use parapet_types::Hardfork;

use crate::support::sender;

fn envelope(transaction: TxEip1559) -> TxEnvelope {
    transaction.into_signed(Signature::test_signature()).into()
}

fn call(input: &[u8]) -> TxEip1559 {
    TxEip1559 { to: TxKind::Call(sender(1)), input: Bytes::copy_from_slice(input), ..TxEip1559::default() }
}

#[test]
fn a_transfer_costs_21000() {
    let gas = intrinsic_gas(&envelope(call(&[])), Hardfork::Osaka);
    assert_eq!(gas, IntrinsicGas { initial: 21_000, floor: 21_000 });
}

#[test]
fn calldata_costs_4_for_a_zero_byte_and_16_for_another_with_a_floor_of_10_a_token_from_prague_on() {
    let transaction = envelope(call(&[0, 0, 0, 1, 2]));
    let before = IntrinsicGas { initial: 21_000 + 3 * 4 + 2 * 16, floor: 0 };
    assert_eq!(intrinsic_gas(&transaction, Hardfork::Cancun), before);
    let since = IntrinsicGas { floor: 21_000 + (3 + 2 * 4) * 10, ..before };
    assert_eq!(intrinsic_gas(&transaction, Hardfork::Prague), since);
}

#[test]
fn a_creation_costs_32000_and_from_shanghai_on_2_for_each_word_of_init_code() {
    let transaction = envelope(TxEip1559 { to: TxKind::Create, ..call(&[1; 33]) });
    let paris = 21_000 + 32_000 + 33 * 16;
    assert_eq!(intrinsic_gas(&transaction, Hardfork::Paris).initial, paris);
    assert_eq!(intrinsic_gas(&transaction, Hardfork::Shanghai).initial, paris + 2 * 2);
}

#[test]
fn an_access_list_costs_2400_for_an_address_and_1900_for_a_key() {
    let item = |keys| AccessListItem { address: sender(1), storage_keys: vec![B256::ZERO; keys] };
    let transaction = TxEip1559 { access_list: AccessList(vec![item(0), item(3)]), ..call(&[]) };
    assert_eq!(intrinsic_gas(&envelope(transaction), Hardfork::Osaka).initial, 21_000 + 2 * 2_400 + 3 * 1_900);
}

#[test]
fn an_authorization_costs_25000() {
    let authorization = Authorization { chain_id: U256::ZERO, address: sender(1), nonce: 0 };
    let authorization_list = vec![authorization.into_signed(Signature::test_signature()); 2];
    let transaction = TxEip7702 { authorization_list, ..TxEip7702::default() };
    let envelope = TxEnvelope::from(transaction.into_signed(Signature::test_signature()));
    assert_eq!(intrinsic_gas(&envelope, Hardfork::Osaka).initial, 21_000 + 2 * 25_000);
}

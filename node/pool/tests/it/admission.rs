//! Each check, and the words that tools match on.

use alloy_consensus::{TxEip1559, TxEip7702, TxLegacy};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Bytes, Signature, TxKind, U256};
use parapet_pool::{Balances, PoolError, Rules, TRANSACTION_BYTES_MAX};
use parapet_types::{AccountInfo, ExecutionLimits, Hardfork, Transaction};

use crate::support::{GWEI, RULES, account, add, dynamic, legacy, roomy, sender, signed, transfer, with_input};

/// Longest init code, in bytes (EIP-3860).
const INITCODE_BYTES_MAX: usize = 49_152;

/// The error of a transaction on its own; its message begins with the words given.
fn refused_by(transaction: Transaction, account: AccountInfo, rules: Rules, words: &str) -> PoolError {
    let mut pool = roomy();
    let error = pool.add(transaction, account, &rules).unwrap_err();
    assert!(error.to_string().starts_with(words), "{error}");
    assert!(pool.is_empty());
    error
}

fn refused(transaction: Transaction, words: &str) -> PoolError {
    refused_by(transaction, account(0), RULES, words)
}

#[test]
fn nonce_too_low() {
    let error = refused_by(transfer(1, 4, 1), account(5), RULES, "nonce too low");
    assert_eq!(error, PoolError::NonceTooLow { sender: sender(1), nonce: 4, account_nonce: 5 });
    refused(transfer(1, u64::MAX, 1), "nonce has max value");
}

#[test]
fn where_balances_are_ignored_a_sender_without_any_is_admitted_and_its_nonce_is_looked_at_all_the_same() {
    let rules = Rules { balances: Balances::Ignored, ..RULES };
    let penniless = AccountInfo { nonce: 3, ..AccountInfo::default() };
    assert!(roomy().add(transfer(1, 3, 1), penniless, &rules).is_ok());
    refused_by(transfer(1, 3, 1), penniless, RULES, "insufficient funds");
    refused_by(transfer(1, 2, 1), penniless, rules, "nonce too low");
}

#[test]
fn insufficient_funds_by_a_single_wei() {
    let transaction = TxEip1559 { value: U256::from(5), ..dynamic(0, 1, 2 * GWEI) };
    let cost = U256::from(21_000 * 2 * GWEI + 5);
    let exact = AccountInfo { balance: cost, ..AccountInfo::default() };
    assert!(roomy().add(signed(1, transaction.clone()), exact, &RULES).is_ok());
    let short = AccountInfo { balance: cost - U256::from(1), ..exact };
    let error = refused_by(signed(1, transaction), short, RULES, "insufficient funds for gas * price + value: balance");
    assert!(error.to_string().ends_with("overshot 1"), "{error}");
}

#[test]
fn a_cost_beyond_256_bits_is_insufficient_funds() {
    let transaction = TxEip1559 { value: U256::MAX, ..dynamic(0, 1, u128::MAX) };
    refused(signed(1, transaction), "insufficient funds for gas * price + value");
}

#[test]
fn already_known() {
    let mut pool = roomy();
    add(&mut pool, transfer(1, 0, 1)).unwrap();
    let error = add(&mut pool, transfer(1, 0, 1)).unwrap_err();
    assert!(error.to_string().starts_with("already known"), "{error}");
    assert_eq!(pool.len(), 1);
}

#[test]
fn intrinsic_gas_too_low() {
    let transaction = TxEip1559 { gas_limit: 20_999, ..dynamic(0, 1, 2 * GWEI) };
    refused(signed(1, transaction), "intrinsic gas too low: gas 20999, minimum needed 21000");
}

#[test]
fn the_calldata_floor_holds_from_prague_on() {
    let transaction = TxEip1559 { gas_limit: 21_999, ..with_input(0, 1, 100) };
    refused(signed(1, transaction.clone()), "intrinsic gas too low: insufficient gas for floor data gas cost");
    let cancun = Rules { hardfork: Hardfork::Cancun, ..RULES };
    assert!(roomy().add(signed(1, transaction), account(0), &cancun).is_ok());
}

#[test]
fn exceeds_block_gas_limit() {
    let rules = Rules { block_gas_limit: 1_000_000, ..RULES };
    let transaction = TxEip1559 { gas_limit: 1_000_001, ..dynamic(0, 1, 2 * GWEI) };
    refused_by(signed(1, transaction), account(0), rules, "exceeds block gas limit");
}

#[test]
fn the_gas_cap_of_one_transaction_holds_from_osaka_on() {
    let at = |gas_limit| signed(1, TxEip1559 { gas_limit, ..dynamic(0, 1, 2 * GWEI) });
    assert!(add(&mut roomy(), at(16_777_216)).is_ok());
    refused(at(16_777_217), "transaction gas limit too high");
    let prague = Rules { hardfork: Hardfork::Prague, ..RULES };
    assert!(roomy().add(at(16_777_217), account(0), &prague).is_ok());
}

#[test]
fn max_fee_per_gas_less_than_block_base_fee() {
    refused(signed(1, dynamic(0, 0, GWEI - 1)), "max fee per gas less than block base fee");
    refused(signed(1, legacy(0, GWEI - 1)), "max fee per gas less than block base fee");
    assert!(add(&mut roomy(), signed(1, dynamic(0, 0, GWEI))).is_ok());
}

#[test]
fn max_priority_fee_per_gas_higher_than_max_fee_per_gas() {
    refused(signed(1, dynamic(0, 3 * GWEI, 2 * GWEI)), "max priority fee per gas higher than max fee per gas");
}

#[test]
fn invalid_chain_id() {
    let transaction = TxEip1559 { chain_id: 1, ..dynamic(0, 1, 2 * GWEI) };
    refused(signed(1, transaction), "invalid chain id for signer: have 1 want 31337");
    let unprotected = TxLegacy { chain_id: None, ..legacy(0, 2 * GWEI) };
    assert!(add(&mut roomy(), signed(1, unprotected)).is_ok());
}

#[test]
fn max_initcode_size_exceeded() {
    let create = |bytes| TxEip1559 { to: TxKind::Create, gas_limit: 1_000_000, ..with_input(0, 1, bytes) };
    assert!(add(&mut roomy(), signed(1, create(INITCODE_BYTES_MAX))).is_ok());
    refused(signed(1, create(INITCODE_BYTES_MAX + 1)), "max initcode size exceeded: code size 49153, limit 49152");
    let paris = Rules { hardfork: Hardfork::Paris, ..RULES };
    assert!(roomy().add(signed(1, create(INITCODE_BYTES_MAX + 1)), account(0), &paris).is_ok());
}

#[test]
fn a_chain_may_have_other_limits_than_ethereum() {
    let limits = ExecutionLimits { code_bytes_max: Some(30_000), transaction_gas_max: Some(u64::MAX) };
    let rules = Rules { limits, ..RULES };
    let create = |bytes| TxEip1559 { to: TxKind::Create, gas_limit: 20_000_000, ..with_input(0, 1, bytes) };
    assert!(roomy().add(signed(1, create(60_000)), account(0), &rules).is_ok());
    let refused = roomy().add(signed(1, create(60_001)), account(0), &rules).unwrap_err();
    assert_eq!(refused.to_string(), "max initcode size exceeded: code size 60001, limit 60000");
}

#[test]
fn oversized_data() {
    let overhead = 200;
    assert!(add(&mut roomy(), signed(1, with_input(0, 1, TRANSACTION_BYTES_MAX - overhead))).is_ok());
    refused(signed(1, with_input(0, 1, TRANSACTION_BYTES_MAX)), "oversized data");
}

fn set_code() -> TxEip7702 {
    let authorization = Authorization { chain_id: U256::ZERO, address: sender(9), nonce: 0 };
    TxEip7702 {
        chain_id: 31_337,
        gas_limit: 46_000,
        max_fee_per_gas: 2 * GWEI,
        to: sender(2),
        authorization_list: vec![authorization.into_signed(Signature::test_signature())],
        ..TxEip7702::default()
    }
}

#[test]
fn set_code_transactions_need_prague_and_an_authorization() {
    assert!(add(&mut roomy(), signed(1, set_code())).is_ok());
    let cancun = Rules { hardfork: Hardfork::Cancun, ..RULES };
    refused_by(signed(1, set_code()), account(0), cancun, "transaction type not supported: type 4");
    let empty = TxEip7702 { authorization_list: Vec::new(), ..set_code() };
    refused(signed(1, empty), "EIP-7702 transaction with empty auth list");
    let cheap = TxEip7702 { gas_limit: 45_999, ..set_code() };
    refused(signed(1, cheap), "intrinsic gas too low: gas 45999, minimum needed 46000");
}

#[test]
fn a_refused_transaction_leaves_the_pool_as_it_was() {
    let mut pool = roomy();
    add(&mut pool, transfer(1, 0, 1)).unwrap();
    let (content, bytes) = (pool.content(), pool.bytes());
    let input = Bytes::from(vec![0; TRANSACTION_BYTES_MAX]);
    add(&mut pool, signed(1, TxEip1559 { input, ..dynamic(1, 1, 2 * GWEI) })).unwrap_err();
    assert_eq!((pool.content(), pool.bytes()), (content, bytes));
}

//! Delegated accounts have one place (EIP-7702): anybody may empty them, and with them all that they sent.

use alloy_consensus::TxEip7702;
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, Signature, U256};
use parapet_pool::{Account, Added, Code, Pool, PoolError};
use parapet_types::Transaction;

use crate::support::{GWEI, RULES, account, add, dynamic, roomy, sender, signed, transfer};

const DELEGATED: fn(u64) -> Account = |nonce| Account { info: account(nonce), code: Code::Delegation };

fn send_delegated(pool: &mut Pool, transaction: Transaction) -> Result<Added, PoolError> {
    pool.add(transaction, DELEGATED(0), &RULES)
}

/// An authorization, and who signed it: somebody, whose key nobody needs to know.
fn authorization(number: u64) -> (alloy_eips::eip7702::SignedAuthorization, Address) {
    let authorization = Authorization { chain_id: U256::ZERO, address: sender(9), nonce: number };
    let signed = authorization.into_signed(Signature::test_signature());
    let authority = signed.recover_authority().unwrap();
    (signed, authority)
}

fn delegating(from: u8, nonce: u64, number: u64) -> (Transaction, Address) {
    let (signed_authorization, authority) = authorization(number);
    let transaction = TxEip7702 {
        chain_id: 31_337,
        nonce,
        gas_limit: 46_000,
        max_fee_per_gas: 3 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: sender(2),
        authorization_list: vec![signed_authorization],
        ..TxEip7702::default()
    };
    (signed(from, transaction), authority)
}

/// A transfer by the signer of an authorization.
fn by(authority: Address, nonce: u64, tip_gwei: u128) -> Transaction {
    let transfer = signed(7, dynamic(nonce, tip_gwei * GWEI, 100 * GWEI + tip_gwei * GWEI));
    Transaction::new_unchecked(transfer.into_inner(), authority)
}

#[test]
fn a_delegated_account_has_one_transaction_waiting_which_it_may_replace() {
    let mut pool = roomy();
    send_delegated(&mut pool, transfer(1, 0, 1)).unwrap();
    assert_eq!(send_delegated(&mut pool, transfer(1, 1, 1)).unwrap_err(), PoolError::InFlight { sender: sender(1) });
    assert!(send_delegated(&mut pool, transfer(1, 0, 20)).unwrap().replaced.is_some());
    assert_eq!(pool.len(), 1);
}

#[test]
fn a_delegated_account_does_not_wait_behind_a_gap() {
    let error = send_delegated(&mut roomy(), transfer(1, 1, 1)).unwrap_err();
    assert_eq!(error, PoolError::DelegatedGap { sender: sender(1), nonce: 1 });
}

#[test]
fn an_account_that_a_waiting_transaction_delegates_counts_as_delegated() {
    let mut pool = roomy();
    let (transaction, authority) = delegating(1, 0, 1);
    add(&mut pool, transaction.clone()).unwrap();
    add(&mut pool, by(authority, 0, 1)).unwrap();
    assert_eq!(add(&mut pool, by(authority, 1, 1)).unwrap_err(), PoolError::InFlight { sender: authority });
    pool.drop(*transaction.tx_hash()).unwrap();
    assert!(add(&mut pool, by(authority, 1, 1)).is_ok(), "nobody is to delegate it any more");
}

#[test]
fn an_account_with_more_than_one_waiting_cannot_be_delegated() {
    let mut pool = roomy();
    let (transaction, authority) = delegating(1, 0, 1);
    add(&mut pool, by(authority, 0, 1)).unwrap();
    add(&mut pool, by(authority, 1, 1)).unwrap();
    let error = add(&mut pool, transaction.clone()).unwrap_err();
    assert_eq!(error, PoolError::AuthorityReserved { authority });
    pool.drop(*by(authority, 1, 1).tx_hash()).unwrap();
    assert!(add(&mut pool, transaction).is_ok());
}

#[test]
fn a_contract_that_sends_is_no_delegated_account() {
    let contract = Account { info: account(0), code: Code::Contract };
    let mut pool = roomy();
    for nonce in 0..3 {
        pool.add(transfer(1, nonce, 1), contract, &RULES).unwrap();
    }
    assert_eq!(Code::of(&[]), Code::None);
    assert_eq!(Code::of(&[&[0xef, 0x01, 0x00][..], &[7; 20]].concat()), Code::Delegation);
    assert_eq!(Code::of(&[0xef, 0x01, 0x00]), Code::Contract);
    assert_eq!(Code::of(&[0x60]), Code::Contract);
}

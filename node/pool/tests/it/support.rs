//! Transactions to test with.

use alloy_consensus::{TxEip1559, TxEnvelope, TxLegacy};
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use parapet_pool::{Added, Balances, BlobRules, Limits, LowFees, Pool, PoolError, Prices, Rules};
use parapet_types::{AccountInfo, ExecutionLimits, Hardfork, Transaction};

pub(crate) const GWEI: u128 = 1_000_000_000;

pub(crate) const RULES: Rules = Rules {
    chain_id: 31_337,
    hardfork: Hardfork::Osaka,
    block_gas_limit: 30_000_000,
    base_fee: GWEI as u64,
    limits: ExecutionLimits::ETHEREUM,
    blobs: Some(BlobRules { params: BlobParams::osaka(), fee: 1_000 }),
    low_fees: LowFees::Refuse,
    balances: Balances::Checked,
};

/// What waits, in the order in which a block of a base fee would take it.
pub(crate) fn best(pool: &Pool, base_fee: u64) -> Vec<Transaction> {
    let prices = Prices { base_fee, ..RULES.prices() };
    pool.best(prices).map(|candidate| candidate.transaction().clone()).collect()
}

pub(crate) fn sender(index: u8) -> Address {
    Address::repeat_byte(index)
}

/// An account that can pay for anything.
pub(crate) fn account(nonce: u64) -> AccountInfo {
    AccountInfo { nonce, balance: U256::from(u128::MAX), ..AccountInfo::default() }
}

/// A transfer that pays a tip of so many gwei, with room for a higher base fee.
pub(crate) fn transfer(from: u8, nonce: u64, tip_gwei: u128) -> Transaction {
    signed(from, dynamic(nonce, tip_gwei * GWEI, 100 * GWEI + tip_gwei * GWEI))
}

pub(crate) fn dynamic(nonce: u64, tip: u128, max_fee: u128) -> TxEip1559 {
    TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(sender(0xee)),
        ..TxEip1559::default()
    }
}

/// A transfer with so many bytes of calldata.
pub(crate) fn with_input(nonce: u64, tip_gwei: u128, bytes: usize) -> TxEip1559 {
    let gas_limit = 21_000 + 10 * bytes as u64;
    TxEip1559 { input: Bytes::from(vec![0; bytes]), gas_limit, ..dynamic(nonce, tip_gwei * GWEI, 200 * GWEI) }
}

pub(crate) fn legacy(nonce: u64, gas_price: u128) -> TxLegacy {
    TxLegacy {
        chain_id: Some(31_337),
        nonce,
        gas_price,
        gas_limit: 21_000,
        to: TxKind::Call(sender(0xee)),
        ..TxLegacy::default()
    }
}

/// Hands a transaction to the pool as if `from` had signed it: the pool never looks at signatures.
pub(crate) fn signed<T>(from: u8, transaction: T) -> Transaction
where
    T: alloy_consensus::SignableTransaction<Signature>,
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    // The sender goes into the signature, so that equal transactions of two senders have two hashes.
    let signature = Signature::new(U256::from(from) + U256::from(1), U256::from(1), false);
    Transaction::new_unchecked(transaction.into_signed(signature).into(), sender(from))
}

pub(crate) fn add(pool: &mut Pool, transaction: Transaction) -> Result<Added, PoolError> {
    pool.add(transaction, account(0), &RULES)
}

pub(crate) fn roomy() -> Pool {
    Pool::new(Limits::default())
}

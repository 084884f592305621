//! Holds a transaction against its sender's account and the next block's prices.

use alloy_consensus::Transaction as _;
use alloy_primitives::U256;
use parapet_types::{AccountInfo, Transaction};

use crate::{Balances, LowFees, PoolError, Rules};

pub(crate) fn check(transaction: &Transaction, account: &AccountInfo, rules: &Rules) -> Result<(), PoolError> {
    match rules.low_fees {
        LowFees::Refuse => check_fees(transaction, rules)?,
        LowFees::Wait => {}
    }
    check_nonce(transaction, account)?;
    match rules.balances {
        Balances::Checked => check_balance(transaction, account),
        Balances::Ignored => Ok(()),
    }
}

fn check_fees(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    let (max_fee, sender) = (transaction.max_fee_per_gas(), transaction.signer());
    if max_fee < u128::from(rules.base_fee) {
        return Err(PoolError::BaseFee { sender, max_fee, base_fee: rules.base_fee });
    }
    match (transaction.max_fee_per_blob_gas(), rules.blobs) {
        (Some(max_fee), Some(blobs)) if max_fee < blobs.fee => {
            Err(PoolError::BlobFee { sender, max_fee, fee: blobs.fee })
        }
        _ => Ok(()),
    }
}

fn check_nonce(transaction: &Transaction, account: &AccountInfo) -> Result<(), PoolError> {
    let (sender, nonce) = (transaction.signer(), transaction.nonce());
    if nonce == u64::MAX {
        return Err(PoolError::NonceMax { sender });
    }
    if nonce < account.nonce {
        return Err(PoolError::NonceTooLow { sender, nonce, account_nonce: account.nonce });
    }
    Ok(())
}

fn check_balance(transaction: &Transaction, account: &AccountInfo) -> Result<(), PoolError> {
    let (cost, balance) = (cost(transaction), account.balance);
    if cost > balance { Err(PoolError::InsufficientFunds { balance, cost }) } else { Ok(()) }
}

/// Most that a transaction may take from its sender, in wei.
fn cost(transaction: &Transaction) -> U256 {
    let gas = U256::from(transaction.max_fee_per_gas()) * U256::from(transaction.gas_limit());
    let blob_gas = U256::from(transaction.blob_gas_used().unwrap_or_default());
    let blobs = U256::from(transaction.max_fee_per_blob_gas().unwrap_or_default()) * blob_gas;
    gas.saturating_add(blobs).saturating_add(transaction.value())
}

/// The tip a transaction offers at most, in wei per gas; before EIP-1559 that was the whole price.
pub(crate) fn tip(transaction: &Transaction) -> u128 {
    transaction.max_priority_fee_per_gas().unwrap_or_else(|| transaction.max_fee_per_gas())
}

//! Holds a transaction against the chain's rules and its sender's account. Cheap checks come first.

use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_eips::{eip2718::Encodable2718 as _, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_primitives::U256;
use parapet_types::{AccountInfo, Hardfork, Transaction};

use crate::{INITCODE_BYTES_MAX, PoolError, TRANSACTION_BYTES_MAX, intrinsic_gas};

/// What the next block asks of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Rules of the chain.
    pub hardfork: Hardfork,
    /// Gas limit of a block.
    pub block_gas_limit: u64,
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
}

/// Length of the EIP-2718 encoding of a transaction that may enter, in bytes.
pub(crate) fn admit(transaction: &Transaction, account: &AccountInfo, rules: &Rules) -> Result<usize, PoolError> {
    check_type(transaction, rules)?;
    let bytes = check_size(transaction, rules)?;
    check_gas(transaction, rules)?;
    check_fees(transaction, rules)?;
    check_account(transaction, account)?;
    Ok(bytes)
}

fn check_type(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    if transaction.is_eip4844() {
        return Err(PoolError::Blob);
    }
    if transaction.is_eip7702() {
        if rules.hardfork < Hardfork::Prague {
            return Err(PoolError::Type { kind: transaction.ty(), hardfork: rules.hardfork });
        }
        if transaction.authorization_list().is_none_or(<[_]>::is_empty) {
            return Err(PoolError::NoAuthorization);
        }
        if transaction.is_create() {
            return Err(PoolError::SetCodeCreation);
        }
    }
    // A transaction without a chain id, from before EIP-155, is valid on every chain.
    match transaction.chain_id() {
        Some(found) if found != rules.chain_id => Err(PoolError::ChainId { found, expected: rules.chain_id }),
        _ => Ok(()),
    }
}

fn check_size(transaction: &Transaction, rules: &Rules) -> Result<usize, PoolError> {
    let bytes = transaction.inner().encode_2718_len();
    if bytes > TRANSACTION_BYTES_MAX {
        return Err(PoolError::Oversized { bytes });
    }
    let initcode = transaction.input().len();
    if transaction.is_create() && rules.hardfork >= Hardfork::Shanghai && initcode > INITCODE_BYTES_MAX {
        return Err(PoolError::InitcodeSize { bytes: initcode });
    }
    Ok(bytes)
}

fn check_gas(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    let gas_limit = transaction.gas_limit();
    if rules.hardfork >= Hardfork::Osaka && gas_limit > MAX_TX_GAS_LIMIT_OSAKA {
        return Err(PoolError::GasCap { gas_limit, cap: MAX_TX_GAS_LIMIT_OSAKA });
    }
    if gas_limit > rules.block_gas_limit {
        return Err(PoolError::BlockGasLimit { gas_limit, block_gas_limit: rules.block_gas_limit });
    }
    let gas = intrinsic_gas(transaction, rules.hardfork);
    if gas_limit < gas.initial {
        return Err(PoolError::IntrinsicGas { gas_limit, needed: gas.initial });
    }
    if gas_limit < gas.floor {
        return Err(PoolError::FloorGas { gas_limit, needed: gas.floor });
    }
    Ok(())
}

fn check_fees(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    let max_fee = transaction.max_fee_per_gas();
    let tip = tip(transaction);
    if tip > max_fee {
        return Err(PoolError::TipAboveFee { tip, max_fee });
    }
    if max_fee < u128::from(rules.base_fee) {
        let (sender, base_fee) = (transaction.signer(), rules.base_fee);
        return Err(PoolError::BaseFee { sender, max_fee, base_fee });
    }
    Ok(())
}

fn check_account(transaction: &Transaction, account: &AccountInfo) -> Result<(), PoolError> {
    let (sender, nonce) = (transaction.signer(), transaction.nonce());
    if nonce == u64::MAX {
        return Err(PoolError::NonceMax { sender });
    }
    if nonce < account.nonce {
        return Err(PoolError::NonceTooLow { sender, nonce, account_nonce: account.nonce });
    }
    let (cost, balance) = (cost(transaction), account.balance);
    if cost > balance { Err(PoolError::InsufficientFunds { balance, cost }) } else { Ok(()) }
}

/// Most that a transaction may take from its sender, in wei.
fn cost(transaction: &Transaction) -> U256 {
    let gas = U256::from(transaction.max_fee_per_gas()) * U256::from(transaction.gas_limit());
    gas.saturating_add(transaction.value())
}

/// The tip a transaction offers at most, in wei per gas; before EIP-1559 that was the whole price.
pub(crate) fn tip(transaction: &Transaction) -> u128 {
    transaction.max_priority_fee_per_gas().unwrap_or_else(|| transaction.max_fee_per_gas())
}

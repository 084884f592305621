//! What the rules say of a body before its transactions run.

use alloy_consensus::{
    Transaction as _, TxEip4844Variant, TxEnvelope, Typed2718 as _,
    proofs::{calculate_transaction_root, calculate_withdrawals_root},
};
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use parapet_executor::blob_params;
use parapet_types::{ChainParams, Era, Hardfork, Transaction};

use crate::{
    Field, ImportError, IncomingBlock,
    error::{equal, same, within},
};

/// Longest block from Osaka on, in bytes of RLP (EIP-7934): 10 MiB, less 2 MiB for the beacon block around it.
pub const OSAKA_BLOCK_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Most ommers of a block (Yellow Paper, 11.1).
const OMMERS_MAX: u64 = 2;

/// Checks a block's body against its header and its fork.
///
/// # Errors
/// [`ImportError`] names the rule that it breaks.
pub fn check_body(params: &ChainParams, block: &IncomingBlock) -> Result<(), ImportError> {
    let hardfork = params.hardfork;
    if hardfork >= Hardfork::Osaka {
        within(Field::BlockSize, 0, OSAKA_BLOCK_BYTES_MAX, block.rlp_bytes as u64)?;
    }
    check_ommers(hardfork, block)?;
    for (index, transaction) in block.transactions.iter().enumerate() {
        check_transaction(hardfork, index, transaction)?;
    }
    let root = calculate_transaction_root(&block.transactions);
    same(Field::TransactionsRoot, root, block.header.transactions_root)?;
    check_withdrawals(hardfork, block)?;
    check_blobs(hardfork, block)
}

/// Before the merge a block is paid for two ommers at most; since then there are none. Collections of old blocks often lack
/// them, so they are not held against the header: what they were paid shows in the state root.
fn check_ommers(hardfork: Hardfork, block: &IncomingBlock) -> Result<(), ImportError> {
    let count = block.ommers.len() as u64;
    if hardfork >= Hardfork::Paris {
        equal(Field::Ommers, 0, count)
    } else {
        within(Field::Ommers, 0, OMMERS_MAX, count)
    }
}

fn check_transaction(hardfork: Hardfork, index: usize, transaction: &Transaction) -> Result<(), ImportError> {
    let since = match transaction.inner() {
        TxEnvelope::Legacy(signed) if signed.tx().chain_id.is_some() => Hardfork::SPURIOUS,
        TxEnvelope::Legacy(_) => Hardfork::ProofOfWork(Era::Homestead),
        TxEnvelope::Eip2930(_) => Hardfork::ProofOfWork(Era::Berlin),
        TxEnvelope::Eip1559(_) => Hardfork::LONDON,
        TxEnvelope::Eip4844(_) => Hardfork::Cancun,
        TxEnvelope::Eip7702(_) => Hardfork::Prague,
    };
    if hardfork < since {
        return Err(ImportError::TransactionType { index, tx_type: transaction.ty(), hardfork });
    }
    match transaction.inner() {
        TxEnvelope::Eip4844(signed) if matches!(signed.tx(), TxEip4844Variant::TxEip4844WithSidecar(_)) => {
            Err(ImportError::Sidecar { index })
        }
        _ => Ok(()),
    }
}

fn check_withdrawals(hardfork: Hardfork, block: &IncomingBlock) -> Result<(), ImportError> {
    let field = Field::Withdrawals;
    match (&block.withdrawals, hardfork >= Hardfork::Shanghai) {
        (None, false) => Ok(()),
        (None, true) => Err(ImportError::Missing { field, hardfork }),
        (Some(_), false) => Err(ImportError::Unexpected { field, hardfork }),
        (Some(withdrawals), true) => {
            let found = block.header.withdrawals_root.unwrap_or_default();
            same(Field::WithdrawalsRoot, calculate_withdrawals_root(withdrawals), found)
        }
    }
}

/// The header's blob gas is that of the body's blobs, and they are not too many.
fn check_blobs(hardfork: Hardfork, block: &IncomingBlock) -> Result<(), ImportError> {
    let Some(blobs) = blob_params(hardfork) else {
        return Ok(());
    };
    let count: usize =
        block.transactions.iter().map(|transaction| transaction.blob_versioned_hashes().map_or(0, <[_]>::len)).sum();
    let blob_gas = (count as u64).saturating_mul(DATA_GAS_PER_BLOB);
    within(Field::BlobGasUsed, 0, blobs.max_blob_gas_per_block(), blob_gas)?;
    equal(Field::BlobGasUsed, blob_gas, block.header.blob_gas_used.unwrap_or_default())
}

//! What the rules say of a header before its block has run: alone, and as the successor of its parent.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::{
    eip1559::{
        BaseFeeParams, DEFAULT_ELASTICITY_MULTIPLIER, GAS_LIMIT_BOUND_DIVISOR, INITIAL_BASE_FEE,
        calc_next_block_base_fee,
    },
    eip4844::DATA_GAS_PER_BLOB,
};
use alloy_primitives::Sealed;
use parapet_executor::blob_params;
use parapet_types::{ChainParams, Hardfork};

use crate::{
    Field, ImportError,
    error::{equal, same, within},
};

/// Most bytes of extra data (yellow paper, 4.4.4).
pub const EXTRA_DATA_BYTES_MAX: u64 = 32;
/// Least gas limit (yellow paper, 4.4.4).
pub const GAS_LIMIT_MIN: u64 = 5_000;
/// Most gas limit (EIP-1985).
pub const GAS_LIMIT_MAX: u64 = i64::MAX as u64;
/// Highest base fee a parent can have, in wei per gas: its successor's still is a 64-bit number.
const PARENT_BASE_FEE_MAX: u64 = u64::MAX / 2;
/// Most blob gas, excess or used, a parent can have: what follows from it is computed in 64 bits.
const PARENT_BLOB_GAS_MAX: u64 = 1 << 48;

/// Checks a header alone.
///
/// # Errors
/// [`ImportError`] names the rule that it breaks.
pub fn check_header(params: &ChainParams, header: &Header) -> Result<(), ImportError> {
    if params.hardfork >= Hardfork::Paris {
        check_stake(header)?;
    }
    within(Field::ExtraData, 0, EXTRA_DATA_BYTES_MAX, header.extra_data.len() as u64)?;
    within(Field::GasLimit, GAS_LIMIT_MIN, GAS_LIMIT_MAX, header.gas_limit)?;
    within(Field::GasUsed, 0, header.gas_limit, header.gas_used)?;
    check_presence(params.hardfork, header)?;
    check_blob_gas_used(params.hardfork, header)
}

/// What the merge emptied is empty (EIP-3675).
fn check_stake(header: &Header) -> Result<(), ImportError> {
    if !header.difficulty.is_zero() {
        return Err(ImportError::NotZero(Field::Difficulty));
    }
    if !header.nonce.is_zero() {
        return Err(ImportError::NotZero(Field::Nonce));
    }
    same(Field::OmmersHash, EMPTY_OMMER_ROOT_HASH, header.ommers_hash)
}

/// Every field is there since its fork, and not before.
fn check_presence(hardfork: Hardfork, header: &Header) -> Result<(), ImportError> {
    let since = |fork| hardfork >= fork;
    let fields = [
        (Field::BaseFee, header.base_fee_per_gas.is_some(), since(Hardfork::LONDON)),
        (Field::WithdrawalsRoot, header.withdrawals_root.is_some(), since(Hardfork::Shanghai)),
        (Field::BlobGasUsed, header.blob_gas_used.is_some(), since(Hardfork::Cancun)),
        (Field::ExcessBlobGas, header.excess_blob_gas.is_some(), since(Hardfork::Cancun)),
        (Field::ParentBeaconRoot, header.parent_beacon_block_root.is_some(), since(Hardfork::Cancun)),
        (Field::RequestsHash, header.requests_hash.is_some(), since(Hardfork::Prague)),
        (Field::AccessListHash, header.block_access_list_hash.is_some(), since(Hardfork::Amsterdam)),
        (Field::SlotNumber, header.slot_number.is_some(), since(Hardfork::Amsterdam)),
    ];
    for (field, is_there, belongs) in fields {
        match (is_there, belongs) {
            (true, true) | (false, false) => {}
            (false, true) => return Err(ImportError::Missing { field, hardfork }),
            (true, false) => return Err(ImportError::Unexpected { field, hardfork }),
        }
    }
    Ok(())
}

fn check_blob_gas_used(hardfork: Hardfork, header: &Header) -> Result<(), ImportError> {
    let (Some(blobs), Some(found)) = (blob_params(hardfork), header.blob_gas_used) else {
        return Ok(());
    };
    within(Field::BlobGasUsed, 0, blobs.max_blob_gas_per_block(), found)?;
    if found % DATA_GAS_PER_BLOB != 0 {
        return Err(ImportError::PartOfABlob { found });
    }
    Ok(())
}

/// Checks a header as the successor of its parent. `params` are those of the header's own fork.
///
/// # Errors
/// [`ImportError`] names the rule that it breaks.
pub fn check_succession(params: &ChainParams, parent: &Sealed<Header>, header: &Header) -> Result<(), ImportError> {
    check_parent(parent)?;
    same(Field::ParentHash, parent.hash(), header.parent_hash)?;
    equal(Field::Number, parent.number.saturating_add(1), header.number)?;
    within(Field::Timestamp, parent.timestamp.saturating_add(1), u64::MAX, header.timestamp)?;
    check_fee(params.hardfork, parent, header)?;
    let parent_fee = parent.base_fee_per_gas.unwrap_or_default();
    if let (Some(blobs), Some(found)) = (blob_params(params.hardfork), header.excess_blob_gas) {
        // A parent from before Cancun counts as one without blobs (EIP-4844). The reserve price of EIP-7918 is part of
        // the fork's blob parameters, zero before Osaka.
        let expected = blobs.next_block_excess_blob_gas_osaka(
            parent.excess_blob_gas.unwrap_or_default(),
            parent.blob_gas_used.unwrap_or_default(),
            parent_fee,
        );
        equal(Field::ExcessBlobGas, expected, found)?;
    }
    Ok(())
}

/// The parent is trusted; its numbers are bounded all the same, so that nothing computed from them can overflow.
fn check_parent(parent: &Header) -> Result<(), ImportError> {
    let bounds = [
        (Field::GasUsed, parent.gas_limit, parent.gas_used),
        (Field::BaseFee, PARENT_BASE_FEE_MAX, parent.base_fee_per_gas.unwrap_or_default()),
        (Field::ExcessBlobGas, PARENT_BLOB_GAS_MAX, parent.excess_blob_gas.unwrap_or_default()),
        (Field::BlobGasUsed, PARENT_BLOB_GAS_MAX, parent.blob_gas_used.unwrap_or_default()),
    ];
    match bounds.into_iter().find(|(_, max, found)| found > max) {
        Some((field, max, found)) => Err(ImportError::Parent { field, max, found }),
        None => Ok(()),
    }
}

/// Gas limit and base fee follow from the parent's. Where the base fee begins, the limit doubles (EIP-1559).
fn check_fee(hardfork: Hardfork, parent: &Header, header: &Header) -> Result<(), ImportError> {
    let (base_fee, gas_limit) = match parent.base_fee_per_gas {
        _ if hardfork < Hardfork::LONDON => return check_gas_limit(parent.gas_limit, header.gas_limit),
        None => (INITIAL_BASE_FEE, parent.gas_limit.saturating_mul(DEFAULT_ELASTICITY_MULTIPLIER)),
        Some(fee) => {
            let next = calc_next_block_base_fee(parent.gas_used, parent.gas_limit, fee, BaseFeeParams::ethereum());
            (next, parent.gas_limit)
        }
    };
    check_gas_limit(gas_limit, header.gas_limit)?;
    equal(Field::BaseFee, base_fee, header.base_fee_per_gas.unwrap_or_default())
}

/// The gas limit moves by less than a 1024th of the parent's (EIP-1559 keeps the bound of the yellow paper).
fn check_gas_limit(parent: u64, found: u64) -> Result<(), ImportError> {
    let step_max = (parent / GAS_LIMIT_BOUND_DIVISOR).saturating_sub(1);
    within(Field::GasLimit, parent.saturating_sub(step_max), parent.saturating_add(step_max), found)
}

//! The genesis header, with the fields that its fork has.

use alloy_consensus::{EMPTY_ROOT_HASH, Header};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::B256;
use parapet_types::{ChainParams, Hardfork};

/// Base fee of the genesis block, in wei per gas.
pub const BASE_FEE_WEI: u64 = 1_000_000_000;

pub(crate) fn genesis_header(params: &ChainParams, timestamp: u64, state_root: B256) -> Header {
    let since = |fork| params.hardfork >= fork;
    Header {
        state_root,
        timestamp,
        gas_limit: params.block_gas_limit,
        base_fee_per_gas: since(Hardfork::LONDON).then_some(BASE_FEE_WEI),
        withdrawals_root: since(Hardfork::Shanghai).then_some(EMPTY_ROOT_HASH),
        blob_gas_used: since(Hardfork::Cancun).then_some(0),
        excess_blob_gas: since(Hardfork::Cancun).then_some(0),
        parent_beacon_block_root: since(Hardfork::Cancun).then_some(B256::ZERO),
        requests_hash: since(Hardfork::Prague).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

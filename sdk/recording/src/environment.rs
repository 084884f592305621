//! What the block's header fixes, as a file has it.

use alloy_primitives::{Address, B256};
use parapet_types::{BlockContext, Withdrawal};
use serde::{Deserialize, Serialize};

/// The block in which the transaction ran. Numbers are hexadecimal, as in JSON-RPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// Number.
    #[serde(with = "alloy_serde::quantity")]
    pub number: u64,
    /// Seconds since 1970.
    #[serde(with = "alloy_serde::quantity")]
    pub timestamp: u64,
    /// Fee recipient.
    pub beneficiary: Address,
    /// Gas limit.
    #[serde(with = "alloy_serde::quantity")]
    pub gas_limit: u64,
    /// EIP-1559 base fee, in wei per gas.
    #[serde(with = "alloy_serde::quantity")]
    pub base_fee: u64,
    /// PREVRANDAO.
    pub prev_randao: B256,
    /// Hash of the parent.
    pub parent_hash: B256,
    /// EIP-4788, from Cancun on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_beacon_block_root: Option<B256>,
    /// EIP-4844, from Cancun on.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "alloy_serde::quantity::opt")]
    pub excess_blob_gas: Option<u64>,
}

impl From<&BlockContext> for Environment {
    /// Withdrawals are left behind: they come after a block's transactions, which cannot see them.
    fn from(block: &BlockContext) -> Self {
        Self {
            number: block.number,
            timestamp: block.timestamp,
            beneficiary: block.beneficiary,
            gas_limit: block.gas_limit,
            base_fee: block.base_fee,
            prev_randao: block.prev_randao,
            parent_hash: block.parent_hash,
            parent_beacon_block_root: block.parent_beacon_block_root,
            excess_blob_gas: block.excess_blob_gas,
        }
    }
}

impl From<&Environment> for BlockContext {
    fn from(block: &Environment) -> Self {
        Self {
            number: block.number,
            timestamp: block.timestamp,
            beneficiary: block.beneficiary,
            gas_limit: block.gas_limit,
            base_fee: block.base_fee,
            prev_randao: block.prev_randao,
            parent_hash: block.parent_hash,
            parent_beacon_block_root: block.parent_beacon_block_root,
            excess_blob_gas: block.excess_blob_gas,
            withdrawals: Vec::<Withdrawal>::new(),
        }
    }
}

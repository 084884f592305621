//! Gas that a transaction costs before it executes: yellow paper appendix G, EIP-2028, EIP-2930, EIP-3860, EIP-7623,
//! EIP-7702.

use alloy_consensus::{Transaction as _, TxEnvelope};
use parapet_types::Hardfork;

const TRANSACTION: u64 = 21_000;
const CREATION: u64 = 32_000;
/// A zero byte is one token, any other four.
const TOKENS_PER_NONZERO_BYTE: u64 = 4;
const PER_TOKEN: u64 = 4;
const FLOOR_PER_TOKEN: u64 = 10;
const PER_INITCODE_WORD: u64 = 2;
const PER_ACCESS_LIST_ADDRESS: u64 = 2_400;
const PER_ACCESS_LIST_KEY: u64 = 1_900;
const PER_AUTHORIZATION: u64 = 25_000;

/// Gas limits below either of these are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrinsicGas {
    /// Charged before execution.
    pub initial: u64,
    /// Least that is charged in the end, from Prague on; 0 before.
    pub floor: u64,
}

/// What a transaction costs before it executes.
#[must_use]
pub fn intrinsic_gas(transaction: &TxEnvelope, hardfork: Hardfork) -> IntrinsicGas {
    let input = transaction.input();
    let zeros = input.iter().filter(|byte| **byte == 0).count() as u64;
    let tokens = zeros + (input.len() as u64 - zeros) * TOKENS_PER_NONZERO_BYTE;
    let mut initial = TRANSACTION + tokens * PER_TOKEN;
    if transaction.is_create() {
        initial += CREATION;
        if hardfork >= Hardfork::Shanghai {
            initial += input.len().div_ceil(32) as u64 * PER_INITCODE_WORD;
        }
    }
    for item in transaction.access_list().into_iter().flat_map(|list| list.iter()) {
        initial += PER_ACCESS_LIST_ADDRESS + item.storage_keys.len() as u64 * PER_ACCESS_LIST_KEY;
    }
    initial += transaction.authorization_list().map_or(0, <[_]>::len) as u64 * PER_AUTHORIZATION;
    let floor = if hardfork >= Hardfork::Prague { TRANSACTION + tokens * FLOOR_PER_TOKEN } else { 0 };
    IntrinsicGas { initial, floor }
}

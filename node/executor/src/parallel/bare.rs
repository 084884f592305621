//! A versioned memory over a state, for tests of what reads it: no block, no threads.

use std::sync::Arc;

use parapet_types::{Ancestors, BlockContext, ChainParams, ExecutionLimits, FlatState, GuardParams, Hardfork};

use super::{Cells, Codes, Memory};
use crate::Point;

/// Hands a test an empty memory over a state.
pub(super) fn over(state: &FlatState, test: impl FnOnce(Memory<'_>)) {
    let params = ChainParams {
        chain_id: 1,
        hardfork: Hardfork::Osaka,
        block_gas_limit: 30_000_000,
        guards: GuardParams::default(),
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    };
    let (ancestors, block, cells) = (Ancestors::default(), BlockContext::default(), Cells::default());
    let at = Point { params: &params, world: state, ancestors: &ancestors, block: &block };
    test(Memory::new(&at, &cells, Arc::new(Codes::default())));
}

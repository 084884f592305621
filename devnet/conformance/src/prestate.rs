//! Real blocks with their whole pre-state. Nothing tells the root of a state of which most is absent: gas, receipts and
//! bloom are compared.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes};
use parapet_executor::Mode;
use parapet_import::replay_block;
use parapet_monitor::NoMonitor;
use parapet_types::FlatState;
use serde::Deserialize;

use crate::{
    accounts::{self, Accounts},
    error::Stop,
    real::{self, Decoded, RealBlock},
};

/// A file of this format.
#[derive(Debug, Deserialize)]
pub(crate) struct PrestateBlock {
    chain_id: u64,
    block_rlp: Bytes,
    pre: Accounts,
    #[serde(default)]
    block_hashes: BTreeMap<u64, B256>,
}

impl PrestateBlock {
    fn decode(&self) -> Result<Decoded, Stop> {
        let mut decoded = real::decode(self.chain_id, &self.block_rlp)?;
        decoded.ancestors.extend(&self.block_hashes);
        Ok(decoded)
    }

    /// The block as benchmarks take it.
    pub(crate) fn load(mut self, name: String) -> Result<RealBlock, Stop> {
        let decoded = self.decode()?;
        self.pre.retain(|_, account| !account.is_empty());
        let state = FlatState::from(&accounts::changes(&self.pre)?);
        Ok(RealBlock::new(name, decoded.params, state, decoded))
    }
}

/// Runs one block.
pub(crate) fn run(mut test: PrestateBlock, mode: Mode<'_>) -> Result<(), Stop> {
    let Decoded { params, block, ancestors } = test.decode()?;
    test.pre.retain(|_, account| !account.is_empty());
    let state = FlatState::from(&accounts::changes(&test.pre)?);
    let root = block.header.state_root;
    replay_block(&params, &state, &ancestors, &block, &NoMonitor, mode, |_| Ok((root, ())))?;
    Ok(())
}

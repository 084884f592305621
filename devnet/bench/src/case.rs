//! One block to be measured, with everything its execution depends on.

use alloy_consensus::TxEnvelope;
use parapet_executor::{Admission, BlockInput, Listing, Point};
use parapet_fixtures::RealBlock;
use parapet_types::{Ancestors, BlockContext, ChainParams, FlatState, Transaction};

/// A block on the state before it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called in the report.
    pub name: String,
    /// The chain's parameters.
    pub params: ChainParams,
    /// State before the block.
    pub state: FlatState,
    /// Hashes for BLOCKHASH.
    pub ancestors: Ancestors,
    /// What the block's header fixes.
    pub block: BlockContext,
    /// The block's transactions with their senders.
    pub transactions: Vec<Transaction>,
    /// The same as they travel, senders not yet recovered; empty where recovery is not measured.
    pub signed: Vec<TxEnvelope>,
}

impl From<RealBlock> for Case {
    /// Named by the block's number.
    fn from(real: RealBlock) -> Self {
        let RealBlock { params, state, ancestors, header, block, transactions, .. } = real;
        let signed = transactions.iter().map(|transaction| transaction.inner().clone()).collect();
        Self { name: header.number.to_string(), params, state, ancestors, block, transactions, signed }
    }
}

impl Case {
    /// The block as the executor takes it: as if it came from elsewhere, so that nothing may be left out.
    #[must_use]
    pub fn input(&self) -> BlockInput<'_> {
        self.input_with(&self.transactions)
    }

    /// As [`Case::input`], with transactions that were recovered anew.
    #[must_use]
    pub fn input_with<'a>(&'a self, transactions: &'a [Transaction]) -> BlockInput<'a> {
        let at = Point { params: &self.params, world: &self.state, ancestors: &self.ancestors, block: &self.block };
        BlockInput { at, transactions, admission: Admission::Import, access_list: Listing::Ignore, deadline: None }
    }
}

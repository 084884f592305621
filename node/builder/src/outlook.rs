//! What is known of blocks to come: how the chain reads the clock, and what development tools fixed of them.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use parapet_fork::Fork;
use parapet_types::{BlockContext, ChainParams};

use crate::{Chain, ChainError, Clock, Settings, clock::ChainTime, snapshot::with_outlook};

/// Least gas limit of a block (yellow paper, 4.4.4).
pub const GAS_LIMIT_MIN: u64 = 5_000;

/// Something that development tools fix of blocks to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockOverride {
    /// Who is paid the tips, from the next block on.
    Beneficiary(Address),
    /// Gas limit, from the next block on.
    GasLimit(u64),
    /// Base fee of the next block, in wei per gas; later ones follow from it.
    BaseFee(u64),
    /// PREVRANDAO of the next block.
    PrevRandao(B256),
}

/// What is known of blocks to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outlook {
    pub(crate) time: ChainTime,
    beneficiary: Option<Address>,
    gas_limit: Option<u64>,
    pub(crate) base_fee: Option<u64>,
    prev_randao: Option<B256>,
}

impl Outlook {
    /// As a chain begins, or goes on, with a head: on a block of another chain, time goes on from there.
    pub(crate) fn at_start(
        settings: &Settings,
        (first, head): (u64, &Header),
        fork: Option<&Fork>,
        clock: &dyn Clock,
    ) -> Self {
        let time = ChainTime::default();
        let time = fork.map_or(time, |_| time.running_from(clock, head.timestamp));
        Self { time, base_fee: settings.first_base_fee.filter(|_| head.number == first), ..Self::default() }
    }

    /// The same, where the next block has this timestamp.
    pub(crate) fn at(self, timestamp: u64) -> Self {
        Self { time: ChainTime { next: Some(timestamp), ..self.time }, ..self }
    }

    /// The chain's parameters with what was fixed of the next block.
    pub(crate) fn params(&self, usual: ChainParams) -> ChainParams {
        ChainParams { block_gas_limit: self.gas_limit.unwrap_or(usual.block_gas_limit), ..usual }
    }

    /// A block's context with what was fixed of it.
    pub(crate) fn apply(&self, usual: BlockContext) -> BlockContext {
        BlockContext {
            beneficiary: self.beneficiary.unwrap_or(usual.beneficiary),
            gas_limit: self.gas_limit.unwrap_or(usual.gas_limit),
            base_fee: self.base_fee.unwrap_or(usual.base_fee),
            prev_randao: self.prev_randao.unwrap_or(usual.prev_randao),
            ..usual
        }
    }

    /// After a block of `timestamp`: what was fixed of one block alone is used up.
    pub(crate) fn after_block(&mut self, clock: &dyn Clock, timestamp: u64) {
        self.time.after_block(clock, timestamp);
        (self.base_fee, self.prev_randao) = (None, None);
    }
}

impl Chain {
    /// Fixes something of blocks to come.
    ///
    /// # Errors
    /// [`ChainError::GasLimit`] for one that no block can have; [`ChainError::Closed`].
    pub fn override_blocks(&self, with: BlockOverride) -> Result<(), ChainError> {
        let mut writer = self.writer()?;
        let outlook = &mut writer.outlook;
        match with {
            BlockOverride::Beneficiary(account) => outlook.beneficiary = Some(account),
            BlockOverride::GasLimit(limit) if limit < GAS_LIMIT_MIN => return Err(ChainError::GasLimit(limit)),
            BlockOverride::GasLimit(limit) => outlook.gas_limit = Some(limit),
            BlockOverride::BaseFee(fee) => outlook.base_fee = Some(fee),
            BlockOverride::PrevRandao(word) => outlook.prev_randao = Some(word),
        }
        self.publish(with_outlook(&self.head(), writer.outlook));
        Ok(())
    }
}

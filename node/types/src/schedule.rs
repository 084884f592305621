//! Which fork holds from which block on, over a chain's whole length.
//!
//! Before the merge a fork begins with a block's number, since then with a time. Invariant: the forks of a schedule are in
//! their order, those that begin with a number before those that begin with a time.

use alloy_consensus::Header;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{ChainParams, Hardfork};

/// Most forks of a schedule: several times what any chain has had.
pub const FORKS_MAX: usize = 128;

/// Where a fork begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Activation {
    /// With the block of this number.
    Block(u64),
    /// With the first block of this time or later, in seconds since 1970.
    Time(u64),
}

impl Activation {
    /// Whether a block of this number and time is past it.
    #[must_use]
    pub const fn has_come(self, number: u64, timestamp: u64) -> bool {
        match self {
            Self::Block(first) => first <= number,
            Self::Time(first) => first <= timestamp,
        }
    }
}

/// A fork that a chain enters after its genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// Where it begins.
    pub since: Activation,
    /// The fork.
    pub hardfork: Hardfork,
}

/// Why forks are no schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A fork stands behind one that it must come before.
    #[error("{later} begins before {earlier}, which must come first")]
    Order {
        /// The fork that must come first.
        earlier: Hardfork,
        /// The one that begins before it.
        later: Hardfork,
    },
    /// There are too many.
    #[error("there are {0} forks, at most {FORKS_MAX} are allowed")]
    TooMany(usize),
}

/// A chain's parameters over its whole length: those of its genesis block, and the forks it enters later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainSpec {
    #[serde(flatten)]
    genesis: ChainParams,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    upgrades: Vec<Upgrade>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "later_blocks")]
    silent_forks: Vec<u64>,
}

fn later_blocks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    Vec::deserialize(deserializer).map(after_first)
}

fn after_first(blocks: Vec<u64>) -> Vec<u64> {
    blocks.into_iter().filter(|block| *block > 0).collect()
}

impl From<ChainParams> for ChainSpec {
    /// A chain of one fork.
    fn from(genesis: ChainParams) -> Self {
        Self { genesis, upgrades: Vec::new(), silent_forks: Vec::new() }
    }
}

impl ChainSpec {
    /// A chain that begins with these parameters and enters these forks, in this order.
    ///
    /// # Errors
    /// [`ScheduleError`] when the forks are not in their order, or too many.
    pub fn new(genesis: ChainParams, upgrades: Vec<Upgrade>) -> Result<Self, ScheduleError> {
        if upgrades.len() > FORKS_MAX {
            return Err(ScheduleError::TooMany(upgrades.len()));
        }
        let mut before = Upgrade { since: Activation::Block(0), hardfork: genesis.hardfork };
        for upgrade in &upgrades {
            // Blob parameters may change to any others.
            let is_newer = match (before.hardfork, upgrade.hardfork) {
                (Hardfork::Bpo(_), Hardfork::Bpo(_)) => true,
                (before, after) => before < after,
            };
            let is_later = match (before.since, upgrade.since) {
                (Activation::Block(before), Activation::Block(after)) => before <= after,
                (Activation::Time(before), Activation::Time(after)) => before <= after,
                (Activation::Block(_), Activation::Time(_)) => true,
                (Activation::Time(_), Activation::Block(_)) => false,
            };
            if !is_newer || !is_later {
                return Err(ScheduleError::Order { earlier: before.hardfork, later: upgrade.hardfork });
            }
            before = *upgrade;
        }
        Ok(Self { genesis, upgrades, silent_forks: Vec::new() })
    }

    /// The same with forks at these blocks that changed nothing which execution shows: difficulty, or the merge's place.
    /// Peers count them as forks all the same (EIP-2124), but for those with which the chain begins: these are none.
    ///
    /// # Errors
    /// [`ScheduleError::TooMany`].
    pub fn with_silent_forks(self, blocks: Vec<u64>) -> Result<Self, ScheduleError> {
        if blocks.len() > FORKS_MAX {
            Err(ScheduleError::TooMany(blocks.len()))
        } else {
            Ok(Self { silent_forks: after_first(blocks), ..self })
        }
    }

    /// Numbers of the blocks with which forks began that changed nothing which execution shows.
    #[must_use]
    pub fn silent_forks(&self) -> &[u64] {
        &self.silent_forks
    }

    /// EIP-155 chain id.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.genesis.chain_id
    }

    /// Parameters of the genesis block.
    #[must_use]
    pub const fn genesis(&self) -> &ChainParams {
        &self.genesis
    }

    /// Forks after the genesis block's, oldest first.
    #[must_use]
    pub fn upgrades(&self) -> &[Upgrade] {
        &self.upgrades
    }

    /// The fork that a block of this number and time follows: the last one that has come, of those before which every
    /// other has come, too.
    #[must_use]
    pub fn hardfork_at(&self, number: u64, timestamp: u64) -> Hardfork {
        let come = self.upgrades.iter().take_while(|upgrade| upgrade.since.has_come(number, timestamp));
        come.last().map_or(self.genesis.hardfork, |upgrade| upgrade.hardfork)
    }

    /// Parameters of a block of this number and time.
    #[must_use]
    pub fn at(&self, number: u64, timestamp: u64) -> ChainParams {
        ChainParams { hardfork: self.hardfork_at(number, timestamp), ..self.genesis }
    }

    /// Parameters of a block that has this header.
    #[must_use]
    pub fn of(&self, header: &Header) -> ChainParams {
        self.at(header.number, header.timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Era, ExecutionLimits, GuardParams};

    fn genesis(hardfork: Hardfork) -> ChainParams {
        ChainParams {
            chain_id: 1,
            hardfork,
            block_gas_limit: 30_000_000,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        }
    }

    const fn upgrade(since: Activation, hardfork: Hardfork) -> Upgrade {
        Upgrade { since, hardfork }
    }

    #[test]
    fn a_silent_fork_with_which_the_chain_begins_is_none() {
        let spec = ChainSpec::from(genesis(Hardfork::Osaka));
        assert_eq!(spec.clone().with_silent_forks(vec![0]).expect("few"), spec);
        let later = spec.clone().with_silent_forks(vec![0, 7]).expect("few");
        assert_eq!(later.silent_forks(), [7]);
        let mut written = serde_json::to_value(&later).expect("plain data");
        assert_eq!(serde_json::from_value::<ChainSpec>(written.clone()).expect("as it was"), later);
        written["silentForks"] = serde_json::json!([0]);
        assert_eq!(serde_json::from_value::<ChainSpec>(written).expect("as chains were kept"), spec);
    }

    #[test]
    fn each_fork_holds_from_its_block_or_time_on() {
        use Activation::{Block, Time};
        let upgrades = vec![
            upgrade(Block(10), Hardfork::LONDON),
            upgrade(Block(20), Hardfork::Paris),
            upgrade(Time(500), Hardfork::Osaka),
            upgrade(Time(600), Hardfork::BPO2),
            upgrade(Time(700), Hardfork::BPO1),
        ];
        let spec = ChainSpec::new(genesis(Hardfork::ProofOfWork(Era::Homestead)), upgrades).expect("in order");
        let forks = [(0, 0), (9, 90), (10, 100), (20, 200), (30, 499), (31, 500), (60, 600), (70, 700)]
            .map(|(number, time)| spec.hardfork_at(number, time));
        let [homestead, london] = [Era::Homestead, Era::London].map(Hardfork::ProofOfWork);
        let expected = [homestead, homestead, london, Hardfork::Paris, Hardfork::Paris, Hardfork::Osaka];
        assert_eq!(forks[..6], expected);
        assert_eq!(forks[6..], [Hardfork::BPO2, Hardfork::BPO1]);
        assert_eq!(spec.hardfork_at(15, 600), london, "no time brings a fork before the merge has come");
        assert_eq!(spec.at(31, 500), genesis(Hardfork::Osaka));
    }

    #[test]
    fn forks_out_of_their_order_are_no_schedule() {
        use Activation::{Block, Time};
        let refused = |upgrades: Vec<Upgrade>| ChainSpec::new(genesis(Hardfork::Paris), upgrades).is_err();
        assert!(refused(vec![upgrade(Time(1), Hardfork::Paris)]));
        assert!(refused(vec![upgrade(Time(2), Hardfork::Shanghai), upgrade(Time(1), Hardfork::Cancun)]));
        assert!(refused(vec![upgrade(Time(1), Hardfork::Shanghai), upgrade(Block(2), Hardfork::Cancun)]));
        assert!(refused(vec![upgrade(Time(1), Hardfork::Cancun), upgrade(Time(2), Hardfork::Shanghai)]));
        assert!(refused(vec![upgrade(Time(1), Hardfork::BPO1); FORKS_MAX + 1]));
    }

    #[test]
    fn a_schedule_is_read_back_and_one_fork_is_written_as_parameters_are() {
        let one = ChainSpec::from(genesis(Hardfork::Osaka));
        let json = serde_json::to_value(&one).expect("plain data");
        assert_eq!(json, serde_json::to_value(one.genesis()).expect("plain data"));
        let upgrades =
            vec![upgrade(Activation::Block(3), Hardfork::LONDON), upgrade(Activation::Time(9), Hardfork::BPO1)];
        let many = ChainSpec::new(genesis(Hardfork::ProofOfWork(Era::Tangerine)), upgrades).expect("in order");
        for spec in [one, many] {
            let json = serde_json::to_string(&spec).expect("plain data");
            assert_eq!(serde_json::from_str::<ChainSpec>(&json).expect("written above"), spec);
        }
    }
}

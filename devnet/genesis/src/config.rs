//! `config` of geth's genesis files: which forks a chain enters, and where.
//!
//! Read are the forks from Homestead to the last of Osaka's blob parameters. What moves difficulty alone is passed over,
//! and Constantinople without Petersburg, which lasted on test chains only, is taken for Petersburg: a block to which that
//! matters does not pass its import.

use std::collections::BTreeMap;

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::Address;
use parapet_types::{
    Activation, BlobSchedule, ChainParams, ChainSpec, Era, ExecutionLimits, GuardParams, Hardfork, Upgrade,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::FileError;

/// Forks that change nothing but blob parameters and have a name in such a file.
const BPO_FORKS: [&str; 5] = ["bpo1", "bpo2", "bpo3", "bpo4", "bpo5"];

/// The forks of proof of work, as the files name their blocks. Of two names for one, the first counts.
const BLOCK_FORKS: [(&str, Era); 10] = [
    ("homesteadBlock", Era::Homestead),
    ("eip150Block", Era::Tangerine),
    ("eip155Block", Era::Spurious),
    ("eip158Block", Era::Spurious),
    ("byzantiumBlock", Era::Byzantium),
    ("constantinopleBlock", Era::Petersburg),
    ("petersburgBlock", Era::Petersburg),
    ("istanbulBlock", Era::Istanbul),
    ("berlinBlock", Era::Berlin),
    ("londonBlock", Era::London),
];

/// Forks that change nothing which execution shows, as the files name their blocks. Constantinople and Petersburg stand here
/// because one of them takes the other's place.
const SILENT_FORKS: [&str; 6] = [
    "daoForkBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "muirGlacierBlock",
    "arrowGlacierBlock",
    "grayGlacierBlock",
];

/// The forks of proof of stake but those of blob parameters, as the files name their times.
const TIME_FORKS: [(&str, Hardfork); 4] = [
    ("shanghai", Hardfork::Shanghai),
    ("cancun", Hardfork::Cancun),
    ("prague", Hardfork::Prague),
    ("osaka", Hardfork::Osaka),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GethConfig {
    chain_id: u64,
    #[serde(default)]
    terminal_total_difficulty_passed: bool,
    terminal_total_difficulty: Option<Value>,
    merge_netsplit_block: Option<u64>,
    #[serde(default)]
    blob_schedule: BTreeMap<String, Blobs>,
    deposit_contract_address: Option<Address>,
    /// Of this node's own.
    #[serde(default)]
    parapet: GuardParams,
    /// Of this node's own, too.
    #[serde(default)]
    parapet_limits: ExecutionLimits,
    /// The forks, and what else there is.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Blob parameters of a fork.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Blobs {
    target: u32,
    max: u32,
    base_fee_update_fraction: u64,
}

impl GethConfig {
    /// EIP-155 chain id.
    pub(crate) const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The chain over its whole length, whose genesis block has this time and gas limit.
    pub(crate) fn spec(&self, timestamp: u64, block_gas_limit: u64) -> Result<ChainSpec, FileError> {
        let mut forks = self.forks(timestamp)?;
        // Several forks may begin at once: the newest of them is the chain's.
        let at_genesis = |upgrade: &Upgrade| upgrade.since.has_come(0, timestamp);
        let first = forks.iter().take_while(|upgrade| at_genesis(upgrade)).count();
        let hardfork = first.checked_sub(1).map(|last| forks[last].hardfork).ok_or(FileError::Frontier)?;
        let genesis = ChainParams {
            chain_id: self.chain_id,
            hardfork,
            block_gas_limit,
            guards: self.parapet,
            deposit_contract: self.deposit_contract_address.unwrap_or(ChainParams::MAINNET_DEPOSITS),
            limits: self.parapet_limits,
        };
        let spec = ChainSpec::new(genesis, forks.split_off(first))?;
        let silent = SILENT_FORKS.into_iter().filter_map(|name| self.number(name).transpose());
        Ok(spec.with_silent_forks(silent.collect::<Result<_, _>>()?)?)
    }

    fn forks(&self, genesis_time: u64) -> Result<Vec<Upgrade>, FileError> {
        let mut forks: Vec<Upgrade> = Vec::new();
        let merge = self.merge(genesis_time)?;
        if merge != Some(0) {
            for (name, era) in BLOCK_FORKS {
                if let Some(number) = self.number(name)? {
                    let hardfork = Hardfork::ProofOfWork(era);
                    match forks.last() {
                        Some(last) if last.hardfork == hardfork => {}
                        _ => forks.push(Upgrade { since: Activation::Block(number), hardfork }),
                    }
                }
            }
        }
        let Some(merge) = merge else { return Ok(forks) };
        forks.push(Upgrade { since: Activation::Block(merge), hardfork: Hardfork::Paris });
        for (name, fork) in TIME_FORKS {
            if let Some(time) = self.number(&format!("{name}Time"))? {
                forks.push(Upgrade { since: Activation::Time(time), hardfork: self.with_blobs(name, fork)? });
            }
        }
        for name in BPO_FORKS {
            if let Some(time) = self.number(&format!("{name}Time"))? {
                let hardfork = Hardfork::Bpo(self.blobs(name)?.ok_or_else(|| FileError::Blobs(name.to_owned()))?);
                forks.push(Upgrade { since: Activation::Time(time), hardfork });
            }
        }
        match self.number("amsterdamTime")? {
            Some(_) => Err(FileError::Amsterdam),
            None => Ok(forks),
        }
    }

    /// Number of the first block of proof of stake; `None` where the chain has none.
    fn merge(&self, genesis_time: u64) -> Result<Option<u64>, FileError> {
        if let Some(number) = self.merge_netsplit_block {
            return Ok(Some(number));
        }
        let total = self.terminal_total_difficulty.as_ref();
        let shanghai = self.number("shanghaiTime")?;
        let is_merged = self.terminal_total_difficulty_passed
            || total.is_some_and(|total| *total == json!(0))
            || total.is_none() && shanghai.is_some_and(|time| time <= genesis_time);
        match (is_merged, total, shanghai) {
            (true, ..) => Ok(Some(0)),
            (false, None, None) => Ok(None),
            (false, ..) => Err(FileError::UnknownMerge),
        }
    }

    /// A number of the configuration's, which may be absent or null.
    fn number(&self, name: &str) -> Result<Option<u64>, FileError> {
        match self.rest.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| FileError::Fork(name.to_owned())),
        }
    }

    /// A fork with the parameters that the file gives it. Only after Osaka can they be others than everybody's.
    fn with_blobs(&self, name: &str, fork: Hardfork) -> Result<Hardfork, FileError> {
        let (Some(given), Some(known)) = (self.blobs(name)?, known_blobs(fork)) else { return Ok(fork) };
        match fork {
            _ if given == known => Ok(fork),
            Hardfork::Osaka => Ok(Hardfork::Bpo(given)),
            _ => Err(FileError::Blobs(name.to_owned())),
        }
    }

    fn blobs(&self, name: &str) -> Result<Option<BlobSchedule>, FileError> {
        let Some(Blobs { target, max, base_fee_update_fraction }) = self.blob_schedule.get(name).copied() else {
            return Ok(None);
        };
        if target > max || base_fee_update_fraction == 0 {
            return Err(FileError::Blobs(name.to_owned()));
        }
        Ok(Some(BlobSchedule { target, max, base_fee_update_fraction }))
    }
}

/// Blob parameters of a fork as mainnet has them; `None` before Cancun.
fn known_blobs(fork: Hardfork) -> Option<BlobSchedule> {
    let params = match fork {
        Hardfork::Cancun => BlobParams::cancun(),
        Hardfork::Prague => BlobParams::prague(),
        Hardfork::Osaka => BlobParams::osaka(),
        Hardfork::Bpo(blobs) => return Some(blobs),
        _ => return None,
    };
    Some(BlobSchedule {
        target: u32::try_from(params.target_blob_count).ok()?,
        max: u32::try_from(params.max_blob_count).ok()?,
        base_fee_update_fraction: u64::try_from(params.update_fraction).ok()?,
    })
}

/// The configuration of a chain that begins where another stands, by a block's parameters. Of the other's later forks it
/// has those that begin with a time.
pub(crate) fn to_geth(spec: &ChainSpec, number: u64, timestamp: u64) -> Value {
    let params = spec.at(number, timestamp);
    let mut config = Map::new();
    let mut set = |name: String, value: Value| config.insert(name, value);
    for (name, era) in BLOCK_FORKS {
        if Hardfork::ProofOfWork(era) <= params.hardfork {
            set(name.to_owned(), json!(0));
        }
    }
    if params.hardfork >= Hardfork::Paris {
        set("terminalTotalDifficulty".to_owned(), json!(0));
        set("terminalTotalDifficultyPassed".to_owned(), json!(true));
    }
    let come = TIME_FORKS.into_iter().filter(|(_, fork)| *fork <= params.hardfork).map(|(_, fork)| (0, fork));
    let bpo = matches!(params.hardfork, Hardfork::Bpo(_)).then_some((0, params.hardfork));
    let later = spec.upgrades().iter().filter_map(|upgrade| match upgrade.since {
        Activation::Time(time) if time > timestamp && params.hardfork >= Hardfork::Paris => {
            Some((time, upgrade.hardfork))
        }
        _ => None,
    });
    let (mut bpo_names, mut schedule) = (BPO_FORKS.into_iter(), Map::new());
    for (time, fork) in come.chain(bpo).chain(later) {
        let known = TIME_FORKS.into_iter().find(|(_, known)| *known == fork).map(|(name, _)| name);
        let Some(name) = known.or_else(|| bpo_names.next()) else { break };
        set(format!("{name}Time"), json!(time));
        if let Some(BlobSchedule { target, max, base_fee_update_fraction }) = known_blobs(fork) {
            schedule.insert(name.to_owned(), json!(Blobs { target, max, base_fee_update_fraction }));
        }
    }
    if !schedule.is_empty() {
        set("blobSchedule".to_owned(), json!(schedule));
    }
    set("chainId".to_owned(), json!(params.chain_id));
    set("depositContractAddress".to_owned(), json!(params.deposit_contract));
    set("parapet".to_owned(), json!(params.guards));
    if !params.limits.are_ethereums() {
        set("parapetLimits".to_owned(), json!(params.limits));
    }
    Value::Object(config)
}

//! Which rules a block of a test follows, by the name of its network.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use parapet_executor::blob_params;
use parapet_fixtures::{MAINNET, OutOfRange, number};
use parapet_types::{BlobSchedule, ChainParams, ExecutionLimits, GuardParams, Hardfork};
use serde::Deserialize;

use crate::{ConformanceError, Skip, error::Stop};

/// Networks whose rules are those of a fork before the merge. Names of transitions begin with one of them.
const BEFORE_PARIS: [&str; 13] = [
    "Frontier",
    "Homestead",
    "EIP150",
    "EIP158",
    "DAO",
    "Byzantium",
    "Constantinople",
    "Istanbul",
    "MuirGlacier",
    "Berlin",
    "London",
    "ArrowGlacier",
    "GrayGlacier",
];
/// Most blobs per block that a network may have: hundreds of times what there has been.
const BLOBS_MAX: u32 = 4_096;

/// What a test says of its network besides the name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    chainid: Option<U256>,
    #[serde(rename = "blobSchedule")]
    blobs: BTreeMap<String, Blobs>,
}

/// Blob parameters of a fork.
#[derive(Debug, Deserialize)]
struct Blobs {
    target: U256,
    max: U256,
    #[serde(rename = "baseFeeUpdateFraction")]
    fraction: U256,
}

impl Config {
    /// Chain id; that of mainnet where there is none.
    pub(crate) fn chain_id(&self) -> Result<u64, OutOfRange> {
        self.chainid.map_or(Ok(MAINNET), |id| number(id, "chain id"))
    }

    /// The fork of a name.
    pub(crate) fn hardfork(&self, name: &str) -> Result<Hardfork, Stop> {
        let fork = match name {
            "Paris" | "Merge" => Hardfork::Paris,
            "Shanghai" => Hardfork::Shanghai,
            "Cancun" => Hardfork::Cancun,
            "Prague" => Hardfork::Prague,
            "Osaka" => Hardfork::Osaka,
            "Amsterdam" => Hardfork::Amsterdam,
            old if BEFORE_PARIS.iter().any(|fork| old.starts_with(fork)) => {
                return Err(Skip::BeforeParis(name.to_owned()).into());
            }
            bpo if is_bpo(bpo) => {
                let blobs = self.blobs(name)?.ok_or_else(|| ConformanceError::BlobSchedule(name.to_owned()))?;
                return Ok(Hardfork::Bpo(blobs));
            }
            unknown => return Err(Skip::UnknownNetwork(unknown.to_owned()).into()),
        };
        self.check_blobs(name, fork)?;
        Ok(fork)
    }

    /// A fork with parameters of its own is the fork everybody knows, or the test is about something else.
    fn check_blobs(&self, name: &str, fork: Hardfork) -> Result<(), ConformanceError> {
        let (Some(given), Some(known)) = (self.blobs(name)?, blob_params(fork)) else {
            return Ok(());
        };
        let same = u64::from(given.target) == known.target_blob_count
            && u64::from(given.max) == known.max_blob_count
            && u128::from(given.base_fee_update_fraction) == known.update_fraction;
        if same { Ok(()) } else { Err(ConformanceError::BlobSchedule(name.to_owned())) }
    }

    fn blobs(&self, name: &str) -> Result<Option<BlobSchedule>, ConformanceError> {
        let Some(blobs) = self.blobs.get(name) else {
            return Ok(None);
        };
        let schedule = BlobSchedule {
            target: count(blobs.target, "blob target")?,
            max: count(blobs.max, "blob maximum")?,
            base_fee_update_fraction: number(blobs.fraction, "blob fee's update fraction")?,
        };
        let sound = (1..=BLOBS_MAX).contains(&schedule.max)
            && schedule.target <= schedule.max
            && schedule.base_fee_update_fraction > 0;
        if sound { Ok(Some(schedule)) } else { Err(ConformanceError::BlobSchedule(name.to_owned())) }
    }
}

fn count(wide: U256, what: &'static str) -> Result<u32, OutOfRange> {
    u32::try_from(wide).map_err(|_| OutOfRange(what))
}

fn is_bpo(name: &str) -> bool {
    name.strip_prefix("BPO").is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Forks of a chain by the timestamp from which they hold, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule(Vec<(u64, Hardfork)>);

impl Schedule {
    /// The forks of a network: one, or one and from a timestamp on another, as in `ShanghaiToCancunAtTime15k`.
    pub(crate) fn of_network(name: &str, config: &Config) -> Result<Self, Stop> {
        if BEFORE_PARIS.iter().any(|fork| name.starts_with(fork)) {
            return Err(Skip::BeforeParis(name.to_owned()).into());
        }
        let Some((before, (after, at))) =
            name.split_once("To").and_then(|(before, rest)| Some((before, rest.split_once("AtTime")?)))
        else {
            return Ok(Self(vec![(0, config.hardfork(name)?)]));
        };
        let timestamp = seconds(at).ok_or_else(|| Skip::UnknownNetwork(name.to_owned()))?;
        Ok(Self(vec![(0, config.hardfork(before)?), (timestamp, config.hardfork(after)?)]))
    }

    /// The fork that a block of this timestamp follows.
    pub(crate) fn at(&self, timestamp: u64) -> Hardfork {
        let since = |(from, _): &&(u64, Hardfork)| *from <= timestamp;
        self.0.iter().rev().find(since).map_or_else(Hardfork::default, |(_, fork)| *fork)
    }

    /// Parameters of a block of this chain.
    pub(crate) fn params(&self, chain_id: u64, timestamp: u64, gas_limit: u64) -> ChainParams {
        ChainParams {
            chain_id,
            hardfork: self.at(timestamp),
            block_gas_limit: gas_limit,
            guards: GuardParams::default(),
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        }
    }
}

/// Seconds as the names of networks give them: `15k`, or `15000`.
fn seconds(text: &str) -> Option<u64> {
    match text.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1_000),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).expect("the test's own JSON")
    }

    #[test]
    fn a_transition_changes_the_fork_at_its_time() {
        let config =
            config(r#"{"blobSchedule":{"BPO1":{"target":"0x0a","max":"0x0f","baseFeeUpdateFraction":"0x7f5a51"}}}"#);
        let schedule = Schedule::of_network("OsakaToBPO1AtTime15k", &config).expect("a known network");
        assert_eq!(schedule.at(14_999), Hardfork::Osaka);
        assert_eq!(schedule.at(15_000), Hardfork::BPO1);
    }

    #[test]
    fn networks_that_cannot_be_run_say_why() {
        let skip = |name| match Schedule::of_network(name, &Config::default()) {
            Err(Stop::Skip(skip)) => skip,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(skip("London"), Skip::BeforeParis("London".into()));
        assert_eq!(skip("ArrowGlacierToParisAtDiffC0000"), Skip::BeforeParis("ArrowGlacierToParisAtDiffC0000".into()));
        assert_eq!(skip("CancunToPragueAtTimeNoon"), Skip::UnknownNetwork("CancunToPragueAtTimeNoon".into()));
        assert_eq!(skip("BPOx"), Skip::UnknownNetwork("BPOx".into()));
    }

    #[test]
    fn blob_parameters_that_no_block_could_have_are_refused() {
        for json in [
            "{}",
            r#"{"blobSchedule":{"BPO1":{"target":"0x1","max":"0x0","baseFeeUpdateFraction":"0x1"}}}"#,
            r#"{"blobSchedule":{"BPO1":{"target":"0x2","max":"0x1","baseFeeUpdateFraction":"0x1"}}}"#,
            r#"{"blobSchedule":{"BPO1":{"target":"0x1","max":"0x2","baseFeeUpdateFraction":"0x0"}}}"#,
            r#"{"blobSchedule":{"BPO1":{"target":"0x1","max":"0xffffff","baseFeeUpdateFraction":"0x1"}}}"#,
        ] {
            let refused = matches!(
                Schedule::of_network("BPO1", &config(json)),
                Err(Stop::Fail(ConformanceError::BlobSchedule(_)))
            );
            assert!(refused, "{json}");
        }
    }
}

//! The settings of each part of the node, and what they mean to it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use alloy_primitives::{Address, Bytes};
use parapet_builder::{Mining, PREFETCH_THREADS, SequentialCheck, Settings as ChainSettings};
use parapet_rpc::{Access, Allowed, Limits, Namespaces, Others, Pages, Screening, Settings as ServerSettings};
use parapet_state::{StoreSettings, SyncMode};
use serde::Deserialize;

use super::{Config, scalars};
use crate::{
    args::{CACHE_MIB, LocalGuardArg, MIB, default_threads, local_guard},
    dev::POOL_JOURNAL,
    version,
};

/// Where the chain lives, and what it begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChainConfig {
    pub(crate) datadir: Option<PathBuf>,
    pub(crate) genesis: Option<PathBuf>,
}

/// When blocks are built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MiningMode {
    /// Whenever so much time has passed.
    #[default]
    Interval,
    /// As transactions come.
    Instant,
    /// Whenever so much time has passed, and as transactions come.
    Mixed,
    /// Not here.
    None,
}

/// How blocks are built and executed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BuilderConfig {
    pub(crate) mining: MiningMode,
    #[serde(with = "humantime_serde")]
    pub(crate) block_time: Duration,
    #[serde(deserialize_with = "scalars::duration::deserialize")]
    pub(crate) block_deadline: Option<Duration>,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) check_sequential: bool,
    pub(crate) beneficiary: Address,
    pub(crate) extra_data: String,
}

impl Default for BuilderConfig {
    fn default() -> Self {
        Self {
            mining: MiningMode::Interval,
            block_time: Duration::from_secs(2),
            block_deadline: None,
            threads: None,
            check_sequential: false,
            beneficiary: Address::ZERO,
            extra_data: "parapet".to_owned(),
        }
    }
}

/// Guards that this node runs for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GuardsConfig {
    pub(crate) local: Vec<String>,
    pub(crate) local_accounts: Vec<Address>,
}

/// How much waits for blocks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PoolConfig {
    pub(crate) transactions_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) per_sender_max: usize,
    pub(crate) bytes_per_sender_max: usize,
}

impl Default for PoolConfig {
    fn default() -> Self {
        let parapet_pool::Limits { transactions_max, bytes_max, per_sender_max, bytes_per_sender_max } =
            parapet_pool::Limits::default();
        Self { transactions_max, bytes_max, per_sender_max, bytes_per_sender_max }
    }
}

/// What a block waits for before it is announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SyncConfig {
    /// The disk.
    #[default]
    Block,
    /// The operating system.
    System,
}

/// How the chain's folder is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreConfig {
    pub(crate) prune: Option<NonZeroU64>,
    pub(crate) sync: SyncConfig,
    pub(crate) cache_mebibytes: u32,
    pub(crate) prefetch_threads: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { prune: None, sync: SyncConfig::Block, cache_mebibytes: CACHE_MIB, prefetch_threads: PREFETCH_THREADS }
    }
}

/// Who is served, with what, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RpcConfig {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) namespaces: Vec<String>,
    pub(crate) hosts: Allowed,
    pub(crate) origins: Allowed,
    pub(crate) screening: bool,
    pub(crate) limits: Limits,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 8545,
            namespaces: Namespaces::public().iter().map(|name| (*name).to_owned()).collect(),
            hosts: Allowed::These(vec!["localhost".to_owned()]),
            origins: Allowed::These(Vec::new()),
            screening: false,
            limits: Limits::default(),
        }
    }
}

/// When the node says that it is of use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HealthConfig {
    #[serde(deserialize_with = "scalars::duration::deserialize")]
    pub(crate) head_age_max: Option<Duration>,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// What is logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogConfig {
    pub(crate) filter: Option<String>,
    pub(crate) format: LogFormat,
}

/// How the node stops.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StopConfig {
    #[serde(with = "humantime_serde")]
    pub(crate) deadline: Duration,
}

impl Default for StopConfig {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(30) }
    }
}

/// Intervals that a head may be old before it is too old, where no time was given.
const HEAD_AGE_INTERVALS: u32 = 5;
/// Least age of a head that is too old, where no time was given: blocks take their time, and clocks differ.
const HEAD_AGE_MIN: Duration = Duration::from_secs(30);

impl Config {
    /// How the chain's folder is used.
    pub(crate) fn store(&self) -> StoreSettings {
        let StoreConfig { prune, sync, cache_mebibytes, prefetch_threads: _ } = self.store;
        let sync = match sync {
            SyncConfig::Block => SyncMode::Block,
            SyncConfig::System => SyncMode::System,
        };
        let bytes = usize::try_from(u64::from(cache_mebibytes) * MIB).unwrap_or(usize::MAX);
        StoreSettings { sync, prune, ..StoreSettings::with_memory(bytes) }
    }

    pub(crate) fn mining(&self) -> Mining {
        match self.builder.mining {
            MiningMode::Interval => Mining::Interval(self.builder.block_time),
            MiningMode::Instant => Mining::Instant,
            MiningMode::Mixed => Mining::Mixed(self.builder.block_time),
            MiningMode::None => Mining::Manual,
        }
    }

    /// How blocks are built.
    pub(crate) fn chain(&self) -> ChainSettings {
        let BuilderConfig { block_deadline, threads, check_sequential, beneficiary, ref extra_data, .. } = self.builder;
        let PoolConfig { transactions_max, bytes_max, per_sender_max, bytes_per_sender_max } = self.pool;
        let check = if check_sequential { SequentialCheck::On } else { SequentialCheck::Off };
        ChainSettings {
            mining: self.mining(),
            threads: threads.unwrap_or_else(default_threads),
            prefetch_threads: self.store.prefetch_threads,
            check,
            block_deadline,
            first_base_fee: None,
            journal: self.chain.datadir.as_ref().map(|folder| folder.join(POOL_JOURNAL)),
            beneficiary,
            extra_data: Bytes::copy_from_slice(extra_data.as_bytes()),
            pool: parapet_pool::Limits { transactions_max, bytes_max, per_sender_max, bytes_per_sender_max },
            ..ChainSettings::default()
        }
    }

    /// Guards of this node's own.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(crate) fn local_guards(&self) -> Result<Vec<LocalGuardArg>, String> {
        self.guards.local.iter().map(|text| local_guard(text)).collect()
    }

    /// How clients are served.
    pub(crate) fn server(&self, namespaces: Namespaces, pages: Pages) -> ServerSettings {
        let RpcConfig { host, port, ref hosts, ref origins, screening, ref limits, .. } = self.rpc;
        ServerSettings {
            address: SocketAddr::new(host, port),
            ipc: None,
            client_version: version::CLIENT.to_owned(),
            limits: limits.clone(),
            screening: if screening { Screening::On } else { Screening::Off },
            others: Others::Sign,
            epoch_slots: 0,
            pages,
            access: Access { hosts: hosts.clone(), origins: origins.clone() },
            namespaces,
            beginner: None,
        }
    }

    /// Age beyond which the head is too old; `None` where blocks come when they come.
    pub(crate) fn head_age_max(&self) -> Option<Duration> {
        self.health.head_age_max.or(match self.mining() {
            Mining::Interval(every) | Mining::Mixed(every) => Some((every * HEAD_AGE_INTERVALS).max(HEAD_AGE_MIN)),
            Mining::Instant | Mining::Manual => None,
        })
    }
}

//! Settings of `parapet node`: one struct for each part of the node, made once out of defaults, a file and the command line,
//! in this order. Nothing reads settings later.
//!
//! `parapet.toml` beside this module is the commented default, which `parapet config init` writes. Tests hold it against
//! the types: it says what they default to, and every setting stands in it.

mod command;
mod genesis;
mod parts;
mod read;
mod scalars;
#[cfg(test)]
mod tests;

pub(crate) use command::{ConfigArgs, run};
pub(crate) use parts::{
    BuilderConfig, ChainConfig, GuardsConfig, HealthConfig, LogConfig, LogFormat, PoolConfig, RpcConfig, StopConfig,
    StoreConfig,
};
pub(crate) use read::{ConfigError, Override, read};

use serde::Deserialize;

/// The commented default.
pub(crate) const TEMPLATE: &str = include_str!("parapet.toml");

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) chain: ChainConfig,
    pub(crate) builder: BuilderConfig,
    pub(crate) guards: GuardsConfig,
    pub(crate) pool: PoolConfig,
    pub(crate) store: StoreConfig,
    pub(crate) rpc: RpcConfig,
    pub(crate) health: HealthConfig,
    pub(crate) log: LogConfig,
    pub(crate) stop: StopConfig,
}

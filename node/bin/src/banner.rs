//! What is printed when the node is ready: for people, or as JSON.

use std::{fmt::Write as _, net::SocketAddr, num::NonZeroUsize, path::Path};

use alloy_primitives::{Address, B256, U256, utils::format_ether};
use parapet_builder::{Mining, SequentialCheck};
use parapet_fork::{Checks, Fork};
use parapet_genesis::{DevAccount, Wallet};
use parapet_types::{ChainParams, FuelPerGas, REGISTRY};
use serde::Serialize;

use crate::forking::checks;

/// What the node suggests as a tip, in wei per gas.
const SUGGESTED_TIP_WEI: u128 = 1_000_000_000;

/// A node that is ready.
pub(crate) struct Ready<'a> {
    pub(crate) accounts: &'a [DevAccount],
    pub(crate) balance: U256,
    pub(crate) wallet: &'a Wallet,
    pub(crate) base_fee: u64,
    pub(crate) timestamp: u64,
    pub(crate) guardian: Address,
    pub(crate) fork: Option<&'a Fork>,
    pub(crate) params: ChainParams,
    pub(crate) mining: Mining,
    pub(crate) threads: NonZeroUsize,
    pub(crate) check: SequentialCheck,
    pub(crate) datadir: Option<&'a Path>,
    pub(crate) address: SocketAddr,
    /// The Unix socket, if there is one.
    pub(crate) ipc: Option<&'a Path>,
    /// Where the Engine API listens, if it does.
    pub(crate) engine: Option<SocketAddr>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    version: &'static str,
    accounts: Vec<JsonAccount>,
    mnemonic: &'a str,
    chain_id: u64,
    hardfork: &'static str,
    gas_limit: u64,
    fuel_per_gas: FuelPerGas,
    block_fuel: u64,
    threads: NonZeroUsize,
    registry: Address,
    guardian: Address,
    datadir: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fork: Option<JsonFork>,
    http: String,
    ws: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipc: Option<&'a Path>,
    metrics: String,
    engine: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonAccount {
    address: Address,
    private_key: B256,
    balance: U256,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFork {
    endpoint: String,
    chain_id: u64,
    block_number: u64,
    block_hash: B256,
    verified: bool,
}

impl Ready<'_> {
    /// One JSON object on one line.
    pub(crate) fn json(&self) -> String {
        let account = |account: &DevAccount| JsonAccount {
            address: account.address,
            private_key: account.key,
            balance: self.balance,
        };
        let json = Json {
            version: env!("CARGO_PKG_VERSION"),
            accounts: self.accounts.iter().map(account).collect(),
            mnemonic: &self.wallet.phrase,
            chain_id: self.params.chain_id,
            hardfork: self.params.hardfork.name(),
            gas_limit: self.params.block_gas_limit,
            fuel_per_gas: self.params.guards.fuel_per_gas,
            block_fuel: self.params.guards.block_fuel_max.0,
            threads: self.threads,
            registry: REGISTRY,
            guardian: self.guardian,
            datadir: self.datadir,
            fork: self.fork.map(|fork| JsonFork {
                endpoint: fork.endpoint(),
                chain_id: fork.chain_id(),
                block_number: fork.header().number,
                block_hash: fork.header().hash(),
                verified: fork.checks() == Checks::Proved,
            }),
            http: format!("http://{}", self.address),
            ws: format!("ws://{}", self.address),
            ipc: self.ipc,
            metrics: format!("http://{}/metrics", self.address),
            engine: self.engine.map(|address| format!("http://{address}")),
        };
        serde_json::to_string(&json).expect("plain data")
    }

    /// Accounts, keys and fees as anvil writes them with `--config-out`.
    pub(crate) fn anvil_json(&self) -> String {
        let accounts = self.accounts.iter();
        serde_json::json!({
            "available_accounts": accounts.clone().map(|account| account.address).collect::<Vec<_>>(),
            "private_keys": accounts.map(|account| account.key).collect::<Vec<_>>(),
            "wallet": { "derivation_path": self.wallet.path, "mnemonic": self.wallet.phrase },
            "base_fee": self.base_fee.to_string(),
            "gas_price": (u128::from(self.base_fee) + SUGGESTED_TIP_WEI).to_string(),
            "gas_limit": self.params.block_gas_limit.to_string(),
            "genesis_timestamp": self.timestamp.to_string(),
        })
        .to_string()
    }

    /// Some readable lines, the address last.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("writing to a string cannot fail");
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let url = format!("http://{}", self.address);
        writeln!(out, "Parapet {}: an EVM development node that runs guards", env!("CARGO_PKG_VERSION"))?;
        writeln!(out, "\nAccounts (their keys are public: never send anything of value to them)")?;
        let balance = format_ether(self.balance);
        let balance = balance.trim_end_matches('0').trim_end_matches('.');
        for (index, account) in self.accounts.iter().enumerate() {
            writeln!(out, "  ({index}) {} ({balance} ether)", account.address)?;
        }
        writeln!(out, "\nPrivate keys")?;
        for (index, account) in self.accounts.iter().enumerate() {
            writeln!(out, "  ({index}) {}", account.key)?;
        }
        writeln!(out, "\nMnemonic   {}", self.wallet.phrase)?;
        writeln!(out, "Chain id   {}", self.params.chain_id)?;
        writeln!(out, "Hardfork   {}", self.params.hardfork)?;
        writeln!(out, "Gas limit  {}", self.params.block_gas_limit)?;
        let guards = self.params.guards;
        writeln!(out, "Guard fuel {} per gas, {} per block", guards.fuel_per_gas, guards.block_fuel_max.0)?;
        writeln!(out, "Mining     {}", self.mining_text())?;
        writeln!(out, "Threads    {}", self.threads_text())?;
        if let Some(fork) = self.fork {
            let (number, hash) = (fork.header().number, fork.header().hash());
            writeln!(out, "Fork       block {number} {hash}")?;
            writeln!(out, "           of chain {} by {}, answers {}", fork.chain_id(), fork.endpoint(), checks(fork))?;
        }
        match self.datadir {
            Some(dir) => writeln!(out, "Data       {}", dir.display())?,
            None => writeln!(out, "Data       in memory (give --datadir to keep the chain)")?,
        }
        writeln!(out, "Registry   {REGISTRY} (guards and attachments)")?;
        writeln!(out, "Guardian   {} (may pause any attachment)", self.guardian)?;
        writeln!(out, "Metrics    {url}/metrics (for Prometheus)")?;
        if let Some(engine) = self.engine {
            writeln!(out, "Engine API http://{engine} (for a consensus client, with the shared secret)")?;
        }
        writeln!(out, "\nProtect a contract that account (0) owns:")?;
        let key = self.accounts.first().map_or_else(String::new, |account| account.key.to_string());
        writeln!(out, "  parapet guard deploy reentrancy --rpc-url {url} --private-key {key}")?;
        writeln!(
            out,
            "  parapet guard attach reentrancy --account <contract> --mode enforce --rpc-url {url} --private-key {key}"
        )?;
        writeln!(out, "\nListening on {} (http and ws)", self.address)
    }

    fn threads_text(&self) -> String {
        match self.check {
            SequentialCheck::Off => self.threads.to_string(),
            SequentialCheck::On => format!("{}, each block checked against a sequential execution", self.threads),
        }
    }

    fn mining_text(&self) -> String {
        match self.mining {
            Mining::Instant => "as transactions come".to_owned(),
            Mining::Interval(every) => format!("a block every {} s", every.as_secs_f64()),
            Mining::Mixed(every) => format!("a block every {} s, and as transactions come", every.as_secs_f64()),
            Mining::Manual => "only when asked, by evm_mine".to_owned(),
        }
    }
}

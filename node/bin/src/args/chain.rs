//! What a development chain begins with.

use alloy_primitives::U256;
use parapet_genesis::{
    ACCOUNTS, ACCOUNTS_MAX, BALANCE_WEI, BLOCK_GAS_LIMIT, CHAIN_ID, DevSettings, GenesisError, StateFile,
};
use parapet_monitor::Fuel;
use parapet_types::{BLOCK_FUEL_MAX, ChainParams, FuelPerGas, GuardParams, Hardfork};

use crate::args::anvil::{NO_GAS_LIMIT, RuleArgs, WalletArgs};

/// Wei of one ether.
const ETHER_WEI: u128 = 1_000_000_000_000_000_000;
/// Least block gas limit: below it no contract could be created.
const GAS_LIMIT_MIN: u64 = 100_000;
/// Most ether one account can be given: more than there is.
const BALANCE_ETHER_MAX: u64 = 1_000_000_000_000;

/// What a development chain begins with. A chain that is kept in a folder is always opened with the same.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ChainArgs {
    /// Chain id; 31,337, or that of the chain that is forked, unless told otherwise here or by --init.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) chain_id: Option<u64>,
    /// Number of funded accounts.
    #[arg(long, short, default_value_t = ACCOUNTS, value_name = "NUMBER", value_parser = accounts)]
    pub(crate) accounts: usize,
    /// Balance of each account, in ether.
    #[arg(long, default_value_t = default_balance(), value_name = "ETHER",
          value_parser = clap::value_parser!(u64).range(..=BALANCE_ETHER_MAX))]
    pub(crate) balance: u64,
    /// Rules to follow: paris, shanghai, cancun, prague, osaka, bpo1 or bpo2; osaka (`latest`), or those of the block that
    /// is forked, unless told otherwise.
    #[arg(long, value_name = "FORK")]
    pub(crate) hardfork: Option<Hardfork>,
    /// Gas limit of every block; 30,000,000, or that of the block that is forked, unless told otherwise.
    #[arg(long, value_name = "GAS", value_parser = clap::value_parser!(u64).range(GAS_LIMIT_MIN..))]
    pub(crate) gas_limit: Option<u64>,
    /// Guard fuel that one gas pays for.
    #[arg(long, default_value_t = FuelPerGas::DEFAULT, value_name = "FUEL")]
    pub(crate) fuel_per_gas: FuelPerGas,
    /// Most fuel that the guards of one block may spend.
    #[arg(long, default_value_t = BLOCK_FUEL_MAX.0, value_name = "FUEL")]
    pub(crate) block_fuel: u64,
    /// What the accounts derive from.
    #[command(flatten)]
    pub(crate) wallet: WalletArgs,
    /// What is otherwise than on Ethereum.
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

impl ChainArgs {
    /// The chain that was asked for, begun now, in seconds since 1970, unless it says when.
    ///
    /// # Errors
    /// [`GenesisError::Words`].
    pub(crate) fn genesis(&self, now: u64) -> Result<DevSettings, GenesisError> {
        let unlimited = self.rules.disable_block_gas_limit.then_some(NO_GAS_LIMIT);
        Ok(DevSettings {
            accounts: self.accounts,
            balance: U256::from(self.balance) * U256::from(ETHER_WEI),
            params: ChainParams {
                chain_id: self.chain_id.unwrap_or(CHAIN_ID),
                hardfork: self.hardfork.unwrap_or_default(),
                block_gas_limit: unlimited.or(self.gas_limit).unwrap_or(BLOCK_GAS_LIMIT),
                guards: GuardParams { fuel_per_gas: self.fuel_per_gas, block_fuel_max: Fuel(self.block_fuel) },
                deposit_contract: ChainParams::MAINNET_DEPOSITS,
                limits: self.rules.limits(),
            },
            number: 0,
            timestamp: self.rules.timestamp.unwrap_or(now),
            base_fee: self.rules.base_fee(),
            wallet: self.wallet.wallet()?,
            create2_factory: self.rules.create2_factory(),
            others: StateFile::default(),
        })
    }
}

fn accounts(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=ACCOUNTS_MAX).contains(&number) => Ok(number),
        _ => Err(format!("give a number from 1 to {ACCOUNTS_MAX}")),
    }
}

fn default_balance() -> u64 {
    u64::try_from(BALANCE_WEI / ETHER_WEI).expect("a few thousand")
}

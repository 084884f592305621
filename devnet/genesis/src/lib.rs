//! The development chain's genesis: funded accounts with well-known keys, the registry, and the contracts that
//! Ethereum's own rules and tools expect to find.
//!
//! Everything follows from [`DevSettings`]; the time is handed in. The first account is the guardian: it may pause any
//! attachment. It is governance, too: it may attach guards to the whole chain. Its key is public, so nothing of value may
//! ever live on such a chain.

mod accounts;
mod config;
mod contracts;
mod error;
mod file;
mod fork;
mod header;
mod stream;

pub use accounts::{DERIVATION_PATH, DevAccount, MNEMONIC, Wallet, dev_accounts};
pub use contracts::{CREATE2_FACTORY, CREATE2_FACTORY_CODE};
pub use error::GenesisError;
pub use file::{FileBlock, FileError, StateFile, genesis_of_file};
pub use fork::{DevFork, LookedAt};
pub use header::BASE_FEE_WEI;
pub use stream::{StateForm, WriteError, write_state};

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use parapet_state::{GenesisBlock, WorldState};
use parapet_types::{AccountChange, AccountInfo, ChainParams, ExecutionLimits, GuardParams, Hardfork, StateChanges};

/// Chain id of a development chain, unless another is asked for.
pub const CHAIN_ID: u64 = 31_337;
/// Gas limit of its blocks, unless another is asked for.
pub const BLOCK_GAS_LIMIT: u64 = 30_000_000;
/// Funded accounts, unless another number is asked for.
pub const ACCOUNTS: usize = 10;
/// Most funded accounts.
pub const ACCOUNTS_MAX: usize = 1_000;
/// Balance of each in wei, unless another is asked for: 10,000 ether.
pub const BALANCE_WEI: u128 = 10_000 * 1_000_000_000_000_000_000;

/// What a development chain is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevSettings {
    /// Funded accounts: 1 to [`ACCOUNTS_MAX`].
    pub accounts: usize,
    /// Balance of each, in wei.
    pub balance: U256,
    /// Chain id, hardfork and gas limit.
    pub params: ChainParams,
    /// Number of the first block: 0, unless the chain lives in memory.
    pub number: u64,
    /// Timestamp of the genesis block, in seconds since 1970.
    pub timestamp: u64,
    /// Base fee of the genesis block, in wei per gas.
    pub base_fee: u64,
    /// What the funded accounts derive from.
    pub wallet: Wallet,
    /// Whether there is a factory for CREATE2.
    pub create2_factory: Create2Factory,
    /// Accounts that are there besides, and in place of the chain's own where both have one.
    pub others: StateFile,
}

/// Whether the deterministic deployment proxy is there from the first block on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Create2Factory {
    /// It is.
    #[default]
    Deployed,
    /// It is not.
    Absent,
}

impl DevSettings {
    /// The usual chain, begun at a given time, in seconds since 1970.
    #[must_use]
    pub fn at(timestamp: u64) -> Self {
        let params = ChainParams {
            chain_id: CHAIN_ID,
            hardfork: Hardfork::default(),
            block_gas_limit: BLOCK_GAS_LIMIT,
            guards: GuardParams::default(),
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        Self {
            accounts: ACCOUNTS,
            balance: U256::from(BALANCE_WEI),
            params,
            number: 0,
            timestamp,
            base_fee: BASE_FEE_WEI,
            wallet: Wallet::default(),
            create2_factory: Create2Factory::Deployed,
            others: StateFile::default(),
        }
    }

    /// The funded accounts, in the order in which they derive.
    ///
    /// # Errors
    /// [`GenesisError`] when the number of accounts is out of range, or the phrase is none.
    pub fn funded(&self) -> Result<Vec<DevAccount>, GenesisError> {
        self.wallet.accounts(self.checked_accounts()?)
    }

    fn checked_accounts(&self) -> Result<usize, GenesisError> {
        if self.accounts == 0 || self.accounts > ACCOUNTS_MAX {
            return Err(GenesisError::Accounts { asked: self.accounts });
        }
        Ok(self.accounts)
    }
}

/// What any chain begins with that has guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisSettings {
    /// Chain id, hardfork and gas limit.
    pub params: ChainParams,
    /// Who may pause any attachment at once.
    pub guardian: Address,
    /// Who may attach guards to the whole chain.
    pub governance: Address,
    /// Accounts that have something, with their balances in wei.
    pub funded: BTreeMap<Address, U256>,
    /// Timestamp of the genesis block, in seconds since 1970.
    pub timestamp: u64,
}

impl GenesisSettings {
    /// The first block: the registry, the contracts that Ethereum's own rules and tools expect, and the funded accounts.
    #[must_use]
    pub fn build(&self) -> GenesisBlock {
        self.seal(&self.changes(), BASE_FEE_WEI)
    }

    fn changes(&self) -> StateChanges {
        let mut changes = StateChanges::default();
        contracts::deploy(&mut changes, self.params.hardfork, (self.guardian, self.governance));
        for (address, balance) in &self.funded {
            let info = AccountInfo { balance: *balance, ..AccountInfo::default() };
            let funded = AccountChange { info: Some(info), wipe_storage: false, storage: BTreeMap::new() };
            changes.accounts.insert(*address, funded);
        }
        changes
    }

    /// The block of a state, with a base fee in wei per gas.
    fn seal(&self, changes: &StateChanges, base_fee: u64) -> GenesisBlock {
        let world = WorldState::of(changes);
        let usual = header::genesis_header(&self.params, self.timestamp, world.root());
        let base_fee_per_gas = usual.base_fee_per_gas.map(|_| base_fee);
        let header = alloy_consensus::Header { base_fee_per_gas, ..usual };
        GenesisBlock { spec: self.params.into(), header, world }
    }
}

/// A development chain's beginning.
#[derive(Clone, Debug)]
pub struct DevGenesis {
    /// The funded accounts, in the order in which they derive from [`MNEMONIC`].
    pub accounts: Vec<DevAccount>,
    /// The account that may pause any attachment, and governs: the first.
    pub guardian: Address,
    /// The genesis block, its state and the chain's parameters.
    pub block: GenesisBlock,
}

impl DevGenesis {
    /// Builds it.
    ///
    /// # Errors
    /// [`GenesisError`] when the number of accounts is out of range, or an account cannot be derived.
    pub fn build(settings: &DevSettings) -> Result<Self, GenesisError> {
        let accounts = settings.wallet.accounts(settings.checked_accounts()?)?;
        let guardian = accounts[0].address;
        let begun = GenesisSettings {
            params: settings.params,
            guardian,
            governance: guardian,
            funded: accounts.iter().map(|account| (account.address, settings.balance)).collect(),
            timestamp: settings.timestamp,
        };
        let mut changes = begun.changes();
        if settings.create2_factory == Create2Factory::Absent {
            changes.accounts.remove(&CREATE2_FACTORY);
        }
        let others = settings.others.clone().changes();
        changes.accounts.extend(others.accounts);
        changes.code.extend(others.code);
        let mut block = begun.seal(&changes, settings.base_fee);
        block.header.number = settings.number;
        Ok(Self { accounts, guardian, block })
    }
}

//! The beginning of a chain that is forked from another one: a block of that chain, with its state, and over it what a
//! development chain needs.

use std::{collections::BTreeMap, sync::Arc};

use alloy_eips::{eip7002, eip7251};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, U256};
use parapet_state::WorldState;
use parapet_types::{AccountChange, AccountInfo, ReadError, StateChanges, StateReader};

use crate::{DevAccount, DevSettings, GenesisError, contracts};

/// First bytes of the code of an account that delegates to another one (EIP-7702).
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

/// Words with which a queue of requests begins: excess, count, head, tail (EIP-7002, EIP-7251).
const QUEUE_WORDS: u64 = 4;

/// What is looked at of the state of a block that is forked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedAt {
    /// Accounts.
    pub accounts: Vec<Address>,
    /// Slots of accounts.
    pub slots: Vec<(Address, U256)>,
}

/// A development chain's beginning on another chain's block.
#[derive(Clone, Debug)]
pub struct DevFork {
    /// The funded accounts, in the order in which they derive from [`MNEMONIC`](crate::MNEMONIC).
    pub accounts: Vec<DevAccount>,
    /// The account that may pause any attachment, and governs, unless the chain that was forked has a registry of its own.
    pub guardian: Address,
    /// The state of the block, and over it what is laid in: the registry and the contracts of the chain's fork, where they
    /// are not there, and the balances of the funded accounts.
    pub world: WorldState,
}

impl DevFork {
    /// What is looked at here and for every block, so that it can be read all at once.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn looked_at(settings: &DevSettings) -> Result<LookedAt, GenesisError> {
        let (funded, wanted) = wanted(settings)?;
        // Who is paid the tips where nobody else is named.
        let accounts = funded.into_iter().map(|account| account.address).chain(wanted.accounts.into_keys());
        let accounts = accounts.chain([Address::ZERO]).collect();
        let queues = [eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS];
        let words = |queue| (0..QUEUE_WORDS).map(move |word| (queue, U256::from(word)));
        Ok(LookedAt { accounts, slots: queues.into_iter().flat_map(words).collect() })
    }

    /// Lays what a development chain needs over the state of a block. Funded accounts keep their nonces, and lose what others
    /// delegated them to: their keys are known to everyone, and so their namesakes elsewhere are traps.
    ///
    /// # Errors
    /// [`GenesisError`] when the number of accounts is out of range, the state cannot be read, or something else lives where
    /// the registry is to be.
    pub fn build(settings: &DevSettings, below: Arc<dyn StateReader>) -> Result<Self, GenesisError> {
        let (accounts, mut wanted) = wanted(settings)?;
        let mut laid = StateChanges::default();
        for (address, change) in std::mem::take(&mut wanted.accounts) {
            let code_hash = change.info.unwrap_or_default().code_hash;
            let there = below.account(&address)?.map_or(KECCAK256_EMPTY, |info| info.code_hash);
            if there == KECCAK256_EMPTY {
                laid.code.extend(wanted.code.get(&code_hash).map(|code| (code_hash, code.clone())));
                laid.accounts.insert(address, AccountChange { wipe_storage: true, ..change });
            } else if address == parapet_types::REGISTRY && there != code_hash {
                return Err(GenesisError::OtherRegistry { address });
            }
        }
        for account in &accounts {
            let before = below.account(&account.address)?.unwrap_or_default();
            let code_hash = if is_delegated(&*below, &before)? { KECCAK256_EMPTY } else { before.code_hash };
            let info = AccountInfo { balance: settings.balance, code_hash, ..before };
            let funded = AccountChange { info: Some(info), wipe_storage: false, storage: BTreeMap::new() };
            laid.accounts.insert(account.address, funded);
        }
        let world = WorldState::over(below).apply(&laid).map_err(ReadError::from)?;
        Ok(Self { guardian: accounts[0].address, accounts, world })
    }
}

/// The funded accounts, and the contracts that a development chain of this fork has.
fn wanted(settings: &DevSettings) -> Result<(Vec<DevAccount>, StateChanges), GenesisError> {
    let accounts = settings.funded()?;
    let guardian = accounts[0].address;
    let mut wanted = StateChanges::default();
    contracts::deploy(&mut wanted, settings.params.hardfork, (guardian, guardian));
    Ok((accounts, wanted))
}

fn is_delegated(below: &dyn StateReader, info: &AccountInfo) -> Result<bool, ReadError> {
    if info.code_hash == KECCAK256_EMPTY {
        return Ok(false);
    }
    let code: Option<Bytes> = below.code(info.code_hash)?;
    Ok(code.is_some_and(|code| code.starts_with(&DELEGATION)))
}

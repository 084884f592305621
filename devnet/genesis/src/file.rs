//! States in files: geth's genesis, and what anvil writes with `--dump-state`.
//!
//! A genesis begins a chain with exactly the accounts that it names: no registry is added, so its first block is the one
//! that other nodes derive from the file. What `parapet db export` writes holds the registry as the account that it is.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bytes, U64, U256, keccak256};
use parapet_state::{GenesisBlock, StoreError, WorldState};
use parapet_types::{
    AccountChange, AccountInfo, ChainParams, ChainSpec, ExecutionLimits, GuardParams, Hardfork, ScheduleError,
    StateChanges,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    BLOCK_GAS_LIMIT, CHAIN_ID,
    config::{self, GethConfig},
    header::genesis_header,
};

/// Why a file is no genesis.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is neither of the two forms.
    #[error("it is neither a genesis as geth has it nor a state as anvil writes it: {0}")]
    Json(#[from] serde_json::Error),
    /// It begins before the oldest fork that is known.
    #[error(
        "its chain begins with the rules of Frontier; the oldest known are Homestead's: give it \"homesteadBlock\": 0"
    )]
    Frontier,
    /// It does not say with which block proof of stake begins.
    #[error(
        "it does not say with which block proof of stake begins: give it \"mergeNetsplitBlock\", or \
         \"terminalTotalDifficultyPassed\" if it is so from the first block on"
    )]
    UnknownMerge,
    /// It names a fork that is not final.
    #[error("it has \"amsterdamTime\", a fork whose rules are not final")]
    Amsterdam,
    /// A fork begins at no number.
    #[error("\"{0}\" is not a number")]
    Fork(String),
    /// Blob parameters that are missing, that no block could have, or that the fork does not have.
    #[error("\"blobSchedule\" gives {0} parameters that it cannot have, or none where it needs them")]
    Blobs(String),
    /// Its forks are in no order.
    #[error("its forks are in no order: {0}")]
    Schedule(#[from] ScheduleError),
    /// It does not begin with block 0.
    #[error("it begins with block {0}; a chain begins with block 0")]
    Number(u64),
}

/// Gas limits from here up stand for none at all, in files that anvil wrote.
const NO_GAS_LIMIT: u64 = u64::MAX / 2;

fn word(value: U256) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// An account, as both forms have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct FileAccount {
    balance: U256,
    nonce: U64,
    code: Bytes,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    storage: BTreeMap<U256, U256>,
}

/// The accounts of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateFile(BTreeMap<Address, FileAccount>);

#[derive(Deserialize)]
#[serde(untagged)]
enum AnyFile {
    Geth(Box<GethGenesis>),
    Anvil(AnvilState),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GethGenesis {
    config: GethConfig,
    alloc: BTreeMap<Address, FileAccount>,
    #[serde(default)]
    number: U64,
    #[serde(default)]
    nonce: U64,
    #[serde(default)]
    timestamp: U64,
    #[serde(default)]
    extra_data: Bytes,
    gas_limit: U64,
    #[serde(default)]
    difficulty: U256,
    #[serde(default)]
    mix_hash: B256,
    #[serde(default)]
    coinbase: Address,
    base_fee_per_gas: Option<U64>,
    excess_blob_gas: Option<U64>,
    blob_gas_used: Option<U64>,
}

#[derive(Deserialize)]
struct AnvilState {
    accounts: BTreeMap<Address, FileAccount>,
    block: Option<AnvilBlock>,
    best_block_number: Option<U256>,
}

#[derive(Deserialize)]
struct AnvilBlock {
    timestamp: U256,
    gas_limit: Option<U256>,
}

/// The genesis block of a file: geth's genesis, or a state of anvil's, which begins a development chain of the newest fork.
///
/// # Errors
/// [`FileError`] when it is neither, or no chain of this node's can begin so.
pub fn genesis_of_file(json: &[u8]) -> Result<GenesisBlock, FileError> {
    match serde_json::from_slice(json)? {
        AnyFile::Geth(genesis) => genesis.build(),
        AnyFile::Anvil(AnvilState { accounts, block, .. }) => {
            let limit = block.as_ref().and_then(|block| block.gas_limit).map(word);
            let params = ChainParams {
                chain_id: CHAIN_ID,
                hardfork: Hardfork::default(),
                // Anvil may have no limit at all, which no header can say.
                block_gas_limit: limit.filter(|limit| *limit < NO_GAS_LIMIT).unwrap_or(BLOCK_GAS_LIMIT),
                guards: GuardParams::default(),
                deposit_contract: ChainParams::MAINNET_DEPOSITS,
                limits: ExecutionLimits::ETHEREUM,
            };
            let world = StateFile(accounts).world();
            let timestamp = block.map_or(0, |block| word(block.timestamp));
            let header = genesis_header(&params, timestamp, world.root());
            Ok(GenesisBlock { spec: params.into(), header, world })
        }
    }
}

impl GethGenesis {
    fn build(self) -> Result<GenesisBlock, FileError> {
        if !self.number.is_zero() {
            return Err(FileError::Number(self.number.to()));
        }
        let timestamp = self.timestamp.to::<u64>();
        let spec = self.config.spec(timestamp, self.gas_limit.to())?;
        let params = spec.genesis();
        let world = StateFile(self.alloc).world();
        let usual = genesis_header(params, timestamp, world.root());
        let header = Header {
            beneficiary: self.coinbase,
            difficulty: self.difficulty,
            extra_data: self.extra_data,
            mix_hash: self.mix_hash,
            nonce: B64::from(self.nonce.to::<u64>()),
            base_fee_per_gas: usual.base_fee_per_gas.map(|usual| self.base_fee_per_gas.map_or(usual, |fee| fee.to())),
            blob_gas_used: usual.blob_gas_used.map(|usual| self.blob_gas_used.map_or(usual, |gas| gas.to())),
            excess_blob_gas: usual.excess_blob_gas.map(|usual| self.excess_blob_gas.map_or(usual, |gas| gas.to())),
            ..usual
        };
        Ok(GenesisBlock { spec, header, world })
    }
}

/// What a file says of the block that its state belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileBlock {
    /// Its number; that of a genesis is zero.
    pub number: Option<u64>,
    /// Timestamp, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// Gas limit.
    pub gas_limit: Option<u64>,
    /// Base fee, in wei per gas.
    pub base_fee: Option<u64>,
    /// EIP-155 chain id.
    pub chain_id: Option<u64>,
}

impl StateFile {
    /// The accounts of a file in either form, and what it says of its block, for a chain that has more accounts than these.
    ///
    /// # Errors
    /// [`FileError::Json`] when it is in neither form.
    pub fn parse(json: &[u8]) -> Result<(Self, FileBlock), FileError> {
        Ok(match serde_json::from_slice(json)? {
            AnyFile::Geth(genesis) => {
                let block = FileBlock {
                    number: None,
                    timestamp: Some(genesis.timestamp.to()),
                    gas_limit: Some(genesis.gas_limit.to()),
                    base_fee: genesis.base_fee_per_gas.map(|fee| fee.to()),
                    chain_id: Some(genesis.config.chain_id()),
                };
                (Self(genesis.alloc), block)
            }
            AnyFile::Anvil(AnvilState { accounts, block, best_block_number }) => {
                let number = best_block_number.map(word);
                let block = block.map_or_else(FileBlock::default, |block| FileBlock {
                    number,
                    timestamp: Some(word(block.timestamp)),
                    gas_limit: block.gas_limit.map(word).filter(|limit| *limit < NO_GAS_LIMIT),
                    ..FileBlock::default()
                });
                (Self(accounts), block)
            }
        })
    }

    /// Reads a whole state, and tells of each account.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn read(world: &WorldState, mut tell: impl FnMut()) -> Result<Self, StoreError> {
        let mut accounts = BTreeMap::new();
        for account in world.accounts() {
            let (address, info) = account?;
            let code = world.code(info.code_hash)?.unwrap_or_default();
            let storage = world.slots(&address)?.into_iter().collect();
            let (balance, nonce) = (info.balance, U64::from(info.nonce));
            accounts.insert(address, FileAccount { balance, nonce, code, storage });
            tell();
        }
        Ok(Self(accounts))
    }

    /// Accounts that it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no account.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As geth's genesis files have it: a chain with the parameters of this one that begins with this state, at the block's time.
    #[must_use]
    pub fn to_geth(&self, block: &Header, spec: &ChainSpec) -> Value {
        let mut state = geth_frame(block, spec);
        state["alloc"] = json!(self.0);
        state
    }

    /// As anvil writes it.
    #[must_use]
    pub fn to_anvil(&self, block: &Header) -> Value {
        let account = |(address, account): (&Address, &FileAccount)| {
            let FileAccount { balance, nonce, code, storage } = account;
            let storage: BTreeMap<_, _> =
                storage.iter().map(|(slot, value)| (B256::from(*slot), B256::from(*value))).collect();
            let nonce = nonce.to::<u64>();
            (address.to_string(), json!({ "nonce": nonce, "balance": balance, "code": code, "storage": storage }))
        };
        let mut state = anvil_frame(block);
        state["accounts"] = self.0.iter().map(account).collect::<serde_json::Map<_, _>>().into();
        state
    }

    /// The state. Accounts that are empty are none.
    fn world(self) -> WorldState {
        WorldState::of(&self.changes())
    }

    /// What makes its accounts what they are, whatever they were. Accounts that are empty are none.
    #[must_use]
    pub fn changes(self) -> StateChanges {
        let mut changes = StateChanges::default();
        for (address, FileAccount { balance, nonce, code, storage }) in self.0 {
            let code_hash = keccak256(&code);
            let info = AccountInfo { nonce: nonce.to(), balance, code_hash };
            if info == AccountInfo::default() && storage.is_empty() {
                continue;
            }
            changes.code.insert(code_hash, code);
            changes.accounts.insert(address, AccountChange { info: Some(info), wipe_storage: true, storage });
        }
        changes
    }
}

/// A genesis file of geth's but for its accounts.
pub(crate) fn geth_frame(block: &Header, spec: &ChainSpec) -> Value {
    json!({
        "config": config::to_geth(spec, block.number, block.timestamp),
        "nonce": "0x0",
        "timestamp": U64::from(block.timestamp),
        "extraData": "0x",
        "gasLimit": U64::from(spec.genesis().block_gas_limit),
        "difficulty": "0x0",
        "mixHash": B256::ZERO,
        "coinbase": Address::ZERO,
        "baseFeePerGas": block.base_fee_per_gas.map(U64::from),
        "excessBlobGas": block.excess_blob_gas.map(U64::from),
        "blobGasUsed": block.excess_blob_gas.map(|_| U64::ZERO),
    })
}

/// A state of anvil's but for its accounts.
pub(crate) fn anvil_frame(block: &Header) -> Value {
    json!({
        "block": {
            "number": U256::from(block.number),
            "beneficiary": block.beneficiary,
            "timestamp": U256::from(block.timestamp),
            "gas_limit": U64::from(block.gas_limit),
            "basefee": U64::from(block.base_fee_per_gas.unwrap_or_default()),
            "difficulty": block.difficulty,
            "prevrandao": block.mix_hash,
            "blob_excess_gas_and_price": { "excess_blob_gas": block.excess_blob_gas.unwrap_or_default(), "blob_gasprice": 1 },
        },
        "best_block_number": U64::from(block.number),
        // anvil looks for the newest block; its transactions stay here.
        "blocks": [{ "header": block, "transactions": [], "ommers": [], "withdrawals": null }],
        "transactions": [],
        "historical_states": null,
    })
}

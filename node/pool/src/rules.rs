//! What the next block asks of a transaction, and what the pool knows of its sender.

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::KECCAK256_EMPTY;
use parapet_types::{AccountInfo, ExecutionLimits, Hardfork};

/// What the next block asks of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Rules of the chain.
    pub hardfork: Hardfork,
    /// Gas limit of a block.
    pub block_gas_limit: u64,
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
    /// Limits that Ethereum has otherwise.
    pub limits: ExecutionLimits,
    /// Blobs, from Cancun on.
    pub blobs: Option<BlobRules>,
    /// What becomes of transactions that do not pay the base fee.
    pub low_fees: LowFees,
    /// What becomes of transactions that their sender cannot pay for.
    pub balances: Balances,
}

/// What the next block asks of blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRules {
    /// How many there may be.
    pub params: BlobParams,
    /// Their base fee, in wei per gas of blobs.
    pub fee: u128,
}

/// What becomes of transactions that do not pay what the next block asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LowFees {
    /// They wait until it asks for less.
    Wait,
    /// They are refused: blocks come of transactions alone, so nothing would ever lower the fee.
    Refuse,
}

/// What becomes of transactions that their sender cannot pay for, by its balance now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balances {
    /// They are refused.
    #[default]
    Checked,
    /// They are admitted, and leave the pool when a block is built and their sender still cannot pay.
    Ignored,
}

/// What a block asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// Base fee, in wei per gas.
    pub base_fee: u64,
    /// Base fee of blobs, in wei per gas of blobs; 0 where there are none.
    pub blob_fee: u128,
}

impl Rules {
    /// What the next block asks for.
    #[must_use]
    pub fn prices(&self) -> Prices {
        Prices { base_fee: self.base_fee, blob_fee: self.blobs.map_or(0, |blobs| blobs.fee) }
    }
}

/// A sender's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// As it is now.
    pub info: AccountInfo,
    /// What its code is.
    pub code: Code,
}

/// What an account's code is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// There is none.
    #[default]
    None,
    /// It is delegated to another account's (EIP-7702).
    Delegation,
    /// It is a contract. Whether one may send is the executor's question: a development chain impersonates them.
    Contract,
}

impl Code {
    /// What some bytes of code are.
    #[must_use]
    pub fn of(code: &[u8]) -> Self {
        match code {
            [] => Self::None,
            [0xef, 0x01, 0x00, ..] if code.len() == 23 => Self::Delegation,
            _ => Self::Contract,
        }
    }
}

impl From<AccountInfo> for Account {
    /// An account that is not delegated.
    fn from(info: AccountInfo) -> Self {
        Self { info, code: if info.code_hash == KECCAK256_EMPTY { Code::None } else { Code::Contract } }
    }
}

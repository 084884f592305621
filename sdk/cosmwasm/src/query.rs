//! What a guard may ask its host while it judges: the EVM's state, and the bytes that a message leaves out.

use cosmwasm_std::{CustomQuery, QuerierWrapper, QueryRequest, StdResult, Uint256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Address, Word};

/// Which state is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fork {
    /// As the transaction found it.
    PreTx,
    /// As the transaction leaves it.
    Now,
}

/// A custom query. What state it reads enters the transaction's read set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GuardQuery {
    /// A storage word; answered by a [`Word`], zero where there is none.
    Storage {
        /// Which state.
        fork: Fork,
        /// Whose storage.
        address: Address,
        /// Which slot.
        slot: Word,
    },
    /// A balance in wei; answered by a decimal string.
    Balance {
        /// Which state.
        fork: Fork,
        /// Whose.
        address: Address,
    },
    /// A code hash; answered by a [`Word`], zero where there is no account.
    CodeHash {
        /// Which state.
        fork: Fork,
        /// Whose.
        address: Address,
    },
    /// Calldata or init code of a frame; answered by [`Bytes`].
    FrameInput {
        /// The frame's id.
        frame: u32,
        /// First byte.
        offset: u32,
        /// At most so many bytes.
        len: u32,
    },
    /// Return data of a frame; answered by [`Bytes`].
    FrameOutput {
        /// The frame's id.
        frame: u32,
        /// First byte.
        offset: u32,
        /// At most so many bytes.
        len: u32,
    },
    /// Data of a log; answered by [`Bytes`].
    LogData {
        /// The log's index in the message.
        log: u32,
        /// First byte.
        offset: u32,
        /// At most so many bytes.
        len: u32,
    },
}

impl CustomQuery for GuardQuery {}

/// Bytes in lower-case hex behind `0x`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bytes(#[schemars(regex(pattern = "^0x([0-9a-f]{2})*$"))] pub String);

/// The queries by name.
#[derive(Clone, Copy)]
pub struct Querier<'a>(pub QuerierWrapper<'a, GuardQuery>);

impl Querier<'_> {
    /// A storage word.
    ///
    /// # Errors
    /// When the host cannot answer.
    pub fn storage(&self, fork: Fork, address: Address, slot: Word) -> StdResult<Word> {
        self.0.query(&QueryRequest::Custom(GuardQuery::Storage { fork, address, slot }))
    }

    /// A balance in wei.
    ///
    /// # Errors
    /// When the host cannot answer.
    pub fn balance(&self, fork: Fork, address: Address) -> StdResult<Uint256> {
        self.0.query(&QueryRequest::Custom(GuardQuery::Balance { fork, address }))
    }

    /// A code hash.
    ///
    /// # Errors
    /// When the host cannot answer.
    pub fn code_hash(&self, fork: Fork, address: Address) -> StdResult<Word> {
        self.0.query(&QueryRequest::Custom(GuardQuery::CodeHash { fork, address }))
    }
}

//! What contracts do: straight-line programs of acts, with branches that depend on state.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use crate::Place;

/// How one contract calls another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the instructions")]
pub enum CallKind {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
}

/// An address that a program names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A fixed one.
    Place(Place),
    /// The calldata's argument of that number.
    Argument(u8),
    /// The caller.
    Caller,
    /// The fee recipient.
    Coinbase,
    /// The executing account.
    Itself,
}

/// A word that a program computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// A constant.
    Literal(u64),
    /// A slot's key, by its number ([`slot_key`](crate::slot_key)).
    Key(u8),
    /// The calldata's argument of that number.
    Argument(u8),
    /// The caller's address.
    Caller,
    /// The sender's address.
    Origin,
    /// Wei that came with the call.
    CallValue,
    /// SELFBALANCE.
    SelfBalance,
    /// BALANCE.
    BalanceOf(Target),
    /// EXTCODEHASH.
    CodeHashOf(Target),
    /// EXTCODESIZE.
    CodeSizeOf(Target),
    /// What the slot holds.
    Slot(u8),
    /// What the transient slot holds.
    Transient(u8),
    /// BLOCKHASH of so many blocks before this one.
    BlockHash(u8),
    /// GAS: it tells how warm everything was.
    GasLeft,
    /// BASEFEE.
    BaseFee,
}

/// One thing a contract does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Adds one to a slot.
    Increment(u8),
    /// Writes a word to the slot of that key.
    Store {
        /// Key.
        key: Word,
        /// Value.
        value: Word,
    },
    /// Adds a word to the slot of that key.
    Add {
        /// Key.
        key: Word,
        /// What is added, modulo 2^256.
        value: Word,
    },
    /// Moves an amount from one slot to another, or reverts if there is less: a token's transfer.
    Move {
        /// Key of the slot that loses.
        from: Word,
        /// Key of the slot that gains.
        to: Word,
        /// How much.
        amount: Word,
    },
    /// Writes a word to a transient slot (EIP-1153).
    StoreTransient {
        /// Its number.
        slot: u8,
        /// Value.
        value: Word,
    },
    /// LOG1 of a word.
    Log {
        /// Topic.
        topic: Word,
        /// Data.
        data: Word,
    },
    /// Calls, and remembers whether that succeeded.
    Call {
        /// How.
        kind: CallKind,
        /// Whom.
        target: Target,
        /// Wei; nothing for kinds that have none.
        value: Word,
        /// Last byte of the selector.
        selector: u8,
        /// Its one argument.
        argument: Word,
        /// Gas; all there is if `None`.
        gas: Option<u32>,
        /// Slot that the success flag goes to.
        remember: Option<u8>,
    },
    /// Creates a child of the scenario.
    Create {
        /// Its number.
        child: u8,
        /// CREATE2 with this salt; CREATE if `None`.
        salt: Option<Word>,
        /// Wei.
        value: Word,
        /// Slot that its address goes to.
        remember: Option<u8>,
    },
    /// SELFDESTRUCT.
    SelfDestruct(Target),
    /// If the word is not zero.
    When(Word, Vec<Act>),
    /// Returns a word.
    Return(Word),
    /// Reverts with a word.
    Revert(Word),
    /// Loops until there is no gas.
    BurnGas,
    /// Executes an invalid opcode.
    Invalid,
    /// Stops.
    Stop,
}

impl Word {
    /// A constant as a word of the EVM.
    #[must_use]
    pub fn literal(self) -> Option<U256> {
        match self {
            Self::Literal(value) => Some(U256::from(value)),
            Self::Key(number) => Some(crate::slot_key(number)),
            _ => None,
        }
    }
}

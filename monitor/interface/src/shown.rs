//! What a CosmWasm contract's message holds of a transaction, as its descriptor names it.
//!
//! A contract pays for every byte that it is shown, and its parser for far more than the bytes. So a descriptor's
//! `message` names the lists of the trace that its message is to hold.

use serde::{Deserialize, Serialize};

use crate::Subscriptions;

/// A list of the trace, or what else a message may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum List {
    /// The transaction and its block: one record.
    Transaction,
    /// The accounts that the attachment guards.
    Accounts,
    /// The call stack's entries.
    Frames,
    /// Storage accesses, in order.
    Accesses,
    /// Ether and tokens that changed hands.
    Flows,
    /// Logs.
    Logs,
    /// Slots whose value the transaction changes.
    SlotChanges,
    /// Code that appeared, changed or was destroyed.
    CodeChanges,
}

/// Not the name of anything that a message may hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a message cannot hold {0:?}; it can hold transaction, accounts, frames, accesses, flows, logs, slot_changes and \
     code_changes"
)]
pub struct NotShown(String);

impl List {
    /// All of them, in the order in which they stand in a message.
    pub const ALL: [Self; 8] = [
        Self::Transaction,
        Self::Accounts,
        Self::Frames,
        Self::Accesses,
        Self::Flows,
        Self::Logs,
        Self::SlotChanges,
        Self::CodeChanges,
    ];

    /// Its name in descriptors, and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Accounts => "accounts",
            Self::Frames => "frames",
            Self::Accesses => "accesses",
            Self::Flows => "flows",
            Self::Logs => "logs",
            Self::SlotChanges => "slot_changes",
            Self::CodeChanges => "code_changes",
        }
    }

    /// Who is shown a list reads it.
    #[must_use]
    pub const fn subscription(self) -> Subscriptions {
        match self {
            Self::Accesses => Subscriptions::ACCESSES,
            Self::Flows | Self::Logs => Subscriptions::FLOWS,
            Self::Transaction | Self::Accounts | Self::Frames | Self::SlotChanges | Self::CodeChanges => {
                Subscriptions::NONE
            }
        }
    }
}

impl TryFrom<String> for List {
    type Error = NotShown;

    fn try_from(name: String) -> Result<Self, NotShown> {
        Self::ALL.into_iter().find(|list| list.name() == name).ok_or(NotShown(name))
    }
}

impl From<List> for String {
    fn from(list: List) -> Self {
        list.name().to_owned()
    }
}

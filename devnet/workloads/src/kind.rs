//! Kinds of workloads: how the transactions of a block depend on each other. A kind's name never changes; results are
//! compared by it.

/// A kind of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Plain transfers; no account appears twice.
    TransfersIndependent,
    /// Plain transfers; the recipient of each is the sender of the next.
    TransfersChain,
    /// Plain transfers by one sender to recipients of their own.
    TransfersOneSender,
    /// Plain transfers to one recipient by senders of their own.
    TransfersOneRecipient,
    /// Transfers of one ERC-20 token; no holder appears twice.
    Erc20Independent,
    /// Transfers of one ERC-20 token; the recipient of each is the sender of the next.
    Erc20Chain,
    /// Transfers of one ERC-20 token to one recipient.
    Erc20OneRecipient,
    /// Swaps, each in a pool of its own with tokens of its own.
    SwapsIndependent,
    /// Swaps, each in one of sixteen pools, drawn at random.
    Swaps16Pools,
    /// Swaps in one pool.
    SwapsOnePool,
    /// All of it and more, as blocks are: hot and cold accounts and contracts, payments to the fee recipient, contract
    /// creations, and one transaction in twenty that reverts.
    Mixed,
}

impl Kind {
    /// Every kind, in the order in which they are reported.
    pub const ALL: [Self; 11] = [
        Self::TransfersIndependent,
        Self::TransfersChain,
        Self::TransfersOneSender,
        Self::TransfersOneRecipient,
        Self::Erc20Independent,
        Self::Erc20Chain,
        Self::Erc20OneRecipient,
        Self::SwapsIndependent,
        Self::Swaps16Pools,
        Self::SwapsOnePool,
        Self::Mixed,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TransfersIndependent => "transfers-independent",
            Self::TransfersChain => "transfers-chain",
            Self::TransfersOneSender => "transfers-one-sender",
            Self::TransfersOneRecipient => "transfers-one-recipient",
            Self::Erc20Independent => "erc20-independent",
            Self::Erc20Chain => "erc20-chain",
            Self::Erc20OneRecipient => "erc20-one-recipient",
            Self::SwapsIndependent => "swaps-independent",
            Self::Swaps16Pools => "swaps-16-pools",
            Self::SwapsOnePool => "swaps-one-pool",
            Self::Mixed => "mixed",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind's name that is not known.
#[derive(Debug, thiserror::Error)]
#[error("unknown workload {0:?}; known are {known}", known = Kind::ALL.map(Kind::name).join(", "))]
pub struct UnknownKind(String);

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

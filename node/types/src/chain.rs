//! Parameters of a chain, fixed at genesis.

use serde::{Deserialize, Serialize};

/// A fork whose rules blocks follow from genesis on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hardfork {
    /// The merge: proof of stake, PREVRANDAO.
    Paris,
    /// Withdrawals, PUSH0.
    Shanghai,
    /// Blobs, transient storage, beacon roots in the EVM.
    Cancun,
    /// EIP-7702, block hashes in state, requests.
    Prague,
    /// Transaction gas cap (EIP-7825), CLZ, block size cap.
    #[default]
    Osaka,
}

impl Hardfork {
    /// Every fork, oldest first.
    pub const ALL: [Self; 5] = [Self::Paris, Self::Shanghai, Self::Cancun, Self::Prague, Self::Osaka];

    /// Its name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paris => "paris",
            Self::Shanghai => "shanghai",
            Self::Cancun => "cancun",
            Self::Prague => "prague",
            Self::Osaka => "osaka",
        }
    }
}

impl std::fmt::Display for Hardfork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A fork's name that is not known.
#[derive(Debug, thiserror::Error)]
#[error("unknown hardfork {0:?}; known are paris, shanghai, cancun, prague and osaka")]
pub struct UnknownHardfork(String);

impl std::str::FromStr for Hardfork {
    type Err = UnknownHardfork;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let wanted = if name.eq_ignore_ascii_case("merge") { "paris" } else { name };
        Self::ALL
            .into_iter()
            .find(|fork| fork.name().eq_ignore_ascii_case(wanted))
            .ok_or_else(|| UnknownHardfork(name.to_owned()))
    }
}

/// Parameters of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainParams {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Rules from genesis on.
    pub hardfork: Hardfork,
    /// Gas limit of every block.
    pub block_gas_limit: u64,
}

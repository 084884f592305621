//! Why a genesis cannot be built.

use alloy_primitives::Address;
use alloy_signer_local::LocalSignerError;
use parapet_types::ReadError;

/// Why a genesis cannot be built. The node does not start.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// Too few or too many accounts.
    #[error("{asked} accounts were asked for; 1 to {max} are possible", max = crate::ACCOUNTS_MAX)]
    Accounts {
        /// Number asked for.
        asked: usize,
    },
    /// No phrase has so many words.
    #[error("a phrase has 12, 15, 18, 21 or 24 words, not {0}")]
    Words(usize),
    /// An account does not derive from the mnemonic.
    #[error("account {index} cannot be derived: {source}")]
    Derivation {
        /// Its index.
        index: u32,
        /// What the wallet library reported.
        source: LocalSignerError,
    },
    /// The state of the block that is forked cannot be read.
    #[error(transparent)]
    Below(#[from] ReadError),
    /// Something else lives where the registry is to be.
    #[error(
        "{address} of the chain that is forked holds code that is not this version's registry, so no guard could be attached"
    )]
    OtherRegistry {
        /// The registry's address.
        address: Address,
    },
}

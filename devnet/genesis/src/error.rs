//! Why a genesis cannot be built.

use alloy_signer_local::LocalSignerError;

/// Why a genesis cannot be built. The node does not start.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// Too few or too many accounts.
    #[error("{asked} accounts were asked for; 1 to {max} are possible", max = crate::ACCOUNTS_MAX)]
    Accounts {
        /// Number asked for.
        asked: usize,
    },
    /// An account does not derive from the mnemonic.
    #[error("account {index} cannot be derived: {source}")]
    Derivation {
        /// Its index.
        index: u32,
        /// What the wallet library reported.
        source: LocalSignerError,
    },
}

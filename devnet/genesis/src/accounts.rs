//! The funded accounts of a development chain. Their keys are known to everyone.

use alloy_primitives::{Address, B256};
use alloy_signer_local::MnemonicBuilder;

use crate::GenesisError;

/// The phrase that the accounts of every Ethereum development chain derive from.
pub const MNEMONIC: &str = "test test test test test test test test test test test junk";

/// A funded account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevAccount {
    /// Its address.
    pub address: Address,
    /// Its private key.
    pub key: B256,
}

/// The first accounts at `m/44'/60'/0'/0/i`.
///
/// # Errors
/// [`GenesisError::Derivation`] when the wallet library refuses; it has no reason to.
pub fn dev_accounts(count: usize) -> Result<Vec<DevAccount>, GenesisError> {
    let derivation = |index| move |source| GenesisError::Derivation { index, source };
    // The phrase is stretched into a seed once, which is the slow part, and accounts derive from there.
    let parent = MnemonicBuilder::english().phrase(MNEMONIC).build_parent_key().map_err(derivation(0))?;
    (0..u32::MAX)
        .take(count)
        .map(|index| {
            let signer = parent.child(index).map_err(derivation(index))?.signer();
            Ok(DevAccount { address: signer.address(), key: signer.to_bytes() })
        })
        .collect()
}

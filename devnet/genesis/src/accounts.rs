//! The funded accounts of a development chain, and the phrase that they derive from.

use alloy_primitives::{Address, B256};
use alloy_signer_local::{
    MnemonicBuilder,
    coins_bip39::{English, Mnemonic},
};
use rand::{Rng, SeedableRng as _, rngs::StdRng};

use crate::GenesisError;

/// The phrase that the accounts of every Ethereum development chain derive from.
pub const MNEMONIC: &str = "test test test test test test test test test test test junk";
/// Where accounts lie below a phrase; an account's number follows (BIP-44).
pub const DERIVATION_PATH: &str = "m/44'/60'/0'/0/";

/// A funded account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevAccount {
    /// Its address.
    pub address: Address,
    /// Its private key.
    pub key: B256,
}

/// What a chain's accounts derive from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Words of BIP-39.
    pub phrase: String,
    /// Where the accounts lie, their number left out.
    pub path: String,
}

impl Default for Wallet {
    /// That of every Ethereum development chain: its keys are known to everyone.
    fn default() -> Self {
        Self { phrase: MNEMONIC.to_owned(), path: DERIVATION_PATH.to_owned() }
    }
}

impl Wallet {
    /// A phrase of so many words: 12, 15, 18, 21 or 24.
    ///
    /// # Errors
    /// [`GenesisError::Words`] for another number.
    pub fn random_phrase(words: usize, random: &mut impl Rng) -> Result<String, GenesisError> {
        let phrase = Mnemonic::<English>::new_with_count(random, words).map_err(|_| GenesisError::Words(words))?;
        Ok(phrase.to_phrase())
    }

    /// The phrase that anvil makes of a seed. Whoever knows the seed has the keys.
    #[must_use]
    pub fn seeded_phrase(seed: u64) -> String {
        Mnemonic::<English>::new(&mut StdRng::seed_from_u64(seed)).to_phrase()
    }

    /// Its first accounts.
    ///
    /// # Errors
    /// [`GenesisError::Derivation`] when the phrase or the path is none.
    pub fn accounts(&self, count: usize) -> Result<Vec<DevAccount>, GenesisError> {
        let derivation = |index| move |source| GenesisError::Derivation { index, source };
        let path = format!("{}/0", self.path.trim_end_matches('/'));
        // The phrase is stretched into a seed once, which is the slow part, and accounts derive from there.
        let builder = MnemonicBuilder::english().phrase(&*self.phrase).derivation_path(path).map_err(derivation(0))?;
        let parent = builder.build_parent_key().map_err(derivation(0))?;
        (0..u32::MAX)
            .take(count)
            .map(|index| {
                let signer = parent.child(index).map_err(derivation(index))?.signer();
                Ok(DevAccount { address: signer.address(), key: signer.to_bytes() })
            })
            .collect()
    }
}

/// The first accounts of every Ethereum development chain.
///
/// # Errors
/// [`GenesisError::Derivation`] when the wallet library refuses; it has no reason to.
pub fn dev_accounts(count: usize) -> Result<Vec<DevAccount>, GenesisError> {
    Wallet::default().accounts(count)
}

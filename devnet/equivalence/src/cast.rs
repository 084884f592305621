//! Who and what appears in a scenario: addresses and slots that are hard to tell apart by parts of themselves.
//!
//! All but the authorities' addresses share their first and last eight bytes, and slots share their low or high words,
//! so whoever identifies an account or slot by a truncation of it confuses them.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7702::SignedAuthorization,
};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use serde::{Deserialize, Serialize};

/// How many accounts have keys, and so can sign EIP-7702 authorizations.
pub const AUTHORITIES: u8 = 6;
/// First and last eight bytes of every address that is free to choose.
const COMMON_BYTES: u8 = 0x77;

/// An account by the part it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// An account with a key; counted modulo [`AUTHORITIES`].
    Authority(u8),
    /// An account whose key nobody needs: its transactions come with their sender.
    Person(u8),
    /// An account with code, from the start.
    Contract(u8),
    /// An account that nothing is known of.
    Stranger(u8),
    /// Where `factory` puts the scenario's child number `child` by CREATE2 with this salt.
    Child {
        /// Number of the contract that creates.
        factory: u8,
        /// Salt.
        salt: u64,
        /// Number of the child.
        child: u8,
    },
    /// What `sender`, a person, creates with the transaction of this nonce.
    Created {
        /// Number of the person.
        person: u8,
        /// The nonce.
        nonce: u64,
    },
    /// A precompile by its number.
    Precompile(u8),
    /// The registry.
    Registry,
    /// A contract that the chain itself calls, before or after a block's transactions.
    System(System),
}

/// A contract that the chain itself calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum System {
    /// EIP-4788, before.
    BeaconRoots,
    /// EIP-2935, before.
    History,
    /// EIP-7002, after; what it returns is a request.
    Withdrawals,
    /// EIP-7251, after; what it returns is a request.
    Consolidations,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::BeaconRoots, Self::History, Self::Withdrawals, Self::Consolidations];

    pub(crate) const fn address(self) -> Address {
        match self {
            Self::BeaconRoots => BEACON_ROOTS_ADDRESS,
            Self::History => HISTORY_STORAGE_ADDRESS,
            Self::Withdrawals => WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
            Self::Consolidations => CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
        }
    }
}

impl Place {
    /// Its address, if no code has to be known for it: all but [`Place::Child`].
    #[must_use]
    pub fn fixed_address(self) -> Option<Address> {
        Some(match self {
            Self::Authority(number) => signer(number).address(),
            Self::Person(number) => look_alike(1, number),
            Self::Contract(number) => look_alike(2, number),
            Self::Stranger(number) => look_alike(3, number),
            Self::Created { person, nonce } => look_alike(1, person).create(nonce),
            Self::Precompile(number) => Address::with_last_byte(number),
            Self::Registry => parapet_types::REGISTRY,
            Self::System(system) => system.address(),
            Self::Child { .. } => return None,
        })
    }
}

fn look_alike(part: u8, number: u8) -> Address {
    let mut bytes = [COMMON_BYTES; 20];
    bytes[8..12].copy_from_slice(&[part, 0, 0, number]);
    Address::new(bytes)
}

/// A slot by its number. Slots 2 to 7 equal slot 0 or 1 in their low 64 bits; 6 and 7 are equal in their high 64 bits.
#[must_use]
pub fn slot_key(number: u8) -> U256 {
    let one = U256::from(1);
    match number {
        0 | 1 => U256::from(number),
        2 => one << 64,
        3 => one << 128,
        4 => one << 192,
        5 => (one << 64) | one,
        6 => U256::MAX << 64,
        7 => (U256::MAX << 64) | one,
        8 => U256::MAX,
        _ => U256::from(number) << 248,
    }
}

fn signer(number: u8) -> &'static PrivateKeySigner {
    static SIGNERS: OnceLock<Vec<PrivateKeySigner>> = OnceLock::new();
    let signers = SIGNERS.get_or_init(|| {
        let key = |number: u8| keccak256([b"parapet authority ".as_slice(), &[number]].concat());
        let signer = |number| PrivateKeySigner::from_bytes(&key(number)).expect("a hash is a key: fixed, and tried");
        (0..AUTHORITIES).map(signer).collect()
    });
    &signers[usize::from(number % AUTHORITIES)]
}

/// The signature of an authority. Signing costs more than executing, and the same ones come again and again.
pub(crate) fn authorize(authority: u8, authorization: alloy_eips::eip7702::Authorization) -> SignedAuthorization {
    static SIGNED: OnceLock<Mutex<HashMap<(u8, B256), SignedAuthorization>>> = OnceLock::new();
    let hash = authorization.signature_hash();
    let mut signed = SIGNED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let sign = || {
        let signature = signer(authority).sign_hash_sync(&hash).expect("a local key signs any hash");
        authorization.into_signed(signature)
    };
    signed.entry((authority % AUTHORITIES, hash)).or_insert_with(sign).clone()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn accounts_differ_but_not_in_their_ends() {
        let places = [Place::Person(0), Place::Person(1), Place::Contract(0), Place::Contract(1), Place::Stranger(1)];
        let addresses: BTreeSet<_> = places.iter().filter_map(|place| place.fixed_address()).collect();
        assert_eq!(addresses.len(), places.len());
        assert!(addresses.iter().all(|address| address[..8] == [0x77; 8] && address[12..] == [0x77; 8]));
    }

    #[test]
    fn slots_differ_but_not_in_their_low_words() {
        let slots: BTreeSet<_> = (0..12).map(slot_key).collect();
        assert_eq!(slots.len(), 12);
        let low: BTreeSet<_> = slots.iter().map(|slot| slot.as_limbs()[0]).collect();
        assert_eq!(low.len(), 3, "0, 1 and all ones");
    }

    #[test]
    fn authorizations_recover_to_their_authority() {
        let unsigned = alloy_eips::eip7702::Authorization { chain_id: U256::from(1), address: Address::ZERO, nonce: 3 };
        let signed = authorize(4, unsigned);
        assert_eq!(signed.recover_authority().ok(), Place::Authority(4).fixed_address());
    }
}

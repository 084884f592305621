//! Keys under which accounts and slots lie: the Keccak-256 of their names.
//!
//! Reading a balance hashes its address, and hashing takes longer than finding it. Since most reads are of the same few thousand
//! names, the last keys are remembered, for the whole process. Invariant: a name and its key are remembered together, so that
//! nothing depends on it but time.

use std::sync::LazyLock;

use alloy_primitives::{Address, B256, U256, keccak256, map::DefaultHashBuilder};
use fixed_cache::Cache;

/// Names of either kind that are remembered: some megabytes of them. One may displace another.
const KEYS: usize = 1 << 14;

type Keys<Name> = LazyLock<Cache<Name, B256, DefaultHashBuilder>>;

static ACCOUNTS: Keys<Address> = LazyLock::new(|| Cache::new(KEYS, DefaultHashBuilder::default()));
static SLOTS: Keys<B256> = LazyLock::new(|| Cache::new(KEYS, DefaultHashBuilder::default()));

/// The key of an account.
pub(crate) fn account_key(address: &Address) -> B256 {
    ACCOUNTS.get_or_insert_with_ref(address, keccak256, |address| *address)
}

/// The key of a slot.
pub(crate) fn slot_key(slot: U256) -> B256 {
    SLOTS.get_or_insert_with(slot.into(), |slot| keccak256(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_that_of_its_own_name_however_many_there_are() {
        for _again in 0..2 {
            for name in 0..3 * KEYS as u64 {
                let address = Address::from_word(U256::from(name).into());
                assert_eq!(account_key(&address), keccak256(address));
                let slot = U256::from(name) << 7;
                assert_eq!(slot_key(slot), keccak256(slot.to_be_bytes::<32>()));
            }
        }
    }
}

//! The state as plain maps, and random change sets: the oracle's side.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{TrieAccount, root};
pub(crate) use parapet_random::Random;
use parapet_state::WorldState;
use parapet_types::{AccountChange, AccountInfo, StateChanges};

/// Few enough that accounts and slots meet again.
pub(crate) const ADDRESSES: u64 = 24;
pub(crate) const SLOTS: u64 = 12;

pub(crate) fn address(index: u64) -> Address {
    Address::from_word(keccak256(index.to_be_bytes()))
}

/// A random change set over a state: new, changed and deleted accounts, wiped, written and cleared slots, new code.
pub(crate) fn random_changes(random: &mut Random, world: &WorldState) -> StateChanges {
    let mut changes = StateChanges::default();
    for _ in 0..=random.below(8) {
        let address = address(random.below(ADDRESSES));
        let before = world.account(&address).unwrap();
        if random.below(6) == 0 {
            changes.accounts.insert(address, AccountChange { wipe_storage: true, ..AccountChange::default() });
            continue;
        }
        let mut info = before.unwrap_or_default();
        info.nonce += 1;
        info.balance = U256::from(random.next());
        if random.below(4) == 0 {
            let code = Bytes::from(random.next().to_be_bytes().to_vec());
            info.code_hash = keccak256(&code);
            changes.code.insert(info.code_hash, code);
        }
        let mut storage = BTreeMap::new();
        for _ in 0..random.below(6) {
            let value = if random.below(3) == 0 { U256::ZERO } else { U256::from(random.next()) };
            storage.insert(U256::from(random.below(SLOTS)), value);
        }
        let wipe_storage = random.below(8) == 0;
        changes.accounts.insert(address, AccountChange { info: Some(info), wipe_storage, storage });
    }
    changes
}

/// The state as plain maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    accounts: BTreeMap<Address, (AccountInfo, BTreeMap<U256, U256>)>,
}

impl Model {
    pub(crate) fn apply(&mut self, changes: &StateChanges) {
        for (address, change) in &changes.accounts {
            let Some(info) = change.info else {
                self.accounts.remove(address);
                continue;
            };
            let account = self.accounts.entry(*address).or_default();
            account.0 = info;
            if change.wipe_storage {
                account.1.clear();
            }
            account.1.extend(&change.storage);
            account.1.retain(|_, value| !value.is_zero());
        }
    }

    pub(crate) fn root(&self) -> B256 {
        root::state_root_unhashed(self.accounts.iter().map(|(address, (info, storage))| {
            let storage = storage.iter().map(|(slot, value)| (B256::from(*slot), *value));
            let storage_root = root::storage_root_unhashed(storage);
            (*address, TrieAccount::new(info.nonce, info.balance, storage_root, info.code_hash))
        }))
    }

    /// What a state holds.
    pub(crate) fn of(world: &WorldState) -> Self {
        let account = |found: Result<(Address, AccountInfo), _>| {
            let (address, info) = found.unwrap();
            (address, (info, world.slots(&address).unwrap().into_iter().collect()))
        };
        Self { accounts: world.accounts().map(account).collect() }
    }
}

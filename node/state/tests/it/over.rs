//! A state over another one: what it answers is what one state with everything would.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_state::{StoreError, WorldState};
use parapet_types::{AccountChange, AccountInfo, ReadError, StateChanges, StateReader};

use crate::model::{Random, address as nth, random_changes};

/// Accounts and slots that are looked at.
const ACCOUNTS: u64 = 24;
const SLOTS: u64 = 12;

fn assert_same(over: &WorldState, whole: &WorldState, place: &str) {
    for address in (0..ACCOUNTS).map(nth) {
        assert_eq!(over.account(&address).unwrap(), whole.account(&address).unwrap(), "{address}, {place}");
        for slot in (0..SLOTS).map(U256::from) {
            let values = [over, whole].map(|world| world.storage(&address, slot).unwrap());
            assert_eq!(values[0], values[1], "slot {slot} of {address}, {place}");
        }
        if let Some(info) = whole.account(&address).unwrap() {
            assert_eq!(over.code(info.code_hash).unwrap(), whole.code(info.code_hash).unwrap(), "{address}, {place}");
        }
    }
}

#[test]
fn answers_as_one_state_with_everything_would_over_random_changes_with_deletions() {
    for seed in 0..10 {
        let mut random = Random(seed);
        let mut below = WorldState::new();
        for _ in 0..20 {
            below = below.apply(&random_changes(&mut random, &below)).unwrap();
        }
        let (mut over, mut whole) = (WorldState::over(Arc::new(below.clone())), below);
        assert_same(&over, &whole, "before any change");
        for step in 0..40 {
            let changes = random_changes(&mut random, &whole);
            (over, whole) = (over.apply(&changes).unwrap(), whole.apply(&changes).unwrap());
            assert_same(&over, &whole, &format!("seed {seed}, step {step}"));
            assert_eq!(over.rebuild_root().unwrap(), over.root(), "seed {seed}, step {step}");
        }
    }
}

fn put(address: Address, info: AccountInfo, wipe_storage: bool, storage: &[(u64, u64)]) -> StateChanges {
    let storage = storage.iter().map(|(slot, value)| (U256::from(*slot), U256::from(*value))).collect();
    let change = AccountChange { info: Some(info), wipe_storage, storage };
    StateChanges { accounts: [(address, change)].into(), ..StateChanges::default() }
}

#[test]
fn storage_that_was_dropped_at_once_does_not_come_back_from_below() {
    let info = AccountInfo { balance: U256::from(1), ..AccountInfo::default() };
    let below = WorldState::of(&put(nth(1), info, false, &[(1, 10), (2, 20)]));
    let over = WorldState::over(Arc::new(below));
    assert!(over.has_storage(&nth(1)).unwrap());
    let gone = StateChanges { accounts: [(nth(1), AccountChange::default())].into(), ..StateChanges::default() };
    for changes in [put(nth(1), info, true, &[(2, 21)]), gone] {
        let after = over.apply(&changes).unwrap().apply(&put(nth(1), info, false, &[(3, 30)])).unwrap();
        assert_eq!(after.storage(&nth(1), U256::from(1)).unwrap(), U256::ZERO);
        assert_ne!(after.storage(&nth(1), U256::from(2)).unwrap(), U256::from(20));
        assert_eq!(after.storage(&nth(1), U256::from(3)).unwrap(), U256::from(30));
    }
    assert_eq!(over.storage(&nth(1), U256::from(1)).unwrap(), U256::from(10), "the state itself is a value");
}

#[test]
fn has_no_proofs_and_its_root_is_of_what_was_changed_here() {
    let info = AccountInfo { balance: U256::from(1), ..AccountInfo::default() };
    let below = WorldState::of(&put(nth(1), info, false, &[(1, 10)]));
    let over = WorldState::over(Arc::new(below));
    assert_eq!(over.root(), WorldState::new().root());
    assert!(matches!(over.proof(nth(1), &[]), Err(StoreError::NoProof)));
    let change = put(nth(2), info, false, &[(1, 1)]);
    assert_eq!(over.apply(&change).unwrap().root(), WorldState::of(&change).root());
}

/// Answers nothing.
struct Unreachable;

impl Unreachable {
    fn fail<T>() -> Result<T, ReadError> {
        Err(ReadError("nobody answers".into()))
    }
}

impl StateReader for Unreachable {
    fn account(&self, _: &Address) -> Result<Option<AccountInfo>, ReadError> {
        Self::fail()
    }

    fn storage(&self, _: &Address, _: U256) -> Result<U256, ReadError> {
        Self::fail()
    }

    fn has_storage(&self, _: &Address) -> Result<bool, ReadError> {
        Self::fail()
    }

    fn code(&self, _: B256) -> Result<Option<Bytes>, ReadError> {
        Self::fail()
    }

    fn block_hash(&self, _: u64) -> Result<Option<B256>, ReadError> {
        Self::fail()
    }
}

#[test]
fn what_cannot_be_read_below_is_an_error_and_what_was_changed_here_is_not_asked_for_there() {
    let over = WorldState::over(Arc::new(Unreachable));
    let info = AccountInfo::default();
    assert!(matches!(over.account(&nth(1)), Err(StoreError::Below(_))));
    assert!(
        over.apply(&put(nth(1), info, false, &[(1, 1)])).is_err(),
        "what the account was is part of what it becomes"
    );
    assert!(over.block_hash(1).is_err());
    assert!(over.code(keccak256([1])).is_err());
    let error = ReadError::from(over.storage(&nth(1), U256::ZERO).unwrap_err());
    assert_eq!(error.to_string(), "state could not be read: nobody answers");
}

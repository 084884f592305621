//! What is laid over the state of a chain that is forked.

use std::sync::Arc;

use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, U256, keccak256};
use parapet_genesis::{CREATE2_FACTORY, DevFork, DevGenesis, GenesisError, dev_accounts};
use parapet_state::WorldState;
use parapet_types::{AccountChange, AccountInfo, Hardfork, REGISTRY, StateChanges};

use crate::settings;

fn with(address: Address, nonce: u64, code: &[u8], storage: &[(u64, u64)]) -> WorldState {
    let code = Bytes::copy_from_slice(code);
    let info = AccountInfo { nonce, balance: U256::from(5), code_hash: keccak256(&code) };
    let storage = storage.iter().map(|(slot, value)| (U256::from(*slot), U256::from(*value))).collect();
    let change = AccountChange { info: Some(info), wipe_storage: false, storage };
    WorldState::of(&StateChanges { accounts: [(address, change)].into(), code: [(info.code_hash, code)].into() })
}

fn code_of(world: &WorldState, address: Address) -> Bytes {
    let info = world.account(&address).unwrap().unwrap_or_default();
    world.code(info.code_hash).unwrap().unwrap()
}

#[test]
fn the_registry_and_the_contracts_of_the_rules_are_laid_where_there_are_none() {
    let fork = DevFork::build(&settings(Hardfork::Osaka), Arc::new(WorldState::new())).unwrap();
    let own = DevGenesis::build(&settings(Hardfork::Osaka)).unwrap().block.world;
    for account in own.accounts() {
        let (address, info) = account.unwrap();
        assert_eq!(fork.world.account(&address).unwrap(), Some(info), "{address}");
        for (slot, value) in own.slots(&address).unwrap() {
            assert_eq!(fork.world.storage(&address, slot).unwrap(), value);
        }
    }
    assert_eq!(fork.world.root(), own.root());
}

#[test]
fn contracts_that_are_there_stay_as_they_are() {
    let below = with(BEACON_ROOTS_ADDRESS, 1, &[1, 2, 3], &[(7, 70)]);
    let fork = DevFork::build(&settings(Hardfork::Cancun), Arc::new(below)).unwrap();
    assert_eq!(code_of(&fork.world, BEACON_ROOTS_ADDRESS), Bytes::from_static(&[1, 2, 3]));
    assert_eq!(fork.world.storage(&BEACON_ROOTS_ADDRESS, U256::from(7)).unwrap(), U256::from(70));
    assert_ne!(code_of(&fork.world, CREATE2_FACTORY), Bytes::new());
}

#[test]
fn a_registry_that_is_there_goes_on_and_anything_else_in_its_place_is_refused() {
    let own = DevGenesis::build(&settings(Hardfork::Osaka)).unwrap().block.world;
    let attached = StateChanges {
        accounts: [(
            REGISTRY,
            AccountChange {
                info: own.account(&REGISTRY).unwrap(),
                wipe_storage: false,
                storage: [(U256::from(99), U256::from(1))].into(),
            },
        )]
        .into(),
        ..StateChanges::default()
    };
    let below = own.apply(&attached).unwrap();
    let fork = DevFork::build(&settings(Hardfork::Osaka), Arc::new(below)).unwrap();
    assert_eq!(fork.world.storage(&REGISTRY, U256::from(99)).unwrap(), U256::from(1));
    let other = with(REGISTRY, 1, &[1], &[]);
    let refused = DevFork::build(&settings(Hardfork::Osaka), Arc::new(other));
    assert!(matches!(refused, Err(GenesisError::OtherRegistry { .. })), "{refused:?}");
}

#[test]
fn funded_accounts_keep_their_nonces_and_lose_what_they_were_delegated_to() {
    let account = dev_accounts(1).unwrap()[0].address;
    let delegated = [&[0xef, 0x01, 0x00][..], &[0x11; 20]].concat();
    let fork = DevFork::build(&settings(Hardfork::Prague), Arc::new(with(account, 44, &delegated, &[]))).unwrap();
    let info = fork.world.account(&account).unwrap().unwrap();
    assert_eq!((info.nonce, info.code_hash), (44, KECCAK256_EMPTY));
    assert_eq!(info.balance, settings(Hardfork::Prague).balance);
    let looked_at = DevFork::looked_at(&settings(Hardfork::Prague)).unwrap().accounts;
    assert!([account, REGISTRY, CREATE2_FACTORY, BEACON_ROOTS_ADDRESS].iter().all(|looked| looked_at.contains(looked)));
}

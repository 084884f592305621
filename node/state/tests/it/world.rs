//! The state as a value: contents, roots, proofs.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, address, b256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount, proof::verify_proof};
use parapet_state::{AccountProof, WorldState};
use parapet_types::{AccountChange, AccountInfo, StateChanges};

use crate::model::{Model, Random, address as nth, random_changes};

fn apply(world: &WorldState, changes: &StateChanges) -> WorldState {
    world.apply(changes).unwrap()
}

fn one(address: Address, change: AccountChange) -> StateChanges {
    StateChanges { accounts: [(address, change)].into(), ..StateChanges::default() }
}

fn with_balance(balance: u64) -> AccountInfo {
    AccountInfo { balance: U256::from(balance), ..AccountInfo::default() }
}

#[test]
fn the_empty_state_has_the_empty_root() {
    let world = WorldState::new();
    assert_eq!(world.root(), b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"));
    assert_eq!(world.account(&nth(0)).unwrap(), None);
    assert_eq!(world.code(KECCAK256_EMPTY).unwrap(), Some(Bytes::new()));
    assert_eq!(world.code(B256::ZERO).unwrap(), None);
}

#[test]
fn a_single_account_has_the_root_that_its_leaf_hashes_to() {
    let holder = address!("a94f5374fce5edbc8e2a8697c15331677e6ebf0b");
    let info = AccountInfo { nonce: 3, balance: U256::from(1_000_000_007u64), ..AccountInfo::default() };
    let world = WorldState::of(&one(holder, AccountChange { info: Some(info), ..AccountChange::default() }));
    let leaf = alloy_rlp::encode(TrieAccount::new(3, info.balance, EMPTY_ROOT_HASH, KECCAK256_EMPTY));
    // A trie with one leaf is that leaf: hex-prefix 0x20 (leaf, even), the whole key, and the value.
    let path = [&[0x20][..], keccak256(holder).as_slice()].concat();
    let node = alloy_rlp::encode(vec![Bytes::from(path), Bytes::from(leaf)]);
    assert_eq!(world.root(), keccak256(node));
}

#[test]
fn roots_equal_an_independent_construction_over_random_changes_with_deletions() {
    for seed in 0..20 {
        let (mut random, mut world, mut model) = (Random(seed), WorldState::new(), Model::default());
        for step in 0..60 {
            let changes = random_changes(&mut random, &world);
            world = apply(&world, &changes);
            model.apply(&changes);
            assert_eq!(world.root(), model.root(), "seed {seed}, step {step}");
            assert_eq!(Model::of(&world), model, "seed {seed}, step {step}");
            assert_eq!(world.rebuild_root().unwrap(), world.root(), "seed {seed}, step {step}");
        }
    }
}

#[test]
fn roots_that_are_kept_up_equal_the_rebuilt_ones_though_some_blocks_are_not_asked_and_some_are_dropped() {
    for seed in 300..330 {
        let (mut random, mut world) = (Random(seed), WorldState::new());
        let mut kept = Vec::new();
        for step in 0..80 {
            let changes = random_changes(&mut random, &world);
            let after = apply(&world, &changes);
            if random.below(3) > 0 {
                assert_eq!(after.root(), after.rebuild_root().unwrap(), "seed {seed}, step {step}");
                assert_eq!(after.unhashed_nodes(), 0, "seed {seed}, step {step}");
            }
            if random.below(5) > 0 {
                world = after;
            }
            kept.push(world.clone());
        }
        for (step, world) in kept.iter().enumerate() {
            assert_eq!(world.root(), world.rebuild_root().unwrap(), "seed {seed}, kept at step {step}");
        }
    }
}

#[test]
fn an_older_state_is_untouched_by_later_changes() {
    let before =
        WorldState::of(&one(nth(1), AccountChange { info: Some(with_balance(5)), ..AccountChange::default() }));
    let (root, kept) = (before.root(), before.clone());
    let after = apply(&before, &one(nth(1), AccountChange::default()));
    assert_eq!(after.root(), EMPTY_ROOT_HASH);
    assert_eq!(kept.account(&nth(1)).unwrap(), Some(with_balance(5)));
    assert_eq!(kept.root(), root);
}

#[test]
fn wiping_storage_drops_every_slot_but_those_written_after_it() {
    let write = |slot: u64, value: u64, wipe_storage| AccountChange {
        info: Some(with_balance(1)),
        wipe_storage,
        storage: [(U256::from(slot), U256::from(value))].into(),
    };
    let world = apply(&WorldState::of(&one(nth(1), write(1, 11, false))), &one(nth(1), write(2, 22, true)));
    assert_eq!(world.storage(&nth(1), U256::from(1)).unwrap(), U256::ZERO);
    assert_eq!(world.storage(&nth(1), U256::from(2)).unwrap(), U256::from(22));
    assert_eq!(world.slots(&nth(1)).unwrap().len(), 1);
    assert!(world.has_storage(&nth(1)).unwrap());
    let cleared = apply(&world, &one(nth(1), write(2, 0, false)));
    assert!(!cleared.has_storage(&nth(1)).unwrap());
}

#[test]
fn an_account_that_comes_back_has_no_storage_left() {
    let change = AccountChange {
        info: Some(with_balance(1)),
        wipe_storage: false,
        storage: [(U256::from(1), U256::from(2))].into(),
    };
    let world = apply(&WorldState::of(&one(nth(1), change)), &one(nth(1), AccountChange::default()));
    let back = apply(&world, &one(nth(1), AccountChange { info: Some(with_balance(1)), ..AccountChange::default() }));
    assert!(!back.has_storage(&nth(1)).unwrap());
    assert_eq!(back.storage(&nth(1), U256::from(1)).unwrap(), U256::ZERO);
}

#[test]
fn proofs_of_present_and_absent_accounts_and_slots_verify() {
    for seed in 200..210 {
        let (mut random, mut world) = (Random(seed), WorldState::new());
        for _ in 0..30 {
            world = apply(&world, &random_changes(&mut random, &world));
        }
        for index in 0..40 {
            let slots: Vec<U256> = (0..16).map(U256::from).collect();
            let proof = world.proof(nth(index), &slots).unwrap();
            assert_eq!(proof.info, world.account(&nth(index)).unwrap(), "seed {seed}, account {index}");
            for slot in &proof.slots {
                assert_eq!(slot.value, world.storage(&nth(index), slot.slot).unwrap(), "seed {seed}, account {index}");
            }
            verify(&world, &proof).unwrap_or_else(|error| panic!("seed {seed}, account {index}: {error}"));
        }
    }
}

#[test]
fn a_proof_does_not_verify_for_another_value() {
    let mut world = WorldState::new();
    let mut random = Random(7);
    while world.accounts().count() < 4 {
        world = apply(&world, &random_changes(&mut random, &world));
    }
    let (holder, info) = world.accounts().next().unwrap().unwrap();
    let mut proof = world.proof(holder, &[]).unwrap();
    proof.info = Some(AccountInfo { nonce: info.nonce + 1, ..info });
    assert!(verify(&world, &proof).is_err());
    proof.info = None;
    assert!(verify(&world, &proof).is_err());
}

#[test]
fn the_empty_state_proves_absence_without_nodes() {
    let proof = WorldState::new().proof(nth(1), &[U256::from(1)]).unwrap();
    assert_eq!((proof.info, proof.storage_root), (None, EMPTY_ROOT_HASH));
    assert!(proof.nodes.is_empty() && proof.slots[0].nodes.is_empty());
    verify(&WorldState::new(), &proof).unwrap();
}

fn verify(world: &WorldState, proof: &AccountProof) -> Result<(), alloy_trie::proof::ProofVerificationError> {
    let leaf = proof
        .info
        .map(|info| alloy_rlp::encode(TrieAccount::new(info.nonce, info.balance, proof.storage_root, info.code_hash)));
    verify_proof(world.root(), Nibbles::unpack(keccak256(proof.address)), leaf, &proof.nodes)?;
    for slot in &proof.slots {
        let key = Nibbles::unpack(keccak256(slot.slot.to_be_bytes::<32>()));
        let leaf = (!slot.value.is_zero()).then(|| alloy_rlp::encode_fixed_size(&slot.value).to_vec());
        verify_proof(proof.storage_root, key, leaf, &slot.nodes)?;
    }
    Ok(())
}

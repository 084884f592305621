use parapet_guest::{
    abi::{AccessRecord, PreimageRecord, SlotChangeRecord},
    mock::{Enter, Scene},
    prelude::*,
};
use standing::{
    right::{ADMIN_SLOT, GETTERS},
    word_of,
};

use super::{Authority, CODE_ANSWER, CODE_APPOINTED, CODE_EVENT, CODE_SLOT, known};

const PROXY: Address = Address([0xaa; 20]);
const STRANGER: Address = Address([0xee; 20]);
const OWNER: Address = Address([0x0e; 20]);
const TIMELOCK: Address = Address([0x71; 20]);
const LOGIC: Address = Address([0x10; 20]);
const OWNER_SLOT: U256 = U256::from_limbs([5, 0, 0, 0]);

fn guard() -> Authority {
    Authority { timelock: Address::ZERO, slots: Vec::new(), allow_callers: Vec::new(), open_slots: Vec::new() }
}

/// Somebody calls the proxy, whose logic runs there.
fn called_by(guard: &Authority, caller: Address) -> Scene<Authority> {
    let mut scene = Scene::new(guard, &[PROXY]);
    scene.enter(Enter::call(caller)).enter(Enter::call(PROXY)).enter(Enter::delegate_call(LOGIC));
    scene
}

fn access(kind: AccessKind, slot: U256, old: U256, new: U256) -> AccessRecord {
    AccessRecord {
        seq: 4,
        frame: 2,
        kind: kind.into(),
        address: PROXY.into(),
        slot: slot.to_be_bytes(),
        old: old.to_be_bytes(),
        new: new.to_be_bytes(),
        ..AccessRecord::default()
    }
}

fn writes(scene: &mut Scene<Authority>, slot: U256, old: U256, new: U256) {
    scene.world.accesses.push(access(AccessKind::StorageWrite, slot, old, new));
    let (slot, old, new) = (slot.to_be_bytes(), old.to_be_bytes(), new.to_be_bytes());
    scene.world.slot_changes.push(SlotChangeRecord { address: PROXY.into(), slot, old, new });
}

fn reads(scene: &mut Scene<Authority>, slot: U256, word: U256) {
    scene.storage(Fork::PreTx, PROXY, slot, word);
    scene.world.accesses.push(access(AccessKind::StorageRead, slot, word, word));
}

fn answers(scene: &mut Scene<Authority>, old: Address, new: Address) {
    for (fork, who) in [(Fork::PreTx, old), (Fork::Now, new)] {
        scene.answer(fork, PROXY, &GETTERS[0].0, &word_of(who).to_be_bytes::<32>());
    }
}

fn implementation() -> U256 {
    U256::from_be_bytes(known::SLOTS[1].0)
}

#[test]
fn vetoes_an_upgrade_by_a_stranger() {
    let mut scene = called_by(&guard(), STRANGER);
    writes(&mut scene, implementation(), word_of(LOGIC), word_of(STRANGER));
    assert_eq!(scene.finish().vetoed(), Some(CODE_SLOT));
}

#[test]
fn lets_the_owner_upgrade_whom_the_contract_looked_up() {
    let mut scene = called_by(&guard(), OWNER);
    reads(&mut scene, OWNER_SLOT, word_of(OWNER));
    writes(&mut scene, implementation(), word_of(LOGIC), word_of(STRANGER));
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn vetoes_a_stranger_whom_the_owner_calls() {
    let mut scene = Scene::new(&guard(), &[PROXY]);
    scene.enter(Enter::call(OWNER)).enter(Enter::call(STRANGER)).enter(Enter::call(PROXY));
    reads(&mut scene, OWNER_SLOT, word_of(OWNER));
    writes(&mut scene, implementation(), word_of(LOGIC), word_of(STRANGER));
    assert_eq!(scene.finish().vetoed(), Some(CODE_SLOT), "what the sender may is not what his callee may");
}

#[test]
fn lets_the_proxys_admin_upgrade() {
    let mut scene = called_by(&guard(), TIMELOCK);
    scene.storage(Fork::PreTx, PROXY, U256::from_be_bytes(ADMIN_SLOT.0), word_of(TIMELOCK));
    writes(&mut scene, implementation(), word_of(LOGIC), word_of(STRANGER));
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn vetoes_whoever_makes_himself_owner_even_packed_and_by_any_function() {
    for owner in [OWNER, Address::ZERO] {
        let mut scene = called_by(&guard(), STRANGER);
        answers(&mut scene, owner, STRANGER);
        writes(&mut scene, OWNER_SLOT, word_of(owner) << 16, (word_of(STRANGER) << 16) | U256::from(1));
        assert_eq!(scene.finish().vetoed(), Some(CODE_ANSWER), "from {owner}");
    }
}

#[test]
fn lets_owners_and_pending_owners_hand_over() {
    let mut immutable = called_by(&guard(), OWNER);
    answers(&mut immutable, OWNER, STRANGER);
    writes(&mut immutable, OWNER_SLOT, word_of(OWNER), word_of(STRANGER));
    assert_eq!(immutable.finish().vetoed(), None, "the contract answered so before");

    let mut accepts = called_by(&guard(), STRANGER);
    answers(&mut accepts, OWNER, STRANGER);
    reads(&mut accepts, U256::from(6), word_of(STRANGER));
    writes(&mut accepts, OWNER_SLOT, word_of(OWNER), word_of(STRANGER));
    assert_eq!(accepts.finish().vetoed(), None);
}

#[test]
fn vetoes_an_initialiser_and_roles_by_a_stranger_and_lets_a_role_holder_grant() {
    for event in [known::EVENTS[0], known::EVENTS[9]] {
        let mut scene = called_by(&guard(), STRANGER);
        scene.log(PROXY, &[event], &[]);
        assert_eq!(scene.finish().vetoed(), Some(CODE_EVENT));
    }
    let mut scene = called_by(&guard(), OWNER);
    let (key, hash) = (word_of(OWNER).to_be_bytes(), U256::from(7_000).to_be_bytes());
    scene.world.preimages.push(PreimageRecord { key, hash, ..PreimageRecord::default() });
    reads(&mut scene, U256::from(7_000), U256::from(1));
    scene.log(PROXY, &[known::EVENTS[0]], &[]);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_a_contract_carry_out_what_it_kept_under_a_hash() {
    for (kept, expected) in [(U256::from(9), None), (U256::ZERO, Some(CODE_EVENT))] {
        let mut scene = Scene::new(&guard(), &[PROXY]);
        scene.enter(Enter::call(STRANGER)).enter(Enter::call(PROXY)).enter(Enter::call(PROXY));
        scene.storage(Fork::PreTx, PROXY, U256::from(8_000), kept);
        let hash = U256::from(8_000).to_be_bytes();
        scene.world.preimages.push(PreimageRecord { key: [0x77; 32], hash, ..PreimageRecord::default() });
        scene.log(PROXY, &[known::EVENTS[5]], &[]);
        assert_eq!(scene.finish().vetoed(), expected);
    }
}

#[test]
fn lets_nobody_but_the_timelock_if_one_is_named() {
    let timelocked = Authority { timelock: TIMELOCK, ..guard() };
    for (caller, expected) in [(OWNER, Some(CODE_SLOT)), (TIMELOCK, None)] {
        let mut scene = called_by(&timelocked, caller);
        reads(&mut scene, OWNER_SLOT, word_of(OWNER));
        writes(&mut scene, implementation(), word_of(LOGIC), word_of(STRANGER));
        assert_eq!(scene.finish().vetoed(), expected);
    }
}

#[test]
fn lets_anybody_change_what_is_no_authority() {
    let mut scene = called_by(&guard(), STRANGER);
    answers(&mut scene, OWNER, OWNER);
    writes(&mut scene, U256::from(12), word_of(OWNER), word_of(STRANGER));
    writes(&mut scene, U256::from(13), U256::from(1), U256::from(2));
    scene.token(Address([0x70; 20]), STRANGER, PROXY, U256::ONE);
    assert_eq!(scene.finish().vetoed(), None, "a highest bidder is no owner");
}

#[test]
fn vetoes_whoever_takes_the_place_of_another_for_nothing() {
    let written = |guard: &Authority, slot: u64, before: U256| {
        let mut scene = called_by(guard, STRANGER);
        writes(&mut scene, U256::from(slot), before, word_of(STRANGER));
        scene.finish().vetoed()
    };
    assert_eq!(written(&guard(), 12, word_of(OWNER)), Some(CODE_APPOINTED));
    assert_eq!(written(&guard(), 12, U256::ZERO), None, "nobody stood there");
    assert_eq!(written(&guard(), u64::MAX, word_of(OWNER)), None, "an entry of a mapping");
    let open = Authority { open_slots: [U256::from(12)].to_vec(), ..guard() };
    assert_eq!(written(&open, 12, word_of(OWNER)), None);
}

#[test]
fn watches_more_slots_and_allows_more_callers() {
    let more = Authority { slots: [U256::from(13)].to_vec(), ..guard() };
    let mut scene = called_by(&more, STRANGER);
    writes(&mut scene, U256::from(13), U256::from(1), U256::from(2));
    assert_eq!(scene.finish().vetoed(), Some(CODE_SLOT));
    let allowed = Authority { allow_callers: [STRANGER].to_vec(), ..more };
    let mut scene = called_by(&allowed, STRANGER);
    writes(&mut scene, U256::from(13), U256::from(1), U256::from(2));
    assert_eq!(scene.finish().vetoed(), None);
}

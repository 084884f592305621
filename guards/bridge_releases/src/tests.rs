use parapet_guest::{
    abi::{AccessRecord, PreimageRecord},
    mock::{Enter, Scene},
    prelude::*,
};
use standing::{ECRECOVER, word_of};

use super::{BridgeReleases, CODE_REPLAYED, CODE_UNPROVEN};

const BRIDGE: Address = Address([0xaa; 20]);
const TOKEN: Address = Address([0x70; 20]);
const USER: Address = Address([0xee; 20]);
const VALIDATOR: Address = Address([0x51; 20]);

fn asked(scene: &mut Scene<BridgeReleases>, message: u8) {
    scene.enter(Enter::call(USER)).enter(Enter::call(BRIDGE).input(&[9, 9, 9, 9, message]));
}

fn scene() -> Scene<BridgeReleases> {
    let mut scene = Scene::new(&BridgeReleases { allow_callers: Vec::new() }, &[BRIDGE]);
    asked(&mut scene, 1);
    scene
}

fn released(scene: &mut Scene<BridgeReleases>) -> Option<u16> {
    scene.enter(Enter::call(TOKEN)).token(TOKEN, BRIDGE, USER, U256::from(5));
    scene.finish().vetoed()
}

/// The bridge looks at a word.
fn looks(scene: &mut Scene<BridgeReleases>, slot: u64, word: U256) {
    scene.storage(Fork::PreTx, BRIDGE, U256::from(slot), word);
    let (slot, old) = (U256::from(slot).to_be_bytes(), word.to_be_bytes());
    let address = BRIDGE.into();
    scene.world.accesses.push(AccessRecord { seq: 3, address, slot, old, new: old, ..AccessRecord::default() });
}

/// It hashes 64 bytes, the first half of which is a key.
fn hashes(scene: &mut Scene<BridgeReleases>, key: [u8; 32], hash: U256) {
    let hash = hash.to_be_bytes();
    scene.world.preimages.push(PreimageRecord { seq: 3, key, hash, ..PreimageRecord::default() });
}

#[test]
fn vetoes_a_release_that_nothing_proves() {
    assert_eq!(released(&mut scene()), Some(CODE_UNPROVEN));
}

#[test]
fn vetoes_a_release_proven_by_the_root_that_is_zero() {
    let mut scene = scene();
    hashes(&mut scene, [0x77; 32], U256::from(700));
    looks(&mut scene, 700, U256::ZERO);
    hashes(&mut scene, [0; 32], U256::from(701));
    looks(&mut scene, 701, U256::from(1));
    assert_eq!(released(&mut scene), Some(CODE_UNPROVEN));
}

#[test]
fn lets_what_was_proven_before_be_released_once() {
    let mut scene = scene();
    for (message, expected) in [(1, None), (1, Some(CODE_REPLAYED)), (2, None)] {
        hashes(&mut scene, [0x77; 32], U256::from(700));
        looks(&mut scene, 700, U256::from(1));
        assert_eq!(released(&mut scene), expected);
        asked(&mut scene, if message == 1 && expected.is_none() { 1 } else { 2 });
    }
}

#[test]
fn lets_a_path_to_a_kept_root_prove() {
    let root = U256::from_be_bytes([0x99; 32]);
    for (kept, expected) in [(root, None), (U256::from(8), Some(CODE_UNPROVEN))] {
        let mut scene = scene();
        hashes(&mut scene, [0x12; 32], root);
        looks(&mut scene, 4, kept);
        assert_eq!(released(&mut scene), expected);
    }
}

#[test]
fn lets_known_signers_prove_and_nobody_else() {
    for (listed, expected) in [(U256::from(7), None), (U256::ZERO, Some(CODE_UNPROVEN))] {
        let mut scene = scene();
        scene.enter(Enter::static_call(ECRECOVER).precompile());
        scene.leave_as(FrameStatus::Succeeded, &word_of(VALIDATOR).to_be_bytes::<32>());
        hashes(&mut scene, word_of(VALIDATOR).to_be_bytes(), U256::from(900));
        looks(&mut scene, 900, listed);
        assert_eq!(released(&mut scene), expected);
    }
}

#[test]
fn lets_depositors_take_back_and_operators_pay() {
    let mut depositor = scene();
    for _ in 0..2 {
        hashes(&mut depositor, word_of(USER).to_be_bytes(), U256::from(800));
        looks(&mut depositor, 800, U256::from(1_000));
        assert_eq!(released(&mut depositor), None);
        asked(&mut depositor, 1);
    }
    let mut operator = scene();
    looks(&mut operator, 0, word_of(USER));
    assert_eq!(released(&mut operator), None);
}

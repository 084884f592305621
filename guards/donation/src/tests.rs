#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};
use worth::UNIT;

use super::{CODE_LIFTED, CODE_NO_LENGTH, CODE_TAKEN, Donation};

const VAULT: Address = Address([0xaa; 20]);
const ASSET: Address = Address([0x70; 20]);
const GIVER: Address = Address([0xee; 20]);
const STRATEGY: Address = Address([0x57; 20]);
/// One whole token.
const ONE: u128 = 1_000_000_000_000_000_000;
const DAY_S: u64 = 86_400;

type Played = Scene<Donation>;

fn guard() -> Donation {
    Donation { gift_bps: 100, taken_bps: 100, lift_bps: 5_000, window_seconds: DAY_S }
}

fn scene() -> Played {
    Scene::new(&guard(), &[VAULT])
}

fn word(value: u128) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn question(function: &str, words: &[u8]) -> Vec<u8> {
    [&keccak256(function.as_bytes()).0[..4], words].concat()
}

/// A vault (ERC-4626) of a thousand shares that has so many assets at a fork.
fn tell(scene: &mut Played, fork: Fork, assets: u128) {
    let price = U256::from(assets) / U256::from(1_000);
    scene.answer(
        fork,
        VAULT,
        &question("convertToAssets(uint256)", &UNIT.to_be_bytes::<32>()),
        &price.to_be_bytes::<32>(),
    );
    scene.answer(fork, VAULT, &question("totalSupply()", &[]), &word(1_000 * ONE));
    let holder = [&[0; 12][..], &VAULT.0].concat();
    scene.answer(fork, ASSET, &question("balanceOf(address)", &holder), &word(assets));
}

/// A transfer straight to the vault, as frame `id`, that takes its assets from one amount to another.
fn gives(scene: &mut Played, id: u32, before: u128, after: u128) {
    tell(scene, Fork::PreTx, before);
    tell(scene, Fork::Before(id), before);
    tell(scene, Fork::After(id), after);
    scene.enter(Enter::call(ASSET)).token(ASSET, GIVER, VAULT, U256::from(after - before)).leave();
}

/// The vault pays the giver.
fn takes(scene: &mut Played, amount: u128) {
    scene.enter(Enter::call(VAULT)).enter(Enter::call(ASSET));
    scene.token(ASSET, VAULT, GIVER, U256::from(amount)).leave().leave();
}

#[test]
fn vetoes_a_gift_that_multiplies_a_share() {
    let mut scene = scene();
    gives(&mut scene, 0, 1_000 * ONE, 1_600 * ONE);
    assert_eq!(scene.finish().vetoed(), Some(CODE_LIFTED));
}

#[test]
fn vetoes_who_gives_and_takes_at_once() {
    let mut scene = scene();
    scene.enter(Enter::call(GIVER));
    gives(&mut scene, 1, 1_000 * ONE, 1_020 * ONE);
    takes(&mut scene, 50 * ONE);
    assert_eq!(scene.finish().vetoed(), Some(CODE_TAKEN));
}

#[test]
fn vetoes_who_takes_within_the_window_after_giving_and_nobody_later() {
    let mut scene = scene();
    gives(&mut scene, 0, 1_000 * ONE, 1_020 * ONE);
    assert_eq!(scene.finish().vetoed(), None);
    tell(&mut scene, Fork::PreTx, 1_020 * ONE);
    takes(scene.later(60), 200 * ONE);
    assert_eq!(scene.finish().vetoed(), Some(CODE_TAKEN));
    tell(scene.later(DAY_S), Fork::PreTx, 1_020 * ONE);
    takes(&mut scene, 200 * ONE);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn adds_small_gifts_up() {
    let mut scene = scene();
    gives(&mut scene, 0, 1_000 * ONE, 1_009 * ONE);
    assert_eq!(scene.finish().vetoed(), None);
    gives(&mut scene, 0, 1_009 * ONE, 1_018 * ONE);
    assert_eq!(scene.finish().vetoed(), None);
    tell(&mut scene, Fork::PreTx, 1_018 * ONE);
    takes(&mut scene, 200 * ONE);
    assert_eq!(scene.finish().vetoed(), Some(CODE_TAKEN));
}

#[test]
fn lets_yield_come_in_and_owners_leave() {
    let mut scene = scene();
    gives(&mut scene, 0, 1_000 * ONE, 1_005 * ONE);
    assert_eq!(scene.finish().vetoed(), None);
    tell(&mut scene, Fork::PreTx, 1_005 * ONE);
    takes(&mut scene, 900 * ONE);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_what_the_vault_asked_for_come_in() {
    let mut scene = scene();
    tell(&mut scene, Fork::PreTx, 1_000 * ONE);
    tell(&mut scene, Fork::Before(2), 1_000 * ONE);
    tell(&mut scene, Fork::After(2), 2_000 * ONE);
    scene.enter(Enter::call(VAULT)).enter(Enter::call(STRATEGY)).enter(Enter::call(ASSET));
    scene.token(ASSET, STRATEGY, VAULT, U256::from(1_000 * ONE)).leave().leave();
    scene.enter(Enter::call(ASSET)).token(ASSET, VAULT, GIVER, U256::from(100 * ONE)).leave();
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_who_pays_first_call_afterwards() {
    let mut scene = scene();
    scene.enter(Enter::call(GIVER));
    // What lies there is not counted yet, so the price stays.
    for fork in [Fork::PreTx, Fork::Before(1), Fork::After(1)] {
        tell(&mut scene, fork, 1_000 * ONE);
    }
    scene.enter(Enter::call(ASSET)).token(ASSET, GIVER, VAULT, U256::from(5_000 * ONE)).leave();
    takes(&mut scene, 6_000 * ONE);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn refuses_a_window_of_no_length() {
    let scene = Scene::new(&Donation { window_seconds: 0, ..guard() }, &[VAULT]);
    assert_eq!(scene.veto().unwrap().code, CODE_NO_LENGTH);
}

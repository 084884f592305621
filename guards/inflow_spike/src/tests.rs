#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_FLOODED, CODE_LATER, CODE_NO_LENGTH, InflowSpike};

const MARKET: Address = Address([0xaa; 20]);
const GEM: Address = Address([0x70; 20]);
const CASH: Address = Address([0x71; 20]);
const OTHER: Address = Address([0xee; 20]);
const HOUR_S: u64 = 3_600;

fn guard() -> InflowSpike {
    InflowSpike { flood_bps: 20_000, taken_bps: 2_000, window_seconds: HOUR_S }
}

fn holds(scene: &mut Scene<InflowSpike>, token: Address, amount: u64) {
    let question = [&keccak256(b"balanceOf(address)").0[..4], &[0; 12], &MARKET.0].concat();
    scene.answer(Fork::PreTx, token, &question, &U256::from(amount).to_be_bytes::<32>());
}

/// A market that holds a thousand of each.
fn scene() -> Scene<InflowSpike> {
    let mut scene = Scene::new(&guard(), &[MARKET]);
    holds(&mut scene, GEM, 1_000);
    holds(&mut scene, CASH, 1_000);
    scene
}

fn comes(scene: &mut Scene<InflowSpike>, token: Address, amount: u64) {
    scene.enter(Enter::call(MARKET)).enter(Enter::call(token));
    scene.token(token, OTHER, MARKET, U256::from(amount)).leave().leave();
}

fn leaves(scene: &mut Scene<InflowSpike>, token: Address, amount: u64) {
    scene.enter(Enter::call(MARKET)).enter(Enter::call(token));
    scene.token(token, MARKET, OTHER, U256::from(amount)).leave().leave();
}

#[test]
fn vetoes_a_flood_that_carries_another_asset_away() {
    let mut scene = scene();
    scene.enter(Enter::call(OTHER));
    comes(&mut scene, GEM, 2_001);
    leaves(&mut scene, CASH, 201);
    assert_eq!(scene.finish().vetoed(), Some(CODE_FLOODED));
}

#[test]
fn lets_floods_alone_and_loans_alone_pass() {
    let mut scene = scene();
    comes(&mut scene, GEM, 100_000);
    assert_eq!(scene.finish().vetoed(), None);
    holds(scene.later(HOUR_S), CASH, 1_000);
    leaves(&mut scene, CASH, 1_000);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn vetoes_a_loan_shortly_after_the_flood() {
    let mut scene = scene();
    comes(&mut scene, GEM, 2_001);
    assert_eq!(scene.finish().vetoed(), None);
    holds(scene.later(HOUR_S - 1), CASH, 1_000);
    leaves(&mut scene, CASH, 201);
    assert_eq!(scene.finish().vetoed(), Some(CODE_LATER));
    holds(scene.later(1), CASH, 1_000);
    leaves(&mut scene, CASH, 201);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn adds_up_what_one_sender_brings() {
    let mut scene = scene();
    comes(&mut scene, GEM, 1_500);
    assert_eq!(scene.finish().vetoed(), None);
    holds(&mut scene, GEM, 2_500);
    holds(&mut scene, CASH, 1_000);
    comes(&mut scene, GEM, 1_500);
    leaves(&mut scene, CASH, 500);
    assert_eq!(scene.finish().vetoed(), Some(CODE_FLOODED));
}

#[test]
fn lets_who_brought_it_take_it_back() {
    let mut scene = scene();
    comes(&mut scene, CASH, 900);
    assert_eq!(scene.finish().vetoed(), None);
    holds(&mut scene, GEM, 1_000);
    holds(&mut scene, CASH, 1_900);
    comes(&mut scene, GEM, 5_000);
    leaves(&mut scene, CASH, 900);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_the_first_of_an_asset_be_anything() {
    let mut scene = scene();
    holds(&mut scene, GEM, 0);
    comes(&mut scene, GEM, 1_000_000);
    leaves(&mut scene, CASH, 900);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_a_flash_loan_be_repaid() {
    let mut scene = scene();
    scene.enter(Enter::call(OTHER));
    leaves(&mut scene, CASH, 1_000);
    comes(&mut scene, CASH, 1_001);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn refuses_a_window_of_no_length() {
    let scene = Scene::new(&InflowSpike { window_seconds: 0, ..guard() }, &[MARKET]);
    assert_eq!(scene.veto().unwrap().code, CODE_NO_LENGTH);
}

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_BENT, CODE_NO_LENGTH, CODE_WORSE, Slippage};

const VAULT: Address = Address([0xaa; 20]);
const KEEPER: Address = Address([0xee; 20]);
const ROUTER: Address = Address([0x40; 20]);
const PAIR: Address = Address([0x90; 20]);
const NEXT_PAIR: Address = Address([0x91; 20]);
const GEM: Address = Address([0x70; 20]);
const MID: Address = Address([0x71; 20]);
const CASH: Address = Address([0x72; 20]);
const DAY_S: u64 = 86_400;

fn guard() -> Slippage {
    Slippage { worse_bps: 2_000, bent_bps: 1_000, window_seconds: DAY_S }
}

fn scene() -> Scene<Slippage> {
    Scene::new(&guard(), &[VAULT])
}

fn moves(scene: &mut Scene<Slippage>, token: Address, from: Address, to: Address, amount: u64) {
    scene.enter(Enter::call(token)).token(token, from, to, U256::from(amount)).leave();
}

fn holds(scene: &mut Scene<Slippage>, fork: Fork, party: Address, token: Address, amount: u64) {
    let question = [&keccak256(b"balanceOf(address)").0[..4], &[0; 12], &party.0].concat();
    scene.answer(fork, token, &question, &U256::from(amount).to_be_bytes::<32>());
}

/// The vault sells 100 by way of a router and a pair for so much.
fn sells(scene: &mut Scene<Slippage>, gotten: u64) {
    scene.enter(Enter::call(VAULT)).enter(Enter::call(ROUTER));
    moves(scene, GEM, VAULT, PAIR, 100);
    scene.enter(Enter::call(PAIR));
    moves(scene, CASH, PAIR, VAULT, gotten);
    scene.leave().leave().leave();
}

#[test]
fn vetoes_a_trade_far_below_the_average() {
    let mut scene = scene();
    sells(&mut scene, 1_000);
    assert_eq!(scene.finish().vetoed(), None);
    sells(scene.later(60), 833);
    assert_eq!(scene.finish().vetoed(), Some(CODE_WORSE));
    sells(scene.later(60), 834);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_the_average_follow_the_market() {
    let mut scene = scene();
    for gotten in [1_000, 870, 800, 730, 680, 640] {
        sells(scene.later(DAY_S / 2), gotten);
        assert_eq!(scene.finish().vetoed(), None, "{gotten}");
    }
    sells(scene.later(DAY_S), 100);
    assert_eq!(scene.finish().vetoed(), None, "an average that old is none");
}

#[test]
fn lets_better_trades_pass() {
    let mut scene = scene();
    sells(&mut scene, 1_000);
    assert_eq!(scene.finish().vetoed(), None);
    sells(&mut scene, 9_000);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn vetoes_a_first_trade_with_what_was_bent_before_it() {
    let mut scene = scene();
    holds(&mut scene, Fork::PreTx, PAIR, GEM, 1_000);
    holds(&mut scene, Fork::PreTx, PAIR, CASH, 10_000);
    holds(&mut scene, Fork::Before(2), PAIR, GEM, 2_000);
    holds(&mut scene, Fork::Before(2), PAIR, CASH, 5_000);
    scene.enter(Enter::call(KEEPER));
    sells(&mut scene, 200);
    assert_eq!(scene.finish().vetoed(), Some(CODE_BENT));
}

#[test]
fn vetoes_a_way_through_a_pair_that_was_bent() {
    let mut scene = scene();
    for fork in [Fork::PreTx, Fork::Before(2)] {
        holds(&mut scene, fork, PAIR, GEM, 1_000);
        holds(&mut scene, fork, PAIR, MID, 1_000);
    }
    holds(&mut scene, Fork::PreTx, NEXT_PAIR, MID, 1_000);
    holds(&mut scene, Fork::PreTx, NEXT_PAIR, CASH, 1_000);
    holds(&mut scene, Fork::Before(2), NEXT_PAIR, MID, 1_100);
    holds(&mut scene, Fork::Before(2), NEXT_PAIR, CASH, 900);
    scene.enter(Enter::call(KEEPER)).enter(Enter::call(VAULT)).enter(Enter::call(ROUTER));
    moves(&mut scene, GEM, VAULT, PAIR, 100);
    moves(&mut scene, MID, PAIR, NEXT_PAIR, 90);
    moves(&mut scene, CASH, NEXT_PAIR, VAULT, 70);
    assert_eq!(scene.finish().vetoed(), Some(CODE_BENT));
}

#[test]
fn lets_a_pool_be_traded_with() {
    // The guarded account is the pair: its trader pays, and is paid, in calls of his own.
    let mut scene = Scene::new(&guard(), &[PAIR]);
    for gotten in [1_000, 100] {
        scene.enter(Enter::call(KEEPER));
        moves(&mut scene, GEM, KEEPER, PAIR, 100);
        scene.enter(Enter::call(PAIR));
        moves(&mut scene, CASH, PAIR, KEEPER, gotten);
        scene.enter(Enter::call(KEEPER));
        moves(&mut scene, GEM, KEEPER, PAIR, 7);
        scene.leave();
        assert_eq!(scene.finish().vetoed(), None);
    }
}

#[test]
fn lets_a_position_be_turned_around() {
    let mut scene = scene();
    for gotten in [1_000, 100] {
        scene.enter(Enter::call(VAULT));
        moves(&mut scene, GEM, VAULT, PAIR, 100);
        moves(&mut scene, CASH, PAIR, VAULT, gotten);
        moves(&mut scene, CASH, VAULT, PAIR, gotten);
        moves(&mut scene, GEM, PAIR, VAULT, 99);
        assert_eq!(scene.finish().vetoed(), None);
    }
}

#[test]
fn refuses_a_window_of_no_length() {
    let scene = Scene::new(&Slippage { window_seconds: 0, ..guard() }, &[VAULT]);
    assert_eq!(scene.veto().unwrap().code, CODE_NO_LENGTH);
}

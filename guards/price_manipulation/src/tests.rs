#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_MOVED, PriceManipulation};

const LENDER: Address = Address([0xaa; 20]);
const ATTACKER: Address = Address([0xee; 20]);
const POOL: Address = Address([0x1a; 20]);
const TOKEN: Address = Address([0x70; 20]);
const BORROW: Bytes4 = Bytes4([0xb0, 0xb0, 0xb0, 0xb0]);
const PRICE: Bytes4 = Bytes4([0xa0, 0x35, 0xb1, 0xfe]);

type Played = Scene<PriceManipulation>;

fn scene() -> Played {
    Scene::new(&PriceManipulation { move_bps: 1_000, ignore: Vec::new() }, &[LENDER])
}

fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

/// The pool's price before the transaction, and as the frame with this id finds it.
fn price(scene: &mut Played, before: u64, entry: u32, at_entry: u64) {
    scene.answer(Fork::PreTx, POOL, &PRICE.0, &word(before));
    scene.answer(Fork::Before(entry), POOL, &PRICE.0, &word(at_entry));
}

/// The attacker's contract borrows from the lender, which asks the pool for the price.
fn borrow(scene: &mut Played) {
    scene.enter(Enter::call(LENDER).selector(BORROW));
    scene.enter(Enter::static_call(POOL).selector(PRICE)).leave_as(FrameStatus::Succeeded, &word(1));
    scene.token(TOKEN, LENDER, ATTACKER, U256::from(500)).leave();
}

#[test]
fn vetoes_a_loan_on_a_price_that_was_moved_before_it() {
    let mut scene = scene();
    price(&mut scene, 1_000_000, 2, 5_000_000);
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(POOL)).leave();
    borrow(&mut scene);
    let veto = scene.finish().veto.unwrap();
    assert_eq!(veto.code, CODE_MOVED);
    assert!(veto.detail.contains("(selector 0xa035b1fe) had moved by 40000 basis points"), "{}", veto.detail);
}

#[test]
fn vetoes_a_price_that_was_pushed_down_too() {
    let mut scene = scene();
    price(&mut scene, 5_000_000, 1, 1_000_000);
    scene.enter(Enter::call(ATTACKER));
    borrow(&mut scene);
    assert_eq!(scene.finish().vetoed(), Some(CODE_MOVED));
}

#[test]
fn lets_an_aggregators_small_trade_before_a_loan_pass() {
    let mut scene = scene();
    price(&mut scene, 1_000_000, 2, 1_090_000);
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(POOL)).leave();
    borrow(&mut scene);
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn lets_prices_move_when_nothing_is_taken() {
    let mut scene = scene();
    price(&mut scene, 1_000_000, 1, 5_000_000);
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(LENDER).selector(BORROW));
    scene.enter(Enter::static_call(POOL).selector(PRICE)).leave_as(FrameStatus::Succeeded, &word(1));
    scene.token(TOKEN, ATTACKER, LENDER, U256::from(500));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn counts_what_a_guarded_token_creates_as_value() {
    let mut scene = scene();
    price(&mut scene, 1_000_000, 1, 5_000_000);
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(LENDER));
    scene.enter(Enter::static_call(POOL).selector(PRICE)).leave_as(FrameStatus::Succeeded, &word(1));
    scene.token(LENDER, Address::ZERO, ATTACKER, U256::from(500));
    assert_eq!(scene.finish().vetoed(), Some(CODE_MOVED));
}

#[test]
fn does_not_blame_a_caller_for_what_the_group_moved_itself() {
    let mut scene = scene();
    scene.enter(Enter::call(ATTACKER));
    borrow(&mut scene);
    borrow(&mut scene);
    // Frames: 0 the router, 1 and 3 the entries, 2 and 4 the questions. The first entry moved the price.
    price(&mut scene, 1_000_000, 1, 1_000_000);
    price(&mut scene, 1_000_000, 3, 5_000_000);
    scene.answer(Fork::After(1), POOL, &PRICE.0, &word(5_000_000));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn adds_up_moves_between_entries() {
    let mut scene = scene();
    scene.enter(Enter::call(ATTACKER));
    borrow(&mut scene);
    borrow(&mut scene);
    price(&mut scene, 1_000_000, 1, 1_090_000);
    price(&mut scene, 1_000_000, 3, 1_180_000);
    scene.answer(Fork::After(1), POOL, &PRICE.0, &word(1_090_000));
    assert_eq!(scene.finish().vetoed(), Some(CODE_MOVED));
}

#[test]
fn does_not_ask_again_what_the_group_asks_about_its_parties() {
    let mut scene = scene();
    let balance_of = [&[0x70, 0xa0, 0x82, 0x31][..], &[0; 12], &ATTACKER.0].concat();
    scene.answer(Fork::PreTx, TOKEN, &balance_of, &word(1_000_000));
    scene.answer(Fork::Before(1), TOKEN, &balance_of, &word(9_000_000));
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(LENDER).selector(BORROW));
    scene.enter(Enter::static_call(TOKEN).input(&balance_of)).leave_as(FrameStatus::Succeeded, &word(1));
    scene.token(TOKEN, LENDER, ATTACKER, U256::from(500));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn takes_timestamps_counters_and_signs_for_what_they_are() {
    for (before, after) in [
        (word(1_700_000_000), word(1_700_086_400)),
        (word(7), word(14)),
        (word(0), word(5_000_000)),
        (word(5), U256::MAX.to_be_bytes()),
    ] {
        let mut scene = scene();
        scene.answer(Fork::PreTx, POOL, &PRICE.0, &before);
        scene.answer(Fork::Before(1), POOL, &PRICE.0, &after);
        scene.enter(Enter::call(ATTACKER));
        borrow(&mut scene);
        assert_eq!(scene.finish().veto, None, "{before:?} {after:?}");
    }
}

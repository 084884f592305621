#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_INSOLVENT, CODE_PAID_INSOLVENT, Solvency};

const MARKET: Address = Address([0xaa; 20]);
const USER: Address = Address([0x0e; 20]);
const TOKEN: Address = Address([0x70; 20]);
const LIQUIDATOR: Address = Address([0x1b; 20]);

type Played = Scene<Solvency>;

fn scene(sender: Address) -> Played {
    let mut scene = Scene::new(&Solvency { exempt: Vec::new() }, &[MARKET]);
    scene.world.context.sender = sender.into();
    scene
}

fn question(function: &str, party: Address) -> Vec<u8> {
    [&keccak256(function.as_bytes()).0[..4], &[0; 12], &party.0].concat()
}

fn words<const N: usize>(words: [u64; N]) -> Vec<u8> {
    words.iter().flat_map(|word| U256::from(*word).to_be_bytes::<32>()).collect()
}

/// A party's shortfall before and after.
fn shortfall(scene: &mut Played, party: Address, (before, after): (u64, u64)) {
    let question = question("getAccountLiquidity(address)", party);
    scene.answer(Fork::PreTx, MARKET, &question, &words([0, 0, before]));
    scene.answer(Fork::Now, MARKET, &question, &words([0, 0, after]));
}

#[test]
fn vetoes_who_gives_collateral_away_and_keeps_the_debt() {
    let mut scene = scene(USER);
    shortfall(&mut scene, USER, (0, 500));
    scene.enter(Enter::call(MARKET));
    assert_eq!(scene.finish().vetoed(), Some(CODE_INSOLVENT));
}

#[test]
fn vetoes_a_loan_that_a_contract_took_for_itself() {
    let mut scene = scene(USER);
    shortfall(&mut scene, USER, (0, 0));
    shortfall(&mut scene, LIQUIDATOR, (0, 500));
    scene.enter(Enter::call(LIQUIDATOR)).enter(Enter::call(MARKET));
    assert_eq!(scene.finish().vetoed(), Some(CODE_INSOLVENT));
}

#[test]
fn lets_loans_and_repayments_of_the_solvent_pass() {
    let mut scene = scene(USER);
    shortfall(&mut scene, USER, (0, 0));
    scene.enter(Enter::call(MARKET)).token(TOKEN, MARKET, USER, U256::from(500));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn lets_the_insolvent_be_liquidated_and_repay_and_not_be_paid() {
    let mut liquidated = scene(LIQUIDATOR);
    shortfall(&mut liquidated, LIQUIDATOR, (0, 0));
    shortfall(&mut liquidated, USER, (500, 200));
    liquidated.enter(Enter::call(MARKET)).token(TOKEN, MARKET, LIQUIDATOR, U256::from(500));
    assert_eq!(liquidated.finish().veto, None);

    let mut repaid = scene(USER);
    shortfall(&mut repaid, USER, (500, 200));
    repaid.enter(Enter::call(MARKET)).token(TOKEN, USER, MARKET, U256::from(300));
    assert_eq!(repaid.finish().veto, None);

    let mut paid = scene(USER);
    shortfall(&mut paid, USER, (500, 600));
    paid.enter(Enter::call(MARKET)).token(TOKEN, MARKET, USER, U256::from(100));
    assert_eq!(paid.finish().vetoed(), Some(CODE_PAID_INSOLVENT));
}

#[test]
fn reads_a_health_factor_and_takes_none_for_no_debt() {
    let judged = |before: u64, after: u64| {
        let mut scene = scene(USER);
        let question = question("healthFactor(address)", USER);
        scene.answer(Fork::PreTx, MARKET, &question, &words([before]));
        scene.answer(Fork::Now, MARKET, &question, &words([after]));
        scene.enter(Enter::call(MARKET));
        scene.finish().vetoed()
    };
    const ONE: u64 = 1_000_000_000_000_000_000;
    assert_eq!(judged(ONE * 2, ONE - 1), Some(CODE_INSOLVENT));
    assert_eq!(judged(0, ONE), None);
    assert_eq!(judged(ONE * 2, 0), None);
}

#[test]
fn reads_six_words_of_account_data() {
    let mut scene = scene(USER);
    let question = question("getUserAccountData(address)", USER);
    scene.answer(Fork::PreTx, MARKET, &question, &words([0, 0, 0, 0, 0, u64::MAX]));
    scene.answer(Fork::Now, MARKET, &question, &words([1, 1, 0, 0, 0, 5]));
    scene.enter(Enter::call(MARKET));
    assert_eq!(scene.finish().vetoed(), Some(CODE_INSOLVENT));
}

#[test]
fn has_nothing_to_say_of_what_is_no_market() {
    let mut scene = scene(USER);
    scene.enter(Enter::call(MARKET));
    assert_eq!(scene.finish().veto, None);
}

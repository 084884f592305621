#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use worth::UNIT;

use super::{CODE_ENTERED, CODE_FELL, CODE_ROSE, CODE_TOO_MANY, ENTRIES_MAX, SharePrice};

const VAULT: Address = Address([0xaa; 20]);
const ASSET: Address = Address([0x70; 20]);
const ATTACKER: Address = Address([0xee; 20]);
/// One whole token.
const ONE: u128 = 1_000_000_000_000_000_000;

type Played = Scene<SharePrice>;

fn scene() -> Played {
    Scene::new(&SharePrice { rise_bps: 1_000, fall_bps: 500 }, &[VAULT])
}

fn word(value: u128) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn selector(function: &str) -> [u8; 4] {
    *keccak256(function.as_bytes()).0.first_chunk().unwrap()
}

/// An ERC-4626 vault with so many assets and shares, as it answers at a fork.
fn tell(scene: &mut Played, fork: Fork, assets: u128, shares: u128) {
    let price = if shares == 0 { UNIT } else { UNIT * U256::from(assets) / U256::from(shares) };
    let question = [&selector("convertToAssets(uint256)")[..], &UNIT.to_be_bytes::<32>()].concat();
    scene.answer(fork, VAULT, &question, &price.to_be_bytes::<32>());
    scene.answer(fork, VAULT, &selector("totalSupply()"), &word(shares));
}

/// A transaction straight to the vault that takes it from assets and shares to others.
fn judged(before: (u128, u128), after: (u128, u128)) -> Option<u16> {
    let mut scene = scene();
    tell(&mut scene, Fork::PreTx, before.0, before.1);
    tell(&mut scene, Fork::Now, after.0, after.1);
    scene.enter(Enter::call(VAULT));
    scene.finish().vetoed()
}

#[test]
fn vetoes_the_donation_that_inflates_the_first_share() {
    assert_eq!(judged((1, 1), (10_000 * ONE, 1)), Some(CODE_ROSE));
    assert_eq!(judged((0, 0), (10_000 * ONE, 1)), Some(CODE_ROSE), "deposit and donation in one transaction, too");
}

#[test]
fn vetoes_a_deposit_that_is_rounded_away() {
    let inflated = (10_000 * ONE, 1);
    assert_eq!(judged(inflated, (19_999 * ONE, 1)), Some(CODE_ROSE));
    assert_eq!(judged(inflated, (29_999 * ONE, 2)), Some(CODE_ROSE));
}

#[test]
fn vetoes_a_withdrawal_that_takes_more_than_its_shares_are_worth() {
    assert_eq!(judged((1_000 * ONE, 1_000 * ONE), (500 * ONE, 900 * ONE)), Some(CODE_FELL));
    assert_eq!(judged((1_000 * ONE, 1_000 * ONE), (1_000 * ONE, 5_000 * ONE)), Some(CODE_FELL), "minted for nothing");
}

#[test]
fn lets_first_deposits_large_withdrawals_and_harvests_pass() {
    assert_eq!(judged((0, 0), (5_000 * ONE, 5_000 * ONE)), None);
    assert_eq!(judged((1_500 * ONE, 1_000 * ONE), (15 * ONE, 10 * ONE)), None);
    assert_eq!(judged((1_500 * ONE, 1_000 * ONE), (0, 0)), None, "all leave");
    assert_eq!(judged((1_000 * ONE, 1_000 * ONE), (1_050 * ONE, 1_000 * ONE)), None);
}

#[test]
fn takes_rounding_for_rounding() {
    assert_eq!(judged((1_500 * ONE, 1_000 * ONE), (2, 1)), None);
    assert_eq!(judged((1_500 * ONE, 1_000 * ONE), (1, 1)), None);
}

#[test]
fn vetoes_who_enters_at_a_price_bent_for_the_moment() {
    let mut scene = scene();
    for fork in [Fork::PreTx, Fork::Now, Fork::Before(1)] {
        tell(&mut scene, fork, 1_000 * ONE, 1_000 * ONE);
    }
    tell(&mut scene, Fork::Before(2), 800 * ONE, 1_000 * ONE);
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(VAULT)).leave().enter(Enter::call(VAULT));
    assert_eq!(scene.finish().vetoed(), Some(CODE_ENTERED));
}

#[test]
fn lets_a_batch_of_deposits_pass() {
    let mut batch = scene();
    for fork in [Fork::PreTx, Fork::Now, Fork::Before(1), Fork::Before(2)] {
        tell(&mut batch, fork, 1_000 * ONE, 1_000 * ONE);
    }
    batch.enter(Enter::call(ATTACKER)).enter(Enter::call(VAULT)).leave().enter(Enter::call(VAULT)).leave();
    assert_eq!(batch.finish().veto, None);

    let mut flood = scene();
    tell(&mut flood, Fork::PreTx, ONE, ONE);
    tell(&mut flood, Fork::Now, ONE, ONE);
    flood.enter(Enter::call(ATTACKER));
    for _ in 0..=ENTRIES_MAX {
        flood.enter(Enter::call(VAULT)).leave();
    }
    assert_eq!(flood.finish().vetoed(), Some(CODE_TOO_MANY));
}

#[test]
fn divides_what_a_vault_holds_when_it_tells_no_price() {
    let mut scene = scene();
    let balance_of = [&selector("balanceOf(address)")[..], &[0; 12], &VAULT.0].concat();
    for (fork, assets) in [(Fork::PreTx, ONE), (Fork::Now, 3 * ONE)] {
        scene.answer(fork, VAULT, &selector("asset()"), &[&[0; 12][..], &ASSET.0].concat());
        scene.answer(fork, VAULT, &selector("totalSupply()"), &word(ONE));
        scene.answer(fork, ASSET, &balance_of, &word(assets));
    }
    scene.enter(Enter::call(VAULT));
    assert_eq!(scene.finish().vetoed(), Some(CODE_ROSE));
}

#[test]
fn has_nothing_to_say_of_what_is_no_vault() {
    let mut scene = scene();
    scene.enter(Enter::call(VAULT));
    assert_eq!(scene.finish().veto, None);
}

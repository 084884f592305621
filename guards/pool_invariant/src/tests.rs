#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_PRODUCT, CODE_SHARE_PRICE, PoolInvariant};

const POOL: Address = Address([0xaa; 20]);
const TOKENS: [Address; 2] = [Address([0x70; 20]), Address([0x71; 20])];

/// Recorded reserves, balances, shares.
#[derive(Clone, Copy)]
struct Has {
    recorded: [u64; 2],
    held: [u64; 2],
    shares: Option<u64>,
}

fn has(amounts: [u64; 2], shares: u64) -> Has {
    Has { recorded: amounts, held: amounts, shares: Some(shares) }
}

fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn selector(function: &str) -> [u8; 4] {
    *keccak256(function.as_bytes()).0.first_chunk().unwrap()
}

fn tell(scene: &mut Scene<PoolInvariant>, fork: Fork, has: Has) {
    scene.answer(fork, POOL, &selector("getReserves()"), &has.recorded.map(word).concat());
    for (at, function) in ["token0()", "token1()"].into_iter().enumerate() {
        scene.answer(fork, POOL, &selector(function), &[&[0; 12][..], &TOKENS[at].0].concat());
        let balance_of = [&selector("balanceOf(address)")[..], &[0; 12], &POOL.0].concat();
        scene.answer(fork, TOKENS[at], &balance_of, &word(has.held[at]));
    }
    if let Some(shares) = has.shares {
        scene.answer(fork, POOL, &selector("totalSupply()"), &word(shares));
    }
}

fn judged(before: Has, after: Has) -> Option<u16> {
    let mut scene = Scene::new(&PoolInvariant { tolerance_ppm: 20_000 }, &[POOL]);
    tell(&mut scene, Fork::PreTx, before);
    tell(&mut scene, Fork::Now, after);
    scene.enter(Enter::call(POOL));
    scene.finish().vetoed()
}

#[test]
fn vetoes_a_trade_that_pays_out_more_than_it_took_in() {
    let before = has([1_000_000, 1_000_000], 1_000_000);
    assert_eq!(judged(before, has([1_000_001, 10_000], 1_000_000)), Some(CODE_PRODUCT));
}

#[test]
fn lets_trades_of_any_size_on_the_curve_pass() {
    let before = has([1_000_000, 1_000_000], 1_000_000);
    for (one, other) in [(1_003_009, 997_000), (10_000_000, 100_300), (100_300, 10_000_000)] {
        assert_eq!(judged(before, has([one, other], 1_000_000)), None);
    }
}

#[test]
fn vetoes_a_sync_after_the_pools_tokens_were_burned() {
    let before = has([1_000_000, 1_000_000], 1_000_000);
    assert_eq!(judged(before, has([1_000_000, 1], 1_000_000)), Some(CODE_PRODUCT));
    let not_yet_synced = Has { held: [1_000_000, 1], ..before };
    assert_eq!(judged(before, not_yet_synced), Some(CODE_PRODUCT));
}

#[test]
fn lets_whoever_owns_a_part_take_it_out_and_no_more() {
    let before = has([1_000_000, 4_000_000], 2_000_000);
    assert_eq!(judged(before, has([250_000, 1_000_000], 500_000)), None);
    assert_eq!(judged(before, has([250_000, 1_000_000], 600_000)), Some(CODE_PRODUCT));
}

#[test]
fn vetoes_shares_that_are_minted_for_nothing() {
    let before = has([1_000_000, 1_000_000], 1_000_000);
    assert_eq!(judged(before, has([1_000_000, 1_000_000], 2_000_000)), Some(CODE_PRODUCT));
}

#[test]
fn lets_the_first_deposit_pass_and_shares_that_pay_the_protocols_fee() {
    assert_eq!(judged(has([0, 0], 0), has([1_000, 9_000], 3_000)), None);
    assert_eq!(judged(has([1_030_000, 1_030_000], 1_000_000), has([1_030_000, 1_030_000], 1_005_000)), None);
}

#[test]
fn lets_a_surplus_that_the_pool_does_not_record_be_skimmed() {
    let recorded = has([1_000_000, 1_000_000], 1_000_000);
    assert_eq!(judged(Has { held: [1_500_000, 1_000_000], ..recorded }, recorded), None);
}

#[test]
fn judges_a_pool_that_keeps_no_shares_by_its_trades_alone() {
    let before = Has { shares: None, ..has([1_000_000, 1_000_000], 0) };
    assert_eq!(judged(before, Has { shares: None, ..has([1_100_000, 100_000], 0) }), Some(CODE_PRODUCT));
    assert_eq!(judged(before, Has { shares: None, ..has([500_000, 500_000], 0) }), None);
}

#[test]
fn vetoes_a_fall_of_the_price_that_a_pool_reports() {
    let judged = |after: u64| {
        let mut scene = Scene::new(&PoolInvariant { tolerance_ppm: 20_000 }, &[POOL]);
        scene.answer(Fork::PreTx, POOL, &selector("get_virtual_price()"), &word(1_000_000_000));
        scene.answer(Fork::Now, POOL, &selector("get_virtual_price()"), &word(after));
        scene.enter(Enter::call(POOL));
        scene.finish().vetoed()
    };
    assert_eq!(judged(1_200_000_000), None);
    assert_eq!(judged(990_000_000), None);
    assert_eq!(judged(970_000_000), Some(CODE_SHARE_PRICE));
}

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_NOVEL, NovelShape};

const POOL: Address = Address([0xaa; 20]);
const USER: Address = Address([0xee; 20]);
const BORROW: Bytes4 = Bytes4([1; 4]);
const WITHDRAW: Bytes4 = Bytes4([2; 4]);
const HOUR_S: u64 = 3_600;

fn scene() -> Scene<NovelShape> {
    Scene::new(&NovelShape { loss_bps: 5_000, novel_seconds: HOUR_S }, &[POOL])
}

/// A transaction that calls functions one after the other, the last of which pays.
fn play(scene: &mut Scene<NovelShape>, calls: &[Bytes4], amount: u64) -> Option<u16> {
    scene.world.pre_tx.balances.insert(POOL.0, U256::from(100_000).to_be_bytes());
    scene.enter(Enter::call(USER));
    for (at, selector) in calls.iter().enumerate() {
        scene.enter(Enter::call(POOL).selector(*selector));
        if at + 1 == calls.len() {
            scene.enter(Enter::call(USER).value(U256::from(amount))).leave();
        }
        scene.leave();
    }
    scene.finish().vetoed()
}

#[test]
fn vetoes_what_is_new_and_takes_much_even_if_it_was_rehearsed() {
    let mut scene = scene();
    assert_eq!(play(&mut scene, &[BORROW, WITHDRAW], 60_000), Some(CODE_NOVEL));
    assert_eq!(play(&mut scene, &[BORROW, WITHDRAW], 1), None);
    assert_eq!(play(&mut scene, &[BORROW, WITHDRAW], 60_000), Some(CODE_NOVEL));
    assert_eq!(play(scene.later(HOUR_S), &[BORROW, WITHDRAW], 60_000), None);
    assert_eq!(play(&mut scene, &[WITHDRAW, BORROW], 60_000), Some(CODE_NOVEL));
}

#[test]
fn lets_one_function_take_all_however_often() {
    let mut scene = scene();
    assert_eq!(play(&mut scene, &[WITHDRAW], 100_000), None);
    assert_eq!(play(&mut scene, &[WITHDRAW, WITHDRAW, WITHDRAW], 100_000), None);
}

#[test]
fn lets_what_is_new_take_little() {
    assert_eq!(play(&mut scene(), &[BORROW, WITHDRAW], 49_999), None);
}

#[test]
fn tells_nested_calls_from_calls_in_a_row() {
    let mut scene = scene();
    assert_eq!(play(&mut scene, &[BORROW, WITHDRAW], 1), None);
    scene.later(HOUR_S).world.pre_tx.balances.insert(POOL.0, U256::from(100_000).to_be_bytes());
    scene.enter(Enter::call(USER)).enter(Enter::call(POOL).selector(BORROW)).enter(Enter::call(USER));
    scene.enter(Enter::call(POOL).selector(WITHDRAW)).enter(Enter::call(USER).value(U256::from(60_000)));
    assert_eq!(scene.finish().vetoed(), Some(CODE_NOVEL));
}

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_NO_LENGTH, CODE_NOTHING, CODE_TX, CODE_WINDOW, OracleDeviation};

const ORACLE: Address = Address([0xaa; 20]);
const HOUR_S: u64 = 3_600;

fn guard() -> OracleDeviation {
    OracleDeviation { tx_bps: 2_000, window_bps: 5_000, window_seconds: HOUR_S }
}

fn scene() -> Scene<OracleDeviation> {
    Scene::new(&guard(), &[ORACLE])
}

fn moves(scene: &mut Scene<OracleDeviation>, before: u64, after: u64) -> Option<u16> {
    let question = &keccak256(b"getPrice()").0[..4];
    scene.answer(Fork::PreTx, ORACLE, question, &U256::from(before).to_be_bytes::<32>());
    scene.answer(Fork::Now, ORACLE, question, &U256::from(after).to_be_bytes::<32>());
    scene.enter(Enter::call(ORACLE));
    scene.finish().vetoed()
}

#[test]
fn vetoes_a_jump_up_or_down_and_a_price_of_nothing() {
    assert_eq!(moves(&mut scene(), 1_000, 1_201), Some(CODE_TX));
    assert_eq!(moves(&mut scene(), 1_201, 1_000), Some(CODE_TX));
    assert_eq!(moves(&mut scene(), 1_000, 0), Some(CODE_NOTHING));
}

#[test]
fn lets_a_day_of_ordinary_updates_pass() {
    let mut scene = scene();
    for _ in 0..100 {
        assert_eq!(moves(scene.later(HOUR_S / 4), 1_000, 1_050), None);
        assert_eq!(moves(scene.later(HOUR_S / 4), 1_050, 1_000), None);
    }
}

#[test]
fn vetoes_many_small_steps_within_the_window() {
    let mut scene = scene();
    assert_eq!(moves(&mut scene, 1_000, 1_190), None);
    assert_eq!(moves(&mut scene, 1_190, 1_400), None);
    assert_eq!(moves(&mut scene, 1_400, 1_650), Some(CODE_WINDOW));
    assert_eq!(moves(scene.later(HOUR_S), 1_400, 1_650), None);
}

#[test]
fn lets_a_first_price_be_anything() {
    assert_eq!(moves(&mut scene(), 0, 1_000_000), None);
}

#[test]
fn reads_the_answer_of_a_round() {
    let mut scene = scene();
    let question = &keccak256(b"latestRoundData()").0[..4];
    let round = |answer: u64| [1, answer, 0, 0, 1].map(|word| U256::from(word).to_be_bytes::<32>()).concat();
    scene.answer(Fork::PreTx, ORACLE, question, &round(1_000));
    scene.answer(Fork::Now, ORACLE, question, &round(2_000));
    scene.enter(Enter::call(ORACLE));
    assert_eq!(scene.finish().vetoed(), Some(CODE_TX));
}

#[test]
fn refuses_a_window_of_no_length() {
    let scene = Scene::new(&OracleDeviation { window_seconds: 0, ..guard() }, &[ORACLE]);
    assert_eq!(scene.veto().unwrap().code, CODE_NO_LENGTH);
}

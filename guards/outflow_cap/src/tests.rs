#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    descriptor::Described,
    mock::{Enter, Hook, Scene},
    prelude::*,
};

use super::{CODE_NO_LENGTH, CODE_TX, CODE_TX_SHARE, CODE_WINDOW, CODE_WINDOW_SHARE, EVERY_ASSET, OutflowCap};

const TREASURY: Address = Address([0xaa; 20]);
const RESERVE: Address = Address([0xab; 20]);
const THIEF: Address = Address([0xee; 20]);
const TOKEN: Address = Address([0x70; 20]);
const OTHER_TOKEN: Address = Address([0x71; 20]);
const OWNER: Address = Address([0x0e; 20]);
const HOUR_S: u64 = 3_600;

fn cap(token: Address) -> OutflowCap {
    OutflowCap {
        token,
        tx_max: U256::from(100),
        window_max: U256::MAX,
        window_seconds: 24 * HOUR_S,
        tx_bps: 0,
        window_bps: 0,
    }
}

fn windowed(window_max: u64) -> OutflowCap {
    OutflowCap { window_max: U256::from(window_max), ..cap(Address::ZERO) }
}

fn scene(guard: &OutflowCap) -> Scene<OutflowCap> {
    Scene::new(guard, &[TREASURY, RESERVE])
}

/// One transaction in which so much ether leaves the treasury.
fn pay(scene: &mut Scene<OutflowCap>, amount: u64) -> Option<u16> {
    scene.enter(Enter::call(TREASURY)).enter(Enter::call(THIEF).value(U256::from(amount)));
    scene.finish().vetoed()
}

#[test]
fn lets_exactly_the_cap_leave_and_reverts_when_outflow_exceeds_it() {
    let mut scene = scene(&cap(Address::ZERO));
    assert_eq!(pay(&mut scene, 100), None);
    assert_eq!(pay(&mut scene, 101), Some(CODE_TX));
}

#[test]
fn says_how_much_left_and_how_much_may() {
    let mut ether = scene(&cap(Address::ZERO));
    ether.enter(Enter::call(TREASURY)).enter(Enter::call(THIEF).value(U256::from(101)));
    let veto = ether.finish().veto.unwrap();
    assert_eq!(veto.hook, Hook::OnTx);
    assert_eq!(veto.detail, "101 wei of ether left, at most 100 may in one transaction");

    let mut token = scene(&cap(TOKEN));
    token.enter(Enter::call(TOKEN)).token(TOKEN, TREASURY, THIEF, U256::MAX);
    assert_eq!(
        token.finish().veto.unwrap().detail,
        "115792089237316195423570985008687907853269984665640564039457584007913129639935 \
         of token 0x7070707070707070707070707070707070707070 left, at most 100 may in one transaction"
    );
}

#[test]
fn adds_up_many_small_flows_of_all_members() {
    let mut scene = scene(&cap(TOKEN));
    scene.enter(Enter::call(THIEF));
    for _ in 0..51 {
        scene.token(TOKEN, TREASURY, THIEF, U256::from(1)).token(TOKEN, RESERVE, THIEF, U256::from(1));
    }
    assert_eq!(scene.finish().vetoed(), Some(CODE_TX));
}

#[test]
fn counts_only_what_is_not_given_back() {
    let mut scene = scene(&cap(TOKEN));
    scene.enter(Enter::call(THIEF)).token(TOKEN, TREASURY, THIEF, U256::from(5_000));
    scene.token(TOKEN, THIEF, RESERVE, U256::from(4_900));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn never_counts_more_coming_in_than_zero() {
    let mut scene = scene(&windowed(10));
    scene.enter(Enter::call(TREASURY).value(U256::from(5_000)));
    assert_eq!(scene.finish().veto, None);
    assert_eq!(pay(&mut scene, 11), Some(CODE_WINDOW), "what came in earlier makes no room in the window");
}

#[test]
fn does_not_count_flows_between_members() {
    let mut scene = scene(&cap(TOKEN));
    scene.enter(Enter::call(TREASURY)).token(TOKEN, TREASURY, RESERVE, U256::from(5_000));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn watches_one_asset_only() {
    let mut ether = scene(&cap(Address::ZERO));
    ether.enter(Enter::call(TREASURY)).token(TOKEN, TREASURY, THIEF, U256::from(5_000));
    assert_eq!(ether.finish().veto, None);

    let mut token = scene(&cap(TOKEN));
    token.enter(Enter::call(TREASURY)).token(OTHER_TOKEN, TREASURY, THIEF, U256::from(5_000));
    assert_eq!(pay(&mut token, 5_000), None);

    let mut nft = scene(&cap(TOKEN));
    nft.enter(Enter::call(TREASURY));
    nft.flow(Asset::Erc1155, TOKEN, TREASURY, THIEF, U256::from(5_000));
    assert_eq!(nft.finish().veto, None);
}

#[test]
fn does_not_count_flows_of_reverted_frames() {
    let mut scene = scene(&cap(Address::ZERO));
    scene.enter(Enter::call(TREASURY)).enter(Enter::call(THIEF).value(U256::from(5_000)));
    scene.leave_as(FrameStatus::Reverted, &[]);
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn does_not_judge_a_transaction_that_failed() {
    let mut scene = scene(&windowed(100));
    scene.enter(Enter::call(TREASURY)).token(TOKEN, TREASURY, THIEF, U256::from(1)).leave_as(FrameStatus::Halted, &[]);
    assert_eq!(scene.finish().veto, None);
    assert_eq!(pay(&mut scene, 100), None, "the window is untouched");
}

#[test]
fn fills_the_window_over_transactions_and_says_so() {
    let mut scene = scene(&windowed(150));
    assert_eq!(pay(&mut scene, 90), None);
    scene.enter(Enter::call(TREASURY)).enter(Enter::call(THIEF).value(U256::from(61)));
    let veto = scene.finish().veto.unwrap();
    assert_eq!(veto.code, CODE_WINDOW);
    assert_eq!(veto.detail, "61 more wei of ether left, at most 150 may within 86400 seconds");
    assert_eq!(pay(&mut scene, 60), None, "the refused addition took no room");
}

#[test]
fn drains_the_window_evenly() {
    let mut scene = scene(&windowed(100));
    assert_eq!(pay(&mut scene, 100), None);
    assert_eq!(pay(scene.later(6 * HOUR_S), 26), Some(CODE_WINDOW));
    assert_eq!(pay(&mut scene, 25), None);
    assert_eq!(pay(scene.later(24 * HOUR_S), 100), None);
}

#[test]
fn keeps_no_window_without_a_window_cap() {
    let mut scene = scene(&cap(Address::ZERO));
    for _ in 0..5 {
        assert_eq!(pay(&mut scene, 100), None);
    }
    let store = scene.world.store.clone();
    assert_eq!(format!("{store:?}"), format!("{:?}", parapet_guest::mock::Store::default()));
}

#[test]
fn refuses_a_window_of_no_length() {
    let zero = OutflowCap { window_seconds: 0, ..windowed(10) };
    let refused = scene(&zero).veto().cloned().unwrap();
    assert_eq!((refused.hook, refused.code), (Hook::Init, CODE_NO_LENGTH));
    let share = OutflowCap { window_seconds: 0, ..by_default() };
    assert_eq!(scene(&share).veto().unwrap().code, CODE_NO_LENGTH);
    let unused = OutflowCap { window_seconds: 0, ..cap(TOKEN) };
    assert_eq!(scene(&unused).veto(), None);
}

/// What the guard does when it is attached without parameters.
fn by_default() -> OutflowCap {
    OutflowCap { token: EVERY_ASSET, tx_max: U256::MAX, tx_bps: 2_500, window_bps: 5_000, ..cap(EVERY_ASSET) }
}

/// One transaction of a sender that moves so much of the token between the treasury, which holds `held`, and him.
fn transfer(scene: &mut Scene<OutflowCap>, held: u64, sender: Address, (into, out): (u64, u64)) -> Option<u16> {
    scene.world.context.sender = sender.into();
    let question = [&[0x70, 0xa0, 0x82, 0x31][..], &[0; 12], &TREASURY.0].concat();
    let word = |amount: u64| U256::from(amount).to_be_bytes::<32>();
    scene.answer(Fork::PreTx, TOKEN, &question, &word(held));
    scene.answer(Fork::Now, TOKEN, &question, &word(held + into - out));
    scene.enter(Enter::call(TREASURY));
    scene.token(TOKEN, sender, TREASURY, U256::from(into)).token(TOKEN, TREASURY, sender, U256::from(out));
    scene.finish().vetoed()
}

fn alone(guard: &OutflowCap) -> Scene<OutflowCap> {
    Scene::new(guard, &[TREASURY])
}

#[test]
fn lets_a_quarter_of_what_is_held_leave_and_reverts_when_more_does() {
    let mut scene = alone(&by_default());
    assert_eq!(transfer(&mut scene, 1_000, THIEF, (0, 251)), Some(CODE_TX_SHARE));
    assert_eq!(transfer(&mut scene, 1_000, THIEF, (0, 250)), None);
}

#[test]
fn lets_a_sender_take_away_what_he_brought_and_no_more() {
    let mut scene = alone(&by_default());
    assert_eq!(transfer(&mut scene, 0, OWNER, (1_000, 0)), None);
    assert_eq!(transfer(&mut scene, 1_000, THIEF, (0, 1_000)), Some(CODE_TX_SHARE));
    assert_eq!(transfer(&mut scene, 1_000, OWNER, (0, 1_000)), None);
    assert_eq!(transfer(&mut scene, 1_000, OWNER, (0, 1_000)), Some(CODE_TX_SHARE), "his credit is used up");
}

#[test]
fn bounds_what_is_lost_over_transactions_until_the_peak_has_decayed() {
    let mut scene = alone(&by_default());
    assert_eq!(transfer(&mut scene, 1_000, THIEF, (0, 250)), None);
    assert_eq!(transfer(&mut scene, 750, THIEF, (0, 180)), None);
    assert_eq!(transfer(&mut scene, 570, THIEF, (0, 80)), Some(CODE_WINDOW_SHARE));
    assert_eq!(transfer(scene.later(24 * HOUR_S), 570, THIEF, (0, 80)), None);
}

#[test]
fn does_not_add_up_the_two_sided_traffic_of_a_pool() {
    let mut scene = alone(&by_default());
    for round in 0..50 {
        let trader = Address([round; 20]);
        assert_eq!(transfer(&mut scene, 1_000, trader, (0, 200)), None);
        assert_eq!(transfer(&mut scene, 800, Address([round + 100; 20]), (200, 0)), None);
    }
}

#[test]
fn lets_a_flash_loan_of_everything_pass_that_is_repaid() {
    let mut scene = alone(&by_default());
    assert_eq!(transfer(&mut scene, 1_000, THIEF, (1_001, 1_000)), None);
}

#[test]
fn caps_ether_by_share_as_well() {
    let mut scene = alone(&by_default());
    scene.world.pre_tx.balances.insert(TREASURY.0, U256::from(1_000).to_be_bytes());
    assert_eq!(pay(&mut scene, 501), Some(CODE_TX_SHARE));
}

#[test]
fn has_a_default_for_every_parameter() {
    let descriptor = OutflowCap::DESCRIPTOR;
    assert_eq!(descriptor.matches(r#""default":"#).count(), 6, "{descriptor}");
}

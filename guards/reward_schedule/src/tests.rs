use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_NOT_OWED, CODE_SCHEDULE, RewardSchedule};

const FARM: Address = Address([0xaa; 20]);
const REWARD: Address = Address([0x70; 20]);
const STAKED: Address = Address([0x71; 20]);
const USER: Address = Address([0xee; 20]);
const OTHER: Address = Address([0xef; 20]);
const DAY_S: u64 = 86_400;

fn guard() -> RewardSchedule {
    RewardSchedule { tolerance_bps: 100, per_second: U256::ZERO, backlog_seconds: DAY_S }
}

fn question(function: &str, of: &[Address]) -> Vec<u8> {
    let words = of.iter().map(|account| [&[0; 12][..], &account.0].concat()).collect::<Vec<_>>().concat();
    [&keccak256(function.as_bytes()).0[..4], &words].concat()
}

fn tells(scene: &mut Scene<RewardSchedule>, fork: Fork, function: &str, of: &[Address], word: U256) {
    scene.answer(fork, FARM, &question(function, of), &word.to_be_bytes::<32>());
}

fn address(account: Address) -> U256 {
    U256::from_be_slice(&account.0)
}

/// A farm that pays one token for another.
fn scene() -> Scene<RewardSchedule> {
    let mut scene = Scene::new(&guard(), &[FARM]);
    tells(&mut scene, Fork::PreTx, "rewardsToken()", &[], address(REWARD));
    tells(&mut scene, Fork::PreTx, "stakingToken()", &[], address(STAKED));
    scene
}

/// What the farm owes before a transaction and after it.
fn owes(scene: &mut Scene<RewardSchedule>, account: Address, before: u64, after: u64) {
    tells(scene, Fork::PreTx, "earned(address)", &[account], U256::from(before));
    tells(scene, Fork::Now, "earned(address)", &[account], U256::from(after));
}

fn pays(scene: &mut Scene<RewardSchedule>, token: Address, to: Address, amount: u64) {
    scene.enter(Enter::call(FARM).input(&question("claimTo(address)", &[to]))).enter(Enter::call(token));
    scene.token(token, FARM, to, U256::from(amount)).leave().leave();
}

#[test]
fn lets_what_is_owed_be_paid() {
    let mut scene = scene();
    owes(&mut scene, USER, 50_000, 0);
    pays(&mut scene, REWARD, USER, 50_000);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn vetoes_a_claim_that_is_made_twice() {
    let mut scene = scene();
    owes(&mut scene, USER, 50_000, 0);
    scene.enter(Enter::call(USER));
    pays(&mut scene, REWARD, USER, 50_000);
    pays(&mut scene, REWARD, USER, 50_000);
    assert_eq!(scene.finish().vetoed(), Some(CODE_NOT_OWED));
}

#[test]
fn vetoes_a_claim_after_which_as_much_is_owed_as_before() {
    let mut scene = scene();
    owes(&mut scene, USER, 50_000, 50_000);
    pays(&mut scene, REWARD, USER, 50_000);
    assert_eq!(scene.finish().vetoed(), Some(CODE_NOT_OWED));
}

#[test]
fn vetoes_what_nobody_had_earned_before() {
    let mut scene = scene();
    owes(&mut scene, USER, 0, 0);
    pays(&mut scene, REWARD, USER, 50_000);
    assert_eq!(scene.finish().vetoed(), Some(CODE_NOT_OWED));
}

#[test]
fn vetoes_what_is_minted_beyond_what_is_owed() {
    let mut scene = scene();
    owes(&mut scene, USER, 10_000, 0);
    scene.enter(Enter::call(USER)).enter(Enter::call(FARM)).enter(Enter::call(REWARD));
    scene.token(REWARD, Address::ZERO, USER, U256::from(50_000)).leave();
    assert_eq!(scene.finish().vetoed(), Some(CODE_NOT_OWED));
}

#[test]
fn lets_a_farm_mint_for_its_makers_and_pay_fees_as_it_goes() {
    let mut scene = scene();
    owes(&mut scene, USER, 50_000, 0);
    scene.enter(Enter::call(USER)).enter(Enter::call(FARM)).enter(Enter::call(REWARD));
    scene.token(REWARD, Address::ZERO, OTHER, U256::from(5_000)).token(REWARD, FARM, OTHER, U256::from(5_000));
    scene.token(REWARD, FARM, USER, U256::from(50_000)).leave();
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_somebody_claim_for_another_and_to_a_third() {
    let mut scene = scene();
    owes(&mut scene, OTHER, 50_000, 0);
    let input = question("claimFor(address,address)", &[OTHER, USER]);
    scene.enter(Enter::call(FARM).input(&input)).enter(Enter::call(REWARD));
    scene.token(REWARD, FARM, USER, U256::from(50_000)).leave();
    assert_eq!(scene.finish().vetoed(), None);
}

/// A farm in whose reward people stake; somebody takes his stake of 900,000 home and is paid 50,000 of rewards, and more.
fn leaves_with(amount: u64) -> Option<u16> {
    let mut scene = Scene::new(&guard(), &[FARM]);
    tells(&mut scene, Fork::PreTx, "rewardsToken()", &[], address(REWARD));
    tells(&mut scene, Fork::PreTx, "stakingToken()", &[], address(REWARD));
    tells(&mut scene, Fork::PreTx, "balanceOf(address)", &[USER], U256::from(900_000));
    tells(&mut scene, Fork::Now, "balanceOf(address)", &[USER], U256::ZERO);
    owes(&mut scene, USER, 50_000, 0);
    pays(&mut scene, REWARD, USER, amount);
    scene.finish().vetoed()
}

#[test]
fn lets_a_stake_in_the_reward_itself_go_home() {
    assert_eq!(leaves_with(950_000), None);
    assert_eq!(leaves_with(990_000), Some(CODE_NOT_OWED));
}

#[test]
fn vetoes_what_lies_beyond_the_schedule() {
    let mut scene = scene();
    let mut pays_a_day = |seconds: u64| {
        scene.later(seconds);
        tells(&mut scene, Fork::PreTx, "rewardsToken()", &[], address(REWARD));
        tells(&mut scene, Fork::PreTx, "rewardRate()", &[], U256::from(10));
        pays(&mut scene, REWARD, USER, 10 * DAY_S);
        scene.finish().vetoed()
    };
    assert_eq!(pays_a_day(0), None, "a day's rewards may have been left over");
    assert_eq!(pays_a_day(DAY_S / 2), Some(CODE_SCHEDULE));
    assert_eq!(pays_a_day(DAY_S / 2), None);
}

#[test]
fn has_nothing_to_say_of_what_is_no_farm() {
    let mut scene = Scene::new(&guard(), &[FARM]);
    pays(&mut scene, REWARD, USER, 1_000_000);
    assert_eq!(scene.finish().vetoed(), None);
}

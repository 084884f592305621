use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_DRAINED, CODE_GIVEN_BACK, FlashVotes, VOTING};

const DAO: Address = Address([0xaa; 20]);
const TREASURY: Address = Address([0xab; 20]);
const TOKEN: Address = Address([0x70; 20]);
const OTHER: Address = Address([0x71; 20]);
const VOTER: Address = Address([0xee; 20]);
const LENDER: Address = Address([0x1e; 20]);
const SWAP: Address = Address([0x90; 20]);
const ACT: Bytes4 = Bytes4([0xac, 0x70, 0, 0]);

fn scene() -> Scene<FlashVotes> {
    let mut scene = Scene::new(&FlashVotes { returned_bps: 5_000, drained_bps: 1_000 }, &[DAO, TREASURY]);
    scene.enter(Enter::call(VOTER));
    scene
}

fn moves(scene: &mut Scene<FlashVotes>, token: Address, from: Address, to: Address, amount: u64) {
    scene.enter(Enter::call(token)).token(token, from, to, U256::from(amount)).leave();
}

/// Something that moves nothing, in which the contract asks the token for the voter's power.
fn votes(scene: &mut Scene<FlashVotes>) {
    scene.enter(Enter::call(DAO).selector(ACT)).enter(Enter::static_call(TOKEN)).leave().leave();
}

fn stakes(scene: &mut Scene<FlashVotes>, amount: u64) {
    scene.enter(Enter::call(DAO).selector(ACT));
    moves(scene, TOKEN, VOTER, DAO, amount);
    scene.leave();
}

fn unstakes(scene: &mut Scene<FlashVotes>, amount: u64) {
    scene.enter(Enter::call(DAO).selector(ACT));
    moves(scene, TOKEN, DAO, VOTER, amount);
    scene.leave();
}

#[test]
fn vetoes_a_vote_with_borrowed_tokens() {
    let mut scene = scene();
    moves(&mut scene, TOKEN, LENDER, VOTER, 100);
    votes(&mut scene);
    moves(&mut scene, TOKEN, VOTER, LENDER, 101);
    assert_eq!(scene.finish().vetoed(), Some(CODE_GIVEN_BACK));
}

#[test]
fn vetoes_a_vote_with_a_borrowed_stake() {
    let mut scene = scene();
    moves(&mut scene, TOKEN, LENDER, VOTER, 100);
    stakes(&mut scene, 100);
    scene.enter(Enter::call(DAO).selector(ACT)).leave();
    unstakes(&mut scene, 100);
    moves(&mut scene, TOKEN, VOTER, LENDER, 100);
    assert_eq!(scene.finish().vetoed(), Some(CODE_GIVEN_BACK));
}

#[test]
fn vetoes_power_that_is_minted_for_a_deposit_and_burned_again() {
    let mut scene = scene();
    moves(&mut scene, TOKEN, Address::ZERO, VOTER, 100);
    stakes(&mut scene, 100);
    scene.enter(Enter::call(DAO).selector(ACT));
    moves(&mut scene, TOKEN, DAO, VOTER, 150);
    scene.leave();
    moves(&mut scene, TOKEN, VOTER, Address::ZERO, 150);
    assert_eq!(scene.finish().vetoed(), Some(CODE_GIVEN_BACK));
}

#[test]
fn vetoes_a_vote_of_the_token_itself() {
    let mut scene = Scene::new(&FlashVotes { returned_bps: 5_000, drained_bps: 1_000 }, &[TOKEN]);
    scene.enter(Enter::call(VOTER));
    moves(&mut scene, TOKEN, LENDER, VOTER, 100);
    scene.enter(Enter::call(TOKEN).selector(VOTING[0])).leave();
    moves(&mut scene, TOKEN, VOTER, LENDER, 100);
    assert_eq!(scene.finish().vetoed(), Some(CODE_GIVEN_BACK));
}

#[test]
fn vetoes_who_buys_votes_and_drains_at_once() {
    let mut scene = scene();
    let balance_of = [&[0x70, 0xa0, 0x82, 0x31][..], &[0; 12], &TREASURY.0].concat();
    scene.answer(Fork::PreTx, OTHER, &balance_of, &U256::from(1_000).to_be_bytes::<32>());
    moves(&mut scene, TOKEN, SWAP, VOTER, 100);
    votes(&mut scene);
    scene.enter(Enter::call(DAO).selector(ACT));
    moves(&mut scene, OTHER, TREASURY, VOTER, 900);
    scene.leave();
    assert_eq!(scene.finish().vetoed(), Some(CODE_DRAINED));
}

#[test]
fn lets_holders_vote_and_execute() {
    let mut scene = scene();
    votes(&mut scene);
    scene.enter(Enter::call(DAO).selector(VOTING[8]));
    moves(&mut scene, OTHER, TREASURY, SWAP, 900);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_who_buys_and_keeps_vote_stake_and_claim() {
    let mut scene = scene();
    moves(&mut scene, TOKEN, SWAP, VOTER, 100);
    stakes(&mut scene, 100);
    votes(&mut scene);
    scene.enter(Enter::call(DAO).selector(ACT));
    moves(&mut scene, OTHER, TREASURY, VOTER, 1);
    scene.leave();
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_stakers_leave_and_sell() {
    let mut scene = scene();
    unstakes(&mut scene, 100);
    moves(&mut scene, TOKEN, VOTER, SWAP, 100);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_flash_loans_pass_that_do_not_act_on_the_contract_or_only_pay_in() {
    let mut scene = scene();
    moves(&mut scene, TOKEN, LENDER, VOTER, 100);
    scene.enter(Enter::static_call(DAO)).leave();
    scene.enter(Enter::call(DAO).selector(ACT));
    moves(&mut scene, OTHER, VOTER, DAO, 7);
    scene.leave();
    moves(&mut scene, TOKEN, VOTER, LENDER, 100);
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn lets_flash_loans_of_unrelated_tokens_pass() {
    let mut scene = scene();
    moves(&mut scene, OTHER, LENDER, VOTER, 100);
    votes(&mut scene);
    moves(&mut scene, OTHER, VOTER, LENDER, 100);
    assert_eq!(scene.finish().vetoed(), None);
}

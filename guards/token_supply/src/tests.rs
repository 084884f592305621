#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_TOO_MUCH, CODE_UNAUTHORISED, CODE_UNEXPLAINED_BALANCE, CODE_UNEXPLAINED_SUPPLY, TokenSupply};

const TOKEN: Address = Address([0xaa; 20]);
const OWNER: Address = Address([0x0e; 20]);
const FARM: Address = Address([0xfa; 20]);
const THIEF: Address = Address([0xee; 20]);
const USDC: Address = Address([0x70; 20]);

type Played = Scene<TokenSupply>;

fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn selector(function: &str) -> [u8; 4] {
    *keccak256(function.as_bytes()).0.first_chunk().unwrap()
}

fn supply(scene: &mut Played, before: u64, after: u64) {
    scene.answer(Fork::PreTx, TOKEN, &selector("totalSupply()"), &word(before));
    scene.answer(Fork::Now, TOKEN, &selector("totalSupply()"), &word(after));
}

fn balance(scene: &mut Played, holder: Address, before: u64, after: u64) {
    let question = [&selector("balanceOf(address)")[..], &[0; 12], &holder.0].concat();
    scene.answer(Fork::PreTx, TOKEN, &question, &word(before));
    scene.answer(Fork::Now, TOKEN, &question, &word(after));
}

/// Somebody calls the token, of which there are a thousand, and it mints.
fn mint(caller: Address, minted: u64) -> Played {
    let mut scene = Scene::new(&TokenSupply { minters: Vec::new(), mint_bps: 10_000, stray_bps: 100 }, &[TOKEN]);
    supply(&mut scene, 1_000, 1_000 + minted);
    balance(&mut scene, THIEF, 0, minted);
    scene.answer(Fork::PreTx, TOKEN, &selector("owner()"), &[&[0; 12][..], &OWNER.0].concat());
    scene.world.context.sender = THIEF.into();
    scene.enter(Enter::call(caller)).enter(Enter::call(TOKEN));
    scene.token(TOKEN, Address::ZERO, THIEF, U256::from(minted));
    scene
}

#[test]
fn vetoes_a_mint_by_somebody_who_may_not() {
    assert_eq!(mint(THIEF, 500).finish().vetoed(), Some(CODE_UNAUTHORISED));
}

#[test]
fn lets_the_owner_mint_and_not_multiply() {
    assert_eq!(mint(OWNER, 500).finish().veto, None);
    assert_eq!(mint(OWNER, 1_001).finish().vetoed(), Some(CODE_TOO_MUCH));
}

#[test]
fn lets_minters_by_role_by_name_and_by_parameter_mint() {
    let role = *b"MINTER_ROLE";
    let has_role = [&selector("hasRole(bytes32,address)")[..], &keccak256(&role).0, &[0; 12], &FARM.0].concat();
    let mut by_role = mint(FARM, 500);
    by_role.answer(Fork::PreTx, TOKEN, &has_role, &word(1));
    assert_eq!(by_role.finish().veto, None);

    let mut by_name = mint(FARM, 500);
    by_name.answer(Fork::PreTx, TOKEN, &[&selector("minters(address)")[..], &[0; 12], &FARM.0].concat(), &word(1));
    assert_eq!(by_name.finish().veto, None);

    let named = TokenSupply { minters: [FARM].to_vec(), mint_bps: 10_000, stray_bps: 100 };
    let mut by_parameter = mint(FARM, 500);
    by_parameter.world.config = parapet_guest::config::Config::encode(&named);
    assert_eq!(by_parameter.finish().veto, None);
}

#[test]
fn is_not_fooled_by_an_entitlement_gained_on_the_way() {
    let mut scene = mint(THIEF, 500);
    scene.answer(Fork::Now, TOKEN, &selector("owner()"), &[&[0; 12][..], &THIEF.0].concat());
    assert_eq!(scene.finish().vetoed(), Some(CODE_UNAUTHORISED));
}

#[test]
fn lets_anybody_mint_who_pays_as_vaults_and_wrappers_have_it() {
    let mut scene = mint(THIEF, 5_000);
    scene.token(USDC, THIEF, TOKEN, U256::from(5_000));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn lets_what_is_burned_again_be_minted() {
    let mut scene = mint(THIEF, 5_000);
    supply(&mut scene, 1_000, 1_000);
    balance(&mut scene, THIEF, 0, 0);
    scene.token(TOKEN, THIEF, Address::ZERO, U256::from(5_000));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn vetoes_a_balance_that_no_transfer_explains() {
    let mut scene = Scene::new(&TokenSupply { minters: Vec::new(), mint_bps: 10_000, stray_bps: 100 }, &[TOKEN]);
    supply(&mut scene, 1_000, 1_000);
    balance(&mut scene, THIEF, 0, 700);
    scene.world.context.sender = THIEF.into();
    scene.enter(Enter::call(TOKEN));
    assert_eq!(scene.finish().vetoed(), Some(CODE_UNEXPLAINED_BALANCE));
}

#[test]
fn vetoes_a_transfer_to_oneself_that_doubles() {
    let mut scene = Scene::new(&TokenSupply { minters: Vec::new(), mint_bps: 10_000, stray_bps: 100 }, &[TOKEN]);
    supply(&mut scene, 1_000, 1_000);
    balance(&mut scene, THIEF, 400, 800);
    scene.world.context.sender = THIEF.into();
    scene.enter(Enter::call(TOKEN)).token(TOKEN, THIEF, THIEF, U256::from(400));
    assert_eq!(scene.finish().vetoed(), Some(CODE_UNEXPLAINED_BALANCE));
}

#[test]
fn vetoes_a_supply_that_grows_without_a_mint() {
    let mut scene = Scene::new(&TokenSupply { minters: Vec::new(), mint_bps: 10_000, stray_bps: 100 }, &[TOKEN]);
    supply(&mut scene, 1_000, 2_000);
    scene.enter(Enter::call(TOKEN));
    assert_eq!(scene.finish().vetoed(), Some(CODE_UNEXPLAINED_SUPPLY));
}

#[test]
fn lets_ordinary_transfers_and_fees_on_them_pass() {
    let mut scene = Scene::new(&TokenSupply { minters: Vec::new(), mint_bps: 10_000, stray_bps: 100 }, &[TOKEN]);
    supply(&mut scene, 1_000, 990);
    balance(&mut scene, OWNER, 900, 0);
    balance(&mut scene, THIEF, 0, 890);
    scene.enter(Enter::call(TOKEN)).token(TOKEN, OWNER, THIEF, U256::from(900));
    assert_eq!(scene.finish().veto, None);
}

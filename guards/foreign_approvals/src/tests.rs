#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    abi::{AccessRecord, PreimageRecord},
    mock::{Enter, Scene},
    prelude::*,
};
use standing::{ECRECOVER, IS_VALID_SIGNATURE, word_of};

use super::{APPROVALS, CODE_SPENT, ForeignApprovals, PERMITS, SPENDING};

const ROUTER: Address = Address([0xaa; 20]);
const TOKEN: Address = Address([0x70; 20]);
const VICTIM: Address = Address([0x11; 20]);
const ATTACKER: Address = Address([0xee; 20]);
const POOL: Address = Address([0x90; 20]);
const LOGIC: Address = Address([0x10; 20]);
const PERMIT2: Address = Address::from_hex("0x000000000022d473030f116ddee9f6b43ac78ba3");
const SENDER: Address = Address([0x5e; 20]);

fn scene() -> Scene<ForeignApprovals> {
    Scene::new(&ForeignApprovals { agents: [PERMIT2].to_vec(), allow_callers: Vec::new() }, &[ROUTER])
}

fn spend(scene: &mut Scene<ForeignApprovals>, owner: Address) -> Option<u16> {
    scene.enter(Enter::call(TOKEN).selector(SPENDING[0])).token(TOKEN, owner, ATTACKER, U256::from(5));
    scene.finish().vetoed()
}

fn entered() -> Scene<ForeignApprovals> {
    let mut scene = scene();
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(ROUTER));
    scene
}

#[test]
fn vetoes_taking_from_somebody_who_had_no_part() {
    assert_eq!(spend(&mut entered(), VICTIM), Some(CODE_SPENT));
}

#[test]
fn vetoes_it_whatever_lies_between_router_and_token() {
    let mut through_callback = entered();
    through_callback.enter(Enter::call(ATTACKER)).enter(Enter::call(ROUTER));
    assert_eq!(spend(&mut through_callback, VICTIM), Some(CODE_SPENT));

    let mut borrowed = entered();
    borrowed.enter(Enter::delegate_call(LOGIC));
    assert_eq!(spend(&mut borrowed, VICTIM), Some(CODE_SPENT));

    let mut proxied = entered();
    proxied.enter(Enter::call(TOKEN).selector(SPENDING[0])).enter(Enter::delegate_call(LOGIC).selector(SPENDING[0]));
    proxied.token(TOKEN, VICTIM, ATTACKER, U256::from(1));
    assert_eq!(proxied.finish().vetoed(), Some(CODE_SPENT));

    let mut by_agent = entered();
    by_agent.enter(Enter::call(PERMIT2));
    assert_eq!(spend(&mut by_agent, VICTIM), Some(CODE_SPENT));
}

#[test]
fn vetoes_nfts_as_well() {
    let mut scene = entered();
    scene.enter(Enter::call(TOKEN).selector(SPENDING[1]));
    scene.flow(Asset::Erc721, TOKEN, VICTIM, ATTACKER, U256::from(1));
    assert_eq!(scene.finish().vetoed(), Some(CODE_SPENT));
}

#[test]
fn lets_sender_callers_and_open_contracts_spend_their_own() {
    for owner in [SENDER, ATTACKER] {
        assert_eq!(spend(&mut entered(), owner), None);
    }
    let mut wallet = scene();
    wallet.enter(Enter::call(VICTIM)).enter(Enter::call(POOL)).enter(Enter::call(ROUTER));
    assert_eq!(spend(&mut wallet, VICTIM), None);
}

#[test]
fn lets_a_pool_pay_out_its_own_tokens_and_others_spend_what_was_approved_to_them() {
    let mut swap = entered();
    swap.enter(Enter::call(POOL)).enter(Enter::call(TOKEN)).token(TOKEN, POOL, SENDER, U256::from(9));
    assert_eq!(swap.finish().vetoed(), None);

    let mut market = entered();
    market.enter(Enter::call(POOL));
    assert_eq!(spend(&mut market, VICTIM), None, "the approval was given to the pool");
}

#[test]
fn lets_an_owner_approve_in_the_same_transaction() {
    let permits = |selector, caller: Address| {
        let mut scene = scene();
        scene.enter(Enter::call(ATTACKER));
        if caller != ATTACKER {
            scene.enter(Enter::call(caller));
        }
        scene.enter(Enter::call(TOKEN).selector(selector));
        scene.log(TOKEN, &[APPROVALS[0], B256(word_of(VICTIM).to_be_bytes())], &[]).leave();
        if caller != ATTACKER {
            scene.leave();
        }
        scene.enter(Enter::call(ROUTER));
        spend(&mut scene, VICTIM)
    };
    assert_eq!(permits(PERMITS[0], ATTACKER), None);
    assert_eq!(permits(Bytes4([9, 9, 9, 9]), VICTIM), None);
    let left = permits(SPENDING[0], ATTACKER);
    assert_eq!(left, Some(CODE_SPENT), "a token that logs what is left of an approval was given none");
}

#[test]
fn lets_signed_orders_pass_but_not_signatures_that_others_checked() {
    for (asks, expected) in [(ROUTER, None), (ATTACKER, Some(CODE_SPENT))] {
        let mut scene = entered();
        if asks == ATTACKER {
            scene.enter(Enter::call(ATTACKER));
        }
        scene.enter(Enter::static_call(ECRECOVER).precompile());
        scene.leave_as(FrameStatus::Succeeded, &word_of(VICTIM).to_be_bytes::<32>());
        if asks == ATTACKER {
            scene.leave();
        }
        assert_eq!(spend(&mut scene, VICTIM), expected);
    }
    let mut contract = entered();
    contract.enter(Enter::static_call(VICTIM).selector(IS_VALID_SIGNATURE));
    contract.leave_as(FrameStatus::Succeeded, &IS_VALID_SIGNATURE.0);
    assert_eq!(spend(&mut contract, VICTIM), None);
}

#[test]
fn lets_orders_pass_that_the_contract_has_kept() {
    for (kept, expected) in [(word_of(VICTIM), None), (U256::ZERO, Some(CODE_SPENT))] {
        let mut scene = entered();
        scene.storage(Fork::PreTx, ROUTER, U256::from(77), kept);
        let read =
            AccessRecord { address: ROUTER.into(), slot: U256::from(77).to_be_bytes(), ..AccessRecord::default() };
        scene.world.accesses.push(AccessRecord { old: word_of(VICTIM).to_be_bytes(), ..read });
        assert_eq!(spend(&mut scene, VICTIM), expected);
    }
    for (kept, expected) in [(U256::from(3), None), (U256::ZERO, Some(CODE_SPENT))] {
        let mut scene = entered();
        let entry = U256::from(5_000);
        scene.storage(Fork::PreTx, ROUTER, entry + U256::from(1), kept);
        let key = word_of(VICTIM).to_be_bytes();
        scene.world.preimages.push(PreimageRecord { key, hash: entry.to_be_bytes(), ..PreimageRecord::default() });
        let slot = (entry + U256::from(1)).to_be_bytes();
        scene.world.accesses.push(AccessRecord { seq: 3, address: ROUTER.into(), slot, ..AccessRecord::default() });
        assert_eq!(spend(&mut scene, VICTIM), expected);
    }
}

#[test]
fn lets_the_contracts_owner_and_allowed_callers_pull() {
    let mut owned = entered();
    owned.storage(Fork::PreTx, ROUTER, U256::ZERO, word_of(ATTACKER));
    let old = word_of(ATTACKER).to_be_bytes();
    owned.world.accesses.push(AccessRecord { seq: 3, address: ROUTER.into(), old, ..AccessRecord::default() });
    assert_eq!(spend(&mut owned, VICTIM), None);

    let guard = ForeignApprovals { agents: Vec::new(), allow_callers: [ATTACKER].to_vec() };
    let mut allowed = Scene::new(&guard, &[ROUTER]);
    allowed.enter(Enter::call(ATTACKER)).enter(Enter::call(ROUTER));
    assert_eq!(spend(&mut allowed, VICTIM), None);
}

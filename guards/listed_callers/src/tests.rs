use parapet_guest::{
    abi::AccessRecord,
    mock::{Enter, Scene},
    prelude::*,
};
use standing::{right::GETTERS, word_of};

use super::{
    CODE_CALLER, ListedCallers,
    known::{ADMINISTRATIVE, INITIALISING},
};

const POOL: Address = Address([0xaa; 20]);
const CALLER: Address = Address([0xee; 20]);
const SPECIAL: Bytes4 = Bytes4([0x5b; 4]);

fn called(guard: &ListedCallers, caller: Address, selector: Bytes4) -> Scene<ListedCallers> {
    let mut scene = Scene::new(guard, &[POOL]);
    scene.enter(Enter::call(caller)).enter(Enter::call(POOL).input(&[&selector.0[..], &[0; 32]].concat()));
    scene.world.frames[1].gas_used = 21_000;
    scene
}

fn guard() -> ListedCallers {
    ListedCallers { selectors: Vec::new(), callers: Vec::new() }
}

#[test]
fn vetoes_an_administrative_function_that_asked_nobody() {
    for selector in ADMINISTRATIVE {
        assert_eq!(called(&guard(), CALLER, selector).finish().vetoed(), Some(CODE_CALLER));
    }
    assert_eq!(called(&guard(), CALLER, SPECIAL).finish().vetoed(), None);
}

#[test]
fn vetoes_an_initialiser_of_what_is_initialised_and_lets_the_first_pass() {
    for selector in INITIALISING {
        assert_eq!(called(&guard(), CALLER, selector).finish().vetoed(), None);
        let mut again = called(&guard(), CALLER, selector);
        again.storage(Fork::PreTx, POOL, U256::ONE, U256::ONE);
        assert_eq!(again.finish().vetoed(), Some(CODE_CALLER));
    }
}

#[test]
fn lets_owners_administer_and_contracts_refuse() {
    let mut looked_up = called(&guard(), CALLER, ADMINISTRATIVE[0]);
    looked_up.storage(Fork::PreTx, POOL, U256::ZERO, word_of(CALLER));
    let old = word_of(CALLER).to_be_bytes();
    looked_up.world.accesses.push(AccessRecord { seq: 2, address: POOL.into(), old, ..AccessRecord::default() });
    assert_eq!(looked_up.finish().vetoed(), None);

    let mut answered = called(&guard(), CALLER, ADMINISTRATIVE[0]);
    answered.answer(Fork::PreTx, POOL, &GETTERS[0].0, &word_of(CALLER).to_be_bytes::<32>());
    assert_eq!(answered.finish().vetoed(), None);

    let mut refused = called(&guard(), CALLER, ADMINISTRATIVE[0]);
    refused.leave_as(FrameStatus::Reverted, &[]);
    assert_eq!(refused.finish().vetoed(), None);
}

#[test]
fn takes_lists_of_functions_and_callers() {
    let listed = ListedCallers { selectors: [SPECIAL].to_vec(), callers: [CALLER].to_vec() };
    assert_eq!(called(&listed, CALLER, SPECIAL).finish().vetoed(), None);
    assert_eq!(called(&listed, Address([1; 20]), SPECIAL).finish().vetoed(), Some(CODE_CALLER));
    assert_eq!(called(&listed, Address([1; 20]), ADMINISTRATIVE[0]).finish().vetoed(), None);
}

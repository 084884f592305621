//! EIP-7702 accounts whose code changes while the block runs.

use alloy_primitives::{KECCAK256_EMPTY, U256, keccak256};
use parapet_equivalence::{
    Account, Act, Authorization, Candidate, ChainChoice, NonceChoice, Place, Scenario, Target, Word,
};
use parapet_types::Hardfork;

use crate::cases::{Agreed, RICH, add, agreed, poke, set_code};

const ONE: Place = Place::Contract(0);
const TEN: Place = Place::Contract(1);
const PROBE: Place = Place::Contract(2);
const FIRST: Place = Place::Authority(0);
const SECOND: Place = Place::Authority(1);

/// People who can pay, contracts that add one and ten to slot 1 of whoever runs them, and a probe of the first
/// authority's code.
fn scenario(hardfork: Hardfork) -> Scenario {
    let mut scenario = Scenario::empty(hardfork);
    scenario.accounts = (0..8).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    scenario.accounts.extend([FIRST, SECOND].map(|place| Account::funded(place, RICH)));
    scenario.accounts.push(Account::contract(ONE, vec![add(1, 1)]));
    scenario.accounts.push(Account::contract(TEN, vec![add(1, 10)]));
    let first = Target::Place(FIRST);
    let probe = vec![
        Act::Store { key: Word::Key(1), value: Word::CodeHashOf(first) },
        Act::Store { key: Word::Key(2), value: Word::CodeSizeOf(first) },
    ];
    scenario.accounts.push(Account::contract(PROBE, probe));
    scenario
}

fn delegation_hash(case: &Agreed, to: Place) -> alloy_primitives::B256 {
    keccak256([[0xef, 0x01, 0x00].as_slice(), case.address(to).as_slice()].concat())
}

#[test]
fn an_account_is_delegated_delegated_anew_and_cleared_within_a_block() {
    let mut scenario = scenario(Hardfork::Prague);
    let to = |delegate| vec![Authorization::of(0, delegate)];
    scenario.transactions = vec![
        set_code(0, FIRST, to(Some(ONE))),
        poke(1, FIRST),
        set_code(2, FIRST, to(Some(TEN))),
        poke(3, FIRST),
        set_code(4, FIRST, to(None)),
        poke(5, FIRST),
        poke(6, PROBE),
        set_code(7, FIRST, to(Some(ONE))),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++++++++");
    assert_eq!(case.number(FIRST, 1), 1 + 1 + 10 + 10 + 1);
    assert_eq!(case.nonce(FIRST), 4);
    assert_eq!(case.code_hash(FIRST), delegation_hash(&case, ONE));
    // Between clearing and the last delegation there was no code.
    assert_eq!(case.gas_used(5), 21_000);
    assert_eq!(case.word(PROBE, 1), U256::from_be_bytes(KECCAK256_EMPTY.0));
    assert_eq!(case.word(PROBE, 2), U256::ZERO);
}

#[test]
fn two_authorities_are_shared_by_several_transactions() {
    let mut scenario = scenario(Hardfork::Osaka);
    scenario.transactions = (0..6)
        .map(|number: u8| {
            let delegate = Some([ONE, TEN][usize::from(number % 2)]);
            let both = vec![Authorization::of(number % 2, delegate), Authorization::of((number + 1) % 2, delegate)];
            set_code(number, Place::Authority(number % 2), both)
        })
        .collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++++++");
    assert_eq!((case.nonce(FIRST), case.nonce(SECOND)), (6, 6));
    assert_eq!((case.number(FIRST, 1), case.number(SECOND, 1)), (3, 30));
    assert_eq!(case.code_hash(FIRST), delegation_hash(&case, TEN));
    assert_eq!(case.code_hash(SECOND), delegation_hash(&case, TEN));
}

#[test]
fn authorizations_that_do_not_hold_change_nothing_and_the_others_do() {
    let mut scenario = scenario(Hardfork::Prague);
    let good = Authorization::of(0, Some(ONE));
    let bad = Authorization::of(0, Some(TEN));
    scenario.transactions = vec![
        set_code(0, FIRST, vec![Authorization { forged: true, ..bad }, good]),
        set_code(1, FIRST, vec![Authorization { nonce: NonceChoice::Again, ..bad }]),
        set_code(2, FIRST, vec![Authorization { nonce: NonceChoice::Ahead, ..bad }]),
        set_code(3, FIRST, vec![Authorization { chain: ChainChoice::Other, ..bad }]),
        set_code(4, FIRST, vec![Authorization { chain: ChainChoice::Any, ..bad }]),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++++");
    assert_eq!(case.number(FIRST, 1), 1 + 1 + 1 + 1 + 10);
    assert_eq!(case.nonce(FIRST), 2);
}

#[test]
fn an_authority_that_sends_finds_its_nonce_moved_by_others() {
    let mut scenario = scenario(Hardfork::Prague);
    let from = |authority, nonce| Candidate { nonce, ..Candidate::call(authority, FIRST, Vec::new()) };
    let own = vec![Authorization::of(0, Some(ONE))];
    scenario.transactions = vec![
        // Its own nonce first, then that of its authorization.
        Candidate { authorizations: own, ..from(FIRST, NonceChoice::Next) },
        from(FIRST, NonceChoice::Next),
        set_code(0, FIRST, vec![Authorization::of(1, Some(ONE))]),
        // What the authorization took is taken.
        from(SECOND, NonceChoice::Again),
        from(SECOND, NonceChoice::Next),
        set_code(1, FIRST, vec![Authorization::of(0, None)]),
        from(SECOND, NonceChoice::Next),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++-+++");
    assert_eq!(case.reason(3), "nonce 0 too low, expected 1");
    assert_eq!((case.nonce(FIRST), case.nonce(SECOND)), (4, 3));
    assert_eq!(case.number(FIRST, 1), 4);
    assert_eq!(case.code_hash(FIRST), KECCAK256_EMPTY);
}

#[test]
fn a_delegate_that_is_itself_delegated_is_not_followed() {
    let mut scenario = scenario(Hardfork::Prague);
    scenario.transactions = vec![
        set_code(0, SECOND, vec![Authorization::of(1, Some(FIRST)), Authorization::of(0, Some(ONE))]),
        poke(1, SECOND),
        poke(2, FIRST),
    ];
    let case = agreed(&scenario);
    // 0xef is no opcode: the delegation's own bytes are run.
    assert_eq!(case.destinies(), "hh+");
    assert_eq!(case.number(FIRST, 1), 1);
    assert_eq!(case.word(SECOND, 1), U256::ZERO);
}

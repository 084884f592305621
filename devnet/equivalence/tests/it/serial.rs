//! Blocks without anything to gain, blocks that are full, and keys that look alike.

use alloy_primitives::U256;
use parapet_equivalence::{Account, Act, Argument, Candidate, NonceChoice, Place, Scenario, Word, slot_key};
use parapet_types::Hardfork;

use crate::cases::{RICH, TRANSFER_FEE, agreed, poke};

const COUNTER: Place = Place::Contract(0);
const TWIN: Place = Place::Contract(1);
const SINK: Place = Place::Stranger(0);

fn people(count: u8) -> Scenario {
    let mut scenario = Scenario::empty(Hardfork::Osaka);
    scenario.beneficiary = Place::Stranger(1);
    scenario.accounts = (0..count).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    scenario
}

#[test]
fn increments_of_one_slot_all_count() {
    let mut scenario = people(40);
    scenario.accounts.push(Account::contract(COUNTER, vec![Act::Increment(1)]));
    scenario.transactions = (0..40).map(|person| poke(person, COUNTER)).collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(40));
    assert_eq!(case.number(COUNTER, 1), 40);
    // The first one pays for a slot that was zero: 20,000 instead of 2,900 (EIP-2200, EIP-2929).
    assert_eq!(case.gas_used(0), case.gas_used(1) + 17_100);
    assert!((2..40).all(|candidate| case.gas_used(candidate) == case.gas_used(1)));
}

#[test]
fn nonces_of_one_sender_are_a_chain() {
    let mut scenario = people(1);
    scenario.transactions = vec![Candidate::transfer(Place::Person(0), SINK, 3); 40];
    let case = agreed(&scenario);
    assert_eq!(case.nonce(Place::Person(0)), 40);
    assert_eq!(case.balance(Place::Person(0)), RICH - 40 * (TRANSFER_FEE + 3));
    assert_eq!(case.balance(SINK), 120);
}

#[test]
fn a_gap_in_the_nonces_stops_only_what_is_beyond_it() {
    let mut scenario = people(2);
    let with = |nonce| Candidate { nonce, ..Candidate::transfer(Place::Person(0), SINK, 1) };
    scenario.transactions = vec![
        with(NonceChoice::Next),
        with(NonceChoice::Ahead),
        with(NonceChoice::Again),
        with(NonceChoice::Next),
        with(NonceChoice::Next),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+--++");
    assert_eq!(case.reason(1), "nonce 2 too high, expected 1");
    assert_eq!(case.reason(2), "nonce 0 too low, expected 1");
    assert_eq!(case.nonce(Place::Person(0)), 3);
}

#[test]
fn tokens_passed_on_hand_to_hand_arrive() {
    const HANDS: u8 = 20;
    let mut scenario = people(HANDS);
    let amount = Word::Argument(0);
    let token = vec![Act::Move { from: Word::Caller, to: Word::Argument(1), amount }];
    let mint = Act::Store { key: Word::Argument(1), value: Word::Argument(0) };
    scenario.accounts.push(Account::contract(COUNTER, token));
    scenario.accounts.push(Account::contract(TWIN, vec![mint]));
    let pass = |hand: u8, amount| {
        let next = Place::Person((hand + 1) % HANDS);
        let arguments = vec![Argument::Number(amount), Argument::Address(next)];
        Candidate::call(Place::Person(hand), COUNTER, arguments)
    };
    // Nobody has anything: all but those that move nothing revert.
    scenario.transactions = (0..HANDS).map(|hand| pass(hand, u64::from(hand % 2))).collect();
    assert_eq!(agreed(&scenario).destinies(), "+r".repeat(usize::from(HANDS) / 2));
    // The first one has one, under the key that is its address as a number.
    scenario.children = vec![parapet_equivalence::Child::default()];
    let grant = Act::When(Word::Argument(1), vec![Act::Move { from: Word::Caller, to: Word::Argument(1), amount }]);
    let gift = Act::When(Word::CallValue, vec![Act::Store { key: Word::Caller, value: Word::CallValue }]);
    scenario.accounts.push(Account::contract(COUNTER, vec![gift, grant]));
    scenario.transactions = (0..HANDS).map(|hand| pass(hand, 1)).collect();
    scenario.transactions[0].value = 1;
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(usize::from(HANDS)));
    let holdings = &case.change(COUNTER).unwrap().storage;
    let total: U256 = holdings.values().sum();
    let first = U256::from_be_slice(case.address(Place::Person(0)).as_slice());
    assert_eq!((total, holdings[&first]), (U256::from(1), U256::from(1)));
}

#[test]
fn transactions_that_name_their_own_sender_wait_for_nobody() {
    let mut scenario = people(40);
    let token = vec![Act::Add { key: Word::Argument(0), value: Word::Literal(1) }];
    scenario.accounts.push(Account::contract(COUNTER, token));
    let own = |person| {
        let itself = Argument::Address(Place::Person(person));
        Candidate::call(Place::Person(person), COUNTER, vec![itself, itself])
    };
    scenario.transactions = (0..40).chain(0..40).map(own).collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(80));
    let counts = &case.change(COUNTER).unwrap().storage;
    assert_eq!(counts.len(), 40);
    assert!(counts.values().all(|count| *count == U256::from(2)));
}

#[test]
fn keys_that_look_alike_are_not_confused() {
    const KEYS: u8 = 12;
    const ROUNDS: u8 = 3;
    let mut scenario = people(8);
    let add = vec![Act::Add { key: Word::Argument(0), value: Word::Argument(1) }];
    scenario.accounts.push(Account::contract(COUNTER, add.clone()));
    scenario.accounts.push(Account::contract(TWIN, add));
    for number in 0..KEYS * ROUNDS {
        let key = number % KEYS;
        let call = |place, amount| {
            let arguments = vec![Argument::Key(key), Argument::Number(amount)];
            Candidate::call(Place::Person(number % 8), place, arguments)
        };
        scenario.transactions.push(call(COUNTER, u64::from(key) + 1));
        scenario.transactions.push(call(TWIN, 1_000 + u64::from(key)));
    }
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(usize::from(KEYS * ROUNDS) * 2));
    for key in 0..KEYS {
        assert_eq!(case.number(COUNTER, key), 3 * (u64::from(key) + 1), "slot {:#x}", slot_key(key));
        assert_eq!(case.number(TWIN, key), 3 * (1_000 + u64::from(key)), "slot {:#x}", slot_key(key));
    }
    assert_eq!(case.address(COUNTER)[12..], case.address(TWIN)[12..]);
    assert_eq!(case.address(COUNTER)[..8], case.address(TWIN)[..8]);
}

#[test]
fn a_full_block_takes_what_still_fits() {
    let mut scenario = people(12);
    scenario.gas_limit = 100_000;
    scenario.transactions = (0..12)
        .map(|person| {
            let gas_limit = if person % 3 == 1 { 90_000 } else { 21_000 };
            Candidate { gas_limit, ..Candidate::transfer(Place::Person(person), SINK, 1) }
        })
        .collect();
    let case = agreed(&scenario);
    // 21,000 each, whatever was asked for: after one, 79,000 are left.
    assert_eq!(case.destinies(), "+-++-+------");
    assert_eq!(case.reason(1), "needs 90000 gas, 79000 are left in the block");
    assert_eq!(case.reason(6), "needs 21000 gas, 16000 are left in the block");
    assert_eq!(case.seen().gas_used, 84_000);
}

//! Accounts that go, and come back at the same address.

use alloy_primitives::U256;
use parapet_equivalence::{
    Account, Act, Argument, Authorization, Body, CallKind, Candidate, Child, Destination, Place, Scenario, Target, Word,
};
use parapet_types::Hardfork;

use crate::cases::{Agreed, RICH, TRANSFER_FEE, add, agreed, poke};

const FACTORY: Place = Place::Contract(0);
const PROBE: Place = Place::Contract(1);
const HEIR: Place = Place::Stranger(1);
const CHILD: Place = Place::Child { factory: 0, salt: 0, child: 0 };
const AUTHORITY: Place = Place::Authority(0);

/// A factory that creates the child and calls it with its own argument. The child destroys itself if that is not zero,
/// else it adds one to its slot 0. A probe stores the child's slots as it sees them: hash and size of code, balance.
fn scenario(hardfork: Hardfork) -> Scenario {
    let mut scenario = Scenario::empty(hardfork);
    scenario.accounts = (0..10).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    let destroy = Act::When(Word::Argument(0), vec![Act::SelfDestruct(Target::Place(HEIR))]);
    scenario.children = vec![Child { constructor: Vec::new(), runtime: vec![destroy, Act::Increment(0)] }];
    let create = Act::Create { child: 0, salt: Some(Word::Literal(0)), value: Word::CallValue, remember: Some(1) };
    let call = Act::Call {
        kind: CallKind::Call,
        target: Target::Place(CHILD),
        value: Word::Literal(0),
        selector: 0,
        argument: Word::Argument(0),
        gas: None,
        remember: Some(2),
    };
    scenario.accounts.push(Account::contract(FACTORY, vec![create, call]));
    let child = Target::Place(CHILD);
    let probe = vec![
        Act::Store { key: Word::Key(1), value: Word::CodeHashOf(child) },
        Act::Store { key: Word::Key(2), value: Word::CodeSizeOf(child) },
        Act::Store { key: Word::Key(3), value: Word::BalanceOf(child) },
    ];
    scenario.accounts.push(Account::contract(PROBE, probe));
    scenario
}

fn call(person: u8, to: Place, argument: u64, value: u64) -> Candidate {
    Candidate { value, ..Candidate::call(Place::Person(person), to, vec![Argument::Number(argument)]) }
}

#[test]
fn selfdestruct_create2_and_delegation_meet_in_one_block() {
    let mut scenario = scenario(Hardfork::Osaka);
    let wealth = 4_200_000;
    scenario.accounts.push(Account::funded(AUTHORITY, wealth));
    scenario.transactions = vec![
        // Created and destroyed in the same transaction, twice at the same address.
        call(0, FACTORY, 1, 7),
        call(1, FACTORY, 1, 7),
        // Created for good; the second creation collides, which burns all but a 64th of the gas, and the call goes through.
        call(2, FACTORY, 0, 50),
        Candidate { gas_limit: 5_000_000, ..call(3, FACTORY, 0, 5) },
        // Not of this transaction: loses its balance only.
        call(4, CHILD, 1, 0),
        // The child's code run by a delegated account, which loses its balance too.
        Candidate { authorizations: vec![Authorization::of(0, Some(CHILD))], ..call(5, AUTHORITY, 1, 0) },
        Candidate::transfer(AUTHORITY, HEIR, 1),
        call(6, AUTHORITY, 0, 0),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++++++-+");
    assert!(case.reason(6).starts_with("lack of funds"), "{}", case.reason(6));
    assert_eq!(case.balance(HEIR), 7 + 7 + 50 + wealth);
    assert_eq!((case.balance(CHILD), case.nonce(CHILD), case.number(CHILD, 0)), (0, 1, 2));
    assert_eq!((case.balance(FACTORY), case.number(FACTORY, 1), case.number(FACTORY, 2)), (5, 0, 1));
    assert_eq!((case.balance(AUTHORITY), case.nonce(AUTHORITY), case.number(AUTHORITY, 0)), (0, 1, 1));
}

#[test]
fn before_cancun_storage_goes_with_its_account_and_does_not_come_back() {
    for hardfork in [Hardfork::Paris, Hardfork::Shanghai] {
        let mut scenario = scenario(hardfork);
        let body = Body::Runtime(0);
        scenario.accounts.push(Account { place: CHILD, balance: 100, nonce: 1, body, storage: vec![(0, 9), (5, 3)] });
        scenario.transactions = vec![
            call(0, CHILD, 0, 0),
            call(1, CHILD, 1, 0),
            poke(2, PROBE),
            // Ether brings the account back, without code and storage; then the factory does.
            Candidate { gas_limit: 30_000, ..Candidate::transfer(Place::Person(3), CHILD, 30) },
            call(4, FACTORY, 0, 12),
            call(5, CHILD, 0, 0),
        ];
        let case = agreed(&scenario);
        assert_eq!(case.destinies(), "++++++");
        assert_eq!((case.word(PROBE, 1), case.number(PROBE, 2), case.number(PROBE, 3)), (U256::ZERO, 0, 0));
        assert_eq!(case.gas_used(3), 21_000);
        assert_eq!(case.balance(HEIR), 100);
        assert_eq!((case.balance(CHILD), case.nonce(CHILD)), (42, 1));
        assert!(case.change(CHILD).unwrap().wipe_storage);
        assert_eq!(case.number(CHILD, 0), 2, "not 9 and what was added");
        assert_eq!(case.number(CHILD, 5), 0);
    }
}

#[test]
fn before_cancun_an_account_can_go_again_and_again() {
    let mut scenario = scenario(Hardfork::Shanghai);
    let body = Body::Runtime(0);
    scenario.accounts.push(Account { place: CHILD, balance: 1, nonce: 1, body, storage: vec![(0, 9)] });
    scenario.transactions = (0..4)
        .flat_map(|round: u8| [call(2 * round, CHILD, 1, 2), call(2 * round + 1, FACTORY, 0, 3)])
        .chain([call(8, CHILD, 1, 0)])
        .collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++++++++");
    let change = case.change(CHILD).unwrap();
    assert_eq!(change.info, None);
    assert!(change.wipe_storage && change.storage.is_empty());
    assert_eq!(case.balance(HEIR), 1 + 4 * (2 + 3));
}

#[test]
fn what_is_created_reads_as_created_at_once() {
    let mut scenario = scenario(Hardfork::Cancun);
    let creation = |person| Candidate { to: Destination::Create(0), ..poke(person, HEIR) };
    let created = |person| Place::Created { person, nonce: 0 };
    scenario.accounts.push(Account::contract(Place::Contract(2), {
        let size = |person| Act::Add { key: Word::Key(1), value: Word::CodeSizeOf(Target::Place(created(person))) };
        vec![size(0), size(1), add(2, 1)]
    }));
    scenario.transactions = vec![
        poke(2, Place::Contract(2)),
        creation(0),
        poke(3, Place::Contract(2)),
        creation(1),
        poke(4, Place::Contract(2)),
        call(5, created(0), 0, 0),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++++++");
    let runtime = case.executed(1).output.len() as u64;
    assert!(runtime > 0);
    assert_eq!(case.number(Place::Contract(2), 1), runtime + 2 * runtime);
    assert_eq!(case.executed(1).created, Some(case.address(created(0))));
    assert_eq!(case.number(created(0), 0), 1);
}

#[test]
fn an_empty_account_that_is_touched_is_gone() {
    let mut scenario = scenario(Hardfork::Shanghai);
    scenario.accounts.push(Account::funded(HEIR, 0));
    // No tip: the fee recipient is touched with nothing as well.
    let mut touch = Candidate::transfer(Place::Person(0), HEIR, 0);
    touch.price.tip = 0;
    scenario.transactions = vec![touch.clone(), Candidate { sender: Place::Person(1), ..touch }];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++");
    assert_eq!(case.change(HEIR).map(|change| change.info), Some(None), "it was there");
    assert_eq!(case.info(Place::Stranger(0)), None);
    assert_eq!(case.balance(Place::Person(0)), RICH - TRANSFER_FEE / 8 * 7);
}

#[test]
fn a_fee_recipient_that_is_destroyed_loses_the_fee_of_that_transaction_and_keeps_the_next() {
    let mut scenario = scenario(Hardfork::Shanghai);
    scenario.beneficiary = CHILD;
    let body = Body::Runtime(0);
    scenario.accounts.push(Account { place: CHILD, balance: 5, nonce: 1, body, storage: vec![(0, 9)] });
    scenario.transactions = vec![poke(0, PROBE), call(1, CHILD, 1, 0)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++");
    assert_eq!(case.balance(HEIR), 5 + case.gas_used(0));
    assert_eq!(case.info(CHILD), None);
    scenario.transactions.push(poke(2, PROBE));
    let case = agreed(&scenario);
    assert_eq!((case.balance(CHILD), case.nonce(CHILD)), (case.gas_used(2), 0));
    assert!(case.change(CHILD).unwrap().wipe_storage);
}

#[test]
fn an_account_that_was_touched_in_vain_and_then_funded_is_new_and_nothing_of_it_was_dropped() {
    let mut scenario = scenario(Hardfork::Osaka);
    let touch = |person, value| Candidate::transfer(Place::Person(person), HEIR, value);
    scenario.transactions = vec![touch(0, 0), touch(1, 0), touch(2, 7)];
    let case = agreed(&scenario);
    assert_eq!(case.balance(HEIR), 7);
    assert!(!case.change(HEIR).unwrap().wipe_storage);
}

/// The factory creates where there already is storage, after `before`, and once more.
fn creations_on_storage(balance: u64, before: &[Candidate]) -> Agreed {
    let mut scenario = scenario(Hardfork::Osaka);
    let relic = Account { place: CHILD, balance, nonce: 0, body: Body::Empty, storage: vec![(0, 9), (5, 3)] };
    scenario.accounts.push(relic);
    let creation = |person| Candidate { gas_limit: 5_000_000, ..call(person, FACTORY, 0, 0) };
    scenario.transactions = [before, &[creation(4), creation(5), call(6, CHILD, 0, 0)]].concat();
    agreed(&scenario)
}

#[test]
fn nothing_is_created_where_storage_is() {
    let case = creations_on_storage(1, &[]);
    assert_eq!(case.destinies(), "+++");
    assert!(case.gas_used(0) > 4_900_000, "a collision burns what gas the creation was given");
    assert_eq!((case.number(FACTORY, 1), case.nonce(FACTORY)), (0, 3), "the creator's nonce steps all the same");
    assert_eq!((case.balance(CHILD), case.nonce(CHILD)), (1, 0));
    assert_eq!((case.number(CHILD, 0), case.number(CHILD, 5)), (9, 3));
}

#[test]
fn where_an_empty_account_goes_its_storage_goes_and_a_creation_finds_nothing() {
    // The factory's own call touches the account that its creation collided with.
    let case = creations_on_storage(0, &[]);
    assert!(case.gas_used(0) > 4_900_000 && case.gas_used(1) < 1_000_000, "only the first creation collides");
    assert_eq!((case.word(FACTORY, 1), case.nonce(CHILD)), (case.address(CHILD).into_word().into(), 1));
    assert_eq!((case.number(CHILD, 0), case.number(CHILD, 5)), (2, 0));
    // So does somebody before it, however many look on.
    let others = (0..3).map(|person| Candidate::transfer(Place::Person(person), HEIR, 0));
    let touch = Candidate::transfer(Place::Person(3), CHILD, 0);
    let case = creations_on_storage(0, &others.chain([touch]).collect::<Vec<_>>());
    assert!(case.gas_used(4) < 1_000_000, "it does not collide");
    assert_eq!((case.number(CHILD, 0), case.number(CHILD, 5)), (3, 0));
}

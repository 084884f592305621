//! Races that are won on purpose: a later transaction runs on what an earlier one has not done yet.

use parapet_equivalence::{
    Account, Act, CallKind, Candidate, Overtaken, Place, Scenario, System, Target, Word, first_difference, observe,
};
use parapet_executor::Mode;
use parapet_monitor::NoMonitor;
use parapet_types::Hardfork;

use crate::{
    cases::{RICH, add},
    crews::{Crews, sequentially},
};

/// Transactions between the two that race: more than one thread claims at once.
const BETWEEN: u8 = 70;
/// How often each race is run.
const RACES: usize = 10;
const RACER: Place = Place::Authority(0);
/// What the earlier one touches, and nobody else.
const LATE: Place = Place::Contract(0);
/// What the later one touches, and nobody else.
const EARLY: Place = Place::Contract(1);

/// Two calls with plain transfers of others between them.
fn scenario(first: Candidate, second: Candidate) -> Scenario {
    let mut scenario = Scenario::empty(Hardfork::Osaka);
    scenario.accounts = (0..BETWEEN).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    let between = (0..BETWEEN).map(|number| Candidate::transfer(Place::Person(number), Place::Person(number + 1), 1));
    scenario.transactions = std::iter::once(first).chain(between).chain([second]).collect();
    scenario
}

/// Whether both are included sequentially; panics where a race gives anything else.
fn raced(scenario: &Scenario) -> (bool, bool) {
    raced_between(scenario, LATE, EARLY)
}

/// As [`raced`], whoever reads the one account waiting for somebody to have read the other.
fn raced_between(scenario: &Scenario, late: Place, early: Place) -> (bool, bool) {
    let block = scenario.realise();
    let expected = sequentially(&block, &block.state, scenario);
    for _ in 0..RACES {
        for workers in Crews::new().each() {
            let reader = Overtaken {
                below: block.state.clone(),
                late: block.address(late),
                early: block.address(early),
                asked: Default::default(),
                turns_max: 20_000,
            };
            let found = observe(&block.input(&reader), &NoMonitor, Mode::Parallel(workers));
            assert_eq!(first_difference(&expected, &found), None, "{} threads", workers.threads());
        }
    }
    let candidates = expected.unwrap().candidates();
    (candidates.contains(&0), candidates.contains(&(usize::from(BETWEEN) + 1)))
}

fn call(to: Place) -> Candidate {
    Candidate::call(RACER, to, Vec::new())
}

#[test]
fn what_a_call_could_cost_must_be_there_after_the_earlier_call() {
    let mut scenario = scenario(call(LATE), call(EARLY));
    for place in [LATE, EARLY] {
        scenario.accounts.push(Account::contract(place, vec![add(1, 1)]));
    }
    // Each reserves 5,000,000 and costs less than a tenth of that.
    scenario.accounts.push(Account::funded(RACER, 5_000_000));
    assert_eq!(raced(&scenario), (true, false));
    scenario.accounts.push(Account::funded(RACER, 6_000_000));
    assert_eq!(raced(&scenario), (true, true));
}

#[test]
fn what_a_frame_sends_must_be_there_after_the_earlier_transaction() {
    let purse = Place::Contract(2);
    let ask = |flag| Act::Call {
        kind: CallKind::Call,
        target: Target::Place(purse),
        value: Word::Literal(0),
        selector: 0,
        argument: Word::Literal(0),
        gas: None,
        remember: Some(flag),
    };
    let give = Act::Call {
        kind: CallKind::Call,
        target: Target::Place(Place::Stranger(2)),
        value: Word::Literal(100),
        selector: 0,
        argument: Word::Literal(0),
        gas: None,
        remember: None,
    };
    for wealth in [99, 100, 150, 199, 200, 201] {
        let second = Candidate { sender: Place::Authority(1), ..call(EARLY) };
        let mut scenario = scenario(call(LATE), second);
        scenario.accounts.extend([Place::Authority(0), Place::Authority(1)].map(|place| Account::funded(place, RICH)));
        scenario.accounts.extend([LATE, EARLY].map(|place| Account::contract(place, vec![ask(1)])));
        scenario.accounts.push(Account { balance: wealth, ..Account::contract(purse, vec![give.clone()]) });
        assert_eq!(raced(&scenario), (true, true));
    }
}

#[test]
fn a_slot_that_an_earlier_transaction_writes_is_read_as_written() {
    let shared = Place::Contract(2);
    let bump = Act::Call {
        kind: CallKind::Call,
        target: Target::Place(shared),
        value: Word::Literal(0),
        selector: 0,
        argument: Word::Literal(0),
        gas: None,
        remember: Some(1),
    };
    let second = Candidate { sender: Place::Authority(1), ..call(EARLY) };
    let mut scenario = scenario(call(LATE), second);
    scenario.accounts.extend([Place::Authority(0), Place::Authority(1)].map(|place| Account::funded(place, RICH)));
    scenario.accounts.extend([LATE, EARLY].map(|place| Account::contract(place, vec![bump.clone()])));
    scenario.accounts.push(Account::contract(shared, vec![Act::Increment(1)]));
    assert_eq!(raced(&scenario), (true, true));
}

#[test]
fn what_the_chain_does_first_is_there_before_any_transaction_is_settled() {
    let history = Place::System(System::History);
    let mut scenario = scenario(call(history), call(history));
    scenario.accounts.push(Account::funded(RACER, RICH));
    scenario.accounts.push(Account::contract(history, vec![Act::Increment(1)]));
    assert_eq!(raced_between(&scenario, history, RACER), (true, true));
}

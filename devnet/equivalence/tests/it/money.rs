//! Balances that are owed before they are known: fees, transfers, and who can pay by them. And what the chain itself does
//! around the transactions.

use parapet_equivalence::{
    Account, Act, CallKind, Candidate, NonceChoice, Payout, Place, Scenario, System, Target, Word,
};
use parapet_executor::Admission;
use parapet_types::Hardfork;

use crate::cases::{RICH, TRANSFER_FEE, TRANSFER_RESERVE, agreed, poke};

const READER: Place = Place::Contract(0);
const PAYER: Place = Place::Contract(1);
const COINBASE: Place = Place::Stranger(0);
const POOR: Place = Place::Person(1);

fn people(count: u8) -> Scenario {
    let mut scenario = Scenario::empty(Hardfork::Osaka);
    scenario.accounts = (0..count).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    scenario
}

fn impoverish(scenario: &mut Scenario, place: Place, balance: u64) {
    scenario.accounts.retain(|account| account.place != place);
    scenario.accounts.push(Account::funded(place, balance));
}

fn pay(from: u8, to: Place, value: u64) -> Candidate {
    Candidate::transfer(Place::Person(from), to, value)
}

#[test]
fn contracts_read_what_the_fee_recipient_has_by_then() {
    let mut scenario = people(8);
    let read = |slot, value| Act::Store { key: Word::Key(slot), value };
    scenario.accounts.push(Account::contract(READER, vec![read(1, Word::BalanceOf(Target::Coinbase))]));
    let give = Act::Call {
        kind: CallKind::Call,
        target: Target::Coinbase,
        value: Word::CallValue,
        selector: 0,
        argument: Word::Literal(0),
        gas: None,
        remember: Some(1),
    };
    scenario.accounts.push(Account::contract(PAYER, vec![give, read(2, Word::BalanceOf(Target::Coinbase))]));
    scenario.transactions = vec![
        pay(0, POOR, 5),
        pay(2, POOR, 5),
        poke(3, READER),
        Candidate { value: 1_000, ..poke(4, PAYER) },
        pay(5, COINBASE, 77),
        poke(6, READER),
        pay(7, POOR, 5),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++++++");
    // Tips of one wei per gas; a transaction's own is paid after it.
    let fees = |until: usize| (0..until).map(|candidate| case.gas_used(candidate)).sum::<u64>();
    assert_eq!(case.number(PAYER, 1), 1, "the payment succeeded");
    assert_eq!(case.number(PAYER, 2), fees(3) + 1_000);
    assert_eq!(case.number(READER, 1), fees(5) + 1_000 + 77);
    assert_eq!(case.balance(COINBASE), fees(7) + 1_000 + 77);
}

#[test]
fn a_fee_recipient_that_is_a_contract_reads_its_own_fees() {
    let mut scenario = people(8);
    scenario.beneficiary = READER;
    let store = |slot, value| Act::Store { key: Word::Key(slot), value };
    let own = vec![store(1, Word::Slot(2)), store(2, Word::SelfBalance)];
    scenario.accounts.push(Account::contract(READER, own));
    scenario.transactions =
        vec![pay(0, POOR, 1), poke(2, READER), pay(3, POOR, 1), Candidate { value: 9, ..poke(4, READER) }];
    let case = agreed(&scenario);
    assert_eq!(case.number(READER, 1), case.gas_used(0));
    assert_eq!(case.number(READER, 2), case.gas_used(0) + case.gas_used(1) + case.gas_used(2) + 9);
    assert_eq!(case.balance(READER), case.gas_used(3) + case.number(READER, 2));
}

#[test]
fn a_fee_recipient_that_sends_pays_with_the_fees_of_the_block() {
    let mut scenario = people(16);
    let miner = Place::Person(1);
    scenario.beneficiary = miner;
    impoverish(&mut scenario, miner, 0);
    // Ten tips are 210,000: what a transfer must be able to pay.
    scenario.transactions = (2..12).map(|person| pay(person, Place::Person(0), 1)).collect();
    scenario.transactions.insert(9, Candidate { nonce: NonceChoice::Ahead, ..pay(1, COINBASE, 0) });
    scenario.transactions.insert(9, Candidate::transfer(miner, COINBASE, 0));
    scenario.transactions.push(Candidate { nonce: NonceChoice::Again, ..pay(1, COINBASE, 0) });
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++++++++--++");
    assert!(case.reason(9).starts_with("lack of funds"), "{}", case.reason(9));
    assert_eq!(case.balance(miner), TRANSFER_RESERVE - TRANSFER_FEE + 21_000);
    assert_eq!(case.nonce(miner), 1);
}

/// Person 1 has nothing; four transfers make it 240,000.
fn underfunded() -> Scenario {
    let mut scenario = people(10);
    impoverish(&mut scenario, POOR, 0);
    let spend = |nonce, value| Candidate { nonce, ..pay(1, COINBASE, value) };
    scenario.transactions = vec![
        pay(2, POOR, 60_000),
        pay(3, POOR, 60_000),
        pay(4, POOR, 60_000),
        // Reserves 210,000 and has 180,000.
        spend(NonceChoice::Next, 0),
        pay(5, POOR, 60_000),
        // One wei too much, then all there is, then nothing is left.
        spend(NonceChoice::Again, 30_001),
        spend(NonceChoice::Again, 30_000),
        spend(NonceChoice::Next, 0),
        pay(6, POOR, 1),
    ];
    scenario
}

#[test]
fn a_sender_who_cannot_pay_is_left_out_alone() {
    let case = agreed(&underfunded());
    assert_eq!(case.destinies(), "+++-+-+-+");
    for candidate in [3, 5, 7] {
        assert!(case.reason(candidate).starts_with("lack of funds"), "{}", case.reason(candidate));
    }
    assert_eq!(case.balance(POOR), 4 * 60_000 - TRANSFER_FEE - 30_000 + 1);
    assert_eq!(case.nonce(POOR), 1);
    assert_eq!(case.balance(COINBASE), 30_000 + 21_000 * 6);
}

#[test]
fn a_sender_who_cannot_pay_fails_the_block_that_is_imported() {
    let scenario = Scenario { admission: Admission::Import, ..underfunded() };
    let case = agreed(&scenario);
    let error = case.error();
    assert!(error.starts_with("transaction 3 cannot be in this block: lack of funds"), "{error}");
}

#[test]
fn a_sender_must_have_what_a_call_could_cost_and_not_only_what_it_does() {
    let mut scenario = people(12);
    scenario.accounts.push(Account::contract(READER, vec![Act::Increment(1)]));
    // Each call reserves 5,000,000 for 500,000 gas at a price of 10, and costs less than a tenth of that.
    impoverish(&mut scenario, POOR, 5_000_000);
    let call = |nonce| Candidate { nonce, ..poke(1, READER) };
    scenario.transactions = vec![
        pay(2, COINBASE, 1),
        call(NonceChoice::Next),
        pay(3, COINBASE, 1),
        call(NonceChoice::Next),
        pay(4, COINBASE, 1),
        call(NonceChoice::Again),
        pay(5, POOR, 1_000_000),
        call(NonceChoice::Again),
        call(NonceChoice::Next),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++-+-+++");
    for candidate in [3, 5] {
        assert!(case.reason(candidate).ends_with("for max fee (5000000)"), "{}", case.reason(candidate));
    }
    assert_eq!((case.nonce(POOR), case.number(READER, 1)), (3, 3));
    let fees: u64 = [1, 7, 8].into_iter().map(|candidate| case.gas_used(candidate) * 8).sum();
    assert_eq!(case.balance(POOR), 6_000_000 - fees);
}

#[test]
fn the_first_of_several_that_cannot_be_included_fails_the_import() {
    let mut scenario = people(20);
    scenario.admission = Admission::Import;
    scenario.transactions = (0..20).map(|person| pay(person, COINBASE, 1)).collect();
    for candidate in [7, 8, 12, 19] {
        scenario.transactions[candidate].nonce = NonceChoice::Ahead;
    }
    assert_eq!(agreed(&scenario).error(), "transaction 7 cannot be in this block: nonce 1 too high, expected 0");
}

#[test]
fn ether_is_passed_on_hand_to_hand() {
    const HANDS: u8 = 24;
    let purse = u64::from(HANDS) * TRANSFER_RESERVE;
    let mut scenario = people(0);
    scenario.accounts.push(Account::funded(Place::Person(0), purse));
    // Each passes on all it can, which is all the next one needs.
    scenario.transactions = (0..HANDS)
        .map(|hand| pay(hand, Place::Person(hand + 1), purse - u64::from(hand + 1) * TRANSFER_RESERVE))
        .collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(usize::from(HANDS)));
    for hand in 0..HANDS {
        assert_eq!(case.balance(Place::Person(hand)), TRANSFER_RESERVE - TRANSFER_FEE);
    }
    scenario.transactions[0].nonce = NonceChoice::Ahead;
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "-".repeat(usize::from(HANDS)), "nobody can pay without the first");
    assert_eq!(case.seen().gas_used, 0);
}

#[test]
fn a_failed_check_of_balance_shows_in_the_flag_of_the_call() {
    let mut scenario = people(6);
    let send = Act::Call {
        kind: CallKind::Call,
        target: Target::Place(COINBASE),
        value: Word::Literal(100),
        selector: 0,
        argument: Word::Literal(0),
        gas: None,
        remember: Some(1),
    };
    let count = Act::Add { key: Word::Key(2), value: Word::Slot(1) };
    scenario.accounts.push(Account::contract(PAYER, vec![send, count]));
    let fund = |person, value| Candidate { gas_limit: 100_000, value, ..poke(person, PAYER) };
    // 60: too little; 120: once; 20 more: too little; 170: once; once more by what is left.
    scenario.transactions = vec![fund(0, 60), fund(1, 60), fund(2, 70), fund(3, 80), fund(4, 30)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++++");
    // 60 no; 120 yes: 20; 90 no; 170 yes: 70; 100 yes: 0.
    assert_eq!((case.number(PAYER, 1), case.number(PAYER, 2), case.balance(PAYER)), (1, 3, 0));
}

#[test]
fn withdrawals_come_after_everything() {
    let mut scenario = people(3);
    impoverish(&mut scenario, POOR, 0);
    let gwei = 1_000_000_000;
    scenario.withdrawals =
        vec![Payout { to: POOR, gwei: 3 }, Payout { to: POOR, gwei: 4 }, Payout { to: READER, gwei: 0 }];
    scenario.transactions = vec![pay(0, POOR, 5), pay(1, COINBASE, 1)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+-");
    assert_eq!(case.balance(POOR), 7 * gwei + 5);
    assert!(!case.seen().changes.accounts.contains_key(&case.address(READER)), "nothing creates nothing");
}

#[test]
fn requests_tell_what_the_transactions_have_left_to_the_system_contracts() {
    let mut scenario = people(9);
    let count = || vec![Act::Increment(1), Act::Return(Word::Slot(1))];
    for system in System::ALL {
        scenario.accounts.push(Account::contract(Place::System(system), count()));
    }
    let kinds =
        [System::Withdrawals, System::Withdrawals, System::Consolidations, System::History, System::BeaconRoots];
    scenario.transactions = (0..9)
        .map(|person| {
            let system = kinds[usize::from(person) % kinds.len()];
            poke(person, Place::System(system))
        })
        .collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++++++++");
    // Each is called once by the chain: the first two before the transactions, so that these find it done.
    let counts = System::ALL.map(|system| case.number(Place::System(system), 1));
    assert_eq!(counts, [2, 3, 5, 3]);
    let requests: Vec<_> = case.seen().requests.iter().map(|request| (request[0], request[32])).collect();
    assert_eq!(requests, [(1, 5), (2, 3)]);
    assert!(case.gas_used(3) < case.gas_used(0), "the slot was not zero any more");
}

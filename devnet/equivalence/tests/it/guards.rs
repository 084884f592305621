//! Monitors whose decisions depend on what the block has done so far.

use std::{collections::BTreeSet, num::NonZeroUsize};

use alloy_primitives::U256;
use parapet_equivalence::{
    Account, Act, Argument, Body, Candidate, Condition, Consequence, Counter, Hesitation, Keeping, Ledger, Look,
    Moment, Observed, Place, Scenario, Subject, Thirst, Watch, Watcher, Word, Wrath, first_difference, observe,
    slot_key,
};
use parapet_executor::{Admission, Mode, RunReport, Workers, run_block};
use parapet_types::{Hardfork, REGISTRY};

use crate::cases::{RICH, agreed, poke};

const HOT: Place = Place::Contract(0);
const MOODY: Place = Place::Contract(1);

fn people(count: u8, watch: Watch) -> Scenario {
    let mut scenario = Scenario::empty(Hardfork::Osaka);
    scenario.accounts = (0..count).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    scenario.accounts.push(Account::contract(HOT, vec![Act::Increment(1)]));
    let moody = Act::When(Word::Argument(0), vec![Act::Revert(Word::Literal(1))]);
    scenario.accounts.push(Account::contract(MOODY, vec![moody]));
    scenario.accounts.push(Account { nonce: 1, ..Account::funded(Place::Registry, 0) });
    scenario.watch = Some(watch);
    scenario
}

fn counting(bound: u64, step: u64) -> Watch {
    keeping(Keeping::Exact, bound, step)
}

fn keeping(keeping: Keeping, bound: u64, step: u64) -> Watch {
    Watch { counters: vec![Counter { slot: 1, step, bound, selector: None, keeping }], ..Watch::default() }
}

fn looking(moment: Moment, before: bool, subject: Subject, condition: (u64, u64), consequence: Consequence) -> Watch {
    let condition = Condition { modulus: condition.0, remainder: condition.1 };
    Watch { looks: vec![Look { moment, before, subject, condition, consequence }], ..Watch::default() }
}

#[test]
fn a_counter_stops_at_its_bound_and_counts_only_what_succeeded() {
    let mut scenario = people(8, counting(7, 2));
    let moody = |person, mood| Candidate::call(Place::Person(person), MOODY, vec![Argument::Number(mood)]);
    scenario.transactions =
        vec![moody(0, 0), moody(1, 1), moody(2, 0), poke(3, HOT), moody(4, 0), moody(5, 1), poke(6, HOT)];
    let case = agreed(&scenario);
    // Two, reverted, four, six; eight is above seven. What failed by itself is not vetoed.
    assert_eq!(case.destinies(), "+r++vrv");
    assert_eq!(case.number(Place::Registry, 1), 6);
    assert_eq!(case.number(HOT, 1), 1);
}

#[test]
fn a_counter_that_all_share_counts_each_one() {
    let mut scenario = people(40, counting(1_000, 1));
    scenario.transactions = (0..40).map(|person| Candidate::transfer(Place::Person(person), HOT, 0)).collect();
    scenario.transactions.iter_mut().for_each(|tx| tx.to = parapet_equivalence::Destination::To(Place::Stranger(2)));
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(40));
    assert_eq!(case.number(Place::Registry, 1), 40);
}

#[test]
fn a_veto_by_the_state_before_the_transaction_holds_from_then_on() {
    let hot = Subject::Slot(HOT, 1);
    let mut scenario = people(8, looking(Moment::Executed, true, hot, (3, 2), Consequence::Veto));
    scenario.transactions = (0..8).map(|person| poke(person, HOT)).collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++vvvvvv");
    assert_eq!(case.number(HOT, 1), 2);
    assert!((2..8).all(|candidate| case.executed(candidate).logs.is_empty()));
}

#[test]
fn a_veto_by_the_state_after_the_transaction_undoes_it() {
    let hot = Subject::Slot(HOT, 1);
    let mut scenario = people(8, looking(Moment::Executed, false, hot, (3, 0), Consequence::Veto));
    let other = |person| Candidate::call(Place::Person(person), MOODY, vec![Argument::Number(0)]);
    scenario
        .accounts
        .iter_mut()
        .filter(|account| account.place == HOT)
        .for_each(|account| account.storage = vec![(1, 1)]);
    scenario.transactions = vec![poke(0, HOT), poke(1, HOT), other(2), poke(3, HOT)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+v+v");
    assert_eq!(case.number(HOT, 1), 2);
}

#[test]
fn a_fault_leaves_out_the_transaction_or_fails_the_import() {
    let hot = Subject::Slot(HOT, 1);
    let mut scenario = people(6, looking(Moment::Executed, true, hot, (3, 2), Consequence::Fault));
    let other = |person| Candidate::call(Place::Person(person), MOODY, vec![Argument::Number(0)]);
    scenario.transactions = vec![poke(0, HOT), other(1), poke(2, HOT), other(3), poke(4, HOT)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+++--");
    assert!(case.reason(3).contains("this word cannot be judged: 2"), "{}", case.reason(3));
    scenario.admission = Admission::Import;
    let error = agreed(&scenario).error();
    assert!(error.starts_with("transaction 3 cannot be in this block: the guard VM failed"), "{error}");
}

#[test]
fn who_wakes_can_depend_on_what_the_block_has_done() {
    // While slot 1 is even nobody wakes; the one that finds it odd is counted.
    let hot = Subject::Slot(HOT, 1);
    let mut watch = looking(Moment::Open, true, hot, (2, 0), Consequence::Veto);
    watch.counters = counting(1_000, 1).counters;
    let mut scenario = people(9, watch);
    scenario.transactions = (0..9).map(|person| poke(person, HOT)).collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(9));
    assert_eq!((case.number(HOT, 1), case.number(Place::Registry, 1)), (9, 4));
    let woken: Vec<_> = (0..9).map(|candidate| case.executed(candidate).verdicts.len()).collect();
    assert_eq!(woken, [0, 1, 0, 1, 0, 1, 0, 1, 0]);
}

#[test]
fn inline_vetoes_end_the_transaction_and_nothing_of_it_stays() {
    let watch = Watch { wrath: vec![Wrath::Selector(3), Wrath::Multiple(1_000)], ..counting(1_000, 1) };
    let mut scenario = people(6, watch);
    let call = |person, selector, value| {
        let arguments = vec![Argument::Number(0)];
        Candidate { selector, value, ..Candidate::call(Place::Person(person), HOT, arguments) }
    };
    scenario.transactions =
        vec![call(0, 1, 0), call(1, 3, 0), call(2, 1, 2_000), call(3, 1, 999), call(4, 3, 1), call(5, 2, 0)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+vv++".replace("++", "+v+"));
    assert_eq!((case.number(HOT, 1), case.balance(HOT)), (3, 999));
    assert_eq!(case.number(Place::Registry, 1), 3);
}

#[test]
fn guard_state_and_the_registrys_own_writes_are_one_storage() {
    let mut scenario = people(8, counting(1_000, 1));
    // The registry adds ten to the slot that the guard counts in; the guard's word is written last.
    let registry = scenario.accounts.iter_mut().find(|account| account.place == Place::Registry).unwrap();
    registry.body =
        Body::Program(vec![crate::cases::add(1, 10), Act::Store { key: Word::Key(2), value: Word::Slot(1) }]);
    scenario.transactions = vec![poke(0, HOT), poke(1, Place::Registry), poke(2, HOT), poke(3, Place::Registry)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "++++");
    // One; it is eleven within the second, which leaves two; three; thirteen, and four is left.
    assert_eq!((case.number(Place::Registry, 1), case.number(Place::Registry, 2)), (4, 13));
}

#[test]
fn a_monitor_sees_fees_that_were_paid_before() {
    let miner = Place::Stranger(0);
    let watch = looking(Moment::Executed, true, Subject::Balance(miner), (42_000, 0), Consequence::Veto);
    let mut scenario = people(6, watch);
    scenario.transactions =
        (0..6).map(|person| Candidate::transfer(Place::Person(person), Place::Stranger(2), 1)).collect();
    let case = agreed(&scenario);
    // Tips of 21,000: nothing and then every second time it is a multiple.
    assert_eq!(case.destinies(), "v+v+v+");
    assert_eq!(case.balance(Place::Stranger(2)), 3);
}

#[test]
fn a_monitor_that_sleeps_while_a_slot_is_zero_wakes_as_it_is_set_and_sleeps_as_it_is_cleared() {
    let mut scenario = people(9, Watch { unless_zero: Some((MOODY, 1)), ..counting(1_000, 1) });
    let set = vec![Act::Store { key: Word::Key(1), value: Word::Argument(0) }];
    scenario.accounts.push(Account::contract(MOODY, set));
    let set = |person, to| Candidate::call(Place::Person(person), MOODY, vec![Argument::Number(to)]);
    let pay = |person| Candidate::transfer(Place::Person(person), Place::Stranger(2), 1);
    scenario.transactions =
        vec![pay(0), poke(1, HOT), set(2, 1), pay(3), poke(4, HOT), set(5, 0), pay(6), poke(7, HOT), set(8, 1)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(9));
    let woken: Vec<_> = (0..9).map(|candidate| case.executed(candidate).verdicts.len()).collect();
    assert_eq!(woken, [0, 0, 0, 1, 1, 1, 0, 0, 0]);
    assert_eq!(case.number(Place::Registry, 1), 3);
}

#[test]
fn what_the_blocks_last_transaction_sets_wakes_the_monitor_for_what_the_chain_does_then() {
    let mut scenario = people(1, Watch { unless_zero: Some((HOT, 1)), ..Watch::default() });
    scenario.transactions = vec![poke(0, HOT)];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+");
    assert!(case.executed(0).verdicts.is_empty(), "it slept before");
    // Prague asks two contracts after the last transaction.
    assert_eq!(case.seen().chain_acts.len(), 2);
}

#[test]
fn a_judgement_that_is_opened_again_is_shown_what_was_before_the_transaction() {
    // What the sender has is looked at first; then a ledger is written that all of them share, so many are judged again.
    let mut watch = looking(Moment::Open, false, Subject::Balance(Place::Person(1)), (3, 0), Consequence::Nothing);
    watch.ledgers = vec![Ledger { keys: 3, walk: 3, selector: None }];
    let mut scenario = people(8, watch);
    let from = |number: u8| Candidate::transfer(Place::Person(number % 2), Place::Stranger(2), 1);
    scenario.transactions = (0..24).map(|number| Candidate { gas_limit: 50_000, ..from(number) }).collect();
    assert_eq!(agreed(&scenario).destinies(), "+".repeat(24));
}

#[test]
fn what_is_registered_is_judged_on_settled_state_alone() {
    let mut scenario = people(8, Watch { settled_only: true, ..counting(1_000, 1) });
    let registry = scenario.accounts.iter_mut().find(|account| account.place == Place::Registry).unwrap();
    registry.body = Body::Program(vec![Act::Increment(2)]);
    scenario.transactions =
        (0..8).map(|person| poke(person, if person % 2 == 0 { Place::Registry } else { HOT })).collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(8));
    assert_eq!((case.number(Place::Registry, 1), case.number(Place::Registry, 2)), (8, 4));
}

#[test]
fn a_monitor_that_wakes_nobody_sees_every_fee_all_the_same() {
    // Nobody wakes but for the transaction that finds exactly two tips of 21,000.
    let miner = Place::Stranger(0);
    let subject = Subject::Balance(miner);
    let watch = Watch {
        looks: [0, 21_000, 63_000, 84_000]
            .into_iter()
            .map(|remainder| Look {
                moment: Moment::Open,
                before: false,
                subject,
                condition: Condition { modulus: 1_000_000, remainder },
                consequence: Consequence::Veto,
            })
            .collect(),
        ..Watch::default()
    };
    let mut scenario = people(5, watch);
    scenario.transactions =
        (0..5).map(|person| Candidate::transfer(Place::Person(person), Place::Stranger(2), 1)).collect();
    let case = agreed(&scenario);
    let woken: Vec<_> = (0..5).map(|candidate| case.executed(candidate).verdicts.len()).collect();
    assert_eq!(woken, [0, 0, 1, 0, 0]);
}

/// Transfers of nothing, several by each: by themselves they have nothing to do with each other.
fn transfers(people: u8, each: u64) -> Vec<Candidate> {
    let transfer = |person: u8| Candidate {
        to: parapet_equivalence::Destination::To(Place::Stranger(2)),
        ..Candidate::transfer(Place::Person(person), HOT, 0)
    };
    (0..each).flat_map(|_| (0..people).map(transfer)).collect()
}

#[test]
fn a_thousand_transactions_that_add_to_one_word_never_run_twice() {
    for keeping in [Keeping::Within, Keeping::Window(3_600), Keeping::Max] {
        let watch = self::keeping(keeping, 1_000, 1);
        let mut scenario = people(250, watch);
        scenario.transactions = transfers(250, 4);
        let (block, watch) = (scenario.realise(), scenario.watch.as_ref().unwrap());
        for threads in [1, 2, 4, 8] {
            let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
            // Some blocks one after the other, as a node has them: what was learned of one must not hold up the next.
            for _ in 0..3 {
                let watcher = Watcher::new(watch, &block, None);
                let run = run_block(&block.input(&block.state), &watcher, Mode::Parallel(&workers)).unwrap();
                let report = run.report().unwrap().clone();
                assert_eq!((report.again, &report.conflicts[..]), (0, &[][..]), "{keeping:?}, {threads} threads");
                assert_eq!(report.speculated + report.settled + report.as_one, 1_000);
                assert_eq!(run.executed().filter(|executed| executed.succeeded()).count(), 1_000);
                let word = run.finish().unwrap().changes.accounts[&REGISTRY].storage[&slot_key(1)];
                let expected = match keeping {
                    Keeping::Window(_) => U256::from(1_000) << 64 | U256::from(block.block.timestamp),
                    Keeping::Max => U256::from(3),
                    _ => U256::from(1_000),
                };
                assert_eq!(word, expected, "{keeping:?}");
            }
        }
    }
}

#[test]
fn a_bound_that_is_met_stops_exactly_those_behind_it() {
    for keeping in [Keeping::Within, Keeping::Window(3_600), Keeping::WithinAndLooked] {
        let mut scenario = people(60, self::keeping(keeping, 40, 1));
        scenario.transactions = transfers(60, 1);
        let case = agreed(&scenario);
        let fit = if keeping == Keeping::WithinAndLooked { 20 } else { 40 };
        assert_eq!(case.destinies(), "+".repeat(fit) + &"v".repeat(60 - fit), "{keeping:?}");
        let word = case.word(Place::Registry, 1);
        assert_eq!(if matches!(keeping, Keeping::Window(_)) { word >> 64 } else { word }, U256::from(40));
    }
}

#[test]
fn who_is_reverted_or_vetoed_adds_nothing_and_makes_room_for_others() {
    let watch = Watch { wrath: vec![Wrath::Selector(3)], ..keeping(Keeping::Within, 6, 2) };
    let mut scenario = people(9, watch);
    let moody = |person, mood| Candidate::call(Place::Person(person), MOODY, vec![Argument::Number(mood)]);
    let struck = |person| Candidate { selector: 3, ..moody(person, 0) };
    scenario.transactions = vec![
        moody(0, 1),
        moody(1, 0),
        struck(2),
        moody(3, 0),
        moody(4, 1),
        struck(5),
        moody(6, 0),
        moody(7, 0),
        moody(8, 1),
    ];
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "r+v+rv+vr");
    assert_eq!(case.number(Place::Registry, 1), 6);
}

#[test]
fn who_looks_at_a_word_sees_what_all_before_added() {
    let watch = Watch {
        counters: vec![
            Counter { slot: 1, step: 1, bound: 1_000, selector: Some(1), keeping: Keeping::Within },
            Counter { slot: 1, step: 100, bound: 1_000, selector: Some(2), keeping: Keeping::Exact },
            Counter { slot: 1, step: 500, bound: 1_000, selector: Some(3), keeping: Keeping::Max },
        ],
        ..Watch::default()
    };
    let mut scenario = people(32, watch);
    let call = |person: u8, selector| Candidate {
        selector,
        ..Candidate::call(Place::Person(person), HOT, vec![Argument::Number(0)])
    };
    scenario.transactions = (0..32).map(|person| call(person, if person % 8 == 7 { 2 } else { 1 })).collect();
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(32));
    assert_eq!(case.number(Place::Registry, 1), 28 + 400);
}

#[test]
fn walks_over_ordered_entries_miss_nothing_that_others_insert_or_remove() {
    let ledgers = vec![Ledger { keys: 16, walk: 5, selector: None }];
    let mut scenario = people(48, Watch { ledgers, ..Watch::default() });
    scenario.transactions = transfers(48, 1);
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(48));
    let written = case.change(Place::Registry).map_or(0, |change| change.storage.len());
    assert!(written > 16, "{written} words of entries");
}

/// Blocks are run until one has been seen in which it happened.
const ROUNDS_MAX: u64 = 200;

/// Runs a scenario on eight threads until something was judged again; gives that run's report, once it is compared.
fn judged_again(scenario: &Scenario) -> RunReport {
    let (block, watch) = (scenario.realise(), scenario.watch.as_ref().unwrap());
    let sequential = observe(&block.input(&block.state), &Watcher::new(watch, &block, None), Mode::Sequential);
    for round in 0..ROUNDS_MAX {
        // Workers that have not learned to wait.
        let workers = Workers::new(NonZeroUsize::new(8).unwrap());
        let watcher = Watcher::new(watch, &block, Some(Hesitation::new(round)));
        let run = run_block(&block.input(&block.state), &watcher, Mode::Parallel(&workers)).unwrap();
        let report = run.report().unwrap().clone();
        let seen = run.finish().map(Observed::from);
        assert_eq!(first_difference(&sequential, &seen), None, "round {round}");
        if report.judged_again > 0 {
            return report;
        }
    }
    panic!("nothing was judged again in {ROUNDS_MAX} rounds");
}

#[test]
fn who_met_only_stale_guard_state_is_judged_again_and_does_not_run_again() {
    // All look at the counter, and nothing else is shared.
    let mut scenario = people(64, counting(1_000, 1));
    scenario.transactions = transfers(64, 1);
    assert_eq!(judged_again(&scenario).again, 0);
    agreed(&scenario);
}

#[test]
fn a_judgement_that_turns_into_a_veto_takes_back_what_the_transaction_did() {
    let mut scenario = people(64, counting(20, 1));
    scenario.transactions = transfers(64, 1);
    judged_again(&scenario);
    assert_eq!(agreed(&scenario).destinies(), "+".repeat(20) + &"v".repeat(44));
}

#[test]
fn who_is_judged_again_sees_balances_as_they_are_now() {
    // The counter makes the judgement stale, and the sender's own balance is looked at, before and after.
    let mut watch = counting(1_000, 1);
    for before in [true, false] {
        let looks = looking(Moment::Executed, before, Subject::Balance(Place::Person(1)), (0, 0), Consequence::Nothing);
        watch.looks.extend(looks.looks);
    }
    let mut scenario = people(40, watch);
    scenario.transactions = (0..40)
        .map(|person| match person % 2 {
            0 => Candidate::transfer(Place::Person(person), Place::Person(person + 1), 5),
            _ => Candidate::transfer(Place::Person(person), Place::Stranger(3), 7),
        })
        .collect();
    judged_again(&scenario);
    agreed(&scenario);
}

/// Transfers that can pay for guards.
fn paying_transfers(people: u8) -> Vec<Candidate> {
    transfers(people, 1).into_iter().map(|transfer| Candidate { gas_limit: 100_000, ..transfer }).collect()
}

#[test]
fn a_judgement_that_costs_the_same_again_does_not_make_the_transaction_run_again() {
    let thirst = Some(Thirst { hook: 400, unit: 0, observing: false });
    let mut scenario = people(64, Watch { thirst, ..counting(1_000, 1) });
    scenario.transactions = paying_transfers(64);
    assert_eq!(judged_again(&scenario).again, 0);
    let case = agreed(&scenario);
    assert!((0..64).all(|candidate| case.executed(candidate).guard_gas_used > 0));
}

#[test]
fn fuel_that_depends_on_what_others_did_is_that_of_the_order_of_the_block() {
    // What is spent at the end depends on a word that all change.
    let shared = Subject::Slot(Place::Registry, 1);
    let watch = Watch {
        thirst: Some(Thirst { hook: 400, unit: 40, observing: false }),
        counters: counting(1_000, 1).counters,
        ..looking(Moment::Executed, false, shared, (0, 0), Consequence::Nothing)
    };
    let mut scenario = people(64, watch);
    scenario.transactions = paying_transfers(64);
    let case = agreed(&scenario);
    assert_eq!(case.destinies(), "+".repeat(64));
    let charged: BTreeSet<_> = (0..64).map(|candidate| case.executed(candidate).guard_gas_used).collect();
    assert!(charged.len() > 16, "{charged:?}");
}

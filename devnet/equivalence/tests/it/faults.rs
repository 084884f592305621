//! Readers and monitors that break: the block ends with an error. It never hangs, and a part of it is never passed off as
//! the whole. What is broken and was only guessed at harms nobody.

use std::{
    sync::{Arc, atomic::AtomicU32, mpsc},
    time::Duration,
};

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{Address, keccak256};
use parapet_abi::ContextRecord;
use parapet_equivalence::{
    Account, Act, Argument, Breakage, Broken, CallKind, Candidate, Child, Counter, Destination, Failure, Hesitant,
    Hesitation, Keeping, Place, Realised, Scenario, Target, Watch, Watcher, Word, first_difference, observe,
};
use parapet_executor::{Admission, BlockError, Mode};
use parapet_monitor::{Allowance, Decision, Examination, Fault, Judging, Monitor, NoMonitor, StateView};
use parapet_types::{Hardfork, StateChanges, StateReader};

use crate::{
    cases::{RICH, add, poke},
    crews::{Crews, Seen},
};

/// What takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often each case is run, under other pauses each time.
const SCHEDULES: u64 = 20;
const PEOPLE: u8 = 24;
const COUNTER: Place = Place::Contract(0);
const FRAGILE: Place = Place::Contract(1);
/// Candidates that touch what is fragile, unless a case has its own.
const TOUCHING: [usize; 3] = [9, 10, 17];
/// Selector of the transaction that a guard counts, where it counts one alone.
const LATE: u8 = 7;

/// People who increment a counter; three of them call another contract instead.
fn scenario(admission: Admission) -> Scenario {
    let mut scenario = Scenario { admission, ..Scenario::empty(Hardfork::Osaka) };
    scenario.accounts = (0..PEOPLE).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    scenario.accounts.push(Account::contract(COUNTER, vec![Act::Increment(1)]));
    scenario.accounts.push(Account::contract(FRAGILE, vec![Act::Increment(2), Act::Stop]));
    scenario.transactions = (0..PEOPLE).map(|person| poke(person, COUNTER)).collect();
    for candidate in TOUCHING {
        scenario.transactions[candidate] = poke(u8::try_from(candidate).unwrap(), FRAGILE);
    }
    scenario
}

/// Runs it in a thread that is given up when it hangs.
pub(crate) fn in_time<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    let running = std::thread::spawn(move || {
        let result = run();
        // Nobody listens once the test has been given up.
        let _ = tell.send(result);
    });
    match told.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match running.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a thread that does not panic tells its result"),
        },
    }
}

fn reader(block: &Realised, breakage: Breakage, failure: Failure, schedule: u64) -> impl StateReader + use<> {
    let hesitation = Hesitation::new(schedule);
    Broken { below: Hesitant { below: block.state.clone(), hesitation }, breakage, failure }
}

/// Runs a block on a broken reader, sequentially and by all numbers of threads on many schedules: they agree, though the
/// words of their errors may differ. What the sequential run gives is given back.
fn on_broken_reader(scenario: &Scenario, breakage: impl Fn(&Realised) -> Breakage) -> Seen {
    let (scenario, block) = (scenario.clone(), scenario.realise());
    let breakage = breakage(&block);
    in_time(move || {
        let crews = Crews::new();
        let watcher = scenario.watch.as_ref().map(|watch| Watcher::new(watch, &block, None));
        let monitor: &dyn Monitor = watcher.as_ref().map_or(&NoMonitor, |watcher| watcher);
        let run = |mode: Mode<'_>, schedule| {
            observe(&block.input(&reader(&block, breakage, Failure::Error, schedule)), monitor, mode)
        };
        let expected = run(Mode::Sequential, 0);
        for schedule in 0..SCHEDULES {
            for workers in crews.each() {
                let found = run(Mode::Parallel(workers), schedule);
                let both_fail = expected.is_err() && found.is_err();
                let part = first_difference(&expected, &found).filter(|_| !both_fail);
                assert_eq!(part, None, "{} threads, schedule {schedule}", workers.threads());
            }
        }
        expected
    })
}

fn fails_to_read(seen: &Seen) -> bool {
    matches!(seen, Err(BlockError::State(_)))
}

#[test]
fn state_that_cannot_be_read_fails_the_block_whether_it_is_built_or_imported() {
    let fragile = |block: &Realised| block.address(FRAGILE);
    let code_hash = |block: &Realised| block.genesis.accounts[&block.address(FRAGILE)].info.unwrap().code_hash;
    let broken: [&dyn Fn(&Realised) -> Breakage; 5] = [
        &|block| Breakage::Account(fragile(block)),
        &|block| Breakage::Storage(fragile(block)),
        &|block| Breakage::Code(code_hash(block)),
        &|block| Breakage::Account(block.address(Place::Person(5))),
        &|block| Breakage::Account(block.block.beneficiary),
    ];
    for admission in [Admission::Build, Admission::Import] {
        for (number, breakage) in broken.iter().enumerate() {
            let seen = on_broken_reader(&scenario(admission), breakage);
            assert!(fails_to_read(&seen), "{admission:?}, number {number}: {seen:?}");
        }
    }
}

#[test]
fn guard_state_that_cannot_be_written_fails_the_block_or_leaves_out_everything() {
    let mut scenario = scenario(Admission::Build);
    let counter = Counter { slot: 1, step: 1, bound: 1_000, selector: None, keeping: Keeping::Exact };
    scenario.watch = Some(Watch { counters: vec![counter], ..Watch::default() });
    scenario.accounts.push(Account { nonce: 1, ..Account::funded(Place::Registry, 0) });
    // The guard may be able to read its slot and write it, without the account being read; at the end it must be.
    let broken = |block: &Realised| Breakage::Account(block.address(Place::Registry));
    let (block, breakage) = (scenario.realise(), broken(&scenario.realise()));
    let watcher = Watcher::new(scenario.watch.as_ref().unwrap(), &block, None);
    let crews = Crews::new();
    for mode in std::iter::once(Mode::Sequential).chain(crews.each().map(Mode::Parallel)) {
        let seen = observe(&block.input(&reader(&block, breakage, Failure::Error, 0)), &watcher, mode);
        if let Ok(seen) = &seen {
            assert_eq!((seen.included.len(), &seen.changes), (0, &StateChanges::default()), "{mode:?}");
        } else {
            assert!(fails_to_read(&seen), "{mode:?}: {seen:?}");
        }
    }
}

#[test]
fn state_that_a_guard_cannot_read_leaves_nothing_of_the_transaction() {
    let mut scenario = scenario(Admission::Build);
    let counter = Counter { slot: 1, step: 1, bound: 1_000, selector: None, keeping: Keeping::Exact };
    scenario.watch = Some(Watch { counters: vec![counter], ..Watch::default() });
    scenario.accounts.push(Account { nonce: 1, ..Account::funded(Place::Registry, 0) });
    let seen = on_broken_reader(&scenario, |block| Breakage::Storage(block.address(Place::Registry))).unwrap();
    assert_eq!((seen.included.len(), seen.left_out.len()), (0, usize::from(PEOPLE)));
    assert!(seen.left_out.iter().all(|(_, reason)| reason.contains("the disk is broken")), "{:?}", seen.left_out);
    assert_eq!(seen.changes, StateChanges::default());
}

#[test]
fn code_that_cannot_be_looked_up_fails_the_block_or_is_taken_for_new() {
    let mut scenario = scenario(Admission::Build);
    scenario.children = vec![Child { constructor: vec![Act::Increment(3)], runtime: vec![Act::Increment(0)] }];
    scenario.transactions[5].to = Destination::Create(0);
    let sound = scenario.realise();
    let sound = observe(&sound.input(&sound.state), &NoMonitor, Mode::Sequential).unwrap();
    let code_hash = keccak256(&sound.included[5].executed.output);
    // The transaction knows its new code; whether the store has it already is asked as the block is completed.
    match on_broken_reader(&scenario, |_| Breakage::Code(code_hash)) {
        Ok(seen) => assert_eq!(seen, sound),
        seen @ Err(_) => assert!(fails_to_read(&seen), "{seen:?}"),
    }
}

#[test]
fn a_read_that_fails_once_fails_the_block_or_is_as_if_it_had_not() {
    let mut scenario = scenario(Admission::Import);
    // One transaction alone leaves guard state, and only then the registry's account is read: what else it did is written.
    let counter = Counter { slot: 1, step: 1, bound: 1_000, selector: Some(LATE), keeping: Keeping::Max };
    scenario.watch = Some(Watch { counters: vec![counter], ..Watch::default() });
    scenario.accounts.push(Account { nonce: 1, ..Account::funded(Place::Registry, 0) });
    scenario.accounts[TOUCHING[0]].nonce = 1;
    let call = &mut scenario.transactions[TOUCHING[0]];
    (call.selector, call.arguments) = (LATE, vec![Argument::Number(0)]);
    in_time(move || {
        let block = scenario.realise();
        let watcher = Watcher::new(scenario.watch.as_ref().unwrap(), &block, None);
        let sound = observe(&block.input(&block.state), &watcher, Mode::Sequential).unwrap();
        assert_eq!(sound.included.len(), usize::from(PEOPLE));
        let crews = Crews::new();
        let (registry, fragile) = (block.address(Place::Registry), block.address(FRAGILE));
        for breakage in [Breakage::Account(registry), Breakage::Storage(registry), Breakage::Account(fragile)] {
            for schedule in 0..SCHEDULES {
                for workers in crews.each() {
                    let once = Failure::Once(Arc::new(AtomicU32::new(u32::try_from(schedule % 2).unwrap())));
                    let reader = reader(&block, breakage, once, schedule);
                    if let Ok(seen) = observe(&block.input(&reader), &watcher, Mode::Parallel(workers)) {
                        let part = first_difference(&Ok(sound.clone()), &Ok(seen));
                        assert_eq!(part, None, "{breakage:?}, {} threads, schedule {schedule}", workers.threads());
                    }
                }
            }
        }
    });
}

#[test]
fn a_system_contract_that_cannot_be_read_fails_the_block() {
    let seen = on_broken_reader(&scenario(Admission::Build), |_| Breakage::Account(HISTORY_STORAGE_ADDRESS));
    assert!(matches!(seen, Err(BlockError::SystemCall { .. } | BlockError::State(_))), "{seen:?}");
}

/// Everybody calls a contract that would touch what is fragile, did not the first transaction set its slot.
fn only_guessed_at() -> Scenario {
    let mut scenario = scenario(Admission::Build);
    let touch = Act::Call {
        kind: CallKind::Call,
        target: Target::Place(FRAGILE),
        value: Word::Literal(0),
        selector: 0,
        argument: Word::Literal(0),
        gas: None,
        remember: None,
    };
    let guarded = vec![
        Act::When(Word::Argument(0), vec![add(1, 1), Act::Stop]),
        Act::When(Word::Slot(1), vec![Act::Stop]),
        touch,
    ];
    scenario.accounts.retain(|account| account.place != COUNTER);
    scenario.accounts.push(Account::contract(COUNTER, guarded));
    let call = |person, number| Candidate::call(Place::Person(person), COUNTER, vec![Argument::Number(number)]);
    scenario.transactions = (0..PEOPLE).map(|person| call(person, u64::from(person == 0))).collect();
    scenario
}

#[test]
fn what_cannot_be_read_and_was_only_guessed_at_harms_nobody() {
    let scenario = only_guessed_at();
    let sound = scenario.realise();
    let sound = observe(&sound.input(&sound.state), &NoMonitor, Mode::Sequential).unwrap();
    assert_eq!(sound.included.len(), usize::from(PEOPLE));
    let broken: [&dyn Fn(&Realised) -> Breakage; 2] =
        [&|block| Breakage::Account(block.address(FRAGILE)), &|block| Breakage::Storage(block.address(FRAGILE))];
    for breakage in broken {
        assert_eq!(on_broken_reader(&scenario, breakage).unwrap(), sound);
    }
}

/// By all numbers of threads on many schedules the block ends with an error, and the same workers then do a sound block.
fn fails_and_recovers(block: Realised, breakage: Breakage, monitor: fn() -> Box<dyn Monitor>) {
    in_time(move || {
        let crews = Crews::new();
        let sound = |mode: Mode<'_>| observe(&block.input(&block.state), &NoMonitor, mode);
        let expected = sound(Mode::Sequential);
        for schedule in 0..SCHEDULES {
            for workers in crews.each() {
                let threads = workers.threads();
                let reader = reader(&block, breakage, Failure::Panic, schedule);
                let found = observe(&block.input(&reader), &*monitor(), Mode::Parallel(workers));
                assert!(found.is_err(), "{threads} threads, schedule {schedule}: {found:?}");
                let part = first_difference(&expected, &sound(Mode::Parallel(workers)));
                assert_eq!(part, None, "{threads} threads, schedule {schedule}, after the panic");
            }
        }
    });
}

#[test]
fn a_reader_that_panics_fails_the_block_and_the_workers_live_on() {
    let block = scenario(Admission::Build).realise();
    let fragile = block.address(FRAGILE);
    for breakage in [
        Breakage::Account(fragile),
        Breakage::Storage(fragile),
        Breakage::Account(block.address(Place::Person(0))),
        Breakage::Account(block.address(Place::Person(PEOPLE - 1))),
        Breakage::Account(block.block.beneficiary),
    ] {
        fails_and_recovers(block.clone(), breakage, || Box::new(NoMonitor));
    }
}

/// Panics at one sender.
struct Panicky(Address);

impl Monitor for Panicky {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        assert_ne!(context.sender.bytes, self.0.into_array(), "the monitor is broken at this sender");
        Ok(None)
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

#[test]
fn a_monitor_that_panics_fails_the_block_and_the_workers_live_on() {
    let block = scenario(Admission::Build).realise();
    let nothing = Breakage::Code(keccak256(b"no such code"));
    fails_and_recovers(block, nothing, || Box::new(Panicky(Place::Person(13).fixed_address().unwrap())));
}

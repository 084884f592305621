//! Drawn modules say the same on both engines, and so do the guards that are made to attack one of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::env;

use parapet_differential::{
    Agreement, Campaign, Case, End, FUEL, Met, Source, compare, guard_vm_within, interpreter_run, interpreter_within,
    script,
};
use parapet_hostile::{Room, attacks};
use parapet_monitor::Fuel;
use parapet_vm::{Engine, EngineSettings, Optimisation};

/// Seeds that are tried when nothing else is asked for.
const SEEDS: u64 = 300;
/// The same of modules that work with their host.
const SCRIPTS: u64 = 1_200;
/// Fuel of attacks that spend all there is.
const LITTLE: Fuel = Fuel(10_000_000);

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn engine(optimisation: Optimisation) -> Engine {
    Engine::new(EngineSettings { instances_max: 8, optimisation, ..EngineSettings::default() }).unwrap()
}

fn engines() -> [Engine; 2] {
    [engine(Optimisation::Speed), engine(Optimisation::None)]
}

/// The seeds to try; those of one seed if it is asked for.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    match (asked("PARAPET_DIFFERENTIAL_SEED"), asked("PARAPET_DIFFERENTIAL_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(usual),
    }
}

/// What came of all seeds; of few, nothing can be demanded.
fn met(source: Source, usual: u64) -> Option<Met> {
    let (seeds, mut campaign) = (seeds(usual), Campaign::new());
    let many = seeds.end - seeds.start >= usual;
    for seed in seeds {
        campaign.try_seed(source, seed).unwrap_or_else(|difference| panic!("{source:?}, {difference}"));
    }
    many.then_some(campaign.met)
}

fn often(met: &Met, kinds: &[&str], least: u64) {
    for kind in kinds {
        let many = met.ended(&[kind]);
        assert!(many >= least, "{kind} is met {many} times: {:?}", met.ends);
    }
}

/// Every import did what it is for, failed in each way it can, and said both yes and no where it answers that.
fn all_imports(met: &Met, least: u64) {
    for (name, ways) in IMPORTS {
        let answers = met.calls.get(name).copied().unwrap_or_default();
        assert!(answers.answered() >= least, "{name}: {answers:?}");
        let never = ways.iter().find(|way| match way {
            Way::Trap => answers.trapped == 0,
            Way::Limit => answers.limited == 0,
            Way::Zero => answers.nothing == 0,
            Way::More => answers.something == 0,
            Way::NoEntry => answers.no_entry == 0,
            Way::Veto => answers.vetoed == 0,
        });
        assert_eq!(never, None, "{name}: {answers:?}");
    }
}

/// Ways in which a call of an import ends.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    Trap,
    Limit,
    Zero,
    More,
    NoEntry,
    Veto,
}

/// What the specification says may come of each import.
const IMPORTS: [(&str, &[Way]); 24] = [
    ("trace_count", &[Way::Zero, Way::More]),
    ("trace_read", &[Way::Trap, Way::Limit, Way::Zero, Way::More]),
    ("trace_data", &[Way::Trap, Way::Zero, Way::More]),
    ("config_read", &[Way::Trap, Way::Zero, Way::More]),
    ("state_storage", &[Way::Trap]),
    ("state_balance", &[Way::Trap]),
    ("state_code_hash", &[Way::Trap]),
    ("state_storage_at", &[Way::Trap]),
    ("state_balance_at", &[Way::Trap]),
    ("state_code_hash_at", &[Way::Trap]),
    ("view_call", &[Way::Trap, Way::Limit, Way::Zero, Way::More]),
    ("view_output", &[Way::Trap, Way::Zero, Way::More]),
    ("store_get", &[Way::Trap, Way::Limit, Way::Zero, Way::More]),
    ("store_set", &[Way::Trap, Way::Limit]),
    ("store_add", &[Way::Trap, Way::Limit, Way::Zero, Way::More]),
    ("store_max", &[Way::Trap, Way::Limit]),
    ("entry_get", &[Way::Trap, Way::Limit, Way::Zero, Way::More, Way::NoEntry]),
    ("entry_set", &[Way::Trap, Way::Limit]),
    ("entry_remove", &[Way::Trap, Way::Limit, Way::Zero, Way::More]),
    ("entry_seek", &[Way::Trap, Way::Limit, Way::More, Way::NoEntry]),
    ("window_add", &[Way::Trap, Way::Limit, Way::Zero, Way::More]),
    ("keccak256", &[Way::Trap]),
    ("alert", &[Way::Trap, Way::Limit]),
    ("veto", &[Way::Trap, Way::Limit, Way::Veto]),
];

#[test]
fn drawn_modules_say_the_same_on_both_engines() {
    let Some(met) = met(Source::Drawn, SEEDS) else { return };
    let share = |many: u64, percent: u64| many * 100 >= met.seeds * percent;
    let returned = met.ended(&["returned", "wrote words", "changed entries"]);
    assert!(share(met.ran, 95), "{} of {} seeds ran: {:?}", met.ran, met.seeds, met.refusals);
    assert!(share(met.called, 70), "{} of {} called an import", met.called, met.seeds);
    assert!(share(returned, 30), "{returned} of {} returned: {:?}", met.seeds, met.ends);
    often(&met, &["vetoed", "exceeded a limit", "exhausted"], SEEDS / 100);
    often(&met, &["changed entries", "trapped"], SEEDS / 20);
    // A veto is answered once in a module at most.
    for (name, _) in IMPORTS.into_iter().filter(|(name, _)| *name != "veto") {
        let answers = met.calls.get(name).copied().unwrap_or_default();
        assert!(answers.answered() >= SEEDS, "{name}: {answers:?}");
    }
    assert!(share(met.fuel_compared, 200), "fuel was compared in {} runs", met.fuel_compared);
    assert!(share(met.stopped, 30), "{} of {} were out of fuel", met.stopped, met.shortened);
}

#[test]
fn modules_that_work_with_their_host_say_the_same_on_both_engines() {
    let Some(met) = met(Source::Script, SCRIPTS) else { return };
    assert_eq!(met.ran, met.seeds, "{:?}", met.refusals);
    let kinds = ["changed entries", "wrote words", "vetoed", "exceeded a limit", "trapped", "exhausted"];
    often(&met, &kinds, SCRIPTS / 100);
    all_imports(&met, SCRIPTS / 100);
    assert!(
        met.fuel_compared > 2 * SCRIPTS,
        "of three runs of each module, fuel was compared in {}",
        met.fuel_compared
    );
    assert!(met.stopped > SCRIPTS / 2, "{} of {} were out of fuel", met.stopped, met.shortened);
}

#[test]
fn what_a_module_spends_is_enough_for_it_and_less_is_not() {
    let engines = engines();
    let mut tried = 0;
    for seed in seeds(SCRIPTS / 10) {
        let (module, case) = (script(seed), Case::new(seed));
        let (said, spent) = guard_vm_within(&engines[0], &module, &case, FUEL).unwrap();
        // An engine that traps has not counted all of what it did.
        if !matches!(said.ends.last(), Some(End::Returned | End::Vetoed { .. })) {
            continue;
        }
        tried += 1;
        for engine in &engines {
            for enough in [spent, Fuel(spent.0 + 1)] {
                let (enough, all) = guard_vm_within(engine, &module, &case, enough).unwrap();
                assert_eq!((enough, all), (said.clone(), spent), "seed {seed}");
            }
            let less = Fuel(spent.0 - 1);
            let (short, all) = guard_vm_within(engine, &module, &case, less).unwrap();
            assert_eq!((short.ends.last(), all), (Some(&End::Exhausted), less), "seed {seed}");
        }
    }
    assert!(tried > 0);
}

#[test]
fn attacks_end_alike_on_both_engines() {
    let room = Room {
        module_bytes: 100_000,
        functions: 64,
        body_bytes: 10_000,
        locals: 100,
        parameters: 16,
        values: 16,
        depth: 10,
        loops: 10,
        targets: 10,
        pages: 64,
        table: 64,
    };
    let engine = engine(Optimisation::Speed);
    let case = Case::new(3);
    for attack in attacks(&room) {
        // What only fuel ends gets less of it, since an interpreter takes longer to spend it.
        let spends = [parapet_hostile::End::OutOfFuel, parapet_hostile::End::Spent].contains(&attack.end);
        let (fuel, agreement) = if spends { (LITTLE, Agreement::Exhausted) } else { (FUEL, Agreement::Same) };
        let (said, _) = guard_vm_within(&engine, &attack.bytes, &case, fuel).unwrap();
        let other = interpreter_within(&attack.bytes, &case, fuel).unwrap().said;
        assert_eq!(compare(&said, &other), agreement, "{}: {said:?}, {other:?}", attack.name);
        assert_eq!(said.ends, other.ends, "{}", attack.name);
    }
}

#[test]
fn something_must_be_left_where_a_function_or_a_round_of_a_loop_starts() {
    let case = Case::new(3);
    for engine in engines() {
        for (body, end) in [
            ("", End::Exhausted),
            ("(loop)", End::Exhausted),
            ("(drop (i32.const 1))", End::Returned),
            ("(loop) (drop (i32.const 1))", End::Returned),
        ] {
            let module = with_hook(body);
            let (said, spent) = guard_vm_within(&engine, &module, &case, FUEL).unwrap();
            assert_eq!(said.ends.last(), Some(&End::Returned), "{body}");
            assert_eq!(interpreter_run(&module, &case).unwrap().spent, Some(spent), "{body}");
            let (said, _) = guard_vm_within(&engine, &module, &case, spent).unwrap();
            assert_eq!(said.ends.last(), Some(&end), "{body}");
            assert_eq!(interpreter_within(&module, &case, spent).unwrap().said.ends, said.ends, "{body}");
        }
    }
}

#[test]
fn a_hook_that_nothing_asks_any_more_returns_with_less_than_it_costs_and_has_spent_all() {
    let (module, case) = (with_hook("(drop (i32.const 1)) (drop (i32.const 1))"), Case::new(3));
    for engine in engines() {
        let (said, cost) = guard_vm_within(&engine, &module, &case, FUEL).unwrap();
        let less = Fuel(cost.0 - 1);
        assert_eq!(guard_vm_within(&engine, &module, &case, less).unwrap(), (said.clone(), less));
        let other = interpreter_within(&module, &case, less).unwrap();
        assert_eq!((other.said, other.spent), (said, Some(less)));
    }
}

/// A guard whose only hook has a body.
fn with_hook(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module (memory (export "memory") 1) (func (export "on_tx") {body})
        (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"round\",\"version\":\"1\",\"triggers\":[\"frame\"]}}"))"#
    );
    wat::parse_str(text).unwrap()
}

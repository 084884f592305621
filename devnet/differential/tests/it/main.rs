//! Drawn modules say the same on both engines, and so do the guards that are made to attack one of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::{collections::BTreeMap, env};

use parapet_differential::{
    Agreement, Calls, Case, End, FUEL, Said, compare, generate, guard_vm, guard_vm_within, interpreter,
    interpreter_run, script,
};
use parapet_hostile::{Room, attacks};
use parapet_monitor::Fuel;
use parapet_vm::{Engine, EngineSettings, Optimisation};

/// Seeds that are tried when nothing else is asked for.
const SEEDS: u64 = 1_500;
/// The same of modules that work with their host.
const SCRIPTS: u64 = 2_000;

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn engine(optimisation: Optimisation) -> Engine {
    Engine::new(EngineSettings { instances_max: 8, optimisation, ..EngineSettings::default() }).unwrap()
}

/// The seeds to try; those of one seed if it is asked for.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    match (asked("PARAPET_DIFFERENTIAL_SEED"), asked("PARAPET_DIFFERENTIAL_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(usual),
    }
}

/// How often each kind of end was met, and how the host's imports answered.
#[derive(Debug, Default)]
struct Met {
    ends: BTreeMap<&'static str, u64>,
    calls: Calls,
    /// Runs whose fuel was compared.
    told: u64,
}

impl Met {
    fn note(&mut self, agreement: Agreement, said: &Said, before: &Case) {
        let entries_changed = || !said.entries.iter().map(|(key, value)| (key, value)).eq(before.entries.iter());
        let kind = match (agreement, said.ends.last()) {
            (Agreement::Exhausted, _) => "exhausted",
            (_, Some(End::Returned)) if entries_changed() => "changed entries",
            (_, Some(End::Returned)) if !said.writes.is_empty() => "wrote words",
            (_, Some(End::Returned)) => "returned",
            (_, Some(End::Vetoed { .. })) => "vetoed",
            (_, Some(End::Limit)) => "exceeded a limit",
            (_, _) => "trapped",
        };
        *self.ends.entry(kind).or_default() += 1;
    }

    fn often(&self, kinds: &[&str], least: u64) {
        for kind in kinds {
            let met = self.ends.get(kind).copied().unwrap_or_default();
            assert!(met >= least, "{kind} is met {met} times: {:?}", self.ends);
        }
    }

    /// Every import did what it is for, failed in each way it can, and said both yes and no where it answers that.
    fn all_imports(&self, least: u64) {
        for (name, ways) in IMPORTS {
            let answers = self.calls.get(name).copied().unwrap_or_default();
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

/// Runs a module on both engines, on the guard VM twice and with either setting of its compiler; `None` if it is refused.
/// Fuel is compared, too, where the second engine can tell it.
fn agreed(seed: u64, module: &[u8], engines: &[Engine; 2], met: &mut Met) -> Option<Said> {
    let case = Case::new(seed);
    let other = interpreter_run(module, &case);
    let mut last = None;
    // Twice on the first, so that one of them runs on an instance that was used before.
    for engine in [&engines[0], &engines[0], &engines[1]] {
        let said = guard_vm_within(engine, module, &case, FUEL);
        let (Ok((said, spent)), Ok(other)) = (&said, &other) else {
            assert!(said.is_err(), "seed {seed}: only the interpreter refuses it: {other:?}");
            return None;
        };
        let agreement = compare(said, &other.said);
        assert_ne!(agreement, Agreement::Different, "seed {seed}: the guard VM {said:#?}\nthe interpreter {other:#?}");
        if let Some(by_the_text) = other.spent.filter(|_| agreement == Agreement::Same) {
            assert_eq!(*spent, by_the_text, "seed {seed}, {} bytes: {:?}, {:?}", module.len(), said.ends, other.calls);
            met.told += 1;
        }
        met.note(agreement, said, &case);
        last = Some(said.clone());
    }
    for (name, answers) in other.map(|run| run.calls).unwrap_or_default() {
        met.calls.entry(name).or_default().add(answers);
    }
    last
}

fn engines() -> [Engine; 2] {
    [engine(Optimisation::Speed), engine(Optimisation::None)]
}

#[test]
fn drawn_modules_say_the_same_on_both_engines() {
    let (seeds, engines, mut met) = (seeds(SEEDS), engines(), Met::default());
    let many = seeds.end - seeds.start > 1_000;
    for seed in seeds {
        if let Some(module) = generate(seed) {
            agreed(seed, &module, &engines, &mut met);
        }
    }
    if many {
        met.often(&["returned", "trapped"], 30);
    }
}

#[test]
fn modules_that_work_with_their_host_say_the_same_on_both_engines() {
    let (seeds, engines, mut met) = (seeds(SCRIPTS), engines(), Met::default());
    let many = seeds.end - seeds.start >= SCRIPTS;
    for seed in seeds {
        let said = agreed(seed, &script(seed), &engines, &mut met);
        assert!(said.is_some(), "seed {seed}: it is a guard");
    }
    if many {
        met.often(
            &["changed entries", "wrote words", "vetoed", "exceeded a limit", "trapped", "exhausted"],
            SCRIPTS / 100,
        );
        met.all_imports(SCRIPTS / 100);
        assert!(met.told > SCRIPTS, "of three runs of each module, fuel was compared in {}", met.told);
    }
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
        if [parapet_hostile::End::OutOfFuel, parapet_hostile::End::Spent].contains(&attack.end) {
            // Only fuel ends them, which the interpreter does not count.
            continue;
        }
        let said = guard_vm(&engine, &attack.bytes, &case).unwrap();
        let other = interpreter(&attack.bytes, &case).unwrap();
        assert_eq!(compare(&said, &other), Agreement::Same, "{}: {said:?}, {other:?}", attack.name);
    }
}

#[test]
fn something_must_be_left_where_a_function_or_a_round_of_a_loop_starts() {
    let module = |body: &str| {
        let text = format!(
            r#"(module (memory (export "memory") 1) (func (export "on_tx") {body})
            (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"round\",\"version\":\"1\",\"triggers\":[\"frame\"]}}"))"#
        );
        wat::parse_str(text).unwrap()
    };
    let case = Case::new(3);
    for engine in engines() {
        for (body, end) in [
            ("", End::Exhausted),
            ("(loop)", End::Exhausted),
            ("(drop (i32.const 1))", End::Returned),
            ("(loop) (drop (i32.const 1))", End::Returned),
        ] {
            let module = module(body);
            let (said, spent) = guard_vm_within(&engine, &module, &case, FUEL).unwrap();
            assert_eq!(said.ends.last(), Some(&End::Returned), "{body}");
            assert_eq!(interpreter_run(&module, &case).unwrap().spent, Some(spent), "{body}");
            let (said, _) = guard_vm_within(&engine, &module, &case, spent).unwrap();
            assert_eq!(said.ends.last(), Some(&end), "{body}");
        }
    }
}

//! Drawn modules say the same on both engines, and so do the guards that are made to attack one of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::{collections::BTreeMap, env};

use parapet_differential::{
    Agreement, Case, End, Said, compare, generate, guard_vm, guard_vm_within, interpreter, script,
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

/// How often each kind of end was met.
#[derive(Debug, Default)]
struct Met(BTreeMap<&'static str, u64>);

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
        *self.0.entry(kind).or_default() += 1;
    }

    fn often(&self, kinds: &[&str], least: u64) {
        for kind in kinds {
            let met = self.0.get(kind).copied().unwrap_or_default();
            assert!(met >= least, "{kind} is met {met} times: {self:?}");
        }
    }
}

/// Runs a module on both engines, on the guard VM twice and with either setting of its compiler; `None` if it is refused.
fn agreed(seed: u64, module: &[u8], engines: &[Engine; 2], met: &mut Met) -> Option<Said> {
    let case = Case::new(seed);
    let other = interpreter(module, &case);
    let mut last = None;
    // Twice on the first, so that one of them runs on an instance that was used before.
    for engine in [&engines[0], &engines[0], &engines[1]] {
        let said = guard_vm(engine, module, &case);
        let (Ok(said), Ok(other)) = (&said, &other) else {
            assert!(said.is_err(), "seed {seed}: only the interpreter refuses it: {other:?}");
            return None;
        };
        let agreement = compare(said, other);
        assert_ne!(agreement, Agreement::Different, "seed {seed}: the guard VM {said:#?}\nthe interpreter {other:#?}");
        met.note(agreement, said, &case);
        last = Some(said.clone());
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
    }
}

#[test]
fn what_a_module_spends_is_enough_for_it_and_less_is_not() {
    let engines = engines();
    let mut tried = 0;
    for seed in seeds(SCRIPTS / 10) {
        let (module, case) = (script(seed), Case::new(seed));
        let (said, spent) = guard_vm_within(&engines[0], &module, &case, Fuel(1_000_000_000)).unwrap();
        // An engine that traps has not counted all of what it did.
        if !matches!(said.ends.last(), Some(End::Returned | End::Vetoed { .. })) {
            continue;
        }
        tried += 1;
        for engine in &engines {
            // The engine goes on while there is some left.
            let (enough, all) = guard_vm_within(engine, &module, &case, Fuel(spent.0 + 1)).unwrap();
            assert_eq!((enough, all), (said.clone(), spent), "seed {seed}");
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

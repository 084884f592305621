//! Drawn modules say the same on both engines, and so do the guards that are made to attack one of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::{collections::BTreeMap, env};

use parapet_differential::{Agreement, Case, End, compare, generate, guard_vm, interpreter};
use parapet_hostile::{Room, attacks};
use parapet_vm::{Engine, EngineSettings, Optimisation};

/// Seeds that are tried when nothing else is asked for.
const SEEDS: u64 = 1_500;

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn engine(optimisation: Optimisation) -> Engine {
    Engine::new(EngineSettings { instances_max: 8, optimisation, ..EngineSettings::default() }).unwrap()
}

#[test]
fn drawn_modules_say_the_same_on_both_engines() {
    let seeds = match (asked("PARAPET_DIFFERENTIAL_SEED"), asked("PARAPET_DIFFERENTIAL_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(SEEDS),
    };
    let engines = [engine(Optimisation::Speed), engine(Optimisation::None)];
    let mut met: BTreeMap<&str, u64> = BTreeMap::new();
    let many = seeds.end - seeds.start > 1_000;
    for seed in seeds {
        let Some(module) = generate(seed) else { continue };
        let case = Case::new(seed);
        let other = interpreter(&module, &case);
        // Twice on the first, so that one of them runs on an instance that was used before.
        for engine in [&engines[0], &engines[0], &engines[1]] {
            let said = guard_vm(engine, &module, &case);
            let (Ok(said), Ok(other)) = (&said, &other) else {
                *met.entry("refused").or_default() += 1;
                assert!(said.is_err(), "seed {seed}: only the interpreter refuses it: {other:?}");
                break;
            };
            let agreement = compare(said, other);
            assert_ne!(
                agreement,
                Agreement::Different,
                "seed {seed}: the guard VM {said:?}\nthe interpreter {other:?}"
            );
            let kind = match (agreement, said.ends.last()) {
                (Agreement::Exhausted, _) => "exhausted",
                (_, Some(End::Returned)) if said.writes.is_empty() => "returned",
                (_, Some(End::Returned)) => "wrote",
                (_, Some(End::Vetoed { .. })) => "vetoed",
                (_, Some(End::Limit)) => "limit",
                (_, _) => "trapped",
            };
            *met.entry(kind).or_default() += 1;
        }
    }
    let often = |kind: &str, least: u64| met.get(kind).copied().unwrap_or_default() >= least;
    assert!(!many || (often("returned", 50) && often("trapped", 50)), "{met:?} is too little");
}

#[test]
fn attacks_end_alike_on_both_engines() {
    let room = Room {
        module_bytes: 100_000,
        functions: 64,
        body_bytes: 10_000,
        locals: 100,
        values: 16,
        depth: 10,
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
        assert_eq!(said, other, "{}", attack.name);
    }
}

//! Modules that attack the compiler, the stack and the memory: each is refused, or ends within its bounds, in the same
//! way however it was compiled.

use alloy_primitives::Bytes;
use parapet_hostile::{End, Room, attacks, bombs};
use parapet_monitor::Fuel;
use parapet_vm::{Engine, EngineSettings, HookEnd, Optimisation, VetError, limits, vet};

use crate::{Bench, on_tx, trapped};

const FUEL: Fuel = Fuel(100_000_000);

/// As much as vetting accepts.
const ROOM: Room = Room {
    module_bytes: limits::MODULE_BYTES_MAX,
    functions: limits::FUNCTIONS_MAX,
    body_bytes: limits::BODY_BYTES_MAX,
    locals: limits::LOCALS_MAX,
    parameters: limits::VALUES_MAX,
    values: limits::VALUES_MAX,
    depth: limits::DEPTH_MAX,
    loops: limits::LOOP_DEPTH_MAX,
    targets: limits::BRANCH_TARGETS_MAX,
    pages: limits::MEMORY_PAGES_MAX,
    table: limits::TABLE_ELEMENTS_MAX,
};

fn bench(optimisation: Optimisation) -> Bench {
    let engine = Engine::new(EngineSettings { instances_max: 4, optimisation, ..EngineSettings::default() }).unwrap();
    let mut bench = Bench { engine, ..Bench::new() };
    bench.subject.fuel_max = FUEL;
    bench
}

#[test]
fn attacks_end_alike_however_they_were_compiled() {
    let (mut fast, mut plain) = (bench(Optimisation::Speed), bench(Optimisation::None));
    for attack in attacks(&ROOM) {
        let module = Bytes::from(attack.bytes);
        let (first, session) = fast.run(&module);
        let spent = session.spent();
        drop(session);
        let ended = match attack.end {
            End::Returns => first == HookEnd::Returned,
            End::Traps => trapped(&first) && spent < FUEL,
            End::Spent => trapped(&first) && spent == FUEL,
            End::OutOfFuel => first == HookEnd::OutOfFuel && spent == FUEL,
        };
        assert!(ended, "{}: {first:?}, {spent:?} spent", attack.name);
        for bench in [&mut fast, &mut plain] {
            let (again, session) = bench.run(&module);
            assert_eq!((again, session.spent()), (first.clone(), spent), "{}", attack.name);
        }
    }
}

#[test]
fn small_bombs_compile_and_do_nothing_or_are_refused_for_their_work() {
    let small = Room { module_bytes: 24 * 1_024, body_bytes: 8 * 1_024, depth: 100, targets: 100, locals: 64, ..ROOM };
    let (mut fast, mut plain) = (bench(Optimisation::Speed), bench(Optimisation::None));
    let mut ran = 0;
    for bomb in bombs(&small) {
        let module = Bytes::from(bomb.bytes);
        if let Err(refusal) = vet(&module) {
            assert!(matches!(refusal, VetError::TooMany { max: limits::WORK_MAX, .. }), "{}: {refusal}", bomb.name);
            continue;
        }
        ran += 1;
        let (first, session) = fast.run(&module);
        assert_eq!(first, HookEnd::Returned, "{}", bomb.name);
        let (again, other) = plain.run(&module);
        assert_eq!((again, other.spent()), (first, session.spent()), "{}", bomb.name);
    }
    assert!(ran >= 10, "{ran} bombs are small enough to be compiled");
}

#[test]
fn bombs_that_compilers_pay_for_more_than_once_are_refused() {
    let refused = |name: &str| {
        let bomb = bombs(&ROOM).into_iter().find(|bomb| bomb.name == name).unwrap();
        matches!(vet(&bomb.bytes), Err(VetError::TooMany { max: limits::WORK_MAX, .. }))
    };
    for name in [
        "skips",
        "exits",
        "loops",
        "calls",
        "bulk memory",
        "memory growth",
        "exits of nested loops",
        "locals across skips",
        "locals across calls",
        "operands across skips",
        "operands across calls",
        "masses of operands across skips",
        "masses of operands across loops",
        "masses of operands across calls",
        "wide calls",
        "wide blocks",
        "exits of a wide block",
    ] {
        assert!(refused(name), "{name}");
    }
}

#[test]
fn loops_around_one_another_are_limited_and_not_loops_beside_one_another() {
    let nested = |depth: u32| {
        let (open, close) = ("(loop ".repeat(depth as usize), ")".repeat(depth as usize));
        on_tx(&format!("{open}{close} {open}{close}"))
    };
    vet(&nested(limits::LOOP_DEPTH_MAX)).unwrap();
    let refused = vet(&nested(limits::LOOP_DEPTH_MAX + 1)).unwrap_err();
    assert!(
        matches!(refused, VetError::Function { what: "loops around one another", count: 33, max: 32, .. }),
        "{refused}"
    );
}

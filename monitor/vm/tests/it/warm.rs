//! An instance that was used before cannot be told from a fresh one: not by its memory, its globals, its table or its
//! segments, not by how much its memory can grow, and not by its fuel.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use parapet_monitor::{Fault, Fuel, MemoryState, StateFault, StateView, Trace};
use parapet_vm::{Engine, EngineSettings, HookCall, HookEnd};

use crate::{Bench, module, module_with, on_tx};

/// Veto with the hash of all memory, the size of memory, both mutable globals, and what the table calls.
const REPORT: &str = r#"
    (func (export "on_tx")
        (call $keccak256 (i32.const 0) (i32.mul (memory.size) (i32.const 65536)) (i32.const 0))
        (i32.store (i32.const 32) (memory.size))
        (i32.store (i32.const 36) (global.get $small))
        (i64.store (i32.const 40) (global.get $large))
        (i32.store (i32.const 48) (call_indirect (result i32) (i32.const 1)))
        (i32.store (i32.const 52) (memory.grow (i32.const 1)))
        (call $veto (i32.const 1) (i32.const 0) (i32.const 56)))"#;

/// What a guard starts with.
const START: &str = r#"
    (global $small (mut i32) (i32.const 7)) (global $large (mut i64) (i64.const -8))
    (table 4 funcref) (elem (i32.const 0) $one $two) (elem $passive func $two)
    (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
    (data (i32.const 100) "start") (data (i32.const 9000) "middle") (data $passive "passive")"#;

/// A guard that starts as [`START`] says, does `poison` when a frame starts, and tells afterwards how it found itself.
fn probe(pages: u32, poison: &str) -> Bytes {
    let memory = format!(r#"(memory (export "memory") {pages})"#);
    module_with(
        crate::DESCRIPTOR,
        &memory,
        &format!("{START} {REPORT} (func (export \"on_call\") (param i32) {poison})"),
    )
}

fn cold() -> Bench {
    let settings = EngineSettings { instances_max: 4, warm_max: 0, ..EngineSettings::default() };
    Bench { engine: Engine::new(settings).unwrap(), ..Bench::new() }
}

/// How a fresh instance finds itself, and what that costs.
fn found(bench: &mut Bench, module: &Bytes) -> (HookEnd, Fuel) {
    let (end, session) = bench.run(module);
    (end, session.spent())
}

/// How a transaction ends in which the guard poisons itself first.
fn poisoned(bench: &mut Bench, module: &Bytes) -> (HookEnd, HookEnd, Fuel) {
    let mut session = bench.session(module);
    let first = bench.call(&mut session, HookCall::OnCall(0));
    let second = bench.call(&mut session, HookCall::OnTx);
    (first, second, session.spent())
}

fn instances_made(bench: &Bench, module: &Bytes) -> u64 {
    bench.engine.load(keccak256(module), module.clone()).unwrap().instances_made()
}

const FILL: &str = "(memory.fill (i32.const 0) (i32.const 0xa5) (i32.mul (memory.size) (i32.const 65536)))";

/// All that a guard can do to itself, and whether its instance can be used again.
const POISONS: [(&str, bool); 13] = [
    ("", true),
    (FILL, true),
    ("(i32.store8 (i32.const 65535) (i32.const 1))", true),
    ("(i32.store8 (i32.const 100) (i32.const 0)) (i32.store8 (i32.const 4096) (i32.const 1))", true),
    ("(global.set $small (i32.const 0x5eed)) (global.set $large (i64.const 0x5eed))", true),
    ("(i64.store (i32.const 50000) (i64.const -1)) unreachable", true),
    ("(i64.store (i32.const 8) (i64.const -1)) (loop $again (br $again))", true),
    ("(i64.store (i32.const 8) (i64.const -1)) (call $veto (i32.const 2) (i32.const 0) (i32.const 9))", true),
    ("(drop (memory.grow (i32.const 1))) (i32.store8 (i32.const 70000) (i32.const 1))", false),
    ("(memory.init $passive (i32.const 200) (i32.const 0) (i32.const 7))", false),
    ("(data.drop $passive)", false),
    ("(table.copy (i32.const 1) (i32.const 0) (i32.const 1))", false),
    ("(table.init $passive (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $passive)", false),
];

#[test]
fn nothing_leaks_from_one_transaction_to_the_next() {
    for (poison, again) in POISONS {
        let module = probe(1, poison);
        let (fresh, fresh_poisoned) = (found(&mut cold(), &module), poisoned(&mut cold(), &module));
        let mut bench = Bench::new();
        for _ in 0..10 {
            assert_eq!(found(&mut bench, &module), fresh, "{poison}");
            assert_eq!(poisoned(&mut bench, &module), fresh_poisoned, "{poison}");
        }
        let made = instances_made(&bench, &module);
        // The report itself grows the memory, so every instance that told is used up.
        assert!(made >= 10, "{poison}: {made} instances for 20 transactions");
        let quiet = module_without_growth(poison);
        let fresh = found(&mut cold(), &quiet);
        for _ in 0..10 {
            poisoned(&mut bench, &quiet);
            assert_eq!(found(&mut bench, &quiet), fresh, "{poison}");
        }
        let made = instances_made(&bench, &quiet);
        assert_eq!(made == 1, again, "{poison}: {made} instances for 20 transactions");
    }
}

/// As [`probe`], but telling does not grow the memory.
fn module_without_growth(poison: &str) -> Bytes {
    let report = REPORT.replace("(memory.grow (i32.const 1))", "(i32.const 0)");
    module(&format!("{START} {report} (func (export \"on_call\") (param i32) {poison})"))
}

#[test]
fn memories_of_every_size_start_alike_again() {
    for pages in [1, 2, 4, 5, 64] {
        let body = format!(
            "{START} {} (func (export \"on_call\") (param i32) {FILL})",
            REPORT.replace("memory.grow", "i32.add (i32.const 3)")
        );
        let module = module_with(crate::DESCRIPTOR, &format!(r#"(memory (export "memory") {pages} 64)"#), &body);
        let mut bench = Bench::new();
        bench.subject.fuel_max = Fuel(1_000_000_000);
        let mut cold = cold();
        cold.subject.fuel_max = bench.subject.fuel_max;
        let fresh = found(&mut cold, &module);
        for _ in 0..5 {
            poisoned(&mut bench, &module);
            assert_eq!(found(&mut bench, &module), fresh, "{pages} pages");
        }
        assert_eq!(instances_made(&bench, &module) == 1, pages <= 4, "{pages} pages");
    }
}

#[test]
fn alerts_writes_and_counts_of_one_transaction_are_not_the_next_ones() {
    let body = r#"
        (func (export "on_call") (param i32)
            (call $store_set (i32.const 0) (i32.const 4) (i32.const 64))
            (call $alert (i32.const 7) (i32.const 0) (i32.const 4)))
        (func (export "on_tx"))
        (data (i32.const 64) "\01")"#;
    let module = module(body);
    let mut bench = Bench::new();
    // More transactions than alerts or words fit into one.
    for round in 0..100 {
        let mut session = bench.session(&module);
        assert_eq!(bench.call(&mut session, HookCall::OnCall(3)), HookEnd::Returned, "round {round}");
        if round % 2 == 0 {
            // Left in the instance: nobody takes them.
            continue;
        }
        assert_eq!(session.take_alerts().len(), 1);
        assert_eq!(session.into_updates().len(), 1);
        let mut quiet = bench.session(&module);
        assert_eq!(bench.call(&mut quiet, HookCall::OnTx), HookEnd::Returned);
        assert_eq!((quiet.take_alerts(), quiet.into_updates()), (Vec::new(), Vec::new()));
    }
    assert_eq!(instances_made(&bench, &module), 1);
}

#[test]
fn sessions_at_the_same_time_have_instances_of_their_own() {
    let module = module_without_growth(FILL);
    let mut bench = Bench::new();
    let fresh = found(&mut cold(), &module);
    for _ in 0..5 {
        let mut sessions: Vec<_> = (0..4).map(|_| bench.session(&module)).collect();
        for session in &mut sessions[..3] {
            assert_eq!(bench.call(session, HookCall::OnCall(0)), HookEnd::Returned);
        }
        let end = bench.call(&mut sessions[3], HookCall::OnTx);
        assert_eq!((end, sessions[3].spent()), fresh);
    }
    assert_eq!(instances_made(&bench, &module), 4);
}

#[test]
fn instances_that_wait_make_room_for_other_guards() {
    let mut bench = Bench::new();
    for number in 0..20 {
        let module = on_tx(&format!("(drop (i32.const {number}))"));
        let mut sessions: Vec<_> = (0..4).map(|_| bench.session(&module)).collect();
        for session in &mut sessions {
            assert_eq!(bench.call(session, HookCall::OnTx), HookEnd::Returned);
        }
    }
}

#[test]
fn data_that_does_not_fit_traps_every_time_for_the_same_fuel() {
    let module = module(r#"(data (i32.const 65535) "xx") (func (export "on_tx"))"#);
    let fresh = found(&mut cold(), &module);
    let mut bench = Bench::new();
    for _ in 0..3 {
        assert_eq!(found(&mut bench, &module), fresh);
    }
}

/// State that cannot be read.
struct Unreadable;

impl StateView for Unreadable {
    fn storage(
        &mut self,
        _: parapet_monitor::Fork,
        _: Address,
        _: alloy_primitives::U256,
    ) -> Result<alloy_primitives::U256, StateFault> {
        Err(StateFault("the disk is gone".into()))
    }

    fn balance(&mut self, _: parapet_monitor::Fork, _: Address) -> Result<alloy_primitives::U256, StateFault> {
        unreachable!("not asked")
    }

    fn code_hash(&mut self, _: parapet_monitor::Fork, _: Address) -> Result<B256, StateFault> {
        unreachable!("not asked")
    }

    fn code(&mut self, _: parapet_monitor::Fork, _: Address) -> Result<Bytes, StateFault> {
        unreachable!("not asked")
    }
}

#[test]
fn a_session_whose_engine_failed_never_lets_a_transaction_pass() {
    let module = on_tx("(drop (call $store_get (i32.const 0) (i32.const 4) (i32.const 0)))");
    let mut bench = Bench::new();
    let mut session = bench.session(&module);
    let fault = session.call(HookCall::OnTx, &Trace::default(), &mut Unreadable).unwrap_err();
    assert!(matches!(fault, Fault::State(_)), "{fault}");
    let fault = session.call(HookCall::OnTx, &Trace::default(), &mut MemoryState::default()).unwrap_err();
    assert!(matches!(fault, Fault::Engine { .. }), "{fault}");
    drop(session);
    assert_eq!(bench.run(&module).0, HookEnd::Returned, "another transaction is not concerned");
}

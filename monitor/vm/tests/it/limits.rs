//! A guard that misbehaves ends, in the same way every time, and takes nothing with it.

use alloy_primitives::{Bytes, keccak256};
use parapet_monitor::{Fault, Fuel};
use parapet_vm::{HookCall, HookEnd, metering};

use crate::{Bench, module, module_with, on_tx, said, trapped};

/// Counts to 1,000 and calls itself a little.
const WORK: &str = r#"
    (func $twice (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
    (func (export "on_tx") (local $i i32) (local $sum i64)
        (loop $again
            (local.set $sum (i64.add (local.get $sum) (i64.div_u (i64.const 1000) (i64.extend_i32_u
                (i32.add (call $twice (local.get $i)) (i32.const 1))))))
            (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 4096))
        (drop (memory.grow (i32.const 2)))
        (call $keccak256 (i32.const 0) (i32.const 4096) (i32.const 0)))"#;

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    let (end, session) = Bench::new().run(&on_tx("(loop $again (br $again))"));
    assert_eq!(end, HookEnd::OutOfFuel);
    assert_eq!(session.spent(), Fuel(10_000_000));
}

#[test]
fn fuel_is_for_all_hooks_of_a_transaction_together() {
    let body = r#"(func (export "on_call") (param i32) (local $i i32)
        (loop $again (br_if $again
            (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000)))))"#;
    let mut bench = Bench::new();
    bench.subject.fuel_max = Fuel(1_500_000);
    let mut session = bench.session(&module(body));
    assert_eq!(bench.call(&mut session, HookCall::OnCall(0)), HookEnd::Returned);
    let once = session.spent().0;
    assert!((500_000..1_000_000).contains(&once), "{once}");
    assert_eq!(bench.call(&mut session, HookCall::OnCall(1)), HookEnd::Returned);
    assert_eq!(session.spent().0 - once, once - metering::INSTANCE);
    assert_eq!(bench.call(&mut session, HookCall::OnCall(2)), HookEnd::OutOfFuel);
    assert_eq!(session.spent(), Fuel(1_500_000));
}

#[test]
fn fuel_is_the_same_on_two_runs_and_on_a_fresh_engine() {
    let module = module(WORK);
    let mut bench = Bench::new();
    let spent: Vec<Fuel> = (0..2).map(|_| bench.run(&module).1.spent()).collect();
    let (end, elsewhere) = Bench::new().run(&module);
    assert_eq!(end, HookEnd::Returned);
    assert_eq!(spent, [elsewhere.spent(); 2]);
    // Pinned: another number means another metering version, hence a fork.
    assert_eq!((metering::METERING_VERSION, elsewhere.spent()), (3, Fuel(116_443)));
}

#[test]
fn less_fuel_than_an_instance_costs_is_out_of_fuel() {
    let mut bench = Bench::new();
    bench.subject.fuel_max = Fuel(metering::INSTANCE - 1);
    let (end, session) = bench.run(&on_tx(""));
    assert_eq!(end, HookEnd::OutOfFuel);
    assert_eq!(session.spent(), bench.subject.fuel_max);
}

#[test]
fn host_calls_are_paid_before_they_work() {
    let hashing = on_tx("(loop $again (call $keccak256 (i32.const 0) (i32.const 65536) (i32.const 0)) (br $again))");
    let (end, session) = Bench::new().run(&hashing);
    assert_eq!(end, HookEnd::OutOfFuel);
    assert_eq!(session.spent(), Fuel(10_000_000));
}

#[test]
fn broken_code_traps() {
    for code in [
        "(unreachable)",
        "(drop (i32.load (i32.const 65536)))",
        "(drop (i32.load (i32.const -4)))",
        "(i64.store offset=4294967295 (i32.const 65535) (i64.const 0))",
        "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
        "(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))",
    ] {
        let (end, _) = Bench::new().run(&on_tx(code));
        assert!(trapped(&end), "{code}: {end:?}");
    }
}

#[test]
fn a_module_whose_data_does_not_fit_its_memory_traps() {
    let module = module(r#"(data (i32.const 65535) "xx") (func (export "on_tx"))"#);
    let (end, _) = Bench::new().run(&module);
    assert!(trapped(&end), "{end:?}");
}

#[test]
fn data_that_fits_its_memory_costs_nothing() {
    for (pages, last) in [(4, 262_143), (64, 4_194_303)] {
        let sparse = format!(r#"(data (i32.const 3) "x") (data (i32.const {last}) "y") (func (export "on_tx"))"#);
        let module = module_with(crate::DESCRIPTOR, &format!(r#"(memory (export "memory") {pages})"#), &sparse);
        let (end, session) = Bench::new().run(&module);
        // What is not kept for the next transaction is found anew for each.
        let anew = if pages > 4 { pages * metering::MEMORY_PAGE } else { 0 };
        assert_eq!(
            (end, session.spent()),
            (HookEnd::Returned, Fuel(metering::INSTANCE + anew + 1)),
            "entering on_tx costs the one"
        );
    }
}

#[test]
fn memory_that_grows_is_paid_with_all_of_the_instance_that_it_spoils() {
    let grow = |pages: u64| on_tx(&format!("(drop (memory.grow (i32.const {pages})))"));
    let spent = |pages| {
        let mut bench = Bench::new();
        let (end, session) = bench.run(&grow(pages));
        (end, session.spent().0)
    };
    let none = spent(0);
    for pages in [1, 2, 60] {
        let flat = none.1 + 255 * pages;
        assert_eq!(spent(pages), (HookEnd::Returned, flat + (pages + 1) * metering::MEMORY_PAGE), "{pages} pages");
    }
    // What is refused is not there.
    assert_eq!(spent(64), (HookEnd::Returned, none.1 + 255 * 64));
}

#[test]
fn memory_that_cannot_be_paid_is_not_given() {
    let body = "(drop (memory.grow (i32.const 60))) (i32.store8 (i32.const 3900000) (i32.const 1))";
    for fuel in [30_000, 60 * metering::MEMORY_PAGE, 61 * metering::MEMORY_PAGE] {
        let mut bench = Bench::new();
        bench.subject.fuel_max = Fuel(fuel);
        let (end, session) = bench.run(&on_tx(body));
        assert_eq!((end, session.spent()), (HookEnd::OutOfFuel, Fuel(fuel)));
    }
}

#[test]
fn endless_recursion_traps() {
    for locals in ["", "(local i64 i64 i64 i64 i64 i64 i64 i64)"] {
        let body = format!(r#"(func $f (export "on_tx") {locals} (call $f))"#);
        let mut bench = Bench::new();
        bench.subject.fuel_max = Fuel(100_000_000);
        let (end, _) = bench.run(&module(&body));
        assert!(trapped(&end), "{end:?}");
    }
}

#[test]
fn memory_grows_to_the_hosts_cap_and_no_further() {
    let grow = r#"(func (export "on_tx") (local $pages i32)
        (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.store8 (i32.const 0) (memory.size))
        (drop (memory.grow (i32.const -1)))
        (i32.store8 (i32.const 1) (i32.eq (memory.grow (i32.const 0x7fffffff)) (i32.const -1)))
        (call $veto (i32.const 1) (i32.const 0) (i32.const 2)))"#;
    for (memory, pages) in [("1", 64), ("1 3", 3), ("2 64", 64)] {
        let module = module_with(crate::DESCRIPTOR, &format!(r#"(memory (export "memory") {memory})"#), grow);
        let mut bench = Bench::new();
        // Each page asked for is paid, whether it is given or not.
        bench.subject.fuel_max = Fuel(1 << 50);
        assert_eq!(said(bench.run(&module).0)[..], [pages, 1], "memory {memory}");
    }
}

#[test]
fn memory_lasts_for_a_transaction_and_not_longer() {
    let body = r#"
        (func (export "on_call") (param i32)
            (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
            (i32.store (i32.const 60000) (i32.const -1))
            (drop (memory.grow (i32.const 5))))
        (func (export "on_tx")
            (i32.store8 (i32.const 101) (memory.size))
            (call $veto (i32.const 1) (i32.const 100) (i32.const 2)))
        (data (i32.const 100) "\05")"#;
    let module = module(body);
    let mut bench = Bench::new();
    for _ in 0..20 {
        let mut session = bench.session(&module);
        for frame in 0..3 {
            assert_eq!(bench.call(&mut session, HookCall::OnCall(frame)), HookEnd::Returned);
        }
        assert_eq!(said(bench.call(&mut session, HookCall::OnTx))[..], [8, 16]);
    }
}

#[test]
fn a_session_that_has_ended_says_no_more() {
    let mut bench = Bench::new();
    let module = module(
        r#"(func (export "on_call") (param i32) unreachable)
        (func (export "on_tx") (call $veto (i32.const 1) (i32.const 0) (i32.const 0)))"#,
    );
    let mut session = bench.session(&module);
    assert!(trapped(&bench.call(&mut session, HookCall::OnCall(0))));
    assert_eq!(bench.call(&mut session, HookCall::OnTx), HookEnd::Returned);
}

#[test]
fn hooks_that_are_not_exported_cost_nothing() {
    let mut bench = Bench::new();
    let mut session = bench.session(&on_tx(""));
    assert_eq!(bench.call(&mut session, HookCall::OnCall(0)), HookEnd::Returned);
    assert_eq!(session.spent(), Fuel(0));
}

#[test]
fn an_exhausted_pool_is_a_fault_and_not_the_guards_doing() {
    let mut bench = Bench::new();
    let module = on_tx("");
    let mut sessions: Vec<_> = (0..5).map(|_| bench.session(&module)).collect();
    for session in &mut sessions[..4] {
        assert_eq!(bench.call(session, HookCall::OnTx), HookEnd::Returned);
    }
    let fault = sessions[4].call(HookCall::OnTx, &bench.trace, &mut bench.state).unwrap_err();
    assert!(matches!(fault, Fault::Engine { attachment: crate::ATTACHMENT, .. }), "{fault}");
    // Given room, the same session can be asked again.
    sessions.remove(0);
    assert_eq!(bench.call(&mut sessions[3], HookCall::OnTx), HookEnd::Returned);
}

#[test]
fn a_guard_is_loaded_once_and_forgotten_when_others_need_the_room() {
    let bench = Bench::new();
    let module = on_tx("");
    let guard = bench.engine.load(keccak256(&module), module.clone()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&guard, &bench.engine.ready(keccak256(&module)).unwrap()));
    for number in 0..parapet_vm::limits::GUARDS_CACHED_MAX {
        let other: Bytes = on_tx(&format!("(drop (i32.const {number}))"));
        bench.engine.load(keccak256(&other), other.clone()).unwrap();
    }
    assert!(bench.engine.ready(keccak256(&module)).is_none());
    assert!(guard.prepare().is_ok());
}

#[test]
fn more_guards_than_are_kept_ready_are_compiled_once_each() {
    let bench = Bench::new();
    let count = parapet_vm::limits::GUARDS_CACHED_MAX + 8;
    let modules: Vec<Bytes> = (0..count).map(|number| on_tx(&format!("(drop (i32.const {number}))"))).collect();
    for _ in 0..3 {
        for module in &modules {
            bench.engine.load(keccak256(module), module.clone()).unwrap().prepare().unwrap();
        }
    }
    assert_eq!(bench.engine.compilations(), count as u64);
}

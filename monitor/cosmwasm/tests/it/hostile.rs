//! Contracts that take what they can get, and the bound that each must keep.

use parapet_cosmwasm::{End, Limit};
use parapet_monitor::MemoryState;
use parapet_vm::HookCall;

use super::{FUEL_MAX, call_as, contract, contract_with, load, region, subject, sudo, trace};

#[test]
fn an_endless_loop_uses_up_its_fuel_and_no_more() {
    let called = sudo(&load(&contract("(loop (br 0)) unreachable")));
    assert_eq!((called.end, called.fuel.0), (End::OutOfFuel, FUEL_MAX));
}

#[test]
fn an_endless_allocate_uses_up_its_fuel_too() {
    let text = r#"(module (memory (export "memory") 1)
        (func (export "interface_version_8"))
        (func (export "allocate") (param i32) (result i32) (loop (br 0)) unreachable)
        (func (export "deallocate") (param i32))
        (func (export "instantiate") (param i32 i32 i32) (result i32) unreachable)
        (func (export "sudo") (param i32 i32) (result i32) unreachable))"#;
    assert_eq!(sudo(&load(&wat::parse_str(text).unwrap())).end, End::OutOfFuel);
}

#[test]
fn memory_grows_to_its_cap_and_is_then_refused() {
    let grow = "(local $pages i32)
        (block (loop
            (br_if 1 (i32.eq (i32.const -1) (memory.grow (i32.const 1))))
            (br 0)))
        (if (result i32) (i32.eq (memory.size) (i32.const 64)) (then (global.get $ok)) (else (global.get $no)))";
    assert_eq!(sudo(&load(&contract(grow))).end, End::Returned);
    let beyond = "(if (result i32) (i32.eq (i32.const -1) (memory.grow (i32.const 65536)))
        (then (global.get $ok)) (else (global.get $no)))";
    assert_eq!(sudo(&load(&contract(beyond))).end, End::Returned);
}

#[test]
fn reaching_behind_the_memory_traps() {
    for address in ["131072", "4194304", "-1", "-65536"] {
        let called = sudo(&load(&contract(&format!("(drop (i32.load (i32.const {address}))) (global.get $ok)"))));
        assert!(matches!(called.end, End::Trapped { .. }), "{address}: {:?}", called.end);
        let called = sudo(&load(&contract(&format!(
            "(i64.store offset=4294967295 (i32.const {address}) (i64.const 1)) (global.get $ok)"
        ))));
        assert!(matches!(called.end, End::Trapped { .. }), "{address}: {:?}", called.end);
    }
}

#[test]
fn endless_recursion_ends_the_call_and_not_the_process() {
    let recursive = contract_with("", "(func $f (call $f) (call $f))", "(call $f) (global.get $ok)");
    let called = sudo(&load(&recursive));
    assert!(matches!(called.end, End::Trapped { .. } | End::OutOfFuel), "{:?}", called.end);
}

#[test]
fn a_giant_response_exceeds_a_limit() {
    let huge = contract_with(
        "",
        "(data (i32.const 0x400) \"\\10\\04\\00\\00\\00\\00\\02\\00\\00\\00\\02\\00\")",
        "(drop (memory.grow (i32.const 4))) (i32.const 0x400)",
    );
    assert!(matches!(sudo(&load(&huge)).end, End::LimitExceeded(Limit::Response(131_072))));
}

#[test]
fn an_answer_that_is_no_region_or_no_response_traps() {
    for answer in ["(i32.const 0)", "(i32.const -1)", "(i32.const 131070)", "(i32.const 0x1000)"] {
        let called = sudo(&load(&contract(answer)));
        assert!(matches!(called.end, End::Trapped { .. }), "{answer}: {:?}", called.end);
    }
}

#[test]
fn asking_without_end_uses_up_the_fuel() {
    let imports = r#"(import "env" "query_chain" (func $query_chain (param i32) (result i32)))"#;
    let question = region(
        0x400,
        format!(r#"{{"custom":{{"balance":{{"fork":"now","address":"0x{}"}}}}}}"#, "11".repeat(20)).as_bytes(),
    );
    let reset = "(global.set $next (i32.const 0x8000))";
    let endless = contract_with(
        imports,
        &question,
        &format!("(loop {reset} (drop (call $query_chain (i32.const 0x400))) (br 0)) unreachable"),
    );
    let mut view = MemoryState::default();
    let called = call_as(&load(&endless), subject(), HookCall::OnTx, &trace(), &mut view).unwrap();
    assert_eq!(called.end, End::OutOfFuel);
    assert!((1..=FUEL_MAX / 5_000).contains(&view.reads), "{} reads", view.reads);
}

#[test]
fn scanning_without_end_and_opening_scans_without_end_are_bounded() {
    let imports = r#"(import "env" "db_scan" (func $db_scan (param i32 i32 i32) (result i32)))
        (import "env" "db_next" (func $db_next (param i32) (result i32)))"#;
    let opening = "(loop (drop (call $db_scan (i32.const 0) (i32.const 0) (i32.const 1))) (br 0)) unreachable";
    let called = sudo(&load(&contract_with(imports, "", opening)));
    assert_eq!(called.end, End::LimitExceeded(Limit::Scans));
    let asking = "(local $scan i32) (local.set $scan (call $db_scan (i32.const 0) (i32.const 0) (i32.const 1)))
        (loop (global.set $next (i32.const 0x8000)) (drop (call $db_next (local.get $scan))) (br 0)) unreachable";
    assert_eq!(sudo(&load(&contract_with(imports, "", asking))).end, End::OutOfFuel);
    let unknown = "(drop (call $db_next (i32.const 9))) (global.get $ok)";
    assert!(matches!(sudo(&load(&contract_with(imports, "", unknown))).end, End::Trapped { .. }));
}

#[test]
fn messages_to_others_trap() {
    let answer = region(0x400, br#"{"ok":{"messages":[{"id":0}],"attributes":[],"events":[]}}"#);
    let called = sudo(&load(&contract_with("", &answer, "(i32.const 0x400)")));
    assert!(matches!(called.end, End::Trapped { .. }));
}

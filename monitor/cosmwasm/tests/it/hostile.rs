//! Contracts that take what they can get, and the bound that each must keep.

use alloy_primitives::keccak256;
use parapet_cosmwasm::{End, Limit, VetError, limits, vet};
use parapet_hostile::{End as Expected, Form, Room, attacks_as, bombs_as};
use parapet_monitor::MemoryState;
use parapet_vm::HookCall;

use super::{FUEL_MAX, call_as, contract, contract_with, load, region, subject, sudo, trace};

/// As much as vetting accepts of a contract.
const ROOM: Room = Room {
    module_bytes: limits::MODULE_BYTES_MAX - 1_024,
    functions: limits::FUNCTIONS_MAX as u32 - 8,
    body_bytes: limits::BODY_BYTES_MAX,
    locals: limits::FUNCTION_LOCALS_MAX as u32,
    parameters: limits::FUNCTION_PARAMETERS_MAX as u32,
    values: limits::FUNCTION_RESULTS_MAX as u32,
    depth: parapet_vm::limits::DEPTH_MAX,
    loops: parapet_vm::limits::LOOP_DEPTH_MAX,
    targets: parapet_vm::limits::BRANCH_TARGETS_MAX,
    pages: limits::MEMORY_PAGES_MAX as u64,
    table: limits::TABLE_ELEMENTS_MAX as u64,
};

fn refused_for_work(bytes: &[u8]) -> bool {
    let refused = vet(keccak256(bytes), bytes);
    matches!(refused, Err(VetError::Code(parapet_vm::VetError::TooMany { max: limits::WORK_MAX, .. })))
}

#[test]
fn attacks_on_native_guards_end_within_the_same_bounds_as_contracts() {
    let mut ran = 0;
    for attack in attacks_as(Form::Contract, &ROOM) {
        if let Err(refusal) = vet(keccak256(&attack.bytes), &attack.bytes) {
            assert!(matches!(refusal, VetError::Feature { feature: "bulk memory operations", .. }), "{}", attack.name);
            continue;
        }
        ran += 1;
        let contract = load(&attack.bytes);
        let first = sudo(&contract);
        let trapped = matches!(first.end, End::Trapped { .. });
        let ended = match attack.end {
            Expected::Returns => first.end == End::Returned,
            Expected::Traps => trapped && first.fuel.0 < FUEL_MAX,
            Expected::Spent => trapped || first.end == End::OutOfFuel,
            Expected::OutOfFuel => first.end == End::OutOfFuel && first.fuel.0 == FUEL_MAX,
        };
        assert!(ended, "{}: {:?}, {:?} spent", attack.name, first.end, first.fuel);
        let again = sudo(&contract);
        assert_eq!((again.end, again.fuel), (first.end, first.fuel), "{}", attack.name);
    }
    assert!(ran >= 15, "{ran} attacks need nothing that contracts do not have");
}

#[test]
fn small_bombs_compile_and_do_nothing_or_are_refused_for_what_they_are() {
    let small = Room { module_bytes: 24 * 1_024, body_bytes: 8 * 1_024, depth: 100, targets: 100, locals: 64, ..ROOM };
    let mut ran = 0;
    for bomb in bombs_as(Form::Contract, &small) {
        match vet(keccak256(&bomb.bytes), &bomb.bytes) {
            Ok(_) => {
                assert_eq!(sudo(&load(&bomb.bytes)).end, End::Returned, "{}", bomb.name);
                ran += 1;
            }
            Err(VetError::Feature { feature: "bulk memory operations" | "functions with several results", .. }) => {}
            Err(VetError::Static(_)) => {}
            Err(refusal) => assert!(refused_for_work(&bomb.bytes), "{}: {refusal}", bomb.name),
        }
    }
    assert!(ran >= 10, "{ran} bombs are small enough to be compiled");
}

#[test]
fn bombs_that_the_compiler_pays_for_more_than_once_are_refused() {
    let bombs = bombs_as(Form::Contract, &ROOM);
    for name in [
        "locals across skips",
        "locals across calls",
        "operands across skips",
        "operands across calls",
        "masses of operands across skips",
        "masses of operands across loops",
        "masses of operands across calls",
    ] {
        let bomb = bombs.iter().find(|bomb| bomb.name == name).unwrap();
        assert!(refused_for_work(&bomb.bytes), "{name}");
    }
    let deeper = Room { depth: ROOM.depth + 2, loops: ROOM.loops + 2, ..ROOM };
    let more = Room { targets: ROOM.targets + 1, ..ROOM };
    for (name, room) in [("nested blocks", deeper), ("nested loops", deeper), ("branch tables", more)] {
        let bomb = bombs_as(Form::Contract, &room).into_iter().find(|bomb| bomb.name == name).unwrap();
        let refused = vet(keccak256(&bomb.bytes), &bomb.bytes);
        assert!(matches!(refused, Err(VetError::Code(parapet_vm::VetError::Function { .. }))), "{name}: {refused:?}");
    }
}

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

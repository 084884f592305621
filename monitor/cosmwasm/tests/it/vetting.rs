//! What may become a contract.

use alloy_primitives::keccak256;
use parapet_cosmwasm::{Answers, VetError, is_contract, vet};

use super::{contract, contract_with, prelude};

fn refusal(wasm: &[u8]) -> VetError {
    vet(keccak256(wasm), wasm).expect_err("the module is refused")
}

#[test]
fn a_contract_without_a_descriptor_wakes_for_frames_and_flows_under_its_hash() {
    let wasm = contract("(global.get $ok)");
    let hash = keccak256(&wasm);
    let vetted = vet(hash, &wasm).unwrap();
    assert_eq!(vetted.descriptor.name, format!("cosmwasm-{}", alloy_primitives::hex::encode(&hash[..4])));
    let triggers: Vec<String> = vetted.descriptor.triggers.iter().map(ToString::to_string).collect();
    assert_eq!(triggers, ["frame", "flow"]);
    assert_eq!(vetted.answers, Answers::Nothing);
}

#[test]
fn a_descriptor_is_read_from_its_section() {
    let section =
        r#"(@custom "parapet.guard" "{\"abi\":1,\"name\":\"quiet\",\"version\":\"1\",\"triggers\":[\"flow\"]}")"#;
    let wasm = contract_with("", section, "(global.get $ok)");
    assert_eq!(vet(keccak256(&wasm), &wasm).unwrap().descriptor.name, "quiet");
    let twice = contract_with("", &section.repeat(2), "(global.get $ok)");
    assert!(matches!(refusal(&twice), VetError::DescriptorTwice));
    let broken = contract_with("", r#"(@custom "parapet.guard" "{}")"#, "(global.get $ok)");
    assert!(matches!(refusal(&broken), VetError::Descriptor(_)));
}

#[test]
fn what_is_no_contract_is_told_from_one_by_its_exports() {
    assert!(is_contract(&contract("(global.get $ok)")));
    assert!(!is_contract(&wat::parse_str(r#"(module (func (export "on_tx")))"#).unwrap()));
    for bytes in [b"".as_slice(), b"\0asm", b"no module at all"] {
        assert!(!is_contract(bytes));
    }
}

#[test]
fn floats_bulk_memory_and_other_parts_are_refused_by_name_with_what_to_do() {
    for (body, feature, remedy) in [
        ("(drop (f64.add (f64.const 1) (f64.const 2))) (global.get $ok)", "floating-point", "parapet guard build"),
        (
            "(memory.copy (i32.const 0) (i32.const 1) (i32.const 2)) (global.get $ok)",
            "bulk memory",
            "parapet guard build",
        ),
        (
            "(memory.fill (i32.const 0) (i32.const 1) (i32.const 2)) (global.get $ok)",
            "bulk memory",
            "parapet guard build",
        ),
        ("(drop (v128.const i64x2 0 0)) (global.get $ok)", "vector", "simd128"),
        ("(drop (i32.atomic.load (i32.const 0))) (global.get $ok)", "threads", "atomics"),
    ] {
        let text = refusal(&contract(body)).to_string();
        assert!(text.contains(feature) && text.contains(remedy), "{body}: {text}");
    }
}

#[test]
fn entry_points_must_be_there_with_cosmwasms_types() {
    let with = |parts: &str| wat::parse_str(prelude(parts)).unwrap();
    let instantiate = r#"(func (export "instantiate") (param i32 i32 i32) (result i32) unreachable)"#;
    let sudo = r#"(func (export "sudo") (param i32 i32) (result i32) unreachable)"#;
    assert!(vet(Default::default(), &with(&format!("{instantiate}{sudo}"))).is_ok());
    assert!(matches!(refusal(&with(instantiate)), VetError::NoEntryPoint("sudo")));
    assert!(matches!(refusal(&with(sudo)), VetError::NoEntryPoint("instantiate")));
    let other = r#"(func (export "sudo") (param i32) (result i32) unreachable)"#;
    assert!(matches!(refusal(&with(&format!("{instantiate}{other}"))), VetError::EntryPointType("sudo")));
}

#[test]
fn imports_start_functions_and_sizes_are_bounded() {
    let imports = r#"(import "env" "clock" (func (result i64)))"#;
    assert!(matches!(refusal(&contract_with(imports, "", "(global.get $ok)")), VetError::Static(_)));
    let start = contract_with("", "(func $f) (start $f)", "(global.get $ok)");
    assert!(matches!(refusal(&start), VetError::Start));
    let locals = contract(&format!("(local {}) (global.get $ok)", "i64 ".repeat(201)));
    assert!(matches!(refusal(&locals), VetError::Static(_)));
    let functions = contract_with("", &"(func)".repeat(5_000), "(global.get $ok)");
    assert!(matches!(refusal(&functions), VetError::TooMany { what: "functions", .. }));
    let long = contract(&format!("{} (global.get $ok)", "(drop (i32.const 1))".repeat(50_000)));
    assert!(matches!(refusal(&long), VetError::BodyBytes { .. }));
    let many = contract_with("", &"(global i32 (i32.const 1))".repeat(300), "(global.get $ok)");
    assert!(matches!(refusal(&many), VetError::TooMany { what: "globals", .. }));
    let bytes = contract_with("", &format!("(data (i32.const 4096) \"{}\")", "x".repeat(600_000)), "(global.get $ok)");
    assert!(matches!(refusal(&bytes), VetError::ModuleBytes { .. }));
}

#[test]
fn no_prefix_of_a_contract_panics_and_only_one_that_ends_with_a_section_can_pass() {
    let wasm = contract("(global.get $ok)");
    let passed = (0..wasm.len()).filter(|end| vet(Default::default(), &wasm[..*end]).is_ok()).count();
    // All but its data, and all but its data and names.
    assert!(passed <= 2, "{passed} prefixes pass");
}

use alloy_primitives::Bytes;
use parapet_monitor::{DescriptorError, Hook};
use parapet_vm::{VetError, limits, vet};

use crate::{DESCRIPTOR, IMPORTS, module, module_with, on_tx};

const MEMORY: &str = r#"(memory (export "memory") 1)"#;
const HOOK: &str = r#"(func (export "on_tx"))"#;

fn refusal(bytes: &Bytes) -> VetError {
    vet(bytes).unwrap_err()
}

fn wat(text: &str) -> Bytes {
    wat::parse_str(text).unwrap().into()
}

fn too_many(body: &str) -> (&'static str, u64, u64) {
    match refusal(&module(&format!("{body} {HOOK}"))) {
        VetError::TooMany { what, count, max, .. } => (what, count, max),
        other => panic!("{other}"),
    }
}

#[test]
fn a_plain_guard_is_accepted_with_what_it_says_of_itself() {
    let vetted = vet(&module(r#"(func (export "init")) (func (export "on_call") (param i32))"#)).unwrap();
    assert_eq!(vetted.descriptor.name, "probe");
    assert!(vetted.hooks.has(Hook::Init) && vetted.hooks.has(Hook::OnCall));
    assert!(!vetted.hooks.has(Hook::OnCallEnd) && !vetted.hooks.has(Hook::OnTx));
}

#[test]
fn what_compilers_emit_is_accepted() {
    let body = r#"
        (type $f (func (param i32 i64) (result i64 i32)))
        (table 2 2 funcref) (elem (i32.const 0) $swap $swap)
        (global $g (mut i32) (i32.const 7)) (global (export "heap") (mut i32) (i32.const 1))
        (func $swap (type $f) (local.get 1) (local.get 0))
        (func (export "on_tx")
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 9))
            (memory.copy (i32.const 64) (i32.const 0) (i32.const 9))
            (global.set $g (i32.extend8_s (i32.const 200)))
            (call_indirect (type $f) (i32.const 1) (i64.const 2) (i32.const 0)) drop drop)"#;
    vet(&module(body)).unwrap();
}

#[test]
fn modules_that_are_too_long_are_refused() {
    let pad = "x".repeat(limits::MODULE_BYTES_MAX);
    let bytes = module(&format!(r#"{HOOK} (@custom "pad" "{pad}")"#));
    assert!(matches!(refusal(&bytes), VetError::ModuleBytes { size, max: 524_288 } if size == bytes.len()));
}

#[test]
fn too_many_of_anything_is_refused_by_name() {
    let many = |text: &str, count: u32| text.repeat(count as usize);
    assert_eq!(too_many(&many("(func)", limits::FUNCTIONS_MAX)), ("functions", 4_097, 4_096));
    assert_eq!(too_many(&many("(global i32 (i32.const 0))", limits::GLOBALS_MAX + 1)), ("globals", 257, 256));
    let data = many(r#"(data (i32.const 0) "x")"#, limits::DATA_SEGMENTS_MAX + 1);
    assert_eq!(too_many(&data), ("data segments", 1_025, 1_024));
    let elements = "(table 1 funcref) (func $f)".to_owned() + &many("(elem (i32.const 0) $f)", 1_025);
    assert_eq!(too_many(&elements), ("element segments", 1_025, 1_024));
    assert_eq!(too_many("(table 1 funcref) (table 1 funcref)"), ("tables", 2, 1));

    let exports: String = (0..63).map(|n| format!(r#"(export "e{n}" (func $f))"#)).collect();
    assert_eq!(too_many(&format!("(func $f) {exports}")), ("exports", 65, 64));

    let types: String = (0..1_025).map(|n| format!("(type (func {}))", "(param i32)".repeat(n % 999))).collect();
    assert_eq!(too_many(&types).0, "function types");

    let imports = many(r#"(import "parapet_v1" "alert" (func (param i32 i32 i32)))"#, 65);
    let bytes = wat(&format!("(module {imports} {MEMORY} {HOOK})"));
    assert!(matches!(refusal(&bytes), VetError::TooMany { what: "imports", count: 65, .. }));
    assert!(matches!(
        refusal(&module_with(DESCRIPTOR, &format!("{MEMORY} (memory 1)"), HOOK)),
        VetError::TooMany { what: "memories", count: 2, .. }
    ));
}

#[test]
fn long_functions_and_many_locals_are_refused() {
    // Functions are numbered behind the imports.
    let first = u32::try_from(IMPORTS.matches("(import").count()).unwrap();
    let body = "(nop)".repeat(limits::BODY_BYTES_MAX);
    let refused = refusal(&on_tx(&body));
    assert!(matches!(refused, VetError::BodyBytes { function, max: 131_072, .. } if function == first), "{refused}");
    let locals = |count: usize| {
        on_tx(&format!("{} {}", "(local i32)".repeat(count / 2), "(local i64)".repeat(count - count / 2)))
    };
    vet(&locals(1_024)).unwrap();
    let refused = refusal(&locals(1_025));
    assert!(
        matches!(refused, VetError::Locals { function, count: 1_025, max: 1_024 } if function == first),
        "{refused}"
    );
}

#[test]
fn memory_and_table_are_bounded() {
    for (memory, pages) in [("65", 65), ("1 65", 65)] {
        let bytes = module_with(DESCRIPTOR, &format!(r#"(memory (export "memory") {memory})"#), HOOK);
        assert!(matches!(refusal(&bytes), VetError::MemoryPages { pages: found } if found == pages));
    }
    vet(&module_with(DESCRIPTOR, r#"(memory (export "memory") 64 64)"#, HOOK)).unwrap();
    let table = |elements: u32| module(&format!("(table {elements} funcref) {HOOK}"));
    vet(&table(4_096)).unwrap();
    assert!(matches!(refusal(&table(4_097)), VetError::TableElements { elements: 4_097 }));
}

#[test]
fn the_memory_must_be_its_own_and_exported() {
    for memory in ["", "(memory 1)", r#"(memory (export "mem") 1)"#] {
        assert!(matches!(refusal(&module_with(DESCRIPTOR, memory, HOOK)), VetError::NoMemory), "{memory}");
    }
    let imported = wat(&format!(r#"(module (import "parapet_v1" "memory" (memory 1)) {HOOK})"#));
    assert!(matches!(refusal(&imported), VetError::UnknownImport { name, .. } if name == "memory"));
}

#[test]
fn a_start_function_is_refused() {
    assert!(matches!(refusal(&module(&format!("(func $s) (start $s) {HOOK}"))), VetError::Start));
}

#[test]
fn parts_of_wasm_that_guards_may_not_use_are_refused_by_name() {
    for (feature, code) in [
        ("floating-point numbers", "(func (drop (f64.add (f64.const 1) (f64.const 2))))"),
        ("floating-point numbers", "(func (param f32))"),
        ("floating-point numbers", "(func (local f64))"),
        ("floating-point numbers", "(func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))"),
        ("vector instructions (SIMD)", "(func (drop (v128.const i32x4 0 0 0 0)))"),
        ("threads", "(func (drop (i32.atomic.load (i32.const 0))))"),
        ("reference types", "(func (param externref))"),
        ("reference types", "(table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))"),
        ("tail calls", "(func $f (return_call $f))"),
        ("exceptions", "(tag $t) (func (throw $t))"),
        ("garbage-collected types", "(type $s (struct (field i32))) (func (drop (struct.new $s (i32.const 1))))"),
        ("extended constant expressions", "(global i32 (i32.add (i32.const 1) (i32.const 2)))"),
    ] {
        match refusal(&module(&format!("{code} {HOOK}"))) {
            VetError::Feature { feature: found, .. } => assert_eq!(found, feature, "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    for (feature, memory) in [("64-bit memory", "(memory i64 1)"), ("threads", "(memory 1 1 shared)")] {
        let found = refusal(&module_with(DESCRIPTOR, memory, HOOK));
        assert!(matches!(found, VetError::Feature { feature: name, .. } if name == feature), "{found:?}");
    }
}

#[test]
fn bytes_that_are_not_wasm_are_refused() {
    let valid = on_tx("");
    for bytes in [&valid[..0], &valid[..3], &[0xff; 64][..]] {
        assert!(matches!(refusal(&Bytes::copy_from_slice(bytes)), VetError::NotWasm), "{bytes:?}");
    }
    for bytes in [&b"\0asm"[..], &valid[..valid.len() - 1], &b"\0asm\x0d\0\x01\0"[..]] {
        assert!(matches!(refusal(&Bytes::copy_from_slice(bytes)), VetError::Invalid { .. }), "{bytes:?}");
    }
    let stack = wat::parse_str(format!("(module {MEMORY} (func (export \"on_tx\") i32.add drop))")).unwrap();
    assert!(matches!(refusal(&stack.into()), VetError::Invalid { .. }));
}

#[test]
fn imports_are_known_by_module_name_and_type() {
    let importing = |import: &str| wat(&format!("(module {import} {MEMORY} {HOOK})"));
    for import in [
        r#"(import "env" "alert" (func (param i32 i32 i32)))"#,
        r#"(import "parapet_v1" "clock" (func (result i64)))"#,
        r#"(import "parapet_v1" "alert" (global i32))"#,
    ] {
        assert!(matches!(refusal(&importing(import)), VetError::UnknownImport { .. }), "{import}");
    }
    let found = refusal(&importing(r#"(import "parapet_v1" "alert" (func (param i32 i64 i32)))"#));
    assert!(found.to_string().contains("(i32, i64, i32) -> ()"), "{found}");
    assert!(found.to_string().contains("(i32, i32, i32) -> ()"), "{found}");
}

#[test]
fn hooks_are_functions_of_their_types_and_one_must_judge() {
    for body in [
        r#"(func (export "on_call"))"#,
        r#"(func (export "on_call_end") (param i64))"#,
        r#"(func (export "on_tx") (result i32) (i32.const 0))"#,
        r#"(global (export "on_tx") i32 (i32.const 0))"#,
        r#"(func (export "init") (param i32))"#,
    ] {
        assert!(matches!(refusal(&module(body)), VetError::HookType { .. }), "{body}");
    }
    assert!(matches!(refusal(&module("")), VetError::NoHook));
    assert!(matches!(refusal(&module(r#"(func (export "init"))"#)), VetError::NoHook));
}

#[test]
fn the_descriptor_is_there_once_and_valid() {
    assert!(matches!(refusal(&wat(&format!("(module {MEMORY} {HOOK})"))), VetError::NoDescriptor));
    let twice = module(&format!(r#"{HOOK} (@custom "parapet.guard" "")"#));
    assert!(matches!(refusal(&twice), VetError::DescriptorTwice));
    let wrong = module_with(&DESCRIPTOR.replace("\"frame\"", ""), MEMORY, HOOK);
    assert!(matches!(refusal(&wrong), VetError::Descriptor(DescriptorError::NoTrigger)));
    let message = module_with(&DESCRIPTOR.replace(":1,", r#":1,"message":[],"#), MEMORY, HOOK);
    assert!(matches!(refusal(&message), VetError::Message));
    let future = module_with(&DESCRIPTOR.replace(":1,", ":2,"), MEMORY, HOOK);
    assert!(matches!(refusal(&future), VetError::Descriptor(DescriptorError::Abi(2))));
}

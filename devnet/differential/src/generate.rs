//! Draws modules: every part of Wasm that guards may use, every import of the interface, and an end to every loop.

use arbitrary::Unstructured;
use parapet_abi::descriptor::SECTION;
use wasm_smith::{Config, InstructionKind, InstructionKinds, Module};

/// Random bytes that one module is drawn from.
const ENTROPY_BYTES: usize = 8_192;
/// Calls and loop rounds after which a module stops itself.
const ROUNDS: u32 = 400;

/// What a module may import, and what it must export.
const IMPORTS: &str = r#"(module
    (import "parapet_v1" "trace_count" (func (param i32) (result i32)))
    (import "parapet_v1" "trace_read" (func (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "trace_data" (func (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "config_read" (func (param i32 i32 i32) (result i32)))
    (import "parapet_v1" "state_storage" (func (param i32 i32 i32 i32)))
    (import "parapet_v1" "state_balance" (func (param i32 i32 i32)))
    (import "parapet_v1" "state_code_hash" (func (param i32 i32 i32)))
    (import "parapet_v1" "store_get" (func (param i32 i32 i32) (result i32)))
    (import "parapet_v1" "store_set" (func (param i32 i32 i32)))
    (import "parapet_v1" "state_storage_at" (func (param i32 i32 i32 i32 i32)))
    (import "parapet_v1" "state_balance_at" (func (param i32 i32 i32 i32)))
    (import "parapet_v1" "state_code_hash_at" (func (param i32 i32 i32 i32)))
    (import "parapet_v1" "view_call" (func (param i32 i32 i32 i32 i32 i64 i32) (result i32)))
    (import "parapet_v1" "view_output" (func (param i32 i32 i32) (result i32)))
    (import "parapet_v1" "store_add" (func (param i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "store_max" (func (param i32 i32 i32)))
    (import "parapet_v1" "entry_get" (func (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "entry_set" (func (param i32 i32 i32 i32)))
    (import "parapet_v1" "entry_remove" (func (param i32 i32) (result i32)))
    (import "parapet_v1" "entry_seek" (func (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "window_add" (func (param i32 i32 i32 i32 i64) (result i32)))
    (import "parapet_v1" "keccak256" (func (param i32 i32 i32)))
    (import "parapet_v1" "alert" (func (param i32 i32 i32)))
    (import "parapet_v1" "veto" (func (param i32 i32 i32))))"#;
const EXPORTS: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "on_call") (param i32)) (func (export "on_call_end") (param i32)) (func (export "on_tx")))"#;
pub(crate) const DESCRIPTOR: &str = r#"{"abi":1,"name":"drawn","version":"1","triggers":["frame"]}"#;

/// Draws the module of a seed; `None` where the drawn bytes give none.
#[must_use]
pub fn generate(seed: u64) -> Option<Vec<u8>> {
    let entropy = entropy(seed);
    let mut entropy = Unstructured::new(&entropy);
    let mut module = Module::new(config(), &mut entropy).ok()?;
    module.ensure_termination(ROUNDS).ok()?;
    let mut bytes = module.to_bytes();
    custom_section(&mut bytes);
    Some(bytes)
}

fn config() -> Config {
    let parts = [
        InstructionKind::NumericInt,
        InstructionKind::Parametric,
        InstructionKind::Variable,
        InstructionKind::Table,
        InstructionKind::MemoryInt,
        InstructionKind::Control,
    ];
    let text = |text: &str| Some(wat::parse_str(text).expect("it is Wasm"));
    Config {
        available_imports: text(IMPORTS),
        exports: text(EXPORTS),
        allowed_instructions: InstructionKinds::new(&parts),
        allow_floats: false,
        allow_start_export: false,
        bulk_memory_enabled: true,
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        max_data_segments: 8,
        max_element_segments: 8,
        max_funcs: 12,
        max_globals: 6,
        max_imports: 13,
        max_instructions: 200,
        max_memories: 1,
        max_memory32_bytes: 64 * 65_536,
        max_table_elements: 64,
        max_tables: 1,
        memory64_enabled: false,
        min_funcs: 3,
        min_imports: 4,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        ..Config::default()
    }
}

/// xorshift64*: the same bytes on every machine.
fn entropy(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(ENTROPY_BYTES);
    while bytes.len() < ENTROPY_BYTES {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes
}

/// Appends the descriptor.
fn custom_section(module: &mut Vec<u8>) {
    let length = 1 + SECTION.len() + DESCRIPTOR.len();
    let length = u8::try_from(length).ok().filter(|length| *length < 0x80).expect("one byte of LEB128 holds it");
    module.extend_from_slice(&[0, length, SECTION.len() as u8]);
    module.extend_from_slice(SECTION.as_bytes());
    module.extend_from_slice(DESCRIPTOR.as_bytes());
}

//! Draws modules: every part of Wasm that guards may use, every import of the interface, and an end to every loop.
//!
//! Functions are wasm-smith's. What it draws hardly ever has an import's arguments on its stack, and traps soon, so that
//! [`crate::enliven`] then puts calls between its instructions.

use arbitrary::Unstructured;
use parapet_abi::descriptor::SECTION;
use wasm_encoder::Encode as _;
use wasm_smith::{Config, InstructionKind, InstructionKinds};

use crate::{enliven::enliven, imports, rng::Rng};

/// Random bytes that one module is drawn from.
const ENTROPY_BYTES: usize = 8_192;
/// How often bytes are drawn for one seed: few give no module.
const ATTEMPTS_MAX: u64 = 4;
/// Most parameters or results of a type (section 8 of the specification): wasm-smith draws up to 20.
const VALUES_MAX: usize = 16;

pub(crate) const DESCRIPTOR: &str = r#"{"abi":1,"name":"drawn","version":"1","triggers":["frame"]}"#;

/// Draws the module of a seed; `None` where the drawn bytes give none.
#[must_use]
pub fn generate(seed: u64) -> Option<Vec<u8>> {
    (0..ATTEMPTS_MAX).find_map(|attempt| attempted(seed, attempt))
}

fn attempted(seed: u64, attempt: u64) -> Option<Vec<u8>> {
    let mut rng = Rng::of(seed.wrapping_mul(ATTEMPTS_MAX).wrapping_add(attempt));
    let manner = Manner::of(seed, &mut rng);
    let mut entropy = rng.bytes(ENTROPY_BYTES);
    // One bit each, first of all, says whether a module has an import: most have most.
    for byte in entropy.iter_mut().take(imports::IMPORTS.len()) {
        *byte = u8::from(!rng.one_in(8));
    }
    let module = wasm_smith::Module::new(config(&manner), &mut Unstructured::new(&entropy)).ok()?;
    let mut bytes = enliven(&module.to_bytes(), VALUES_MAX, rng)?;
    custom_section(&mut bytes);
    Some(bytes)
}

/// How a module is drawn.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// wasm-smith's own instructions do not trap: every second seed.
    tame: bool,
    /// Pages that memory starts with: fewer than are kept warm, or more.
    pages: u64,
    /// Pages that it may have at most, if it says so.
    pages_max: Option<u64>,
    /// It has an `init` hook.
    init: bool,
}

impl Manner {
    fn of(seed: u64, rng: &mut Rng) -> Self {
        let pages = [1, 1, 2, 4, 5][rng.below(5) as usize];
        let pages_max = [None, None, Some(pages), Some(pages + 1), Some(64)][rng.below(5) as usize];
        Self { tame: seed & 1 == 1, pages, pages_max, init: rng.one_in(4) }
    }

    /// A module that exports what a drawn one must.
    fn exports(self) -> Vec<u8> {
        let Self { pages, pages_max, init, .. } = self;
        let pages_max = pages_max.map(|pages| pages.to_string()).unwrap_or_default();
        let init = if init { r#"(func (export "init"))"# } else { "" };
        let text = format!(
            r#"(module (memory (export "memory") {pages} {pages_max}) {init} (func (export "on_call") (param i32))
            (func (export "on_call_end") (param i32)) (func (export "on_tx")))"#
        );
        wat::parse_str(text).expect("it is Wasm")
    }
}

fn config(manner: &Manner) -> Config {
    let parts = [
        InstructionKind::NumericInt,
        InstructionKind::Parametric,
        InstructionKind::Variable,
        InstructionKind::Table,
        InstructionKind::MemoryInt,
        InstructionKind::Control,
    ];
    let (types, available) = imports::sections();
    let mut importing = wasm_encoder::Module::new();
    importing.section(&types).section(&available);
    Config {
        available_imports: Some(importing.finish()),
        exports: Some(manner.exports()),
        allowed_instructions: InstructionKinds::new(&parts),
        allow_floats: false,
        allow_start_export: false,
        bulk_memory_enabled: true,
        disallow_traps: manner.tame,
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        max_data_segments: 8,
        max_element_segments: 8,
        max_funcs: imports::IMPORTS.len() + 8,
        max_globals: 6,
        max_imports: imports::IMPORTS.len(),
        max_instructions: 150,
        // The one that is exported comes besides.
        max_memories: 0,
        max_memory32_bytes: 64 * 65_536,
        max_table_elements: 64,
        max_tables: 1,
        max_types: imports::IMPORTS.len() + 6,
        memory64_enabled: false,
        min_funcs: 2,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        ..Config::default()
    }
}

/// Appends the descriptor.
fn custom_section(module: &mut Vec<u8>) {
    let section = wasm_encoder::CustomSection { name: SECTION.into(), data: DESCRIPTOR.as_bytes().into() };
    module.push(wasm_encoder::SectionId::Custom.into());
    section.encode(module);
}

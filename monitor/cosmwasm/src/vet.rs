//! Decides whether bytes may become a contract, before anything of them is compiled.
//!
//! Our own limits come first, while sections are met, and for code those of native guards; then cosmwasm-vm's static
//! checks, under limits that are named here. The outcome depends on the bytes alone.

use std::collections::HashSet;

use alloy_primitives::hex;
use cosmwasm_vm::{VmError, WasmLimits, internals::check_wasm};
use parapet_abi::descriptor::{SECTION, TRIGGER_FLOW, TRIGGER_FRAME};
use parapet_monitor::{Descriptor, ModuleHash, trigger::Trigger};
use parapet_vm::Code;
use wasmparser::{Parser, Payload, ValidPayload, Validator, WasmFeatures};

use crate::{
    VetError,
    limits::{
        BODY_BYTES_MAX, EXPORTS_MAX, FUNCTION_LOCALS_MAX, FUNCTION_PARAMETERS_MAX, FUNCTION_RESULTS_MAX, FUNCTIONS_MAX,
        GLOBALS_MAX, IMPORTS_MAX, LOCALS_MAX, MEMORY_PAGES_MAX, MODULE_BYTES_MAX, PARAMETERS_MAX, SEGMENTS_MAX,
        TABLE_ELEMENTS_MAX, WORK_MAX,
    },
};

mod entry;

/// Beginning of the export that says which interface a contract was built for.
const INTERFACE: &str = "interface_version_";

/// Capabilities that contracts may require: functions for cryptography, and range scans.
const CAPABILITIES: [&str; 9] = [
    "iterator",
    "cosmwasm_1_1",
    "cosmwasm_1_2",
    "cosmwasm_1_3",
    "cosmwasm_1_4",
    "cosmwasm_2_0",
    "cosmwasm_2_1",
    "cosmwasm_2_2",
    "cosmwasm_3_0",
];

/// What contracts may be made of: the first version of Wasm without its floats, and sign extension.
const ALLOWED: WasmFeatures =
    WasmFeatures::MUTABLE_GLOBAL.union(WasmFeatures::SIGN_EXTENSION).union(WasmFeatures::CALL_INDIRECT_OVERLONG);

const LOWER: &str = "build with `parapet guard build`, which lowers it";

/// Refused, by name, with what to do about it.
const REFUSED: [(&str, WasmFeatures, &str); 8] = [
    ("floating-point numbers", WasmFeatures::FLOATS.union(WasmFeatures::SATURATING_FLOAT_TO_INT), LOWER),
    ("bulk memory operations", WasmFeatures::BULK_MEMORY, LOWER),
    ("functions with several results", WasmFeatures::MULTI_VALUE, "build without `+multivalue`"),
    ("vector instructions (SIMD)", WasmFeatures::SIMD.union(WasmFeatures::FLOATS), "build without `+simd128`"),
    ("threads", WasmFeatures::THREADS, "build without `+atomics`"),
    (
        "reference types",
        WasmFeatures::REFERENCE_TYPES.union(WasmFeatures::GC_TYPES).union(WasmFeatures::BULK_MEMORY),
        "build without `+reference-types`",
    ),
    ("several memories", WasmFeatures::MULTI_MEMORY, "use one memory"),
    ("tail calls", WasmFeatures::TAIL_CALL, "build without `+tail-call`"),
];

/// What vetting finds out about a contract that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetted {
    /// What it says about itself, or what holds for one that says nothing.
    pub descriptor: Descriptor,
    /// Whether readers can query it.
    pub answers: Answers,
    /// Pages that its memory starts with.
    pub pages: u32,
}

/// Whether a contract exports `query`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// It does.
    Queries,
    /// It does not.
    Nothing,
}

/// Whether bytes are those of a CosmWasm contract rather than of a native guard: they export a version of CosmWasm's
/// interface. Reads no further than the exports.
#[must_use]
pub fn is_contract(bytes: &[u8]) -> bool {
    if bytes.len() > MODULE_BYTES_MAX {
        return false;
    }
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ExportSection(exports)) => {
                return exports.into_iter().flatten().any(|export| export.name.starts_with(INTERFACE));
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Vets a contract. `hash` must be the Keccak-256 of `bytes`.
///
/// # Errors
/// [`VetError`] says what is wrong and what to do about it.
pub fn vet(hash: ModuleHash, bytes: &[u8]) -> Result<Vetted, VetError> {
    if bytes.len() > MODULE_BYTES_MAX {
        return Err(VetError::ModuleBytes { size: bytes.len() });
    }
    let Inspected { entries, section, pages } = inspect(bytes).map_err(|error| match error {
        VetError::Invalid { offset, reason } => named(bytes, offset, reason),
        other => other,
    })?;
    let answers = entries.check()?;
    let capabilities: HashSet<String> = CAPABILITIES.into_iter().map(ToOwned::to_owned).collect();
    check_wasm(bytes, &capabilities, &limits(), cosmwasm_vm::internals::Logger::Off).map_err(|error| match error {
        VmError::StaticValidationErr { msg, .. } => VetError::Static(msg),
        other => VetError::Static(other.to_string()),
    })?;
    let descriptor = section.map_or_else(|| Ok(unnamed(hash)), Descriptor::parse)?;
    Ok(Vetted { descriptor, answers, pages })
}

/// What holds for a contract without a descriptor: it wakes for whatever touches its accounts.
fn unnamed(hash: ModuleHash) -> Descriptor {
    Descriptor {
        abi: parapet_abi::ABI_VERSION,
        name: format!("cosmwasm-{}", hex::encode(&hash[..4])),
        version: String::new(),
        summary: "A CosmWasm contract that brings no descriptor.".to_owned(),
        triggers: [TRIGGER_FRAME, TRIGGER_FLOW].into_iter().filter_map(Trigger::named).collect(),
        subscribes: Vec::new(),
        message: None,
        parameters: Vec::new(),
    }
}

fn limits() -> WasmLimits {
    let mut limits = WasmLimits::default();
    limits.initial_memory_limit_pages = Some(MEMORY_PAGES_MAX);
    limits.table_size_limit_elements = Some(TABLE_ELEMENTS_MAX);
    limits.max_imports = Some(IMPORTS_MAX);
    limits.max_functions = Some(FUNCTIONS_MAX);
    limits.max_function_params = Some(FUNCTION_PARAMETERS_MAX);
    limits.max_total_function_params = Some(PARAMETERS_MAX);
    limits.max_function_results = Some(FUNCTION_RESULTS_MAX);
    limits.max_function_locals = Some(FUNCTION_LOCALS_MAX);
    limits.max_total_function_locals = Some(LOCALS_MAX);
    limits
}

/// What the sections say.
struct Inspected<'a> {
    entries: entry::Entries<'a>,
    /// The descriptor's, if there is one.
    section: Option<&'a [u8]>,
    pages: u32,
}

fn inspect(bytes: &[u8]) -> Result<Inspected<'_>, VetError> {
    let mut validator = Validator::new_with_features(ALLOWED);
    let mut parser = Parser::new(0);
    parser.set_features(ALLOWED);
    let mut entries = entry::Entries::default();
    let mut descriptor = None;
    let mut functions = Vec::new();
    let mut pages = 0;
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        check_limits(&payload)?;
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => {
                let size = body.range().len();
                if size > BODY_BYTES_MAX {
                    return Err(VetError::BodyBytes { function: function.index, size });
                }
                functions.push((function, body));
            }
            ValidPayload::End(types) => entries.types = Some(types),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
        match payload {
            Payload::ExportSection(section) => entries.take(section)?,
            Payload::MemorySection(section) => {
                for memory in section {
                    pages = u32::try_from(memory?.initial).unwrap_or(u32::MAX);
                }
            }
            Payload::CustomSection(section)
                if section.name() == SECTION && descriptor.replace(section.data()).is_some() =>
            {
                return Err(VetError::DescriptorTwice);
            }
            _ => {}
        }
    }
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    let mut code = Code::within(WORK_MAX);
    for (function, body) in functions {
        let mut function = function.into_validator(allocations);
        code.take(&mut function, &body)?;
        allocations = function.into_allocations();
    }
    Ok(Inspected { entries, section: descriptor, pages })
}

fn check_limits(payload: &Payload<'_>) -> Result<(), VetError> {
    let (what, count, max) = match payload {
        Payload::StartSection { .. } => return Err(VetError::Start),
        Payload::ImportSection(section) => ("imports", section.count(), IMPORTS_MAX as u64),
        Payload::FunctionSection(section) => ("functions", section.count(), FUNCTIONS_MAX as u64),
        Payload::GlobalSection(section) => ("globals", section.count(), GLOBALS_MAX.into()),
        Payload::ExportSection(section) => ("exports", section.count(), EXPORTS_MAX.into()),
        Payload::DataSection(section) => ("data segments", section.count(), SEGMENTS_MAX.into()),
        Payload::ElementSection(section) => ("element segments", section.count(), SEGMENTS_MAX.into()),
        _ => return Ok(()),
    };
    if u64::from(count) > max {
        return Err(VetError::TooMany { what, count: count.into(), max });
    }
    Ok(())
}

/// Names the one feature whose absence makes the module invalid at `offset`, if it is one: with it allowed, the validator
/// gets further.
fn named(bytes: &[u8], offset: usize, reason: String) -> VetError {
    for (feature, needed, remedy) in REFUSED {
        let stopped_at = match Validator::new_with_features(ALLOWED.union(needed)).validate_all(bytes) {
            Ok(_) => usize::MAX,
            Err(error) => error.offset(),
        };
        if stopped_at > offset {
            return VetError::Feature { feature, offset, remedy };
        }
    }
    VetError::Invalid { offset, reason }
}

impl From<parapet_vm::VetError> for VetError {
    fn from(error: parapet_vm::VetError) -> Self {
        match error {
            parapet_vm::VetError::Invalid { offset, reason } => Self::Invalid { offset, reason },
            other => Self::Code(other),
        }
    }
}

impl From<wasmparser::BinaryReaderError> for VetError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Invalid { offset: error.offset(), reason: error.message().to_owned() }
    }
}

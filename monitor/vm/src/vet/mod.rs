//! Decides whether bytes may become a guard, before anything is compiled.
//!
//! Limits are compared as each section is met, before the validator works on it; names and types of imports and exports
//! last, when the validator knows all types. The outcome depends on the bytes alone.

mod body;
mod error;
mod feature;
mod surface;

pub use body::Code;
pub use error::VetError;
pub use surface::Hooks;

use parapet_abi::descriptor::SECTION;
use parapet_monitor::Descriptor;
use wasmparser::{FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator};

use crate::limits::{
    DATA_SEGMENTS_MAX, ELEMENT_SEGMENTS_MAX, EXPORTS_MAX, FUNCTIONS_MAX, GLOBALS_MAX, IMPORTS_MAX, MEMORY_PAGES_MAX,
    MODULE_BYTES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX, TYPES_MAX, VALUES_MAX, WORK_MAX,
};
use surface::Surface;

/// What vetting finds out about a module that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetted {
    /// What it says about itself.
    pub descriptor: Descriptor,
    /// What it can be asked.
    pub hooks: Hooks,
    /// Whether its tables, and which of its segments are dropped, are for ever as they are in a fresh instance: it has no
    /// instruction that changes them.
    pub keeps_segments: bool,
    /// Pages that its memory starts with.
    pub pages: u64,
}

/// First bytes of every Wasm module.
const WASM_MAGIC: &[u8] = b"\0asm";

/// Vets a module.
///
/// # Errors
/// [`VetError`] says what is wrong and what to do about it.
pub fn vet(bytes: &[u8]) -> Result<Vetted, VetError> {
    if bytes.len() > MODULE_BYTES_MAX {
        return Err(VetError::ModuleBytes { size: bytes.len(), max: MODULE_BYTES_MAX });
    }
    if !bytes.starts_with(WASM_MAGIC) {
        return Err(VetError::NotWasm);
    }
    inspect(bytes).map_err(|error| match error {
        VetError::Invalid { offset, reason } => feature::named(bytes, offset, reason),
        other => other,
    })
}

fn inspect(bytes: &[u8]) -> Result<Vetted, VetError> {
    let mut validator = Validator::new_with_features(feature::ALLOWED);
    let mut parser = Parser::new(0);
    parser.set_features(feature::ALLOWED);
    let mut surface = Surface::default();
    let mut descriptor = None;
    let mut functions = Vec::new();
    let mut types = None;
    let mut pages = 0;
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        check_limits(&payload)?;
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => {
                body::check_size(function.index, &body)?;
                functions.push((function, body));
            }
            ValidPayload::End(all) => types = Some(all),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
        match payload {
            Payload::ImportSection(section) => surface.take_imports(section)?,
            Payload::MemorySection(section) => {
                for memory in section {
                    pages = memory?.initial;
                }
            }
            Payload::ExportSection(section) => surface.take_exports(section)?,
            Payload::CustomSection(section)
                if section.name() == SECTION && descriptor.replace(section.data()).is_some() =>
            {
                return Err(VetError::DescriptorTwice);
            }
            _ => {}
        }
    }
    let mut allocations = FuncValidatorAllocations::default();
    let mut code = Code::within(WORK_MAX);
    for (function, body) in functions {
        let mut function = function.into_validator(allocations);
        code.take(&mut function, &body)?;
        allocations = function.into_allocations();
    }
    let types = types.expect("the parser ends every module it does not refuse with `End`");
    let hooks = surface.check(&types.as_ref())?;
    let descriptor = Descriptor::parse(descriptor.ok_or(VetError::NoDescriptor)?)?;
    if descriptor.message.is_some() {
        return Err(VetError::Message);
    }
    Ok(Vetted { descriptor, hooks, keeps_segments: code.keeps_segments, pages })
}

fn check_limits(payload: &Payload<'_>) -> Result<(), VetError> {
    const SMALLER: &str = "split the guard, or use fewer and smaller dependencies";
    const MERGE: &str = "let the linker merge segments";
    match payload {
        Payload::TypeSection(section) => {
            at_most("function types", section.count(), TYPES_MAX, SMALLER)?;
            // The validator says what is wrong with those that are no functions' types.
            for ty in section.clone().into_iter_err_on_gc_types().flatten() {
                let count = u32::try_from(ty.params().len().max(ty.results().len())).unwrap_or(u32::MAX);
                at_most("parameters or results of one type", count, VALUES_MAX, "pass a pointer to them")?;
            }
            Ok(())
        }
        Payload::ImportSection(section) => {
            at_most("imports", section.count(), IMPORTS_MAX, "each function of the host is needed once")
        }
        Payload::FunctionSection(section) => at_most("functions", section.count(), FUNCTIONS_MAX, SMALLER),
        Payload::GlobalSection(section) => at_most("globals", section.count(), GLOBALS_MAX, SMALLER),
        Payload::ExportSection(section) => {
            at_most("exports", section.count(), EXPORTS_MAX, "export the memory and the hooks only")
        }
        Payload::ElementSection(section) => at_most("element segments", section.count(), ELEMENT_SEGMENTS_MAX, MERGE),
        Payload::DataSection(section) => at_most("data segments", section.count(), DATA_SEGMENTS_MAX, MERGE),
        Payload::DataCountSection { count, .. } => at_most("data segments", *count, DATA_SEGMENTS_MAX, MERGE),
        Payload::StartSection { .. } => Err(VetError::Start),
        Payload::TableSection(section) => {
            at_most("tables", section.count(), TABLES_MAX, "one holds all function pointers")?;
            for table in section.clone() {
                let elements = table?.ty.initial;
                if elements > TABLE_ELEMENTS_MAX {
                    return Err(VetError::TableElements { elements });
                }
            }
            Ok(())
        }
        Payload::MemorySection(section) => {
            at_most("memories", section.count(), 1, "guards have one")?;
            for memory in section.clone() {
                let memory = memory?;
                let pages = memory.initial.max(memory.maximum.unwrap_or(0));
                if pages > MEMORY_PAGES_MAX {
                    return Err(VetError::MemoryPages { pages });
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn at_most(what: &'static str, count: u32, max: u32, remedy: &'static str) -> Result<(), VetError> {
    if count > max {
        return Err(VetError::TooMany { what, count: count.into(), max: max.into(), remedy });
    }
    Ok(())
}

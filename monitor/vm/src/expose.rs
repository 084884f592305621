//! Gives the host a hold on what an instance keeps in its globals, which Wasm lets a host reach only by export.
//!
//! Invariant: nothing but the export section changes, so the module computes the same for the same fuel. Vetting
//! refuses modules that use [`RESERVED`] names themselves.

use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{BinaryReaderError, ExternalKind, GlobalSectionReader, Parser, Payload};

/// Start of the export names that belong to the host.
pub(crate) const RESERVED: &str = "parapet.";

/// Name under which a mutable global is exported.
pub(crate) fn global_name(index: u32) -> String {
    format!("{RESERVED}global.{index}")
}

/// A vetted module with all its mutable globals exported, and their indexes.
///
/// # Errors
/// None for bytes that passed vetting.
pub(crate) fn expose_globals(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u32>), BinaryReaderError> {
    let (mut module, mut mutable) = (Module::new(), Vec::new());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::GlobalSection(globals) = &payload {
            // Guards import functions only, so the first global of the section is the first of the module.
            mutable = mutable_globals(globals.clone())?;
        }
        if let Payload::ExportSection(exports) = payload {
            let mut section = ExportSection::new();
            for export in exports {
                let export = export?;
                section.export(export.name, kind(export.kind), export.index);
            }
            for index in &mutable {
                section.export(&global_name(*index), ExportKind::Global, *index);
            }
            module.section(&section);
        } else if let Some((id, range)) = payload.as_section() {
            module.section(&RawSection { id, data: &bytes[range] });
        }
    }
    Ok((module.finish(), mutable))
}

fn mutable_globals(globals: GlobalSectionReader<'_>) -> Result<Vec<u32>, BinaryReaderError> {
    let mut mutable = Vec::new();
    for (index, global) in (0..).zip(globals) {
        if global?.ty.mutable {
            mutable.push(index);
        }
    }
    Ok(mutable)
}

fn kind(kind: ExternalKind) -> ExportKind {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => ExportKind::Tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every section but the exports.
    fn sections(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let sections = Parser::new(0).parse_all(bytes).filter_map(|payload| payload.expect("is valid").as_section());
        sections.filter(|(id, _)| *id != 7).map(|(id, range)| (id, bytes[range].to_vec())).collect()
    }

    fn exports(bytes: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            if let Payload::ExportSection(exports) = payload.expect("is valid") {
                names.extend(exports.into_iter().map(|export| export.expect("is valid").name.to_owned()));
            }
        }
        names
    }

    #[test]
    fn only_exports_change() {
        let text = r#"(module (memory (export "memory") 1) (global i32 (i32.const 7)) (global (mut i64) (i64.const 8))
            (global (export "heap") (mut i32) (i32.const 9)) (func (export "on_tx")) (data (i32.const 3) "x")
            (@custom "parapet.guard" "words"))"#;
        let bytes = wat::parse_str(text).expect("is Wasm");
        let (exposed, mutable) = expose_globals(&bytes).expect("is valid");
        assert_eq!(mutable, [1, 2]);
        assert_eq!(sections(&exposed), sections(&bytes));
        assert_eq!(exports(&exposed), ["memory", "heap", "on_tx", "parapet.global.1", "parapet.global.2"]);
    }
}

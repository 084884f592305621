//! Globals that a rewritten module has behind its own.

use wasm_encoder::{GlobalSection, Module, SectionId};

/// Where a module has no globals, a section of those that `add` makes, in its place: before the exports.
pub(crate) fn alone(module: &mut Module, before: Option<SectionId>, has_globals: bool, add: fn(&mut GlobalSection)) {
    if before == Some(SectionId::Export) && !has_globals {
        let mut globals = GlobalSection::new();
        add(&mut globals);
        module.section(&globals);
    }
}

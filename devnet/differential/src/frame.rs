//! What writing a module anew takes, whatever is added to it: its types, functions and globals, and a function's locals.

use std::convert::Infallible;

use wasm_encoder::{
    GlobalSection, Module, SectionId, ValType,
    reencode::{Error, Reencode},
};
use wasmparser::{FuncType, FunctionBody, Payload};

/// Types, functions and globals of a module.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) types: Vec<FuncType>,
    /// Number of the type of each function that it defines.
    pub(crate) defined: Vec<u32>,
    /// Globals it has: the number of the first that is added.
    pub(crate) globals: u32,
    has_globals: bool,
}

impl Frame {
    /// Notes what one of its sections says of it.
    pub(crate) fn note(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                self.types = types.clone().into_iter_err_on_gc_types().collect::<wasmparser::Result<_>>()?;
            }
            Payload::FunctionSection(functions) => {
                self.defined = functions.clone().into_iter().collect::<wasmparser::Result<_>>()?;
            }
            Payload::GlobalSection(globals) => (self.globals, self.has_globals) = (globals.count(), true),
            _ => {}
        }
        Ok(())
    }

    /// Type of one of the functions that it defines.
    pub(crate) fn type_of(&self, defined: usize) -> &FuncType {
        &self.types[self.defined[defined] as usize]
    }

    /// Where it has no globals, a section of those that `add` makes, in its place: before the exports.
    pub(crate) fn globals_alone(&self, module: &mut Module, before: Option<SectionId>, add: fn(&mut GlobalSection)) {
        if before == Some(SectionId::Export) && !self.has_globals {
            let mut globals = GlobalSection::new();
            add(&mut globals);
            module.section(&globals);
        }
    }
}

/// Locals of a function, by how many of a type follow each other.
pub(crate) fn locals(
    written: &mut impl Reencode<Error = Infallible>,
    body: &FunctionBody<'_>,
) -> Result<Vec<(u32, ValType)>, Error<Infallible>> {
    let mut locals = Vec::new();
    for local in body.get_locals_reader()? {
        let (many, ty) = local?;
        locals.push((many, written.val_type(ty)?));
    }
    Ok(locals)
}

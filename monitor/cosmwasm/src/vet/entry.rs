//! The entry points of a contract, each by its name and type. cosmwasm-vm looks at the names of two of them, and at
//! types not before they are called.

use wasmparser::{ExportSectionReader, ExternalKind, ValType, types::Types};

use super::Answers;
use crate::VetError;

const I32: ValType = ValType::I32;

/// Name, parameters, results.
type Signature = (&'static str, &'static [ValType], &'static [ValType]);

const ALLOCATE: Signature = ("allocate", &[I32], &[I32]);
const DEALLOCATE: Signature = ("deallocate", &[I32], &[]);
const INSTANTIATE: Signature = ("instantiate", &[I32, I32, I32], &[I32]);
const SUDO: Signature = ("sudo", &[I32, I32], &[I32]);
const QUERY: Signature = ("query", &[I32, I32], &[I32]);

/// Exported functions, kept until the types are known. Their number is bounded before they come here.
#[derive(Default)]
pub(super) struct Entries<'a> {
    exports: Vec<(&'a str, u32)>,
    pub(super) types: Option<Types>,
}

impl<'a> Entries<'a> {
    pub(super) fn take(&mut self, section: ExportSectionReader<'a>) -> Result<(), VetError> {
        for export in section {
            let export = export?;
            if export.kind == ExternalKind::Func {
                self.exports.push((export.name, export.index));
            }
        }
        Ok(())
    }

    /// Finds what a guard must have.
    pub(super) fn check(&self) -> Result<Answers, VetError> {
        for required in [ALLOCATE, DEALLOCATE, INSTANTIATE, SUDO] {
            if !self.has(required)? {
                return Err(VetError::NoEntryPoint(required.0));
            }
        }
        Ok(if self.has(QUERY)? { Answers::Queries } else { Answers::Nothing })
    }

    fn has(&self, (name, parameters, results): Signature) -> Result<bool, VetError> {
        let Some((_, index)) = self.exports.iter().find(|(exported, _)| *exported == name) else { return Ok(false) };
        let types = self.types.as_ref().expect("the parser ends every module it does not refuse with `End`").as_ref();
        let actual = types[types.core_function_at(*index)].unwrap_func();
        if actual.params() != parameters || actual.results() != results {
            return Err(VetError::EntryPointType(name));
        }
        Ok(true)
    }
}

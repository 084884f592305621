//! Where a module touches its host: imports, the memory and the hooks, each by its exact name and type.

use parapet_abi::import::{EXPORT_INIT, EXPORT_MEMORY, EXPORT_ON_CALL, EXPORT_ON_CALL_END, EXPORT_ON_TX, MODULE};
use parapet_monitor::Hook;
use wasmparser::{ExportSectionReader, ExternalKind, FuncType, ImportSectionReader, TypeRef, ValType, types::TypesRef};

use super::VetError;
use crate::expose::RESERVED;

const I32: ValType = ValType::I32;
const I64: ValType = ValType::I64;

/// A function of the host: name, parameters, results. The meaning is in `parapet_abi::import`.
type Signature = (&'static str, &'static [ValType], &'static [ValType]);

const IMPORTS: [Signature; 24] = [
    ("trace_count", &[I32], &[I32]),
    ("trace_read", &[I32, I32, I32, I32, I32], &[I32]),
    ("trace_data", &[I32, I32, I32, I32, I32], &[I32]),
    ("config_read", &[I32, I32, I32], &[I32]),
    ("state_storage", &[I32, I32, I32, I32], &[]),
    ("state_balance", &[I32, I32, I32], &[]),
    ("state_code_hash", &[I32, I32, I32], &[]),
    ("state_storage_at", &[I32, I32, I32, I32, I32], &[]),
    ("state_balance_at", &[I32, I32, I32, I32], &[]),
    ("state_code_hash_at", &[I32, I32, I32, I32], &[]),
    ("view_call", &[I32, I32, I32, I32, I32, I64, I32], &[I32]),
    ("view_output", &[I32, I32, I32], &[I32]),
    ("store_get", &[I32, I32, I32], &[I32]),
    ("store_set", &[I32, I32, I32], &[]),
    ("store_add", &[I32, I32, I32, I32], &[I32]),
    ("store_max", &[I32, I32, I32], &[]),
    ("entry_get", &[I32, I32, I32, I32, I32], &[I32]),
    ("entry_set", &[I32, I32, I32, I32], &[]),
    ("entry_remove", &[I32, I32], &[I32]),
    ("entry_seek", &[I32, I32, I32, I32, I32], &[I32]),
    ("window_add", &[I32, I32, I32, I32, I64], &[I32]),
    ("keccak256", &[I32, I32, I32], &[]),
    ("alert", &[I32, I32, I32], &[]),
    ("veto", &[I32, I32, I32], &[]),
];

const HOOKS: [(Hook, Signature); 4] = [
    (Hook::Init, (EXPORT_INIT, &[], &[])),
    (Hook::OnCall, (EXPORT_ON_CALL, &[I32], &[])),
    (Hook::OnCallEnd, (EXPORT_ON_CALL_END, &[I32], &[])),
    (Hook::OnTx, (EXPORT_ON_TX, &[], &[])),
];

/// The hooks a module exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hooks(u8);

impl Hooks {
    /// Whether a hook is exported.
    #[must_use]
    pub const fn has(self, hook: Hook) -> bool {
        self.0 & Self::bit(hook) != 0
    }

    const fn bit(hook: Hook) -> u8 {
        match hook {
            Hook::Init => 1,
            Hook::OnCall => 2,
            Hook::OnCallEnd => 4,
            Hook::OnTx => 8,
        }
    }

    /// Whether there is anything to call while a transaction is judged.
    const fn judges(self) -> bool {
        self.0 & !Self::bit(Hook::Init) != 0
    }
}

/// Imports and exports, kept until the types are known. Their number is bounded before they come here.
#[derive(Default)]
pub(crate) struct Surface<'a> {
    imports: Vec<(&'a str, &'a str, TypeRef)>,
    exports: Vec<(&'a str, ExternalKind, u32)>,
}

impl<'a> Surface<'a> {
    pub(crate) fn take_imports(&mut self, section: ImportSectionReader<'a>) -> Result<(), VetError> {
        for import in section.into_imports() {
            let import = import?;
            self.imports.push((import.module, import.name, import.ty));
        }
        Ok(())
    }

    pub(crate) fn take_exports(&mut self, section: ExportSectionReader<'a>) -> Result<(), VetError> {
        for export in section {
            let export = export?;
            if export.name.starts_with(RESERVED) {
                return Err(VetError::ReservedExport { name: export.name.to_owned() });
            }
            self.exports.push((export.name, export.kind, export.index));
        }
        Ok(())
    }

    pub(crate) fn check(&self, types: &TypesRef<'_>) -> Result<Hooks, VetError> {
        for (index, (module, name, ty)) in (0..).zip(&self.imports) {
            let unknown = || VetError::UnknownImport { module: (*module).to_owned(), name: (*name).to_owned() };
            // A function import is the only kind there may be, so its index among imports is its function index.
            if *module != MODULE || !matches!(ty, TypeRef::Func(_)) {
                return Err(unknown());
            }
            let signature = IMPORTS.iter().find(|(known, ..)| known == name).ok_or_else(unknown)?;
            let actual = function_type(types, index);
            if !matches(signature, actual) {
                let (expected, actual) = (written(signature.1, signature.2), written_type(actual));
                return Err(VetError::ImportType { name: (*name).to_owned(), expected, actual });
            }
        }
        let memory =
            |(name, kind, _): &&(&str, ExternalKind, u32)| *name == EXPORT_MEMORY && *kind == ExternalKind::Memory;
        self.exports.iter().find(memory).ok_or(VetError::NoMemory)?;
        let mut hooks = Hooks::default();
        for (hook, signature) in &HOOKS {
            if self.exports_hook(types, signature)? {
                hooks.0 |= Hooks::bit(*hook);
            }
        }
        if hooks.judges() { Ok(hooks) } else { Err(VetError::NoHook) }
    }

    fn exports_hook(&self, types: &TypesRef<'_>, signature: &Signature) -> Result<bool, VetError> {
        let (name, parameters, results) = *signature;
        let Some((_, kind, index)) = self.exports.iter().find(|(exported, ..)| *exported == name) else {
            return Ok(false);
        };
        let actual = match kind {
            ExternalKind::Func => {
                let actual = function_type(types, *index);
                if matches(signature, actual) {
                    return Ok(true);
                }
                written_type(actual)
            }
            other => format!("{other:?}").to_lowercase(),
        };
        Err(VetError::HookType { name, expected: written(parameters, results), actual })
    }
}

fn function_type<'t>(types: &'t TypesRef<'_>, index: u32) -> &'t FuncType {
    types[types.core_function_at(index)].unwrap_func()
}

fn matches((_, parameters, results): &Signature, actual: &FuncType) -> bool {
    actual.params() == *parameters && actual.results() == *results
}

fn written_type(ty: &FuncType) -> String {
    written(ty.params(), ty.results())
}

fn written(parameters: &[ValType], results: &[ValType]) -> String {
    let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(parameters), list(results))
}

#[cfg(test)]
mod tests {
    use super::{IMPORTS, written};

    #[test]
    fn imports_are_those_of_the_specification() {
        let section = include_str!("../../../../sdk/abi/SPECIFICATION.md")
            .split("\n## 3. Imports")
            .nth(1)
            .expect("there is a section 3");
        let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
        let rows = rows.take_while(|line| line.starts_with('|')).map(|row| {
            let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).skip(1);
            (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
        });
        let imports = IMPORTS.iter().map(|(name, from, to)| ((*name).to_owned(), written(from, to)));
        assert_eq!(rows.collect::<Vec<_>>(), imports.collect::<Vec<_>>());
    }
}

//! Guards with their condition broken: what shows that the table can fail.

use alloy_primitives::Bytes;

use crate::attach::Module;

/// How a guard is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// It wakes and has nothing against anything.
    Toothless,
    /// It vetoes whatever enters its accounts.
    Rabid,
    /// It is the shipped guard, with the parameters that the scenario says break its condition.
    Loosened,
}

impl Mutant {
    /// The module that stands in the place of every guard; none where each is broken in its own way.
    pub(crate) fn module(self) -> Option<Module> {
        let body = match self {
            Self::Toothless => "",
            Self::Rabid => "(call $veto (i32.const 1) (i32.const 0) (i32.const 0))",
            Self::Loosened => return None,
        };
        let text = format!(
            r#"(module
                (import "parapet_v1" "veto" (func $veto (param i32 i32 i32)))
                (memory (export "memory") 1)
                (func (export "on_call") (param i32) {body})
                (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"broken\",\"version\":\"1\",\"triggers\":[\"frame\"]}}"))"#
        );
        let wasm = wat::parse_str(&text).expect("the text above is Wasm");
        Some(Module { name: format!("{self:?}"), wasm: wasm.into(), configuration: Bytes::new() })
    }
}

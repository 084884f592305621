//! Why a module may not become a guard, and what its author can do about it.

use parapet_monitor::DescriptorError;

use crate::{
    expose::RESERVED,
    limits::{MEMORY_PAGES_MAX, TABLE_ELEMENTS_MAX},
};

/// A module is refused. Registering or attaching it must fail.
#[derive(Debug, thiserror::Error)]
pub enum VetError {
    /// The module is too long.
    #[error("the module has {size} bytes, at most {max} are accepted; build in release mode and strip debug sections")]
    ModuleBytes {
        /// Its length.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// It has too many of something.
    #[error("the module has {count} {what}, at most {max} are accepted; {remedy}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: u64,
        /// The limit.
        max: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// A function is too long.
    #[error(
        "function {function} has {size} bytes, at most {max} are accepted; split it, or keep it from being inlined"
    )]
    BodyBytes {
        /// Its index, imports counted.
        function: u32,
        /// Length of its body.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// A function has too many locals.
    #[error("function {function} has {count} locals, at most {max} are accepted; split it, or keep arrays on the heap")]
    Locals {
        /// Its index, imports counted.
        function: u32,
        /// Sum of its locals.
        count: u64,
        /// The limit.
        max: u32,
    },
    /// A function has too many of something.
    #[error("function {function} has {count} {what}, at most {max} are accepted; {remedy}")]
    Function {
        /// Its index, imports counted.
        function: u32,
        /// Of what.
        what: &'static str,
        /// How many.
        count: u64,
        /// The limit.
        max: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// The table is too large.
    #[error(
        "the table has {elements} elements, at most {TABLE_ELEMENTS_MAX} are accepted; use fewer function pointers"
    )]
    TableElements {
        /// Its size.
        elements: u64,
    },
    /// The memory starts or may grow too large.
    #[error(
        "the memory has {pages} pages of 64 KiB, at most {MEMORY_PAGES_MAX} are accepted; lower its initial size and maximum"
    )]
    MemoryPages {
        /// Its minimum or maximum.
        pages: u64,
    },
    /// No memory of its own, exported under the name that the host looks for.
    #[error("the module must define one memory and export it as \"memory\"")]
    NoMemory,
    /// A start function would run without being asked.
    #[error("the module has a start function; do the work in `init` or in a hook")]
    Start,
    /// It uses a part of Wasm that guards may not use.
    #[error("the module uses {feature}, at byte {offset}; {remedy}")]
    Feature {
        /// Its name.
        feature: &'static str,
        /// Where.
        offset: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// It is something else altogether.
    #[error("this is no Wasm module: its first four bytes are not \"\\0asm\"; is it the right file?")]
    NotWasm,
    /// It is damaged Wasm.
    #[error("the module is not valid Wasm at byte {offset}: {reason}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What the validator says.
        reason: String,
    },
    /// It imports what no host gives.
    #[error("import {module:?} {name:?} is unknown; guards import functions of \"parapet_v1\" only")]
    UnknownImport {
        /// Module of the import.
        module: String,
        /// Its name.
        name: String,
    },
    /// It imports a function under another type.
    #[error("import {name:?} has type {actual}, it must have {expected}; build against this version of the SDK")]
    ImportType {
        /// Its name.
        name: String,
        /// The type of the host's function.
        expected: String,
        /// The type in the module.
        actual: String,
    },
    /// A hook is exported that cannot be called as one.
    #[error("export {name:?} is {actual}, it must be a function of type {expected}")]
    HookType {
        /// Its name.
        name: &'static str,
        /// The type of the hook.
        expected: String,
        /// What is exported.
        actual: String,
    },
    /// An export under a name of the host's own.
    #[error("export {name:?}: names that start with {RESERVED:?} belong to the host; choose another one")]
    ReservedExport {
        /// Its name.
        name: String,
    },
    /// Nothing to call.
    #[error("the module exports none of on_call, on_call_end and on_tx, so it could never judge")]
    NoHook,
    /// Nothing is known about it.
    #[error(
        "the module has no custom section \"parapet.guard\"; the SDK's `#[guard]` writes it, stripping may remove it"
    )]
    NoDescriptor,
    /// Two accounts of itself.
    #[error("the module has two custom sections \"parapet.guard\"; keep one `#[guard]` per module")]
    DescriptorTwice,
    /// A native guard that asks for a message.
    #[error("the descriptor has a `message`, which only CosmWasm contracts get; leave it out")]
    Message,
    /// What it says about itself cannot be used.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
}

impl From<wasmparser::BinaryReaderError> for VetError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Invalid { offset: error.offset(), reason: error.message().to_owned() }
    }
}

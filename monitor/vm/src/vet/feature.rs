//! Which parts of Wasm guards may use, and the name of one that they may not.

use wasmparser::{Validator, WasmFeatures};

use super::VetError;

/// Allowed besides the first version of Wasm without its floats.
pub(crate) const ALLOWED: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG);

/// Refused, by name, with what to do about it.
const REFUSED: [(&str, WasmFeatures, &str); 10] = [
    (
        "floating-point numbers",
        WasmFeatures::FLOATS.union(WasmFeatures::SATURATING_FLOAT_TO_INT),
        "calculate with integers; formatting of floats in a dependency is the usual cause",
    ),
    (
        "vector instructions (SIMD)",
        WasmFeatures::SIMD.union(WasmFeatures::RELAXED_SIMD).union(WasmFeatures::FLOATS),
        "build without `+simd128`",
    ),
    ("threads", WasmFeatures::THREADS, "build without `+atomics`"),
    (
        "reference types",
        WasmFeatures::REFERENCE_TYPES.union(WasmFeatures::GC_TYPES),
        "build without `+reference-types`",
    ),
    ("several memories", WasmFeatures::MULTI_MEMORY, "use one memory"),
    ("64-bit memory", WasmFeatures::MEMORY64, "build for wasm32"),
    ("tail calls", WasmFeatures::TAIL_CALL, "build without `+tail-call`"),
    (
        "exceptions",
        WasmFeatures::EXCEPTIONS
            .union(WasmFeatures::LEGACY_EXCEPTIONS)
            .union(WasmFeatures::REFERENCE_TYPES)
            .union(WasmFeatures::GC_TYPES),
        "build with `panic = \"abort\"`",
    ),
    (
        "garbage-collected types",
        WasmFeatures::GC
            .union(WasmFeatures::FUNCTION_REFERENCES)
            .union(WasmFeatures::REFERENCE_TYPES)
            .union(WasmFeatures::GC_TYPES),
        "build for linear memory",
    ),
    ("extended constant expressions", WasmFeatures::EXTENDED_CONST, "build without `+extended-const`"),
];

/// Names the one feature whose absence makes the module invalid at `offset`, if it is one: with it allowed, the
/// validator gets further.
pub(crate) fn named(bytes: &[u8], offset: usize, reason: String) -> VetError {
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

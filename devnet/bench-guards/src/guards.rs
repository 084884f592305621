//! The guards that are measured: those that ship with the node, and small ones for one question each.

use alloy_primitives::{Bytes, U256};

use crate::BenchError;

static REENTRANCY: &[u8] = include_bytes!("../../../guards/artifacts/reentrancy.wasm");
static OUTFLOW_CAP: &[u8] = include_bytes!("../../../guards/artifacts/outflow_cap.wasm");

/// The guards that ship with the node: name, module, and a configuration under which a usual transaction passes.
#[must_use]
pub fn shipped() -> [(&'static str, &'static [u8], Bytes); 2] {
    let words = |words: &[U256]| words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<u8>>().into();
    let small = |value: u64| U256::from(value);
    // Two empty lists and `false`; ether, two caps that nothing reaches, and a day.
    let reentrancy = words(&[0x60, 0x80, 0, 0, 0].map(small));
    let outflow = words(&[U256::ZERO, U256::MAX, U256::MAX - small(1), small(86_400)]);
    [("reentrancy", REENTRANCY, reentrancy), ("outflow_cap", OUTFLOW_CAP, outflow)]
}

/// Reads ten frames and ten written slots when the transaction has executed, and adds up what they hold.
const LIGHT: &str = r#"
    (func (export "on_tx") (local $at i32) (local $sum i64)
        (drop (call $trace_read (i32.const 3) (i32.const 0) (i32.const 10) (i32.const 4096) (i32.const 192)))
        (drop (call $trace_read (i32.const 8) (i32.const 0) (i32.const 10) (i32.const 8192) (i32.const 120)))
        (local.set $at (i32.const 4096))
        (loop $frames
            (local.set $sum (i64.add (local.get $sum) (i64.load offset=184 (local.get $at))))
            (br_if $frames (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 192))) (i32.const 6016))))
        (local.set $at (i32.const 8192))
        (loop $slots
            (local.set $sum (i64.add (local.get $sum) (i64.load offset=112 (local.get $at))))
            (br_if $slots (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 120))) (i32.const 9392))))
        (if (i64.eq (local.get $sum) (i64.const -1)) (then (call $veto (i32.const 1) (i32.const 0) (i32.const 0)))))"#;

/// Looks at each frame as it starts.
const INLINE: &str = r#"
    (func (export "on_call") (param $frame i32)
        (drop (call $trace_read (i32.const 3) (local.get $frame) (i32.const 1) (i32.const 4096) (i32.const 192)))
        (if (i32.eq (i32.load (i32.const 4116)) (i32.const -1))
            (then (call $veto (i32.const 1) (i32.const 0) (i32.const 0)))))"#;

/// Reads ten frames and ten written slots.
///
/// # Errors
/// [`BenchError::Module`].
pub fn light() -> Result<Bytes, BenchError> {
    guard("light", LIGHT)
}

/// Looks at each frame as it starts.
///
/// # Errors
/// [`BenchError::Module`].
pub fn inline() -> Result<Bytes, BenchError> {
    guard("inline", INLINE)
}

fn guard(name: &str, body: &str) -> Result<Bytes, BenchError> {
    let text = format!(
        r#"(module
            (import "parapet_v1" "trace_read" (func $trace_read (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "veto" (func $veto (param i32 i32 i32)))
            (memory (export "memory") 1) {body}
            (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"{name}\",\"version\":\"1\",\"triggers\":[\"frame\"]}}"))"#
    );
    let unusable = |error: wat::Error| BenchError::Module { name: name.to_owned(), reason: error.to_string() };
    wat::parse_str(&text).map(Bytes::from).map_err(unusable)
}

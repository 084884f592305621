//! The guards that are measured: those that ship with the node, and small ones for one question each.

use alloy_primitives::{Bytes, U256};

use crate::BenchError;

static REENTRANCY: &[u8] = include_bytes!("../../../guards/artifacts/reentrancy.wasm");
static OUTFLOW_CAP: &[u8] = include_bytes!("../../../guards/artifacts/outflow_cap.wasm");

static OUTFLOW_CAP_COSMWASM: &[u8] = include_bytes!("../../../guards/artifacts/outflow_cap_cosmwasm.wasm");
static LIGHT_COSMWASM: &[u8] = include_bytes!("../../../guards/artifacts/light_cosmwasm.wasm");
static WHOLE_MESSAGE_COSMWASM: &[u8] = include_bytes!("../../../guards/artifacts/whole_message_cosmwasm.wasm");

/// The contract among those that ship with the node.
pub const CONTRACT: &str = "outflow_cap_cosmwasm";

/// The guards that ship with the node: name, module, and a configuration under which a usual transaction passes.
#[must_use]
pub fn shipped() -> [(&'static str, &'static [u8], Bytes); 3] {
    let words = |words: &[U256]| words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<u8>>().into();
    let small = |value: u64| U256::from(value);
    // Two empty lists and `false`; ether, two caps that nothing reaches, a day, and no caps by share.
    let reentrancy = words(&[0x60, 0x80, 0, 0, 0].map(small));
    let outflow = words(&[U256::ZERO, U256::MAX, U256::MAX - small(1), small(86_400), U256::ZERO, U256::ZERO]);
    let cap = format!(r#"{{"tx_max":"{}","window_max":"{}"}}"#, U256::MAX, U256::MAX - small(1)).into_bytes().into();
    [
        ("reentrancy", REENTRANCY, reentrancy),
        ("outflow_cap", OUTFLOW_CAP, outflow),
        (CONTRACT, OUTFLOW_CAP_COSMWASM, cap),
    ]
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

/// Adds one to a counter that all transactions share, under a bound that nothing reaches.
const COUNTING: &str = r#"
    (data (i32.const 0) "\01")
    (data (i32.const 63) "\01")
    (data (i32.const 64) "\7f")
    (func (export "on_tx")
        (if (i32.eqz (call $store_add (i32.const 0) (i32.const 1) (i32.const 32) (i32.const 64)))
            (then (call $veto (i32.const 1) (i32.const 0) (i32.const 0)))))"#;

/// Counts transactions on one counter.
///
/// # Errors
/// [`BenchError::Module`].
pub fn counting() -> Result<Bytes, BenchError> {
    module("counting", 1, COUNTING)
}

/// Reads ten frames and ten written slots.
///
/// # Errors
/// [`BenchError::Module`].
pub fn light() -> Result<Bytes, BenchError> {
    module("light", 1, LIGHT)
}

/// Reads ten frames and ten written slots, as a CosmWasm contract.
#[must_use]
pub fn light_contract() -> Bytes {
    Bytes::from_static(LIGHT_COSMWASM)
}

/// Reads all of the transaction as JSON, as a CosmWasm contract.
#[must_use]
pub fn whole_message_contract() -> Bytes {
    Bytes::from_static(WHOLE_MESSAGE_COSMWASM)
}

/// Looks at each frame as it starts.
///
/// # Errors
/// [`BenchError::Module`].
pub fn inline() -> Result<Bytes, BenchError> {
    module("inline", 1, INLINE)
}

/// Does something again and again when the transaction has executed. Memory holds zeros but for an address of bytes 0xca
/// at 0; `$i` counts turns.
///
/// # Errors
/// [`BenchError::Module`].
pub fn looping(name: &str, body: &str, turns: u32) -> Result<Bytes, BenchError> {
    let functions = format!(
        r#"(type $nothing (func))
        (table funcref (elem $nothing))
        (global $g (mut i64) (i64.const 0))
        (data (i32.const 0) "{address}")
        (func $nothing)
        (func (export "on_tx") (local $i i32) (local $i2 i32) (local $x i64)
            (loop $again
                {body}
                (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {turns}))))
            (i64.store (i32.const 40960) (i64.add (local.get $x) (i64.extend_i32_u (local.get $i2)))))"#,
        address = r"\ca".repeat(20),
    );
    module(name, 4, &functions)
}

/// A guard with these functions, and every import that is measured.
///
/// # Errors
/// [`BenchError::Module`].
pub fn module(name: &str, pages: u32, functions: &str) -> Result<Bytes, BenchError> {
    let text = format!(
        r#"(module
            (import "parapet_v1" "trace_count" (func $trace_count (param i32) (result i32)))
            (import "parapet_v1" "trace_read" (func $trace_read (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "trace_data" (func $trace_data (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "config_read" (func $config_read (param i32 i32 i32) (result i32)))
            (import "parapet_v1" "state_storage" (func $state_storage (param i32 i32 i32 i32)))
            (import "parapet_v1" "state_balance" (func $state_balance (param i32 i32 i32)))
            (import "parapet_v1" "state_code_hash" (func $state_code_hash (param i32 i32 i32)))
            (import "parapet_v1" "state_storage_at" (func $state_storage_at (param i32 i32 i32 i32 i32)))
            (import "parapet_v1" "view_call" (func $view_call (param i32 i32 i32 i32 i32 i64 i32) (result i32)))
            (import "parapet_v1" "store_get" (func $store_get (param i32 i32 i32) (result i32)))
            (import "parapet_v1" "store_set" (func $store_set (param i32 i32 i32)))
            (import "parapet_v1" "store_add" (func $store_add (param i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "store_max" (func $store_max (param i32 i32 i32)))
            (import "parapet_v1" "entry_get" (func $entry_get (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "entry_set" (func $entry_set (param i32 i32 i32 i32)))
            (import "parapet_v1" "entry_seek" (func $entry_seek (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "window_add" (func $window_add (param i32 i32 i32 i32 i64) (result i32)))
            (import "parapet_v1" "keccak256" (func $keccak256 (param i32 i32 i32)))
            (import "parapet_v1" "alert" (func $alert (param i32 i32 i32)))
            (import "parapet_v1" "veto" (func $veto (param i32 i32 i32)))
            (memory (export "memory") {pages})
            {functions}
            (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"measured\",\"version\":\"1\",\"triggers\":[\"frame\"]}}"))"#
    );
    let unusable = |error: wat::Error| BenchError::Module { name: name.to_owned(), reason: error.to_string() };
    wat::parse_str(&text).map(Bytes::from).map_err(unusable)
}

//! Guards, written in Wasm's text.

use alloy_primitives::Bytes;
use parapet_abi::{FrameRecord, Kind};

/// A guard that wakes by a trigger, subscribes to what is named, and has these functions.
///
/// # Panics
/// Panics when the text is not Wasm.
#[must_use]
pub fn guard(trigger: &str, subscribes: &[&str], functions: &str) -> Bytes {
    guard_on(&format!("\"{trigger}\""), subscribes, functions)
}

/// The same for a trigger as it stands in a descriptor, in JSON.
///
/// # Panics
/// Panics when the text is not Wasm.
#[must_use]
pub fn guard_on(trigger: &str, subscribes: &[&str], functions: &str) -> Bytes {
    let trigger = trigger.replace('"', "\\\"");
    let subscribes = subscribes.iter().map(|name| format!("\\\"{name}\\\"")).collect::<Vec<_>>().join(",");
    let text = format!(
        r#"(module
            (import "parapet_v1" "alert" (func $alert (param i32 i32 i32)))
            (import "parapet_v1" "veto" (func $veto (param i32 i32 i32)))
            (import "parapet_v1" "store_set" (func $store_set (param i32 i32 i32)))
            (import "parapet_v1" "window_add" (func $window_add (param i32 i32 i32 i32 i64) (result i32)))
            (import "parapet_v1" "trace_count" (func $trace_count (param i32) (result i32)))
            (import "parapet_v1" "trace_read" (func $trace_read (param i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            {functions}
            (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"threat\",\"version\":\"1\",\"triggers\":[{trigger}],\"subscribes\":[{subscribes}]}}"))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).into()
}

/// Vetoes with code 7 whatever touches its accounts.
#[must_use]
pub fn vetoes_everything() -> Bytes {
    guard("frame", &[], &on_call("(call $veto (i32.const 7) (i32.const 0) (i32.const 0))"))
}

/// Vetoes with code 7 what a trigger wakes it for: frames as they end, everything else when the transaction has executed.
#[must_use]
pub fn vetoes_on(trigger: &str) -> Bytes {
    let veto = "(call $veto (i32.const 7) (i32.const 0) (i32.const 0))";
    let hooks = format!(r#"(func (export "on_call_end") (param i32) {veto}) (func (export "on_tx") {veto})"#);
    guard_on(trigger, &[], &hooks)
}

/// Vetoes with code 7 when it finds a mark in its memory, and leaves one.
#[must_use]
pub fn marks_its_memory() -> Bytes {
    let found = "(if (i32.load (i32.const 1024)) (then (call $veto (i32.const 7) (i32.const 0) (i32.const 0))))";
    guard("frame", &[], &on_call(&format!("{found} (i32.store (i32.const 1024) (i32.const 1))")))
}

/// Traps at every frame.
#[must_use]
pub fn traps_always() -> Bytes {
    guard("frame", &[], &on_call("unreachable"))
}

/// Never ends.
#[must_use]
pub fn loops_always() -> Bytes {
    guard("frame", &[], &on_call("(loop $again (br $again))"))
}

/// Objects to nothing, after it has spent most of a hundred million fuel.
#[must_use]
pub fn spends_everything() -> Bytes {
    let loops = "(local $left i32) (local.set $left (i32.const 9000000))
        (loop $again
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br_if $again (local.get $left)))";
    guard("frame", &[], &on_call(loops))
}

/// Vetoes with code 5 frames of its accounts whose calldata starts with this byte.
#[must_use]
pub fn vetoes_calls_marked(mark: u8) -> Bytes {
    let (kind, bytes) = (Kind::Frame as u32, Kind::Frame.record_bytes());
    let selector = std::mem::offset_of!(FrameRecord, selector);
    let body = format!(
        "(drop (call $trace_read (i32.const {kind}) (local.get 0) (i32.const 1) (i32.const 0) (i32.const {bytes})))
         (if (i32.eq (i32.load8_u offset={selector} (i32.const 0)) (i32.const {mark}))
            (then (call $veto (i32.const 5) (i32.const 0) (i32.const 0))))"
    );
    guard("frame", &[], &on_call(&body))
}

/// Objects to nothing.
#[must_use]
pub fn allows_everything() -> Bytes {
    guard("frame", &[], &on_call(""))
}

/// Reads every record of a kind of the finished trace, and vetoes with code 9 if there are more than so many.
#[must_use]
pub fn counts(subscribes: &[&str], kind: u32, record_bytes: u32, at_most: u32) -> Bytes {
    // As many at once as a page of memory holds.
    let each = 65_536 / record_bytes;
    let body = format!(
        r#"(func (export "on_tx") (local $first i32) (local $read i32)
            (loop $again
                (local.set $read (call $trace_read (i32.const {kind}) (local.get $first) (i32.const {each}) (i32.const 0) (i32.const {record_bytes})))
                (local.set $first (i32.add (local.get $first) (local.get $read)))
                (br_if $again (local.get $read)))
            (if (i32.gt_u (local.get $first) (i32.const {at_most}))
                (then (call $veto (i32.const 9) (i32.const 0) (i32.const 0)))))
        (func (export "on_call") (param i32))"#
    );
    guard("frame", subscribes, &body)
}

/// A hook for frames that start.
#[must_use]
pub fn on_call(body: &str) -> String {
    format!(r#"(func (export "on_call") (param i32) {body})"#)
}

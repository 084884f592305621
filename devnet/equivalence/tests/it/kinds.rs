//! Guards that use every kind of state that there is, one native and one a contract, on the same accounts of one block: on any
//! number of threads they say and leave what they do one after the other.

use std::{mem::offset_of, num::NonZeroUsize, sync::Arc};

use alloy_primitives::Bytes;
use parapet_abi::{FrameRecord, Kind};
use parapet_equivalence::{first_difference, observe};
use parapet_executor::{Mode, Workers};
use parapet_monitor::Outcome;
use parapet_registry::Failure;

use crate::{
    scans,
    twins::{attached_all, judge, scenario},
};

/// Most that the shared counter may hold; what exceeds it is vetoed with [`FULL`].
const COUNTED_MAX: u64 = 6;
const FULL: u16 = 1;
/// Veto code of a transaction that meets an entry of a certain value above its own.
const MET: u16 = 2;

/// Words, a bounded sum, a maximum, a window and ordered entries, with keys and values out of the transaction's first
/// frame: caller, target and value.
fn native() -> Bytes {
    let (kind, bytes) = (Kind::Frame as u32, Kind::Frame.record_bytes());
    let (caller, target, value) =
        (offset_of!(FrameRecord, caller), offset_of!(FrameRecord, target), offset_of!(FrameRecord, value));
    let text = format!(
        r#"(module
            (import "parapet_v1" "trace_read" (func $trace_read (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "store_get" (func $store_get (param i32 i32 i32) (result i32)))
            (import "parapet_v1" "store_set" (func $store_set (param i32 i32 i32)))
            (import "parapet_v1" "store_add" (func $store_add (param i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "store_max" (func $store_max (param i32 i32 i32)))
            (import "parapet_v1" "window_add" (func $window_add (param i32 i32 i32 i32 i64) (result i32)))
            (import "parapet_v1" "entry_get" (func $entry_get (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "entry_set" (func $entry_set (param i32 i32 i32 i32)))
            (import "parapet_v1" "entry_remove" (func $entry_remove (param i32 i32) (result i32)))
            (import "parapet_v1" "entry_seek" (func $entry_seek (param i32 i32 i32 i32 i32) (result i32)))
            (import "parapet_v1" "alert" (func $alert (param i32 i32 i32)))
            (import "parapet_v1" "veto" (func $veto (param i32 i32 i32)))
            (memory (export "memory") 1)
            ;; Keys: behind "s" and "k" an account is put in. A one, the counter's bound, and that of the window.
            (data (i32.const 0) "s") (data (i32.const 32) "count") (data (i32.const 40) "most")
            (data (i32.const 48) "window") (data (i32.const 160) "k") (data (i32.const 95) "\01")
            (data (i32.const 127) "\{COUNTED_MAX:02x}") (data (i32.const 128) "\ff\ff")
            (global $frame i32 (i32.const 4096))
            (func $put (param $key i32) (param $account i32)
                (memory.copy (i32.add (local.get $key) (i32.const 1)) (i32.add (global.get $frame) (local.get $account)) (i32.const 20)))
            (func (export "on_tx") (local $value i32)
                (drop (call $trace_read (i32.const {kind}) (i32.const 0) (i32.const 1) (global.get $frame) (i32.const {bytes})))
                (local.set $value (i32.load8_u offset={last} (global.get $frame)))
                ;; What the target has sent last is read, what the caller sends is kept, and an alert says the former.
                (call $put (i32.const 0) (i32.const {target}))
                (if (call $store_get (i32.const 0) (i32.const 21) (i32.const 256))
                    (then (call $alert (i32.const 5) (i32.const 256) (i32.const 32))))
                (call $put (i32.const 0) (i32.const {caller}))
                (call $store_set (i32.const 0) (i32.const 21) (i32.add (global.get $frame) (i32.const {value})))
                ;; Odd amounts are counted, within a bound. A maximum, and a window.
                (if (i32.and (local.get $value) (i32.const 1))
                    (then (if (i32.eqz (call $store_add (i32.const 32) (i32.const 5) (i32.const 64) (i32.const 96)))
                        (then (call $veto (i32.const {FULL}) (i32.const 0) (i32.const 0))))))
                (call $store_max (i32.const 40) (i32.const 4) (i32.add (global.get $frame) (i32.const {value})))
                (drop (call $window_add (i32.const 48) (i32.const 6)
                    (i32.add (global.get $frame) (i32.const {value})) (i32.const 128) (i64.const 60)))
                ;; Entries: the caller's is written, the first one above it is met, and taken away by who sends an odd amount.
                (call $put (i32.const 160) (i32.const {caller}))
                (call $entry_set (i32.const 160) (i32.const 21) (i32.add (global.get $frame) (i32.const {value})) (i32.const 32))
                (if (i32.ne (i32.const -1) (call $entry_seek (i32.const 1) (i32.const 160) (i32.const 21) (i32.const 512) (i32.const 21)))
                    (then
                        (drop (call $entry_get (i32.const 512) (i32.const 21) (i32.const 0) (i32.const 544) (i32.const 32)))
                        (if (i32.and (local.get $value) (i32.const 1))
                            (then (drop (call $entry_remove (i32.const 512) (i32.const 21))))
                            (else (if (i32.eq (i32.load8_u (i32.const 575)) (i32.const 44))
                                (then (call $veto (i32.const {MET}) (i32.const 512) (i32.const 21)))))))))
            (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"kinds\",\"version\":\"1\",\"triggers\":[\"frame\"]}}"))"#,
        last = value + 31,
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).into()
}

#[test]
fn guards_of_both_forms_with_every_kind_of_state_say_the_same_in_parallel() {
    let (native, contract, judge) = (native(), Bytes::from(scans::contract()), Arc::new(judge()));
    let mut said = Vec::new();
    for seed in 0..6 {
        let guards = [(&native[..], Bytes::new()), (&contract[..], Bytes::new())];
        let block = attached_all(&scenario(seed), &guards, Failure::Closed);
        let expected = observe(&block.input(&block.state), &*judge, Mode::Sequential);
        let verdicts = expected.as_ref().unwrap().included.iter().flat_map(|included| &included.executed.verdicts);
        said.extend(verdicts.map(|verdict| (verdict.outcome, verdict.code)));
        for threads in [1, 2, 4, 8] {
            let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
            for _ in 0..3 {
                let found = observe(&block.input(&block.state), &*judge, Mode::Parallel(&workers));
                if let Some(part) = first_difference(&expected, &found) {
                    panic!("seed {seed}, {threads} threads: {part}");
                }
            }
        }
    }
    for veto in [FULL, MET, scans::TOO_MANY] {
        assert!(said.contains(&(Outcome::Veto, veto)), "code {veto} was never said: {said:?}");
    }
}

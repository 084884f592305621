//! A contract that counts its entries by a range scan and adds one, in each transaction: a scan that misses an insert of an
//! earlier transaction of the same block (a phantom) counts wrong, stores it, and judges by it.

use std::{num::NonZeroUsize, sync::Arc};

use alloy_primitives::Bytes;
use parapet_equivalence::{first_difference, observe};
use parapet_executor::{Mode, Workers};
use parapet_monitor::Outcome;
use parapet_registry::Failure;

use crate::twins::{attached, judge, scenario};

/// Entries with which the contract still accepts.
const ENTRIES_MAX: usize = 20;
/// Veto code of a transaction that finds more.
pub(crate) const TOO_MANY: u16 = 7;

/// A region and its bytes, as data segments.
fn region(at: u32, bytes: &[u8]) -> String {
    let escape = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let len = u32::try_from(bytes.len()).unwrap();
    let words = [at + 16, len, len].map(u32::to_le_bytes).concat();
    format!("(data (i32.const {at}) \"{}\") (data (i32.const {}) \"{}\")", escape(&words), at + 16, escape(bytes))
}

/// Keys are the count, scattered, so that inserts of one block lie between each other.
pub(crate) fn contract() -> Vec<u8> {
    let parts = [
        region(0x100, br#"{"ok":{"messages":[],"attributes":[],"events":[],"data":null}}"#),
        region(0x200, br#"{"error":"[7] too many"}"#),
        region(0x400, &[0; 8]),
        region(0x500, &[0; 4]),
    ]
    .concat();
    let text = format!(
        r#"(module
            (import "env" "db_write" (func $db_write (param i32 i32)))
            (import "env" "db_scan" (func $db_scan (param i32 i32 i32) (result i32)))
            (import "env" "db_next" (func $db_next (param i32) (result i32)))
            {parts}
            (memory (export "memory") 2)
            (global $next (mut i32) (i32.const 0x8000))
            (func (export "interface_version_8"))
            (func (export "allocate") (param $size i32) (result i32) (local $region i32)
                (local.set $region (global.get $next))
                (global.set $next (i32.and (i32.const -8)
                    (i32.add (i32.const 31) (i32.add (local.get $size) (global.get $next)))))
                (i32.store (local.get $region) (i32.add (i32.const 16) (local.get $region)))
                (i32.store offset=4 (local.get $region) (local.get $size))
                (i32.store offset=8 (local.get $region) (local.get $size))
                (local.get $region))
            (func (export "deallocate") (param i32))
            (func (export "instantiate") (param i32 i32 i32) (result i32) (i32.const 0x100))
            (func (export "sudo") (param i32 i32) (result i32)
                (local $scan i32) (local $heap i32) (local $count i32)
                (local.set $scan (call $db_scan (i32.const 0) (i32.const 0) (i32.const 1)))
                (local.set $heap (global.get $next))
                (block $end (loop $more
                    (global.set $next (local.get $heap))
                    ;; Behind the last entry an empty key and an empty value: two lengths, and nothing else.
                    (br_if $end (i32.eq (i32.const 8) (i32.load offset=8 (call $db_next (local.get $scan)))))
                    (local.set $count (i32.add (i32.const 1) (local.get $count)))
                    (br $more)))
                (if (i32.ge_u (local.get $count) (i32.const {ENTRIES_MAX})) (then (return (i32.const 0x200))))
                (i64.store (i32.const 0x410)
                    (i64.mul (i64.const 0x9e3779b97f4a7c15) (i64.extend_i32_u (local.get $count))))
                (i32.store (i32.const 0x510) (local.get $count))
                (call $db_write (i32.const 0x400) (i32.const 0x500))
                (i32.const 0x100)))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn a_scan_meets_what_earlier_transactions_of_the_block_inserted_on_any_number_of_threads() {
    let (module, judge) = (contract(), Arc::new(judge()));
    for seed in 0..4 {
        let block = attached(&scenario(seed), &module, Failure::Closed, Bytes::new());
        let expected = observe(&block.input(&block.state), &*judge, Mode::Sequential);
        let said = expected.as_ref().unwrap().included.iter().flat_map(|included| &included.executed.verdicts);
        let said: Vec<_> = said.map(|verdict| (verdict.outcome, verdict.code)).collect();
        let vetoed = said.iter().filter(|said| **said == (Outcome::Veto, TOO_MANY)).count();
        let allowed = said.iter().filter(|said| said.0 == Outcome::Allow).count();
        assert!(allowed == ENTRIES_MAX && vetoed > 0, "seed {seed}: {said:?}");
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
}

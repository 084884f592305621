//! The trace's records, read as entries that are not there for anything else.

use parapet_abi::{FrameRecord, Kind, Record as _, SlotChangeRecord};
use parapet_contract::RECORDS;
use parapet_cosmwasm::{End, Limit};
use parapet_monitor::{MemoryState, Trace};
use parapet_vm::HookCall;

use super::{Called, call_as, contract_with, load, region, subject, trace};

const IMPORTS: &str = r#"(import "env" "db_read" (func $db_read (param i32) (result i32)))
    (import "env" "db_write" (func $db_write (param i32 i32)))
    (import "env" "db_remove" (func $db_remove (param i32)))
    (import "env" "db_scan" (func $db_scan (param i32 i32 i32) (result i32)))
    (import "env" "db_next" (func $db_next (param i32) (result i32)))"#;
const KEY: u32 = 0x400;

fn key(kind: Kind, first: u32) -> Vec<u8> {
    [RECORDS, &[kind as u8], &first.to_be_bytes()].concat()
}

/// Twelve frames and three written slots.
fn seen() -> Trace {
    let frames = (0..12).map(|id| FrameRecord { id, ..FrameRecord::default() }).collect();
    let slot_changes =
        (1..4).map(|slot| SlotChangeRecord { slot: [slot; 32], ..SlotChangeRecord::default() }).collect();
    Trace { frames, slot_changes, ..trace() }
}

fn run(key: &[u8], body: &str, trace: &Trace) -> Called {
    // Its message holds nothing: what it reads it reads as records.
    let descriptor = r#"(@custom "parapet.guard" "{\"abi\":1,\"name\":\"probe\",\"version\":\"1\",\"triggers\":[\"frame\"],\"message\":[]}")"#;
    let contract = load(&contract_with(IMPORTS, &format!("{} {descriptor}", region(KEY, key)), body));
    call_as(&contract, subject(), HookCall::OnTx, trace, &mut MemoryState::default()).unwrap()
}

/// Accepts if the value under a key begins with these two words and has so many bytes.
fn expecting(words: [usize; 2], len: usize) -> String {
    let [size, left] = words;
    format!(
        "(local $region i32) (local $at i32)
        (local.set $region (call $db_read (i32.const {KEY})))
        (local.set $at (i32.load (local.get $region)))
        (if (result i32) (i32.and (i32.eq (i32.load offset=8 (local.get $region)) (i32.const {len}))
                (i32.and (i32.eq (i32.load (local.get $at)) (i32.const {size}))
                    (i32.eq (i32.load offset=4 (local.get $at)) (i32.const {left}))))
            (then (global.get $ok)) (else (global.get $no)))"
    )
}

#[test]
fn records_are_read_with_their_size_and_number_from_any_one_on() {
    let frame = size_of::<FrameRecord>();
    for (first, left) in [(0, 12), (5, 7), (11, 1), (12, 0), (13, 0), (u32::MAX, 0)] {
        let body = expecting([frame, left], 8 + left * frame);
        assert_eq!(run(&key(FrameRecord::KIND, first), &body, &seen()).end, End::Returned, "from {first}");
    }
    let slot = size_of::<SlotChangeRecord>();
    let body = expecting([slot, 3], 8 + 3 * slot);
    assert_eq!(run(&key(SlotChangeRecord::KIND, 0), &body, &seen()).end, End::Returned);
}

#[test]
fn a_long_list_is_read_in_parts() {
    let frame = size_of::<FrameRecord>();
    let many = Trace { frames: vec![FrameRecord::default(); 10_000], ..trace() };
    let part = 65_536 / frame;
    for (first, left) in [(0, 10_000), (9_900, 100)] {
        let body = expecting([frame, left], 8 + left.min(part) * frame);
        assert_eq!(run(&key(FrameRecord::KIND, first), &body, &many).end, End::Returned, "from {first}");
    }
}

#[test]
fn what_is_not_subscribed_to_and_what_is_no_kind_is_not_there() {
    let nothing = format!(
        "(if (result i32) (i32.eqz (call $db_read (i32.const {KEY}))) (then (global.get $ok)) (else (global.get $no)))"
    );
    let unknown = [RECORDS, &[99], &[0; 4]].concat();
    for key in [key(Kind::Access, 0), key(Kind::Preimage, 0), unknown, RECORDS.to_vec(), [RECORDS, &[3, 0]].concat()] {
        assert_eq!(run(&key, &nothing, &seen()).end, End::Returned, "{key:?}");
    }
    assert!(matches!(run(&key(Kind::Flow, 0), &nothing, &seen()).end, End::Vetoed { .. }), "flows are subscribed to");
}

#[test]
fn records_cannot_be_written_and_no_scan_meets_them() {
    let key = key(FrameRecord::KIND, 0);
    for write in ["(call $db_write (i32.const 0x400) (i32.const 0x400))", "(call $db_remove (i32.const 0x400))"] {
        let called = run(&key, &format!("{write} (global.get $ok)"), &seen());
        assert_eq!(called.end, End::LimitExceeded(Limit::Records), "{write}");
        assert!(called.updates.is_empty());
    }
    // An empty scan answers with an empty key.
    let first = "(local $region i32)
        (local.set $region (call $db_next (call $db_scan (i32.const 0) (i32.const 0) (i32.const 1))))
        (if (result i32) (i64.eqz (i64.load (i32.load (local.get $region)))) (then (global.get $ok)) (else (global.get $no)))";
    assert_eq!(run(&key, first, &seen()).end, End::Returned);
}

#[test]
fn reading_is_paid_for_by_what_is_read() {
    let fuel = |trace: &Trace| {
        let read = format!("(drop (call $db_read (i32.const {KEY}))) (global.get $ok)");
        run(&key(FrameRecord::KIND, 0), &read, trace).fuel.0
    };
    let few = fuel(&seen());
    let more = fuel(&Trace { frames: vec![FrameRecord::default(); 112], ..seen() });
    assert!(more >= few + 100 * (size_of::<FrameRecord>() as u64 / 8), "{few}, {more}");
}

//! The guard that the specification writes by hand is a guard, and does what is said of it.

use alloy_primitives::{Bytes, keccak256};
use parapet_abi::FrameRecord;

use parapet_vm::{HookCall, HookEnd, limits, metering, vet};

use crate::Bench;

const SPECIFICATION: &str = include_str!("../../../../sdk/abi/SPECIFICATION.md");

fn by_hand() -> Bytes {
    let text = SPECIFICATION.split("```wat\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")).into()
}

#[test]
fn the_guard_by_hand_passes_vetting() {
    let vetted = vet(&by_hand()).unwrap();
    assert_eq!(vetted.descriptor.name, "shallow");
}

#[test]
fn the_guard_by_hand_vetoes_what_is_too_deep_and_says_by_how_much() {
    let mut bench = Bench::new();
    bench.trace.frames =
        (0..5).map(|id| FrameRecord { id, depth: id, gas_limit: u64::MAX, ..FrameRecord::default() }).collect();
    let module = by_hand();
    let guard = bench.engine.load(keccak256(&module), module.clone()).unwrap();
    assert_eq!(guard.descriptor().name, "shallow");
    for frame in 0..=2 {
        let mut session = bench.session(&module);
        assert_eq!(bench.call(&mut session, HookCall::OnCall(frame)), HookEnd::Returned);
    }
    let mut session = bench.session(&module);
    let veto = bench.call(&mut session, HookCall::OnCall(4));
    assert_eq!(veto, HookEnd::Vetoed { code: 7, detail: Bytes::from_static(b"2") });
}

#[test]
fn prices_are_written_down_as_they_are() {
    let table = SPECIFICATION.split("| what | fuel |\n|---|---|\n").nth(1).unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let written: Vec<u64> = rows.map(|row| row.split('|').nth(2).unwrap().trim().parse().unwrap()).collect();
    let prices = [
        metering::INSTANCE,
        metering::MEMORY_PAGE,
        metering::HOST_CALL,
        metering::WORD_COPIED,
        metering::RECORD,
        metering::STATE_READ,
        metering::FORK_ENTRY,
        metering::VIEW_CALL,
        metering::VIEW_GAS,
        metering::STORE_WORD,
        metering::STORE_WRITE,
        metering::ENTRY_WORD_KNOWN,
        metering::KECCAK_BLOCK,
        metering::ALERT,
    ];
    assert_eq!(written, prices);
}

#[test]
fn limits_of_modules_are_written_down_as_they_are() {
    let rows = [
        format!("| module | {} bytes |", limits::MODULE_BYTES_MAX),
        format!(
            "| functions, of one function: body, locals | {}; {} bytes, {} |",
            limits::FUNCTIONS_MAX,
            limits::BODY_BYTES_MAX,
            limits::LOCALS_MAX
        ),
        format!(
            "| blocks around one another, loops, targets of one `br_table` | {}, {}, {} |",
            limits::DEPTH_MAX,
            limits::LOOP_DEPTH_MAX,
            limits::BRANCH_TARGETS_MAX
        ),
        format!("| parameters or results of one type | {} |", limits::VALUES_MAX),
        format!("| work of the compiler, see below | {} |", limits::WORK_MAX),
        format!("Each counts {}, 1 for each local", limits::BRANCH_WORK),
        format!("and {} for each operand on the stack", limits::OPERAND_WORK),
        format!("`loop` is {}, `br_table`", limits::LOOP_BRANCHES),
        format!("each bulk operation {}.", limits::BULK_BRANCHES),
    ];
    for row in rows {
        assert!(SPECIFICATION.contains(&row), "{row}");
    }
}

//! The guard that the specification writes by hand is a guard, and does what is said of it.

use alloy_primitives::{Bytes, keccak256};
use parapet_abi::FrameRecord;

const SPECIFICATION: &str = include_str!("../../../../sdk/abi/SPECIFICATION.md");
use parapet_vm::{HookCall, HookEnd, vet};

use crate::Bench;

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

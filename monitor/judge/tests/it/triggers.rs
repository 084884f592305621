//! Triggers as data: what wakes whom, and what is recorded for those who wake at the end.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_abi::{
    AccessKind, AccessRecord, CodeChangeKind, CodeChangeRecord, DelegateRecord, FlowReason, FlowRecord, FrameKind,
    FrameRecord, FrameStatus, LogRecord, NO_FRAME, PreimageRecord, SlotChangeRecord,
};
use parapet_monitor::{Closed, Decision, Judging, MemoryState, Monitor as _, Subscriptions, Trace};
use parapet_registry::SelectedTriggers;

use crate::{Chain, ON_CALL, ON_TX, OTHER, USER, VAULT, context, frame, guard_described, judge, say};

const LIBRARY: Address = Address::repeat_byte(0x44);

/// A guard that alerts 1 as a frame starts, 2 as one ends, 3 at the end.
fn telling(trigger: &str, subscribes: &str) -> Bytes {
    let end = r#"(func (export "on_call_end") (param i32)"#;
    let body = format!("{ON_CALL} {}) {end} {}) {ON_TX} {})", say("alert", 1), say("alert", 2), say("alert", 3));
    guard_described(trigger, subscribes, &body)
}

/// The codes that a guard of the vault says of a transaction with these records.
fn said(trigger: &str, trace: &Trace) -> Vec<u16> {
    let mut chain = Chain::default();
    chain.attach(telling(trigger, ""));
    said_on(&chain, trace)
}

fn said_on(chain: &Chain, trace: &Trace) -> Vec<u16> {
    let (judge, mut state) = (judge(), chain.state());
    let mut judging = judge.open(&context(USER), &mut state).unwrap().unwrap();
    play(&mut *judging, trace, &mut state);
    judging.close().verdicts.iter().map(|verdict| verdict.code).collect()
}

/// As the executor: frames start and end one after the other, and the end is told only if somebody stirs.
fn play(judging: &mut dyn Judging, trace: &Trace, state: &mut MemoryState) {
    for id in 0..u32::try_from(trace.frames.len()).unwrap() {
        assert_eq!(judging.on_call(trace, id, state).unwrap(), Decision::Proceed);
        assert_eq!(judging.on_call_end(trace, id, state).unwrap(), Decision::Proceed);
    }
    if judging.stirs(&mut Closed(trace)) {
        assert_eq!(judging.on_tx(trace, state).unwrap(), Decision::Proceed);
    }
}

fn calls(frames: &[FrameRecord]) -> Trace {
    let frames = (0..).zip(frames).map(|(id, frame)| FrameRecord { id, ..*frame });
    Trace { frames: frames.collect(), ..Trace::default() }
}

fn transfer(target: Address) -> FrameRecord {
    FrameRecord {
        selector: [0xa9, 0x05, 0x9c, 0xbb],
        input_len: 68,
        status: FrameStatus::Succeeded.into(),
        ..frame(USER, target, 0)
    }
}

#[test]
fn a_frame_wakes_by_the_fields_that_a_trigger_names() {
    let other = FrameRecord { selector: [1; 4], ..transfer(VAULT) };
    let reverted = FrameRecord { status: FrameStatus::Reverted.into(), ..transfer(VAULT) };
    let selector = r#"{"on":"call","selector":"transfer(address,uint256)"}"#;
    assert_eq!(said(selector, &calls(&[transfer(VAULT)])), [1, 2, 3]);
    assert!(said(selector, &calls(&[other, transfer(OTHER)])).is_empty());
    let outcome = r#"{"on":"call","outcome":"reverted"}"#;
    assert_eq!(said(outcome, &calls(&[transfer(VAULT), reverted])), [2, 3], "only an end can tell");
    let outgoing = r#"{"on":"call","role":"caller"}"#;
    assert_eq!(said(outgoing, &calls(&[frame(VAULT, OTHER, 0)])), [1, 2, 3]);
    let built_in = FrameRecord { is_precompile: 1, ..frame(VAULT, OTHER, 0) };
    let hashing = r#"{"on":"call","kind":"precompile","role":"caller"}"#;
    assert_eq!(said(hashing, &calls(&[built_in])), [2, 3], "what it is is known at its end");
    assert!(said(hashing, &calls(&[frame(VAULT, OTHER, 0)])).is_empty());
    assert!(said(outgoing, &calls(&[transfer(VAULT)])).is_empty());
}

#[test]
fn an_attachment_is_woken_by_the_triggers_that_it_selects_alone() {
    let triggers =
        r#"{"on":"call","selector":"transfer(address,uint256)"},{"on":"call","outcome":"reverted"},{"on":"code"}"#;
    let reverted = FrameRecord { status: FrameStatus::Reverted.into(), selector: [1; 4], ..transfer(VAULT) };
    let trace = calls(&[transfer(VAULT), reverted]);
    let selecting = |selected: u32| {
        let mut chain = Chain::default();
        chain.attach(telling(triggers, "")).triggers = SelectedTriggers(selected);
        said_on(&chain, &trace)
    };
    assert_eq!(selecting(0), [1, 2, 2, 3], "none selected is all of them");
    assert_eq!(selecting(0b111), selecting(0));
    assert_eq!(selecting(0b001), [1, 2, 3]);
    assert_eq!(selecting(0b010), [2, 3]);
    assert_eq!(selecting(0b100), Vec::<u16>::new());
}

#[test]
fn code_that_runs_by_a_delegation_wakes_its_own_guard_and_that_of_the_account() {
    let mut trace = calls(&[transfer(OTHER)]);
    trace.delegates = vec![DelegateRecord {
        frame: 0,
        zero: 0,
        account: OTHER.into_array().into(),
        delegate: VAULT.into_array().into(),
    }];
    assert_eq!(said(r#""frame""#, &trace), [1, 2, 3], "the vault's code ran, though another account was called");
    trace.delegates[0].delegate = LIBRARY.into_array().into();
    assert!(said(r#""frame""#, &trace).is_empty());
    trace.frames[0] = transfer(VAULT);
    assert_eq!(said(r#""frame""#, &trace), [1, 2, 3], "the vault delegates");
}

#[test]
fn what_was_left_wakes_at_the_end() {
    let slot = |account: Address, slot: u64| SlotChangeRecord {
        address: account.into_array().into(),
        slot: U256::from(slot).to_be_bytes(),
        ..SlotChangeRecord::default()
    };
    let log = LogRecord { address: VAULT.into_array().into(), topic_count: 1, ..LogRecord::default() };
    let delegated = CodeChangeRecord {
        kind: CodeChangeKind::Delegation.into(),
        address: VAULT.into_array().into(),
        ..CodeChangeRecord::default()
    };
    let fee = FlowRecord { reason: FlowReason::Fee.into(), from: VAULT.into_array().into(), ..FlowRecord::default() };
    let quiet = calls(&[frame(USER, OTHER, 0)]);
    let cases = [
        (r#"{"on":"slot","slot":3}"#, Trace { slot_changes: vec![slot(VAULT, 3)], ..quiet.clone() }, true),
        (r#"{"on":"slot","slot":3}"#, Trace { slot_changes: vec![slot(OTHER, 3)], ..quiet.clone() }, false),
        (r#"{"on":"slot","slot":3}"#, Trace { slot_changes: vec![slot(VAULT, 4)], ..quiet.clone() }, false),
        (r#"{"on":"log"}"#, Trace { logs: vec![log], ..quiet.clone() }, true),
        (r#"{"on":"log","topic1":1}"#, Trace { logs: vec![log], ..quiet.clone() }, false),
        (r#"{"on":"code"}"#, Trace { code_changes: vec![delegated], ..quiet.clone() }, true),
        (r#"{"on":"code","change":"create"}"#, Trace { code_changes: vec![delegated], ..quiet.clone() }, false),
        (r#"{"on":"flow","reason":"fee"}"#, Trace { flows: vec![fee], fee_flows: 1, ..quiet.clone() }, true),
        (r#""flow""#, Trace { flows: vec![fee], fee_flows: 1, ..quiet.clone() }, false),
    ];
    for (trigger, trace, wakes) in cases {
        let expected: &[u16] = if wakes { &[3] } else { &[] };
        assert_eq!(said(trigger, &trace), expected, "{trigger}");
    }
}

#[test]
fn entries_of_a_mapping_are_known_by_what_was_hashed() {
    let (key, base) = ([5; 32], U256::from(3).to_be_bytes::<32>());
    let hash = keccak256([key, base].concat()).0;
    let change = SlotChangeRecord { address: VAULT.into_array().into(), slot: hash, ..SlotChangeRecord::default() };
    let preimage = PreimageRecord { key, base, hash, ..PreimageRecord::default() };
    let trace = Trace { slot_changes: vec![change], preimages: vec![preimage], ..calls(&[transfer(OTHER)]) };
    assert_eq!(said(r#"{"on":"slot","mapping":3}"#, &trace), [3]);
    assert!(said(r#"{"on":"slot","mapping":4}"#, &trace).is_empty());
}

#[test]
fn transient_words_that_frames_wrote_wake_unless_they_were_reverted() {
    let write = |kind: AccessKind, account: Address, slot: u64, frame: u32| AccessRecord {
        kind: kind.into(),
        frame,
        address: account.into_array().into(),
        slot: U256::from(slot).to_be_bytes(),
        ..AccessRecord::default()
    };
    let reverted = FrameRecord { status: FrameStatus::Reverted.into(), ..transfer(OTHER) };
    let top = |frame: FrameRecord| FrameRecord { parent: NO_FRAME, ..frame };
    let wrote = |access| Trace { accesses: vec![access], ..calls(&[top(transfer(OTHER)), top(reverted)]) };
    let (tstore, sstore) = (AccessKind::TransientWrite, AccessKind::StorageWrite);
    let lock = r#"{"on":"transient","slot":3}"#;
    assert_eq!(said(lock, &wrote(write(tstore, VAULT, 3, 0))), [3]);
    for other in [
        write(tstore, VAULT, 3, 1),
        write(tstore, VAULT, 4, 0),
        write(tstore, OTHER, 3, 0),
        write(sstore, VAULT, 3, 0),
        write(AccessKind::TransientRead, VAULT, 3, 0),
    ] {
        assert!(said(lock, &wrote(other)).is_empty(), "{other:?}");
    }
    let mut chain = Chain::default();
    chain.attach(telling(r#"{"on":"transient"}"#, "")).accounts = Vec::new();
    assert_eq!(said_on(&chain, &wrote(write(tstore, OTHER, 9, 0))), [3], "chain-wide ones wake for any account");
}

#[test]
fn what_late_guards_read_is_recorded_from_the_first_frame_of_their_account_on() {
    let mut chain = Chain::default();
    chain.attach(telling(r#"{"on":"slot","mapping":3}"#, r#"\"accesses\""#));
    let (judge, mut state) = (judge(), chain.state());
    let mut judging = judge.open(&context(USER), &mut state).unwrap().unwrap();
    let trace = calls(&[transfer(OTHER), transfer(VAULT)]);
    assert_eq!(judging.subscriptions(), Subscriptions::NONE);
    judging.on_call(&trace, 0, &mut state).unwrap();
    assert_eq!(judging.subscriptions(), Subscriptions::NONE, "others do not pay for it");
    judging.on_call(&trace, 1, &mut state).unwrap();
    assert_eq!(judging.subscriptions(), Subscriptions::ACCESSES.union(Subscriptions::PREIMAGES));
    assert!(!judging.stirs(&mut Closed(&trace)), "it waits for a slot, and none changed");
}

#[test]
fn chain_wide_attachments_wake_wherever_their_triggers_hold() {
    let hash = B256::repeat_byte(9);
    let by_code = format!(r#"{{"on":"call","code_hash":"{hash}"}}"#);
    let running = FrameRecord { code_hash: hash.0, ..transfer(OTHER) };
    for (trigger, trace, expected) in [
        (r#""frame""#, calls(&[transfer(OTHER)]), &[1, 2, 3][..]),
        (r#"{"on":"call","kind":"delegatecall"}"#, calls(&[transfer(OTHER)]), &[]),
        (by_code.as_str(), calls(&[running, transfer(VAULT)]), &[1, 2, 3]),
        (by_code.as_str(), calls(&[transfer(OTHER)]), &[]),
    ] {
        let mut chain = Chain::default();
        chain.attach(telling(trigger, "")).accounts = Vec::new();
        assert_eq!(said_on(&chain, &trace), expected, "{trigger}");
    }
    let mut chain = Chain::default();
    chain.attach(telling(r#"{"on":"log"}"#, r#"\"accesses\""#)).accounts = Vec::new();
    let (judge, mut state) = (judge(), chain.state());
    let judging = judge.open(&context(USER), &mut state).unwrap().unwrap();
    assert_eq!(judging.subscriptions(), Subscriptions::ACCESSES, "it may wake for anybody, so everything is recorded");
}

#[test]
fn no_frame_kind_and_no_part_in_a_frame_passes_a_guard() {
    let kinds = [
        FrameKind::Call,
        FrameKind::CallCode,
        FrameKind::DelegateCall,
        FrameKind::StaticCall,
        FrameKind::Create,
        FrameKind::Create2,
        FrameKind::System,
    ];
    let code = VAULT.into_array().into();
    for kind in kinds.map(u8::from) {
        let target = FrameRecord { kind, ..frame(USER, VAULT, 0) };
        let as_code = FrameRecord { kind, code_address: code, ..frame(USER, OTHER, 0) };
        for frame in [target, as_code] {
            assert_eq!(said(r#""frame""#, &calls(&[frame])), [1, 2, 3], "kind {kind}");
        }
    }
}

#[test]
fn triggers_that_do_not_fit_their_configuration_fail_closed() {
    let mut chain = Chain::default();
    let descriptor = r#"{"on":"slot","slot":"$slot"}"#;
    let module = crate::guard_with_parameter(descriptor, "slot", "uint256", &format!("{ON_TX})"));
    chain.attach(module).configuration = Bytes::new();
    let judged = crate::run(&chain, &crate::Tx::calling(VAULT));
    let veto = judged.veto.unwrap();
    assert_eq!(veto.code, parapet_abi::import::CODE_UNUSABLE);
    assert!(String::from_utf8_lossy(&veto.detail).contains("no value for parameter"));
}

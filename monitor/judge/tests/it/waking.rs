//! What wakes an attachment, for which frames it is asked, and how many may wake.

use alloy_primitives::{Address, B256};
use parapet_abi::{FlowRecord, FrameKind, FrameRecord};
use parapet_judge::{FUEL_WOKEN_MAX, WOKEN_MAX};
use parapet_monitor::{Decision, Fuel, Hook, Mode, Monitor as _, Outcome, Subscriptions, Trace};
use parapet_registry::{Failure, REGISTRY_ADDRESS};

use crate::{
    Chain, FrameStatus, ON_CALL, ON_TX, OTHER, Tx, USER, VAULT, context, frame, guard, guard_subscribing, judge, run,
    say, vetoing,
};

/// Alerts in each hook that it is asked by.
fn telling(trigger: &str) -> alloy_primitives::Bytes {
    let end = r#"(func (export "on_call_end") (param i32)"#;
    let body = format!("{ON_CALL} {}) {end} {}) {ON_TX} {})", say("alert", 1), say("alert", 2), say("alert", 3));
    guard(trigger, &body)
}

/// The hooks and frames that the vault's guard was asked for.
fn asked(trigger: &str, tx: &Tx) -> Vec<(Hook, Option<u32>)> {
    let mut chain = Chain::default();
    chain.attach(telling(trigger));
    let verdicts = run(&chain, tx).judgement.verdicts;
    verdicts.iter().map(|verdict| (verdict.hook.unwrap(), verdict.frame)).collect()
}

fn tx(frames: &[FrameRecord]) -> Tx {
    Tx { frames: frames.to_vec(), flows: Vec::new(), status: FrameStatus::Succeeded }
}

fn flow(from: Address, to: Address) -> FlowRecord {
    FlowRecord { from: from.into_array().into(), to: to.into_array().into(), ..FlowRecord::default() }
}

const WHOLE: [(Hook, Option<u32>); 3] = [(Hook::OnCall, Some(0)), (Hook::OnCallEnd, Some(0)), (Hook::OnTx, None)];

#[test]
fn frames_that_touch_an_account_wake_its_guard() {
    let of_kind = |kind: FrameKind, frame: FrameRecord| FrameRecord { kind: kind.into(), ..frame };
    let library = FrameRecord { code_address: VAULT.into_array().into(), ..frame(USER, OTHER, 0) };
    for (frame, wakes, why) in [
        (frame(USER, VAULT, 0), true, "a call of it"),
        (of_kind(FrameKind::StaticCall, frame(USER, VAULT, 0)), true, "a static call of it"),
        (of_kind(FrameKind::DelegateCall, library), true, "its code, run by another"),
        (frame(VAULT, OTHER, 1), true, "ether that it sends"),
        (of_kind(FrameKind::Create, frame(VAULT, OTHER, 1)), true, "ether that it gives to a new contract"),
        (of_kind(FrameKind::Create2, frame(VAULT, OTHER, 1)), true, "ether that it gives to a new contract"),
        (frame(VAULT, OTHER, 0), false, "a call by it, of which it sees nothing come back"),
        (of_kind(FrameKind::Create, frame(VAULT, OTHER, 0)), false, "a creation by it without ether"),
        (of_kind(FrameKind::DelegateCall, frame(VAULT, OTHER, 1)), false, "ether that only seems to move"),
        (frame(USER, OTHER, 1), false, "somebody else's ether"),
    ] {
        let expected: &[_] = if wakes { &WHOLE } else { &[] };
        assert_eq!(asked("frame", &tx(&[frame])), expected, "{why}");
    }
}

#[test]
fn a_woken_guard_is_asked_for_the_frames_that_touch_its_account_only() {
    let frames = [frame(USER, OTHER, 0), frame(OTHER, VAULT, 0), frame(VAULT, USER, 0), frame(USER, VAULT, 0)];
    let expected = [
        (Hook::OnCall, Some(1)),
        (Hook::OnCall, Some(3)),
        (Hook::OnCallEnd, Some(3)),
        (Hook::OnCallEnd, Some(1)),
        (Hook::OnTx, None),
    ];
    assert_eq!(asked("frame", &tx(&frames)), expected);
}

#[test]
fn a_created_account_is_known_when_its_frame_ends() {
    let mut chain = Chain::default();
    chain.attach(telling("frame"));
    let (judge, mut state) = (judge(), chain.state());
    let mut judging = judge.open(&context(Address::ZERO), &mut state).unwrap().unwrap();
    let created = FrameRecord { kind: FrameKind::Create.into(), ..frame(USER, Address::ZERO, 0) };
    let mut trace = Trace { frames: vec![created], ..Trace::default() };
    judging.on_call(&trace, 0, &mut state).unwrap();
    trace.frames[0].target = VAULT.into_array().into();
    judging.on_call_end(&trace, 0, &mut state).unwrap();
    assert_eq!(judging.close().verdicts[0].hook, Some(Hook::OnCallEnd));
}

#[test]
fn flows_wake_a_guard_that_no_frame_entered() {
    for (flow, wakes) in [(flow(VAULT, USER), true), (flow(USER, VAULT), true), (flow(USER, OTHER), false)] {
        let tx = Tx { flows: vec![flow], ..tx(&[frame(USER, OTHER, 0)]) };
        let expected: &[_] = if wakes { &WHOLE[2..] } else { &[] };
        assert_eq!(asked("flow", &tx), expected);
        assert_eq!(asked("frame", &tx), [], "flows do not wake a guard that waits for frames");
    }
    assert_eq!(asked("flow", &Tx::calling(VAULT)), [], "frames do not wake a guard that waits for flows");
}

#[test]
fn nothing_is_opened_where_nothing_could_wake() {
    let open = |chain: &Chain| judge().open(&context(VAULT), &mut chain.state()).unwrap().is_some();
    assert!(!open(&Chain::default()));
    let mut chain = Chain::default();
    chain.image.register(telling("frame"));
    assert!(!open(&chain), "a module alone judges nothing");
    chain.attach(telling("frame")).paused = true;
    chain.attach(telling("frame")).mode = None;
    assert!(!open(&chain));
    chain.attach(telling("frame")).mode = Some(Mode::Shadow);
    assert!(open(&chain));
}

#[test]
fn what_is_recorded_follows_who_woke() {
    let quiet = format!("{ON_CALL})");
    let mut chain = Chain::default();
    chain.attach(guard_subscribing("frame", r#"\"accesses\""#, &quiet));
    chain.attach(guard_subscribing("flow", "", &format!("{ON_TX})"))).accounts = vec![OTHER];
    let (judge, mut state) = (judge(), chain.state());
    let mut judging = judge.open(&context(USER), &mut state).unwrap().unwrap();
    assert_eq!(judging.subscriptions(), Subscriptions::NONE, "flows are drawn from the trace at its end");
    let trace = Trace { frames: vec![frame(USER, VAULT, 0)], ..Trace::default() };
    judging.on_call(&trace, 0, &mut state).unwrap();
    assert_eq!(judging.subscriptions(), Subscriptions::ACCESSES);
}

/// A chain on which `count` attachments wait for one transaction that touches them all.
fn crowd(count: u8) -> (Chain, Tx) {
    let mut chain = Chain::default();
    let mut frames = Vec::new();
    for number in 0..count {
        let account = Address::repeat_byte(0x40 + number / 16);
        chain.attach(guard("frame", &format!("{ON_CALL})"))).accounts = vec![account];
        frames.push(frame(USER, account, 0));
    }
    (chain, tx(&frames))
}

#[test]
fn a_transaction_that_wakes_too_many_is_vetoed() {
    let limit = u8::try_from(WOKEN_MAX).unwrap();
    let (chain, tx) = crowd(limit);
    let judged = run(&chain, &tx);
    assert_eq!((judged.veto_code(), judged.judgement.verdicts.len()), (None, WOKEN_MAX));

    let (chain, tx) = crowd(limit + 1);
    let judged = run(&chain, &tx);
    let veto = judged.veto.unwrap();
    assert_eq!((veto.code, veto.attachment), (0xff05, B256::with_last_byte(limit + 1)));
}

#[test]
fn too_many_in_shadow_do_not_veto() {
    let limit = u8::try_from(WOKEN_MAX).unwrap();
    let (mut chain, tx) = crowd(limit + 1);
    chain.image.attachments.iter_mut().for_each(|attachment| attachment.mode = Some(Mode::Shadow));
    let judged = run(&chain, &tx);
    assert_eq!(judged.veto, None);
    assert_eq!(judged.outcomes().last(), Some(&(limit + 1, Outcome::WouldVeto, 0xff05)));
}

#[test]
fn the_registry_can_be_reached_past_any_crowd() {
    let (chain, mut tx) = crowd(u8::try_from(WOKEN_MAX).unwrap() + 1);
    tx.frames.insert(0, frame(USER, REGISTRY_ADDRESS, 0));
    assert_eq!(run(&chain, &tx).veto, None);
}

#[test]
fn a_trace_that_no_longer_holds_everything_is_vetoed() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL}) {ON_TX})"))).failure = Failure::Open;
    let judge = judge();
    let overflowing = |target: Address| {
        let mut state = chain.state();
        let mut judging = judge.open(&context(target), &mut state).unwrap().unwrap();
        let mut trace = Trace { frames: vec![frame(USER, target, 0)], ..Trace::default() };
        assert_eq!(judging.on_call(&trace, 0, &mut state).unwrap(), Decision::Proceed);
        trace.overflowed = true;
        let decision = judging.on_tx(&trace, &mut state).unwrap();
        (decision, judging.close().verdicts.len())
    };
    let (decision, said) = overflowing(VAULT);
    assert!(matches!(decision, Decision::Veto(veto) if veto.code == 0xff05));
    assert_eq!(said, 1);
    assert_eq!(overflowing(OTHER), (Decision::Proceed, 0), "nobody is blind where nobody looks");
}

#[test]
fn fuel_that_could_be_spent_together_is_limited() {
    let with_much_fuel = |count: u8| {
        let (mut chain, tx) = crowd(count);
        chain.image.attachments.iter_mut().for_each(|attachment| attachment.fuel_max = Fuel(100_000_000));
        run(&chain, &tx).veto.map(|veto| veto.attachment)
    };
    assert_eq!(FUEL_WOKEN_MAX, 1_000_000_000);
    assert_eq!(with_much_fuel(10), None);
    assert_eq!(with_much_fuel(11), Some(B256::with_last_byte(11)));
}

#[test]
fn an_attachment_of_no_account_guards_the_whole_chain() {
    let mut chain = Chain::default();
    chain.attach(vetoing(7)).accounts.clear();
    for account in [VAULT, USER, OTHER] {
        assert_eq!(run(&chain, &Tx::calling(account)).veto_code(), Some(7));
    }
    assert_eq!(run(&chain, &Tx::calling(REGISTRY_ADDRESS)).veto, None, "the registry stays within reach");
}

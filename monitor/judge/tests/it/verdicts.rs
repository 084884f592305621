//! Mode, priority and order; what a veto does and what it leaves.

use alloy_primitives::B256;
use parapet_abi::FrameStatus;
use parapet_monitor::{Decision, Fuel, Hook, Mode, Monitor as _, Outcome, Trace, Veto};
use parapet_registry::REGISTRY_ADDRESS;

use crate::{
    Chain, ON_CALL, ON_TX, OTHER, Tx, USER, VAULT, context, first_chunk, frame, guard, judge, run, say, vetoing,
};

const STORE: &str = "(call $store_set (i32.const 0) (i32.const 1) (i32.const 0))";

#[test]
fn an_enforcing_veto_names_guard_attachment_and_code() {
    let mut chain = Chain::default();
    let module = chain.attach(vetoing(7)).module;
    let judged = run(&chain, &Tx::calling(VAULT));
    let veto = judged.veto.as_ref().unwrap();
    assert_eq!(veto.guard, first_chunk(&chain, module));
    assert_eq!((veto.attachment, veto.code), (B256::with_last_byte(1), 7));
    assert_eq!(judged.outcomes(), [(1, Outcome::Veto, 7)]);
    let verdict = &judged.judgement.verdicts[0];
    assert_eq!((verdict.hook, verdict.frame, verdict.mode), (Some(Hook::OnCall), Some(0), Mode::Enforce));
    assert_eq!((verdict.guard.as_str(), verdict.module), ("probe", module));
}

#[test]
fn an_attachment_that_objects_to_nothing_allows_and_tells_its_cost() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL}) {ON_TX})")));
    let judged = run(&chain, &Tx::calling(VAULT));
    assert_eq!(judged.outcomes(), [(1, Outcome::Allow, 0)]);
    let verdict = &judged.judgement.verdicts[0];
    assert!(verdict.fuel > Fuel(5_000) && verdict.fuel < Fuel(6_000), "{:?}", verdict.fuel);
    // The frame's start, its end and the transaction: each was asked between two looks at the clock.
    assert_eq!(verdict.elapsed_ns, 30);
}

#[test]
fn a_shadow_veto_is_recorded_and_silences_its_attachment() {
    let mut chain = Chain::default();
    let body = format!("{ON_CALL} {}) {ON_TX} {})", say("veto", 7), say("alert", 8));
    chain.attach(guard("frame", &body)).mode = Some(Mode::Shadow);
    let judged = run(&chain, &Tx::calling(VAULT));
    assert_eq!(judged.veto, None);
    assert_eq!(judged.outcomes(), [(1, Outcome::WouldVeto, 7)]);
}

#[test]
fn a_shadow_veto_does_not_stop_an_enforcing_one() {
    let mut chain = Chain::default();
    chain.attach(vetoing(1)).mode = Some(Mode::Shadow);
    chain.attach(vetoing(2));
    let judged = run(&chain, &Tx::calling(VAULT));
    assert_eq!(judged.veto_code(), Some(2));
    assert_eq!(judged.outcomes(), [(1, Outcome::WouldVeto, 1), (2, Outcome::Veto, 2)]);
}

#[test]
fn attachments_judge_by_priority_and_then_by_id() {
    let mut chain = Chain::default();
    for (code, priority) in [(1, 9), (2, 3), (3, 3), (4, 5)] {
        chain.attach(vetoing(code)).priority = priority;
    }
    let all_shadow = {
        let mut chain = chain.clone();
        chain.image.attachments.iter_mut().for_each(|attachment| attachment.mode = Some(Mode::Shadow));
        run(&chain, &Tx::calling(VAULT))
    };
    let order: Vec<u8> = all_shadow.outcomes().iter().map(|outcome| outcome.0).collect();
    assert_eq!(order, [2, 3, 4, 1]);
    let judged = run(&chain, &Tx::calling(VAULT));
    assert_eq!(judged.veto_code(), Some(2));
    assert_eq!(judged.outcomes(), [(2, Outcome::Veto, 2)], "nobody speaks after the first veto");
}

#[test]
fn a_veto_is_final_whoever_asks_again() {
    let mut chain = Chain::default();
    chain.attach(vetoing(7));
    let (judge, mut state) = (judge(), chain.state());
    let mut judging = judge.open(&context(VAULT), &mut state).unwrap().unwrap();
    let mut trace = Trace { context: context(VAULT), frames: vec![frame(USER, VAULT, 0)], ..Trace::default() };
    let Decision::Veto(first) = judging.on_call(&trace, 0, &mut state).unwrap() else { panic!("no veto") };
    trace.frames.push(frame(USER, OTHER, 0));
    for _ in 0..2 {
        assert_eq!(judging.on_call(&trace, 1, &mut state).unwrap(), Decision::Veto(first.clone()));
        assert_eq!(judging.on_tx(&trace, &mut state).unwrap(), Decision::Veto(first.clone()));
    }
    assert_eq!(judging.close().verdicts.len(), 1);
}

#[test]
fn alerts_are_verdicts_of_their_own_and_stay_beside_a_veto() {
    let mut chain = Chain::default();
    let body = format!("{ON_CALL} {} {}) {ON_TX} {})", say("alert", 1), say("alert", 2), say("veto", 3));
    chain.attach(guard("frame", &body));
    let judged = run(&chain, &Tx::calling(VAULT));
    assert_eq!(judged.outcomes(), [(1, Outcome::Alert, 1), (1, Outcome::Alert, 2), (1, Outcome::Veto, 3)]);
    let fuel = judged.judgement.verdicts[0].fuel;
    assert!(fuel > Fuel(7_000) && judged.judgement.verdicts.iter().all(|verdict| verdict.fuel == fuel));
}

#[test]
fn a_transaction_that_fails_by_itself_is_not_vetoed_afterwards() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_TX} {})", say("veto", 7))));
    for status in [FrameStatus::Reverted, FrameStatus::Halted] {
        let judged = run(&chain, &Tx { status, ..Tx::calling(VAULT) });
        assert_eq!(judged.veto, None);
        assert_eq!(judged.outcomes(), [(1, Outcome::WouldVeto, 7)]);
    }
    assert_eq!(run(&chain, &Tx::calling(VAULT)).veto_code(), Some(7));
}

#[test]
fn guards_cannot_veto_transactions_to_the_registry() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL} {})", say("veto", 7)))).accounts = vec![REGISTRY_ADDRESS];
    chain.attach(guard("frame", &format!("{ON_TX} unreachable)")));
    let mut tx = Tx::calling(REGISTRY_ADDRESS);
    tx.frames.push(frame(REGISTRY_ADDRESS, VAULT, 0));
    let judged = run(&chain, &tx);
    assert_eq!(judged.veto, None);
    assert_eq!(judged.outcomes(), [(1, Outcome::WouldVeto, 7), (2, Outcome::WouldVeto, 0xff01)]);

    // Only the transaction's own target counts, not the registry somewhere below.
    let mut nested = Tx::calling(OTHER);
    nested.frames.push(frame(OTHER, REGISTRY_ADDRESS, 0));
    assert_eq!(run(&chain, &nested).veto_code(), Some(7));
}

#[test]
fn what_guards_wrote_is_returned_by_slot_unless_somebody_vetoed() {
    let mut chain = Chain::default();
    for _ in 0..3 {
        chain.attach(guard("frame", &format!("{ON_CALL} {STORE})")));
    }
    chain.attach(guard("frame", &format!("{ON_CALL} {STORE}) {ON_TX} {})", say("veto", 7)))).mode = Some(Mode::Shadow);
    let judged = run(&chain, &Tx::calling(VAULT));
    let updates = &judged.judgement.updates;
    assert_eq!(updates.len(), 3, "whoever would have vetoed writes nothing");
    assert!(updates.is_sorted_by(|a, b| a.slot < b.slot));

    chain.image.attachments[3].mode = Some(Mode::Enforce);
    let judged = run(&chain, &Tx::calling(VAULT));
    assert_eq!((judged.veto_code(), judged.judgement.updates.len()), (Some(7), 0));
}

#[test]
fn the_same_transaction_is_judged_the_same_on_another_judge() {
    let mut chain = Chain::default();
    for code in 1..5 {
        chain.attach(guard("frame", &format!("{ON_CALL} {} {STORE})", say("alert", code))));
    }
    let (first, second) = (run(&chain, &Tx::calling(VAULT)), run(&chain, &Tx::calling(VAULT)));
    assert_eq!(first.judgement, second.judgement);
}

#[test]
fn judges_on_many_threads_agree() {
    let mut chain = Chain::default();
    for code in 1..5 {
        chain.attach(guard("frame", &format!("{ON_CALL} {} {STORE})", say("alert", code))));
    }
    let expected = run(&chain, &Tx::calling(VAULT)).outcomes();
    let judge = judge();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let judged = crate::execute(&judge, &mut chain.state(), &Tx::calling(VAULT));
                    assert_eq!(judged.outcomes(), expected);
                }
            });
        }
    });
}

#[test]
fn a_veto_can_be_read_back_from_its_output() {
    let mut chain = Chain::default();
    chain.attach(vetoing(7));
    let veto = run(&chain, &Tx::calling(VAULT)).veto.unwrap();
    assert_eq!(Veto::from_output(&veto.output()), Some(veto));
}

//! What a transaction does to the registry is admitted only if it can run.

use alloy_primitives::{B256, Bytes, U256};
use parapet_judge::ADMITTED_MAX;
use parapet_monitor::{Allowance, Bound, Decision, Examination, Fuel, MemoryState, Monitor as _, Veto};
use parapet_registry::{ATTACHMENTS_MAX, REGISTRY_ADDRESS, SelectedTriggers};

use crate::{Chain, ON_CALL, VAULT, context, guard, judge, vetoing};

fn admit(before: &Chain, after: &Chain) -> Option<Veto> {
    match admit_within(before, after, Allowance::UNBOUNDED).decision {
        Decision::Proceed => None,
        Decision::Veto(veto) => Some(veto),
    }
}

fn admit_within(before: &Chain, after: &Chain, allowance: Allowance) -> Examination {
    let mut state = MemoryState { pre_tx: before.accounts(), now: after.accounts(), ..MemoryState::default() };
    judge().admit(&context(REGISTRY_ADDRESS), allowance, &mut state).unwrap()
}

fn words(veto: &Veto) -> &str {
    std::str::from_utf8(&veto.detail).unwrap()
}

/// Refuses every configuration but "good".
fn choosy() -> Bytes {
    let refuse = "(call $veto (i32.const 42) (i32.const 100) (i32.const 8))";
    let body = format!(
        r#"(data (i32.const 100) "not good")
        (func (export "init")
            (drop (call $config_read (i32.const 0) (i32.const 0) (i32.const 4)))
            (if (i32.ne (i32.load (i32.const 0)) (i32.const 0x646f6f67)) (then {refuse})))
        {ON_CALL})"#
    );
    guard("frame", &body)
}

#[test]
fn a_module_that_cannot_run_is_refused_at_registration() {
    let before = Chain::default();
    let mut after = before.clone();
    let module = after.image.register(Bytes::from_static(b"not wasm"));
    let veto = admit(&before, &after).unwrap();
    assert_eq!((veto.guard, veto.attachment, veto.code), (REGISTRY_ADDRESS, B256::ZERO, 0xff04));
    assert!(words(&veto).contains(&module.to_string()) && words(&veto).contains("no Wasm module"), "{}", words(&veto));
}

#[test]
fn a_module_that_can_run_is_admitted() {
    let mut after = Chain::default();
    after.image.register(vetoing(1));
    after.image.register(vetoing(2));
    assert_eq!(admit(&Chain::default(), &after), None);
}

#[test]
fn modules_of_the_past_are_not_asked_again() {
    let mut before = Chain::default();
    before.image.register(Bytes::from_static(b"not wasm"));
    let mut after = before.clone();
    after.image.register(vetoing(1));
    assert_eq!(admit(&before, &after), None);
}

#[test]
fn init_judges_the_configuration_of_a_new_attachment() {
    let before = Chain::default();
    let mut after = before.clone();
    after.attach(choosy()).configuration = Bytes::from_static(b"evil");
    let veto = admit(&before, &after).unwrap();
    assert_eq!((veto.guard, veto.attachment, veto.code), (REGISTRY_ADDRESS, B256::with_last_byte(1), 42));
    assert_eq!(words(&veto), "guard probe refuses its configuration: not good");
    after.image.attachments[0].configuration = Bytes::from_static(b"good");
    assert_eq!(admit(&before, &after), None);
}

#[test]
fn init_judges_a_changed_configuration_and_nothing_else() {
    let mut before = Chain::default();
    before.attach(choosy()).configuration = Bytes::from_static(b"evil");
    let mut after = before.clone();
    after.image.attachments[0].paused = true;
    after.image.attachments[0].priority = 9;
    assert_eq!(admit(&before, &after), None, "a pause must always get through");
    after.image.attachments.clear();
    assert_eq!(admit(&before, &after), None, "and so must a detachment");

    let mut changed = before.clone();
    changed.image.attachments[0].configuration = Bytes::from_static(b"worse");
    assert_eq!(admit(&before, &changed).unwrap().code, 42);
}

#[test]
fn an_upgrade_is_admitted_like_an_attachment_and_keeps_the_name() {
    let mut before = Chain::default();
    before.attach(vetoing(1));
    before.image.register(Bytes::from_static(b"not wasm"));
    let mut after = before.clone();
    let choosy = after.image.register(choosy());
    let upgraded = &mut after.image.attachments[0];
    (upgraded.module, upgraded.revision) = (choosy, 1);
    upgraded.configuration = Bytes::from_static(b"good");
    assert_eq!(admit(&before, &after), None);
    after.image.attachments[0].configuration = Bytes::from_static(b"evil");
    let veto = admit(&before, &after).unwrap();
    assert_eq!((veto.guard, veto.attachment, veto.code), (REGISTRY_ADDRESS, B256::with_last_byte(1), 42));

    let mut after = before.clone();
    after.image.attachments[0].module = alloy_primitives::keccak256("not wasm");
    assert_eq!(admit(&before, &after).unwrap().code, 0xff04, "what cannot run replaces nothing");
}

#[test]
fn triggers_that_the_guard_does_not_have_cannot_be_selected() {
    let mut before = Chain::default();
    before.attach(vetoing(1));
    let mut after = before.clone();
    after.image.attachments[0].triggers = SelectedTriggers(0b1);
    assert_eq!(admit(&before, &after), None);
    after.image.attachments[0].triggers = SelectedTriggers(0b10);
    let veto = admit(&before, &after).unwrap();
    assert_eq!((veto.attachment, veto.code), (B256::with_last_byte(1), 0xff04));
    assert!(words(&veto).contains("has 1 triggers, and others were selected"), "{}", words(&veto));
}

#[test]
fn an_attachment_to_a_module_that_is_not_there_is_refused() {
    let mut after = Chain::default();
    after.attach(vetoing(1)).module = B256::repeat_byte(9);
    let veto = admit(&Chain::default(), &after).unwrap();
    assert_eq!((veto.attachment, veto.code), (B256::with_last_byte(1), 0xff04));
    assert!(words(&veto).contains("is not registered"), "{}", words(&veto));
}

#[test]
fn a_guard_that_breaks_in_init_is_refused() {
    for (code, how) in [
        ("unreachable", "unreachable"),
        ("(loop $l (br $l))", "fuel"),
        ("(call $veto (i32.const 65535) (i32.const 0) (i32.const 0))", "code 65535"),
    ] {
        let mut after = Chain::default();
        after.attach(guard("frame", &format!(r#"(func (export "init") {code}) {ON_CALL})"#)));
        let veto = admit(&Chain::default(), &after).unwrap();
        assert_eq!(veto.code, 0xff04);
        assert!(words(&veto).contains(how), "{}", words(&veto));
    }
}

#[test]
fn nothing_is_read_while_the_head_stands() {
    let mut chain = Chain::default();
    chain.attach(vetoing(1));
    let mut state = chain.state();
    assert_eq!(
        judge().admit(&context(REGISTRY_ADDRESS), Allowance::UNBOUNDED, &mut state).unwrap(),
        Decision::Proceed.into()
    );
    assert_eq!(state.reads, 2);
}

#[test]
fn a_transaction_brings_in_so_much_and_no_more() {
    let before = Chain::default();
    let mut after = before.clone();
    for number in 0..ADMITTED_MAX {
        after.image.register(guard("frame", &format!("{ON_CALL} (drop (i32.const {number})))")));
    }
    assert_eq!(admit(&before, &after), None);
    after.image.register(vetoing(1));
    assert!(words(&admit(&before, &after).unwrap()).contains("at most 64 modules"));

    let mut after = before.clone();
    for _ in 0..=ADMITTED_MAX {
        after.attach(vetoing(1));
    }
    assert!(words(&admit(&before, &after).unwrap()).contains("at most 64 attachments"));

    let mut after = before.clone();
    for _ in 0..11 {
        after.attach(vetoing(1)).fuel_max = Fuel(100_000_000);
    }
    assert!(words(&admit(&before, &after).unwrap()).contains("at most 1000000000 fuel"));
}

#[test]
fn a_chain_that_is_full_takes_no_more_attachments() {
    let mut chain = Chain::default();
    chain.attach(vetoing(1));
    let mut state = MemoryState { pre_tx: chain.accounts(), now: chain.accounts(), ..MemoryState::default() };
    let registry = state.now.get_mut(&REGISTRY_ADDRESS).unwrap();
    registry.storage.insert(U256::ZERO, U256::from(1));
    registry.storage.insert(U256::from(2), U256::from(ATTACHMENTS_MAX + 1));
    let examined = judge().admit(&context(VAULT), Allowance::UNBOUNDED, &mut state).unwrap();
    let Decision::Veto(veto) = examined.decision else { panic!("admitted") };
    assert!(words(&veto).contains("at most 4096 attachments"), "{}", words(&veto));
}

#[test]
fn init_is_paid_by_whoever_attaches() {
    let mut after = Chain::default();
    after.attach(guard("frame", &format!("(func (export \"init\")) {ON_CALL})")));
    after.attach(guard("frame", &format!("(func (export \"init\") (local i32)) {ON_CALL})")));
    let asked = admit_within(&Chain::default(), &after, Allowance::UNBOUNDED);
    assert_eq!(asked.decision, Decision::Proceed);
    assert!(asked.fuel > Fuel(10_000), "two instances were made: {asked:?}");

    // A guard that has come to its last fuel is stopped, so one more is needed.
    let enough = Allowance { fuel: Fuel(asked.fuel.0 + 1), bound: Bound::Gas };
    assert_eq!(admit_within(&Chain::default(), &after, enough), asked);
    let too_little = Allowance { fuel: asked.fuel, bound: Bound::Gas };
    let refused = admit_within(&Chain::default(), &after, too_little);
    let Decision::Veto(veto) = refused.decision else { panic!("it cannot pay") };
    assert_eq!((veto.guard, veto.code), (REGISTRY_ADDRESS, 0xff06));
    assert_eq!(refused.fuel, too_little.fuel, "what was spent is owed");
}

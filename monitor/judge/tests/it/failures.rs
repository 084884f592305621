//! A guard that cannot finish has the outcome that its attachment declared; a fault of the node has none.

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_judge::Judge;
use parapet_monitor::{Fault, Fork, Fuel, Mode, Monitor as _, Outcome, StateFault, StateView, Trace};
use parapet_registry::{Failure, REGISTRY_ADDRESS};
use parapet_vm::{Engine, EngineSettings};

use crate::{Chain, ON_CALL, Tx, USER, VAULT, clock, context, first_chunk, frame, guard, judge, run};

/// Guards that break, and the engine code of each.
fn broken() -> [(Bytes, u16); 4] {
    let body = |code: &str| guard("frame", &format!("{ON_CALL} {code})"));
    [
        (body("unreachable"), 0xff01),
        (body("(loop $l (br $l))"), 0xff02),
        // It takes all the memory there is for it, and writes beyond.
        (
            body(
                "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
                (i32.store (i32.shl (memory.size) (i32.const 16)) (i32.const 1))",
            ),
            0xff01,
        ),
        (body("(call $alert (i32.const 65280) (i32.const 0) (i32.const 0))"), 0xff03),
    ]
}

fn outcome(module: &Bytes, mode: Mode, failure: Failure) -> (Option<u16>, Vec<(u8, Outcome, u16)>) {
    let mut chain = Chain::default();
    let attachment = chain.attach(module.clone());
    // Enough for all the memory there is.
    (attachment.mode, attachment.failure, attachment.fuel_max) = (Some(mode), failure, Fuel(10_000_000));
    let judged = run(&chain, &Tx::calling(VAULT));
    assert!(!judged.judgement.verdicts[0].detail.is_empty(), "the reason is told in words");
    (judged.veto_code(), judged.outcomes())
}

#[test]
fn a_broken_guard_has_the_outcome_that_its_attachment_declared() {
    for (module, code) in broken() {
        let is = |mode, failure, veto, said| assert_eq!(outcome(&module, mode, failure), (veto, vec![(1, said, code)]));
        is(Mode::Enforce, Failure::Closed, Some(code), Outcome::Veto);
        is(Mode::Enforce, Failure::Open, None, Outcome::Alert);
        is(Mode::Shadow, Failure::Closed, None, Outcome::WouldVeto);
        is(Mode::Shadow, Failure::Open, None, Outcome::Alert);
    }
}

#[test]
fn a_module_that_cannot_run_is_treated_like_a_guard_that_breaks() {
    let refused = Bytes::from_static(b"\0asm\x01\0\0\0");
    for (mode, failure, veto, said) in [
        (Mode::Enforce, Failure::Closed, Some(0xff04), Outcome::Veto),
        (Mode::Enforce, Failure::Open, None, Outcome::Alert),
        (Mode::Shadow, Failure::Closed, None, Outcome::WouldVeto),
    ] {
        assert_eq!(outcome(&refused, mode, failure), (veto, vec![(1, said, 0xff04)]));
    }
}

#[test]
fn a_module_whose_bytes_are_missing_cannot_run() {
    let mut chain = Chain::default();
    let module = chain.attach(crate::vetoing(7)).module;
    let mut state = chain.state();
    state.pre_tx.remove(&first_chunk(&chain, module));
    let judged = crate::execute(&judge(), &mut state, &Tx::calling(VAULT));
    assert_eq!(judged.veto_code(), Some(0xff04));
    assert_eq!(judged.veto.unwrap().guard, REGISTRY_ADDRESS);
}

#[test]
fn a_guard_that_is_open_to_failure_still_vetoes_when_it_means_it() {
    let mut chain = Chain::default();
    chain.attach(crate::vetoing(7)).failure = Failure::Open;
    assert_eq!(run(&chain, &Tx::calling(VAULT)).veto_code(), Some(7));
}

#[test]
fn the_fuel_of_an_attachment_is_its_own() {
    let mut chain = Chain::default();
    let (endless, _) = &broken()[1];
    chain.attach(endless.clone()).failure = Failure::Open;
    chain.attach(guard("frame", &format!("{ON_CALL})")));
    let judged = run(&chain, &Tx::calling(VAULT));
    assert_eq!(judged.outcomes(), [(1, Outcome::Alert, 0xff02), (2, Outcome::Allow, 0)]);
    assert_eq!(judged.judgement.verdicts[0].fuel, chain.image.attachments[0].fuel_max);
}

#[test]
fn an_exhausted_engine_is_a_fault_and_no_verdict() {
    let mut chain = Chain::default();
    for _ in 0..3 {
        chain.attach(guard("frame", &format!("{ON_CALL})"))).failure = Failure::Open;
    }
    let judge = Judge::with_clock(
        Engine::new(EngineSettings { instances_max: 2, ..EngineSettings::default() }).unwrap(),
        clock,
    );
    let mut state = chain.state();
    let mut judging = judge.open(&context(VAULT), &mut state).unwrap().unwrap();
    let trace = Trace { frames: vec![frame(USER, VAULT, 0)], ..Trace::default() };
    let fault = judging.on_call(&trace, 0, &mut state).unwrap_err();
    assert!(matches!(fault, Fault::Engine { attachment, .. } if attachment == B256::with_last_byte(3)), "{fault}");
}

/// State of which one slot of the registry cannot be read.
struct Hole(parapet_monitor::MemoryState, U256);

impl StateView for Hole {
    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        if slot == self.1 { Err(StateFault("hole".into())) } else { self.0.storage(fork, address, slot) }
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        self.0.balance(fork, address)
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        self.0.code_hash(fork, address)
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        self.0.code(fork, address)
    }
}

#[test]
fn state_that_cannot_be_read_is_a_fault_and_not_remembered() {
    let mut chain = Chain::default();
    chain.attach(crate::vetoing(7));
    let judge = judge();
    for slot in [0, 2, 6].map(U256::from) {
        let mut view = Hole(chain.state(), slot);
        let opened = judge.open(&context(VAULT), &mut view);
        // Slot 6 is the mapping's own, which is never read.
        assert_eq!(matches!(opened.err(), Some(Fault::State(_))), slot != U256::from(6), "slot {slot}");
    }
    let mut fresh = chain.state();
    assert_eq!(crate::execute(&judge, &mut fresh, &Tx::calling(VAULT)).veto_code(), Some(7));
}

#[test]
fn a_damaged_registry_is_a_fault() {
    let mut chain = Chain::default();
    chain.attach(crate::vetoing(7));
    let mut state = chain.state();
    state.pre_tx.get_mut(&REGISTRY_ADDRESS).unwrap().storage.insert(U256::from(2), U256::MAX);
    assert!(matches!(judge().open(&context(VAULT), &mut state).err(), Some(Fault::Engine { .. })));
}

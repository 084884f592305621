//! What guards may spend, who is asked for how long, and what follows when they are not given enough.

use alloy_primitives::Bytes;
use parapet_abi::{FrameStatus, import::CODE_OUT_OF_GAS};
use parapet_judge::Judge;
use parapet_monitor::{
    Allowance, Bound, Decision, Fuel, FuelSpent, Judgement, Mode, Monitor as _, Outcome, Trace, Veto,
};
use parapet_registry::{Failure, REGISTRY_ADDRESS};

use crate::{Chain, ON_CALL, ON_TX, USER, VAULT, context, frame, guard, judge, say, vetoing};

const LOOP: &str = "(loop $l (br $l))";

/// What came of a transaction that calls the vault, and what its guards spent.
struct Judged {
    veto: Option<Veto>,
    judgement: Judgement,
    spent: FuelSpent,
}

impl Judged {
    fn said(&self) -> Vec<(u8, Outcome, u16)> {
        let verdicts = self.judgement.verdicts.iter();
        verdicts.map(|verdict| (verdict.attachment.0[31], verdict.outcome, verdict.code)).collect()
    }

    fn fuel_of(&self, attachment: u8) -> u64 {
        let verdicts = self.judgement.verdicts.iter();
        verdicts.filter(|verdict| verdict.attachment.0[31] == attachment).map(|verdict| verdict.fuel.0).max().unwrap()
    }
}

fn gas(fuel: u64) -> Allowance {
    Allowance { fuel: Fuel(fuel), bound: Bound::Gas }
}

/// One call of the vault that ends as told; what guards may have spent when it starts, and when all has ended.
fn run(chain: &Chain, status: FrameStatus, first: Allowance, last: Allowance) -> Judged {
    run_on(&judge(), chain, Trace { context: context(VAULT), ..Trace::default() }, status, [first, last])
}

fn run_on(
    judge: &Judge,
    chain: &Chain,
    mut trace: Trace,
    status: FrameStatus,
    [first, last]: [Allowance; 2],
) -> Judged {
    let mut state = chain.state();
    let mut judging = judge.open(&trace.context, &mut state).unwrap().unwrap();
    trace.frames.push(frame(USER, VAULT, 0));
    judging.allow(first);
    let mut decision = judging.on_call(&trace, 0, &mut state).unwrap();
    if decision == Decision::Proceed {
        (trace.frames[0].end_seq, trace.frames[0].status) = (1, status.into());
        trace.context.status = status.into();
        judging.allow(last);
        decision = judging.on_tx(&trace, &mut state).unwrap();
    }
    let veto = match decision {
        Decision::Proceed => None,
        Decision::Veto(veto) => Some(veto),
    };
    let spent = judging.spent();
    Judged { veto, judgement: judging.close(), spent }
}

fn plenty(chain: &Chain) -> Judged {
    run(chain, FrameStatus::Succeeded, Allowance::UNBOUNDED, Allowance::UNBOUNDED)
}

fn short(chain: &Chain, fuel: u64) -> Judged {
    run(chain, FrameStatus::Succeeded, gas(fuel), gas(fuel))
}

/// Why an attachment has no verdict of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cause {
    Trap,
    Fuel,
    Limit,
    Unusable,
    Overload,
    Gas,
    BlockFuel,
}

impl Cause {
    const ALL: [Self; 7] =
        [Self::Trap, Self::Fuel, Self::Limit, Self::Unusable, Self::Overload, Self::Gas, Self::BlockFuel];

    fn code(self) -> u16 {
        match self {
            Self::Trap => 0xff01,
            Self::Fuel => 0xff02,
            Self::Limit => 0xff03,
            Self::Unusable => 0xff04,
            Self::Overload | Self::BlockFuel => 0xff05,
            Self::Gas => CODE_OUT_OF_GAS,
        }
    }

    fn module(self) -> Bytes {
        let body = match self {
            Self::Trap => "unreachable".to_owned(),
            Self::Fuel | Self::Gas | Self::BlockFuel => LOOP.to_owned(),
            Self::Limit => say("alert", 0xff00),
            Self::Unusable => return Bytes::from_static(b"\0asm\x01\0\0\0"),
            Self::Overload => String::new(),
        };
        guard("frame", &format!("{ON_CALL} {body})"))
    }

    fn run(self, chain: &Chain, status: FrameStatus) -> Judged {
        let allowance = match self {
            Self::Gas => gas(20_000),
            Self::BlockFuel => Allowance { fuel: Fuel(20_000), bound: Bound::Chain },
            Self::Trap | Self::Fuel | Self::Limit | Self::Unusable | Self::Overload => Allowance::UNBOUNDED,
        };
        let overflowed = self == Self::Overload;
        let trace = Trace { context: context(VAULT), overflowed, ..Trace::default() };
        run_on(&judge(), chain, trace, status, [allowance, allowance])
    }

    /// Whether it is the guard's doing, which its attachment may have declared not to matter.
    fn is_the_guards(self) -> bool {
        match self {
            Self::Trap | Self::Fuel | Self::Limit | Self::Unusable => true,
            Self::Overload | Self::Gas | Self::BlockFuel => false,
        }
    }
}

#[test]
fn every_way_to_fail_has_the_outcome_that_mode_and_policy_say() {
    for cause in Cause::ALL {
        for failure in [Failure::Closed, Failure::Open] {
            for mode in [Mode::Shadow, Mode::Enforce] {
                let mut chain = Chain::default();
                let attachment = chain.attach(cause.module());
                (attachment.mode, attachment.failure) = (Some(mode), failure);
                let expected = match (cause.is_the_guards(), failure, mode) {
                    (true, Failure::Open, _) => Outcome::Alert,
                    (_, _, Mode::Shadow) => Outcome::WouldVeto,
                    (_, _, Mode::Enforce) => Outcome::Veto,
                };
                let judged = cause.run(&chain, FrameStatus::Succeeded);
                let case = format!("{cause:?}, {failure:?}, {mode:?}");
                assert_eq!(judged.said(), [(1, expected, cause.code())], "{case}");
                let veto = (expected == Outcome::Veto).then(|| cause.code());
                assert_eq!(judged.veto.as_ref().map(|veto| veto.code), veto, "{case}");
                assert!(!judged.judgement.verdicts[0].detail.is_empty(), "{case}: it is told in words");
            }
        }
    }
}

#[test]
fn a_guard_that_gives_way_to_its_own_failure_does_not_give_way_to_little_gas() {
    let mut chain = Chain::default();
    // It would veto, had it the fuel to come to that.
    let work = "(local $i i32) (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))";
    chain.attach(guard("frame", &format!("{ON_CALL} {work} {})", say("veto", 7)))).failure = Failure::Open;
    assert_eq!(plenty(&chain).veto.unwrap().code, 7);
    for fuel in [0, 1, 4_999, 5_000, 5_001, 20_000, 50_000] {
        let judged = short(&chain, fuel);
        assert_eq!(judged.said(), [(1, Outcome::Veto, CODE_OUT_OF_GAS)], "{fuel} fuel");
        assert!(judged.spent.total().0 <= fuel, "{fuel} fuel");
    }
}

#[test]
fn a_guard_that_uses_up_its_own_fuel_first_has_failed_by_itself() {
    let mut chain = Chain::default();
    let attachment = chain.attach(guard("frame", &format!("{ON_CALL} {LOOP})")));
    (attachment.fuel_max, attachment.failure) = (Fuel(30_000), Failure::Open);
    assert_eq!(short(&chain, 30_000).said(), [(1, Outcome::Alert, 0xff02)]);
    assert_eq!(short(&chain, 29_999).said(), [(1, Outcome::Veto, CODE_OUT_OF_GAS)]);
}

#[test]
fn a_transaction_that_failed_by_itself_and_cannot_pay_is_no_sign_of_an_attack() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_TX} {LOOP})")));
    let judged = run(&chain, FrameStatus::Halted, gas(100_000), gas(0));
    assert_eq!(judged.said(), [(1, Outcome::Alert, CODE_OUT_OF_GAS)]);
    assert_eq!(judged.veto, None);
}

#[test]
fn what_guards_have_spent_together_counts_against_each_of_them() {
    let mut chain = Chain::default();
    for _ in 0..3 {
        chain.attach(guard("frame", &format!("{ON_CALL}) {ON_TX})")));
    }
    let all = plenty(&chain);
    let each = all.fuel_of(1);
    assert_eq!(all.spent, FuelSpent { binding: Fuel(3 * each), observing: Fuel(0) });
    // A guard that has come to its last fuel is stopped, so one more is needed.
    assert_eq!(short(&chain, 3 * each + 1).veto, None);
    let judged = short(&chain, 3 * each);
    assert_eq!(judged.veto.unwrap().code, CODE_OUT_OF_GAS);
}

#[test]
fn gas_that_frames_have_spent_meanwhile_is_missed_at_the_next_hook() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL}) {ON_TX})")));
    let judged = run(&chain, FrameStatus::Succeeded, gas(50_000), gas(5_000));
    assert_eq!(judged.said(), [(1, Outcome::Veto, CODE_OUT_OF_GAS)], "it has spent what is not there any more");
    assert!(judged.spent.binding > Fuel(5_000), "what was spent is owed all the same");
}

#[test]
fn who_is_not_asked_is_not_paid() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL})"))).priority = 1;
    chain.attach(vetoing(7)).priority = 2;
    chain.attach(guard("frame", &format!("{ON_CALL} {LOOP})"))).priority = 3;
    let judged = plenty(&chain);
    assert_eq!(judged.said(), [(1, Outcome::Allow, 0), (2, Outcome::Veto, 7)]);
    let expected = judged.fuel_of(1) + judged.fuel_of(2);
    assert_eq!(judged.spent, FuelSpent { binding: Fuel(expected), observing: Fuel(0) });
    assert!(expected < 15_000, "the endless one after the veto was not run");
}

#[test]
fn shadows_observe_and_take_nothing_from_those_that_act() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL} {LOOP})"))).mode = Some(Mode::Shadow);
    chain.attach(guard("frame", &format!("{ON_CALL})")));
    let judged = short(&chain, 8_000);
    assert_eq!(judged.said(), [(1, Outcome::WouldVeto, CODE_OUT_OF_GAS), (2, Outcome::Allow, 0)]);
    assert_eq!(judged.spent.observing, Fuel(8_000));
    assert_eq!(judged.spent.binding, Fuel(judged.fuel_of(2)));
}

#[test]
fn nobody_must_pay_to_reach_the_registry() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL} {LOOP})"))).accounts = vec![REGISTRY_ADDRESS, VAULT];
    let trace = Trace { context: context(REGISTRY_ADDRESS), ..Trace::default() };
    let judged = run_on(&judge(), &chain, trace, FrameStatus::Succeeded, [gas(9_000), gas(9_000)]);
    assert_eq!(judged.veto, None);
    assert_eq!(judged.said(), [(1, Outcome::WouldVeto, CODE_OUT_OF_GAS)]);
    assert_eq!(judged.spent, FuelSpent { binding: Fuel(0), observing: Fuel(9_000) });
}

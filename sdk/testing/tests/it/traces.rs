//! Drawn transactions are coherent.

use std::collections::BTreeMap;

use parapet_guest::prelude::*;
use parapet_testing::{Scene, proptest::prelude::*, traces::Cast};

const VAULT: Address = Address([0xaa; 20]);
const STRANGER: Address = Address([0xe1; 20]);

/// Finds whatever does not fit together, and says how much it looked at.
#[guard(name = "auditor", triggers(frame), subscribes(flows))]
pub(crate) struct Auditor;

#[guard]
impl Guard for Auditor {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        if !frame.value().is_zero() && (frame.is_static() || tx.balance(Fork::Now, frame.caller()) < frame.value()) {
            veto!(1, "frame {} moves what it may not", frame.id());
        }
    }

    fn on_tx(&self, tx: &Tx) {
        let mut last = 0;
        for frame in tx.frames() {
            let parent = tx.parent(&frame);
            let inside = parent.as_ref().is_none_or(|outer| {
                outer.start_seq() < frame.start_seq()
                    && frame.end_seq() < outer.end_seq()
                    && outer.depth() + 1 == frame.depth()
            });
            if !inside || frame.start_seq() <= last || frame.end_seq() <= frame.start_seq() {
                veto!(2, "frame {} lies wrongly", frame.id());
            }
            last = frame.start_seq();
            let is_static = parent.is_some_and(|outer| outer.is_static());
            if is_static && !frame.is_static() {
                veto!(3, "frame {} escapes", frame.id());
            }
        }
        let mut net: BTreeMap<(Address, Address), (U256, U256)> = BTreeMap::new();
        for flow in tx.flows() {
            let key = |account| (flow.token(), account);
            net.entry(key(flow.from())).or_default().0 += flow.amount();
            net.entry(key(flow.to())).or_default().1 += flow.amount();
        }
        for ((token, account), (out, back)) in net {
            let (before, after) =
                (moved::balance(tx, Fork::PreTx, token, account), moved::balance(tx, Fork::Now, token, account));
            if before + back != after + out {
                veto!(4, "{account} of {token}: {before} + {back} is not {after} + {out}");
            }
        }
        let logged = logs!(tx, "Transfer(address indexed,address indexed,uint256)");
        let logged: Vec<_> = logged.map(|log| (log.log.seq(), log.log.address(), log.values)).collect();
        let flowed = tx.flows().filter(|flow| flow.asset() == Some(Asset::Erc20));
        let flowed: Vec<_> =
            flowed.map(|flow| (flow.seq(), flow.token(), (flow.from(), flow.to(), flow.amount()))).collect();
        if logged != flowed {
            veto!(5, "{} transfers are logged, {} flow", logged.len(), flowed.len());
        }
        alert!(9, "{}", flowed.len());
    }
}

proptest! {
    #[test]
    fn drawn_transactions_are_coherent(drawn in Cast::around(&[VAULT]).transactions()) {
        let mut scene = Scene::new(&Auditor, &[VAULT]);
        drawn.play(&mut scene);
        let outcome = scene.finish();
        prop_assert_eq!(outcome.veto, None);
        prop_assert_eq!(outcome.alerts.len(), 1);
    }

    #[test]
    fn calls_are_drawn_from_the_functions_that_are_named(
        drawn in Cast::around(&[VAULT]).with(&[STRANGER]).trading(&[]).calling(&[[1, 2, 3, 4]]).transactions(),
    ) {
        let mut scene = Scene::new(&Auditor, &[VAULT]);
        drawn.play(&mut scene);
        let selectors = scene.world.frames.iter().map(|frame| frame.selector);
        prop_assert!(selectors.clone().all(|selector| selector == [1, 2, 3, 4] || selector == [0; 4]), "{selectors:?}");
    }
}

#[test]
fn what_is_drawn_is_of_many_kinds() {
    use parapet_testing::proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..200 {
        let drawn = Cast::around(&[VAULT]).transactions().new_tree(&mut runner).unwrap().current();
        let mut scene = Scene::new(&Auditor, &[VAULT]);
        let books = drawn.play(&mut scene);
        let frames = &scene.world.frames;
        for (what, is) in [
            ("deep", frames.iter().any(|frame| frame.depth >= 3)),
            (
                "reverted inside",
                frames.iter().any(|frame| frame.depth > 0 && frame.status == u8::from(FrameStatus::Reverted)),
            ),
            ("static", frames.iter().any(|frame| frame.is_static == 1)),
            ("fails", !drawn.succeeds()),
            ("vault loses", drawn.succeeds() && books.lost(VAULT).next().is_some()),
            ("vault gains", books.has(Address::ZERO, VAULT) > books.had(Address::ZERO, VAULT)),
            ("re-entered", frames.iter().any(|frame| frame.depth > 1 && frame.target == VAULT.into())),
        ] {
            *seen.entry(what).or_default() += usize::from(is);
        }
        scene.finish();
    }
    assert!(seen.values().all(|count| *count >= 10), "{seen:?}");
}

//! What a node watches for itself changes nothing for anybody.

use alloy_primitives::Bytes;
use parapet_judge::{Judge, LocalGuard, LocalJudge};
use parapet_monitor::{Origin, Outcome};
use parapet_threats::{
    ATTACKER, Call, Chain, USER, VAULT,
    code::{STOP, join, store},
    guard, veto_code,
};
use parapet_types::{Destiny, Executed};
use parapet_vm::{Engine, EngineSettings};

fn watched(chain: &Chain, modules: &[Bytes]) -> Chain {
    let engine = || Engine::new(EngineSettings::default()).unwrap();
    let local =
        |module: &Bytes| LocalGuard { module: module.clone(), accounts: vec![VAULT], configuration: Bytes::new() };
    let guards = modules.iter().map(local).collect();
    let judge = LocalJudge::new(Judge::new(engine()), &engine(), guards).unwrap();
    let mut watched = chain.fresh();
    watched.watch_with(|_| Box::new(judge));
    watched
}

fn without_local(executed: &Executed) -> Executed {
    let mut executed = executed.clone();
    executed.verdicts.retain(|verdict| verdict.origin == Origin::Chain);
    executed.verdicts.iter_mut().for_each(|verdict| verdict.elapsed_ns = 0);
    executed
}

#[test]
fn blocks_are_the_same_with_and_without_guards_of_the_nodes_own() {
    let mut chain = Chain::new();
    chain.put(VAULT, &join(&[&store(0, 1), &STOP]), []);
    let worst = [guard::vetoes_everything(), guard::traps_always(), guard::loops_always()];
    let calls = [Call::to(VAULT), Call { from: ATTACKER, gas_limit: 60_000, ..Call::to(VAULT) }, Call::to(USER)];
    // With and without guards that the chain has, too.
    for attached in [None, Some(guard::allows_everything()), Some(guard::vetoes_everything())] {
        let (mut alone, mut watched) = (chain.fresh(), watched(&chain, &worst));
        if let Some(module) = &attached {
            for chain in [&mut alone, &mut watched] {
                chain.attach(module, &[VAULT]);
                chain.settle_attachments();
            }
        }
        let (expected, found) = (alone.block(&calls), watched.block(&calls));
        assert_eq!(found.changes, expected.changes);
        assert_eq!(found.gas_used, expected.gas_used);
        assert_eq!(found.included.len(), expected.included.len());
        for (found, expected) in found.included.iter().zip(&expected.included) {
            assert_eq!(found.receipt, expected.receipt);
            assert_eq!(without_local(&found.executed), without_local(&expected.executed));
        }
    }
}

#[test]
fn they_tell_what_they_saw_and_are_marked() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    let mut chain = watched(&chain, &[guard::vetoes_everything()]);
    let judged = chain.send(&Call::to(VAULT));
    assert_eq!((judged.destiny.clone(), veto_code(&judged)), (Destiny::Succeeded, None));
    assert_eq!((judged.guard_gas_used, judged.guard_fuel.0), (0, 0), "nobody pays for them");
    let verdict = &judged.verdicts[0];
    assert_eq!((verdict.origin, verdict.outcome, verdict.code), (Origin::Local, Outcome::WouldVeto, 7));
    assert!(chain.send(&Call::to(USER)).verdicts.is_empty(), "they watch whom they were told to");
}

#[test]
fn one_that_cannot_run_is_refused_before_the_node_starts() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let nonsense = LocalGuard { module: Bytes::from_static(b"no"), accounts: Vec::new(), configuration: Bytes::new() };
    let error = LocalJudge::new(Judge::new(engine.clone()), &engine, vec![nonsense]).unwrap_err();
    assert!(error.to_string().starts_with("guard 0 of this node cannot be used"), "{error}");
}

#[test]
fn one_that_would_have_more_recorded_is_refused_since_the_chains_guards_would_see_it() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    for subscription in ["accesses", "preimages"] {
        let module = guard::guard("frame", &[subscription], &guard::on_call(""));
        let local = LocalGuard { module, accounts: vec![VAULT], configuration: Bytes::new() };
        let error = LocalJudge::new(Judge::new(engine.clone()), &engine, vec![local]).unwrap_err();
        assert!(error.to_string().contains("storage accesses or preimages"), "{error}");
    }
}

//! Changes that wait, on the chain: the old guard judges until the new one is applied, and a thief's removal comes to nothing.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_sol_types::SolCall as _;
use parapet_registry::contract::IGuardRegistry::{self, ChangeKind};
use parapet_threats::{ATTACKER, Call, Chain, GUARDIAN, OWNER, USER, VAULT, code, guard, veto_code};
use parapet_types::{Destiny, REGISTRY};

/// Seconds that changes of the attachment wait.
const DELAY: u32 = 86_400;

/// A vault of the owner's with an enforcing guard, whose changes wait; other modules are registered beside it.
fn guarded(module: &Bytes, others: &[Bytes]) -> (Chain, B256) {
    let mut chain = Chain::new();
    chain.put(VAULT, &code::owned_by(OWNER), []);
    for other in others {
        chain.attach(other, &[USER]).paused = true;
    }
    let attachment = chain.attach(module, &[VAULT]);
    attachment.delay = DELAY;
    let id = attachment.id;
    chain.settle_attachments();
    // The owner has attached nothing by itself here, so the vault's hands are not confirmed yet.
    let confirm = IGuardRegistry::confirmAuthorityCall { account: VAULT }.abi_encode();
    assert_eq!(chain.send(&registry(OWNER, confirm)).destiny, Destiny::Succeeded);
    (chain, id)
}

fn registry(from: alloy_primitives::Address, input: Vec<u8>) -> Call {
    Call { from, input: input.into(), ..Call::to(REGISTRY) }
}

fn upgrade(id: B256, module: &Bytes, configuration: &'static [u8]) -> Call {
    let configuration = Bytes::from_static(configuration);
    registry(OWNER, IGuardRegistry::upgradeCall { id, module: keccak256(module), configuration }.abi_encode())
}

fn apply(id: B256, kind: ChangeKind) -> Call {
    registry(USER, IGuardRegistry::applyChangeCall { id, kind }.abi_encode())
}

fn enter_vault() -> Call {
    Call { from: ATTACKER, ..Call::to(VAULT) }
}

/// A guard whose `init` refuses every configuration.
fn refuses_its_configuration() -> Bytes {
    let init = r#"(func (export "init") (call $veto (i32.const 5) (i32.const 0) (i32.const 0)))"#;
    guard::guard("frame", &[], &format!("{init} {}", guard::on_call("")))
}

#[test]
fn the_old_guard_judges_until_an_upgrade_is_applied_and_the_new_one_from_the_next_transaction_on() {
    let strict = guard::vetoes_everything();
    let (mut chain, id) = guarded(&guard::allows_everything(), std::slice::from_ref(&strict));
    let block = chain.block(&[upgrade(id, &strict, b""), enter_vault()]);
    assert!(block.included.iter().all(|included| included.executed.succeeded()));
    assert_eq!(chain.send(&apply(id, ChangeKind::Content)).destiny, Destiny::Reverted, "it is not ready");
    chain.timestamp += u64::from(DELAY);
    let block = chain.block(&[enter_vault(), apply(id, ChangeKind::Content), enter_vault()]);
    let vetoes: Vec<_> = block.included.iter().map(|included| veto_code(&included.executed)).collect();
    assert_eq!(vetoes, [None, None, Some(7)]);
}

#[test]
fn an_upgrade_that_the_new_guard_refuses_leaves_the_old_one_in_force() {
    let picky = refuses_its_configuration();
    let (mut chain, id) = guarded(&guard::vetoes_everything(), std::slice::from_ref(&picky));
    assert_eq!(chain.send(&upgrade(id, &picky, b"x")).destiny, Destiny::Succeeded);
    chain.timestamp += u64::from(DELAY);
    let applied = chain.send(&apply(id, ChangeKind::Content));
    assert!(matches!(applied.destiny, Destiny::Vetoed { guard: REGISTRY, code: 5, .. }), "{:?}", applied.destiny);
    assert_eq!(veto_code(&chain.send(&enter_vault())), Some(7), "the old guard judges");
}

#[test]
fn a_stolen_key_does_not_remove_the_guard_while_the_guardian_watches() {
    let (mut chain, id) = guarded(&guard::vetoes_everything(), &[]);
    let detach = registry(OWNER, IGuardRegistry::detachCall { id }.abi_encode());
    let kind = ChangeKind::Detach;
    let cancel = registry(GUARDIAN, IGuardRegistry::cancelChangeCall { id, kind }.abi_encode());
    let block = chain.block(&[detach.clone(), enter_vault(), cancel]);
    let vetoes: Vec<_> = block.included.iter().map(|included| veto_code(&included.executed)).collect();
    assert_eq!(vetoes, [None, Some(7), None]);
    chain.timestamp += u64::from(DELAY);
    assert_eq!(chain.send(&apply(id, kind)).destiny, Destiny::Reverted, "nothing waits any more");
    assert_eq!(veto_code(&chain.send(&enter_vault())), Some(7));

    assert_eq!(chain.send(&detach).destiny, Destiny::Succeeded);
    chain.timestamp += u64::from(DELAY);
    assert_eq!(chain.send(&apply(id, kind)).destiny, Destiny::Succeeded, "whom nobody stops, removes it");
    assert_eq!(veto_code(&chain.send(&enter_vault())), None);
}

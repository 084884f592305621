//! Nobody is locked out (I5): whatever guards do, their attachments can be paused and removed, and the chain goes on.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolCall as _;
use parapet_monitor::Fuel;
use parapet_registry::{Failure, contract::IGuardRegistry};
use parapet_threats::{
    ATTACKER, Call, Chain, GUARDIAN, MINER, OWNER, USER, VAULT,
    code::{self, STOP, join},
    guard, veto_code,
};
use parapet_types::{Destiny, REGISTRY};

const OTHER: Address = Address::repeat_byte(0xb2);

fn pause(id: B256) -> Bytes {
    IGuardRegistry::pauseCall { id }.abi_encode().into()
}

fn detach(id: B256) -> Bytes {
    IGuardRegistry::detachCall { id }.abi_encode().into()
}

fn to_registry(from: Address, input: Bytes) -> Call {
    Call { from, input, ..Call::to(REGISTRY) }
}

/// Guards that do their worst.
fn worst() -> [(&'static str, Bytes); 3] {
    [
        ("vetoes everything", guard::vetoes_everything()),
        ("traps always", guard::traps_always()),
        ("loops always", guard::loops_always()),
    ]
}

/// Everybody who matters is guarded by the worst of guards: the registry, its guardian, the protocol and its owner, the fee
/// recipient, and whoever sends.
fn besieged(module: &Bytes) -> (Chain, B256) {
    let mut chain = Chain::new();
    // The vault tells who owns it, and so lets its owner detach.
    chain.put(VAULT, &code::owned_by(OWNER), []);
    chain.put(OTHER, &join(&[&code::store(0, 1), &STOP]), []);
    let attachment = chain.attach(module, &[VAULT]);
    let id = attachment.id;
    attachment.fuel_max = Fuel(100_000_000);
    for account in [REGISTRY, GUARDIAN, OWNER, MINER, USER] {
        chain.attach(module, &[account]).fuel_max = Fuel(100_000_000);
    }
    chain.settle_attachments();
    (chain, id)
}

#[test]
fn the_guardian_pauses_any_attachment_in_one_transaction() {
    for (name, module) in worst() {
        let (mut chain, id) = besieged(&module);
        assert!(veto_code(&chain.send(&Call { from: ATTACKER, ..Call::to(VAULT) })).is_some(), "{name}");
        let paused = chain.send(&to_registry(GUARDIAN, pause(id)));
        assert_eq!(paused.destiny, Destiny::Succeeded, "{name}");
        let freed = chain.send(&Call { from: ATTACKER, ..Call::to(VAULT) });
        assert_eq!(freed.destiny, Destiny::Succeeded, "{name}");
    }
}

#[test]
fn the_owner_removes_an_attachment_of_its_protocol() {
    for (name, module) in worst() {
        let (mut chain, id) = besieged(&module);
        let removed = chain.send(&to_registry(OWNER, detach(id)));
        assert_eq!(removed.destiny, Destiny::Succeeded, "{name}");
        assert_eq!(chain.send(&Call { from: ATTACKER, ..Call::to(VAULT) }).destiny, Destiny::Succeeded, "{name}");
    }
}

#[test]
fn an_escape_needs_no_more_gas_than_without_guards() {
    let (mut free, id) = besieged(&guard::allows_everything());
    let alone = free.send(&to_registry(GUARDIAN, pause(id)));
    let needed = alone.gas_used - alone.guard_gas_used;
    for (name, module) in worst() {
        let (mut chain, id) = besieged(&module);
        let paused = chain.send(&Call { gas_limit: needed + needed / 4, ..to_registry(GUARDIAN, pause(id)) });
        assert_eq!(paused.destiny, Destiny::Succeeded, "{name}");
    }
}

#[test]
fn an_escape_fits_into_a_block_that_guards_have_filled() {
    let (mut chain, id) = besieged(&guard::loops_always());
    chain.params.guards.block_fuel_max = Fuel(1);
    let block = chain.block(&[Call { from: ATTACKER, ..Call::to(OTHER) }, to_registry(GUARDIAN, pause(id))]);
    assert!(block.left_out.is_empty(), "{:?}", block.left_out);
    assert!(block.included.iter().all(|included| included.executed.succeeded()));
}

#[test]
fn the_chain_goes_on_for_everybody_else() {
    for (name, module) in worst() {
        let (mut chain, _) = besieged(&module);
        // Fees go to a guarded fee recipient, which is no reason to stop the chain.
        let sent = chain.send(&Call { from: ATTACKER, ..Call::to(OTHER) });
        assert_eq!(sent.destiny, Destiny::Succeeded, "{name}");
    }
}

#[test]
fn guards_of_the_whole_chain_leave_the_way_to_the_registry_open() {
    for (name, module) in worst() {
        let mut chain = Chain::new();
        chain.put(OTHER, &STOP, []);
        let attachment = chain.attach(&module, &[]);
        let id = attachment.id;
        (attachment.failure, attachment.fuel_max) = (Failure::Closed, Fuel(100_000_000));
        chain.settle_attachments();
        assert!(veto_code(&chain.send(&Call::to(OTHER))).is_some(), "{name}: everything is stopped");
        assert_eq!(chain.send(&to_registry(GUARDIAN, pause(id))).destiny, Destiny::Succeeded, "{name}");
        assert_eq!(chain.send(&Call::to(OTHER)).destiny, Destiny::Succeeded, "{name}");
    }
}

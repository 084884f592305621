//! Whoever the worst of guards is attached to, somebody can act, and the chain goes on (I5): every guard on every account.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolCall as _;
use parapet_monitor::{Fuel, Outcome};
use parapet_registry::contract::IGuardRegistry;
use parapet_threats::{
    ATTACKER, Call, Chain, GAS_MAX, GUARDIAN, MINER, OWNER, USER, VAULT,
    code::{self, STOP, join},
    guard, one_of_many, veto_code,
};
use parapet_types::{Destiny, ExecutedBlock, REGISTRY};

const OTHER: Address = Address::repeat_byte(0xb2);
/// A guardian or an owner that is a contract: it hands on to the registry what it is told, as a Safe or a timelock would.
const OFFICE: Address = Address::repeat_byte(0x5a);

fn worst() -> [(&'static str, Bytes); 4] {
    [
        ("vetoes everything", guard::vetoes_everything()),
        ("traps always", guard::traps_always()),
        ("loops always", guard::loops_always()),
        ("spends everything", guard::spends_everything()),
    ]
}

fn pause(id: B256) -> Bytes {
    IGuardRegistry::pauseCall { id }.abi_encode().into()
}

fn hands_on() -> Vec<u8> {
    let mut code = code::hand_on(REGISTRY);
    code.extend(code::require(code.len()));
    join(&[&code, &STOP])
}

/// Who guards the chain, and how the guardian's pause travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guardian {
    Person,
    Contract,
}

impl Guardian {
    fn pause(self, id: B256) -> Call {
        match self {
            Self::Person => Call { from: GUARDIAN, input: pause(id), gas_limit: GAS_MAX, ..Call::to(REGISTRY) },
            // Anybody whom the contract listens to.
            Self::Contract => Call { from: OWNER, input: pause(id), gas_limit: GAS_MAX, ..Call::to(OFFICE) },
        }
    }
}

/// A chain on which one account has one guard.
fn besieged(guardian: Guardian, account: Option<Address>, module: &Bytes) -> (Chain, B256) {
    let mut chain = Chain::new();
    chain.put(VAULT, &code::owned_by(OWNER), []);
    chain.put(OTHER, &join(&[&code::store(0, 1), &STOP]), []);
    chain.put(OFFICE, &hands_on(), []);
    for number in 0..4 {
        chain.put(one_of_many(number), &[], []);
    }
    if guardian == Guardian::Contract {
        chain.appoint(OFFICE);
    }
    let attachment = chain.attach(module, account.as_slice());
    attachment.fuel_max = Fuel(100_000_000);
    let id = attachment.id;
    chain.settle_attachments();
    (chain, id)
}

fn fate<E>(block: &ExecutedBlock<E>, candidate: usize) -> Option<&Destiny> {
    let included = block.included.iter().find(|included| included.candidate == candidate)?;
    Some(&included.executed.destiny)
}

/// One block: others send before and after the pause, and after it the account is as free as any other.
fn assert_the_pause_works(guardian: Guardian, account: Option<Address>, name: &str, module: &Bytes) {
    let told = format!("a guard that {name} on {account:?}, with {guardian:?} as the guardian");
    let (mut chain, id) = besieged(guardian, account, module);
    let touch = Call { from: ATTACKER, gas_limit: 1_000_000, ..Call::to(account.unwrap_or(OTHER)) };
    let neighbours = (0..4).map(|number| Call { from: one_of_many(number), ..Call::to(Address::repeat_byte(0xee)) });
    let calls: Vec<_> = neighbours.chain([guardian.pause(id), touch]).collect();
    let block = chain.block(&calls);
    assert_eq!(fate(&block, 4), Some(&Destiny::Succeeded), "{told}: the pause");
    // What the guards left of the block's fuel may not have been enough for a neighbour, but only for a neighbour.
    let passed = (0..4).filter_map(|number| fate(&block, number));
    let whole_chain_is_guarded = account.is_none();
    assert!(whole_chain_is_guarded || passed.clone().all(|fate| *fate == Destiny::Succeeded), "{told}: neighbours");
    let freed = chain.send(&Call { from: USER, ..Call::to(OTHER) });
    assert_eq!(freed.destiny, Destiny::Succeeded, "{told}: the chain goes on");
    assert!(freed.verdicts.is_empty(), "{told}: nothing judges any more");
}

#[test]
fn a_guardian_that_is_a_person_stops_every_guard_on_every_account() {
    for (name, module) in worst() {
        for account in [GUARDIAN, OFFICE, OWNER, USER, MINER, VAULT, REGISTRY].map(Some).into_iter().chain([None]) {
            assert_the_pause_works(Guardian::Person, account, name, &module);
        }
    }
}

#[test]
fn a_guardian_that_is_a_contract_stops_every_guard_on_every_account() {
    for (name, module) in worst() {
        for account in [OFFICE, OWNER, USER, MINER, VAULT, REGISTRY].map(Some).into_iter().chain([None]) {
            assert_the_pause_works(Guardian::Contract, account, name, &module);
        }
    }
}

#[test]
fn the_pause_needs_no_more_gas_than_without_guards() {
    let (mut free, id) = besieged(Guardian::Contract, Some(OTHER), &guard::allows_everything());
    let needed = free.send(&Guardian::Contract.pause(id)).gas_used;
    for (name, module) in worst() {
        let (mut chain, id) = besieged(Guardian::Contract, Some(OFFICE), &module);
        let paused = chain.send(&Call { gas_limit: needed + needed / 4, ..Guardian::Contract.pause(id) });
        assert_eq!(paused.destiny, Destiny::Succeeded, "{name}");
    }
}

#[test]
fn the_guardian_sets_an_owner_free_that_is_a_contract() {
    for (name, module) in worst() {
        let (mut chain, id) = besieged(Guardian::Person, Some(OFFICE), &module);
        let anything = Call { from: OWNER, gas_limit: 1_000_000, ..Call::to(OFFICE) };
        assert!(veto_code(&chain.send(&anything)).is_some(), "{name}");
        chain.send(&Guardian::Person.pause(id));
        // The registry knows no such call, but no guard is in the way.
        assert_eq!(chain.send(&anything).destiny, Destiny::Reverted, "{name}");
    }
}

/// A guard on the guardian's contract, and one on the vault, of which either vetoes what it sees.
fn two_guards() -> (Chain, B256, B256) {
    let (mut chain, office) = besieged(Guardian::Contract, Some(OFFICE), &guard::vetoes_everything());
    let vault = chain.attach(&guard::vetoes_everything(), &[VAULT]).id;
    chain.settle_attachments();
    (chain, office, vault)
}

#[test]
fn who_is_not_paused_vetoes_the_guardian_as_everybody() {
    let (mut chain, office, vault) = two_guards();
    let other = chain.send(&Guardian::Contract.pause(vault));
    assert_eq!(veto_code(&other), Some(7), "the guard on the guardian judges what it does to others");
    assert_eq!(other.verdicts.last().unwrap().outcome, Outcome::Veto);
    let own = chain.send(&Guardian::Contract.pause(office));
    assert_eq!(own.destiny, Destiny::Succeeded);
    assert_eq!(own.verdicts[0].outcome, Outcome::WouldVeto, "what it said is on record");
    assert_eq!(chain.send(&Guardian::Contract.pause(vault)).destiny, Destiny::Succeeded);
}

/// Steals from the vault, and hands on to the registry what it is told: a guardian's contract gone bad.
fn steals_and_hands_on() -> Vec<u8> {
    let mut code = join(&[&code::call(code::Kind::Call, VAULT), &code::POP, &code::hand_on(REGISTRY)]);
    code.extend(code::require(code.len()));
    join(&[&code, &STOP])
}

#[test]
fn a_guardian_that_steals_gets_past_the_guards_that_it_pauses_and_no_others() {
    let (mut chain, id) = besieged(Guardian::Contract, Some(VAULT), &guard::vetoes_everything());
    let unrelated = chain.attach(&guard::vetoes_everything(), &[OTHER]).id;
    chain.put(OFFICE, &steals_and_hands_on(), []);
    chain.settle_attachments();
    let hidden = chain.send(&Guardian::Contract.pause(unrelated));
    assert_eq!(veto_code(&hidden), Some(7), "a pause of another guard is no cover");
    // That it may do in two transactions, too: it is what the guardian is trusted with, and it shows.
    assert_eq!(chain.send(&Guardian::Contract.pause(id)).destiny, Destiny::Succeeded);
}

#[test]
fn nobody_else_gains_by_a_pause_on_the_way() {
    let (mut chain, id) = besieged(Guardian::Contract, Some(VAULT), &guard::vetoes_everything());
    // Calls the guardian's contract, which pauses for whoever asks here, and then the vault.
    let tool = Address::repeat_byte(0xb0);
    let steal = [&code::hand_on(OFFICE)[..], &code::POP, &code::call(code::Kind::Call, VAULT), &code::POP, &STOP];
    chain.put(tool, &join(&steal), []);
    let bundled = chain.send(&Call { from: ATTACKER, input: pause(id), ..Call::to(tool) });
    assert_eq!(veto_code(&bundled), Some(7), "the transaction is not to the guardian");
    // Nor does what merely passes through the registry's address.
    let through = chain.send(&Call { from: GUARDIAN, input: pause(id), ..Call::to(tool) });
    assert_eq!(veto_code(&through), Some(7));
}

#[test]
fn an_owner_that_detaches_and_steals_in_one_transaction_is_vetoed() {
    // The owner's contract may detach at once here, and is not the guardian.
    let mut chain = Chain::new();
    chain.put(VAULT, &code::owned_by(OFFICE), []);
    chain.put(OFFICE, &steals_and_hands_on(), []);
    let id = chain.attach(&guard::vetoes_everything(), &[VAULT]).id;
    chain.settle_attachments();
    let detach: Bytes = IGuardRegistry::detachCall { id }.abi_encode().into();
    let stolen = chain.send(&Call { from: OWNER, input: detach.clone(), ..Call::to(OFFICE) });
    assert_eq!(veto_code(&stolen), Some(7));
    // And neither if it were: what is removed is not paused.
    chain.appoint(OFFICE);
    chain.settle_attachments();
    assert_eq!(veto_code(&chain.send(&Call { from: OWNER, input: detach, ..Call::to(OFFICE) })), Some(7));
}

#[test]
fn who_the_guardian_is_is_known_to_the_very_next_transaction() {
    // The guard lets everything pass but what begins as a call of `pause` does.
    let pauses = guard::vetoes_calls_marked(IGuardRegistry::pauseCall::SELECTOR[0]);
    let (mut chain, id) = besieged(Guardian::Person, Some(OFFICE), &pauses);
    let through_office = |input: Bytes| Call { from: OWNER, input, gas_limit: 1_000_000, ..Call::to(OFFICE) };
    assert_eq!(veto_code(&chain.send(&through_office(pause(id)))), Some(5), "the contract is nobody yet");

    let offered: Bytes = IGuardRegistry::proposeGuardianCall { next: OFFICE }.abi_encode().into();
    let accepted: Bytes = IGuardRegistry::acceptGuardianCall {}.abi_encode().into();
    let block = chain.block(&[
        Call { from: GUARDIAN, input: offered, ..Call::to(REGISTRY) },
        through_office(accepted),
        through_office(pause(id)),
        Call { from: one_of_many(0), ..Call::to(OTHER) },
        Call { from: one_of_many(1), ..Call::to(OTHER) },
    ]);
    // The head of the registry is the same after a change of its guardian, so no index tells of it.
    assert!((0..5).all(|number| fate(&block, number) == Some(&Destiny::Succeeded)), "{:?}", block.included);
    assert!(chain.attachment(id).unwrap().paused);
}

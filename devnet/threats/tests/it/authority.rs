//! Who may guard a proxy: its ERC-1967 admin, which the node tells the registry and nobody else.

use alloy_primitives::{Address, B256, Bytes, U256, b256};
use alloy_sol_types::SolCall as _;
use parapet_registry::contract::IGuardRegistry;
use parapet_threats::{
    ATTACKER, Call, Chain, OWNER, USER, VAULT,
    code::{self, Kind},
    guard,
};
use parapet_types::{ADMIN_READER, Destiny, REGISTRY};

const ADMIN_SLOT: B256 = b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
const PROXY_ADMIN: Address = Address::repeat_byte(0xad);

/// A proxy whose implementation names the attacker as owner, administered by a contract that the owner owns.
fn proxied() -> (Chain, B256) {
    let mut chain = Chain::new();
    let administered = [(ADMIN_SLOT.into(), PROXY_ADMIN.into_word().into())];
    chain.put(VAULT, &code::owned_by(ATTACKER), administered);
    chain.put(PROXY_ADMIN, &code::owned_by(OWNER), []);
    let module = guard::vetoes_everything();
    chain.attach(&module, &[Address::repeat_byte(0x99)]);
    chain.settle_attachments();
    (chain, alloy_primitives::keccak256(&module))
}

fn attach(from: Address, module: B256) -> Call {
    let request = IGuardRegistry::AttachRequest {
        module,
        accounts: vec![VAULT],
        configuration: Bytes::new(),
        mode: IGuardRegistry::Mode::Enforce,
        manager: Address::ZERO,
        delay: 0,
        terms: IGuardRegistry::Terms {
            failure: IGuardRegistry::Failure::Closed,
            priority: 0,
            fuelMax: 0,
            demotionShare: 0,
            triggers: 0,
            escapes: Vec::new(),
        },
    };
    Call { from, input: IGuardRegistry::attachCall { request }.abi_encode().into(), ..Call::to(REGISTRY) }
}

#[test]
fn a_proxys_admin_outranks_what_its_implementation_says() {
    let (mut chain, module) = proxied();
    assert_eq!(chain.send(&attach(ATTACKER, module)).destiny, Destiny::Reverted);
    assert_eq!(chain.send(&attach(USER, module)).destiny, Destiny::Reverted);
    assert_eq!(chain.send(&attach(OWNER, module)).destiny, Destiny::Succeeded);
    assert!(matches!(chain.send(&Call::to(VAULT)).destiny, Destiny::Vetoed { .. }), "it is guarded");
}

#[test]
fn without_an_admin_the_owner_that_a_contract_names_may_guard_it() {
    let (mut chain, module) = proxied();
    chain.put(VAULT, &code::owned_by(ATTACKER), [(ADMIN_SLOT.into(), U256::ZERO)]);
    assert_eq!(chain.send(&attach(OWNER, module)).destiny, Destiny::Reverted);
    assert_eq!(chain.send(&attach(ATTACKER, module)).destiny, Destiny::Succeeded);
}

#[test]
fn a_change_of_the_admin_counts_in_the_same_block() {
    let (mut chain, module) = proxied();
    // Hands the proxy to the attacker: PUSH20 attacker, PUSH32 slot, SSTORE; it is asked for its owner later.
    let mut hand_over = vec![0x73];
    hand_over.extend(ATTACKER);
    hand_over.push(0x7f);
    hand_over.extend(ADMIN_SLOT);
    hand_over.push(0x55);
    chain.put(VAULT, &hand_over, [(ADMIN_SLOT.into(), PROXY_ADMIN.into_word().into())]);
    let block = chain.block(&[Call::to(VAULT), attach(OWNER, module), attach(ATTACKER, module)]);
    let destinies: Vec<_> = block.included.iter().map(|included| included.executed.destiny.clone()).collect();
    assert_eq!(destinies, [Destiny::Succeeded, Destiny::Reverted, Destiny::Succeeded]);
}

#[test]
fn nobody_but_the_registry_meets_anything_where_the_node_answers() {
    let (mut chain, _) = proxied();
    const ASKER: Address = Address::repeat_byte(0x3a);
    for kind in Kind::ALL {
        // Stores one plus the number of bytes that came back: RETURNDATASIZE, PUSH1 1, ADD, PUSH0, SSTORE.
        let measure = [0x3d, 0x60, 1, 0x01, 0x5f, 0x55];
        chain.put(ASKER, &code::join(&[&code::call(kind, ADMIN_READER), &code::POP, &measure]), []);
        assert_eq!(chain.send(&Call::to(ASKER)).destiny, Destiny::Succeeded, "{kind:?}");
        assert_eq!(chain.storage(ASKER, U256::ZERO), U256::from(1), "{kind:?}");
    }
    let question = Bytes::from(VAULT.into_word().to_vec());
    let asked = chain.send(&Call { input: question, ..Call::to(ADMIN_READER) });
    assert_eq!((asked.destiny, asked.output.len()), (Destiny::Succeeded, 0));
}

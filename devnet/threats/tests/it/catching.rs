//! A veto cannot be caught, whatever kind of frame is vetoed and however it is wrapped.

use alloy_primitives::{Address, TxKind, keccak256};
use parapet_threats::{
    ATTACKER, Call, Chain, VAULT,
    code::{self, Kind, POP, STOP, join, slot},
    guard, veto_code,
};
use parapet_types::Destiny;

const TOOL: Address = Address::repeat_byte(0xb0);
const INNER: Address = Address::repeat_byte(0xb1);

fn attack() -> Call {
    Call { from: ATTACKER, ..Call::to(TOOL) }
}

/// The transaction is vetoed as a whole: what was written before and after the frame is not there.
fn assert_vetoed(chain: &mut Chain, case: &str) {
    let judged = chain.send(&attack());
    assert_eq!(veto_code(&judged), Some(7), "{case}");
    for number in 0..3 {
        assert!(chain.storage(TOOL, slot(number)).is_zero(), "{case}: slot {number}");
    }
}

#[test]
fn a_call_of_any_kind_cannot_swallow_a_veto() {
    for kind in Kind::ALL {
        let mut chain = Chain::new();
        chain.put(VAULT, &STOP, []);
        let code = [&code::store(0, 1)[..], &code::call(kind, VAULT), &POP, &code::store(1, 1), &STOP].concat();
        chain.put(TOOL, &code, []);
        assert_eq!(chain.send(&attack()).destiny, Destiny::Succeeded);
        chain.put(TOOL, &code, []);
        chain.attach(&guard::vetoes_everything(), &[VAULT]);
        chain.settle_attachments();
        assert_vetoed(&mut chain, &format!("{kind:?}"));
    }
}

#[test]
fn a_creation_of_any_kind_cannot_swallow_a_veto() {
    for salt in [None, Some(5)] {
        let mut chain = Chain::new();
        let child = match salt {
            None => TOOL.create(1),
            Some(salt) => TOOL.create2(alloy_primitives::B256::with_last_byte(salt), keccak256(STOP)),
        };
        let create = code::create(&STOP, salt);
        let code = [&code::store(0, 1)[..], &create, &POP, &code::store(1, 1), &STOP].concat();
        chain.put(TOOL, &code, []);
        chain.attach(&guard::vetoes_everything(), &[child]);
        chain.settle_attachments();
        assert_vetoed(&mut chain, &format!("creation with salt {salt:?}"));
    }
}

#[test]
fn a_creation_by_a_transaction_is_vetoed_from_its_constructor() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    chain.attach(&guard::vetoes_everything(), &[VAULT]);
    chain.settle_attachments();
    let init_code = join(&[&code::call(Kind::Call, VAULT), &POP, &STOP]);
    let created = Call { from: ATTACKER, to: TxKind::Create, input: init_code.into(), ..Call::to(TOOL) };
    let judged = chain.send(&created);
    assert_eq!((veto_code(&judged), judged.created), (Some(7), None));
}

#[test]
fn calls_inside_calls_inside_constructors_cannot_swallow_a_veto() {
    // TOOL tries INNER, which tries a creation, whose constructor tries the vault; each swallows what comes of it, and
    // writes before and after.
    for kind in Kind::ALL {
        let mut chain = Chain::new();
        chain.put(VAULT, &STOP, []);
        let constructor = join(&[&code::call(kind, VAULT), &STOP]);
        let inner =
            [&code::store(0, 1)[..], &code::create(&constructor, None), &POP, &code::store(1, 1), &STOP].concat();
        chain.put(INNER, &inner, []);
        let outer = [
            &code::store(0, 1)[..],
            &code::call(Kind::Call, INNER),
            &POP,
            // Once more: the veto of the first attempt is the transaction's.
            &code::call(Kind::DelegateCall, INNER),
            &POP,
            &code::store(2, 1),
            &STOP,
        ];
        chain.put(TOOL, &outer.concat(), []);
        chain.attach(&guard::vetoes_everything(), &[VAULT]);
        chain.settle_attachments();
        assert_vetoed(&mut chain, &format!("{kind:?} in a constructor"));
        assert!(chain.storage(INNER, slot(0)).is_zero());
        assert!(chain.storage(INNER, slot(1)).is_zero());
    }
}

#[test]
fn a_guarded_call_that_reverts_inside_a_try_was_seen_all_the_same() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    // INNER calls the vault and reverts: for Ethereum the call never happened.
    chain.put(INNER, &join(&[&code::call(Kind::Call, VAULT), &code::REVERT]), []);
    let tool = [&code::store(0, 1)[..], &code::call(Kind::Call, INNER), &POP, &code::store(1, 1), &STOP].concat();
    chain.put(TOOL, &tool, []);
    chain.attach(&guard::vetoes_everything(), &[VAULT]);
    chain.settle_attachments();
    assert_vetoed(&mut chain, "reverted frame");
}

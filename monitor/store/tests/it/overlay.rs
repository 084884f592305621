//! What one transaction does to single words.

use alloy_primitives::{Address, U256};
use parapet_monitor::{MemoryAccount, MemoryState, StateOp, StateUpdate};
use parapet_store::{OPS_MAX, Overlay, Stored};
use proptest::prelude::*;

const STORE: Address = Address::repeat_byte(0x5a);
const SLOT: U256 = U256::ZERO;

fn state(word: u64) -> MemoryState {
    let account = MemoryAccount { storage: [(SLOT, U256::from(word))].into(), ..MemoryAccount::default() };
    MemoryState::unchanged([(STORE, account)].into())
}

fn add(amount: u64, cap: u64) -> StateOp {
    StateOp::Add { amount: U256::from(amount), cap: U256::from(cap) }
}

fn apply(overlay: &mut Overlay, state: &mut MemoryState, op: StateOp) -> Stored {
    overlay.apply(state, STORE, SLOT, op).expect("memory is read")
}

#[test]
fn additions_within_a_bound_become_one_that_was_never_looked_at() {
    let (mut overlay, mut state) = (Overlay::default(), state(90));
    assert_eq!(apply(&mut overlay, &mut state, add(4, 100)), Stored::Accepted);
    assert_eq!(apply(&mut overlay, &mut state, add(6, 100)), Stored::Accepted);
    assert_eq!(apply(&mut overlay, &mut state, add(1, 100)), Stored::Refused);
    assert_eq!(overlay.known(SLOT), None);
    assert_eq!(overlay.changed_with(SLOT), 1);
    assert_eq!(overlay.changed_with(U256::from(1)), 2);
    assert_eq!(overlay.into_updates(), [StateUpdate { slot: SLOT, ops: vec![add(10, 100)] }]);
}

#[test]
fn what_never_refuses_is_not_asked_about() {
    let (mut overlay, mut state) = (Overlay::default(), state(7));
    assert_eq!(apply(&mut overlay, &mut state, StateOp::Max(U256::from(5))), Stored::Accepted);
    assert_eq!(apply(&mut overlay, &mut state, StateOp::Max(U256::from(6))), Stored::Accepted);
    assert_eq!(state.reads, 0);
    assert_eq!(overlay.read(&mut state, STORE, SLOT).expect("memory is read"), U256::from(7));
    assert_eq!(apply(&mut overlay, &mut state, StateOp::Set(U256::from(3))), Stored::Accepted);
    assert_eq!(apply(&mut overlay, &mut state, add(2, 5)), Stored::Accepted);
    assert_eq!(apply(&mut overlay, &mut state, add(1, 5)), Stored::Refused);
    assert_eq!(state.reads, 1);
    assert_eq!(overlay.into_updates(), [StateUpdate::set(SLOT, U256::from(5))]);
}

#[test]
fn what_was_refused_or_only_read_is_no_update() {
    let (mut overlay, mut state) = (Overlay::default(), state(90));
    assert_eq!(apply(&mut overlay, &mut state, add(11, 100)), Stored::Refused);
    assert_eq!(overlay.read(&mut state, STORE, U256::from(4)).expect("memory is read"), U256::ZERO);
    assert_eq!(overlay.into_updates(), []);
}

fn op() -> impl Strategy<Value = StateOp> {
    let word = || (0_u64..40).prop_map(U256::from);
    prop_oneof![
        1 => word().prop_map(StateOp::Set),
        2 => word().prop_map(StateOp::Max),
        4 => (word(), word()).prop_map(|(amount, cap)| StateOp::Add { amount, cap: cap * U256::from(4) }),
        2 => (word(), word(), 0_u64..3, 0_u64..3)
            .prop_map(|(amount, cap, period_s, now)| StateOp::Window { amount, cap, period_s, now }),
    ]
}

proptest! {
    #[test]
    fn answers_and_words_are_those_of_changes_made_at_once(
        start in 0_u64..60,
        steps in proptest::collection::vec((op(), any::<bool>()), 1..40),
        looks in 0_u8..3,
    ) {
        let (mut overlay, mut state) = (Overlay::default(), state(start));
        let mut word = U256::from(start);
        for (op, look) in steps {
            let expected = op.apply(word);
            let stored = apply(&mut overlay, &mut state, op);
            prop_assert_eq!(stored == Stored::Accepted, expected.is_some());
            word = expected.unwrap_or(word);
            if look && looks == 0 {
                prop_assert_eq!(overlay.read(&mut state, STORE, SLOT).expect("memory is read"), word);
            }
        }
        let updates = overlay.into_updates();
        prop_assert!(updates.len() <= 1);
        if let [update] = &updates[..] {
            prop_assert!(update.ops.len() <= OPS_MAX);
            prop_assert_eq!(StateOp::apply_all(&update.ops, U256::from(start)), Some(word));
        } else {
            prop_assert_eq!(U256::from(start), word);
        }
    }
}

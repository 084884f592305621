//! Guard state: windows hold over transactions and blocks, and what did not happen leaves nothing.

use alloy_primitives::{Address, Bytes, U256};
use parapet_store::{state_slot, window_slot};
use parapet_threats::{
    ATTACKER, Call, Chain, OWNER, USER, VAULT,
    code::{self, Kind, POP, STOP, join, slot},
    guard::{guard, on_call},
    veto_code,
};
use parapet_types::{Destiny, REGISTRY};

pub(crate) const KEY: [u8; 1] = [0];

/// Lets 100 pass per minute: each call of the vault counts 40, whatever it carries.
pub(crate) fn window() -> Bytes {
    let data = r#"(data (i32.const 95) "\28") (data (i32.const 159) "\64")"#;
    let add =
        "(if (i32.eqz (call $window_add (i32.const 0) (i32.const 1) (i32.const 64) (i32.const 128) (i64.const 60)))
        (then (call $veto (i32.const 8) (i32.const 0) (i32.const 0))))";
    guard("frame", &[], &format!("{data} {}", on_call(add)))
}

/// Writes 5 to its own state whenever it wakes.
fn remembering(then: &str) -> Bytes {
    let data = r#"(data (i32.const 95) "\05")"#;
    let set = "(call $store_set (i32.const 0) (i32.const 1) (i32.const 64))";
    guard("frame", &[], &format!("{data} {}", on_call(&format!("{set} {then}"))))
}

fn from(sender: Address) -> Call {
    Call { from: sender, ..Call::to(VAULT) }
}

#[test]
fn a_theft_that_is_split_over_transactions_and_blocks_meets_the_same_window() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    chain.attach(&window(), &[VAULT]);
    chain.settle_attachments();
    // Three senders, one block: the third is too much.
    let block = chain.block(&[from(USER), from(ATTACKER), from(OWNER)]);
    let codes: Vec<_> = block.included.iter().map(|included| veto_code(&included.executed)).collect();
    assert_eq!(codes, [None, None, Some(8)]);
    // The next block is 12 s later: 20 of 80 have decayed, and 40 more are exactly 100; then it is full again.
    assert_eq!(veto_code(&chain.send(&from(ATTACKER))), None);
    assert_eq!(veto_code(&chain.send(&from(ATTACKER))), Some(8));
    // What was refused was not counted, and time lets it fall.
    chain.timestamp += 60;
    assert_eq!(veto_code(&chain.send(&from(ATTACKER))), None);
}

#[test]
fn a_theft_that_is_split_over_calls_of_one_transaction_meets_the_same_window() {
    let mut chain = Chain::new();
    let tool = Address::repeat_byte(0xb0);
    let pay = join(&[&code::call(Kind::Call, VAULT), &POP]);
    chain.put(tool, &join(&[&pay, &pay, &pay, &STOP]), []);
    chain.put(VAULT, &STOP, []);
    let id = chain.attach(&window(), &[VAULT]).id;
    chain.settle_attachments();
    assert_eq!(veto_code(&chain.send(&Call { from: ATTACKER, ..Call::to(tool) })), Some(8));
    assert!(chain.storage(REGISTRY, window_slot(id, &KEY)).is_zero(), "a vetoed transaction fills no window");
}

#[test]
fn a_transaction_that_fails_by_itself_leaves_no_guard_state() {
    for body in [&code::REVERT[..], &[0xfe]] {
        let mut chain = Chain::new();
        chain.put(VAULT, body, []);
        let id = chain.attach(&remembering(""), &[VAULT]).id;
        chain.settle_attachments();
        assert_ne!(chain.send(&from(USER)).destiny, Destiny::Succeeded);
        assert!(chain.storage(REGISTRY, state_slot(id, &KEY)).is_zero());
    }
}

#[test]
fn a_vetoed_transaction_leaves_no_guard_state_of_anybody() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    let first = chain.attach(&remembering(""), &[VAULT]).id;
    let second = chain.attach(&remembering("(call $veto (i32.const 7) (i32.const 0) (i32.const 0))"), &[VAULT]).id;
    chain.settle_attachments();
    assert_eq!(veto_code(&chain.send(&from(USER))), Some(7));
    for id in [first, second] {
        assert!(chain.storage(REGISTRY, state_slot(id, &KEY)).is_zero());
    }
}

#[test]
fn a_transaction_that_cannot_pay_for_its_guards_leaves_no_guard_state() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    let id = chain.attach(&remembering(""), &[VAULT]).id;
    chain.settle_attachments();
    let paid = chain.send(&from(USER));
    assert_eq!(chain.storage(REGISTRY, state_slot(id, &KEY)), U256::from(5), "one that can leaves it");
    let mut poor = Chain::new();
    poor.put(VAULT, &STOP, []);
    poor.attach(&remembering(""), &[VAULT]);
    poor.settle_attachments();
    let refused = poor.send(&Call { gas_limit: paid.gas_used - 500, ..from(USER) });
    assert_eq!(veto_code(&refused), Some(parapet_abi::import::CODE_OUT_OF_GAS));
    assert!(poor.storage(REGISTRY, state_slot(id, &KEY)).is_zero());
}

#[test]
fn a_transaction_that_runs_twice_counts_once() {
    // All write one slot of the vault, so that what runs ahead of the others is thrown away and runs again.
    let mut chain = Chain::new();
    let load_add_store = [0x5f, 0x54, 0x60, 1, 0x01, 0x5f, 0x55, 0x00];
    chain.put(VAULT, &load_add_store, []);
    let data = r#"(data (i32.const 95) "\01") (data (i32.const 128) "\ff")"#;
    let add = "(drop (call $window_add (i32.const 0) (i32.const 1) (i32.const 64) (i32.const 128) (i64.const 60)))";
    let id = chain.attach(&guard("frame", &[], &format!("{data} {}", on_call(add))), &[VAULT]).id;
    chain.settle_attachments();
    let senders = [USER, ATTACKER, OWNER];
    let calls: Vec<_> = (0..30).map(|number| from(senders[number % 3])).collect();
    let block = chain.block(&calls);
    assert_eq!(block.included.len(), 30);
    assert_eq!(chain.storage(VAULT, slot(0)), U256::from(30));
    assert_eq!(chain.storage(REGISTRY, window_slot(id, &KEY)) >> 64, U256::from(30));
}

#[test]
fn a_simulation_leaves_no_guard_state() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    let id = chain.attach(&remembering(""), &[VAULT]).id;
    chain.settle_attachments();
    let context = chain.context();
    let ancestors = Default::default();
    let point =
        parapet_simulate::Point { params: &chain.params, world: chain.state(), ancestors: &ancestors, block: &context };
    let request = parapet_simulate::CallRequest { to: Some(VAULT), ..Default::default() };
    let called = parapet_simulate::call(&point, &request, chain.monitor()).unwrap();
    assert_eq!((called.succeeded(), called.verdicts.len()), (true, 1), "the guard ran");
    let estimate = parapet_simulate::estimate_gas(&point, &request, chain.monitor()).unwrap();
    assert!(estimate >= called.gas_used);
    assert!(chain.storage(REGISTRY, state_slot(id, &KEY)).is_zero());
    // The next block starts from the same state as if nobody had asked.
    let judged = chain.send(&Call { gas_limit: estimate, ..from(USER) });
    assert_eq!(judged.destiny, Destiny::Succeeded, "who estimates does not fail");
    assert_eq!(chain.storage(REGISTRY, state_slot(id, &KEY)), U256::from(5));
}

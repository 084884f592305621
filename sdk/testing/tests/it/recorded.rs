//! A transaction that happened, judged once more: the attack on `examples/reentrancy`'s vault, as `parapet guard record` wrote
//! it down on a development chain while nobody watched.

use parapet_guest::prelude::*;
use parapet_testing::chain::{Ending, recorded};

const ATTACK: &[u8] = include_bytes!("recordings/reentrancy.json");
const VAULT: Address = Address::from_hex("0x5fbdb2315678afecb367f032d93f642f64180aa3");

/// Nobody enters again while a call is open.
#[guard(name = "no_entry", triggers(call(selector = "withdraw()")))]
struct NoEntry;

#[guard]
impl Guard for NoEntry {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        if tx.ancestors(frame).any(|open| tx.is_guarded(open.target()) && open.target() != frame.caller()) {
            veto!(1, "re-entered");
        }
    }
}

/// Asks for what the transaction never touched.
#[guard(name = "curious", triggers(frame))]
struct Curious;

#[guard]
impl Guard for Curious {
    fn on_tx(&self, tx: &Tx) {
        if tx.balance(Fork::Now, Address([0x77; 20])).is_zero() {
            alert!(1, "nobody there");
        }
    }
}

#[test]
fn an_attack_that_was_recorded_is_vetoed_where_it_re_enters() {
    let sent = recorded(ATTACK, &NoEntry, &[VAULT]).unwrap();
    assert_eq!(sent.vetoed(), Some(1));
    let unguarded = recorded(ATTACK, &NoEntry, &[Address([0x99; 20])]).unwrap();
    assert_eq!(unguarded.ending, Ending::Succeeded);
}

#[test]
fn what_was_not_recorded_is_refused_and_not_made_up() {
    let error = recorded(ATTACK, &Curious, &[VAULT]).unwrap_err();
    assert!(error.to_string().contains(&"77".repeat(20)), "{error}");
    assert!(recorded(&ATTACK[..ATTACK.len() / 2], &NoEntry, &[VAULT]).is_err());
}

//! Guard state and the EVM's state, as contracts see them.

use std::sync::Arc;

use alloy_primitives::U256;
use parapet_cosmwasm::{Contract, End, Limit};
use parapet_monitor::{MemoryAccount, MemoryState, StateOp};
use parapet_vm::HookCall;

use super::{Called, STORE, call_as, contract_with, load, region, subject, trace};

const IMPORTS: &str = r#"
    (import "env" "db_read" (func $db_read (param i32) (result i32)))
    (import "env" "db_write" (func $db_write (param i32 i32)))
    (import "env" "db_remove" (func $db_remove (param i32)))
    (import "env" "db_scan" (func $db_scan (param i32 i32 i32) (result i32)))
    (import "env" "db_next" (func $db_next (param i32) (result i32)))
    (import "env" "query_chain" (func $query_chain (param i32) (result i32)))"#;

/// Regions of keys and values.
fn data() -> String {
    let one = [("a", 0x400), ("b", 0x440), ("c", 0x480), ("value", 0x4c0)];
    one.iter().map(|(text, at)| region(*at, text.as_bytes())).collect()
}

fn contract(body: &str) -> Arc<Contract> {
    load(&contract_with(IMPORTS, &data(), body))
}

/// State that keeps what contracts wrote, as a chain does.
#[derive(Default)]
struct Chain(MemoryState);

impl Chain {
    fn sudo(&mut self, contract: &Arc<Contract>) -> Called {
        let called = call_as(contract, subject(), HookCall::OnTx, &trace(), &mut self.0).unwrap();
        let storage = &mut self.0.pre_tx.entry(STORE).or_default().storage;
        for update in &called.updates {
            let word = storage.entry(update.slot).or_default();
            *word = StateOp::apply_all(&update.ops, *word).unwrap();
        }
        called
    }
}

const WRITE: &str = "(call $db_write (i32.const 0x440) (i32.const 0x4c0))
    (call $db_write (i32.const 0x400) (i32.const 0x4c0))
    (call $db_write (i32.const 0x480) (i32.const 0x4c0)) (global.get $ok)";

#[test]
fn what_a_contract_writes_is_there_for_the_next_transaction_in_order() {
    let mut chain = Chain::default();
    let read =
        contract("(if (result i32) (call $db_read (i32.const 0x400)) (then (global.get $ok)) (else (global.get $no)))");
    assert!(matches!(chain.sudo(&read).end, End::Vetoed { .. }));
    assert_eq!(chain.sudo(&contract(WRITE)).end, End::Returned);
    assert_eq!(chain.sudo(&read).end, End::Returned);
    // 1 is ascending, 2 descending; entries are value, key, length of the key.
    for (order, expected) in [(1, b'a'), (2, b'c')] {
        let first = format!(
            "(local $at i32)
            (local.set $at (i32.load (call $db_next (call $db_scan (i32.const 0) (i32.const 0) (i32.const {order})))))
            (if (result i32) (i32.or (i32.eq (i32.load8_u (local.get $at)) (i32.const {expected}))
                                     (i32.eq (i32.load8_u offset=5 (local.get $at)) (i32.const {expected})))
                (then (global.get $ok)) (else (global.get $no)))"
        );
        assert_eq!(chain.sudo(&contract(&first)).end, End::Returned, "order {order}");
    }
    let remove = contract("(call $db_remove (i32.const 0x400)) (global.get $ok)");
    assert_eq!(chain.sudo(&remove).end, End::Returned);
    assert!(matches!(chain.sudo(&read).end, End::Vetoed { .. }));
}

#[test]
fn a_contract_that_does_not_end_well_leaves_nothing() {
    for end in ["(global.get $no)", "unreachable", "(loop (br 0)) unreachable"] {
        let called = Chain::default().sudo(&contract(&WRITE.replace("(global.get $ok)", end)));
        assert!(called.updates.is_empty(), "{end}");
    }
}

#[test]
fn entries_that_are_too_long_exceed_a_limit() {
    let long = "(data (i32.const 0x500) \"\\10\\05\\00\\00\\01\\40\\00\\00\\01\\40\\00\\00\")".to_owned();
    let write = load(&contract_with(
        IMPORTS,
        &format!("{}{long}", data()),
        "(call $db_write (i32.const 0x400) (i32.const 0x500)) (global.get $ok)",
    ));
    assert!(matches!(Chain::default().sudo(&write).end, End::LimitExceeded(Limit::Entry(_))));
}

#[test]
fn questions_about_the_evms_state_are_answered_from_the_view() {
    let address = format!("0x{}", "11".repeat(20));
    let mut chain = Chain::default();
    let account = MemoryAccount { balance: U256::from(1_234), ..MemoryAccount::default() };
    chain.0.now.insert(address.parse().unwrap(), account);
    // The answer holds `"1234"` in base64.
    let question =
        region(0x600, format!(r#"{{"custom":{{"balance":{{"fork":"now","address":"{address}"}}}}}}"#).as_bytes());
    let body = r#"(local $at i32)
        (local.set $at (i32.load (call $query_chain (i32.const 0x600))))
        (if (result i32) (i64.eq (i64.load offset=13 (local.get $at)) (i64.load (i32.const 0x700)))
            (then (global.get $ok)) (else (global.get $no)))"#;
    let data = format!(r#"{question} (data (i32.const 0x700) "IjEyMzQi")"#);
    let asks = load(&contract_with(IMPORTS, &data, body));
    let reads = chain.0.reads;
    assert_eq!(chain.sudo(&asks).end, End::Returned);
    // One for the mark that the state is made, one for the answer.
    assert_eq!(chain.0.reads, reads + 2);
}

#[test]
fn a_question_that_is_not_known_is_an_answer_and_no_trap() {
    for question in [r#"{"bank":{}}"#, r#"{"custom":{"clock":{}}}"#, "no json"] {
        let asks = contract_with(
            IMPORTS,
            &region(0x600, question.as_bytes()),
            "(drop (call $query_chain (i32.const 0x600))) (global.get $ok)",
        );
        assert_eq!(Chain::default().sudo(&load(&asks)).end, End::Returned, "{question}");
    }
}

//! Instances serve one transaction after another, and nothing of one is seen by the next.

use std::sync::Arc;

use parapet_cosmwasm::{Contract, End};

use super::{Called, contract_with, load, sudo};

/// Objects if anything is not as it was in the beginning, then changes all that a contract can change.
const POISON: &str = "
    (block $seen
        (br_if $seen (i32.ne (memory.size) (i32.const 2)))
        (br_if $seen (i32.ne (global.get $own) (i32.const 5)))
        (br_if $seen (i64.ne (global.get $wide) (i64.const 6)))
        (br_if $seen (i32.ne (i32.load (i32.const 0x3000)) (i32.const 0)))
        (br_if $seen (i32.ne (i32.load (i32.const 131068)) (i32.const 0)))
        (br_if $seen (i32.ne (i32.load (i32.const 0x700)) (i32.const 0x64636261)))
        (br_if $seen (i32.eq (i32.const -1) (memory.grow (i32.const 3))))
        (br_if $seen (i32.ne (i32.load (i32.const 131072)) (i32.const 0)))
        (br_if $seen (i32.ne (i32.load (i32.const 327676)) (i32.const 0)))
        (i32.store (i32.const 0x3000) (i32.const 1))
        (i32.store (i32.const 131068) (i32.const 1))
        (i32.store (i32.const 0x700) (i32.const 1))
        (i32.store (i32.const 131072) (i32.const -1))
        (i32.store (i32.const 327676) (i32.const -1))
        (global.set $own (i32.const 1))
        (global.set $wide (i64.const 1))
        (return (global.get $ok)))
    (global.get $no)";

fn poison(then: &str) -> Arc<Contract> {
    let parts = r#"(global $own (mut i32) (i32.const 5)) (global $wide (mut i64) (i64.const 6))
        (data (i32.const 0x700) "abcd")"#;
    load(&contract_with("", parts, &POISON.replace("(return (global.get $ok))", then)))
}

fn same(first: &Called, later: &Called) {
    assert_eq!(later.end, first.end);
    assert_eq!(later.fuel, first.fuel, "an instance that was used costs what a new one costs");
}

#[test]
fn a_used_instance_is_as_new_and_costs_the_same() {
    let contract = poison("(return (global.get $ok))");
    let first = sudo(&contract);
    assert_eq!(first.end, End::Returned);
    for _ in 0..50 {
        same(&first, &sudo(&contract));
    }
}

#[test]
fn an_instance_that_vetoed_is_as_new_too() {
    let contract = poison("(return (i32.const 0x200))");
    let first = sudo(&contract);
    assert!(matches!(first.end, End::Vetoed { .. }));
    for _ in 0..10 {
        same(&first, &sudo(&contract));
    }
}

#[test]
fn after_a_trap_and_after_exhaustion_the_next_instance_is_as_new() {
    for then in ["unreachable", "(loop (br 0))"] {
        let contract = poison(then);
        let first = sudo(&contract);
        assert!(matches!(first.end, End::Trapped { .. } | End::OutOfFuel), "{:?}", first.end);
        for _ in 0..5 {
            same(&first, &sudo(&contract));
        }
    }
}

#[test]
fn threads_share_a_contract_and_none_sees_another() {
    let contract = poison("(return (global.get $ok))");
    let first = sudo(&contract);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| same(&first, &sudo(&contract))));
        }
    });
}

#[test]
fn an_instance_that_grew_large_is_dropped_and_the_next_is_as_new() {
    let large = "(if (i32.eq (memory.size) (i32.const 2)) (then
            (drop (memory.grow (i32.const 60)))
            (i32.store (i32.const 4000000) (i32.const 1))
            (return (global.get $ok))))
        (global.get $no)";
    let contract = load(&super::contract(large));
    for _ in 0..3 {
        assert_eq!(sudo(&contract).end, End::Returned);
    }
}

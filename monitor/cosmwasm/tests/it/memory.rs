//! What a contract pays for its memory, and for an instance that nobody can use again.

use std::sync::Arc;

use parapet_cosmwasm::{Contract, End, metering};
use parapet_monitor::{Fuel, MemoryState};
use parapet_vm::{HookCall, Subject, metering::MEMORY_PAGE};

use super::{Called, FUEL_MAX, call_as, contract, contract_with, load, subject, sudo, trace};

/// Pages that the contracts of these tests start with.
const PAGES: u64 = 2;

fn with_fuel(contract: &Arc<Contract>, fuel: u64) -> Called {
    let subject = Subject { fuel_max: Fuel(fuel), ..subject() };
    call_as(contract, subject, HookCall::OnTx, &trace(), &mut MemoryState::default()).unwrap()
}

fn growing(pages: u64) -> Arc<Contract> {
    load(&contract(&format!("(drop (memory.grow (i32.const {pages}))) (global.get $ok)")))
}

#[test]
fn pages_that_are_kept_are_paid_for_by_looking_through_them() {
    let (none, one, ten) = (sudo(&growing(0)), sudo(&growing(1)), sudo(&growing(10)));
    assert_eq!(none.end, End::Returned);
    assert_eq!(one.fuel.0 - none.fuel.0, metering::PAGE_KEPT);
    assert_eq!(ten.fuel.0 - none.fuel.0, 10 * metering::PAGE_KEPT);
}

#[test]
fn memory_that_is_too_large_to_be_kept_is_paid_for_as_lost() {
    let (none, large) = (sudo(&growing(0)), sudo(&growing(60)));
    assert_eq!(large.end, End::Returned);
    let lost = metering::INSTANCE_LOST + (PAGES + 60) * MEMORY_PAGE;
    assert_eq!(large.fuel.0 - none.fuel.0, lost);
}

#[test]
fn memory_that_could_not_be_paid_for_is_not_given_and_all_is_spent() {
    // What happens to somebody who is refused memory must not be what the contract makes of it.
    let careless = load(&contract(
        "(if (i32.eq (i32.const -1) (memory.grow (i32.const 40))) (then (return (global.get $no)))) (global.get $ok)",
    ));
    let needed = sudo(&careless).fuel;
    assert_eq!(with_fuel(&careless, needed.0).end, End::Returned);
    let less = 40 * MEMORY_PAGE;
    let starved = with_fuel(&careless, less);
    assert_eq!((starved.end, starved.fuel), (End::OutOfFuel, Fuel(less)));
    let beyond = load(&contract(
        "(if (i32.ne (i32.const -1) (memory.grow (i32.const 63))) (then (return (global.get $no)))) (global.get $ok)",
    ));
    assert_eq!(with_fuel(&beyond, less).end, End::Returned, "beyond the cap there is nothing for anybody");
}

#[test]
fn a_trap_costs_the_instance_and_who_could_not_pay_that_does_not_begin() {
    let trap = load(&contract("unreachable"));
    let (ended, trapped) = (sudo(&load(&contract("(global.get $ok)"))), sudo(&trap));
    assert!(matches!(trapped.end, End::Trapped { .. }));
    // The one that returned paid for the word that says its state is made; the one that trapped never came to that.
    let lost = metering::INSTANCE_LOST + PAGES * MEMORY_PAGE;
    assert!(trapped.fuel.0 > lost, "{:?}", trapped.fuel);
    assert!(trapped.fuel.0 - lost < ended.fuel.0, "{:?}", trapped.fuel);
    let short = with_fuel(&trap, lost);
    assert_eq!((short.end, short.fuel), (End::OutOfFuel, Fuel(lost)));
}

#[test]
fn what_memory_costs_is_the_same_for_a_new_instance_and_for_one_that_was_used() {
    let grows = contract_with(
        "",
        "",
        "(drop (memory.grow (i32.const 5))) (i32.store (i32.const 393216) (i32.const 1)) (global.get $ok)",
    );
    let (contract, first) = (load(&grows), sudo(&load(&grows)));
    for _ in 0..5 {
        let again = sudo(&contract);
        assert_eq!((again.end, again.fuel), (first.end.clone(), first.fuel));
    }
    assert!(first.fuel.0 < FUEL_MAX);
}

use std::num::NonZeroUsize;

use alloy_primitives::{TxKind, U256};
use parapet_bench::{
    BenchError, Case, agree,
    lean::{self, CodeCache},
    recovery, suite,
};
use parapet_executor::Workers;
use parapet_types::{AccountChange, AccountInfo, StateChanges, Withdrawal};
use parapet_workloads::{Kind, generate};

use crate::ground::{ETHER, Ground, account};

const GAS: u64 = 2_000_000;

fn workers() -> Workers {
    Workers::new(NonZeroUsize::new(2).unwrap())
}

#[test]
fn every_generated_workload_agrees_in_all_three_ways_to_run_it() {
    for kind in Kind::ALL {
        let case = suite::case(generate(kind, GAS));
        let run = agree::check(&case, &workers()).unwrap();
        assert_eq!(run.results.len(), case.transactions.len(), "{kind}");
        assert!(run.gas_used() > GAS / 2, "{kind} uses {} gas", run.gas_used());
    }
}

fn eventful() -> Case {
    let mut ground = Ground::with_accounts(4);
    let contract = account(100);
    // Logs a topic, writes a slot, sends one wei to the fee recipient.
    let code = [
        0x60, 0x2a, 0x5f, 0x5f, 0xa1, 0x43, 0x60, 0x01, 0x55, 0x5f, 0x5f, 0x5f, 0x5f, 0x60, 0x01, 0x41, 0x5a, 0xf1,
        0x00,
    ];
    ground.contract(contract, &code);
    ground.transfer(account(0), account(1), ETHER);
    ground.send(account(1), TxKind::Call(contract), 5, &[]);
    // Writes slot 0 of itself and destroys itself in its constructor.
    ground.send(account(2), TxKind::Create, 7, &[0x60, 0x01, 0x5f, 0x55, 0x33, 0xff]);
    // Returns one byte of code: STOP.
    ground.send(account(2), TxKind::Create, 0, &[0x60, 0x01, 0x5f, 0xf3]);
    // Reverts, and fails on an invalid instruction.
    ground.send(account(3), TxKind::Create, 0, &[0x5f, 0x5f, 0xfd]);
    ground.send(account(3), TxKind::Create, 0, &[0xfe]);
    let mut case = ground.case("eventful");
    case.block.withdrawals.push(Withdrawal { address: account(50), amount: 3, ..Withdrawal::default() });
    case
}

#[test]
fn logs_creations_self_destruction_failures_and_withdrawals_agree() {
    let run = agree::check(&eventful(), &workers()).unwrap();
    let succeeded: Vec<bool> = run.results.iter().map(|result| result.is_success()).collect();
    assert_eq!(succeeded, [true, true, true, true, false, false]);
    assert_eq!(run.results[1].logs().len(), 1);
    let changes = lean::changes(&run.state);
    assert_eq!(changes.accounts[&account(2).create(0)].info, None, "it destroyed itself");
    assert_eq!(changes.accounts[&account(50)].info.unwrap().balance, U256::from(3_000_000_000_u64));
}

#[test]
fn a_difference_in_one_slot_or_balance_is_named() {
    let case = eventful();
    let wanted = lean::changes(&lean::run(&case, &mut CodeCache::default()).unwrap().state);
    assert_eq!(agree::states_differ(&case.state, &wanted, &wanted).unwrap(), None);

    let mut other = wanted.clone();
    *other.accounts.get_mut(&account(100)).unwrap().storage.get_mut(&U256::from(1)).unwrap() += U256::from(1);
    let difference = agree::states_differ(&case.state, &wanted, &other).unwrap().unwrap();
    assert!(difference.starts_with("slot 0x1 of"), "{difference}");

    let mut other = wanted.clone();
    other.accounts.get_mut(&account(0)).unwrap().info.as_mut().unwrap().balance += U256::from(1);
    assert!(agree::states_differ(&case.state, &wanted, &other).unwrap().is_some());

    let empty = AccountChange { info: Some(AccountInfo::default()), ..AccountChange::default() };
    let mut other = wanted.clone();
    other.accounts.insert(account(77), empty);
    assert_eq!(agree::states_differ(&case.state, &wanted, &other).unwrap(), None, "an empty account is none");
    assert!(agree::states_differ(&case.state, &wanted, &StateChanges::default()).unwrap().is_some());
}

#[test]
fn an_invalid_transaction_ends_the_lean_loop_with_its_index() {
    let mut case = eventful();
    case.transactions.swap(2, 3);
    let error = lean::run(&case, &mut CodeCache::default()).unwrap_err();
    assert!(matches!(error, BenchError::Transaction { index: 2, .. }), "{error}");
}

#[test]
fn senders_recovered_on_threads_are_those_recovered_one_by_one_and_in_order() {
    let case = suite::case(generate(Kind::TransfersIndependent, 300_000));
    assert!(!case.signed.is_empty());
    assert_eq!(recovery::one_by_one(case.signed.clone()).unwrap(), case.transactions);
    for count in [1, 2, 3, 64] {
        let workers = Workers::new(NonZeroUsize::new(count).unwrap());
        assert_eq!(recovery::by_workers(case.signed.clone(), &workers).unwrap(), case.transactions, "{count} threads");
    }
}

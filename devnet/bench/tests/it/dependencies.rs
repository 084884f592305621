use alloy_primitives::{Address, TxKind, U256};
use parapet_bench::{
    Case,
    bound::Dependencies,
    conflicts::{Accounts, dependencies},
    footprint,
};

use crate::ground::{BENEFICIARY, ETHER, Ground, account};

const CONTRACT: Address = Address::repeat_byte(0xc0);

fn found(case: &Case, accounts: Accounts) -> Vec<Vec<u32>> {
    let found: Dependencies = dependencies(&footprint::record(case).unwrap(), accounts);
    (0..found.len()).map(|index| found.of(index).to_vec()).collect()
}

#[test]
fn independent_transfers_depend_on_nothing_either_way() {
    let mut ground = Ground::with_accounts(6);
    (0..3).for_each(|pair| ground.transfer(account(2 * pair), account(2 * pair + 1), 1));
    let case = ground.case("independent");
    assert_eq!(found(&case, Accounts::Lumped), vec![vec![]; 3] as Vec<Vec<u32>>);
    assert_eq!(found(&case, Accounts::Commutative), vec![vec![]; 3] as Vec<Vec<u32>>);
}

#[test]
fn a_chain_of_transfers_between_the_rich_is_a_chain_only_with_lumped_accounts() {
    let mut ground = Ground::with_accounts(4);
    (0..3).for_each(|number| ground.transfer(account(number), account(number + 1), 1));
    let case = ground.case("chain");
    assert_eq!(found(&case, Accounts::Lumped), [vec![], vec![0], vec![1]]);
    assert_eq!(found(&case, Accounts::Commutative), vec![vec![]; 3] as Vec<Vec<u32>>);
}

#[test]
fn a_sender_who_could_not_pay_without_a_credit_waits_for_it() {
    let mut ground = Ground::with_accounts(1);
    ground.fund(account(9), U256::from(1));
    ground.transfer(account(0), account(9), ETHER);
    ground.transfer(account(9), account(1), 1);
    assert_eq!(found(&ground.case("poor"), Accounts::Commutative), [vec![], vec![0]]);
}

#[test]
fn a_sender_whose_own_debits_used_up_what_was_there_waits_for_all_changes() {
    let mut ground = Ground::with_accounts(2);
    ground.fund(account(9), U256::from(2 * ETHER));
    ground.transfer(account(9), account(1), ETHER);
    ground.transfer(account(0), account(9), ETHER);
    ground.transfer(account(9), account(1), ETHER);
    assert_eq!(found(&ground.case("spent"), Accounts::Commutative), [vec![], vec![], vec![0, 1]]);
}

#[test]
fn transactions_of_one_sender_wait_for_each_other_only_with_lumped_accounts() {
    let mut ground = Ground::with_accounts(1);
    (1..4).for_each(|number| ground.transfer(account(0), account(number), 1));
    let case = ground.case("one sender");
    assert_eq!(found(&case, Accounts::Lumped), [vec![], vec![0], vec![1]]);
    assert_eq!(found(&case, Accounts::Commutative), vec![vec![]; 3] as Vec<Vec<u32>>);
}

#[test]
fn who_looks_at_a_balance_waits_for_every_change_of_it() {
    let mut ground = Ground::with_accounts(4);
    // SELFBALANCE, POP, STOP.
    ground.contract(CONTRACT, &[0x47, 0x50, 0x00]);
    ground.transfer(account(0), account(1), 1);
    ground.transfer(account(2), CONTRACT, 1);
    ground.transfer(account(3), CONTRACT, 0);
    assert_eq!(found(&ground.case("looks"), Accounts::Commutative), [vec![], vec![], vec![1]]);
}

#[test]
fn who_looks_at_the_fee_recipients_balance_waits_for_the_whole_block() {
    let mut ground = Ground::with_accounts(6);
    // COINBASE, BALANCE, POP, STOP.
    ground.contract(CONTRACT, &[0x41, 0x31, 0x50, 0x00]);
    ground.fund(BENEFICIARY, U256::from(ETHER));
    ground.transfer(account(0), account(1), 1);
    ground.transfer(account(2), account(3), 1);
    ground.transfer(account(4), CONTRACT, 0);
    let case = ground.case("coinbase");
    assert_eq!(found(&case, Accounts::Commutative), [vec![], vec![], vec![0, 1]]);
    assert_eq!(found(&case, Accounts::Lumped), [vec![], vec![], vec![0, 1]]);
}

#[test]
fn a_slot_is_waited_for_by_its_readers_and_by_nobody_else() {
    let mut ground = Ground::with_accounts(4);
    // Slot CALLDATALOAD(0) becomes CALLDATALOAD(32), if that is not zero; it is read in any case.
    let code = [0x60, 0x20, 0x35, 0x80, 0x15, 0x60, 0x0c, 0x57, 0x5f, 0x35, 0x55, 0x00, 0x5b, 0x5f, 0x35, 0x54, 0x00];
    ground.contract(CONTRACT, &code);
    let input =
        |slot: u64, value: u64| [U256::from(slot).to_be_bytes::<32>(), U256::from(value).to_be_bytes()].concat();
    for (number, (slot, value)) in (0..).zip([(1, 7), (2, 7), (1, 0), (2, 8)]) {
        ground.send(account(number), TxKind::Call(CONTRACT), 0, &input(slot, value));
    }
    let case = ground.case("slots");
    assert_eq!(found(&case, Accounts::Commutative), [vec![], vec![], vec![0], vec![1]]);
    assert_eq!(found(&case, Accounts::Lumped), [vec![], vec![], vec![0], vec![1]]);
}

#[test]
fn a_call_of_what_was_just_created_waits_for_the_creation() {
    let mut ground = Ground::with_accounts(2);
    // Returns one byte of code: STOP.
    ground.send(account(0), TxKind::Create, 0, &[0x60, 0x01, 0x5f, 0xf3]);
    ground.transfer(account(1), account(0).create(0), 0);
    assert_eq!(found(&ground.case("created"), Accounts::Commutative), [vec![], vec![0]]);
}

#[test]
fn contracts_that_create_take_their_nonces_one_after_the_other() {
    let mut ground = Ground::with_accounts(3);
    // CREATE of nothing, POP, STOP: the address comes from the contract's nonce.
    ground.contract(CONTRACT, &[0x5f, 0x5f, 0x5f, 0xf0, 0x50, 0x00]);
    (0..3).for_each(|number| ground.transfer(account(number), CONTRACT, 0));
    assert_eq!(found(&ground.case("creators"), Accounts::Commutative), [vec![], vec![0], vec![1]]);
}

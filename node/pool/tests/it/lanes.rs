//! Order, gaps, replacement, eviction, and following the chain.

use std::convert::Infallible;

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use parapet_pool::{FAULTS_MAX, Limits, Order, Place, Pool, PoolError};
use parapet_types::Transaction;

use crate::support::{GWEI, RULES, account, add, best, dynamic, legacy, roomy, sender, signed, transfer, with_input};

/// First byte of the sender and nonce, in the order in which a block would take them.
fn order(pool: &Pool) -> Vec<(u8, u64)> {
    best(pool, RULES.base_fee).iter().map(|transaction| (transaction.signer()[0], transaction.nonce())).collect()
}

fn hash(transaction: &Transaction) -> alloy_primitives::B256 {
    *transaction.tx_hash()
}

#[test]
fn best_goes_by_tip_then_arrival_and_keeps_nonces_in_order() {
    let mut pool = roomy();
    for transaction in [transfer(1, 1, 90), transfer(1, 0, 1), transfer(2, 0, 5), transfer(3, 0, 5), transfer(2, 1, 7)]
    {
        add(&mut pool, transaction).unwrap();
    }
    assert_eq!(order(&pool), [(2, 0), (2, 1), (3, 0), (1, 0), (1, 1)]);
}

#[test]
fn in_the_order_of_arrival_what_came_first_goes_first_and_nonces_stay_in_order() {
    let mut pool = roomy().in_order(Order::Arrival);
    for transaction in [transfer(1, 1, 90), transfer(2, 0, 1), transfer(3, 0, 50), transfer(1, 0, 1)] {
        add(&mut pool, transaction).unwrap();
    }
    assert_eq!(order(&pool), [(2, 0), (3, 0), (1, 0), (1, 1)]);
    pool.clear();
    for transaction in [transfer(1, 0, 1), transfer(2, 0, 2)] {
        add(&mut pool, transaction).unwrap();
    }
    assert_eq!(order(&pool), [(1, 0), (2, 0)], "an order outlasts what waited");
}

#[test]
fn the_effective_tip_is_bounded_by_what_the_maximum_fee_leaves() {
    let mut pool = roomy();
    add(&mut pool, signed(1, dynamic(0, 9 * GWEI, 9 * GWEI))).unwrap();
    add(&mut pool, signed(2, dynamic(0, 2 * GWEI, 100 * GWEI))).unwrap();
    add(&mut pool, signed(3, legacy(0, 4 * GWEI))).unwrap();
    assert_eq!(order(&pool), [(1, 0), (3, 0), (2, 0)]);
    let at_eight: Vec<Address> = best(&pool, 8 * GWEI as u64).iter().map(Transaction::signer).collect();
    assert_eq!(at_eight, [sender(2), sender(1)]);
}

#[test]
fn a_transaction_that_does_not_pay_the_base_fee_holds_back_those_behind_it() {
    let mut pool = roomy();
    add(&mut pool, signed(1, dynamic(0, 0, 2 * GWEI))).unwrap();
    add(&mut pool, transfer(1, 1, 5)).unwrap();
    assert_eq!(best(&pool, 3 * GWEI as u64), []);
    assert_eq!(best(&pool, 2 * GWEI as u64).len(), 2);
}

#[test]
fn a_nonce_gap_waits_until_it_is_filled() {
    let mut pool = roomy();
    assert_eq!(add(&mut pool, transfer(1, 2, 1)).unwrap().place, Place::Queued);
    assert_eq!(add(&mut pool, transfer(1, 0, 1)).unwrap().place, Place::Pending);
    assert_eq!((order(&pool), pool.counts()), (vec![(1, 0)], (1, 1)));
    assert_eq!(pool.next_nonce(&sender(1), 0), 1);
    assert_eq!(pool.content().queued[&sender(1)].keys().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(add(&mut pool, transfer(1, 1, 1)).unwrap().place, Place::Pending);
    assert_eq!((order(&pool), pool.counts()), (vec![(1, 0), (1, 1), (1, 2)], (3, 0)));
    assert_eq!(pool.next_nonce(&sender(1), 0), 3);
    assert_eq!(pool.next_nonce(&sender(2), 7), 7);
}

#[test]
fn a_replacement_must_raise_both_fees_by_a_tenth() {
    let mut pool = roomy();
    let first = signed(1, dynamic(0, 10 * GWEI, 100 * GWEI));
    add(&mut pool, first.clone()).unwrap();
    for (tip, max_fee) in [(11 * GWEI - 1, 110 * GWEI), (11 * GWEI, 110 * GWEI - 1), (10 * GWEI, 100 * GWEI + 1)] {
        let error = add(&mut pool, signed(1, dynamic(0, tip, max_fee))).unwrap_err();
        assert!(error.to_string().starts_with("replacement transaction underpriced"), "{error}");
        assert_eq!(pool.get(hash(&first)), Some(&first));
    }
    let second = signed(1, dynamic(0, 11 * GWEI, 110 * GWEI));
    let added = add(&mut pool, second.clone()).unwrap();
    assert_eq!((added.replaced, added.place), (Some(hash(&first)), Place::Pending));
    assert_eq!((pool.get(hash(&first)), pool.get(hash(&second)), pool.len()), (None, Some(&second), 1));
}

#[test]
fn a_tip_of_zero_can_be_replaced_by_one_of_zero() {
    let mut pool = roomy();
    add(&mut pool, signed(1, dynamic(0, 0, 2 * GWEI))).unwrap();
    assert!(add(&mut pool, signed(1, dynamic(0, 0, 3 * GWEI))).is_ok());
}

#[test]
fn mined_and_overtaken_transactions_go() {
    let mut pool = roomy();
    for nonce in 0..4 {
        add(&mut pool, transfer(1, nonce, 1)).unwrap();
    }
    add(&mut pool, transfer(2, 0, 1)).unwrap();
    let mined = [transfer(1, 0, 1), transfer(1, 1, 1)];
    // The account is further on than what was mined: someone used its nonce 2 elsewhere.
    let overtaken =
        pool.remove_mined(&mined, |who| Ok::<_, Infallible>(account(if *who == sender(1) { 3 } else { 0 }))).unwrap();
    assert_eq!(overtaken, [transfer(1, 2, 1)]);
    assert_eq!(order(&pool), [(1, 3), (2, 0)]);
}

#[test]
fn a_rewound_account_makes_its_transactions_wait() {
    let mut pool = roomy();
    pool.add(transfer(1, 5, 1), account(5), &RULES).unwrap();
    assert_eq!(pool.counts(), (1, 0));
    assert_eq!(pool.remove_mined(&[], |_| Ok::<_, Infallible>(account(3))).unwrap(), []);
    assert_eq!(pool.counts(), (0, 1));
}

#[test]
fn dropping_a_transaction_leaves_a_gap() {
    let mut pool = roomy();
    for nonce in 0..3 {
        add(&mut pool, transfer(1, nonce, 1)).unwrap();
    }
    assert_eq!(pool.drop(hash(&transfer(1, 1, 1))), Some(transfer(1, 1, 1)));
    assert_eq!(pool.drop(hash(&transfer(1, 1, 1))), None);
    assert_eq!((order(&pool), pool.counts()), (vec![(1, 0)], (1, 1)));
    pool.clear();
    assert_eq!((pool.len(), pool.bytes(), pool.counts()), (0, 0, (0, 0)));
}

#[test]
fn a_full_pool_evicts_the_lowest_tip_from_a_tail() {
    let mut pool = Pool::new(Limits { transactions_max: 3, ..Limits::default() });
    add(&mut pool, transfer(1, 0, 1)).unwrap();
    add(&mut pool, transfer(1, 1, 5)).unwrap();
    add(&mut pool, transfer(2, 0, 3)).unwrap();
    // The lowest tip of all is not at a tail, so the next lowest goes.
    let added = add(&mut pool, transfer(3, 0, 4)).unwrap();
    assert_eq!(added.evicted, [hash(&transfer(2, 0, 3))]);
    let error = add(&mut pool, transfer(4, 0, 4)).unwrap_err();
    assert_eq!(error, PoolError::Full { transactions: 3 });
    assert_eq!(order(&pool), [(3, 0), (1, 0), (1, 1)]);
}

#[test]
fn a_refused_newcomer_brings_back_what_was_evicted_for_it() {
    let mut pool = Pool::new(Limits { bytes_max: 3_000, ..Limits::default() });
    add(&mut pool, signed(1, with_input(0, 1, 500))).unwrap();
    add(&mut pool, signed(2, with_input(0, 9, 2_000))).unwrap();
    let (content, bytes) = (pool.content(), pool.bytes());
    // It outbids the first but not the second, and needs the room of both.
    let error = add(&mut pool, signed(3, with_input(0, 5, 2_500))).unwrap_err();
    assert!(matches!(error, PoolError::Full { .. }), "{error}");
    assert_eq!((pool.content(), pool.bytes()), (content, bytes));
    assert_eq!(order(&pool), [(2, 0), (1, 0)]);
}

#[test]
fn one_sender_cannot_fill_the_pool_and_can_still_fill_its_gap() {
    let mut pool = Pool::new(Limits { per_sender_max: 3, ..Limits::default() });
    for nonce in [0, 2, 3] {
        add(&mut pool, transfer(1, nonce, 1)).unwrap();
    }
    let error = add(&mut pool, transfer(1, 4, 99)).unwrap_err();
    assert_eq!(error, PoolError::SenderLimit { sender: sender(1), max: 3 });
    let added = add(&mut pool, transfer(1, 1, 1)).unwrap();
    assert_eq!((added.place, added.evicted), (Place::Pending, vec![hash(&transfer(1, 3, 1))]));
    assert_eq!(order(&pool), [(1, 0), (1, 1), (1, 2)]);
}

#[test]
fn a_transaction_that_the_node_fails_to_execute_does_not_starve_others() {
    let mut pool = roomy();
    let (dear, cheap) = (transfer(1, 0, 90), transfer(2, 0, 1));
    for transaction in [dear.clone(), transfer(1, 1, 90), cheap] {
        add(&mut pool, transaction).unwrap();
    }
    for _ in 1..FAULTS_MAX {
        pool.note_fault(hash(&dear));
        assert_eq!(order(&pool), [(1, 0), (1, 1), (2, 0)], "it is retried in its turn");
    }
    pool.note_fault(hash(&dear));
    assert_eq!(order(&pool), [(2, 0), (1, 0), (1, 1)], "then it comes last, and is retried all the same");
}

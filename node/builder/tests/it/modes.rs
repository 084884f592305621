//! When blocks are mined, and their time.

use std::{sync::atomic::Ordering, time::Duration};

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, U256};
use parapet_builder::{
    Amendment, BLOCKS_PER_REQUEST_MAX, ChainError, Consequence, Event, MineRequest, Mining, Settings,
};
use parapet_pool::{Balances, PoolError};

use crate::fixture::{Dev, GENESIS_TIME, call};

fn manual() -> Dev {
    Dev::new(Settings { mining: Mining::Manual, ..Settings::default() })
}

#[test]
fn instant_mining_mines_what_is_ready_and_waits_for_gaps() {
    let dev = Dev::new(Settings::default());
    let late = dev.submit(dev.transfer(0, 1));
    assert_eq!(dev.number(), 0);
    assert!(dev.chain.pooled(late).is_some());
    assert_eq!(dev.chain.next_nonce(&dev.address(0)).unwrap(), 0);

    let early = dev.submit(dev.transfer(0, 0));
    let place = |hash| dev.chain.transaction(hash).unwrap().map(|(block, index)| (block.number(), index));
    assert_eq!((place(early), place(late)), (Some((1, 0)), Some((1, 1))));
    assert_eq!(dev.chain.pool_counts(), (0, 0));
    assert_eq!(dev.chain.next_nonce(&dev.address(0)).unwrap(), 2);

    dev.submit(dev.transfer(0, 2));
    dev.submit(dev.transfer(0, 3));
    assert_eq!(dev.number(), 3, "those that do not come together have blocks of their own");
}

#[test]
fn transactions_that_come_together_are_in_one_block_as_far_as_it_holds_them() {
    let dev = Dev::new(Settings::default());
    let half = dev.chain.params().block_gas_limit / 2;
    let big = |account, nonce| {
        dev.sign(account, TxEip1559 { nonce, gas_limit: half.min(16_000_000), ..call(Address::ZERO, U256::ZERO) })
    };
    let fit = (dev.chain.params().block_gas_limit / half.min(16_000_000)) as usize;
    let answers =
        dev.chain.submit_all((0..2 * fit as u64).map(|nonce| big(0, nonce)).chain([dev.transfer(1, 0)]).collect());
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(dev.chain.pool_counts(), (0, 0));
    let lengths: Vec<_> = (1..=dev.number()).map(|n| dev.chain.block(n).unwrap().unwrap().transactions.len()).collect();
    assert_eq!(lengths.iter().sum::<usize>(), 2 * fit + 1);
    assert!(lengths.len() < 2 * fit, "{lengths:?}");
}

#[test]
fn each_of_those_that_come_together_has_an_answer_of_its_own() {
    let dev = Dev::new(Settings::default());
    let poor = dev.sign(1, TxEip1559 { max_fee_per_gas: 1, ..call(Address::ZERO, U256::ZERO) });
    let all = vec![dev.transfer(0, 0), poor, dev.transfer(0, 0), dev.transfer(0, 1), dev.transfer(0, 5)];
    let answers = dev.chain.submit_all(all);
    let good: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, false, true, true]);
    assert!(matches!(answers[2], Err(ChainError::Pool(PoolError::AlreadyKnown { .. }))));
    assert_eq!((dev.number(), dev.chain.pool_counts()), (1, (0, 1)));
}

#[test]
fn a_block_takes_no_more_transactions_than_it_was_told() {
    let dev = Dev::new(Settings { mining: Mining::Manual, block_transactions_max: 2, ..Settings::default() });
    for nonce in 0..5 {
        dev.submit(dev.transfer(0, nonce));
    }
    dev.chain.mine(MineRequest { blocks: 3, ..MineRequest::default() }).unwrap();
    let lengths: Vec<_> = (1..=3).map(|n| dev.chain.block(n).unwrap().unwrap().transactions.len()).collect();
    assert_eq!(lengths, [2, 2, 1]);
}

#[test]
fn who_cannot_pay_yet_waits_where_balances_are_ignored_and_leaves_if_it_still_cannot() {
    let settings = Settings { mining: Mining::Manual, balances: Balances::Ignored, ..Settings::default() };
    let dev = Dev::new(settings);
    let all = dev.balance(dev.address(0));
    let (rich, poor) = (dev.transfer(1, 0), dev.sign(0, call(Address::ZERO, all)));
    let hash = *poor.tx_hash();
    for transaction in [rich, poor.clone()] {
        dev.submit(transaction);
    }
    dev.chain.mine(MineRequest::default()).unwrap();
    assert!(dev.chain.transaction(hash).unwrap().is_none() && dev.chain.pooled(hash).is_none());
    assert_eq!(dev.chain.block(1).unwrap().unwrap().transactions.len(), 1);

    dev.submit(poor);
    dev.chain.amend(dev.address(0), Amendment::Balance(all + all)).unwrap();
    dev.chain.mine(MineRequest::default()).unwrap();
    assert!(dev.chain.transaction(hash).unwrap().is_some());
}

#[tokio::test]
async fn mixed_mining_mines_what_comes_and_goes_on_by_itself() {
    let dev = Dev::new(Settings { mining: Mining::Mixed(Duration::from_millis(20)), ..Settings::default() });
    let mut events = dev.chain.events();
    let hash = dev.submit(dev.transfer(0, 0));
    assert!(dev.chain.transaction(hash).unwrap().is_some());
    let miner = tokio::spawn(dev.chain.clone().mine_at_intervals());
    for number in 1..4 {
        let Event::Block(block) = events.recv().await.unwrap() else { panic!("no block was dropped") };
        assert_eq!(block.number(), number);
    }
    dev.chain.close();
    miner.await.unwrap().unwrap();
}

#[test]
fn manual_mining_takes_all_that_is_ready_into_one_block() {
    let dev = manual();
    dev.submit(dev.transfer(0, 0));
    dev.submit(dev.transfer(0, 1));
    dev.submit(dev.transfer(1, 0));
    dev.submit(dev.transfer(2, 5));
    assert_eq!(dev.number(), 0);
    assert_eq!(dev.chain.next_nonce(&dev.address(0)).unwrap(), 2);
    dev.chain.mine(MineRequest::default()).unwrap();
    assert_eq!(dev.chain.head().block.transactions.len(), 3);
    assert_eq!(dev.chain.pool_counts(), (0, 1));
}

#[test]
fn turning_to_instant_mining_mines_what_waited() {
    let dev = manual();
    dev.submit(dev.transfer(0, 0));
    dev.chain.set_mining(Mining::Instant).unwrap();
    assert_eq!(dev.number(), 1);
}

#[test]
fn a_sender_that_cannot_pay_for_all_it_sent_loses_what_it_cannot_pay() {
    let dev = manual();
    let all_but_a_little = dev.balance(dev.address(0)) - U256::from(10u128.pow(18));
    let spend = |nonce| dev.sign(0, TxEip1559 { nonce, ..call(Address::repeat_byte(1), all_but_a_little) });
    let (first, second) = (dev.submit(spend(0)), dev.submit(spend(1)));
    dev.chain.mine(MineRequest::default()).unwrap();
    assert!(dev.chain.transaction(first).unwrap().is_some());
    assert!(dev.chain.transaction(second).unwrap().is_none());
    assert!(dev.chain.pooled(second).is_none());
}

#[test]
fn a_refused_transaction_leaves_everything_as_it_was() {
    let dev = Dev::new(Settings::default());
    let poor =
        dev.sign(0, TxEip1559 { max_fee_per_gas: 1, max_priority_fee_per_gas: 1, ..call(Address::ZERO, U256::ZERO) });
    let error = dev.chain.submit(poor).unwrap_err();
    assert!(matches!(error, ChainError::Pool(PoolError::BaseFee { .. })), "{error}");
    assert_eq!(error.consequence(), Consequence::Refuse);
    assert_eq!((dev.number(), dev.chain.pool_counts()), (0, (0, 0)));
}

#[test]
fn time_follows_the_clock_moves_forward_and_can_be_set() {
    let dev = manual();
    let mine = || {
        dev.chain.mine(MineRequest::default()).unwrap();
        dev.chain.head().block.header.timestamp
    };
    assert_eq!(mine(), GENESIS_TIME + 100);
    assert_eq!(mine(), GENESIS_TIME + 101);
    // From the head on, which is a second ahead of the clock.
    assert_eq!(dev.chain.increase_time(1_000).unwrap(), 1_001);
    assert_eq!(mine(), GENESIS_TIME + 1_101);
    dev.chain.set_next_block_timestamp(GENESIS_TIME + 5_000).unwrap();
    assert_eq!(dev.chain.next_context(&dev.chain.head()).timestamp, GENESIS_TIME + 5_000);
    assert_eq!(mine(), GENESIS_TIME + 5_000);
    dev.clock.fetch_add(7, Ordering::SeqCst);
    assert_eq!(mine(), GENESIS_TIME + 5_007);
    let error = dev.chain.set_next_block_timestamp(GENESIS_TIME).unwrap_err();
    assert!(matches!(error, ChainError::Timestamp { .. }), "{error}");
}

#[test]
fn many_blocks_are_mined_at_a_given_distance_and_no_more_than_the_limit() {
    let dev = manual();
    let request = MineRequest { blocks: 3, spacing: Some(60), timestamp: Some(GENESIS_TIME + 1_000) };
    dev.chain.mine(request).unwrap();
    let times: Vec<_> = (1..=3).map(|n| dev.chain.block(n).unwrap().unwrap().header.timestamp - GENESIS_TIME).collect();
    assert_eq!(times, [1_000, 1_060, 1_120]);
    let error =
        dev.chain.mine(MineRequest { blocks: BLOCKS_PER_REQUEST_MAX + 1, ..MineRequest::default() }).unwrap_err();
    assert!(matches!(error, ChainError::TooManyBlocks(_)), "{error}");
    assert_eq!(dev.number(), 3);
}

#[tokio::test]
async fn interval_mining_goes_on_by_itself_until_it_is_turned_off() {
    let dev = Dev::new(Settings { mining: Mining::Interval(Duration::from_millis(20)), ..Settings::default() });
    let mut events = dev.chain.events();
    let miner = tokio::spawn(dev.chain.clone().mine_at_intervals());
    let hash = dev.submit(dev.transfer(0, 0));
    let mut found = false;
    for _ in 0..5 {
        let Event::Block(block) = events.recv().await.unwrap() else { panic!("no block was dropped") };
        found |= block.transactions.iter().any(|tx| *tx.tx_hash() == hash);
    }
    assert!(found, "the transaction is in one of the blocks");
    dev.chain.close();
    miner.await.unwrap().unwrap();
    assert!(matches!(dev.chain.mine(MineRequest::default()), Err(ChainError::Closed)));
}

#[test]
fn a_block_time_of_nothing_is_refused() {
    let dev = manual();
    let error = dev.chain.set_mining(Mining::Interval(Duration::ZERO)).unwrap_err();
    assert!(matches!(error, ChainError::BlockTime(0)), "{error}");
    assert_eq!(dev.chain.mining(), Mining::Manual);
}

//! When blocks are mined, and their time.

use std::{sync::atomic::Ordering, time::Duration};

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, U256};
use parapet_builder::{BLOCKS_PER_REQUEST_MAX, ChainError, Consequence, Event, MineRequest, Mining, Settings};
use parapet_pool::PoolError;

use crate::fixture::{Dev, GENESIS_TIME, call};

fn manual() -> Dev {
    Dev::new(Settings { mining: Mining::Manual, ..Settings::default() })
}

#[test]
fn instant_mining_gives_every_transaction_its_block_and_waits_for_gaps() {
    let dev = Dev::new(Settings::default());
    let late = dev.submit(dev.transfer(0, 1));
    assert_eq!(dev.number(), 0);
    assert!(dev.chain.pooled(late).is_some());
    assert_eq!(dev.chain.next_nonce(&dev.address(0)).unwrap(), 0);

    let early = dev.submit(dev.transfer(0, 0));
    assert_eq!(dev.number(), 2);
    assert_eq!(dev.chain.transaction(early).unwrap().unwrap().0.number(), 1);
    assert_eq!(dev.chain.transaction(late).unwrap().unwrap().0.number(), 2);
    assert_eq!(dev.chain.pool_counts(), (0, 0));
    assert_eq!(dev.chain.next_nonce(&dev.address(0)).unwrap(), 2);
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
    assert_eq!(dev.chain.increase_time(1_000).unwrap(), 1_000);
    assert_eq!(mine(), GENESIS_TIME + 1_100);
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

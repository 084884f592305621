//! Going back.

use alloy_primitives::U256;
use parapet_builder::{Amendment, Event, MineRequest, Mining, Settings};

use crate::fixture::{Dev, GENESIS_TIME};

#[test]
fn reverting_restores_state_time_and_amendments_and_empties_the_pool() {
    let dev = Dev::new(Settings::default());
    dev.submit(dev.transfer(0, 0));
    dev.chain.amend(dev.address(3), Amendment::Balance(U256::from(3))).unwrap();
    let before = dev.chain.head();
    let id = dev.chain.snapshot().unwrap();

    dev.chain.amend(dev.address(3), Amendment::Balance(U256::from(4))).unwrap();
    let dropped = dev.submit(dev.transfer(0, 1));
    dev.submit(dev.transfer(0, 5));
    dev.chain.increase_time(10_000).unwrap();
    let mut events = dev.chain.events();
    assert!(dev.chain.revert(id).unwrap().is_some());

    let after = dev.chain.head();
    assert_eq!(after.block, before.block);
    assert_eq!(after.world.root(), before.world.root());
    assert_eq!(dev.balance(dev.address(3)), U256::from(3));
    assert_eq!(dev.chain.transaction(dropped).unwrap(), None);
    assert_eq!(dev.chain.pool_counts(), (0, 0));
    assert_eq!(dev.chain.next_context(&after).timestamp, GENESIS_TIME + 101);
    let Event::Dropped(blocks) = events.try_recv().unwrap() else { panic!("a block was dropped") };
    assert_eq!(blocks.iter().map(|block| block.number()).collect::<Vec<_>>(), [2]);

    // The same transaction is good again, and what was amended before the snapshot is committed with it.
    dev.submit(dev.transfer(0, 1));
    assert_eq!(dev.chain.head().block.header.state_root, dev.chain.head().world.root());
    assert_eq!(dev.balance(dev.address(3)), U256::from(3));
}

#[test]
fn a_reset_chain_is_at_genesis_as_if_nothing_had_been() {
    let dev = Dev::new(Settings::default());
    let genesis = dev.chain.head();
    dev.submit(dev.transfer(0, 0));
    let id = dev.chain.snapshot().unwrap();
    dev.chain.amend(dev.address(3), Amendment::Balance(U256::from(3))).unwrap();
    dev.submit(dev.transfer(0, 5));
    dev.chain.increase_time(10_000).unwrap();
    dev.chain.reset().unwrap();
    let head = dev.chain.head();
    assert_eq!((&head.block, head.world.root()), (&genesis.block, genesis.world.root()));
    assert_eq!(dev.chain.next_context(&head), dev.chain.next_context(&genesis));
    assert_eq!(dev.chain.pool_counts(), (0, 0));
    assert_eq!(dev.chain.snapshots().unwrap(), []);
    assert!(dev.chain.revert(id).unwrap().is_none());
    dev.submit(dev.transfer(0, 0));
    assert_eq!(dev.number(), 1);
}

#[test]
fn snapshots_are_listed_with_where_they_were_taken() {
    let dev = Dev::new(Settings::default());
    dev.chain.snapshot().unwrap();
    dev.submit(dev.transfer(0, 0));
    dev.chain.snapshot().unwrap();
    let listed: Vec<_> = dev.chain.snapshots().unwrap().iter().map(|point| (point.id, point.number)).collect();
    assert_eq!(listed, [(1, 0), (2, 1)]);
    assert_eq!(dev.chain.snapshots().unwrap()[1].hash, dev.chain.head().block.hash());
}

#[test]
fn a_snapshot_is_used_up_with_all_that_came_after_it() {
    let dev = Dev::new(Settings { mining: Mining::Manual, ..Settings::default() });
    let first = dev.chain.snapshot().unwrap();
    dev.chain.mine(MineRequest::default()).unwrap();
    let second = dev.chain.snapshot().unwrap();
    dev.chain.mine(MineRequest::default()).unwrap();
    let third = dev.chain.snapshot().unwrap();
    assert_eq!((first, second, third), (1, 2, 3));

    assert!(dev.chain.revert(second).unwrap().is_some());
    assert_eq!(dev.number(), 1);
    assert!(dev.chain.revert(second).unwrap().is_none());
    assert!(dev.chain.revert(third).unwrap().is_none());
    assert_eq!(dev.chain.snapshot().unwrap(), 4);
    assert!(dev.chain.revert(first).unwrap().is_some());
    assert_eq!(dev.number(), 0);
    assert!(dev.chain.revert(99).unwrap().is_none());
}

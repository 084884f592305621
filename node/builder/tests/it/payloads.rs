//! Blocks that another node has built.

use parapet_builder::{ChainError, Chosen, Event, Mining, PAYLOADS_MAX, Received, Settings};
use parapet_import::{Field, ImportError, IncomingBlock};

use crate::fixture::Dev;

fn manual() -> Dev {
    Dev::new(Settings { mining: Mining::Manual, ..Settings::default() })
}

/// Mines a block with a transfer of an account, on a chain that has none of it yet.
fn grow(dev: &Dev, account: usize, nonce: u64) -> IncomingBlock {
    dev.submit(dev.transfer(account, nonce));
    dev.chain.mine(Default::default()).unwrap();
    let block = dev.chain.head().block.to_consensus_block();
    IncomingBlock::from_block(block).unwrap()
}

#[test]
fn blocks_are_kept_aside_until_one_that_stands_on_them_is_chosen() {
    let (from, to) = (manual(), manual());
    let blocks: Vec<_> = (0..3).map(|nonce| grow(&from, 0, nonce)).collect();
    let head = from.chain.head();
    assert_eq!(to.chain.receive(blocks[1].clone()).unwrap(), Received::UnknownParent);
    for block in &blocks {
        for _ in 0..2 {
            assert_eq!(to.chain.receive(block.clone()).unwrap(), Received::Valid);
        }
    }
    assert_eq!(to.number(), 0, "nothing was chosen");
    let mut events = to.chain.events();
    assert!(matches!(to.chain.choose(head.block.hash()).unwrap(), Chosen::Head { kept: 0, .. }));
    assert_eq!(to.chain.head().block, head.block);
    assert_eq!(to.chain.head().world.root(), head.world.root());
    for number in 1..=3 {
        assert_eq!(to.chain.block(number).unwrap(), from.chain.block(number).unwrap());
        assert!(matches!(events.try_recv(), Ok(Event::Block(block)) if block.number() == number));
    }
    assert!(matches!(to.chain.choose(head.block.hash()).unwrap(), Chosen::Head { kept: 3, .. }));
    assert_eq!(to.chain.choose(blocks[0].header.hash()).unwrap(), Chosen::Ancestor);
    assert_eq!(to.number(), 3);
    assert_eq!(to.chain.choose([7; 32].into()).unwrap(), Chosen::Unknown);
}

#[test]
fn choosing_another_line_drops_the_blocks_that_are_not_on_it() {
    let (ours, theirs) = (manual(), manual());
    let common = grow(&theirs, 0, 0);
    ours.chain.receive(common.clone()).unwrap();
    ours.chain.choose(common.header.hash()).unwrap();
    let snapshot = ours.chain.snapshot().unwrap();
    let own = [grow(&ours, 1, 0), grow(&ours, 1, 1)];
    let later = ours.chain.snapshot().unwrap();
    let other = [grow(&theirs, 2, 0), grow(&theirs, 2, 1)];
    let mut events = ours.chain.events();
    for block in &other {
        assert_eq!(ours.chain.receive(block.clone()).unwrap(), Received::Valid);
    }
    assert!(matches!(ours.chain.choose(other[1].header.hash()).unwrap(), Chosen::Head { kept: 1, .. }));
    assert_eq!(ours.chain.head().block.hash(), other[1].header.hash());
    assert!(ours.balance(ours.address(1)) > ours.balance(ours.address(2)), "what was dropped is undone");
    let Ok(Event::Dropped(dropped)) = events.try_recv() else { panic!("nothing was dropped") };
    let hashes: Vec<_> = dropped.iter().map(|block| block.hash()).collect();
    assert_eq!(hashes, [own[1].header.hash(), own[0].header.hash()], "newest first");
    assert!(ours.chain.revert(later).unwrap().is_none(), "its block is no more");
    assert!(ours.chain.revert(snapshot).unwrap().is_some());
    assert_eq!(ours.chain.head().block.hash(), common.header.hash());
    // And the chain goes on by itself.
    grow(&ours, 1, 0);
}

#[test]
fn a_block_that_breaks_a_rule_is_refused_and_leaves_nothing() {
    let (from, to) = (manual(), manual());
    let good = grow(&from, 0, 0);
    let mut block = from.chain.head().block.to_consensus_block();
    block.header.state_root = [1; 32].into();
    let bad = IncomingBlock::from_block(block).unwrap();
    let error = to.chain.receive(bad.clone()).unwrap_err();
    let wrong = matches!(error, ChainError::Import(ImportError::Hash { field: Field::StateRoot, .. }));
    assert!(wrong, "{error}");
    let latest_valid = bad.header.parent_hash;
    assert_eq!(to.chain.choose(bad.header.hash()).unwrap(), Chosen::Bad { latest_valid });
    assert_eq!(to.chain.receive(bad.clone()).unwrap(), Received::Bad { latest_valid }, "it is not executed again");
    let on_it = |parent: alloy_primitives::B256| {
        let mut block = from.chain.head().block.to_consensus_block();
        (block.header.number, block.header.parent_hash) = (block.header.number + 1, parent);
        IncomingBlock::from_block(block).unwrap()
    };
    let child = on_it(bad.header.hash());
    assert_eq!(to.chain.receive(child.clone()).unwrap(), Received::Bad { latest_valid });
    assert_eq!(to.chain.receive(on_it(child.header.hash())).unwrap(), Received::Bad { latest_valid });
    assert_eq!(to.chain.bad_blocks().len(), 3);
    to.chain.receive(good.clone()).unwrap();
    assert!(matches!(to.chain.choose(good.header.hash()).unwrap(), Chosen::Head { kept: 0, .. }));
}

#[test]
fn blocks_that_nobody_chooses_make_room() {
    let (from, to) = (manual(), manual());
    let blocks: Vec<_> = (0..=PAYLOADS_MAX as u64).map(|nonce| grow(&from, 0, nonce)).collect();
    for block in &blocks {
        assert_eq!(to.chain.receive(block.clone()).unwrap(), Received::Valid);
    }
    let last = blocks.last().unwrap().header.hash();
    assert_eq!(to.chain.choose(last).unwrap(), Chosen::Unknown, "the first has made room");
    to.chain.receive(blocks[0].clone()).unwrap();
    assert!(matches!(to.chain.choose(blocks[0].header.hash()).unwrap(), Chosen::Head { kept: 0, .. }));
}

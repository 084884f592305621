//! State that is amended outside blocks.

use std::sync::Arc;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, Bytes, U256, hex};
use parapet_builder::{Amendment, MineRequest, Settings};
use parapet_monitor::NoMonitor;
use parapet_state::{ChainStore, StoreSettings};

use crate::fixture::{Dev, call, genesis};

const CONTRACT: Address = Address::repeat_byte(0xc0);

#[test]
fn takes_effect_at_once_and_is_committed_with_the_next_block() {
    let dev = Dev::new(Settings::default());
    dev.chain.amend(CONTRACT, Amendment::Balance(U256::from(5))).unwrap();
    dev.chain.amend(CONTRACT, Amendment::Storage { slot: U256::ONE, value: U256::from(6) }).unwrap();
    dev.chain.amend(CONTRACT, Amendment::Nonce(7)).unwrap();
    // SLOAD(1) + 1 into slot 1.
    dev.chain.amend(CONTRACT, Amendment::Code(Bytes::from_static(&hex!("600154600101600155")))).unwrap();
    assert_eq!(dev.balance(CONTRACT), U256::from(5));
    assert_eq!(dev.number(), 0);
    let committed = dev.chain.committed_world(0).unwrap().unwrap();
    assert_eq!(committed.account(&CONTRACT).unwrap(), None);

    dev.submit(dev.sign(0, TxEip1559 { gas_limit: 100_000, ..call(CONTRACT, U256::ONE) }));
    let head = dev.chain.head();
    assert!(head.block.executed[0].succeeded());
    assert_eq!(head.world.storage(&CONTRACT, U256::ONE).unwrap(), U256::from(7));
    assert_eq!(dev.balance(CONTRACT), U256::from(6));
    assert_eq!(head.world.account(&CONTRACT).unwrap().unwrap().nonce, 7);
    assert_eq!(head.world.root(), head.block.header.state_root);

    // A trace of that block starts from what was amended.
    let start = dev.chain.start_world(1).unwrap().unwrap();
    assert_eq!(start.storage(&CONTRACT, U256::ONE).unwrap(), U256::from(6));
}

#[test]
fn survives_the_process_before_and_after_the_next_block() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let store = ChainStore::open(dir.path(), genesis().block, StoreSettings::default()).unwrap();
        Dev::on(store, Settings::default(), Arc::new(NoMonitor))
    };
    let dev = open();
    dev.submit(dev.transfer(0, 0));
    dev.chain.amend(CONTRACT, Amendment::Balance(U256::from(5))).unwrap();
    let root = dev.chain.head().world.root();
    drop(dev);

    let dev = open();
    assert_eq!(dev.number(), 1);
    assert_eq!(dev.balance(CONTRACT), U256::from(5));
    assert_eq!(dev.chain.head().world.root(), root);
    dev.chain.mine(MineRequest::default()).unwrap();
    let hash = dev.chain.head().block.hash();
    drop(dev);

    let dev = open();
    assert_eq!(dev.chain.head().block.hash(), hash);
    assert_eq!(dev.balance(CONTRACT), U256::from(5));
}

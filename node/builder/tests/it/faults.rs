//! Faults of the guard engine: nothing passes unguarded, nothing is lost, the chain goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use alloy_primitives::{Address, B256};
use parapet_abi::ContextRecord;
use parapet_builder::{MineRequest, Mining, Settings};
use parapet_monitor::{Allowance, Decision, Examination, Fault, Judging, Monitor, StateView};

use crate::fixture::Dev;

/// Fails on the transactions of one sender while it is told to.
struct Faulty {
    sender: Address,
    broken: Arc<AtomicBool>,
}

impl Monitor for Faulty {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let broken = self.broken.load(Ordering::SeqCst) && self.sender == Address::from(context.sender.bytes);
        if broken { Err(Fault::Engine { attachment: B256::ZERO, reason: "out of memory".into() }) } else { Ok(None) }
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

fn faulty(mining: Mining) -> (Dev, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(true));
    let sender = parapet_genesis::dev_accounts(1).unwrap()[0].address;
    let monitor = Faulty { sender, broken: Arc::clone(&broken) };
    (Dev::watched(Settings { mining, ..Settings::default() }, Arc::new(monitor)), broken)
}

#[test]
fn a_transaction_that_could_not_be_judged_waits_and_others_pass() {
    let (dev, broken) = faulty(Mining::Instant);
    let first = dev.submit(dev.transfer(0, 0));
    let second = dev.submit(dev.transfer(0, 1));
    let other = dev.submit(dev.transfer(1, 0));
    assert!(dev.chain.transaction(other).unwrap().is_some());
    assert!(dev.chain.transaction(first).unwrap().is_none());
    assert_eq!(dev.chain.pool_counts(), (2, 0));
    assert_eq!(dev.number(), 1);

    broken.store(false, Ordering::SeqCst);
    dev.submit(dev.transfer(1, 1));
    assert!(dev.chain.transaction(first).unwrap().is_some());
    assert!(dev.chain.transaction(second).unwrap().is_some());
    assert_eq!(dev.chain.pool_counts(), (0, 0));
}

#[test]
fn it_is_retried_with_every_block() {
    let (dev, broken) = faulty(Mining::Manual);
    let first = dev.submit(dev.transfer(0, 0));
    let second = dev.submit(dev.transfer(0, 1));
    dev.chain.mine(MineRequest { blocks: 2, ..MineRequest::default() }).unwrap();
    assert_eq!(dev.number(), 2);
    assert_eq!(dev.chain.pool_counts(), (2, 0));
    broken.store(false, Ordering::SeqCst);
    dev.chain.mine(MineRequest::default()).unwrap();
    assert_eq!(dev.chain.transaction(first).unwrap().unwrap().1, 0);
    assert_eq!(dev.chain.transaction(second).unwrap().unwrap().1, 1);
}

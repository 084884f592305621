//! Blocks by all threads and sequentially, compared before they are stored.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use alloy_primitives::{Address, B256, Bytes};
use parapet_abi::{ContextRecord, TX_TYPE_CHAIN};
use parapet_builder::{ChainError, Consequence, Difference, MineRequest, Mining, SequentialCheck, Settings};
use parapet_monitor::{
    Allowance, Decision, Examination, Fault, Judgement, Judging, Monitor, StateView, Subscriptions, Trace, Veto,
};

use crate::fixture::Dev;

fn checked(threads: usize, mining: Mining) -> Settings {
    let threads = NonZeroUsize::new(threads).unwrap();
    Settings { threads, check: SequentialCheck::On, mining, ..Settings::default() }
}

/// Vetoes the second transaction that it is asked about, and no other: no pure function of what it sees.
#[derive(Default)]
struct Fickle(AtomicU32);

struct Asked<'m>(&'m Fickle);

impl Monitor for Fickle {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        // It is asked about what the chain itself does, too.
        Ok((context.tx_type != TX_TYPE_CHAIN).then(|| Box::new(Asked(self)) as Box<dyn Judging>))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

impl Judging for Asked<'_> {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::NONE
    }

    fn on_call(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_tx(&mut self, _: &Trace, _: &mut dyn StateView) -> Result<Decision, Fault> {
        if self.0.0.fetch_add(1, Ordering::SeqCst) != 1 {
            return Ok(Decision::Proceed);
        }
        Ok(Decision::Veto(Veto { guard: Address::ZERO, attachment: B256::ZERO, code: 1, detail: Bytes::new() }))
    }

    fn close(self: Box<Self>) -> Judgement {
        Judgement::default()
    }
}

#[test]
fn what_is_the_same_both_ways_is_stored() {
    for threads in [1, 2, 8] {
        let dev = Dev::new(checked(threads, Mining::Manual));
        let mut sent = Vec::new();
        for nonce in 0..20 {
            sent.extend((0..4).map(|account| dev.submit(dev.transfer(account, nonce))));
        }
        dev.chain.mine(MineRequest::default()).unwrap();
        assert_eq!(dev.chain.head().block.transactions.len(), sent.len());
        let plain = Dev::new(Settings { threads: NonZeroUsize::MIN, mining: Mining::Manual, ..Settings::default() });
        for nonce in 0..20 {
            for account in 0..4 {
                plain.submit(plain.transfer(account, nonce));
            }
        }
        plain.chain.mine(MineRequest::default()).unwrap();
        assert_eq!(dev.chain.head().block.header, plain.chain.head().block.header, "{threads} threads");
    }
}

#[test]
fn what_differs_is_not_stored_and_stays_in_the_pool() {
    let dev = Dev::watched(checked(2, Mining::Manual), Arc::new(Fickle::default()));
    let hash = dev.submit(dev.transfer(0, 0));
    let error = dev.chain.mine(MineRequest::default()).unwrap_err();
    assert_eq!(error.consequence(), Consequence::Refuse);
    assert!(error.to_string().contains("please report it"), "{error}");
    let ChainError::Diverged { number: 1, threads: 2, difference } = error else { panic!("{error}") };
    assert!(matches!(difference, Difference::Transaction { candidate: 0, .. }), "{difference}");
    assert_eq!(dev.number(), 0);
    assert!(dev.chain.pooled(hash).is_some());

    // From the third transaction on it is always the same.
    dev.chain.mine(MineRequest::default()).unwrap();
    assert!(dev.chain.transaction(hash).unwrap().is_some());
}

#[test]
fn without_the_check_nothing_is_executed_twice() {
    let fickle = Arc::new(Fickle::default());
    let settings = Settings { check: SequentialCheck::Off, ..checked(2, Mining::Instant) };
    let dev = Dev::watched(settings, Arc::clone(&fickle) as Arc<dyn Monitor>);
    dev.submit(dev.transfer(0, 0));
    assert_eq!(fickle.0.load(Ordering::SeqCst), 1);
}

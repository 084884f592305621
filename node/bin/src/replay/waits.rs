//! Which storage made transactions wait for each other: found by listening to a sequential execution, hence the same on
//! every machine, for any number of threads.
//!
//! A transaction needs an earlier one where it looks at a slot that the earlier one was the last to change. Whoever
//! writes a slot looks at it, too: the price of SSTORE depends on what is there. Balances and nonces are left out, since
//! the executor adds them up and predicts them.
//!
//! Invariant: listening changes nothing. What guards judge is recorded as they asked for it and no further, so of those
//! transactions only the slots that they changed are known, unless a guard asked for more.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use alloy_primitives::{Address, B256, U256};
use parapet_abi::{AccessKind, ContextRecord, FrameStatus};
use parapet_executor::{BlockInput, Mode, TxError, execute_block};
use parapet_monitor::{
    Allowance, BlockEnd, Decision, Examination, Fault, FuelSpent, Judgement, Judging, Monitor, StateView,
    Subscriptions, Trace,
};
use parapet_types::{ExecutedBlock, REGISTRY};
use parking_lot::Mutex;

/// A slot of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) address: Address,
    pub(crate) slot: U256,
}

/// What a block's transactions waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Places, and how many transactions looked at what an earlier one had changed there; most first.
    pub(crate) places: Vec<(Place, usize)>,
    /// Transactions that needed an earlier one.
    pub(crate) waiting: usize,
    /// Transactions of the chain with the most gas in which each needs the one before.
    pub(crate) chain: usize,
    /// Its gas.
    pub(crate) chain_gas: u64,
    /// Gas of all transactions.
    pub(crate) gas: u64,
}

/// The slots that a transaction looked at, and those that it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Footprint {
    seen: BTreeSet<Place>,
    changed: BTreeSet<Place>,
}

/// What the transactions of a block waited for; `None` when it cannot be executed while somebody listens.
pub(crate) fn find(input: &BlockInput<'_>, monitor: &dyn Monitor, executed: &ExecutedBlock<TxError>) -> Option<Waits> {
    let listener = Listener { inner: monitor, heard: Mutex::default() };
    execute_block(input, &listener, Mode::Sequential).ok()?;
    let mut heard = listener.heard.into_inner();
    let transactions = executed.included.iter().map(|included| {
        let hash = input.transactions[included.candidate].tx_hash();
        (included.executed.gas_used, heard.remove(hash).unwrap_or_default())
    });
    Some(weigh(transactions))
}

/// Follows the footprints of a block's transactions, given with their gas.
fn weigh(transactions: impl Iterator<Item = (u64, Footprint)>) -> Waits {
    let mut waits = Waits::default();
    let mut places = BTreeMap::<Place, usize>::new();
    // By place, the end of the heaviest chain through the transaction that changed it last.
    let mut changed_last = HashMap::<Place, (u64, usize)>::new();
    for (gas, Footprint { seen, changed }) in transactions {
        let mut needed: Option<(u64, usize)> = None;
        for place in &seen {
            let Some(chain) = changed_last.get(place) else { continue };
            *places.entry(*place).or_default() += 1;
            needed = needed.max(Some(*chain));
        }
        waits.waiting += usize::from(needed.is_some());
        let (before_gas, before) = needed.unwrap_or_default();
        let chain = (before_gas + gas, before + 1);
        if chain.0 > waits.chain_gas {
            (waits.chain_gas, waits.chain) = chain;
        }
        waits.gas += gas;
        changed_last.extend(changed.into_iter().map(|place| (place, chain)));
    }
    waits.places = places.into_iter().collect();
    waits.places.sort_by_key(|(_, times)| Reverse(*times));
    waits
}

/// Listens beside another monitor.
struct Listener<'m> {
    inner: &'m dyn Monitor,
    heard: Mutex<HashMap<B256, Footprint>>,
}

impl Monitor for Listener<'_> {
    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok(Some(Box::new(Listening {
            inner: self.inner.open(context, view)?,
            listener: self,
            transaction: context.tx_hash.into(),
            footprint: Footprint::default(),
            heard: 0,
            stands: false,
        })))
    }

    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault> {
        self.inner.admit(context, allowance, view)
    }

    fn end_block(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<BlockEnd, Fault> {
        self.inner.end_block(context, view)
    }
}

/// Listens to one transaction.
struct Listening<'m> {
    /// Who judges it, if somebody does.
    inner: Option<Box<dyn Judging + 'm>>,
    listener: &'m Listener<'m>,
    transaction: B256,
    footprint: Footprint,
    /// Accesses of the trace that are in the footprint.
    heard: usize,
    /// It succeeded, and nobody vetoed it: what it wrote stands.
    stands: bool,
}

impl Listening<'_> {
    fn hear(&mut self, trace: &Trace) {
        for access in trace.accesses.iter().skip(self.heard) {
            match AccessKind::from_u8(access.kind) {
                Some(AccessKind::StorageRead | AccessKind::StorageWrite) => {
                    self.footprint.seen.insert(place(access.address.bytes, access.slot));
                }
                Some(AccessKind::TransientRead | AccessKind::TransientWrite) | None => {}
            }
        }
        self.heard = trace.accesses.len();
    }

    fn change(&mut self, place: Place) {
        self.footprint.seen.insert(place);
        self.footprint.changed.insert(place);
    }
}

impl Judging for Listening<'_> {
    fn allow(&mut self, allowance: Allowance) {
        self.inner.allow(allowance);
    }

    fn spent(&self) -> FuelSpent {
        self.inner.spent()
    }

    fn subscriptions(&self) -> Subscriptions {
        self.inner.as_ref().map_or(Subscriptions::ACCESSES, |inner| inner.subscriptions())
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.hear(trace);
        self.inner.on_call(trace, frame, view)
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.hear(trace);
        self.inner.on_call_end(trace, frame, view)
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.hear(trace);
        let decision = self.inner.on_tx(trace, view)?;
        let succeeded = FrameStatus::from_u8(trace.context.status) == Some(FrameStatus::Succeeded);
        self.stands = succeeded && decision == Decision::Proceed;
        if self.stands {
            for change in &trace.slot_changes {
                self.change(place(change.address.bytes, change.slot));
            }
        }
        Ok(decision)
    }

    fn close(self: Box<Self>) -> Judgement {
        let mut this = *self;
        let judgement = Box::new(this.inner.take()).close();
        if this.stands {
            for update in &judgement.updates {
                this.change(Place { address: REGISTRY, slot: update.slot });
            }
        }
        this.listener.heard.lock().insert(this.transaction, this.footprint);
        judgement
    }
}

fn place(address: [u8; 20], slot: [u8; 32]) -> Place {
    Place { address: address.into(), slot: U256::from_be_bytes(slot) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(slot: u64) -> Place {
        Place { address: Address::ZERO, slot: U256::from(slot) }
    }

    fn footprint(seen: &[u64], changed: &[u64]) -> Footprint {
        let places = |slots: &[u64]| slots.iter().map(|slot| at(*slot)).collect();
        Footprint { seen: places(&[seen, changed].concat()), changed: places(changed) }
    }

    #[test]
    fn transactions_that_share_nothing_wait_for_nobody() {
        let waits = weigh((0..5).map(|slot| (100, footprint(&[9], &[slot]))));
        assert_eq!(waits, Waits { chain: 1, chain_gas: 100, gas: 500, ..Waits::default() });
    }

    #[test]
    fn a_slot_that_all_change_is_one_chain() {
        let waits = weigh((0..5).map(|own| (100, footprint(&[], &[7, 100 + own]))));
        assert_eq!(waits.places, [(at(7), 4)]);
        assert_eq!((waits.waiting, waits.chain, waits.chain_gas, waits.gas), (4, 5, 500, 500));
    }

    #[test]
    fn only_the_last_change_counts_and_the_heaviest_chain_wins() {
        let block = [
            (10, footprint(&[], &[1])),
            // Nobody needs what is overwritten unseen; but whoever writes looks.
            (500, footprint(&[], &[2])),
            (10, footprint(&[1], &[])),
            (10, footprint(&[1, 2], &[3])),
            (10, footprint(&[3], &[])),
        ];
        let waits = weigh(block.into_iter());
        assert_eq!(waits.places, [(at(1), 2), (at(2), 1), (at(3), 1)]);
        assert_eq!((waits.waiting, waits.chain, waits.chain_gas, waits.gas), (3, 3, 520, 540));
    }
}

//! Guard state that a watch keeps, of every kind there is: all that is read of it goes into the digest, so that a stale
//! read shows even where it decides nothing.

use std::ops::Bound;

use alloy_primitives::{Keccak256, U256, keccak256};
use parapet_abi::ContextRecord;
use parapet_monitor::{Fault, StateOp, StateUpdate, StateView, Trace};
use parapet_store::{Entries, Order, Overlay, OverlayWords, Scan, StoreError, Stored};
use parapet_types::REGISTRY;
use serde::{Deserialize, Serialize};

use crate::{slot_key, watch::attachment};

/// A number in the registry's storage that grows with each transaction that is let through, up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Slot of the registry, by its number.
    pub slot: u8,
    /// How much it grows.
    pub step: u64,
    /// What it never exceeds.
    pub bound: u64,
    /// Only transactions whose first frame has this last byte of a selector count; all of them if `None`.
    pub selector: Option<u8>,
    /// How it is counted.
    #[serde(default)]
    pub keeping: Keeping,
}

/// How a number is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keeping {
    /// It is looked at, and written.
    #[default]
    Exact,
    /// It is added to within its bound, and never looked at.
    Within,
    /// It is the level of a window with this period, in seconds.
    Window(u64),
    /// It is raised to the step times the transaction's nonce, and nothing is ever refused.
    Max,
    /// It is added to twice and, if both are accepted, looked at afterwards.
    WithinAndLooked,
}

/// Ordered entries, of which each transaction sets or removes one and walks over some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// How many keys there may be.
    pub keys: u8,
    /// How many entries a transaction walks over, from its own key in both directions.
    pub walk: u8,
    /// Only transactions whose first frame has this last byte of a selector; all of them if `None`.
    pub selector: Option<u8>,
}

/// What one transaction does to guard state.
#[derive(Debug, Default)]
pub(crate) struct Kept(Overlay);

impl Kept {
    pub(crate) fn into_updates(self) -> Vec<StateUpdate> {
        self.0.into_updates()
    }

    /// Counts a transaction. `Some`: a counter refuses, and says a word.
    pub(crate) fn keep(
        &mut self,
        (counters, ledgers): (&[Counter], &[Ledger]),
        trace: &Trace,
        view: &mut dyn StateView,
        digest: &mut Keccak256,
    ) -> Result<Option<U256>, Fault> {
        let first = trace.frames.first().map(|frame| frame.selector[3]);
        let mut refused = None;
        for counter in counters.iter().filter(|counter| counter.selector.is_none() || counter.selector == first) {
            refused = self.count(*counter, trace, view, digest)?.or(refused);
        }
        for ledger in ledgers.iter().filter(|ledger| ledger.selector.is_none() || ledger.selector == first) {
            self.write(*ledger, trace, view, digest)?;
        }
        Ok(refused)
    }

    fn count(
        &mut self,
        counter: Counter,
        trace: &Trace,
        view: &mut dyn StateView,
        digest: &mut Keccak256,
    ) -> Result<Option<U256>, StoreError> {
        let slot = slot_key(counter.slot);
        let (amount, cap) = (U256::from(counter.step), U256::from(counter.bound));
        let add = StateOp::Add { amount, cap };
        let stored = match counter.keeping {
            Keeping::Exact => {
                let value = self.0.read(view, REGISTRY, slot)?.saturating_add(amount);
                digest.update(value.to_be_bytes::<32>());
                if value > cap {
                    return Ok(Some(value));
                }
                self.0.apply(view, REGISTRY, slot, StateOp::Set(value))?
            }
            Keeping::Within => self.0.apply(view, REGISTRY, slot, add)?,
            Keeping::Window(period_s) => {
                let op = StateOp::Window { amount, cap, period_s, now: trace.context.timestamp };
                self.0.apply(view, REGISTRY, slot, op)?
            }
            Keeping::Max => {
                let value = amount.saturating_mul(U256::from(trace.context.nonce));
                self.0.apply(view, REGISTRY, slot, StateOp::Max(value))?
            }
            Keeping::WithinAndLooked => {
                let first = self.0.apply(view, REGISTRY, slot, add)?;
                let second = self.0.apply(view, REGISTRY, slot, add)?;
                if (first, second) == (Stored::Accepted, Stored::Accepted) {
                    digest.update(self.0.read(view, REGISTRY, slot)?.to_be_bytes::<32>());
                }
                second
            }
        };
        digest.update([u8::from(stored == Stored::Accepted)]);
        Ok((stored == Stored::Refused).then_some(cap))
    }

    fn write(
        &mut self,
        ledger: Ledger,
        trace: &Trace,
        view: &mut dyn StateView,
        digest: &mut Keccak256,
    ) -> Result<(), StoreError> {
        let ContextRecord { sender, nonce, value, .. } = &trace.context;
        let hash = keccak256([&sender.bytes[..], &nonce.to_be_bytes(), value].concat());
        // Some keys are beginnings of others, and some are longer than a word.
        let number = hash[0] % ledger.keys.max(1);
        let key = [vec![number; usize::from(number % 3) * 20], vec![number]].concat();
        let mut words = OverlayWords { overlay: &mut self.0, view, account: REGISTRY };
        let mut entries = Entries::new(attachment(), &mut words);
        match hash[1] % 8 {
            0..=3 => entries.set(&key, &hash[..usize::from(hash[2] % 33)])?,
            4 | 5 => digest.update([u8::from(entries.remove(&key)?)]),
            _ => digest.update(entries.get(&key)?.unwrap_or_default()),
        }
        let (up, down) = ((Bound::Included(key.clone()), Bound::Unbounded), (Bound::Unbounded, Bound::Excluded(key)));
        for ((start, end), order) in [(up, Order::Ascending), (down, Order::Descending)] {
            let mut scan = Scan::new(start, end, order);
            for _ in 0..ledger.walk {
                let Some((key, value)) = scan.next(&mut entries)? else { break };
                digest.update([key.len() as u8]);
                digest.update(key);
                digest.update(value);
            }
        }
        Ok(())
    }
}

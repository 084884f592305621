//! Guard state behind CosmWasm's storage interface: the ordered entries of the attachment.
//!
//! Every word that is read or written is paid for when the operation ends; one operation touches a bounded number of
//! them, since keys and values are bounded.

use std::ops::Bound;

use alloy_primitives::{Address, U256};
use cosmwasm_std::{Order, Record};
use cosmwasm_vm::{BackendError, BackendResult, GasInfo, Storage};
use parapet_monitor::{StateOp, StateView};
use parapet_store::{Entries, EntryError, Overlay, Scan, StoreError, Words};
use parapet_vm::metering::{self as fuel, Change};

use crate::{
    Limit,
    lend::{Lent, Loan, Stop},
    limits::{SCANS_MAX, WORDS_WRITTEN_MAX},
    metering,
    records::{self, RECORDS},
};

impl From<EntryError> for Stop {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::Incoherent => Self::Fault(parapet_monitor::Fault::Unsettled),
            EntryError::KeyLength(_) | EntryError::ValueLength(_) => Self::Limit(Limit::Entry(error)),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// The words of guard state, as the running call sees and changes them, and what that has cost.
struct Metered<'a> {
    overlay: &'a mut Overlay,
    view: &'a mut dyn StateView,
    account: Address,
    fuel: u64,
}

impl Words for Metered<'_> {
    type Error = Stop;

    fn read(&mut self, slot: U256) -> Result<U256, Stop> {
        let known = self.overlay.known(slot).is_some();
        self.fuel = self.fuel.saturating_add(if known { fuel::HOST_CALL } else { fuel::STATE_READ });
        Ok(self.overlay.read(self.view, self.account, slot)?)
    }

    fn write(&mut self, slot: U256, word: U256) -> Result<(), Stop> {
        self.fuel = self.fuel.saturating_add(fuel::writing(Change::of(self.overlay, slot)));
        if self.overlay.changed_with(slot) > WORDS_WRITTEN_MAX {
            return Err(Stop::Limit(Limit::WordsWritten));
        }
        // Setting a word is never refused.
        let _accepted = self.overlay.apply(self.view, self.account, slot, StateOp::Set(word))?;
        Ok(())
    }
}

/// The storage that an instance is given.
#[derive(Debug)]
pub(crate) struct GuardState(pub(crate) Lent);

impl GuardState {
    /// Runs one operation on the attachment's entries, and says what it cost.
    fn operate<R>(
        &self,
        operation: impl FnOnce(&mut Entries<'_, Metered<'_>>, &mut Vec<Scan>) -> Result<R, Stop>,
    ) -> BackendResult<R> {
        self.0.with(|loan| {
            let Loan { view, subject, overlay, scans, stop, .. } = loan;
            let account = subject.store_account;
            let mut words = Metered { overlay, view: &mut **view, account, fuel: 0 };
            let done = operation(&mut Entries::new(subject.attachment, &mut words), scans);
            let cost = GasInfo::with_cost(metering::gas(words.fuel));
            let done = done.map_err(|why| {
                *stop = Some(why);
                BackendError::unknown("guard state")
            });
            (done, cost)
        })
    }
}

impl GuardState {
    fn read_only(&self) -> BackendResult<()> {
        self.0.with(|loan| loan.stop = Some(Stop::Limit(Limit::Records)));
        (Err(BackendError::unknown("records")), GasInfo::free())
    }
}

impl Storage for GuardState {
    fn get(&self, key: &[u8]) -> BackendResult<Option<Vec<u8>>> {
        if let Some(place) = key.strip_prefix(RECORDS) {
            return self.0.with(|loan| records::read(loan, place));
        }
        self.operate(|entries, _| entries.get(key))
    }

    fn scan(&mut self, start: Option<&[u8]>, end: Option<&[u8]>, order: Order) -> BackendResult<u32> {
        let start = start.map_or(Bound::Unbounded, |start| Bound::Included(start.to_vec()));
        let end = end.map_or(Bound::Unbounded, |end| Bound::Excluded(end.to_vec()));
        let order = match order {
            Order::Ascending => parapet_store::Order::Ascending,
            Order::Descending => parapet_store::Order::Descending,
        };
        self.operate(|_, scans| {
            if scans.len() >= SCANS_MAX {
                return Err(Stop::Limit(Limit::Scans));
            }
            let number = u32::try_from(scans.len()).expect("at most SCANS_MAX");
            scans.push(Scan::new(start, end, order));
            Ok(number)
        })
    }

    fn next(&mut self, iterator_id: u32) -> BackendResult<Option<Record>> {
        let mut known = true;
        let (record, cost) = self.operate(|entries, scans| match scans.get_mut(iterator_id as usize) {
            Some(scan) => scan.next(entries),
            None => {
                known = false;
                Ok(None)
            }
        });
        if known { (record, cost) } else { (Err(BackendError::iterator_does_not_exist(iterator_id)), cost) }
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> BackendResult<()> {
        if key.starts_with(RECORDS) {
            return self.read_only();
        }
        self.operate(|entries, _| entries.set(key, value))
    }

    fn remove(&mut self, key: &[u8]) -> BackendResult<()> {
        if key.starts_with(RECORDS) {
            return self.read_only();
        }
        self.operate(|entries, _| entries.remove(key).map(|_| ()))
    }
}

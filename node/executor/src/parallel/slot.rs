//! One storage slot in the versioned memory. Invariant: as of [`account`](super::account).
//!
//! A version is a value, or changes that were made without knowing what they change (guard state): a reader gets the
//! newest value below it, and the changes above that in order. A change that refuses there is skipped: its transaction
//! was promised that it would be accepted, is found out at its turn, and runs again.

use std::mem;

use alloy_primitives::U256;
use parapet_monitor::StateOp;
use smallvec::SmallVec;

use super::account::{Version, grow, spilled_bytes};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// The stamp of a cell that nobody has written to.
pub(crate) const NEW: u64 = 0;

/// Position of an account among the accounts that the block has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AccountIndex(pub(crate) u32);

/// Position of a slot among the slots that the block has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotIndex(pub(crate) u32);

/// A slot as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotView {
    pub(crate) value: U256,
    /// The transaction that wrote it, or wiped it.
    pub(crate) writer: Version,
}

/// A storage slot with the versions that are not settled yet, and the last settled one.
#[derive(Debug)]
pub(crate) struct SlotCell {
    pub(crate) account: AccountIndex,
    pub(crate) slot: U256,
    /// Grows with every change: an equal stamp means an equal view.
    stamp: AtomicU64,
    versions: Mutex<SlotVersions>,
}

#[derive(Debug, Default)]
struct SlotVersions {
    base: Option<U256>,
    /// By version.
    written: SmallVec<[(Version, Written); 1]>,
}

/// What one transaction leaves in a slot.
#[derive(Debug)]
enum Written {
    Value(U256),
    Changes(Box<[StateOp]>),
}

impl SlotCell {
    pub(crate) fn new(account: AccountIndex, slot: U256) -> Self {
        Self { account, slot, stamp: AtomicU64::new(NEW), versions: Mutex::new(SlotVersions::default()) }
    }

    /// One whose value below the block is known.
    pub(crate) fn loaded(account: AccountIndex, slot: U256, base: U256) -> Self {
        let versions = SlotVersions { base: Some(base), ..SlotVersions::default() };
        Self { account, slot, stamp: AtomicU64::new(NEW), versions: Mutex::new(versions) }
    }

    /// The stamp now.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// The view at a version, of an account whose storage was last wiped at `wiped`. What lies below is loaded at most
    /// once, and only if it shows.
    pub(crate) fn read<E>(
        &self,
        at: Version,
        wiped: Version,
        load: impl FnOnce() -> Result<U256, E>,
    ) -> Result<(SlotView, u64), E> {
        let mut versions = self.versions.lock();
        let view = versions.view(at, wiped, load)?;
        Ok((view, self.stamp.load(Ordering::Relaxed)))
    }

    /// Adds what a transaction wrote, and forgets what no reader above `settled` can see. Gives the stamp before that.
    pub(crate) fn write(&self, version: Version, settled: Version, value: U256) -> u64 {
        let mut versions = self.versions.lock();
        versions.forget(settled);
        let at = versions.written.partition_point(|(other, _)| *other < version);
        match versions.written.get_mut(at) {
            Some((same, written)) if *same == version => *written = Written::Value(value),
            Some(_) | None => versions.written.insert(at, (version, Written::Value(value))),
        }
        grow(&self.stamp)
    }

    /// Adds what a transaction changes without knowing the value: of what it wrote itself, if it did.
    pub(crate) fn change(&self, version: Version, ops: &[StateOp]) {
        let mut versions = self.versions.lock();
        let at = versions.written.partition_point(|(other, _)| *other < version);
        match versions.written.get_mut(at) {
            Some((same, Written::Value(value))) if *same == version => *value = StateOp::settle(ops, *value),
            Some(_) | None => versions.written.insert(at, (version, Written::Changes(ops.into()))),
        }
        grow(&self.stamp);
    }

    /// Everything below a version is settled: it becomes one value. Readers at or above it see no difference.
    pub(crate) fn fold<E>(
        &self,
        settled: Version,
        wiped: Version,
        load: impl FnOnce() -> Result<U256, E>,
    ) -> Result<(), E> {
        let mut versions = self.versions.lock();
        let below = versions.written.partition_point(|(version, _)| *version < settled);
        let Some(last) = below.checked_sub(1) else { return Ok(()) };
        if matches!(versions.written[last], (_, Written::Changes(_))) {
            let SlotView { value, writer } = versions.view(settled, wiped, load)?;
            versions.written[last] = (writer, Written::Value(value));
        }
        versions.written.drain(..last);
        Ok(())
    }

    /// Takes back what a transaction wrote.
    pub(crate) fn retract(&self, version: Version) {
        // The lock is held until the stamp has changed: who reads in between would have the old stamp for the new view.
        let mut versions = self.versions.lock();
        versions.written.retain(|(other, _)| *other != version);
        grow(&self.stamp);
    }

    /// Whether anybody wrote to it.
    pub(crate) fn is_written(&self) -> bool {
        !self.versions.lock().written.is_empty()
    }

    /// What its versions have taken besides the cell, in bytes: room for versions is not given back while the block lasts.
    pub(crate) fn heap_bytes(&self) -> usize {
        let versions = self.versions.lock();
        let changes = versions.written.iter().map(|(_, written)| match written {
            Written::Value(_) => 0,
            Written::Changes(ops) => mem::size_of_val(&**ops),
        });
        spilled_bytes(&versions.written) + changes.sum::<usize>()
    }

    /// The value below the block, if anybody asked, and the view when everything is settled.
    pub(crate) fn ends<E>(
        &self,
        wiped: Version,
        load: impl FnOnce() -> Result<U256, E>,
    ) -> Result<(Option<U256>, SlotView), E> {
        let mut versions = self.versions.lock();
        let view = versions.view(Version(u32::MAX), wiped, load)?;
        Ok((versions.base, view))
    }
}

impl SlotVersions {
    fn view<E>(&mut self, at: Version, wiped: Version, load: impl FnOnce() -> Result<U256, E>) -> Result<SlotView, E> {
        let below = self.written.partition_point(|(version, _)| *version < at);
        let shows = self.written[..below].partition_point(|(version, _)| *version < wiped);
        let shown = &self.written[shows..below];
        let writer = shown.last().map_or(wiped, |(version, _)| *version);
        let newest = shown.iter().enumerate().rev().find_map(|(position, (_, written))| match written {
            Written::Value(value) => Some((position + 1, *value)),
            Written::Changes(_) => None,
        });
        let (changes, value) = match newest {
            Some(newest) => newest,
            None if wiped > Version::BASE => (0, U256::ZERO),
            None => match self.base {
                Some(base) => (0, base),
                None => (0, *self.base.insert(load()?)),
            },
        };
        let value = self.written[shows + changes..below].iter().fold(value, |value, (_, written)| match written {
            Written::Value(value) => *value,
            Written::Changes(ops) => StateOp::settle(ops, value),
        });
        Ok(SlotView { value, writer })
    }

    /// A settled value hides what lies below it.
    fn forget(&mut self, settled: Version) {
        let below = self.written.partition_point(|(version, _)| *version < settled);
        let newest = self.written[..below].iter().rposition(|(_, written)| matches!(written, Written::Value(_)));
        if let Some(newest @ 1..) = newest {
            self.written.drain(..newest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 5;

    fn cell() -> SlotCell {
        SlotCell::new(AccountIndex(0), U256::ZERO)
    }

    fn read(cell: &SlotCell, at: u32, wiped: u32) -> (u64, u32) {
        let read = cell.read::<()>(Version(at), Version(wiped), || Ok(U256::from(BASE)));
        let (view, _) = read.expect("the load succeeds");
        (view.value.to(), view.writer.0)
    }

    fn fold(cell: &SlotCell, settled: u32, wiped: u32) {
        cell.fold::<()>(Version(settled), Version(wiped), || Ok(U256::from(BASE))).expect("the load succeeds");
    }

    fn add(cell: &SlotCell, version: u32, amount: u64, cap: u64) {
        let ops = [StateOp::Add { amount: U256::from(amount), cap: U256::from(cap) }];
        cell.change(Version(version), &ops);
    }

    #[test]
    fn a_reader_sees_the_newest_write_below_it() {
        let cell = cell();
        cell.write(Version(4), Version(1), U256::from(40));
        cell.write(Version(2), Version(1), U256::from(20));
        assert_eq!([read(&cell, 2, 0), read(&cell, 3, 0), read(&cell, 9, 0)], [(5, 0), (20, 2), (40, 4)]);
        cell.retract(Version(4));
        assert_eq!(read(&cell, 9, 0), (20, 2));
    }

    #[test]
    fn a_wipe_hides_what_was_written_before_it_but_not_what_its_own_transaction_wrote() {
        let cell = cell();
        assert_eq!(read(&cell, 9, 3), (0, 3));
        cell.write(Version(2), Version(1), U256::from(20));
        assert_eq!(read(&cell, 9, 3), (0, 3));
        cell.write(Version(3), Version(1), U256::from(30));
        assert_eq!(read(&cell, 9, 3), (30, 3));
    }

    #[test]
    fn settled_versions_are_forgotten_but_for_the_last() {
        let cell = cell();
        for version in 1..=6 {
            cell.write(Version(version), Version(version), U256::from(version));
        }
        assert_eq!(read(&cell, 7, 0), (6, 6));
        assert_eq!(cell.versions.lock().written.len(), 2);
    }

    #[test]
    fn changes_apply_in_order_to_the_newest_value_below_them() {
        let cell = cell();
        add(&cell, 6, 3, 100);
        add(&cell, 2, 1, 100);
        assert_eq!([read(&cell, 2, 0), read(&cell, 3, 0), read(&cell, 9, 0)], [(5, 0), (6, 2), (9, 6)]);
        cell.write(Version(4), Version(1), U256::from(40));
        assert_eq!([read(&cell, 5, 0), read(&cell, 9, 0)], [(40, 4), (43, 6)]);
        cell.retract(Version(4));
        cell.retract(Version(2));
        assert_eq!(read(&cell, 9, 0), (8, 6));
    }

    #[test]
    fn a_change_that_refuses_where_it_stands_is_skipped() {
        let cell = cell();
        add(&cell, 2, 3, 10);
        add(&cell, 3, 3, 10);
        add(&cell, 4, 2, 10);
        assert_eq!([read(&cell, 3, 0), read(&cell, 4, 0), read(&cell, 5, 0)], [(8, 2), (8, 3), (10, 4)]);
    }

    #[test]
    fn a_wipe_hides_changes_before_it_and_starts_those_after_it_from_zero() {
        let cell = cell();
        add(&cell, 2, 1, 100);
        add(&cell, 3, 2, 100);
        add(&cell, 5, 4, 100);
        assert_eq!(
            [read(&cell, 9, 0), read(&cell, 9, 3), read(&cell, 9, 4), read(&cell, 9, 7)],
            [(12, 5), (6, 5), (4, 5), (0, 7)]
        );
    }

    #[test]
    fn a_transaction_changes_what_it_wrote_itself() {
        let cell = cell();
        cell.write(Version(3), Version(1), U256::from(30));
        add(&cell, 3, 4, 100);
        assert_eq!([read(&cell, 3, 0), read(&cell, 4, 0)], [(5, 0), (34, 3)]);
        cell.retract(Version(3));
        assert_eq!(read(&cell, 4, 0), (5, 0));
    }

    #[test]
    fn folding_changes_nothing_for_readers_above() {
        let cell = cell();
        for version in 1..=6 {
            add(&cell, version, 1, 100);
        }
        let before = [read(&cell, 5, 0), read(&cell, 6, 0), read(&cell, 7, 0)];
        let stamp = cell.stamp();
        fold(&cell, 5, 0);
        assert_eq!([read(&cell, 5, 0), read(&cell, 6, 0), read(&cell, 7, 0)], before);
        assert_eq!((cell.stamp(), cell.versions.lock().written.len()), (stamp, 3));
        fold(&cell, 5, 0);
        cell.write(Version(8), Version(6), U256::from(1));
        assert_eq!([read(&cell, 7, 0), read(&cell, 9, 0)], [before[2], (1, 8)]);
    }

    #[test]
    fn changes_above_a_settled_value_are_never_forgotten_without_it() {
        let cell = cell();
        cell.write(Version(1), Version(1), U256::from(10));
        add(&cell, 2, 1, 100);
        add(&cell, 3, 1, 100);
        cell.write(Version(9), Version(5), U256::from(1));
        assert_eq!([read(&cell, 3, 0), read(&cell, 5, 0)], [(11, 2), (12, 3)]);
    }
}

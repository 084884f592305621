//! One storage slot in the versioned memory. Invariant: as of [`account`](super::account).

use alloy_primitives::U256;
use smallvec::SmallVec;

use super::account::Version;
use crate::sync::{AtomicU64, Mutex, Ordering};

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
    values: SmallVec<[(Version, U256); 1]>,
}

impl SlotCell {
    pub(crate) fn new(account: AccountIndex, slot: U256) -> Self {
        Self { account, slot, stamp: AtomicU64::new(0), versions: Mutex::new(SlotVersions::default()) }
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
        let view = match versions.written(at, wiped) {
            Some(view) => view,
            None => {
                let value = match versions.base {
                    Some(value) => value,
                    None => *versions.base.insert(load()?),
                };
                SlotView { value, writer: Version::BASE }
            }
        };
        Ok((view, self.stamp.load(Ordering::Relaxed)))
    }

    /// Adds what a transaction wrote, and forgets what no reader above `settled` can see. Gives the stamp before that.
    pub(crate) fn write(&self, version: Version, settled: Version, value: U256) -> u64 {
        let mut versions = self.versions.lock();
        versions.forget(settled);
        let at = versions.values.partition_point(|(other, _)| *other < version);
        match versions.values.get_mut(at) {
            Some((same, written)) if *same == version => *written = value,
            Some(_) | None => versions.values.insert(at, (version, value)),
        }
        self.stamp.fetch_add(1, Ordering::Release)
    }

    /// Takes back what a transaction wrote.
    pub(crate) fn retract(&self, version: Version) {
        // The lock is held until the stamp has changed: who reads in between would have the old stamp for the new view.
        let mut versions = self.versions.lock();
        versions.values.retain(|(other, _)| *other != version);
        self.stamp.fetch_add(1, Ordering::Release);
    }

    /// The value below the block, if anybody asked, and the last one written, when everything is settled.
    pub(crate) fn ends(&self) -> (Option<U256>, Option<(Version, U256)>) {
        let versions = self.versions.lock();
        (versions.base, versions.values.last().copied())
    }
}

impl SlotVersions {
    fn written(&self, at: Version, wiped: Version) -> Option<SlotView> {
        let newest = self.values.iter().rev().find(|(version, _)| *version < at);
        match newest {
            Some((writer, value)) if *writer >= wiped => Some(SlotView { value: *value, writer: *writer }),
            _ if wiped > Version::BASE => Some(SlotView { value: U256::ZERO, writer: wiped }),
            _ => None,
        }
    }

    fn forget(&mut self, settled: Version) {
        let below = self.values.partition_point(|(version, _)| *version < settled);
        if below > 1 {
            self.values.drain(..below - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &SlotCell, at: u32, wiped: u32) -> (u64, u32) {
        let (view, _) = cell.read::<()>(Version(at), Version(wiped), || Ok(U256::from(5))).expect("the load succeeds");
        (view.value.to(), view.writer.0)
    }

    #[test]
    fn a_reader_sees_the_newest_write_below_it() {
        let cell = SlotCell::new(AccountIndex(0), U256::ZERO);
        cell.write(Version(4), Version(1), U256::from(40));
        cell.write(Version(2), Version(1), U256::from(20));
        assert_eq!([read(&cell, 2, 0), read(&cell, 3, 0), read(&cell, 9, 0)], [(5, 0), (20, 2), (40, 4)]);
        cell.retract(Version(4));
        assert_eq!(read(&cell, 9, 0), (20, 2));
    }

    #[test]
    fn a_wipe_hides_what_was_written_before_it_but_not_what_its_own_transaction_wrote() {
        let cell = SlotCell::new(AccountIndex(0), U256::ZERO);
        assert_eq!(read(&cell, 9, 3), (0, 3));
        cell.write(Version(2), Version(1), U256::from(20));
        assert_eq!(read(&cell, 9, 3), (0, 3));
        cell.write(Version(3), Version(1), U256::from(30));
        assert_eq!(read(&cell, 9, 3), (30, 3));
    }

    #[test]
    fn settled_versions_are_forgotten_but_for_the_last() {
        let cell = SlotCell::new(AccountIndex(0), U256::ZERO);
        for version in 1..=6 {
            cell.write(Version(version), Version(version), U256::from(version));
        }
        assert_eq!(read(&cell, 7, 0), (6, 6));
        assert_eq!(cell.versions.lock().values.len(), 2);
    }
}

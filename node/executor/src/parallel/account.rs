//! One account in the versioned memory. Invariant: what a reader at version `v` sees depends only on writes of versions
//! below `v`, and folding settled versions changes nothing for readers above them.

use std::mem;

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use parapet_types::AccountInfo;
use smallvec::SmallVec;

use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering};

/// Position of a transaction in the block, from 1; 0 is the state below the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version(pub(crate) u32);

impl Version {
    /// The state below the block.
    pub(crate) const BASE: Self = Self(0);
}

/// What an account is besides its balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) nonce: u64,
    pub(crate) code_hash: B256,
    /// Version whose transaction dropped all storage; [`Version::BASE`] where none did.
    pub(crate) wiped: Version,
}

impl Default for Identity {
    fn default() -> Self {
        Self { nonce: 0, code_hash: KECCAK256_EMPTY, wiped: Version::BASE }
    }
}

/// An account as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountView {
    pub(crate) balance: U256,
    pub(crate) identity: Identity,
    /// The last transaction whose write is part of it.
    pub(crate) writer: Version,
}

impl AccountView {
    /// As the state below the block has it.
    pub(crate) fn of(base: Option<AccountInfo>) -> Self {
        let info = base.unwrap_or_default();
        let identity = Identity { nonce: info.nonce, code_hash: info.code_hash, wiped: Version::BASE };
        Self { balance: info.balance, identity, writer: Version::BASE }
    }

    /// EIP-161.
    pub(crate) fn is_empty(&self) -> bool {
        self.identity.nonce == 0 && self.identity.code_hash == KECCAK256_EMPTY && self.balance.is_zero()
    }
}

/// What a look at an account's cell shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountSight {
    pub(crate) view: AccountView,
    pub(crate) stamp: u64,
    /// Nothing of it is unsettled: every reader sees the same for as long as the stamp is this one.
    pub(crate) is_steady: bool,
}

/// An account, its balance as a sum of differences, so that writers do not conflict with each other.
#[derive(Debug)]
pub(crate) struct AccountCell {
    pub(crate) address: Address,
    /// Grows with every change: an equal stamp means an equal view.
    stamp: AtomicU64,
    versions: Mutex<AccountVersions>,
}

#[derive(Debug, Default)]
struct AccountVersions {
    base: Option<Option<AccountInfo>>,
    /// Everything settled, folded into one.
    balance: U256,
    balance_writer: Version,
    identity: (Version, Identity),
    /// Differences modulo 2^256, by version.
    changes: SmallVec<[(Version, U256); 1]>,
    /// By version.
    identities: SmallVec<[(Version, Identity); 1]>,
    /// A settled transaction touched it while it was empty (EIP-161).
    touched: bool,
}

/// What one transaction does to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountWrite {
    /// Difference of the balance modulo 2^256.
    pub(crate) balance: U256,
    pub(crate) identity: Option<Identity>,
}

impl AccountCell {
    pub(crate) fn new(address: Address) -> Self {
        Self { address, stamp: AtomicU64::new(0), versions: Mutex::new(AccountVersions::default()) }
    }

    /// The stamp now.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// The view at a version, with its stamp. What lies below is loaded once.
    pub(crate) fn read<E>(
        &self,
        at: Version,
        load: impl FnOnce() -> Result<Option<AccountInfo>, E>,
    ) -> Result<(AccountView, u64), E> {
        self.look(at, load).map(|AccountSight { view, stamp, .. }| (view, stamp))
    }

    /// As [`AccountCell::read`], and whether it is the same for every reader.
    pub(crate) fn look<E>(
        &self,
        at: Version,
        load: impl FnOnce() -> Result<Option<AccountInfo>, E>,
    ) -> Result<AccountSight, E> {
        let versions = self.loaded(load)?;
        let is_steady = versions.changes.is_empty() && versions.identities.is_empty();
        Ok(AccountSight { view: versions.view(at), stamp: self.stamp.load(Ordering::Relaxed), is_steady })
    }

    /// The view at a version of an account that was read before.
    pub(crate) fn read_again(&self, at: Version) -> AccountView {
        self.versions.lock().view(at)
    }

    fn loaded<E>(
        &self,
        load: impl FnOnce() -> Result<Option<AccountInfo>, E>,
    ) -> Result<MutexGuard<'_, AccountVersions>, E> {
        let mut versions = self.versions.lock();
        if versions.base.is_none() {
            let base = load()?;
            versions.base = Some(base);
            let info = base.unwrap_or_default();
            versions.balance = info.balance;
            versions.identity =
                (Version::BASE, Identity { nonce: info.nonce, code_hash: info.code_hash, wiped: Version::BASE });
        }
        Ok(versions)
    }

    /// Adds what a transaction does, after folding everything below `settled` into one. The account was read before.
    /// Gives the stamp before that.
    pub(crate) fn write(&self, version: Version, settled: Version, write: AccountWrite) -> u64 {
        let mut versions = self.versions.lock();
        versions.fold(settled);
        if !write.balance.is_zero() {
            let at = versions.changes.partition_point(|(other, _)| *other < version);
            versions.changes.insert(at, (version, write.balance));
        }
        if let Some(identity) = write.identity {
            let at = versions.identities.partition_point(|(other, _)| *other <= version);
            versions.identities.insert(at, (version, identity));
        }
        grow(&self.stamp)
    }

    /// Takes back what a transaction did.
    pub(crate) fn retract(&self, version: Version) {
        let mut versions = self.versions.lock();
        versions.changes.retain(|(other, _)| *other != version);
        versions.identities.retain(|(other, _)| *other != version);
        grow(&self.stamp);
    }

    /// Writes for a transaction below which everything is settled, itself included: no version is kept.
    pub(crate) fn settle<E>(
        &self,
        version: Version,
        load: impl FnOnce() -> Result<Option<AccountInfo>, E>,
        write: AccountWrite,
    ) -> Result<(), E> {
        let mut versions = self.loaded(load)?;
        versions.fold(version);
        versions.balance = versions.balance.wrapping_add(write.balance);
        if !write.balance.is_zero() {
            versions.balance_writer = version;
        }
        if let Some(identity) = write.identity {
            versions.identity = (version, identity);
        }
        grow(&self.stamp);
        Ok(())
    }

    /// Whether there was an account below the block. It was read before.
    pub(crate) fn existed(&self) -> bool {
        matches!(self.versions.lock().base, Some(Some(_)))
    }

    /// Remembers that a settled transaction left it empty and touched.
    pub(crate) fn touch_empty(&self) {
        self.versions.lock().touched = true;
    }

    /// What its versions have taken besides the cell, in bytes: room for versions is not given back while the block lasts.
    pub(crate) fn heap_bytes(&self) -> usize {
        let versions = self.versions.lock();
        spilled_bytes(&versions.changes) + spilled_bytes(&versions.identities)
    }

    /// The account below the block, and at its end, when everything is settled. `None`: it was never loaded.
    pub(crate) fn ends(&self) -> Option<AccountEnds> {
        let mut versions = self.versions.lock();
        let base = versions.base?;
        versions.fold(Version(u32::MAX));
        let end = versions.view(Version(u32::MAX));
        Some(AccountEnds { base, end, touched_empty: versions.touched })
    }
}

/// Moves a stamp on and gives what it was. Its cell is locked, so nobody else moves it meanwhile, and it need not be one step.
pub(super) fn grow(stamp: &AtomicU64) -> u64 {
    let before = stamp.load(Ordering::Relaxed);
    stamp.store(before + 1, Ordering::Release);
    before
}

/// Bytes of a list that has outgrown its place.
pub(super) fn spilled_bytes<T>(list: &SmallVec<[T; 1]>) -> usize {
    if list.spilled() { list.capacity() * mem::size_of::<T>() } else { 0 }
}

/// An account before and after the block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountEnds {
    pub(crate) base: Option<AccountInfo>,
    pub(crate) end: AccountView,
    pub(crate) touched_empty: bool,
}

impl AccountVersions {
    fn view(&self, at: Version) -> AccountView {
        let (mut balance, mut writer) = (self.balance, self.balance_writer);
        for (version, change) in &self.changes {
            if *version < at {
                balance = balance.wrapping_add(*change);
                writer = writer.max(*version);
            }
        }
        let newest = self.identities.iter().rev().find(|(version, _)| *version < at);
        let (version, identity) = newest.copied().unwrap_or(self.identity);
        AccountView { balance, identity, writer: writer.max(version) }
    }

    fn fold(&mut self, settled: Version) {
        let count = self.changes.partition_point(|(version, _)| *version < settled);
        for (version, change) in self.changes.drain(..count) {
            self.balance = self.balance.wrapping_add(change);
            self.balance_writer = version;
        }
        let count = self.identities.partition_point(|(version, _)| *version < settled);
        if let Some(last) = self.identities.drain(..count).next_back() {
            self.identity = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(balance: u64) -> AccountCell {
        let cell = AccountCell::new(Address::ZERO);
        let info = AccountInfo { balance: U256::from(balance), ..AccountInfo::default() };
        let (view, _) = cell.read::<()>(Version(9), || Ok(Some(info))).expect("the load succeeds");
        assert_eq!(view.balance, U256::from(balance));
        cell
    }

    fn plus(balance: u64) -> AccountWrite {
        AccountWrite { balance: U256::from(balance), identity: None }
    }

    #[test]
    fn a_reader_sees_the_sum_of_what_lies_below_it_and_nothing_else() {
        let cell = cell(100);
        cell.write(Version(5), Version(1), plus(50));
        cell.write(
            Version(2),
            Version(1),
            AccountWrite { balance: U256::ZERO.wrapping_sub(U256::from(30)), ..plus(0) },
        );
        let seen = |at| cell.read_again(Version(at)).balance.to::<u64>();
        assert_eq!([seen(1), seen(2), seen(3), seen(5), seen(6)], [100, 100, 70, 70, 120]);
        assert_eq!(cell.read_again(Version(4)).writer, Version(2));
    }

    #[test]
    fn folding_changes_nothing_for_readers_above() {
        let cell = cell(100);
        for version in 1..=6 {
            cell.write(Version(version), Version(version), plus(1));
        }
        assert_eq!(cell.read_again(Version(7)).balance, U256::from(106));
        assert_eq!(cell.versions.lock().changes.len(), 1);
    }

    #[test]
    fn what_is_retracted_is_gone_and_the_stamp_tells() {
        let cell = cell(100);
        let before = cell.stamp();
        let identity = Identity { nonce: 1, ..Identity::default() };
        cell.write(Version(3), Version(1), AccountWrite { identity: Some(identity), ..plus(7) });
        assert_eq!(cell.read_again(Version(4)).identity.nonce, 1);
        cell.retract(Version(3));
        assert_eq!(cell.read_again(Version(4)), cell.read_again(Version(1)));
        assert!(cell.stamp() > before);
    }
}

//! Where a list that came with a block parts from what the block did.

use std::cmp::Ordering;

use alloy_eip7928::{AccountChanges, BlockAccessIndex};
use alloy_primitives::{Address, U256};

/// A part of an account's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListPart {
    /// The entry itself.
    Account,
    /// A slot that was met and not changed.
    StorageRead,
    /// A changed slot.
    Storage,
    /// A balance.
    Balance,
    /// A nonce.
    Nonce,
    /// Code.
    Code,
}

/// What is wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mislisted {
    /// It is what the block did, and is not listed.
    Missing,
    /// It is listed, and the block did not do it.
    Excess,
    /// The block left another value.
    Value,
    /// It is longer than any account's.
    TooLong,
}

/// A place where a list is not its block's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongEntry {
    /// Whose entry.
    pub address: Address,
    /// What of it.
    pub part: ListPart,
    /// The slot, of a part that is one.
    pub slot: Option<U256>,
    /// The block access index, of a part that is a change.
    pub index: Option<BlockAccessIndex>,
    /// What is wrong.
    pub what: Mislisted,
}

impl std::fmt::Display for WrongEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = match self.part {
            ListPart::Account => "the account",
            ListPart::StorageRead => "a storage read",
            ListPart::Storage => "a storage change",
            ListPart::Balance => "a balance change",
            ListPart::Nonce => "a nonce change",
            ListPart::Code => "a code change",
        };
        let what = match self.what {
            Mislisted::Missing => "is missing",
            Mislisted::Excess => "is listed but did not happen",
            Mislisted::Value => "has another value than the block left",
            Mislisted::TooLong => "is longer than code may be",
        };
        write!(f, "{}: {part} {what}", self.address)?;
        if let Some(slot) = self.slot {
            write!(f, ", slot {slot:#x}")?;
        }
        if let Some(index) = self.index {
            write!(f, ", index {index}")?;
        }
        Ok(())
    }
}

/// What stands at one key of two ordered lists.
enum Pair<'a, T> {
    Listed(&'a T),
    Recorded(&'a T),
    Both(&'a T, &'a T),
}

/// The first place, in order of accounts, where listed entries are not the recorded ones. Both are ordered.
pub(crate) fn part_ways(listed: &[AccountChanges], recorded: &[AccountChanges]) -> Option<WrongEntry> {
    let account = |address, what| WrongEntry { address, part: ListPart::Account, slot: None, index: None, what };
    if listed == recorded {
        return None;
    }
    meet(listed, recorded, |entry| entry.address).find_map(|pair| match pair {
        Pair::Listed(entry) => Some(account(entry.address, Mislisted::Excess)),
        Pair::Recorded(entry) => Some(account(entry.address, Mislisted::Missing)),
        Pair::Both(listed, recorded) => entries(listed, recorded),
    })
}

fn entries(listed: &AccountChanges, recorded: &AccountChanges) -> Option<WrongEntry> {
    let address = listed.address;
    let slot = |part, slot, index, what| WrongEntry { address, part, slot: Some(slot), index, what };
    let change = |part| move |(index, what)| WrongEntry { address, part, slot: None, index: Some(index), what };
    meet(&listed.storage_changes, &recorded.storage_changes, |changes| changes.slot)
        .find_map(|pair| match pair {
            Pair::Listed(changes) => Some(slot(ListPart::Storage, changes.slot, None, Mislisted::Excess)),
            Pair::Recorded(changes) => Some(slot(ListPart::Storage, changes.slot, None, Mislisted::Missing)),
            Pair::Both(listed, recorded) => changes(&listed.changes, &recorded.changes, |one| one.block_access_index)
                .map(|(index, what)| slot(ListPart::Storage, listed.slot, Some(index), what)),
        })
        .or_else(|| {
            meet(&listed.storage_reads, &recorded.storage_reads, |read| *read).find_map(|pair| match pair {
                Pair::Listed(read) => Some(slot(ListPart::StorageRead, *read, None, Mislisted::Excess)),
                Pair::Recorded(read) => Some(slot(ListPart::StorageRead, *read, None, Mislisted::Missing)),
                Pair::Both(..) => None,
            })
        })
        .or_else(|| {
            changes(&listed.balance_changes, &recorded.balance_changes, |one| one.block_access_index)
                .map(change(ListPart::Balance))
        })
        .or_else(|| {
            changes(&listed.nonce_changes, &recorded.nonce_changes, |one| one.block_access_index)
                .map(change(ListPart::Nonce))
        })
        .or_else(|| {
            changes(&listed.code_changes, &recorded.code_changes, |one| one.block_access_index)
                .map(change(ListPart::Code))
        })
}

fn changes<T: PartialEq>(
    listed: &[T],
    recorded: &[T],
    index: impl Fn(&T) -> BlockAccessIndex,
) -> Option<(BlockAccessIndex, Mislisted)> {
    meet(listed, recorded, &index).find_map(|pair| match pair {
        Pair::Listed(one) => Some((index(one), Mislisted::Excess)),
        Pair::Recorded(one) => Some((index(one), Mislisted::Missing)),
        Pair::Both(listed, recorded) => (listed != recorded).then(|| (index(listed), Mislisted::Value)),
    })
}

/// Two ordered lists, key by key.
fn meet<'a, T, K: Ord>(
    mut listed: &'a [T],
    mut recorded: &'a [T],
    key: impl Fn(&T) -> K,
) -> impl Iterator<Item = Pair<'a, T>> {
    std::iter::from_fn(move || {
        let order = match (listed.first(), recorded.first()) {
            (Some(left), Some(right)) => key(left).cmp(&key(right)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let mut left = || take(&mut listed);
        let mut right = || take(&mut recorded);
        match order {
            Ordering::Less => left().map(Pair::Listed),
            Ordering::Greater => right().map(Pair::Recorded),
            Ordering::Equal => left().zip(right()).map(|(left, right)| Pair::Both(left, right)),
        }
    })
}

fn take<'a, T>(list: &mut &'a [T]) -> Option<&'a T> {
    let (first, rest) = list.split_first()?;
    *list = rest;
    Some(first)
}

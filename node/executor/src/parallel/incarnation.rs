//! One execution of one transaction: what it read, what it did, and what of it is in the versioned memory.

use std::time::Duration;

use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use parapet_monitor::StateUpdate;
use parapet_types::{Executed, REGISTRY, ReadError};
use revm::state::{Account, EvmState};
use smallvec::SmallVec;

use super::{
    account::{AccountWrite, Identity, Version},
    memory::Memory,
    reader::Reader,
    reads::ReadSet,
    slot::{AccountIndex, SlotIndex},
};
use crate::{TxError, access_list::Footprint, session::Finished};

/// What came of an execution.
#[derive(Debug, Default)]
pub(crate) enum Ended {
    /// It can be included if its reads hold.
    Executed(Executed),
    /// It cannot be included, if its reads hold.
    Refused(TxError),
    /// It could not be executed, on no fault of its own.
    Failed(TxError),
    /// Nothing can be concluded: it must run on settled state.
    #[default]
    Unusable,
}

/// A place in the versioned memory that was written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written {
    Account(AccountIndex),
    Slot(SlotIndex),
    /// Guard state, changed without knowing it.
    Guarded(SlotIndex),
}

/// One execution of one transaction. Its memory serves one after the other.
#[derive(Debug, Default)]
pub(crate) struct Incarnation {
    pub(crate) ended: Ended,
    pub(crate) reads: ReadSet,
    pub(crate) written: SmallVec<[Written; 6]>,
    /// Accounts that it touched and left empty.
    pub(crate) emptied: SmallVec<[AccountIndex; 1]>,
    /// What the fee recipient is owed.
    pub(crate) fee: U256,
    /// What it takes to judge it again, if that may be done.
    pub(crate) finished: Option<Box<Finished>>,
    /// How long the EVM took, where that was looked at.
    pub(crate) took: Option<Duration>,
    /// What it met; empty unless the block's access list is recorded.
    pub(crate) footprint: Footprint,
}

impl Incarnation {
    /// Forgets everything but the memory of its lists.
    pub(crate) fn clear(&mut self) {
        self.ended = Ended::Unusable;
        self.reads.clear();
        self.written.clear();
        self.emptied.clear();
        self.fee = U256::ZERO;
        self.finished = None;
        self.took = None;
        self.footprint = Footprint::default();
    }
}

/// What an execution left in the versioned memory.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) written: SmallVec<[Written; 6]>,
    pub(crate) emptied: SmallVec<[AccountIndex; 1]>,
}

impl Left {
    /// For what is settled: remembers what is empty and touched.
    pub(crate) fn touch(&self, memory: &Memory<'_>) {
        for index in &self.emptied {
            memory.account(*index).touch_empty();
        }
    }
}

/// Everything below `settled` is settled: what was changed without knowing it becomes a value.
pub(crate) fn fold(written: &[Written], memory: &Memory<'_>, settled: Version) -> Result<(), ReadError> {
    written.iter().try_for_each(|place| match place {
        Written::Guarded(slot) => memory.fold_slot(*slot, settled),
        Written::Account(_) | Written::Slot(_) => Ok(()),
    })
}

/// Brings the balances in a journal, which were a guess, to what they are at a version, below which everything is settled:
/// what the transaction did to them stays.
pub(crate) fn rebase(reads: &ReadSet, memory: &Memory<'_>, at: Version, journal: &mut EvmState) {
    for read in &reads.accounts {
        let cell = memory.account(read.index);
        let moved = cell.read_again(at).balance.wrapping_sub(read.seen.balance);
        if let Some(account) = journal.get_mut(&cell.address).filter(|_| !moved.is_zero()) {
            let destroyed = account.is_selfdestructed();
            let original = account.original_info_mut();
            original.balance = original.balance.wrapping_add(moved);
            if !destroyed {
                account.info.balance = account.info.balance.wrapping_add(moved);
            }
        }
    }
}

/// Takes back what a version wrote.
pub(crate) fn retract(written: &[Written], reader: &Reader<'_>, version: Version) {
    for place in written {
        match place {
            Written::Account(index) => reader.memory.account(*index).retract(version),
            Written::Slot(index) | Written::Guarded(index) => reader.memory.slot(*index).retract(version),
        }
    }
}

/// Writes what a journal holds to the versioned memory, as the reader's version. Everything below `settled` is certain.
///
/// # Errors
/// What has to be read cannot be. Then nothing is written: nobody would know what to take back. So whatever the journal
/// does not hold is read before the first write, and all that it holds was read through this reader.
pub(crate) fn publish<'s>(
    state: impl Iterator<Item = (&'s Address, &'s Account)>,
    reader: &mut Reader<'_>,
    guard_updates: &[StateUpdate],
    settled: Version,
) -> Result<Left, ReadError> {
    let mut left = Left::default();
    if let [_, ..] = guard_updates {
        reader.account(REGISTRY)?;
    }
    for (address, account) in state.filter(|(_, account)| account.is_touched()) {
        let (position, seen) = reader.account_at(*address, account.info.account_id)?;
        let index = reader.reads.accounts[position].index;
        let version = reader.at;
        let destroyed = account.is_selfdestructed();
        let (balance, identity) = if destroyed {
            (U256::ZERO, Identity { wiped: version, ..Identity::default() })
        } else {
            let wiped = if account.is_created() { version } else { seen.identity.wiped };
            let info = &account.info;
            (info.balance, Identity { nonce: info.nonce, code_hash: info.code_hash, wiped })
        };
        let write = AccountWrite {
            balance: balance.wrapping_sub(seen.balance),
            identity: (identity != seen.identity).then_some(identity),
        };
        if write != AccountWrite::default() {
            if identity.code_hash != seen.identity.code_hash && identity.code_hash != KECCAK256_EMPTY {
                add_code(reader, account);
            }
            let stamp = reader.memory.account(index).write(version, settled, write);
            reader.reads.wrote_account(position, stamp);
            left.written.push(Written::Account(index));
        } else if seen.is_empty() {
            if reader.memory.account(index).existed() {
                // EIP-161 removes it, with what storage it may have (EIP-7610).
                let gone = Identity { wiped: version, ..Identity::default() };
                reader.memory.account(index).write(version, settled, AccountWrite { identity: Some(gone), ..write });
                left.written.push(Written::Account(index));
            }
            left.emptied.push(index);
        }
        if !destroyed {
            publish_slots(reader, index, account, settled, &mut left);
        }
    }
    if let [_, ..] = guard_updates {
        left.written.extend(publish_updates(reader, guard_updates)?);
    }
    Ok(left)
}

/// Adds what guards change without knowing it.
pub(crate) fn publish_updates(
    reader: &mut Reader<'_>,
    guard_updates: &[StateUpdate],
) -> Result<SmallVec<[Written; 6]>, ReadError> {
    let mut written = SmallVec::new();
    if let [_, ..] = guard_updates {
        let (position, _) = reader.account(REGISTRY)?;
        let index = reader.reads.accounts[position].index;
        for update in guard_updates {
            let place = reader.memory.slot_index(index, update.slot);
            reader.memory.slot(place).change(reader.at, &update.ops);
            written.push(Written::Guarded(place));
        }
    }
    Ok(written)
}

fn add_code(reader: &Reader<'_>, account: &Account) {
    if let Some(code) = &account.info.code {
        reader.memory.add_code(account.info.code_hash, code);
    }
}

fn publish_slots(reader: &mut Reader<'_>, index: AccountIndex, account: &Account, settled: Version, left: &mut Left) {
    for (slot, value) in &account.storage {
        // On a journal of several transactions the original is the last one's, so it tells nothing of the first.
        let kept = value.transaction_id.get() > 0;
        if value.is_changed() || kept {
            publish_slot(reader, index, *slot, value.present_value, settled, left);
        }
    }
}

fn publish_slot(
    reader: &mut Reader<'_>,
    account: AccountIndex,
    slot: U256,
    value: U256,
    settled: Version,
    left: &mut Left,
) {
    let index = match reader.reads.find_slot(account, slot) {
        Some((position, index)) => {
            let stamp = reader.memory.slot(index).write(reader.at, settled, value);
            reader.reads.wrote_slot(position, stamp);
            index
        }
        None => {
            let index = reader.memory.slot_index(account, slot);
            reader.memory.slot(index).write(reader.at, settled, value);
            index
        }
    };
    left.written.push(Written::Slot(index));
}

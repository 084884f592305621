//! The block's access list in a parallel run: what is recorded of it, and what a list that came with the block lets
//! transactions start from.
//!
//! Invariant: what a list says enters a run only as what a speculating transaction reads, and is validated like any
//! other read when its turn comes. So a wrong list costs time, and never state.

use alloy_eip7928::{AccountChanges, BlockAccessIndex, BlockAccessList};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use parapet_types::{AccountInfo, REGISTRY, ReadError};
use revm::state::EvmState;
use smallvec::SmallVec;

use super::{
    Block,
    account::{AccountView, Version},
    incarnation::{Incarnation, Written},
    memory::Memory,
    slot::{AccountIndex, SlotView},
    worker::{FIRST_SYSTEM_VERSION, version},
};
use crate::{
    Listing,
    access_list::{Footprint, Recording, SlotStep},
    sync::Mutex,
};

/// What begins the code of an account that has delegated (EIP-7702): it is written without a creation.
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

/// The block's access list, as far as anybody asked for it.
#[derive(Debug, Default)]
pub(crate) struct Listed<'a> {
    recording: Option<Mutex<Recording>>,
    followed: Option<Followed<'a>>,
}

impl<'a> Listed<'a> {
    /// Before anything runs.
    pub(crate) fn new(listing: Listing<'a>, memory: &Memory<'a>) -> Self {
        let followed = listing.followed().map(|list| Followed::new(list, memory));
        Self { recording: listing.recording().map(Mutex::new), followed }
    }

    /// Whether it must be known of each transaction what it met.
    pub(crate) const fn is_recorded(&self) -> bool {
        self.recording.is_some()
    }

    /// The list that the block came with.
    pub(crate) const fn followed(&self) -> Option<&Followed<'a>> {
        self.followed.as_ref()
    }

    /// What was recorded.
    pub(crate) fn take(&mut self) -> Option<Recording> {
        self.recording.take().map(Mutex::into_inner)
    }

    fn record(&self, what: impl FnOnce(&mut Recording)) {
        if let Some(recording) = &self.recording {
            what(&mut recording.lock());
        }
    }

    /// What the chain does from here on, it does after that many transactions were included.
    pub(crate) fn after(&self, included: usize) {
        self.record(|recording| recording.after(included));
    }

    /// What a call met that leaves nothing.
    pub(crate) fn meet(&self, state: &EvmState) {
        self.record(|recording| recording.footprint(&Footprint::of(state)));
    }
}

/// Accounts as one step of the block finds them, all below it being settled.
#[derive(Debug)]
pub(crate) struct Before(SmallVec<[(AccountIndex, AccountInfo); 4]>);

impl Before {
    fn of(memory: &Memory<'_>, at: Version, accounts: impl Iterator<Item = AccountIndex>) -> Result<Self, ReadError> {
        accounts.map(|index| Ok((index, info(memory, index, at)?))).collect::<Result<_, _>>().map(Self)
    }

    /// Records what has become of them.
    fn record(&self, memory: &Memory<'_>, at: Version, recording: &mut Recording) -> Result<(), ReadError> {
        self.0.iter().try_for_each(|(index, before)| {
            let after = info(memory, *index, Version(at.0 + 1))?;
            recording.info(memory.account(*index).address, before, &after);
            Ok(())
        })
    }
}

fn info(memory: &Memory<'_>, index: AccountIndex, at: Version) -> Result<AccountInfo, ReadError> {
    let (AccountView { balance, identity, .. }, _) = memory.read_account(index, at)?;
    Ok(AccountInfo { nonce: identity.nonce, balance, code_hash: identity.code_hash })
}

/// The accounts that a transaction changes, the fee recipient among them, before it is settled. `None`: nobody asks.
pub(crate) fn before(block: &Block<'_>, index: u32, incarnation: &Incarnation) -> Result<Option<Before>, ReadError> {
    if !block.memory.listed.is_recorded() {
        return Ok(None);
    }
    let written = incarnation.written.iter().filter_map(|written| match written {
        Written::Account(account) if *account != block.beneficiary => Some(*account),
        Written::Account(_) | Written::Slot(_) | Written::Guarded(_) => None,
    });
    Before::of(&block.memory, version(index), written.chain([block.beneficiary])).map(Some)
}

/// Records a transaction that has just been settled, after that many others.
pub(crate) fn settled(
    block: &Block<'_>,
    index: u32,
    included: usize,
    before: Option<&Before>,
    footprint: &Footprint,
) -> Result<(), ReadError> {
    let (Some(before), Some(recording)) = (before, &block.memory.listed.recording) else { return Ok(()) };
    let mut recording = recording.lock();
    recording.after(included);
    recording.footprint(footprint);
    before.record(&block.memory, version(index), &mut recording)?;
    if let [_, ..] = footprint.guard_updates[..] {
        let (at, after) = (version(index), Version(version(index).0 + 1));
        let registry = block.memory.account_index(REGISTRY);
        let wiped = block.memory.read_account(registry, after)?.0.identity.wiped;
        for update in &footprint.guard_updates {
            let place = block.memory.slot_index(registry, update.slot);
            let word = |at| block.memory.read_slot(place, at, wiped).map(|(seen, _)| seen.value);
            let (before, after) = (word(at)?, word(after)?);
            recording.slot(&SlotStep { address: REGISTRY, slot: update.slot, before, after });
        }
    }
    Ok(())
}

/// Runs a step of the chain's own and records it.
pub(crate) fn chain_step(
    memory: &Memory<'_>,
    at: Version,
    footprint: &Footprint,
    step: impl FnOnce() -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let Some(recording) = &memory.listed.recording else { return step() };
    let accounts = footprint.accounts.iter().map(|address| memory.account_index(*address));
    let before = Before::of(memory, at, accounts)?;
    step()?;
    let mut recording = recording.lock();
    recording.footprint(footprint);
    before.record(memory, at, &mut recording)
}

/// A list that the block came with, ready to be asked. It is in order (checked before).
#[derive(Debug)]
pub(crate) struct Followed<'a> {
    list: &'a BlockAccessList,
    /// For each account, what became of its code.
    codes: Vec<Vec<ListedCode>>,
}

#[derive(Clone, Copy, Debug)]
struct ListedCode {
    hash: B256,
    /// It comes with a creation, which leaves nothing of what storage there was.
    creates: bool,
}

impl<'a> Followed<'a> {
    fn new(list: &'a BlockAccessList, memory: &Memory<'_>) -> Self {
        let codes = |entry: &AccountChanges| {
            let listed = entry.code_changes.iter().map(|change| {
                let code = &change.new_code;
                if code.is_empty() {
                    return ListedCode { hash: KECCAK256_EMPTY, creates: false };
                }
                let hash = keccak256(code);
                memory.add_code_bytes(hash, code);
                ListedCode { hash, creates: !code.starts_with(&DELEGATION) }
            });
            listed.collect()
        };
        Self { list, codes: list.iter().map(codes).collect() }
    }

    fn position(&self, address: &Address) -> Option<usize> {
        self.list.binary_search_by(|entry| entry.address.cmp(address)).ok()
    }

    /// The account as the list has it at a version. `None`: the list adds nothing to what is known.
    pub(crate) fn account(&self, address: &Address, at: Version, known: &AccountView) -> Option<AccountView> {
        let position = self.position(address)?;
        let entry = &self.list[position];
        let mut view = *known;
        if let Some(last) = below(&entry.balance_changes, at, |change| change.block_access_index) {
            view.balance = entry.balance_changes[last].post_balance;
        }
        if let Some(last) = below(&entry.nonce_changes, at, |change| change.block_access_index) {
            view.identity.nonce = entry.nonce_changes[last].new_nonce;
        }
        if let Some(last) = below(&entry.code_changes, at, |change| change.block_access_index) {
            view.identity.code_hash = self.codes[position][last].hash;
            if let Some(created) = (0..=last).rev().find(|change| self.codes[position][*change].creates) {
                let created = writer(entry.code_changes[created].block_access_index);
                view.identity.wiped = view.identity.wiped.max(created);
            }
        }
        (view != *known).then_some(view)
    }

    /// The slot as the list has it at a version. `None`: the list adds nothing to what is known.
    pub(crate) fn slot(&self, address: &Address, slot: U256, at: Version, known: &SlotView) -> Option<SlotView> {
        let entry = &self.list[self.position(address)?];
        let changes = entry.storage_changes.binary_search_by(|changes| changes.slot.cmp(&slot)).ok()?;
        let changes = &entry.storage_changes[changes].changes;
        let last = &changes[below(changes, at, |change| change.block_access_index)?];
        let view = SlotView { value: last.new_value, writer: writer(last.block_access_index) };
        (view.value != known.value).then_some(view)
    }
}

/// Position of the last change that a transaction at this version finds done.
fn below<T>(changes: &[T], at: Version, index: impl Fn(&T) -> BlockAccessIndex) -> Option<usize> {
    // The first transaction's own changes have index 1.
    let own = u64::from((at.0 + 1).saturating_sub(version(0).0));
    changes.partition_point(|change| index(change).get() < own).checked_sub(1)
}

/// The version whose doing a change is.
fn writer(index: BlockAccessIndex) -> Version {
    match u32::try_from(index.get()).ok().and_then(|index| index.checked_sub(1)) {
        Some(transaction) => Version(version(0).0.saturating_add(transaction)),
        None => FIRST_SYSTEM_VERSION,
    }
}

#[cfg(test)]
mod tests {
    use alloy_eip7928::{SlotChanges, StorageChange};
    use parapet_types::FlatState;

    use super::*;
    use crate::{
        database::EvmDatabase as _,
        parallel::{bare, reader::Reader},
    };

    const WATCHED: Address = Address::repeat_byte(0xaa);
    const SLOT: U256 = U256::ONE;

    #[test]
    fn a_word_as_a_list_has_it_for_one_transaction_stands_for_no_other() {
        let change = StorageChange { block_access_index: BlockAccessIndex::new(4), new_value: U256::from(7) };
        let entry = AccountChanges {
            storage_changes: vec![SlotChanges { slot: SLOT, changes: vec![change] }],
            ..AccountChanges::new(WATCHED)
        };
        bare::over(&FlatState::default(), |memory| {
            let list: BlockAccessList = vec![entry];
            let mut memory = memory;
            memory.listed = Listed::new(Listing::Follow(&list), &memory);
            let mut reader = Reader::new(&memory);
            // The list's change is the fourth transaction's, which has not run.
            reader.speculate(version(5), Address::ZERO, 0);
            assert_eq!(reader.watched_word(WATCHED, SLOT).expect("it can be read"), U256::from(7));
            reader.settle(version(0));
            assert!(!reader.watched_word_stands());
            assert_eq!(reader.watched_word(WATCHED, SLOT).expect("it can be read"), U256::ZERO);
            reader.settle(version(1));
            assert!(reader.watched_word_stands());
        });
    }
}

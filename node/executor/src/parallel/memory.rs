//! The versioned memory of one block: every account and slot that anybody met, by exact key, with what the transactions
//! of the window wrote to it.
//!
//! Keys are interned once per block under a hash that is seeded anew for every block, so nobody can aim at collisions,
//! and a key is identified by itself, never by its hash.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use dashmap::DashMap;
use foldhash::fast::RandomState;
use parapet_types::{AccountChange, AccountInfo, Ancestors, ReadError, StateChanges, StateReader};
use revm::state::Bytecode;

use super::{
    account::{AccountCell, AccountView, Version},
    arena::Arena,
    codes::Codes,
    listed::Listed,
    slot::{AccountIndex, NEW, SlotCell, SlotIndex, SlotView},
    table::Table,
};
use crate::Point;

/// Accounts and slots of a block for which there is always memory.
const USUAL_ACCOUNTS: usize = 1_024;
const USUAL_SLOTS: usize = 3_072;

/// An address, hashed word by word: as bytes of any length it takes three times as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AccountKey(Address);

impl Hash for AccountKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (words, rest) = self.0.as_chunks::<8>();
        words.iter().for_each(|word| state.write_u64(u64::from_le_bytes(*word)));
        rest.iter().rfold(0, |rest, byte| rest << 8 | u32::from(*byte)).hash(state);
    }
}

/// A slot of an account, hashed word by word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SlotKey(AccountIndex, U256);

impl Hash for SlotKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.0.0);
        self.1.as_limbs().iter().for_each(|limb| state.write_u64(*limb));
    }
}

/// The cells of a block, kept from one block to the next for their memory alone.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    account_keys: Table<AccountKey>,
    accounts: Arena<AccountCell>,
    slot_keys: Table<SlotKey>,
    slots: Arena<SlotCell>,
    /// Code created in the block, by its hash.
    created: DashMap<B256, Bytes, RandomState>,
}

impl Cells {
    /// Empty ones, with memory for a usual block: what is asked of the system in the middle of a block takes longer than
    /// all else that a cell costs.
    pub(crate) fn ready() -> Self {
        let cells = Self::default();
        cells.accounts.reserve(USUAL_ACCOUNTS);
        cells.slots.reserve(USUAL_SLOTS);
        cells
    }

    /// What the tables of keys, the cells and their versions have taken of the system, in bytes. Nothing of it is given
    /// back while a block lasts, so at its end this is the most that it was.
    pub(crate) fn bytes(&self) -> usize {
        let cells = self.accounts.bytes() + self.slots.bytes();
        let versions: usize = self.accounts.iter().map(|(_, cell)| cell.heap_bytes()).sum::<usize>()
            + self.slots.iter().map(|(_, cell)| cell.heap_bytes()).sum::<usize>();
        self.account_keys.bytes() + self.slot_keys.bytes() + cells + versions
    }

    /// Forgets everything and draws a new seed.
    pub(crate) fn clear(&mut self) {
        self.account_keys.clear(self.accounts.count());
        self.accounts.clear();
        self.slot_keys.clear(self.slots.count());
        self.slots.clear();
        self.created = DashMap::default();
    }
}

/// The versioned memory over the state below the block.
pub(crate) struct Memory<'a> {
    pub(crate) world: &'a dyn StateReader,
    pub(crate) ancestors: &'a Ancestors,
    /// What the block's access list is made of, and what it came with.
    pub(crate) listed: Listed<'a>,
    cells: &'a Cells,
    codes: Arc<Codes>,
    pub(crate) fee_recipient: Address,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(at: &Point<'a>, cells: &'a Cells, codes: Arc<Codes>) -> Self {
        Self {
            world: at.world,
            ancestors: at.ancestors,
            listed: Listed::default(),
            cells,
            codes,
            fee_recipient: at.block.beneficiary,
        }
    }

    /// The account's place.
    pub(crate) fn account_index(&self, address: Address) -> AccountIndex {
        let add = || narrow(self.cells.accounts.push(AccountCell::new(address)));
        AccountIndex(self.cells.account_keys.find_or_add(
            AccountKey(address),
            |place| self.is_account(place, address),
            add,
        ))
    }

    /// The account's place, if the block has met it.
    pub(crate) fn find_account(&self, address: Address) -> Option<AccountIndex> {
        let known = self.cells.account_keys.find(AccountKey(address), |place| self.is_account(place, address));
        known.map(AccountIndex)
    }

    fn is_account(&self, place: u32, address: Address) -> bool {
        self.cells.accounts[place as usize].address == address
    }

    /// The slot's place, if the block has met it.
    pub(crate) fn find_slot(&self, account: AccountIndex, slot: U256) -> Option<SlotIndex> {
        let key = SlotKey(account, slot);
        self.cells.slot_keys.find(key, |place| self.is_slot(place, key)).map(SlotIndex)
    }

    /// The slot's place.
    pub(crate) fn slot_index(&self, account: AccountIndex, slot: U256) -> SlotIndex {
        let key = SlotKey(account, slot);
        let add = || narrow(self.cells.slots.push(SlotCell::new(account, slot)));
        SlotIndex(self.cells.slot_keys.find_or_add(key, |place| self.is_slot(place, key), add))
    }

    fn is_slot(&self, place: u32, SlotKey(account, slot): SlotKey) -> bool {
        let cell = &self.cells.slots[place as usize];
        cell.account == account && cell.slot == slot
    }

    /// The account at a place.
    pub(crate) fn account(&self, index: AccountIndex) -> &AccountCell {
        &self.cells.accounts[index.0 as usize]
    }

    /// The slot at a place.
    pub(crate) fn slot(&self, index: SlotIndex) -> &SlotCell {
        &self.cells.slots[index.0 as usize]
    }

    /// An account at a version, with the stamp of its cell.
    pub(crate) fn read_account(&self, index: AccountIndex, at: Version) -> Result<(AccountView, u64), ReadError> {
        let cell = self.account(index);
        cell.read(at, || self.world.account(&cell.address))
    }

    /// The slot's place, and the slot at a version with the stamp of its cell. A cell that is made for it is made with the
    /// value that lies below the block, and need not be locked to be read.
    pub(crate) fn meet_slot(
        &self,
        account: AccountIndex,
        slot: U256,
        at: Version,
        wiped: Version,
    ) -> Result<(SlotIndex, SlotView, u64), ReadError> {
        let (key, mut made) = (SlotKey(account, slot), None);
        let add = || {
            let shows_base = wiped == Version::BASE;
            // What cannot be loaded is met again below, where that is an error.
            match shows_base.then(|| self.world.storage(&self.account(account).address, slot)) {
                Some(Ok(base)) => {
                    let place = narrow(self.cells.slots.push(SlotCell::loaded(account, slot, base)));
                    made = Some((place, base));
                    place
                }
                Some(Err(_)) | None => narrow(self.cells.slots.push(SlotCell::new(account, slot))),
            }
        };
        let place = self.cells.slot_keys.find_or_add(key, |place| self.is_slot(place, key), add);
        let index = SlotIndex(place);
        match made {
            // As it was made, whoever has written to it since.
            Some((own, value)) if own == place => Ok((index, SlotView { value, writer: Version::BASE }, NEW)),
            Some(_) | None => self.read_slot(index, at, wiped).map(|(view, stamp)| (index, view, stamp)),
        }
    }

    /// A slot at a version, with the stamp of its cell.
    pub(crate) fn read_slot(
        &self,
        index: SlotIndex,
        at: Version,
        wiped: Version,
    ) -> Result<(SlotView, u64), ReadError> {
        let cell = self.slot(index);
        let address = &self.account(cell.account).address;
        cell.read(at, wiped, || self.world.storage(address, cell.slot))
    }

    /// What is below a version is settled: what was changed of a slot without knowing it becomes a value.
    pub(crate) fn fold_slot(&self, index: SlotIndex, settled: Version) -> Result<(), ReadError> {
        let cell = self.slot(index);
        let account = self.account(cell.account);
        let wiped = account.read_again(settled).identity.wiped;
        cell.fold(settled, wiped, || self.world.storage(&account.address, cell.slot))
    }

    /// Code by its hash, analysed once.
    pub(crate) fn code(&self, code_hash: B256) -> Result<Bytecode, ReadError> {
        if code_hash == KECCAK256_EMPTY || code_hash.is_zero() {
            return Ok(Bytecode::default());
        }
        self.codes.get(code_hash, || {
            let bytes = match self.cells.created.get(&code_hash) {
                Some(created) => created.clone(),
                None => self.world.code(code_hash)?.ok_or(ReadError::missing_code(code_hash))?,
            };
            Ok(Bytecode::new_raw_checked(bytes.clone()).unwrap_or_else(|_| Bytecode::new_legacy(bytes)))
        })
    }

    /// Makes code known that a transaction created, whether or not it will be committed.
    pub(crate) fn add_code(&self, code_hash: B256, code: &Bytecode) {
        if !self.cells.created.contains_key(&code_hash) {
            self.cells.created.insert(code_hash, code.original_bytes());
        }
    }

    /// Makes code known that somebody says a transaction creates. It is found by its content alone.
    pub(crate) fn add_code_bytes(&self, code_hash: B256, code: &Bytes) {
        self.cells.created.entry(code_hash).or_insert_with(|| code.clone());
    }

    /// What the block does to the state below it, when everything is settled: nothing that is as it was.
    pub(crate) fn changes(&self) -> Result<StateChanges, ReadError> {
        let mut changes = StateChanges::default();
        let mut written: Vec<Option<AccountChange>> = vec![None; self.cells.accounts.places()];
        for (index, cell) in self.cells.accounts.iter() {
            written[index] = cell.ends().and_then(|ends| {
                let info = AccountInfo {
                    nonce: ends.end.identity.nonce,
                    balance: ends.end.balance,
                    code_hash: ends.end.identity.code_hash,
                };
                // Storage exists only below an account that exists.
                let wipe_storage = ends.end.identity.wiped > Version::BASE && ends.base.is_some();
                let same = ends.base == Some(info) || (ends.base.is_none() && ends.end.is_empty());
                let info = (!ends.end.is_empty() || (same && !ends.touched_empty)).then_some(info);
                let changed = match ends.base {
                    Some(_) => wipe_storage || !same || info.is_none(),
                    None => !ends.end.is_empty(),
                };
                let wipe_storage = wipe_storage || info.is_none();
                changed.then_some(AccountChange { info, wipe_storage, ..AccountChange::default() })
            });
        }
        for (_, cell) in self.cells.slots.iter() {
            if !cell.is_written() {
                continue;
            }
            let account = self.account(cell.account);
            let view = account.read_again(Version(u32::MAX));
            if view.is_empty() {
                continue;
            }
            let wiped = view.identity.wiped > Version::BASE;
            let below = || self.world.storage(&account.address, cell.slot);
            let (base, SlotView { value, .. }) = cell.ends(view.identity.wiped, below)?;
            let before = match base {
                _ if wiped => U256::ZERO,
                Some(base) => base,
                None => below()?,
            };
            if before != value {
                let info = AccountInfo {
                    nonce: view.identity.nonce,
                    balance: view.balance,
                    code_hash: view.identity.code_hash,
                };
                written[cell.account.0 as usize]
                    .get_or_insert_with(|| AccountChange { info: Some(info), ..AccountChange::default() })
                    .storage
                    .insert(cell.slot, value);
            }
        }
        for (index, cell) in self.cells.accounts.iter() {
            if let Some(change) = written[index].take() {
                if let Some(info) = change.info.filter(|info| info.code_hash != KECCAK256_EMPTY) {
                    self.new_code(info.code_hash, &mut changes)?;
                }
                changes.accounts.insert(cell.address, change);
            }
        }
        Ok(changes)
    }

    /// Adds code that the block created, and that is not in the state below.
    fn new_code(&self, code_hash: B256, changes: &mut StateChanges) -> Result<(), ReadError> {
        if let Some(code) = self.cells.created.get(&code_hash)
            && !changes.code.contains_key(&code_hash)
            && self.world.code(code_hash)?.is_none()
        {
            changes.code.insert(code_hash, code.clone());
        }
        Ok(())
    }

    /// Accounts and slots that the block met.
    pub(crate) fn met(&self) -> (usize, usize) {
        (self.cells.accounts.count(), self.cells.slots.count())
    }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("gas bounds what a block can meet far below 2^32")
}

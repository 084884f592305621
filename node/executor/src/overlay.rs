//! The committed prefix of a block: what its transactions have written so far, over a state that does not change.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use crate::{
    StateError,
    access_list::{Footprint, Recording, SlotStep},
    analysed,
    database::EvmDatabase,
};
use alloy_eip7928::BlockAccessList;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, map::AddressMap};
use parapet_monitor::{StateOp, StateUpdate};
use parapet_types::{AccountChange, AccountInfo, Ancestors, ReadError, StateChanges, StateReader};
use revm::{
    Database, DatabaseRef,
    state::{Account, AccountInfo as EvmAccountInfo, Bytecode},
};

/// One account as the block has left it so far.
#[derive(Clone, Debug)]
struct OverlayAccount {
    info: Option<AccountInfo>,
    /// Nothing below shows through: the account was created or destroyed in this block.
    storage_wiped: bool,
    storage: BTreeMap<U256, U256>,
}

/// State that transactions read from and commit to.
#[derive(Clone)]
pub struct Overlay<'a> {
    world: &'a dyn StateReader,
    ancestors: &'a Ancestors,
    accounts: HashMap<Address, OverlayAccount>,
    code: BTreeMap<B256, Bytes>,
    bytecode: HashMap<B256, Bytecode>,
    recording: Option<Recording>,
    /// Whose word was asked for last, as long as that account is not written to.
    word: Option<Address>,
    /// Some code that it gave was a delegation.
    gave_delegation: bool,
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").field("accounts", &self.accounts).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// Nothing written yet.
    #[must_use]
    pub fn new(world: &'a dyn StateReader, ancestors: &'a Ancestors) -> Self {
        Self {
            world,
            ancestors,
            accounts: HashMap::new(),
            code: BTreeMap::new(),
            bytecode: HashMap::new(),
            recording: None,
            word: None,
            gave_delegation: false,
        }
    }

    /// What it takes over is recorded from here on, if anybody asks for it.
    #[must_use]
    pub(crate) fn recording(self, recording: Option<Recording>) -> Self {
        Self { recording, ..self }
    }

    /// What it takes over from here on is done after that many transactions were included.
    pub(crate) fn record_after(&mut self, included: usize) {
        if let Some(recording) = &mut self.recording {
            recording.after(included);
        }
    }

    /// The block's access list, if it was recorded.
    pub(crate) fn take_access_list(&mut self) -> Result<Option<BlockAccessList>, ReadError> {
        let Some(recording) = self.recording.take() else { return Ok(None) };
        let code = |code_hash| match code_hash == KECCAK256_EMPTY {
            true => Ok(Bytes::new()),
            false => Ok(self.code_by_hash_ref(code_hash).map_err(|error| error.0)?.original_bytes()),
        };
        recording.finish(code).map(Some)
    }

    /// The account to write to.
    fn account(&mut self, address: Address) -> Result<&mut OverlayAccount, ReadError> {
        self.word.take_if(|of| *of == address);
        Ok(match self.accounts.entry(address) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(OverlayAccount {
                info: self.world.account(&address)?,
                storage_wiped: false,
                storage: BTreeMap::new(),
            }),
        })
    }

    /// Changes a storage word directly, outside of any transaction's journal.
    ///
    /// # Errors
    /// [`ReadError`] when what lies below cannot be read.
    pub fn update_storage(&mut self, address: Address, update: &StateUpdate) -> Result<(), ReadError> {
        let slot = update.slot;
        let before = self.storage_ref(address, slot).map_err(|error| error.0)?;
        let after = StateOp::settle(&update.ops, before);
        self.record(|recording| recording.slot(&SlotStep { address, slot, before, after }));
        self.account(address)?.storage.insert(slot, after);
        Ok(())
    }

    /// Adds to a balance, creating the account where there is none: a withdrawal (EIP-4895). Nothing added creates
    /// nothing (EIP-161).
    ///
    /// # Errors
    /// [`ReadError`] when the account below cannot be read.
    pub fn credit(&mut self, address: Address, wei: U256) -> Result<(), ReadError> {
        self.record(|recording| recording.account(address));
        if wei.is_zero() {
            return Ok(());
        }
        let info = self.account(address)?.info.get_or_insert_default();
        let before = *info;
        info.balance = info.balance.saturating_add(wei);
        let after = *info;
        self.record(|recording| recording.info(address, &before, &after));
        Ok(())
    }

    fn record(&mut self, what: impl FnOnce(&mut Recording)) {
        if let Some(recording) = &mut self.recording {
            what(recording);
        }
    }

    /// Records what a call met that leaves nothing.
    pub(crate) fn meet(&mut self, state: &AddressMap<Account>) {
        self.record(|recording| recording.footprint(&Footprint::of(state)));
    }

    /// What differs from the state below, as a change set.
    ///
    /// # Errors
    /// [`ReadError`] when the state below cannot be read.
    pub fn changes(&self) -> Result<StateChanges, ReadError> {
        let mut changes = StateChanges::default();
        for (&address, account) in &self.accounts {
            let before = self.world.account(&address)?;
            let Some(info) = account.info else {
                if before.is_some() {
                    let gone = AccountChange { info: None, wipe_storage: true, storage: BTreeMap::new() };
                    changes.accounts.insert(address, gone);
                }
                continue;
            };
            // Storage exists only below an account that exists.
            let wipe_storage = account.storage_wiped && before.is_some();
            let mut storage = BTreeMap::new();
            for (&slot, &value) in &account.storage {
                let below = if account.storage_wiped { U256::ZERO } else { self.world.storage(&address, slot)? };
                if below != value {
                    storage.insert(slot, value);
                }
            }
            if before != Some(info) || wipe_storage || !storage.is_empty() {
                if let Some(code) = self.code.get(&info.code_hash) {
                    changes.code.insert(info.code_hash, code.clone());
                }
                let change = AccountChange { info: Some(info), wipe_storage, storage };
                changes.accounts.insert(address, change);
            }
        }
        Ok(changes)
    }

    /// Takes over what a transaction left.
    ///
    /// # Errors
    /// [`ReadError`] when what lies below cannot be read.
    pub fn commit(&mut self, changes: &AddressMap<Account>) -> Result<(), ReadError> {
        self.meet(changes);
        changes.iter().try_for_each(|(address, account)| {
            let before = match self.recording.is_some() && account.is_touched() {
                true => self.account(*address)?.info.unwrap_or_default(),
                false => return self.commit_account(*address, account),
            };
            self.commit_account(*address, account)?;
            let after = self.account(*address)?.info.unwrap_or_default();
            self.record(|recording| recording.info(*address, &before, &after));
            Ok(())
        })
    }

    fn commit_account(&mut self, address: Address, account: &Account) -> Result<(), ReadError> {
        if !account.is_touched() {
            return Ok(());
        }
        if let Some(code) = account.info.code.as_ref().filter(|_| account.info.code_hash != KECCAK256_EMPTY) {
            let code_hash = account.info.code_hash;
            if !self.bytecode.contains_key(&code_hash) {
                if self.world.code(code_hash)?.is_none() {
                    self.code.insert(code_hash, code.original_bytes());
                }
                self.bytecode.insert(code_hash, code.clone());
            }
        }
        let entry = self.account(address)?;
        // One that is empty and yet created was made so before EIP-161, by being called or paid nothing.
        if account.is_selfdestructed() || account.is_empty() && !account.is_created() {
            *entry = OverlayAccount { info: None, storage_wiped: true, storage: BTreeMap::new() };
            return Ok(());
        }
        if account.is_created() {
            entry.storage_wiped = true;
            entry.storage.clear();
        }
        entry.info = Some(AccountInfo {
            nonce: account.info.nonce,
            balance: account.info.balance,
            code_hash: account.info.code_hash,
        });
        for (slot, value) in account.changed_storage_slots() {
            entry.storage.insert(*slot, value.present_value);
        }
        Ok(())
    }
}

/// The state as the block has left it so far, for executions that are none of the block's.
impl StateReader for Overlay<'_> {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        match self.accounts.get(address) {
            Some(account) => Ok(account.info),
            None => self.world.account(address),
        }
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        self.storage_ref(*address, slot).map_err(|error| error.0)
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        match self.accounts.get(address) {
            // Asked of accounts without nonce and code, whose storage no transaction can have written.
            Some(account) => Ok(!account.storage_wiped && self.world.has_storage(address)?
                || account.storage.values().any(|value| !value.is_zero())),
            None => self.world.has_storage(address),
        }
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        match self.bytecode.get(&code_hash) {
            Some(code) => Ok(Some(code.original_bytes())),
            None => self.world.code(code_hash),
        }
    }
}

impl DatabaseRef for Overlay<'_> {
    type Error = StateError;

    fn basic_ref(&self, address: Address) -> Result<Option<EvmAccountInfo>, StateError> {
        let info = match self.accounts.get(&address) {
            Some(account) => account.info,
            None => self.world.account(&address)?,
        };
        Ok(info.map(|info| EvmAccountInfo {
            balance: info.balance,
            nonce: info.nonce,
            code_hash: info.code_hash,
            code: None,
            ..Default::default()
        }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, StateError> {
        if let Some(code) = self.bytecode.get(&code_hash) {
            return Ok(code.clone());
        }
        let bytes = self.world.code(code_hash)?.ok_or(ReadError::missing_code(code_hash))?;
        Ok(analysed::analysed(code_hash, bytes))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        if let Some(account) = self.accounts.get(&address) {
            if let Some(value) = account.storage.get(&slot) {
                return Ok(*value);
            }
            if account.storage_wiped {
                return Ok(U256::ZERO);
            }
        }
        Ok(self.world.storage(&address, slot)?)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, StateError> {
        match self.ancestors.get(&number) {
            Some(hash) => Ok(*hash),
            None => Ok(self.world.block_hash(number)?.unwrap_or_default()),
        }
    }
}

impl EvmDatabase for Overlay<'_> {
    fn gave_delegation(&self) -> bool {
        self.gave_delegation
    }

    fn watched_word(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        let word = self.storage_ref(address, slot)?;
        self.word = Some(address);
        Ok(word)
    }

    fn watched_word_stands(&mut self) -> bool {
        self.word.is_some()
    }

    fn has_bare_storage(&mut self, address: Address) -> Result<bool, StateError> {
        let info = match self.accounts.get(&address) {
            Some(account) if account.storage_wiped => return Ok(false),
            Some(account) => account.info,
            None => self.world.account(&address)?,
        };
        let is_bare = info.is_some_and(|info| info.nonce == 0 && info.code_hash == KECCAK256_EMPTY);
        Ok(is_bare && self.world.has_storage(&address)?)
    }
}

impl Database for Overlay<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<EvmAccountInfo>, StateError> {
        self.basic_ref(address)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        let code = self.code_by_hash_ref(code_hash)?;
        self.gave_delegation |= code.is_eip7702();
        self.bytecode.entry(code_hash).or_insert_with(|| code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.storage_ref(address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        self.block_hash_ref(number)
    }
}

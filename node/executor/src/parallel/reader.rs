//! The database under a worker's EVM: the versioned memory at one version, with everything read written down.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use parapet_monitor::StateOp;
use parapet_types::ReadError;
use revm::{
    Database,
    state::{Account, AccountId, AccountInfo as EvmAccountInfo, Bytecode, EvmState},
};

use super::{
    account::{AccountSight, AccountView, Identity, Version},
    codes::OwnCodes,
    incarnation::publish,
    listed::Followed,
    memory::Memory,
    reads::{AccountRead, ReadSet},
    slot::{AccountIndex, NEW, SlotIndex, SlotView},
    stretch::Stretch,
};
use crate::{
    StateError,
    database::{Asker, EvmDatabase, Footing},
};

/// No cell ever has this stamp.
const NO_STAMP: u64 = u64::MAX;
/// Places for accounts met lately.
const MET_PLACES: usize = 1 << 9;
/// Places for contracts that many transactions call and none changes.
const STEADY_PLACES: usize = 1 << 6;

/// A contract as every reader sees it while its cell has this stamp.
#[derive(Clone, Copy, Debug)]
struct Steady {
    index: AccountIndex,
    stamp: u64,
    view: AccountView,
}

/// Reads for one worker, transaction after transaction.
pub(crate) struct Reader<'a> {
    pub(crate) memory: &'a Memory<'a>,
    pub(crate) at: Version,
    footing: Footing,
    asker: Asker,
    /// The sender, and the nonce that it will have if all of its earlier transactions are included.
    sender: Option<(Address, u64)>,
    pub(crate) reads: ReadSet,
    pub(crate) stretch: Stretch,
    /// What the block's last transactions left on a journal. It moves to the memory as it is asked for.
    pub(crate) tail: EvmState,
    /// Where an account stands in `reads`, by its index; valid where the first part is this round.
    positions: Vec<(u32, u32)>,
    round: u32,
    /// Places of accounts that this worker met lately, by the end of their address.
    met: Vec<(Address, AccountIndex)>,
    /// By the end of their index. The cell itself is locked to be read, and what all threads lock goes from core to core.
    steady: Vec<Option<Steady>>,
    codes: OwnCodes,
    /// Some code that it gave was a delegation.
    gave_delegation: bool,
    /// The word that was asked for last, if nobody had written to it yet.
    unwritten: Option<(SlotIndex, U256)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(memory: &'a Memory<'a>) -> Self {
        Self {
            memory,
            at: Version::BASE,
            footing: Footing::Settled,
            asker: Asker::Evm,
            sender: None,
            reads: ReadSet::default(),
            stretch: Stretch::default(),
            tail: EvmState::default(),
            positions: Vec::new(),
            round: 1,
            met: vec![(Address::ZERO, memory.account_index(Address::ZERO)); MET_PLACES],
            steady: vec![None; STEADY_PLACES],
            codes: OwnCodes::default(),
            gave_delegation: false,
            unwritten: None,
        }
    }

    /// Starts a transaction below which not everything is settled.
    pub(crate) fn speculate(&mut self, at: Version, sender: Address, nonce: u64) {
        self.start(at);
        (self.footing, self.sender) = (Footing::Speculative, Some((sender, nonce)));
    }

    /// Starts a transaction below which everything is settled.
    pub(crate) fn settle(&mut self, at: Version) {
        self.start(at);
        (self.footing, self.sender) = (Footing::Settled, None);
    }

    /// Goes on to the next transaction on the same journal, which nobody else knows of.
    pub(crate) fn go_on(&mut self, at: Version) {
        (self.at, self.footing, self.sender, self.stretch.is_running) = (at, Footing::Settled, None, true);
    }

    fn start(&mut self, at: Version) {
        self.at = at;
        self.stretch.leave();
        self.again();
    }

    /// Starts the same transaction once more.
    pub(crate) fn again(&mut self) {
        self.round = self.round.wrapping_add(1).max(1);
        self.reads.clear();
    }

    /// The account's place.
    pub(crate) fn index(&mut self, address: Address) -> AccountIndex {
        let end = [address.0[18], address.0[19]];
        let place = &mut self.met[usize::from(u16::from_le_bytes(end)) % MET_PLACES];
        if place.0 != address {
            *place = (address, self.memory.account_index(address));
        }
        place.1
    }

    /// Where an account stands in the read set, if it does.
    pub(crate) fn position(&self, index: AccountIndex) -> Option<usize> {
        let (round, position) = *self.positions.get(index.0 as usize)?;
        (round == self.round).then_some(position as usize)
    }

    /// Reads an account, once per transaction.
    pub(crate) fn account(&mut self, address: Address) -> Result<(usize, AccountView), ReadError> {
        if !self.tail.is_empty()
            && let Some(account) = self.tail.remove(&address)
        {
            self.settle_tail(address, &account)?;
        }
        let index = self.index(address);
        if let Some(position) = self.position(index) {
            return Ok((position, self.reads.accounts[position].seen));
        }
        let (mut view, stamp) = self.look(index)?;
        let mut stamp = Some(stamp);
        if let Some(followed) = self.followed()
            && let Some(listed) = followed.account(&address, self.at, &view)
        {
            (view, stamp) = (listed, None);
        }
        let is_sender = self.sender.is_some_and(|(sender, _)| sender == address);
        if let Some((_, nonce)) = self.sender.filter(|(_, nonce)| is_sender && view.identity.nonce < *nonce) {
            // Its earlier transactions may be anywhere; that they come first is certain.
            (view.identity.nonce, stamp) = (nonce, None);
        }
        let position = self.reads.add_account(index, stamp, view);
        if is_sender {
            self.reads.nonce_matters(position);
        }
        if self.positions.len() <= index.0 as usize {
            self.positions.resize(index.0 as usize + 64, (0, 0));
        }
        self.positions[index.0 as usize] = (self.round, u32::try_from(position).unwrap_or(u32::MAX));
        Ok((position, view))
    }

    /// As [`Reader::account`], of one that the journal has; `id` is where it stood in the read set when it was loaded.
    pub(crate) fn account_at(
        &mut self,
        address: Address,
        id: Option<AccountId>,
    ) -> Result<(usize, AccountView), ReadError> {
        if let Some(position) = id.map(AccountId::get)
            && let Some(read) = self.reads.accounts.get(position)
            && self.memory.account(read.index).address == address
        {
            return Ok((position, read.seen));
        }
        self.account(address)
    }

    /// Looks at an account's cell, or at what is known of it while it has the same stamp.
    fn look(&mut self, index: AccountIndex) -> Result<(AccountView, u64), ReadError> {
        let memory = self.memory;
        let cell = memory.account(index);
        let place = &mut self.steady[index.0 as usize % STEADY_PLACES];
        if let Some(known) = place
            && known.index == index
            && known.stamp == cell.stamp()
        {
            return Ok((known.view, known.stamp));
        }
        let AccountSight { view, stamp, is_steady } = cell.look(self.at, || memory.world.account(&cell.address))?;
        if is_steady && view.identity.code_hash != KECCAK256_EMPTY {
            *place = Some(Steady { index, stamp, view });
        }
        Ok((view, stamp))
    }

    /// The stamp of a contract that was read, if every reader sees it so for as long as its cell has that stamp.
    pub(crate) fn steady(&self, read: &AccountRead) -> Option<u64> {
        let known = self.steady[read.index.0 as usize % STEADY_PLACES]?;
        (known.index == read.index && read.stamp() == Some(known.stamp)).then_some(known.stamp)
    }

    /// Moves one account of the tail to the memory, as the last thing below this version.
    fn settle_tail(&mut self, address: Address, account: &Account) -> Result<(), ReadError> {
        let at = self.at;
        self.at = Version(at.0 - 1);
        let left = publish([(&address, account)].into_iter(), self, &[], self.at)?;
        self.at = at;
        left.touch(self.memory);
        // It was read below what it has now become.
        self.round = self.round.wrapping_add(1).max(1);
        self.reads.clear();
        Ok(())
    }

    /// The list that the block came with, where what is below is not certain.
    fn followed(&self) -> Option<&'a Followed<'a>> {
        if self.footing == Footing::Speculative { self.memory.listed.followed() } else { None }
    }

    fn slot(&mut self, address: Address, id: Option<AccountId>, slot: U256) -> Result<U256, StateError> {
        if self.stretch.is_running {
            return self.slot_in_stretch(address, slot);
        }
        let SlotSeen { place, stamp, wiped, seen } = self.see(address, id, slot)?;
        match self.asker {
            Asker::Evm => self.reads.add_slot(place, stamp, wiped, seen),
            Asker::Monitor => self.reads.add_watched_slot(place, stamp, wiped, seen),
        }
        Ok(seen.value)
    }

    /// Looks at a slot; whoever asked writes down how much of it matters.
    pub(crate) fn see(&mut self, address: Address, id: Option<AccountId>, slot: U256) -> Result<SlotSeen, StateError> {
        let (position, view) = self.account_at(address, id)?;
        let account = self.reads.accounts[position].index;
        let (index, mut seen, mut stamp) = self.memory.meet_slot(account, slot, self.at, view.identity.wiped)?;
        if let Some(followed) = self.followed()
            && let Some(listed) = followed.slot(&address, slot, self.at, &seen)
        {
            (seen, stamp) = (listed, NO_STAMP);
        }
        Ok(SlotSeen { place: (account, slot, index), stamp, wiped: view.identity.wiped, seen })
    }
}

/// A slot, and where and how it was found.
pub(crate) struct SlotSeen {
    pub(crate) place: (AccountIndex, U256, SlotIndex),
    stamp: u64,
    wiped: Version,
    pub(crate) seen: SlotView,
}

impl Database for Reader<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<EvmAccountInfo>, StateError> {
        let (position, view) = if self.stretch.is_running {
            (None, self.account_in_stretch(address)?)
        } else {
            self.account(address).map(|(position, view)| (Some(position), view))?
        };
        if view.is_empty() {
            return Ok(None);
        }
        let code_hash = view.identity.code_hash;
        Ok(Some(EvmAccountInfo {
            balance: view.balance,
            nonce: view.identity.nonce,
            code_hash,
            account_id: position.and_then(AccountId::new),
            code: (code_hash == KECCAK256_EMPTY).then(|| self.codes.empty()),
        }))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        let memory = self.memory;
        let code = self.codes.get(code_hash, || memory.code(code_hash))?;
        self.gave_delegation |= code.is_eip7702();
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.slot(address, None, slot)
    }

    fn storage_by_account_id(&mut self, address: Address, id: AccountId, slot: U256) -> Result<U256, StateError> {
        self.slot(address, Some(id), slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        match self.memory.ancestors.get(&number) {
            Some(hash) => Ok(*hash),
            None => Ok(self.memory.world.block_hash(number)?.unwrap_or_default()),
        }
    }
}

impl EvmDatabase for Reader<'_> {
    fn gave_delegation(&self) -> bool {
        self.gave_delegation
    }

    fn watched_word(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        if self.stretch.is_running {
            return self.word_in_stretch(address, slot);
        }
        let value = self.slot(address, None, slot)?;
        let account = self.index(address);
        let index = self.memory.slot_index(account, slot);
        // What a list says of it holds for this version alone, and moves no stamp.
        let untouched = self.followed().is_none()
            && self.memory.slot(index).stamp() == NEW
            && self.memory.account(account).stamp() == NEW;
        self.unwritten = untouched.then_some((index, value));
        Ok(value)
    }

    fn watched_word_stands(&mut self) -> bool {
        if self.stretch.is_running {
            return self.stretch.knows_word;
        }
        // What a stretch left on its journal may hold it, and is not in the memory yet.
        let known = self.unwritten.filter(|_| self.tail.is_empty());
        let stands = known.filter(|(index, _)| self.memory.slot(*index).stamp() == NEW);
        if stands.is_some() {
            self.reads.word = stands;
        }
        stands.is_some()
    }

    /// What decides it is part of the account as it was read: that it was not wiped.
    fn has_bare_storage(&mut self, address: Address) -> Result<bool, StateError> {
        let view = if self.stretch.is_running {
            self.account_in_stretch(address)?
        } else {
            let (position, view) = self.account(address)?;
            self.reads.nonce_matters(position);
            view
        };
        Ok(view.identity == Identity::default() && self.memory.world.has_storage(&address)?)
    }

    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateError> {
        if self.stretch.is_running {
            return Ok(StateOp::apply_all(ops, self.slot_in_stretch(address, slot)?).is_some());
        }
        let SlotSeen { place: (.., index), stamp, wiped, seen } = self.see(address, None, slot)?;
        Ok(self.reads.ask_slot(index, stamp, wiped, (ops, seen.value)))
    }

    fn footing(&self) -> Footing {
        self.footing
    }

    fn asked_by(&mut self, asker: Asker) {
        self.asker = asker;
    }

    fn balance_observed(&mut self, address: Address) {
        let index = self.index(address);
        if let Some(position) = self.position(index) {
            self.reads.balance_matters(position);
        }
    }

    fn nonce_observed(&mut self, address: Address) {
        let index = self.index(address);
        if let Some(position) = self.position(index) {
            self.reads.nonce_matters(position);
        }
    }

    fn spent_down_to(&mut self, address: Address, left: U256) {
        let index = self.index(address);
        if let Some(position) = self.position(index) {
            let had = self.reads.accounts[position].seen.balance;
            self.reads.need(position, had.saturating_sub(left));
        }
    }
}

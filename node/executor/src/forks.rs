//! State at a point inside of a transaction, rebuilt from the journal when somebody asks for it.
//!
//! Every change of the EVM leaves an entry in the journal that can undo it. While somebody judges, the length of the
//! journal is noted as each frame starts and ends ([`Span`]); the state there is the state now, with the entries behind
//! it undone ([`Undo`]). What was reverted has left no entries and is not there any more: a fork inside of a reverted frame
//! is the state just after the outermost reverted frame around it.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, map::AddressMap, map::HashMap};
use parapet_abi::{FrameRecord, FrameStatus, NO_FRAME};
use parapet_monitor::Fork;
use revm::{
    Database, JournalEntry,
    context::JournalInner,
    state::{AccountInfo, Bytecode, EvmState},
};

use crate::{StateError, database::EvmDatabase};

/// Rebuilt forks kept while a hook runs.
const FORKS_KEPT_MAX: usize = 4;

/// Where a frame's entries lie in the journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The frames of a transaction, and where they lie in its journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames<'a> {
    pub(crate) records: &'a [FrameRecord],
    pub(crate) spans: &'a [Span],
}

impl Frames<'_> {
    /// Length of the journal at a fork; `None` for the forks that are no points of it, and for frames that are not there.
    fn position(&self, fork: Fork) -> Option<usize> {
        let (frame, is_after) = match fork {
            Fork::PreTx | Fork::Now => return None,
            Fork::BeforeFrame(frame) => (frame, false),
            Fork::AfterFrame(frame) => (frame, true),
        };
        let span = self.spans.get(frame as usize)?;
        let mut position = if is_after { span.end } else { span.start };
        let mut around = frame;
        while let Some(record) = self.records.get(around as usize) {
            let reverted = record.end_seq != 0 && record.status != u8::from(FrameStatus::Succeeded);
            if reverted && (around != frame || is_after) {
                position = self.spans.get(around as usize)?.end;
            }
            if record.parent == NO_FRAME {
                break;
            }
            around = record.parent;
        }
        Some(position)
    }
}

/// An account as it was at a fork.
#[derive(Clone, Debug)]
struct Undone {
    info: AccountInfo,
    is_created: bool,
}

/// What was otherwise at a fork.
#[derive(Clone, Debug, Default)]
pub(crate) struct Undo {
    accounts: AddressMap<Undone>,
    slots: HashMap<(Address, U256), U256>,
}

impl Undo {
    fn from_entries(entries: &[JournalEntry], state: &EvmState) -> Self {
        let mut undo = Self::default();
        entries.iter().rev().for_each(|entry| undo.step(entry, state));
        undo
    }

    fn account(&mut self, address: Address, state: &EvmState) -> &mut Undone {
        self.accounts.entry(address).or_insert_with(|| {
            let account = state.get(&address).expect("the journal has entries of accounts that it knows only");
            Undone { info: account.info.clone(), is_created: account.is_created() }
        })
    }

    /// As revm's own reverting of an entry, on a copy.
    fn step(&mut self, entry: &JournalEntry, state: &EvmState) {
        match entry {
            JournalEntry::AccountWarmed { .. }
            | JournalEntry::AccountTouched { .. }
            | JournalEntry::StorageWarmed { .. }
            | JournalEntry::TransientStorageChange { .. } => {}
            JournalEntry::AccountDestroyed { had_balance, address, target, .. } => {
                self.give_back(*address, *target, *had_balance, state);
            }
            JournalEntry::BalanceTransfer { balance, from, to } => self.give_back(*from, *to, *balance, state),
            JournalEntry::BalanceChange { old_balance, address } => {
                self.account(*address, state).info.balance = *old_balance;
            }
            JournalEntry::NonceChange { address, previous_nonce } => {
                self.account(*address, state).info.nonce = *previous_nonce;
            }
            JournalEntry::NonceBump { address } => {
                let nonce = &mut self.account(*address, state).info.nonce;
                *nonce = nonce.saturating_sub(1);
            }
            JournalEntry::AccountCreated { address, is_created_globally } => {
                let account = self.account(*address, state);
                account.info.nonce = 0;
                account.is_created &= !is_created_globally;
            }
            JournalEntry::StorageChanged { key, had_value, address } => {
                self.slots.insert((*address, *key), *had_value);
            }
            JournalEntry::CodeChange { address, had_code_hash, had_code } => {
                let info = &mut self.account(*address, state).info;
                (info.code_hash, info.code) = (*had_code_hash, had_code.clone());
            }
        }
    }

    fn give_back(&mut self, from: Address, to: Address, wei: U256, state: &EvmState) {
        let loser = &mut self.account(from, state).info;
        loser.balance = loser.balance.wrapping_add(wei);
        if from != to {
            let winner = &mut self.account(to, state).info;
            winner.balance = winner.balance.wrapping_sub(wei);
        }
    }
}

/// Forks rebuilt lately. Valid only as long as nothing runs.
#[derive(Debug, Default)]
pub(crate) struct Forks(Vec<(usize, Undo)>);

impl Forks {
    /// Something is about to run.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn at(&mut self, position: usize, journal: &JournalInner<JournalEntry>) -> &Undo {
        let kept = self.0.iter().position(|(kept, _)| *kept == position);
        let place = kept.unwrap_or_else(|| {
            if self.0.len() >= FORKS_KEPT_MAX {
                self.0.remove(0);
            }
            let entries = journal.journal.get(position..).unwrap_or_default();
            self.0.push((position, Undo::from_entries(entries, &journal.state)));
            self.0.len() - 1
        });
        &self.0[place].1
    }
}

/// Which state a [`ForkState`] shows.
#[derive(Clone, Copy)]
enum At<'a> {
    PreTx,
    Now,
    Undone(&'a Undo),
}

/// The state at a fork: the journal where it knows an account or slot, else what is committed below it. Nothing of it
/// becomes warm. The journal may hold what earlier transactions did: what this one has not met is as they left it.
pub(crate) struct ForkState<'a> {
    journal: &'a JournalInner<JournalEntry>,
    at: At<'a>,
    database: &'a mut dyn EvmDatabase,
}

impl<'a> ForkState<'a> {
    pub(crate) fn new(
        fork: Fork,
        frames: Frames<'_>,
        forks: &'a mut Forks,
        journal: &'a JournalInner<JournalEntry>,
        database: &'a mut dyn EvmDatabase,
    ) -> Self {
        let at = match (fork, frames.position(fork)) {
            (Fork::PreTx, _) => At::PreTx,
            (_, Some(position)) if position < journal.journal.len() => At::Undone(forks.at(position, journal)),
            (_, _) => At::Now,
        };
        Self { journal, at, database }
    }

    /// Entries that have to be undone.
    pub(crate) fn distance(fork: Fork, frames: Frames<'_>, journal: &JournalInner<JournalEntry>) -> usize {
        frames.position(fork).map_or(0, |position| journal.journal.len().saturating_sub(position))
    }

    /// An account; `None` where there is none.
    pub(crate) fn info(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        let now = self.journal.transaction_id;
        let known = self.journal.state.get(&address);
        let undone = match self.at {
            At::Undone(undo) => undo.accounts.get(&address),
            At::PreTx | At::Now => None,
        };
        let info = match (known, undone) {
            (_, Some(undone)) => Some(undone.info.clone()),
            (Some(account), None) if matches!(self.at, At::PreTx) && account.transaction_id == now => {
                Some(account.original_info())
            }
            (Some(account), None) => Some(account.info.clone()),
            (None, None) => self.database.basic(address)?,
        };
        Ok(info.filter(|info| !info.is_empty()))
    }

    /// A storage word; zero where there is none.
    pub(crate) fn slot(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        let now = self.journal.transaction_id;
        let Some(account) = self.journal.state.get(&address) else { return self.database.storage(address, slot) };
        let known = account.storage.get(&slot);
        match (self.at, known) {
            (At::PreTx, Some(known)) if known.transaction_id != now => return Ok(known.present_value),
            (At::PreTx, Some(known)) if !account.is_created() => return Ok(known.original_value),
            (At::PreTx, _) => {}
            (At::Now, Some(known)) => return Ok(known.present_value),
            (At::Now, None) if account.is_created() => return Ok(U256::ZERO),
            (At::Now, None) => {}
            (At::Undone(undo), known) => {
                let was_created = undo.accounts.get(&address).map_or(account.is_created(), |undone| undone.is_created);
                match (undo.slots.get(&(address, slot)), known) {
                    // Written by what was created since: below that, only the state beneath can tell.
                    _ if account.is_created() && !was_created => {}
                    (Some(undone), _) => return Ok(*undone),
                    (None, Some(known)) => return Ok(known.present_value),
                    (None, None) if was_created => return Ok(U256::ZERO),
                    (None, None) => {}
                }
            }
        }
        self.database.storage(address, slot)
    }

    /// An account's code; empty where there is none.
    pub(crate) fn code(&mut self, address: Address) -> Result<Bytes, StateError> {
        let Some(info) = self.info(address)? else { return Ok(Bytes::new()) };
        if let Some(code) = info.code {
            return Ok(code.original_bytes());
        }
        if info.code_hash.is_zero() || info.code_hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        Ok(self.database.code_by_hash(info.code_hash)?.original_bytes())
    }

    /// A balance in wei. Whoever sees it depends on it.
    pub(crate) fn balance(&mut self, address: Address) -> Result<U256, StateError> {
        let balance = self.info(address)?.map(|info| info.balance).unwrap_or_default();
        self.database.balance_observed(address);
        Ok(balance)
    }
}

/// For an EVM that runs at the fork. It does not tell which balances and nonces its code looks at, so all that it loads
/// count as looked at.
impl Database for ForkState<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        let info = self.info(address)?;
        self.database.balance_observed(address);
        self.database.nonce_observed(address);
        Ok(info)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        self.database.code_by_hash(code_hash)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.slot(address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        self.database.block_hash(number)
    }
}

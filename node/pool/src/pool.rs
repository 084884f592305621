//! The lanes of all senders, and what bounds them together.
//!
//! Invariant: `places`, `authorities`, `with_blobs`, `bytes` and, where they are made, `tails` describe exactly what the lanes hold, no lane is
//! empty, and every limit holds after each call.

mod room;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use parapet_types::{AccountInfo, Hardfork, Transaction};

use crate::{
    Account, Best, Limits, Order, PoolError, Prices, Rules, Sidecar, admission,
    candidate::Candidate,
    conflicts,
    lane::{Entry, Lane},
    tails::Tails,
};

/// Where a transaction waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It can be included in the next block.
    Pending,
    /// Its turn has come, and it waits until a block asks for less than it pays.
    Unpaid,
    /// A transaction with an earlier nonce is missing.
    Queued,
}

/// A transaction was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its hash.
    pub hash: B256,
    /// Where it waits.
    pub place: Place,
    /// The transaction whose place it took.
    pub replaced: Option<B256>,
    /// Transactions that had to go to make room.
    pub evicted: Vec<B256>,
}

/// What the pool holds, by sender and nonce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Transactions that can be included.
    pub pending: BTreeMap<Address, BTreeMap<u64, Transaction>>,
    /// Transactions behind a missing nonce.
    pub queued: BTreeMap<Address, BTreeMap<u64, Transaction>>,
}

/// Transactions that wait to be included.
#[derive(Debug, Default)]
pub struct Pool {
    limits: Limits,
    order: Order,
    lanes: HashMap<Address, Lane>,
    /// Sender and nonce by hash.
    places: HashMap<B256, (Address, u64)>,
    /// How many of them are to delegate an account (EIP-7702).
    authorities: HashMap<Address, usize>,
    /// How many of them have blobs.
    with_blobs: usize,
    /// Bytes of all.
    bytes: usize,
    /// Transactions that ever arrived.
    arrivals: u64,
    /// Made when the pool is full.
    tails: Option<Tails>,
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The same pool, which gives its transactions in another order.
    #[must_use]
    pub fn in_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Admits a transaction. `account` is its sender's now; `rules` are the next block's.
    ///
    /// # Errors
    /// [`PoolError`] says what is wrong with it; every other transaction that can still be included stays.
    pub fn add(
        &mut self,
        transaction: Transaction,
        account: impl Into<Account>,
        rules: &Rules,
    ) -> Result<Added, PoolError> {
        self.check_new(*transaction.tx_hash())?;
        let account = account.into();
        self.admit(Candidate::check(transaction, &account.info, rules)?, &account, rules)
    }

    /// The same, of a candidate that was checked against the same rules before.
    ///
    /// Where the pool is full, the last transactions of lanes go: those behind a gap first, then those with the lowest effective
    /// tips.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn admit(&mut self, candidate: Candidate, account: &Account, rules: &Rules) -> Result<Added, PoolError> {
        let hash = candidate.hash();
        self.check_new(hash)?;
        admission::check(&candidate.transaction, &account.info, rules)?;
        let (sender, nonce) = (candidate.transaction.signer(), candidate.transaction.nonce());
        self.follow_account(sender, account.info.nonce);
        if let Some(replaced) = self.entry(sender, nonce) {
            replaced.check_replacement(&candidate.transaction)?;
        }
        conflicts::check(&candidate, account, &self.lanes, &self.authorities)?;
        let replaced = self.remove(sender, nonce);
        self.insert(Entry { candidate, arrival: self.arrivals, faults: 0 }, account.info.nonce);
        self.arrivals += 1;
        let mut evicted = Vec::new();
        if let Err(error) = self.shrink(sender, nonce, rules.prices(), &mut evicted) {
            self.remove(sender, nonce);
            for (entry, account_nonce) in evicted.into_iter().chain(replaced) {
                self.insert(entry, account_nonce);
            }
            return Err(error);
        }
        Ok(Added {
            hash,
            place: self.place(sender, nonce, rules.prices()),
            replaced: replaced.map(|(entry, _)| entry.hash()),
            evicted: evicted.iter().map(|(entry, _)| entry.hash()).collect(),
        })
    }

    /// Refuses a transaction that is there.
    ///
    /// # Errors
    /// [`PoolError::AlreadyKnown`].
    pub fn check_new(&self, hash: B256) -> Result<(), PoolError> {
        if self.places.contains_key(&hash) { Err(PoolError::AlreadyKnown { hash }) } else { Ok(()) }
    }

    /// The pending transactions that pay what a block asks for, in the order in which it wants them.
    #[must_use]
    pub fn best(&self, prices: Prices) -> Best<'_> {
        self.best_after(prices, &BTreeMap::new())
    }

    /// The same behind nonces that are used by blocks which the pool has not [followed](Self::follow) yet.
    #[must_use]
    pub fn best_after(&self, prices: Prices, used: &BTreeMap<Address, u64>) -> Best<'_> {
        let next = |(sender, lane): (&Address, &Lane)| used.get(sender).copied().unwrap_or(0).max(lane.account_nonce);
        Best::of(self.lanes.iter().map(|lane| (next(lane), lane.1)), prices, self.order)
    }

    /// Follows the chain by a block: what is in `mined` goes, and of the accounts in `moved`, by their nonces now, what can no
    /// longer be included. Gives the latter.
    pub fn follow(
        &mut self,
        mined: &[Transaction],
        moved: impl IntoIterator<Item = (Address, u64)>,
    ) -> Vec<Transaction> {
        for transaction in mined {
            self.drop(*transaction.tx_hash());
        }
        moved.into_iter().flat_map(|(sender, nonce)| self.follow_account(sender, nonce)).collect()
    }

    /// Follows the chain wherever it went: `account` gives each sender's account at the new head. Drops what can no longer be
    /// included, and gives those of it that are not in `mined`.
    ///
    /// # Errors
    /// The first of `account`'s; what is in `mined` is dropped all the same.
    pub fn remove_mined<E>(
        &mut self,
        mined: &[Transaction],
        account: impl Fn(&Address) -> Result<AccountInfo, E>,
    ) -> Result<Vec<Transaction>, E> {
        self.follow(mined, []);
        let nonces = self.lanes.keys().map(|sender| Ok((*sender, account(sender)?.nonce)));
        let nonces: Vec<_> = nonces.collect::<Result<_, E>>()?;
        Ok(self.follow(&[], nonces))
    }

    /// Takes a transaction out. Those of its sender with later nonces wait until the gap is filled.
    pub fn drop(&mut self, hash: B256) -> Option<Transaction> {
        let (sender, nonce) = *self.places.get(&hash)?;
        self.remove(sender, nonce).map(|(entry, _)| entry.candidate.transaction)
    }

    /// Follows the chain into a fork: drops the transactions whose blobs are proved in a form that it does not take (EIP-7594), since
    /// nobody could be given what it wants of them. Gives them.
    pub fn enter(&mut self, hardfork: Hardfork) -> Vec<Transaction> {
        if self.with_blobs == 0 {
            return Vec::new();
        }
        let entries = self.lanes.values().flat_map(Lane::entries).map(|(_, entry)| entry);
        let stale = entries.filter(|entry| !entry.candidate.is_proved_for(hardfork));
        let stale: Vec<_> = stale.map(Entry::hash).collect();
        stale.into_iter().filter_map(|hash| self.drop(hash)).collect()
    }

    /// The node could not execute a transaction, by no fault of its own. It stays, but after
    /// [`FAULTS_MAX`](crate::FAULTS_MAX) times no longer before others.
    pub fn note_fault(&mut self, hash: B256) {
        let Some((sender, nonce)) = self.places.get(&hash) else { return };
        if let Some(entry) = self.lanes.get_mut(sender).and_then(|lane| lane.get_mut(*nonce)) {
            entry.faults = entry.faults.saturating_add(1);
        }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self = Self { limits: self.limits, order: self.order, arrivals: self.arrivals, ..Self::default() };
    }

    /// A transaction by its hash.
    #[must_use]
    pub fn get(&self, hash: B256) -> Option<&Transaction> {
        let (sender, nonce) = *self.places.get(&hash)?;
        self.entry(sender, nonce).map(Entry::transaction)
    }

    /// The blobs of a transaction that waits.
    #[must_use]
    pub fn sidecar(&self, hash: B256) -> Option<Arc<Sidecar>> {
        let (sender, nonce) = *self.places.get(&hash)?;
        self.entry(sender, nonce)?.candidate.sidecar.clone()
    }

    /// The blobs that wait, by transaction.
    pub fn sidecars(&self) -> impl Iterator<Item = &Arc<Sidecar>> {
        self.lanes.values().flat_map(Lane::entries).filter_map(|(_, entry)| entry.candidate.sidecar.as_ref())
    }

    /// The nonce of a sender's next transaction, those that are pending here counted.
    #[must_use]
    pub fn next_nonce(&self, sender: &Address, account_nonce: u64) -> u64 {
        let Some(lane) = self.lanes.get(sender) else { return account_nonce };
        if lane.account_nonce == account_nonce {
            return lane.next_nonce();
        }
        (account_nonce..).find(|nonce| lane.get(*nonce).is_none()).unwrap_or(u64::MAX)
    }

    /// What the pool holds, by sender and nonce.
    #[must_use]
    pub fn content(&self) -> Content {
        let mut content = Content::default();
        for (sender, lane) in &self.lanes {
            let next = lane.next_nonce();
            for (nonce, entry) in lane.entries() {
                let part = if nonce < next { &mut content.pending } else { &mut content.queued };
                part.entry(*sender).or_default().insert(nonce, entry.transaction().clone());
            }
        }
        content
    }

    /// All that waits, in the order of its arrival.
    #[must_use]
    pub fn by_arrival(&self) -> Vec<&Candidate> {
        let mut entries: Vec<_> = self.lanes.values().flat_map(Lane::entries).map(|(_, entry)| entry).collect();
        entries.sort_unstable_by_key(|entry| entry.arrival);
        entries.into_iter().map(|entry| &entry.candidate).collect()
    }

    /// Transactions that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Bytes of the encodings of all that wait, and of their blobs.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Transactions that wait: pending ones, then queued ones.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let pending = self.lanes.values().map(|lane| lane.next_nonce() - lane.account_nonce).sum::<u64>() as usize;
        (pending, self.len() - pending)
    }

    fn place(&self, sender: Address, nonce: u64, prices: Prices) -> Place {
        let Some(lane) = self.lanes.get(&sender) else { return Place::Queued };
        match lane.get(nonce).map(|entry| entry.effective_tip(prices)) {
            _ if lane.next_nonce() <= nonce => Place::Queued,
            Some(None) => Place::Unpaid,
            _ => Place::Pending,
        }
    }

    fn entry(&self, sender: Address, nonce: u64) -> Option<&Entry> {
        self.lanes.get(&sender)?.get(nonce)
    }

    fn insert(&mut self, entry: Entry, account_nonce: u64) {
        let (sender, nonce) = (entry.transaction().signer(), entry.transaction().nonce());
        self.bytes += entry.candidate.bytes;
        self.with_blobs += usize::from(entry.candidate.has_blobs());
        self.places.insert(entry.hash(), (sender, nonce));
        for authority in &entry.candidate.authorities {
            *self.authorities.entry(*authority).or_default() += 1;
        }
        let lane = self.lanes.entry(sender).or_default();
        lane.account_nonce = account_nonce;
        lane.insert(entry);
        self.note(sender);
    }

    /// Takes an entry out and gives it with its account's nonce.
    fn remove(&mut self, sender: Address, nonce: u64) -> Option<(Entry, u64)> {
        let lane = self.lanes.get_mut(&sender)?;
        let (entry, account_nonce) = (lane.remove(nonce)?, lane.account_nonce);
        self.forget(&entry);
        self.note(sender);
        Some((entry, account_nonce))
    }

    fn forget(&mut self, entry: &Entry) {
        self.places.remove(&entry.hash());
        self.bytes -= entry.candidate.bytes;
        self.with_blobs -= usize::from(entry.candidate.has_blobs());
        for authority in &entry.candidate.authorities {
            let count = self.authorities.get_mut(authority).expect("it was counted when the entry came");
            *count -= 1;
            if *count == 0 {
                self.authorities.remove(authority);
            }
        }
    }

    /// A lane has changed: drops it if it is empty, and keeps up who goes first.
    fn note(&mut self, sender: Address) {
        if self.lanes.get(&sender).is_some_and(Lane::is_empty) {
            self.lanes.remove(&sender);
        }
        if let Some(tails) = &mut self.tails {
            tails.note(sender, self.lanes.get(&sender));
        }
    }

    /// Takes over an account's nonce and gives the transactions that went by it.
    fn follow_account(&mut self, sender: Address, account_nonce: u64) -> Vec<Transaction> {
        let Some(lane) = self.lanes.get_mut(&sender).filter(|lane| lane.account_nonce != account_nonce) else {
            return Vec::new();
        };
        let stale = lane.follow(account_nonce);
        for entry in &stale {
            self.forget(entry);
        }
        self.note(sender);
        stale.into_iter().map(|entry| entry.candidate.transaction).collect()
    }
}

//! The lanes of all senders, and what bounds them together.
//!
//! Invariant: `places` and `bytes` describe exactly what the lanes hold, no lane is empty, and every limit holds after
//! each call.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use parapet_types::{AccountInfo, Transaction};

use crate::{
    FAULTS_MAX, Limits, PoolError, Rules,
    admission::admit,
    lane::{Entry, Lane},
};

/// Where a transaction waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It can be included in the next block.
    Pending,
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
    lanes: BTreeMap<Address, Lane>,
    /// Sender and nonce by hash.
    places: HashMap<B256, (Address, u64)>,
    /// Bytes of all encodings.
    bytes: usize,
    /// Transactions that ever arrived.
    arrivals: u64,
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Admits a transaction. `account` is its sender's now; `rules` are the next block's.
    ///
    /// Where the pool is full, the transactions with the lowest effective tips go, from the tails of their lanes; a
    /// scan over all lanes for each.
    ///
    /// # Errors
    /// [`PoolError`] says what is wrong with it; every other transaction that can still be included stays.
    pub fn add(&mut self, transaction: Transaction, account: &AccountInfo, rules: &Rules) -> Result<Added, PoolError> {
        let hash = *transaction.tx_hash();
        if self.places.contains_key(&hash) {
            return Err(PoolError::AlreadyKnown { hash });
        }
        let bytes = admit(&transaction, account, rules)?;
        let (sender, nonce) = (transaction.signer(), transaction.nonce());
        self.follow(sender, account.nonce);
        if let Some(replaced) = self.entry(sender, nonce) {
            replaced.check_replacement(&transaction)?;
        }
        let replaced = self.remove(sender, nonce);
        self.insert(Entry { transaction, arrival: self.arrivals, bytes, faults: 0 }, account.nonce);
        self.arrivals += 1;
        let mut evicted = Vec::new();
        if let Err(error) = self.shrink(sender, nonce, rules.base_fee, &mut evicted) {
            self.remove(sender, nonce);
            for (entry, account_nonce) in evicted.into_iter().chain(replaced) {
                self.insert(entry, account_nonce);
            }
            return Err(error);
        }
        let place = if self.next_nonce(&sender, account.nonce) > nonce { Place::Pending } else { Place::Queued };
        Ok(Added {
            hash,
            place,
            replaced: replaced.map(|(entry, _)| entry.hash()),
            evicted: evicted.iter().map(|(entry, _)| entry.hash()).collect(),
        })
    }

    /// The pending transactions that pay the base fee: by effective tip, the earlier arrival first where tips are
    /// equal, and those of one sender by nonce. Those that the node failed to execute time and again come last.
    #[must_use]
    pub fn best(&self, base_fee: u64) -> Vec<Transaction> {
        let mut lanes: Vec<_> = self.lanes.values().map(|lane| lane.pending().peekable()).collect();
        let rank = |index: usize, entry: &Entry| {
            let promising = entry.faults < FAULTS_MAX;
            entry.effective_tip(base_fee).map(|tip| (promising, tip, Reverse(entry.arrival), index))
        };
        let mut heads: BinaryHeap<_> = lanes
            .iter_mut()
            .enumerate()
            .filter_map(|(index, lane)| lane.peek().and_then(|entry| rank(index, entry)))
            .collect();
        let mut best = Vec::new();
        while let Some((_, _, _, index)) = heads.pop() {
            best.extend(lanes[index].next().map(|entry| entry.transaction.clone()));
            heads.extend(lanes[index].peek().and_then(|entry| rank(index, entry)));
        }
        best
    }

    /// Follows the chain after its head has moved: `account` gives each sender's account at the new head. Drops what
    /// can no longer be included, and gives those of it that are not in `mined`.
    ///
    /// # Errors
    /// The first of `account`'s; what is in `mined` is dropped all the same.
    pub fn remove_mined<E>(
        &mut self,
        mined: &[Transaction],
        account: impl Fn(&Address) -> Result<AccountInfo, E>,
    ) -> Result<Vec<Transaction>, E> {
        for transaction in mined {
            self.drop(*transaction.tx_hash());
        }
        let nonces = self.lanes.keys().map(|sender| Ok((*sender, account(sender)?.nonce)));
        let nonces: Vec<_> = nonces.collect::<Result<_, E>>()?;
        Ok(nonces.into_iter().flat_map(|(sender, nonce)| self.follow(sender, nonce)).collect())
    }

    /// Takes a transaction out. Those of its sender with later nonces wait until the gap is filled.
    pub fn drop(&mut self, hash: B256) -> Option<Transaction> {
        let (sender, nonce) = *self.places.get(&hash)?;
        self.remove(sender, nonce).map(|(entry, _)| entry.transaction)
    }

    /// The node could not execute a transaction, by no fault of its own. It stays, but after [`FAULTS_MAX`] times no
    /// longer before others.
    pub fn note_fault(&mut self, hash: B256) {
        let Some((sender, nonce)) = self.places.get(&hash) else { return };
        if let Some(entry) = self.lanes.get_mut(sender).and_then(|lane| lane.entries.get_mut(nonce)) {
            entry.faults = entry.faults.saturating_add(1);
        }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self = Self { limits: self.limits, arrivals: self.arrivals, ..Self::default() };
    }

    /// A transaction by its hash.
    #[must_use]
    pub fn get(&self, hash: B256) -> Option<&Transaction> {
        let (sender, nonce) = *self.places.get(&hash)?;
        self.entry(sender, nonce).map(|entry| &entry.transaction)
    }

    /// The nonce of a sender's next transaction, those that are pending here counted.
    #[must_use]
    pub fn next_nonce(&self, sender: &Address, account_nonce: u64) -> u64 {
        let Some(lane) = self.lanes.get(sender) else { return account_nonce };
        let run = lane.entries.range(account_nonce..).zip(account_nonce..);
        account_nonce + run.take_while(|((nonce, _), expected)| *nonce == expected).count() as u64
    }

    /// What the pool holds, by sender and nonce.
    #[must_use]
    pub fn content(&self) -> Content {
        let mut content = Content::default();
        for (sender, lane) in &self.lanes {
            let pending = lane.pending().count();
            for (index, (nonce, entry)) in lane.entries.iter().enumerate() {
                let part = if index < pending { &mut content.pending } else { &mut content.queued };
                part.entry(*sender).or_default().insert(*nonce, entry.transaction.clone());
            }
        }
        content
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

    /// Bytes of the encodings of all that wait.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Transactions that wait: pending ones, then queued ones.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let pending = self.lanes.values().map(|lane| lane.pending().count()).sum();
        (pending, self.len() - pending)
    }

    fn entry(&self, sender: Address, nonce: u64) -> Option<&Entry> {
        self.lanes.get(&sender)?.entries.get(&nonce)
    }

    fn insert(&mut self, entry: Entry, account_nonce: u64) {
        let (sender, nonce) = (entry.transaction.signer(), entry.transaction.nonce());
        self.bytes += entry.bytes;
        self.places.insert(entry.hash(), (sender, nonce));
        let lane = self.lanes.entry(sender).or_default();
        lane.account_nonce = account_nonce;
        lane.entries.insert(nonce, entry);
    }

    /// Takes an entry out and gives it with its account's nonce.
    fn remove(&mut self, sender: Address, nonce: u64) -> Option<(Entry, u64)> {
        let lane = self.lanes.get_mut(&sender)?;
        let (entry, account_nonce) = (lane.entries.remove(&nonce)?, lane.account_nonce);
        if lane.entries.is_empty() {
            self.lanes.remove(&sender);
        }
        self.forget(&entry);
        Some((entry, account_nonce))
    }

    fn forget(&mut self, entry: &Entry) {
        self.places.remove(&entry.hash());
        self.bytes -= entry.bytes;
    }

    /// Takes over an account's nonce and gives the transactions that went by it.
    fn follow(&mut self, sender: Address, account_nonce: u64) -> Vec<Transaction> {
        let Some(lane) = self.lanes.get_mut(&sender) else { return Vec::new() };
        let stale = lane.follow(account_nonce);
        if lane.entries.is_empty() {
            self.lanes.remove(&sender);
        }
        for entry in &stale {
            self.forget(entry);
        }
        stale.into_iter().map(|entry| entry.transaction).collect()
    }

    /// Evicts until all limits hold, with the newcomer of `sender` and `nonce` in; refused when it would be the next to
    /// go. What went is in `evicted` either way, so that the caller can take it back.
    fn shrink(
        &mut self,
        sender: Address,
        nonce: u64,
        base_fee: u64,
        evicted: &mut Vec<(Entry, u64)>,
    ) -> Result<(), PoolError> {
        let tail_of_lane = |pool: &Self, max: usize| {
            let entries = &pool.lanes.get(&sender)?.entries;
            (entries.len() > max).then(|| entries.last_key_value().map(|(tail, _)| *tail)).flatten()
        };
        while let Some(tail) = tail_of_lane(self, self.limits.per_sender_max) {
            if tail == nonce {
                return Err(PoolError::SenderLimit { sender, max: self.limits.per_sender_max });
            }
            evicted.extend(self.remove(sender, tail));
        }
        while self.len() > self.limits.transactions_max || self.bytes > self.limits.bytes_max {
            match self.cheapest_tail(base_fee) {
                Some(victim) if victim != (sender, nonce) => evicted.extend(self.remove(victim.0, victim.1)),
                _ => return Err(PoolError::Full { transactions: self.len() - 1 }),
            }
        }
        Ok(())
    }

    /// The last transaction of a lane that pays least; of several, the one that came last.
    fn cheapest_tail(&self, base_fee: u64) -> Option<(Address, u64)> {
        let tails = self.lanes.iter().filter_map(|(sender, lane)| {
            lane.entries.last_key_value().map(|(nonce, entry)| ((*sender, *nonce), entry))
        });
        let cheapest = tails.min_by_key(|(_, entry)| (entry.effective_tip(base_fee), Reverse(entry.arrival)));
        cheapest.map(|(place, _)| place)
    }
}

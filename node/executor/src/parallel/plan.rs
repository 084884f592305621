//! Guesses which transactions will conflict, from what they say of themselves and from what recent blocks have taught.
//!
//! A *mark* is something that two transactions may both stand on: a contract together with a party (the sender, or a word
//! of the calldata that looks like an address), a slot that the access list names (EIP-2930), a slot that a kind of call,
//! or one caller's, was seen to fight over, or an account that a transaction speaks for (EIP-7702). Who shares a mark with
//! an earlier transaction waits for it. Guesses cost time when they are wrong, never correctness, so they are kept cheap:
//! one table look-up per mark, and a hash in place of the mark.

use std::{mem, time::Duration};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256, map::AddressMap};
use parapet_types::Transaction;
use smallvec::SmallVec;

use super::{
    ahead::{CHUNK, Shape},
    authorities::Authorities,
    marks,
    profile::{Kind, Profile, class_key},
};

/// From here up a transaction, with those that wait for it, is begun before others when too little is left beside it.
const HEAVY_GAS_MIN: u64 = 300_000;
/// From here up, by what it may use, what a transaction took is remembered: some take ten times as long as their gas tells.
const WEIGHED_GAS_MIN: u64 = 100_000;
/// Below this much parallelism, in percent of one after the other, a chunk is run as one.
const WORTHWHILE_PERCENT: u64 = 115;
/// After so many chunks in a row that are serial, or in which nobody waits for anybody, the next ones are taken to be so
/// too,
const STREAK_MIN: u32 = 4;
/// but for one in so many, which is looked at.
const LOOK_EVERY: u32 = 8;
/// After so many stretches, the first chunk of one is run in parallel all the same, to see whether it is serial.
const DOUBT_EVERY: u32 = 16;

/// Why a transaction waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    /// Index of the earlier transaction.
    pub(crate) on: u32,
    pub(crate) kind: Kind,
}

/// The plan of one block, made chunk by chunk as the frontier moves.
#[derive(Debug)]
pub(crate) struct Plan {
    profile: Profile,
    /// Accounts that a transaction spoke for, and the index of the last one that did.
    delegated: AddressMap<u32>,
    guesses: Vec<Option<Guess>>,
    /// Gas that each may use, with those of its chunk that wait for it, one behind the other.
    weights: Vec<u64>,
    /// Transactions of the last chunk that are heavy, with their weights.
    heavy: SmallVec<[(u32, u64); 4]>,
    /// Chunks in a row that looked serial.
    streak: u32,
    /// Chunks in a row in which nobody waited for anybody.
    free: u32,
    threads: u64,
}

impl Plan {
    pub(crate) fn new(mut profile: Profile, transactions: usize, threads: usize) -> Self {
        profile.standing.begin(u32::try_from(transactions).unwrap_or(u32::MAX));
        Self {
            profile,
            delegated: AddressMap::default(),
            guesses: Vec::with_capacity(transactions),
            weights: Vec::with_capacity(transactions),
            heavy: SmallVec::new(),
            streak: 0,
            free: 0,
            threads: threads as u64,
        }
    }

    /// Gives back what was learned.
    pub(crate) fn into_profile(self) -> Profile {
        self.profile
    }

    /// How many transactions are planned.
    pub(crate) fn planned(&self) -> usize {
        self.guesses.len()
    }

    /// Passes over the next transactions, which will run one after the other whatever is guessed of them.
    fn pass(&mut self, transactions: usize) {
        for _ in 0..transactions {
            self.add(None, 0);
        }
    }

    /// Adds a transaction to the plan, with the gas it may use.
    fn add(&mut self, guess: Option<Guess>, gas: u64) {
        self.guesses.push(guess);
        self.weights.push(gas);
    }

    /// Looks for what is heavy in the chunk that begins with `first`. Who waits comes after whom it waits for, so its own
    /// weight is complete before it is added to the other's.
    fn weigh(&mut self, first: usize) {
        for index in (first..self.guesses.len()).rev() {
            let weight = self.weights[index];
            if let Some(guess) = self.guesses[index] {
                let other = &mut self.weights[guess.on as usize];
                *other = other.saturating_add(weight);
            }
            if weight >= HEAVY_GAS_MIN {
                self.heavy.push((u32::try_from(index).unwrap_or(u32::MAX), weight));
            }
        }
    }

    /// What a planned transaction waits for.
    pub(crate) fn guess(&self, index: usize) -> Option<Guess> {
        self.guesses[index]
    }

    /// Plans the next transactions, the first of them with index [`Self::planned`].
    pub(crate) fn chunk(&mut self, transactions: &[Transaction], authorities: &Authorities<'_>) -> Shape {
        let first = self.guesses.len();
        self.heavy.clear();
        if self.threads == 1 {
            self.pass(transactions.len());
            return if is_one_account(transactions) { Shape::Transfers } else { Shape::Serial };
        }
        let goes_on = |streak: u32| streak >= STREAK_MIN && !streak.is_multiple_of(LOOK_EVERY);
        if goes_on(self.streak) {
            self.streak += 1;
            self.pass(transactions.len());
            return Shape::Serial;
        }
        if goes_on(self.free) {
            self.free += 1;
            for transaction in transactions {
                let weight = if is_weighed(transaction) { self.profile.weight(transaction) } else { 0 };
                self.add(None, weight);
            }
            self.weigh(first);
            return Shape::Parallel;
        }
        let (mut work, mut span, mut sure, mut waiting) = (0_u64, 0_u64, true, 0);
        let mut ends: SmallVec<[u64; CHUNK]> = SmallVec::new();
        for transaction in transactions {
            let (guess, gas) = self.next(transaction, authorities);
            let start = match guess {
                Some(guess) if guess.on as usize >= first => ends[guess.on as usize - first],
                Some(_) | None => 0,
            };
            waiting += usize::from(guess.is_some());
            sure &= guess.is_none_or(|guess| self.profile.is_sure(transaction, guess.kind));
            let end = start.saturating_add(transaction.gas_limit());
            work = work.saturating_add(transaction.gas_limit());
            span = span.max(end);
            ends.push(end);
            self.add(guess, gas);
        }
        self.weigh(first);
        self.free = if waiting == 0 { self.free + 1 } else { 0 };
        if is_one_account(transactions) {
            (self.streak, self.free) = (0, 0);
            return Shape::Transfers;
        }
        let best = span.max(work / self.threads);
        // One heavy transaction among others that wait for nobody makes no chain.
        let is_chain = sure && waiting * 4 >= transactions.len() * 3;
        if !is_chain || work.saturating_mul(100) >= best.saturating_mul(WORTHWHILE_PERCENT) {
            self.streak = 0;
            return Shape::Parallel;
        }
        self.streak += 1;
        // Where a stretch ends, all that its journal holds moves to the memory. So doubts come before one.
        if self.streak == 1 && self.profile.is_doubtful(DOUBT_EVERY) {
            return Shape::Parallel;
        }
        Shape::Serial
    }

    /// What the next transaction waits for, and the gas it may use.
    fn next(&mut self, transaction: &Transaction, authorities: &Authorities<'_>) -> (Option<Guess>, u64) {
        let index = u32::try_from(self.guesses.len()).unwrap_or(u32::MAX);
        let mut guess = self.meet_authorities(index, transaction, authorities);
        let Some(key) = class_key(transaction) else { return (guess, transaction.gas_limit()) };
        let mut standing = mem::take(&mut self.profile.standing);
        let mut stand = |mark: u64, kind: Kind| {
            if let Some(on) = standing.stand(mark, index)
                && guess.is_none_or(|guess| guess.on < on)
            {
                guess = Some(Guess { on, kind });
            }
        };
        for slot in self.profile.hot_for_caller(key, transaction.signer()) {
            stand(slot, Kind::HotForCaller(slot));
        }
        let class = self.profile.class(key);
        let weight = class.work().unwrap_or(transaction.gas_limit());
        for (kind, party) in marks::parties(transaction) {
            if class.heeds_party(kind) {
                stand(marks::mark(&key.0, party), Kind::Party(kind));
            }
        }
        class.hot().for_each(|slot| stand(slot, Kind::Hot(slot)));
        if class.heeds_list() {
            marks::listed(transaction).for_each(|slot| stand(slot, Kind::Listed));
        }
        self.profile.standing = standing;
        (guess, weight)
    }

    /// Who speaks for an account changes its code and nonce: whoever is sent by it, calls it, or speaks for it too, is
    /// behind.
    fn meet_authorities(
        &mut self,
        index: u32,
        transaction: &Transaction,
        authorities: &Authorities<'_>,
    ) -> Option<Guess> {
        let spoken_for = authorities.of(index);
        let mut on = None;
        if !self.delegated.is_empty() {
            let met = [Some(transaction.signer()), transaction.to()].into_iter().flatten();
            on = met.chain(spoken_for.clone()).filter_map(|account| self.delegated.get(&account).copied()).max();
        }
        self.delegated.extend(spoken_for.map(|account| (account, index)));
        on.map(|on| Guess { on, kind: Kind::Authority })
    }

    /// Transactions of the last chunk that are heavy, with their weights.
    pub(crate) fn heavy(&self) -> &[(u32, u64)] {
        &self.heavy
    }

    /// A transaction used that much gas and time. What is never much is not remembered.
    pub(crate) fn used(&mut self, transaction: &Transaction, gas: u64, took: Option<Duration>) {
        if is_weighed(transaction) {
            self.profile.used(transaction, gas, took);
        }
    }

    /// A transaction that waited did, or did not, stand on what it waited for. Gives those that wait for the same reason, if
    /// that is not a reason any more.
    pub(crate) fn learn(
        &mut self,
        transactions: &[Transaction],
        index: usize,
        guess: Guess,
        was_right: bool,
    ) -> SmallVec<[u32; CHUNK]> {
        let transaction = &transactions[index];
        if !self.profile.learn(transaction, guess.kind, was_right) {
            return SmallVec::new();
        }
        let is_like = |other: &Transaction| {
            let same_caller = other.signer_ref() == transaction.signer_ref();
            class_key(other) == class_key(transaction) && (same_caller || !matches!(guess.kind, Kind::HotForCaller(_)))
        };
        let mut freed = SmallVec::new();
        let later = self.guesses.iter_mut().zip(transactions).enumerate().skip(index + 1);
        for (later, (waits, other)) in later {
            if waits.is_some_and(|waits| waits.kind == guess.kind) && is_like(other) {
                *waits = None;
                freed.push(u32::try_from(later).unwrap_or(u32::MAX));
            }
        }
        freed
    }

    /// Two transactions fought over a slot, and nobody had guessed it.
    pub(crate) fn surprise(&mut self, winner: &Transaction, loser: &Transaction, account: &Address, slot: U256) {
        self.free = 0;
        self.profile.surprise(winner, loser, account, slot);
    }
}

/// Whether what it takes is worth a look at the clock.
pub(crate) fn is_weighed(transaction: &Transaction) -> bool {
    transaction.gas_limit() >= WEIGHED_GAS_MIN
}

/// Whether these are plain transfers, most of them from, to or through an account of the one before.
fn is_one_account(transactions: &[Transaction]) -> bool {
    let plain = |transaction: &Transaction| transaction.input().is_empty() && transaction.to().is_some();
    let shared = |pair: &&[Transaction]| {
        let [one, next] = [&pair[0], &pair[1]].map(|transfer| (transfer.signer(), transfer.to()));
        one.0 == next.0 || one.1 == next.1 || one.1 == Some(next.0)
    };
    transactions.iter().all(plain) && transactions.windows(2).filter(shared).count() * 2 > transactions.len()
}

// The benchmark's simulator takes this file in from elsewhere, so where its tests lie is said.
#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;

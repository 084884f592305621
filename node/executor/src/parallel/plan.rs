//! Guesses which transactions will conflict, from what they say of themselves and from what the block has taught.
//!
//! A *mark* is something that two transactions may both stand on: a contract together with a party (the sender, or a word
//! of the calldata that looks like an address), or a slot that a kind of call was seen to fight over. Who shares a mark
//! with an earlier transaction waits for it. Guesses cost time when they are wrong, never correctness, so they are kept
//! cheap: one table look-up per mark, and a hash in place of the mark.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256, map::HashMap};
use parapet_types::Transaction;
use smallvec::SmallVec;

/// Words of calldata that are looked at.
const WORDS_MAX: usize = 8;
/// Kinds of marks: the sender, the words, the slots fought over.
const KINDS: usize = 1 + WORDS_MAX;
/// Slots remembered for a kind of call.
const HOT_SLOTS_MAX: usize = 4;
/// Places in the table of who stood last on a mark.
const TABLE_PLACES: usize = 1 << 13;
/// A guess counts while its score is at least this.
const SCORE_ACTIVE: i8 = 1;
/// From here up a guess has proved itself.
const SCORE_SURE: i8 = 3;
const SCORE_MAX: i8 = 8;
const SCORE_MIN: i8 = -4;
/// Kinds of calls remembered from block to block.
const CLASSES_MAX: usize = 16_384;
/// Transactions that are planned together.
pub(crate) const CHUNK: usize = 32;
/// Below this much parallelism, in percent of one after the other, a chunk is run as one.
const WORTHWHILE_PERCENT: u64 = 115;
/// After so many serial chunks in a row the next ones are taken to be serial,
const STREAK_MIN: u32 = 4;
/// but for one in so many, which is looked at.
const LOOK_EVERY: u32 = 4;
/// Every so many chunks that look serial, one is run in parallel all the same, to see whether they are.
const DOUBT_EVERY: u32 = 16;

/// What is known of calls to one function of one contract.
#[derive(Clone, Debug)]
struct Class {
    /// By kind of mark: the sender first, then the words.
    scores: [i8; KINDS],
    hot: SmallVec<[(u64, i8); HOT_SLOTS_MAX]>,
}

impl Default for Class {
    fn default() -> Self {
        Self { scores: [SCORE_ACTIVE; KINDS], hot: SmallVec::new() }
    }
}

type ClassKey = (Address, [u8; 4]);

/// What was learned from recent blocks.
#[derive(Debug, Default)]
pub(crate) struct Profile(HashMap<ClassKey, Class>);

impl Profile {
    /// Makes room before a block.
    pub(crate) fn trim(&mut self) {
        if self.0.len() > CLASSES_MAX {
            self.0.clear();
        }
    }
}

/// Why a transaction waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    /// Index of the earlier transaction.
    pub(crate) on: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Party(u8),
    Hot(u64),
}

/// How a chunk is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There is something to gain.
    Parallel,
    /// One transaction leads to the next.
    Serial,
    /// Plain transfers, most of them from or to one account: so cheap that handing that account from thread to thread
    /// costs more than making them.
    Transfers,
}

/// The plan of one block, made chunk by chunk as the frontier moves.
#[derive(Debug)]
pub(crate) struct Plan {
    profile: Profile,
    /// The mark, and one more than the index of who stood on it last.
    last: Vec<(u64, u32)>,
    guesses: Vec<Option<Guess>>,
    doubts: u32,
    /// Chunks in a row that looked serial.
    streak: u32,
    threads: u64,
}

impl Plan {
    pub(crate) fn new(profile: Profile, transactions: usize, threads: usize) -> Self {
        Self {
            profile,
            last: vec![(0, 0); TABLE_PLACES],
            guesses: Vec::with_capacity(transactions),
            doubts: 0,
            streak: 0,
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

    /// What a planned transaction waits for.
    pub(crate) fn guess(&self, index: usize) -> Option<Guess> {
        self.guesses[index]
    }

    /// Plans the next transactions, the first of them with index [`Self::planned`].
    pub(crate) fn chunk(&mut self, transactions: &[Transaction]) -> Shape {
        let first = self.guesses.len();
        if self.streak >= STREAK_MIN && !self.streak.is_multiple_of(LOOK_EVERY) {
            self.streak += 1;
            self.guesses.resize(first + transactions.len(), None);
            return Shape::Serial;
        }
        let (mut work, mut span, mut sure, mut waiting) = (0_u64, 0_u64, true, 0);
        let mut ends: SmallVec<[u64; CHUNK]> = SmallVec::new();
        for transaction in transactions {
            let guess = self.next(transaction);
            let start = match guess {
                Some(guess) if guess.on as usize >= first => ends[guess.on as usize - first],
                Some(_) | None => 0,
            };
            waiting += usize::from(guess.is_some());
            sure &= guess.is_none_or(|guess| self.is_sure(transaction, guess));
            let end = start.saturating_add(transaction.gas_limit());
            work = work.saturating_add(transaction.gas_limit());
            span = span.max(end);
            ends.push(end);
            self.guesses.push(guess);
        }
        if is_one_account(transactions) {
            self.streak = 0;
            return Shape::Transfers;
        }
        let best = span.max(work / self.threads);
        // One heavy transaction among others that wait for nobody makes no chain.
        let is_chain = sure && waiting * 4 >= transactions.len() * 3;
        if !is_chain || work.saturating_mul(100) >= best.saturating_mul(WORTHWHILE_PERCENT) {
            self.streak = 0;
            return Shape::Parallel;
        }
        self.doubts += 1;
        self.streak += 1;
        if self.doubts.is_multiple_of(DOUBT_EVERY) { Shape::Parallel } else { Shape::Serial }
    }

    fn is_sure(&self, transaction: &Transaction, guess: Guess) -> bool {
        let Some(class) = class_key(transaction).and_then(|key| self.profile.0.get(&key)) else { return false };
        match guess.kind {
            Kind::Party(kind) => class.scores[usize::from(kind)] >= SCORE_SURE,
            Kind::Hot(slot) => class.hot.iter().any(|(hot, score)| *hot == slot && *score >= SCORE_SURE),
        }
    }

    fn next(&mut self, transaction: &Transaction) -> Option<Guess> {
        let index = u32::try_from(self.guesses.len()).ok()?;
        let key = class_key(transaction)?;
        let class = self.profile.0.entry(key).or_default();
        let mut guess: Option<Guess> = None;
        let mut stand = |mark: u64, kind: Kind| {
            let place = &mut self.last[mark as usize % TABLE_PLACES];
            let stood = place.0 == mark && place.1 > 0 && place.1 <= index;
            if stood && guess.is_none_or(|guess| guess.on < place.1 - 1) {
                guess = Some(Guess { on: place.1 - 1, kind });
            }
            *place = (mark, index + 1);
        };
        for (kind, party) in parties(transaction) {
            if class.scores[usize::from(kind)] >= SCORE_ACTIVE {
                stand(mark(&key.0, party), Kind::Party(kind));
            }
        }
        for (slot, _) in &class.hot {
            stand(*slot, Kind::Hot(*slot));
        }
        guess
    }

    /// A transaction that waited did, or did not, stand on what it waited for.
    pub(crate) fn learn(&mut self, transaction: &Transaction, guess: Guess, was_right: bool) {
        let Some(class) = class_key(transaction).and_then(|key| self.profile.0.get_mut(&key)) else { return };
        let step =
            |score: &mut i8| *score = if was_right { *score + 1 } else { *score - 1 }.clamp(SCORE_MIN, SCORE_MAX);
        match guess.kind {
            Kind::Party(kind) => step(&mut class.scores[usize::from(kind)]),
            Kind::Hot(slot) => {
                if let Some((_, score)) = class.hot.iter_mut().find(|(hot, _)| *hot == slot) {
                    step(score);
                }
                class.hot.retain(|(_, score)| *score >= SCORE_ACTIVE);
            }
        }
    }

    /// Two transactions fought over a slot, and nobody had guessed it.
    pub(crate) fn surprise(&mut self, winner: &Transaction, loser: &Transaction, account: &Address, slot: U256) {
        let (Some(won), Some(lost)) = (class_key(winner), class_key(loser)) else { return };
        if won == lost
            && let Some((kind, _)) = parties(loser).find(|(_, party)| parties(winner).any(|(_, other)| other == *party))
        {
            let class = self.profile.0.entry(lost).or_default();
            let score = &mut class.scores[usize::from(kind)];
            *score = score.saturating_add(2).min(SCORE_MAX);
            if *score > SCORE_ACTIVE {
                return;
            }
        }
        let hot = mark(account, slot.as_limbs()[0] ^ slot.as_limbs()[1] ^ slot.as_limbs()[2] ^ slot.as_limbs()[3]);
        for key in [won, lost] {
            let class = self.profile.0.entry(key).or_default();
            if let Some((_, score)) = class.hot.iter_mut().find(|(known, _)| *known == hot) {
                *score = (*score + 1).min(SCORE_MAX);
            } else if class.hot.len() < HOT_SLOTS_MAX {
                class.hot.push((hot, SCORE_ACTIVE + 1));
            }
        }
    }
}

/// Whether these are plain transfers, most of them from or to one account.
fn is_one_account(transactions: &[Transaction]) -> bool {
    let plain = |transaction: &Transaction| transaction.input().is_empty() && transaction.to().is_some();
    let shared = |pair: &&[Transaction]| pair[0].signer() == pair[1].signer() || pair[0].to() == pair[1].to();
    transactions.iter().all(plain) && transactions.windows(2).filter(shared).count() * 2 > transactions.len()
}

fn class_key(transaction: &Transaction) -> Option<ClassKey> {
    let selector = transaction.input().first_chunk::<4>()?;
    Some((transaction.to()?, *selector))
}

/// The sender, and the words of the calldata that look like addresses, each with its kind.
fn parties(transaction: &Transaction) -> impl Iterator<Item = (u8, u64)> + '_ {
    let words = transaction.input().get(4..).unwrap_or_default().chunks_exact(32).take(WORDS_MAX);
    let sender = std::iter::once((0, fold(transaction.signer_ref().as_slice())));
    let named = words.enumerate().filter_map(|(position, word)| {
        let (zeros, address) = word.split_at(12);
        // A number that is an address by chance has its upper bytes set; small numbers do not.
        let is_address = zeros.iter().all(|byte| *byte == 0) && address[..8].iter().any(|byte| *byte != 0);
        is_address.then(|| (position as u8 + 1, fold(address)))
    });
    sender.chain(named)
}

/// A hash good enough for a guess.
fn fold(address: &[u8]) -> u64 {
    let mut folded = 0_u64;
    for chunk in address.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        folded = (folded ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    folded
}

fn mark(account: &Address, party: u64) -> u64 {
    let mixed = (fold(account.as_slice()) ^ party.rotate_left(17)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 29)
}

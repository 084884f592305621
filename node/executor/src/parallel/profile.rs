//! What was learned from recent blocks: which of the things that calls of a kind share they do fight over, and how much
//! gas they use. It is used to guess, so it may be wrong, and it is forgotten when it grows too large.

use std::time::Duration;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256, map::HashMap};
use parapet_types::Transaction;
use smallvec::SmallVec;

use super::marks::{Standing, WORDS_MAX, parties, slot_mark};

/// Kinds of parties: the sender, then the words of the calldata.
const PARTIES: usize = 1 + WORDS_MAX;
/// Slots remembered for a kind of call, and for one caller's.
const HOT_SLOTS_MAX: usize = 4;
/// A guess counts while its score is at least this.
const SCORE_ACTIVE: i8 = 1;
/// From here up a guess has proved itself.
const SCORE_SURE: i8 = 3;
const SCORE_MAX: i8 = 8;
const SCORE_MIN: i8 = -4;
/// Kinds of calls remembered from block to block, and callers of them.
const CLASSES_MAX: usize = 16_384;

/// No transaction is taken to be more than this many times as dear as its gas: a thread that was put aside looks so, too.
const DEAR_MAX: u64 = 32;
/// What takes more than this many times as long as its gas tells counts for the pace as if it took that.
const USUAL_MAX: u64 = 4;
/// Gas that the pace stands on: older samples count half as much at each time that it is full.
const PACE_GAS_MAX: u64 = 100_000_000;

/// Calls to one function of one contract.
pub(crate) type ClassKey = (Address, [u8; 4]);

/// Why two transactions are thought to conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Both name this party of the same contract: 0 the sender, then the words of the calldata.
    Party(u8),
    /// Calls of this kind were seen to fight over this slot.
    Hot(u64),
    /// This caller's calls of this kind were seen to fight over this slot.
    HotForCaller(u64),
    /// The access list names this slot.
    Listed,
    /// One speaks for an account (EIP-7702) that the other is sent by, calls, or speaks for too.
    Authority,
}

type HotSlots = SmallVec<[(u64, i8); HOT_SLOTS_MAX]>;

/// What is known of a kind of call.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    scores: [i8; PARTIES],
    listed: i8,
    hot: HotSlots,
    /// What such a call took lately, as gas of an ordinary transaction.
    work: Option<u64>,
}

impl Default for Class {
    fn default() -> Self {
        Self { scores: [SCORE_ACTIVE; PARTIES], listed: SCORE_ACTIVE, hot: SmallVec::new(), work: None }
    }
}

impl Class {
    /// Whether sharing a party of this kind means anything.
    pub(crate) const fn heeds_party(&self, kind: u8) -> bool {
        self.scores[kind as usize] >= SCORE_ACTIVE
    }

    /// Whether sharing a slot of the access list means anything.
    pub(crate) const fn heeds_list(&self) -> bool {
        self.listed >= SCORE_ACTIVE
    }

    /// What such a call took lately, as gas of an ordinary transaction.
    pub(crate) const fn work(&self) -> Option<u64> {
        self.work
    }

    /// Slots that calls of this kind fight over.
    pub(crate) fn hot(&self) -> impl Iterator<Item = u64> + '_ {
        active(&self.hot)
    }
}

/// What was learned from recent blocks.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    classes: HashMap<ClassKey, Class>,
    /// By kind of call and caller, where that says more than the kind alone.
    callers: HashMap<(ClassKey, Address), HotSlots>,
    /// Kept for its memory alone.
    pub(crate) standing: Standing,
    /// Stretches since one was doubted.
    stretches: u32,
    pace: Pace,
}

/// How long gas takes on this machine. With it, time is told as gas, and so compares with what transactions may use.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    gas: u64,
    ns: u64,
}

impl Pace {
    /// What took that long, in gas of an ordinary transaction.
    fn work(&mut self, gas: u64, took: Duration) -> u64 {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let scale = |value: u64, by: u64, of: u64| {
            let scaled = u128::from(value) * u128::from(by) / u128::from(of.max(1));
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        if self.gas == 0 {
            (self.gas, self.ns) = (gas.max(1), ns.max(1));
            return gas;
        }
        let work = scale(ns, self.gas, self.ns).min(gas.saturating_mul(DEAR_MAX));
        // What is out of proportion says little of others.
        let usual = scale(gas, self.ns, self.gas).saturating_mul(USUAL_MAX);
        (self.gas, self.ns) = (self.gas.saturating_add(gas), self.ns.saturating_add(ns.min(usual)));
        if self.gas > PACE_GAS_MAX {
            (self.gas, self.ns) = (self.gas / 2, self.ns / 2);
        }
        work
    }
}

impl Profile {
    /// Makes room before a block.
    pub(crate) fn trim(&mut self) {
        if self.classes.len() > CLASSES_MAX {
            self.classes.clear();
        }
        if self.callers.len() > CLASSES_MAX {
            self.callers.clear();
        }
    }

    /// A stretch begins: whether it is one of so many that are to be doubted.
    pub(crate) const fn is_doubtful(&mut self, one_in: u32) -> bool {
        self.stretches += 1;
        let doubtful = self.stretches >= one_in;
        if doubtful {
            self.stretches = 0;
        }
        doubtful
    }

    /// What is known of calls of this kind.
    pub(crate) fn class(&mut self, key: ClassKey) -> &Class {
        self.classes.entry(key).or_default()
    }

    /// What a transaction is likely to take, as gas of an ordinary one.
    pub(crate) fn weight(&self, transaction: &Transaction) -> u64 {
        let known = class_key(transaction).and_then(|key| self.classes.get(&key)?.work());
        known.unwrap_or(transaction.gas_limit())
    }

    /// Slots that this caller's calls of this kind fight over.
    pub(crate) fn hot_for_caller(&self, key: ClassKey, caller: Address) -> impl Iterator<Item = u64> + '_ {
        let slots = if self.callers.is_empty() { None } else { self.callers.get(&(key, caller)) };
        slots.into_iter().flat_map(active)
    }

    /// Whether a guess has proved itself.
    pub(crate) fn is_sure(&self, transaction: &Transaction, kind: Kind) -> bool {
        let sure = |slots: &HotSlots, slot: u64| slots.iter().any(|(hot, score)| *hot == slot && *score >= SCORE_SURE);
        let Some(key) = class_key(transaction) else { return kind == Kind::Authority };
        match (kind, self.classes.get(&key)) {
            (Kind::Authority, _) => true,
            (Kind::HotForCaller(slot), _) => {
                self.callers.get(&(key, transaction.signer())).is_some_and(|slots| sure(slots, slot))
            }
            (Kind::Party(party), Some(class)) => class.scores[usize::from(party)] >= SCORE_SURE,
            (Kind::Listed, Some(class)) => class.listed >= SCORE_SURE,
            (Kind::Hot(slot), Some(class)) => sure(&class.hot, slot),
            (_, None) => false,
        }
    }

    /// A transaction that waited did, or did not, stand on what it waited for. Tells whether that reason is given up.
    pub(crate) fn learn(&mut self, transaction: &Transaction, kind: Kind, was_right: bool) -> bool {
        let Some(key) = class_key(transaction) else { return false };
        let step_slot = |slots: &mut HotSlots, slot: u64| {
            slots.iter_mut().find(|(hot, _)| *hot == slot).is_some_and(|(_, score)| step(score, was_right))
        };
        let class = self.classes.entry(key).or_default();
        match kind {
            Kind::Party(party) => step(&mut class.scores[usize::from(party)], was_right),
            Kind::Listed => step(&mut class.listed, was_right),
            Kind::Hot(slot) => step_slot(&mut class.hot, slot),
            Kind::HotForCaller(slot) => step_slot(self.callers.entry((key, transaction.signer())).or_default(), slot),
            Kind::Authority => false,
        }
    }

    /// A transaction used that much gas, and that much time where it was looked at.
    pub(crate) fn used(&mut self, transaction: &Transaction, gas: u64, took: Option<Duration>) {
        let work = took.map_or(gas, |took| self.pace.work(gas, took));
        let Some(key) = class_key(transaction) else { return };
        let known = &mut self.classes.entry(key).or_default().work;
        *known = Some(known.map_or(work, |known| known / 4 * 3 + work / 4));
    }

    /// Two transactions fought over a slot, and nobody had guessed it.
    pub(crate) fn surprise(&mut self, winner: &Transaction, loser: &Transaction, account: &Address, slot: U256) {
        let (Some(won), Some(lost)) = (class_key(winner), class_key(loser)) else { return };
        if won == lost
            && let Some((kind, _)) = parties(loser).find(|(_, party)| parties(winner).any(|(_, other)| other == *party))
        {
            let score = &mut self.classes.entry(lost).or_default().scores[usize::from(kind)];
            *score = score.saturating_add(2).min(SCORE_MAX);
            if *score > SCORE_ACTIVE {
                return;
            }
        }
        let hot = slot_mark(account, slot);
        for (key, transaction) in [(won, winner), (lost, loser)] {
            heat(&mut self.classes.entry(key).or_default().hot, hot);
            heat(self.callers.entry((key, transaction.signer())).or_default(), hot);
        }
    }
}

/// Moves a score. Tells whether it counts no more from here on.
fn step(score: &mut i8, was_right: bool) -> bool {
    let before = *score;
    *score = if was_right { before + 1 } else { before - 1 }.clamp(SCORE_MIN, SCORE_MAX);
    before >= SCORE_ACTIVE && *score < SCORE_ACTIVE
}

fn active(slots: &HotSlots) -> impl Iterator<Item = u64> + '_ {
    slots.iter().filter(|(_, score)| *score >= SCORE_ACTIVE).map(|(slot, _)| *slot)
}

/// Notes that a slot was fought over. One that was guessed in vain is remembered too, so that it takes more to guess it
/// again; it makes room for another when there is none left.
fn heat(slots: &mut HotSlots, slot: u64) {
    if let Some((_, score)) = slots.iter_mut().find(|(known, _)| *known == slot) {
        *score = (*score + 1).min(SCORE_MAX);
    } else if slots.len() < HOT_SLOTS_MAX {
        slots.push((slot, SCORE_ACTIVE + 1));
    } else if let Some(given_up) = slots.iter_mut().find(|(_, score)| *score < SCORE_ACTIVE) {
        *given_up = (slot, SCORE_ACTIVE + 1);
    }
}

/// Which kind of call a transaction is; `None` where it calls no function.
pub(crate) fn class_key(transaction: &Transaction) -> Option<ClassKey> {
    let selector = transaction.input().first_chunk::<4>()?;
    Some((transaction.to()?, *selector))
}

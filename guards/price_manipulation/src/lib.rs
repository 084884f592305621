//! No value leaves the guarded accounts in a transaction that, before it entered them, moved what they ask others.
//!
//! The guard knows no oracle and no pool: it takes the questions that the accounts asked (static calls to contracts
//! outside of the group), and asks them again, as the transaction found the world and as the entry into the group found it.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{
    moved::{self, WHOLE_BPS},
    prelude::*,
};

#[cfg(test)]
mod tests;

/// Veto: value was taken after an answer had moved.
pub const CODE_MOVED: u16 = 1;
/// Veto: value was taken after more questions than the guard can ask again.
pub const CODE_TOO_MANY: u16 = 2;

/// Most questions that are asked again in one transaction.
pub const QUESTIONS_MAX: usize = 96;
/// Most entries between which a move is looked for; with more, every move counts as made between them.
const ENTRIES_MAX: usize = 16;
/// Longest answer that can be a price or reserves, in words.
const ANSWER_WORDS_MAX: u32 = 8;
/// Bytes of a word.
const WORD: usize = 32;
/// Words below this are counters, flags and ticks, not prices: their steps are large parts of them.
const SMALL: U256 = U256::from_limbs([100_000, 0, 0, 0]);

/// No value is taken from the guarded accounts while what they ask others was moved in the same transaction.
#[guard(name = "price_manipulation", triggers(frame, flow), subscribes(flows))]
pub struct PriceManipulation {
    /// Furthest that an answer may move before the accounts are entered, in basis points of the smaller value.
    #[param(default = "1000")]
    move_bps: u64,
    /// Contracts whose answers may move as they like.
    #[param(default = "[]")]
    ignore: Vec<Address>,
}

#[guard]
impl Guard for PriceManipulation {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() || !gives_value(tx) {
            return;
        }
        let entries: Vec<Frame> = tx.frames().filter(|frame| crosses(tx, frame)).collect();
        let parties = parties(tx, &entries);
        let mut asked: Vec<(u32, Address, Vec<u8>)> = Vec::new();
        for frame in tx.frames().filter(|frame| self.is_question(tx, frame)) {
            // What the transaction itself enters, nothing can have moved before.
            let Some(entry) = entry_of(tx, &frame).filter(|entry| entry.parent().is_some()) else { continue };
            let question = (entry.id(), frame.target(), tx.input(&frame));
            if names_any(&question.2, &parties) || asked.contains(&question) {
                continue;
            }
            if asked.len() == QUESTIONS_MAX {
                veto!(CODE_TOO_MANY, "value was taken after more than {QUESTIONS_MAX} questions");
            }
            self.judge(tx, &entries, &entry, &question);
            asked.push(question);
        }
    }
}

impl PriceManipulation {
    fn is_question(&self, tx: &Tx, frame: &Frame) -> bool {
        let words = frame.output_len() / WORD as u32;
        frame.kind() == Some(FrameKind::StaticCall)
            && (1..=ANSWER_WORDS_MAX).contains(&words)
            && !frame.is_precompile()
            && frame.status() == Some(FrameStatus::Succeeded)
            && tx.is_guarded(frame.caller())
            && !tx.is_guarded(frame.target())
            && !self.ignore.contains(&frame.target())
    }

    fn judge(&self, tx: &Tx, entries: &[Frame], entry: &Frame, (_, target, input): &(u32, Address, Vec<u8>)) {
        let ask = |fork| tx.view(fork, *target, input);
        let moved = |from, to| {
            let (from, to) = (ask(from), ask(to));
            if from.succeeded() && to.succeeded() { apart_bps(&from.output, &to.output) } else { 0 }
        };
        let all = moved(Fork::PreTx, Fork::before(entry));
        if all <= self.move_bps {
            return;
        }
        let until: Vec<&Frame> = entries.iter().take_while(|other| other.id() <= entry.id()).collect();
        if until.len() <= ENTRIES_MAX {
            // What the group did itself in earlier entries is no manipulation.
            let mut outside: u64 = moved(Fork::PreTx, Fork::before(until[0]));
            for pair in until.windows(2) {
                let is_over = pair[0].end_seq() < pair[1].start_seq();
                let from = if is_over { Fork::after(pair[0]) } else { Fork::before(pair[0]) };
                outside = outside.saturating_add(moved(from, Fork::before(pair[1])));
            }
            if outside <= self.move_bps {
                return;
            }
        }
        let (account, selector) = (entry.target(), Selector(input));
        veto!(
            CODE_MOVED,
            "value was taken after {target} (selector {selector}) had moved by {all} basis points before {account} was \
             entered, at most {} may",
            self.move_bps
        );
    }
}

/// Whether value leaves the group: an asset on balance, or something that one of its tokens creates.
fn gives_value(tx: &Tx) -> bool {
    let creates = |flow: Flow| tx.is_guarded(flow.token()) && flow.from() == Address::ZERO && !tx.is_guarded(flow.to());
    moved::by_asset(tx).iter().any(|asset| !asset.net_out().is_zero()) || tx.flows().any(creates)
}

/// Whether a frame enters the group from outside.
fn crosses(tx: &Tx, frame: &Frame) -> bool {
    let enters = tx.is_guarded(frame.target()) && !frame.is_static();
    enters && tx.parent(frame).is_none_or(|parent| !tx.is_guarded(parent.target()))
}

/// The entry into the group under which a frame runs.
fn entry_of(tx: &Tx, frame: &Frame) -> Option<Frame> {
    tx.ancestors(frame).find(|around| crosses(tx, around))
}

/// Who deals with the group: what it asks about them moves as they deal.
fn parties(tx: &Tx, entries: &[Frame]) -> Vec<Address> {
    let mut parties = tx.accounts();
    parties.push(tx.context().sender());
    parties.extend(entries.iter().map(Frame::caller));
    for flow in tx.flows() {
        match (tx.is_guarded(flow.from()), tx.is_guarded(flow.to())) {
            (true, false) => parties.push(flow.to()),
            (false, true) => parties.push(flow.from()),
            _ => {}
        }
    }
    parties
}

/// Whether calldata names one of these accounts.
fn names_any(input: &[u8], accounts: &[Address]) -> bool {
    let words = input.get(4..).unwrap_or_default().as_chunks::<WORD>().0;
    words.iter().any(|word| word[..12] == [0; 12] && accounts.iter().any(|account| account.0[..] == word[12..]))
}

/// How far two answers lie apart: the word that does so furthest, in basis points of its smaller value.
fn apart_bps(one: &[u8], other: &[u8]) -> u64 {
    let words = one.as_chunks::<WORD>().0.iter().zip(other.as_chunks::<WORD>().0);
    words.map(|(one, other)| word_apart_bps(U256::from_be_bytes(*one), U256::from_be_bytes(*other))).max().unwrap_or(0)
}

fn word_apart_bps(one: U256, other: U256) -> u64 {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    // Negative numbers are high ones, and zero is no answer.
    if high < SMALL || low.is_zero() || high.bit(255) {
        return 0;
    }
    let apart = moved::divide((high - low).saturating_mul(U256::from(WHOLE_BPS)), low);
    u64::try_from(apart).unwrap_or(u64::MAX)
}

/// Says which function calldata calls.
struct Selector<'a>(&'a [u8]);

impl Show for Selector<'_> {
    fn show(&self, detail: &mut Detail) {
        detail.push(&Bytes4(self.0.first_chunk().copied().unwrap_or_default()));
    }
}

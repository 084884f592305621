//! The pool against a model of it: a plain list that is searched from end to end for every question, written from the rules alone.
//! Both are given the same operations and must agree on every answer and on all that waits.

use alloy_consensus::Transaction as _;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256};
use parapet_pool::{Limits, LowFees, Place, Pool, PoolError, Rules};
use parapet_types::Transaction;
use proptest::prelude::*;

use crate::support::{GWEI, RULES, account, best, dynamic, sender, signed, with_input};

const LIMITS: Limits =
    Limits { transactions_max: 12, bytes_max: 9_000, per_sender_max: 5, bytes_per_sender_max: 5_000 };
const SENDERS: u8 = 5;

/// What happens to the pool.
#[derive(Clone, Copy, Debug)]
enum Step {
    Add { from: u8, ahead: u64, tip: u128, room: u128, input: Option<usize> },
    Mine { count: usize },
    Overtake { from: u8, by: u64 },
    Drop { index: usize },
    BaseFee { gwei: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let add = (0..SENDERS, 0_u64..7, 0_u128..12, 0_u128..6, prop::option::of(0_usize..3_000));
    prop_oneof![
        12 => add.prop_map(|(from, ahead, tip, room, input)| Step::Add { from, ahead, tip, room, input }),
        2 => (0_usize..5).prop_map(|count| Step::Mine { count }),
        1 => (0..SENDERS, 1_u64..3).prop_map(|(from, by)| Step::Overtake { from, by }),
        1 => any::<usize>().prop_map(|index| Step::Drop { index }),
        2 => (1_u64..5).prop_map(|gwei| Step::BaseFee { gwei }),
    ]
}

/// The model: all that waits, in the order of its arrival.
#[derive(Clone, Debug, Default)]
struct Model {
    waiting: Vec<Transaction>,
    nonces: [u64; SENDERS as usize],
    base_fee: u64,
}

impl Model {
    fn nonce(&self, of: Address) -> u64 {
        self.nonces[of[0] as usize]
    }

    fn lane(&self, of: Address) -> Vec<&Transaction> {
        let mut lane: Vec<_> = self.waiting.iter().filter(|transaction| transaction.signer() == of).collect();
        lane.sort_by_key(|transaction| transaction.nonce());
        lane
    }

    fn is_pending(&self, transaction: &Transaction) -> bool {
        let (from, nonce) = (transaction.signer(), transaction.nonce());
        (self.nonce(from)..=nonce).all(|nonce| self.lane(from).iter().any(|other| other.nonce() == nonce))
    }

    /// What happens by the rules: the error's name, or who is replaced and who goes.
    fn add(&mut self, new: &Transaction) -> Result<(Option<B256>, Vec<B256>), &'static str> {
        if self.waiting.iter().any(|other| other.tx_hash() == new.tx_hash()) {
            return Err("known");
        }
        if new.nonce() < self.nonce(new.signer()) {
            return Err("nonce");
        }
        let before = self.waiting.clone();
        let same = |other: &&Transaction| other.signer() == new.signer() && other.nonce() == new.nonce();
        let replaced = self.waiting.iter().find(same).cloned();
        if let Some(old) = &replaced {
            let pays = |old: u128, new: u128| new * 100 >= old * 110;
            let tips = pays(old.max_priority_fee_per_gas().unwrap(), new.max_priority_fee_per_gas().unwrap());
            if !(tips && pays(old.max_fee_per_gas(), new.max_fee_per_gas())) {
                return Err("underpriced");
            }
            self.waiting.retain(|other| other != old);
        }
        self.waiting.push(new.clone());
        let mut evicted = Vec::new();
        while let Some((victim, error)) = self.victim(new.signer()) {
            if victim == *new {
                self.waiting = before;
                return Err(error);
            }
            self.waiting.retain(|other| *other != victim);
            evicted.push(*victim.tx_hash());
        }
        Ok((replaced.map(|old| *old.tx_hash()), evicted))
    }

    /// Who has to go next, and why.
    fn victim(&self, newcomer: Address) -> Option<(Transaction, &'static str)> {
        let bytes = |of: &[&Transaction]| of.iter().map(|tx| tx.inner().encode_2718_len()).sum::<usize>();
        let lane = self.lane(newcomer);
        let last = |lane: &[&Transaction]| (*lane.last().unwrap()).clone();
        if lane.len() > LIMITS.per_sender_max || bytes(&lane) > LIMITS.bytes_per_sender_max {
            return Some((last(&lane), "sender"));
        }
        let all: Vec<_> = self.waiting.iter().collect();
        if all.len() <= LIMITS.transactions_max && bytes(&all) <= LIMITS.bytes_max {
            return None;
        }
        let lanes = (0..SENDERS).map(|from| self.lane(sender(from))).filter(|lane| !lane.is_empty());
        let tails: Vec<Transaction> = lanes.map(|lane| last(&lane)).collect();
        let position = |of: &Transaction| self.waiting.iter().position(|other| other == of).unwrap();
        let worth = |tail: &Transaction| {
            (self.is_pending(tail), tail.effective_tip_per_gas(self.base_fee), std::cmp::Reverse(position(tail)))
        };
        tails.into_iter().min_by_key(worth).map(|tail| (tail, "full"))
    }

    /// What a block takes, one after the other.
    fn best(&self) -> Vec<Transaction> {
        let mut next = self.nonces;
        let mut best = Vec::new();
        loop {
            let ready = self.waiting.iter().enumerate().filter(|(_, tx)| tx.nonce() == next[tx.signer()[0] as usize]);
            let paying = ready.filter_map(|(at, tx)| Some((tx.effective_tip_per_gas(self.base_fee)?, at, tx)));
            let Some((_, _, first)) = paying.max_by_key(|(tip, at, _)| (*tip, std::cmp::Reverse(*at))) else {
                return best;
            };
            next[first.signer()[0] as usize] += 1;
            best.push(first.clone());
        }
    }

    fn follow(&mut self) -> Vec<B256> {
        let nonces = self.nonces;
        let is_stale = |tx: &Transaction| tx.nonce() < nonces[tx.signer()[0] as usize];
        let stale = self.waiting.iter().filter(|tx| is_stale(tx)).map(|tx| *tx.tx_hash()).collect();
        self.waiting.retain(|tx| !is_stale(tx));
        stale
    }
}

fn name(error: &PoolError) -> &'static str {
    match error {
        PoolError::AlreadyKnown { .. } => "known",
        PoolError::NonceTooLow { .. } => "nonce",
        PoolError::Underpriced { .. } => "underpriced",
        PoolError::SenderLimit { .. } | PoolError::SenderBytes { .. } => "sender",
        PoolError::Full { .. } => "full",
        other => panic!("the model knows no reason for {other}"),
    }
}

fn play(pool: &mut Pool, model: &mut Model, step: Step) {
    match step {
        Step::Add { from, ahead, tip, room, input } => {
            let nonce = (model.nonces[from as usize] + ahead).saturating_sub(1);
            let new = match input {
                Some(bytes) => signed(from, with_input(nonce, tip, bytes)),
                None => signed(from, dynamic(nonce, tip * GWEI, (tip + room) * GWEI)),
            };
            let rules = Rules { base_fee: model.base_fee, low_fees: LowFees::Wait, ..RULES };
            let answer = pool.add(new.clone(), account(model.nonce(sender(from))), &rules);
            let expected = model.add(&new);
            match (answer, expected) {
                (Ok(added), Ok((replaced, evicted))) => {
                    assert_eq!((added.replaced, added.evicted), (replaced, evicted));
                    let place = match (model.is_pending(&new), new.effective_tip_per_gas(model.base_fee)) {
                        (false, _) => Place::Queued,
                        (true, None) => Place::Unpaid,
                        (true, Some(_)) => Place::Pending,
                    };
                    assert_eq!(added.place, place);
                }
                (Err(error), Err(expected)) => assert_eq!(name(&error), expected, "{error}"),
                (answer, expected) => panic!("{answer:?}, but by the model {expected:?}"),
            }
        }
        Step::Mine { count } => {
            let mined: Vec<_> = model.best().into_iter().take(count).collect();
            for tx in &mined {
                model.nonces[tx.signer()[0] as usize] = tx.nonce() + 1;
            }
            model.follow();
            let moved = mined.iter().map(|tx| (tx.signer(), model.nonce(tx.signer()))).collect::<Vec<_>>();
            assert_eq!(pool.follow(&mined, moved), [], "nothing but what was mined went");
        }
        Step::Overtake { from, by } => {
            model.nonces[from as usize] += by;
            let went: Vec<_> = pool.follow(&[], [(sender(from), model.nonces[from as usize])]);
            let mut went: Vec<_> = went.iter().map(|tx| *tx.tx_hash()).collect();
            let mut expected = model.follow();
            went.sort_unstable();
            expected.sort_unstable();
            assert_eq!(went, expected);
        }
        Step::Drop { index } if !model.waiting.is_empty() => {
            let gone = model.waiting.remove(index % model.waiting.len());
            assert_eq!(pool.drop(*gone.tx_hash()), Some(gone));
        }
        Step::Drop { .. } => {}
        Step::BaseFee { gwei } => model.base_fee = gwei * GWEI as u64,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]
    #[test]
    fn the_pool_and_its_model_agree(steps in prop::collection::vec(step(), 1..120)) {
        let (mut pool, mut model) = (Pool::new(LIMITS), Model { base_fee: GWEI as u64, ..Model::default() });
        for step in steps {
            play(&mut pool, &mut model, step);
            let waiting: Vec<_> = pool.by_arrival().into_iter().map(|candidate| candidate.transaction().clone()).collect();
            prop_assert_eq!(&waiting, &model.waiting);
            prop_assert_eq!(best(&pool, model.base_fee), model.best());
            let pending = model.waiting.iter().filter(|tx| model.is_pending(tx)).count();
            prop_assert_eq!(pool.counts(), (pending, model.waiting.len() - pending));
        }
    }
}

/// Runs of the comparison: `PARAPET_POOL_CASES`, or a few.
fn cases() -> u32 {
    std::env::var("PARAPET_POOL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

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

#[cfg(test)]
mod tests {
    use std::iter;

    use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEip7702, TxEnvelope};
    use alloy_eips::{
        eip2930::{AccessList, AccessListItem},
        eip7702::{Authorization, SignedAuthorization},
    };
    use alloy_primitives::{B256, Bytes, Signature, TxKind};
    use alloy_signer::SignerSync as _;
    use alloy_signer_local::PrivateKeySigner;

    use super::*;
    use crate::parallel::schedule::Schedule;

    const CONTRACT: Address = Address::repeat_byte(0xcc);
    const SLOT: U256 = U256::ONE;

    /// A call of one function, by the sender of that number, which names the party of that number.
    fn call(sender: u8, party: u8, access_list: AccessList) -> Transaction {
        call_with_gas(sender, party, access_list, 100_000)
    }

    fn call_with_gas(sender: u8, party: u8, access_list: AccessList, gas_limit: u64) -> Transaction {
        let mut input = vec![1, 2, 3, 4];
        input.extend(Address::repeat_byte(party).into_word());
        let tx = TxEip1559 {
            gas_limit,
            to: TxKind::Call(CONTRACT),
            input: input.into(),
            access_list,
            ..TxEip1559::default()
        };
        let envelope = TxEnvelope::from(tx.into_signed(Signature::test_signature()));
        Transaction::new_unchecked(envelope, Address::repeat_byte(sender))
    }

    fn plain(sender: u8, party: u8) -> Transaction {
        call(sender, party, AccessList::default())
    }

    fn naming(sender: u8, slot: U256) -> Transaction {
        let item = AccessListItem { address: CONTRACT, storage_keys: vec![B256::from(slot)] };
        call(sender, sender, AccessList(vec![item]))
    }

    fn guesses(profile: Profile, transactions: &[Transaction]) -> (Vec<Option<Guess>>, Profile) {
        let authorities = Authorities::new(transactions);
        authorities.recover();
        let mut plan = Plan::new(profile, transactions.len(), 2);
        plan.chunk(transactions, &authorities);
        ((0..transactions.len()).map(|index| plan.guess(index)).collect(), plan.into_profile())
    }

    fn on(profile: Profile, transactions: &[Transaction]) -> Vec<Option<u32>> {
        guesses(profile, transactions).0.into_iter().map(|guess| guess.map(|guess| guess.on)).collect()
    }

    #[test]
    fn who_names_the_same_party_waits_for_the_last_one_that_did() {
        let transactions = [plain(1, 9), plain(2, 8), plain(3, 9), plain(4, 9), plain(2, 7)];
        assert_eq!(on(Profile::default(), &transactions), [None, None, Some(0), Some(2), Some(1)]);
    }

    #[test]
    fn who_waits_weighs_with_whom_it_waits_for() {
        let transactions = [plain(1, 9), plain(2, 9), plain(5, 8), plain(3, 9), plain(4, 9)];
        let mut plan = Plan::new(Profile::default(), transactions.len(), 2);
        plan.chunk(&transactions, &Authorities::new(&transactions));
        assert_eq!(plan.heavy(), [(1, 300_000), (0, 400_000)]);
    }

    #[test]
    fn what_is_heavy_is_begun_out_of_turn_once_little_is_left_beside_it() {
        let schedule = Schedule::new([300_000; 8].into_iter(), 2, 8);
        schedule.put_first(6, 300_000);
        schedule.raise_limit(8);
        let claims: Vec<_> = iter::from_fn(|| schedule.claim()).map(|claim| (claim.start, claim.end)).collect();
        assert_eq!(claims, [(0, 2), (2, 4), (6, 7), (4, 6), (6, 8)]);
    }

    #[test]
    fn what_is_heavy_is_known_as_such_where_nobody_waits_for_anybody_for_long() {
        let mut transactions: Vec<_> =
            (0..160).map(|number: u8| call_with_gas(number, number, AccessList::default(), 50_000)).collect();
        transactions[150] = call_with_gas(201, 202, AccessList::default(), HEAVY_GAS_MIN);
        let authorities = Authorities::new(&transactions);
        let mut plan = Plan::new(Profile::default(), transactions.len(), 2);
        for chunk in transactions.chunks(CHUNK) {
            assert_eq!(plan.chunk(chunk, &authorities), Shape::Parallel);
        }
        assert!(plan.free > STREAK_MIN, "the last chunk was passed over");
        assert_eq!(plan.heavy(), [(150, HEAVY_GAS_MIN)]);
    }

    #[test]
    fn what_takes_longer_than_its_gas_tells_is_heavy_from_then_on() {
        let (ordinary, dear) = (plain(1, 2), call(3, 4, AccessList::default()));
        let mut plan = Plan::new(Profile::default(), 2, 2);
        for (transaction, micros) in [(&ordinary, 50), (&ordinary, 50), (&dear, 500)] {
            plan.used(transaction, 50_000, Some(Duration::from_micros(micros)));
        }
        let learned = plan.into_profile().weight(&dear);
        assert!((140_000..=200_000).contains(&learned), "ten times 50,000 counts for a quarter: {learned}");
    }

    #[test]
    fn transfers_each_of_which_goes_on_from_where_the_one_before_went_are_one_chain() {
        let transfer = |from: u8, to: u8| {
            let tx =
                TxEip1559 { to: TxKind::Call(Address::repeat_byte(to)), gas_limit: 21_000, ..TxEip1559::default() };
            let envelope = TxEnvelope::from(tx.into_signed(Signature::test_signature()));
            Transaction::new_unchecked(envelope, Address::repeat_byte(from))
        };
        let chain: Vec<_> = (0..32).map(|number| transfer(number, number + 1)).collect();
        let apart: Vec<_> = (0..32).map(|number| transfer(number, number + 100)).collect();
        assert!(is_one_account(&chain) && !is_one_account(&apart));
    }

    #[test]
    fn what_is_put_off_out_of_turn_and_in_turn_comes_back_once() {
        let schedule = Schedule::new([400_000; 2].into_iter(), 2, 8);
        schedule.wait_for(1, 0);
        schedule.put_first(1, 400_000);
        schedule.raise_limit(2);
        assert!(schedule.start(0, 0));
        let out_of_turn = schedule.claim().map(|claim| (claim.start, claim.end));
        assert_eq!((out_of_turn, schedule.defer(1)), (Some((1, 2)), true));
        while schedule.claim().is_some() {}
        assert!(schedule.defer(1));
        schedule.finish(0);
        let back: Vec<_> = iter::from_fn(|| schedule.claim()).map(|claim| (claim.start, claim.end)).collect();
        assert_eq!((back, schedule.defer(1)), (vec![(1, 2)], false));
    }

    #[test]
    fn a_guess_that_is_given_up_holds_nobody_any_more() {
        let transactions = [plain(1, 9), plain(2, 9), plain(3, 9), naming(4, SLOT), naming(5, SLOT)];
        let mut plan = Plan::new(Profile::default(), transactions.len(), 2);
        plan.chunk(&transactions, &Authorities::new(&transactions));
        let guess = plan.guess(1).expect("it names the party that the first one names");
        assert!(plan.learn(&transactions, 1, guess, true).is_empty());
        assert!(plan.learn(&transactions, 1, guess, false).is_empty(), "it was right once");
        assert_eq!(plan.learn(&transactions, 1, guess, false).as_slice(), [2]);
        assert!(plan.guess(2).is_none() && plan.guess(4).is_some());
    }

    #[test]
    fn slots_of_access_lists_are_guesses_until_they_prove_wrong() {
        let transactions = [naming(1, SLOT), naming(2, U256::from(2)), naming(3, SLOT)];
        let (guesses, mut profile) = guesses(Profile::default(), &transactions);
        let guess = guesses[2].expect("the first one names the slot too");
        assert_eq!((guess.on, guess.kind), (0, Kind::Listed));
        profile.learn(&transactions[2], guess.kind, false);
        assert_eq!(on(profile, &transactions), [None, None, None]);
    }

    #[test]
    fn what_one_caller_fights_over_is_still_guessed_of_it_when_it_is_no_more_of_others() {
        let mut profile = Profile::default();
        profile.surprise(&plain(1, 11), &plain(2, 12), &CONTRACT, SLOT);
        for sender in 3..6 {
            let (guesses, learned) = guesses(profile, &[plain(1, 13), plain(sender, 20 + sender)]);
            profile = learned;
            if let Some(guess) = guesses[1] {
                profile.learn(&plain(sender, 20 + sender), guess.kind, false);
            }
        }
        assert_eq!(on(profile, &[plain(1, 31), plain(3, 33), plain(2, 32)]), [None, None, Some(0)]);
    }

    #[test]
    fn who_calls_or_is_sent_by_an_account_comes_after_whoever_speaks_for_it() {
        let authority = PrivateKeySigner::from_bytes(&B256::repeat_byte(5)).expect("a key");
        let authorization = Authorization { chain_id: U256::ONE, address: CONTRACT, nonce: 0 };
        let signature = authority.sign_hash_sync(&authorization.signature_hash()).expect("a key signs");
        let speaks = |sender: u8, signed: SignedAuthorization| {
            let tx = TxEip7702 { authorization_list: vec![signed], to: CONTRACT, ..TxEip7702::default() };
            let envelope = TxEnvelope::from(tx.into_signed(Signature::test_signature()));
            Transaction::new_unchecked(envelope, Address::repeat_byte(sender))
        };
        let signed = authorization.into_signed(signature);
        let to_authority =
            TxEip1559 { to: TxKind::Call(authority.address()), input: Bytes::new(), ..TxEip1559::default() };
        let envelope = TxEnvelope::from(to_authority.into_signed(Signature::test_signature()));
        let calls = Transaction::new_unchecked(envelope, Address::repeat_byte(7));
        let sent = Transaction::new_unchecked(plain(8, 8).into_inner(), authority.address());
        let transactions = [plain(6, 6), speaks(1, signed.clone()), calls, speaks(2, signed), sent];
        assert_eq!(on(Profile::default(), &transactions), [None, None, Some(1), Some(1), Some(3)]);
    }
}

//! What is guessed of transactions, and what is learned when a guess was wrong.

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
    let tx =
        TxEip1559 { gas_limit, to: TxKind::Call(CONTRACT), input: input.into(), access_list, ..TxEip1559::default() };
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
        let tx = TxEip1559 { to: TxKind::Call(Address::repeat_byte(to)), gas_limit: 21_000, ..TxEip1559::default() };
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
    let to_authority = TxEip1559 { to: TxKind::Call(authority.address()), input: Bytes::new(), ..TxEip1559::default() };
    let envelope = TxEnvelope::from(to_authority.into_signed(Signature::test_signature()));
    let calls = Transaction::new_unchecked(envelope, Address::repeat_byte(7));
    let sent = Transaction::new_unchecked(plain(8, 8).into_inner(), authority.address());
    let transactions = [plain(6, 6), speaks(1, signed.clone()), calls, speaks(2, signed), sent];
    assert_eq!(on(Profile::default(), &transactions), [None, None, Some(1), Some(1), Some(3)]);
}

//! Random operations against the invariants of the pool.

use std::{collections::BTreeMap, convert::Infallible};

use alloy_consensus::Transaction as _;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::Address;
use parapet_pool::{Limits, Pool, Rules};
use parapet_random::Random;
use parapet_types::Transaction;

use crate::support::{GWEI, RULES, account, best, dynamic, sender, signed, with_input};

const SENDERS: u64 = 6;

fn random_transaction(random: &mut Random, nonces: &BTreeMap<Address, u64>) -> Transaction {
    let from = random.below(SENDERS) as u8;
    let nonce = (nonces[&sender(from)] + random.below(8)).saturating_sub(1);
    let tip = u128::from(random.below(12)) * GWEI / 2;
    if random.below(3) == 0 {
        signed(from, with_input(nonce, tip / GWEI, random.below(3_000) as usize))
    } else {
        signed(from, dynamic(nonce, tip, 2 * GWEI + tip + u128::from(random.below(20)) * GWEI))
    }
}

fn check(pool: &Pool, limits: &Limits, nonces: &BTreeMap<Address, u64>, base_fee: u64) {
    let content = pool.content();
    let all = || content.pending.values().chain(content.queued.values()).flatten();
    assert_eq!(all().count(), pool.len());
    assert_eq!(all().map(|(_, transaction)| transaction.inner().encode_2718_len()).sum::<usize>(), pool.bytes());
    assert!(pool.len() <= limits.transactions_max && pool.bytes() <= limits.bytes_max);
    for (nonce, transaction) in all() {
        assert_eq!(transaction.nonce(), *nonce);
        assert_eq!(pool.get(*transaction.tx_hash()), Some(transaction));
        assert!(*nonce >= nonces[&transaction.signer()], "a used nonce stays");
    }
    for (who, account_nonce) in nonces {
        let pending = content.pending.get(who).map_or(0, BTreeMap::len);
        let queued = content.queued.get(who).map_or(0, BTreeMap::len);
        assert!(pending + queued <= limits.per_sender_max);
        let run = content.pending.get(who).into_iter().flatten().map(|(nonce, _)| *nonce);
        assert!(run.eq(*account_nonce..account_nonce + pending as u64), "a gap among the pending");
        let next = account_nonce + pending as u64;
        assert_eq!(pool.next_nonce(who, *account_nonce), next);
        assert!(content.queued.get(who).is_none_or(|lane| !lane.contains_key(&next)), "queued without a gap");
    }
    check_best(pool, nonces, base_fee);
}

/// Nonces in order from the account's on, every tip paid, and no transaction before one that was ready and pays more.
fn check_best(pool: &Pool, nonces: &BTreeMap<Address, u64>, base_fee: u64) {
    let best = best(pool, base_fee);
    let mut next = nonces.clone();
    for (position, transaction) in best.iter().enumerate() {
        let tip = transaction.effective_tip_per_gas(base_fee).unwrap();
        for later in &best[position..] {
            if next[&later.signer()] == later.nonce() {
                assert!(later.effective_tip_per_gas(base_fee).unwrap() <= tip, "a higher tip was ready");
            }
        }
        let expected = next.get_mut(&transaction.signer()).unwrap();
        assert_eq!(transaction.nonce(), *expected);
        *expected += 1;
    }
}

#[test]
fn invariants_hold_over_random_operations() {
    let limits = Limits { transactions_max: 20, bytes_max: 12_000, per_sender_max: 6, ..Limits::default() };
    for seed in 0..40 {
        let (mut random, mut pool) = (Random(seed), Pool::new(limits));
        let mut nonces: BTreeMap<Address, u64> = (0..SENDERS).map(|index| (sender(index as u8), 0)).collect();
        for _ in 0..300 {
            let base_fee = GWEI as u64 * (1 + random.below(4));
            match random.below(10) {
                0 => {
                    let mined: Vec<Transaction> = best(&pool, base_fee).into_iter().take(4).collect();
                    for transaction in &mined {
                        nonces.insert(transaction.signer(), transaction.nonce() + 1);
                    }
                    let other = sender(random.below(SENDERS) as u8);
                    *nonces.get_mut(&other).unwrap() += random.below(2);
                    pool.remove_mined(&mined, |who| Ok::<_, Infallible>(account(nonces[who]))).unwrap();
                }
                1 => {
                    let hashes: Vec<_> = best(&pool, base_fee).iter().map(|t| *t.tx_hash()).collect();
                    if !hashes.is_empty() {
                        pool.drop(hashes[random.below(hashes.len() as u64) as usize]);
                    }
                }
                _ => {
                    let transaction = random_transaction(&mut random, &nonces);
                    let (who, before) = (account(nonces[&transaction.signer()]), pool.content());
                    if pool.add(transaction, who, &Rules { base_fee, ..RULES }).is_err() {
                        assert_eq!(pool.content(), before, "seed {seed}: a refusal changed the pool");
                    }
                }
            }
            check(&pool, &limits, &nonces, base_fee);
        }
    }
}

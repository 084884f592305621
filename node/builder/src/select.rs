//! Which of the pool's transactions a block is offered, and in which order: the pool's, each sender's by nonce.
//!
//! This is the one place that decides it. Whoever reserves room for a contract, or gives it a fee market of its own, draws from
//! several lists here, each within its own part of the block; the executor takes what it is given in the given order, and cuts
//! it by gas, by guards' fuel and by the deadline.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use parapet_pool::{Candidate, Pool, Rules};
use parapet_types::Transaction;

use crate::{BLOCK_BYTES_MAX, Chain, ahead::Base};

impl Chain {
    /// What the chain's next block, on a base, is offered. What its fork does not take leaves the pool.
    pub(crate) fn next_candidates(&self, base: &Base, without: &BTreeSet<Address>) -> Vec<Transaction> {
        self.enter(self.rules(&base.header, &base.outlook).hardfork);
        self.candidates(base, without)
    }

    /// What a block on a base is offered.
    pub(crate) fn candidates(&self, base: &Base, without: &BTreeSet<Address>) -> Vec<Transaction> {
        let rules = self.rules(&base.header, &base.outlook);
        let most = self.0.settings.block_transactions_max;
        candidates(&self.0.pool.read(), &rules, most, &base.nonces, without)
    }
}

/// As many transactions, from the best on, as a block can hold by number and length, without those of some senders, and those
/// whose nonces are used by what is not stored yet.
fn candidates(
    pool: &Pool,
    rules: &Rules,
    most: usize,
    used: &BTreeMap<Address, u64>,
    without: &BTreeSet<Address>,
) -> Vec<Transaction> {
    let mut bytes = 0;
    let fits = |candidate: &&Candidate| {
        bytes += candidate.encoded_bytes();
        bytes <= BLOCK_BYTES_MAX
    };
    pool.best_after(rules.prices(), used)
        .filter(|candidate| !without.contains(&candidate.transaction().signer()))
        .filter(|candidate| candidate.is_proved_for(rules.hardfork))
        .take(most)
        .take_while(fits)
        .map(|candidate| candidate.transaction().clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
    use alloy_eips::eip2718::Encodable2718 as _;
    use alloy_primitives::{Signature, U256};
    use parapet_pool::{Balances, Limits, LowFees};
    use parapet_types::{AccountInfo, Hardfork};

    use super::*;

    const RULES: Rules = Rules {
        chain_id: 1,
        hardfork: Hardfork::Osaka,
        block_gas_limit: u64::MAX,
        base_fee: 0,
        blobs: None,
        limits: parapet_types::ExecutionLimits::ETHEREUM,
        low_fees: LowFees::Wait,
        balances: Balances::Checked,
    };

    const MOST: usize = 1_000;

    /// A pool with so many transactions by one sender after the other, each with so many bytes of input.
    fn pool(count: usize, input_bytes: usize) -> Pool {
        let limits = Limits { transactions_max: usize::MAX, bytes_max: usize::MAX, ..Limits::default() };
        let mut pool = Pool::new(limits);
        for index in 0..count {
            let input = vec![1; input_bytes].into();
            let tx = TxEip1559 {
                chain_id: 1,
                gas_limit: 16_000_000,
                input,
                to: Address::ZERO.into(),
                ..TxEip1559::default()
            };
            let signature = Signature::new(U256::from(index + 1), U256::from(1), false);
            let sender = Address::left_padding_from(&index.to_be_bytes());
            let transaction = Transaction::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(signature)), sender);
            pool.add(transaction, AccountInfo::default(), &RULES).expect("it is valid");
        }
        pool
    }

    fn offered(pool: &Pool) -> Vec<Transaction> {
        candidates(pool, &RULES, MOST, &BTreeMap::new(), &BTreeSet::new())
    }

    #[test]
    fn a_block_takes_no_more_bytes_than_the_protocol_allows() {
        let count = |pool: &Pool| offered(pool).len();
        let long = offered(&pool(1, 100_000)).remove(0).inner().encode_2718_len();
        let fit = BLOCK_BYTES_MAX / long;
        assert_eq!(count(&pool(fit, 100_000)), fit);
        assert_eq!(count(&pool(fit + 5, 100_000)), fit);
    }

    #[test]
    fn a_block_takes_no_more_transactions_than_its_limit() {
        assert_eq!(offered(&pool(MOST + 5, 0)).len(), MOST);
    }

    #[test]
    fn what_is_in_a_block_that_is_not_stored_yet_is_not_offered_again() {
        let pool = pool(3, 0);
        let used = BTreeMap::from([(Address::left_padding_from(&1_usize.to_be_bytes()), 1)]);
        assert_eq!(candidates(&pool, &RULES, MOST, &used, &BTreeSet::new()).len(), 2);
    }

    #[test]
    fn those_who_are_passed_over_are_not_offered() {
        let pool = pool(3, 0);
        let out = Address::left_padding_from(&1_usize.to_be_bytes());
        let offered = candidates(&pool, &RULES, MOST, &BTreeMap::new(), &[out].into());
        assert_eq!(offered.len(), 2);
        assert!(offered.iter().all(|transaction| transaction.signer() != out));
    }
}

//! That generated blocks contain what they are generated for.

use std::collections::{BTreeMap, BTreeSet};

use parapet_equivalence::generate;
use parapet_types::Destiny;

use crate::crews::sequentially;

/// Seeds looked at.
const SEEDS: u64 = 150;

#[test]
fn no_two_transactions_of_a_generated_block_have_one_hash() {
    for seed in 0..SEEDS {
        let block = generate(seed).realise();
        let hashes: BTreeSet<_> = block.transactions.iter().map(|transaction| *transaction.hash()).collect();
        assert_eq!(hashes.len(), block.transactions.len(), "seed {seed}");
    }
}

#[test]
fn generated_blocks_contain_every_kind_of_outcome() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *counts.entry(what).or_default() += 1;
    for seed in 0..SEEDS {
        let scenario = generate(seed);
        let block = scenario.realise();
        match sequentially(&block, &block.state, &scenario) {
            Err(_) => count("failed block".into()),
            Ok(seen) => {
                for included in &seen.included {
                    count(match &included.executed.destiny {
                        Destiny::Succeeded => "succeeded".into(),
                        Destiny::Reverted => "reverted".into(),
                        Destiny::Halted { reason } => format!("halted: {}", reason.split('(').next().unwrap_or("")),
                        Destiny::Vetoed { code, .. } => format!("vetoed: {code}"),
                    });
                    if included.executed.guard_gas_used > 0 {
                        count("paid for guards".into());
                    }
                    included.executed.logs.iter().for_each(|_| count("log".into()));
                    included.executed.created.iter().for_each(|_| count("created".into()));
                }
                for (_, reason) in &seen.left_out {
                    count(format!("left out: {}", reason.split(|c: char| c.is_ascii_digit()).next().unwrap_or("")));
                }
                for change in seen.changes.accounts.values() {
                    if change.info.is_none() {
                        count("gone".into());
                    }
                    if change.wipe_storage && change.info.is_some() {
                        count("wiped and there".into());
                    }
                }
                for code in seen.changes.code.values() {
                    count(if code.starts_with(&[0xef, 1, 0]) { "delegation".into() } else { "new code".into() });
                }
            }
        }
    }
    let least = [
        ("succeeded", 500),
        ("reverted", 40),
        ("halted: OutOfGas", 40),
        ("halted: InvalidFEOpcode", 3),
        ("vetoed: 1", 20),
        ("vetoed: 2", 10),
        ("vetoed: 3", 10),
        ("left out: nonce ", 40),
        ("left out: lack of funds (", 40),
        ("left out: needs ", 10),
        ("left out: gas price is less than basefee", 20),
        ("left out: reject transactions from senders with deployed code", 3),
        ("left out: the guard VM failed on attachment ", 10),
        ("vetoed: 65286", 10),
        ("left out: its guards take ", 10),
        ("left out: the block had to be finished before its turn came", 10),
        ("paid for guards", 100),
        ("failed block", 3),
        ("created", 10),
        ("new code", 10),
        ("delegation", 10),
        ("gone", 3),
        ("wiped and there", 4),
        ("log", 40),
    ];
    let seldom = least.iter().filter(|(what, least)| counts.get(*what).copied().unwrap_or_default() < *least);
    assert_eq!(seldom.collect::<Vec<_>>(), [] as [&(&str, usize); 0], "of {counts:#?}");
}

//! Dependencies are complete: a transaction does what it did in the block when nothing ran before it but what it
//! depends on, and what that depends on. Tried on every transaction of a block.

use std::collections::BTreeSet;

use alloy_consensus::Transaction as _;
use parapet_bench::{
    Case,
    bound::Dependencies,
    conflicts::{Accounts, dependencies},
    footprint,
    lean::{self, CodeCache, LeanDatabase},
    suite,
};
use parapet_executor::{block_env, cfg_env, tx_env};
use parapet_workloads::{Kind, generate};
use revm::{
    Context, ExecuteEvm as _, MainBuilder as _,
    context::{JournalTr as _, result::ExecutionResult},
    handler::MainnetContext,
};

/// A transaction and all that must have run before it, in block order.
fn closure(dependencies: &Dependencies, index: usize) -> BTreeSet<usize> {
    let mut closed = BTreeSet::from([index]);
    let mut open = vec![index];
    while let Some(later) = open.pop() {
        for earlier in dependencies.of(later) {
            if closed.insert(*earlier as usize) {
                open.push(*earlier as usize);
            }
        }
    }
    closed
}

/// The last result of some of a case's transactions; nonces are taken as they come, because they are predicted.
fn last_result(case: &Case, code: &mut CodeCache, indices: &BTreeSet<usize>) -> ExecutionResult {
    let mut cfg = cfg_env(&case.params);
    cfg.disable_nonce_check = true;
    let spec = cfg.spec;
    let database = LeanDatabase::new(&case.state, &case.ancestors, code);
    let mut context: MainnetContext<LeanDatabase<'_>> = Context::new(database, spec);
    context.journaled_state.set_spec_id(spec);
    context.cfg = cfg;
    context.block = block_env(&case.params, &case.block);
    let mut evm = context.build_mainnet();
    let results = indices.iter().map(|index| evm.transact_one(tx_env(&case.transactions[*index])).unwrap());
    results.last().unwrap()
}

fn check(case: &Case, accounts: Accounts) -> usize {
    let mut code = CodeCache::default();
    let whole = lean::run(case, &mut code).unwrap();
    let dependencies = dependencies(&footprint::record(case).unwrap(), accounts);
    let mut left_out = 0;
    for (index, expected) in whole.results.iter().enumerate() {
        // The address of what a transaction creates comes from a nonce, which is not predicted here.
        if case.transactions[index].inner().kind().is_create() {
            continue;
        }
        let needed = closure(&dependencies, index);
        left_out += index + 1 - needed.len();
        let found = last_result(case, &mut code, &needed);
        assert_eq!(found.tx_gas_used(), expected.tx_gas_used(), "{}: transaction {index} on {needed:?}", case.name);
        assert_eq!(&found, expected, "{}: transaction {index} on {needed:?}", case.name);
    }
    left_out
}

#[test]
fn every_transaction_of_the_generated_blocks_needs_only_what_it_depends_on() {
    for kind in Kind::ALL {
        let case = suite::case(generate(kind, 1_500_000));
        check(&case, Accounts::Commutative);
    }
    let case = suite::case(generate(Kind::Mixed, 4_000_000));
    assert!(check(&case, Accounts::Commutative) > 0, "something runs in parallel");
    assert!(check(&case, Accounts::Lumped) > 0, "something runs in parallel");
}

#[test]
fn every_transaction_of_small_real_blocks_needs_only_what_it_depends_on() {
    let Some(cases) = crate::real_blocks::all() else { return };
    for case in cases.iter().filter(|case| case.transactions.len() < 130) {
        check(case, Accounts::Commutative);
        check(case, Accounts::Lumped);
    }
}

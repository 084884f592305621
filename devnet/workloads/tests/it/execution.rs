//! Blocks are valid, as large as was asked, and the same each time.

use std::{collections::BTreeMap, num::NonZeroUsize};

use alloy_consensus::{Transaction as _, Typed2718 as _, transaction::SignerRecoverable as _};
use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;
use alloy_primitives::{B256, U256};
use parapet_executor::{Mode, Workers, execute_block};
use parapet_monitor::NoMonitor;
use parapet_types::{Destiny, StateReader as _};
use parapet_workloads::{BASE_FEE, BENEFICIARY, GAS_MAX, Kind, generate};

use crate::{GAS, execute, small};

#[test]
fn all_transactions_succeed_except_those_meant_to_revert() {
    for kind in Kind::ALL {
        let workload = small(kind);
        let executed = execute(&workload);
        assert!(executed.left_out.is_empty(), "{kind}");
        assert_eq!(executed.included.len(), workload.transactions.len(), "{kind}");
        for (index, included) in executed.included.iter().enumerate() {
            let expected = if workload.reverting.contains(&index) { Destiny::Reverted } else { Destiny::Succeeded };
            assert_eq!(included.executed.destiny, expected, "{kind}: transaction {index}");
        }
    }
}

#[test]
fn gas_used_is_within_a_fifth_of_what_was_asked_for() {
    for kind in Kind::ALL {
        for gas in [GAS, 3 * GAS] {
            let used = execute(&generate(kind, gas)).gas_used;
            assert!(used.abs_diff(gas) <= gas / 5, "{kind}: {used} gas were used, {gas} asked for");
        }
    }
}

#[test]
fn blocks_are_what_they_were_when_results_were_recorded() {
    let expected = [
        (Kind::TransfersIndependent, 142, 2_982_000),
        (Kind::TransfersChain, 142, 2_982_000),
        (Kind::TransfersOneSender, 142, 2_982_000),
        (Kind::TransfersOneRecipient, 142, 2_982_000),
        (Kind::Erc20Independent, 86, 2_970_430),
        (Kind::Erc20Chain, 86, 2_970_466),
        (Kind::Erc20OneRecipient, 86, 2_970_514),
        (Kind::SwapsIndependent, 20, 2_878_479),
        (Kind::Swaps16Pools, 20, 2_686_535),
        (Kind::SwapsOnePool, 20, 2_767_368),
        (Kind::Mixed, 65, 2_921_450),
    ];
    let found = Kind::ALL.map(|kind| {
        let workload = small(kind);
        (kind, workload.transactions.len(), execute(&workload).gas_used)
    });
    assert_eq!(found, expected);
}

#[test]
fn the_same_kind_and_gas_give_the_same_block_and_the_same_effects() {
    for kind in Kind::ALL {
        let (one, two) = (small(kind), small(kind));
        assert_eq!(one.transactions, two.transactions, "{kind}");
        assert_eq!((one.params, &one.block), (two.params, &two.block), "{kind}");
        assert_eq!(execute(&one).changes, execute(&two).changes, "{kind}");
    }
}

#[test]
fn two_threads_have_the_effects_of_one() {
    let workers = Workers::new(NonZeroUsize::new(2).unwrap());
    for kind in Kind::ALL {
        let workload = small(kind);
        let sequential = execute(&workload);
        let parallel = execute_block(&workload.input(), &NoMonitor, Mode::Parallel(&workers)).unwrap();
        assert_eq!(parallel.included, sequential.included, "{kind}");
        assert_eq!(parallel.changes, sequential.changes, "{kind}");
    }
}

#[test]
fn a_larger_block_begins_with_the_smaller_one() {
    // Except where the number of accounts or pools is drawn from.
    for kind in Kind::ALL.into_iter().filter(|kind| ![Kind::TransfersChain, Kind::Mixed].contains(kind)) {
        let (less, more) = (generate(kind, GAS), generate(kind, 2 * GAS));
        assert!(more.transactions.len() > less.transactions.len(), "{kind}");
        assert_eq!(more.transactions[..less.transactions.len()], less.transactions, "{kind}");
    }
}

#[test]
fn each_transaction_fits_in_the_gas_that_is_left() {
    for kind in Kind::ALL {
        let workload = small(kind);
        let mut left = workload.block.gas_limit;
        assert_eq!(workload.params.block_gas_limit, left);
        for transaction in &workload.transactions {
            assert!(transaction.gas_limit() <= MAX_TX_GAS_LIMIT_OSAKA, "{kind}");
            left = left.checked_sub(transaction.gas_limit()).unwrap();
        }
        assert_eq!(left, 0, "{kind}");
    }
}

#[test]
fn transactions_pay_tips_and_have_hashes_of_their_own() {
    for kind in Kind::ALL {
        let workload = small(kind);
        assert_eq!(workload.block.base_fee, BASE_FEE);
        let mut hashes: Vec<B256> = Vec::new();
        for transaction in &workload.transactions {
            assert_eq!(transaction.ty(), 2, "{kind}");
            assert!(transaction.effective_tip_per_gas(BASE_FEE).unwrap() > 0, "{kind}");
            hashes.push(*transaction.hash());
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), workload.transactions.len(), "{kind}");
    }
}

#[test]
fn nonces_count_up_from_zero_for_each_sender() {
    for kind in Kind::ALL {
        let mut next = BTreeMap::new();
        for transaction in small(kind).transactions {
            let nonce = next.entry(transaction.signer()).or_insert(0);
            assert_eq!(transaction.nonce(), *nonce, "{kind}");
            *nonce += 1;
        }
    }
}

#[test]
fn plain_transfers_are_signed_by_their_senders_and_nothing_else_is() {
    for kind in Kind::ALL {
        let workload = small(kind);
        assert_eq!(workload.signed, kind.name().starts_with("transfers-"), "{kind}");
        for transaction in &workload.transactions {
            let recovered = transaction.inner().recover_signer().ok();
            assert_eq!(recovered == Some(transaction.signer()), workload.signed, "{kind}");
        }
    }
}

#[test]
fn the_fee_recipient_takes_part_in_nothing() {
    for kind in Kind::ALL {
        let workload = small(kind);
        assert_eq!(workload.block.beneficiary, BENEFICIARY);
        for transaction in &workload.transactions {
            assert_ne!(transaction.signer(), BENEFICIARY, "{kind}");
            assert_ne!(transaction.to(), Some(BENEFICIARY), "{kind}");
        }
    }
}

#[test]
fn whoever_receives_was_there_before() {
    for kind in Kind::ALL {
        let workload = small(kind);
        for to in workload.transactions.iter().filter_map(|transaction| transaction.to()) {
            let info = workload.state.account(&to).unwrap();
            assert!(info.is_some_and(|info| info.nonce > 0 || info.balance > U256::ZERO), "{kind}: {to}");
        }
    }
}

#[test]
fn a_block_has_at_least_one_transaction() {
    for kind in Kind::ALL {
        let workload = generate(kind, 0);
        assert_eq!(workload.transactions.len(), 1, "{kind}");
        assert_eq!(execute(&workload).included.len(), 1, "{kind}");
    }
}

#[test]
fn asking_for_more_than_the_limit_gives_the_limit() {
    let count = |gas| generate(Kind::Erc20OneRecipient, gas).transactions.len();
    let most = count(GAS_MAX);
    assert_eq!(count(u64::MAX), most);
    assert!(most > 50_000);
}

#[test]
fn names_are_read_back_and_others_are_refused_with_the_known_ones() {
    for kind in Kind::ALL {
        assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
        assert_eq!(small(kind).name, kind.name());
    }
    let refused = "swaps".parse::<Kind>().unwrap_err().to_string();
    assert!(refused.contains("\"swaps\"") && refused.contains("swaps-16-pools, swaps-one-pool"), "{refused}");
}

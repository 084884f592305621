//! Transactions depend on each other as their kind's name says, and in no other way.

use std::collections::BTreeSet;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall as _, SolError as _};
use parapet_types::{StateReader as _, Transaction};
use parapet_workloads::{BASE_FEE, BENEFICIARY, Kind, PlainToken, Router, Tally};

use crate::{execute, small};

/// Who pays and who is paid: of ether in a transfer, of tokens in a call of a token.
fn parties(transaction: &Transaction) -> (Address, Address) {
    let to = transaction.to().unwrap();
    let paid = PlainToken::transferCall::abi_decode(transaction.input()).map_or(to, |call| call.to);
    (transaction.signer(), paid)
}

fn all_parties(kind: Kind) -> Vec<(Address, Address)> {
    let parties: Vec<_> = small(kind).transactions.iter().map(parties).collect();
    assert!(parties.len() > 50, "{kind} is too short to show anything");
    parties
}

fn distinct(addresses: impl IntoIterator<Item = Address>) -> usize {
    addresses.into_iter().collect::<BTreeSet<_>>().len()
}

#[test]
fn in_independent_transfers_nobody_appears_twice() {
    for kind in [Kind::TransfersIndependent, Kind::Erc20Independent] {
        let parties = all_parties(kind);
        assert_eq!(distinct(parties.iter().flat_map(|(from, to)| [*from, *to])), 2 * parties.len(), "{kind}");
    }
}

#[test]
fn in_a_chain_each_recipient_is_the_next_sender_and_nobody_else_meets() {
    for kind in [Kind::TransfersChain, Kind::Erc20Chain] {
        let parties = all_parties(kind);
        for pair in parties.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "{kind}");
        }
        assert_eq!(distinct(parties.iter().flat_map(|(from, to)| [*from, *to])), parties.len() + 1, "{kind}");
    }
}

#[test]
fn one_sender_pays_recipients_of_their_own() {
    let parties = all_parties(Kind::TransfersOneSender);
    assert_eq!(distinct(parties.iter().map(|(from, _)| *from)), 1);
    assert_eq!(distinct(parties.iter().map(|(_, to)| *to)), parties.len());
}

#[test]
fn one_recipient_is_paid_by_senders_of_their_own() {
    for kind in [Kind::TransfersOneRecipient, Kind::Erc20OneRecipient] {
        let parties = all_parties(kind);
        assert_eq!(distinct(parties.iter().map(|(from, _)| *from)), parties.len(), "{kind}");
        assert_eq!(distinct(parties.iter().map(|(_, to)| *to)), 1, "{kind}");
    }
}

#[test]
fn token_transfers_call_one_token_which_moves_what_they_say() {
    for kind in [Kind::Erc20Independent, Kind::Erc20Chain, Kind::Erc20OneRecipient] {
        let workload = small(kind);
        assert_eq!(distinct(workload.transactions.iter().filter_map(|transaction| transaction.to())), 1, "{kind}");
        for (transaction, included) in workload.transactions.iter().zip(execute(&workload).included) {
            let (from, to) = parties(transaction);
            let value = PlainToken::transferCall::abi_decode(transaction.input()).unwrap().value;
            let [log] = &included.executed.logs[..] else { panic!("{kind}: a transfer has one log") };
            assert_eq!(log.data, alloy_sol_types::SolEvent::encode_log_data(&PlainToken::Transfer { from, to, value }));
            assert!((30_000..=35_000).contains(&included.executed.gas_used), "{kind}: {}", included.executed.gas_used);
        }
    }
}

#[test]
fn one_mixed_transaction_in_twenty_reverts_for_the_reason_it_was_made_to() {
    let workload = parapet_workloads::generate(Kind::Mixed, 4 * crate::GAS);
    assert_eq!(workload.reverting.len(), workload.transactions.len() / 20);
    assert!(workload.reverting.len() > 5);
    let executed = execute(&workload);
    let (mut overdrafts, mut refused) = (0, 0);
    for index in &workload.reverting {
        let output = &executed.included[*index].executed.output;
        overdrafts += usize::from(PlainToken::InsufficientBalance::abi_decode(output).is_ok());
        refused += usize::from(Router::TooLittle::abi_decode(output).is_ok());
    }
    assert_eq!(overdrafts + refused, workload.reverting.len());
    assert!(overdrafts > 0 && refused > 0);
}

#[test]
fn a_mixed_block_creates_contracts_and_has_hot_and_cold_accounts() {
    let workload = parapet_workloads::generate(Kind::Mixed, 4 * crate::GAS);
    let executed = execute(&workload);
    assert!(executed.included.iter().filter(|included| included.executed.created.is_some()).count() >= 2);
    let count = workload.transactions.len();
    let senders = distinct(workload.transactions.iter().map(|transaction| transaction.signer()));
    assert!(senders < count * 9 / 10 && senders > count / 4, "{senders} of {count}");
    let mut targets = std::collections::BTreeMap::<Address, usize>::new();
    for to in workload.transactions.iter().filter_map(|transaction| transaction.to()) {
        *targets.entry(to).or_default() += 1;
    }
    assert!(targets.values().any(|times| *times > count / 20), "something is hot");
    assert!(targets.values().filter(|times| **times == 1).count() > count / 20, "much is cold");
}

#[test]
fn in_a_mixed_block_the_fee_recipient_is_paid_fees_and_by_contracts() {
    let workload = parapet_workloads::generate(Kind::Mixed, 4 * crate::GAS);
    let executed = execute(&workload);
    let pairs = workload.transactions.iter().zip(&executed.included);
    let fees: U256 = pairs
        .map(|(transaction, included)| {
            let tip = transaction.effective_tip_per_gas(BASE_FEE).unwrap();
            U256::from(tip) * U256::from(included.executed.gas_used)
        })
        .sum();
    let passed_on: U256 = workload
        .transactions
        .iter()
        .filter(|transaction| Tally::tipCall::abi_decode_validate(transaction.input()).is_ok())
        .map(|transaction| transaction.value())
        .sum();
    let before = workload.state.account(&BENEFICIARY).unwrap().unwrap().balance;
    let after = executed.changes.accounts[&BENEFICIARY].info.unwrap().balance;
    assert!(passed_on > U256::ZERO);
    assert_eq!(after - before, fees + passed_on);
}

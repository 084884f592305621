//! Block-level access lists (EIP-7928): recorded alike by every mode, followed to the same outcome, refused when wrong.

use alloy_eip7928::{AccountChanges, BlockAccessList};
use alloy_primitives::{Address, U256};
use parapet_equivalence::{
    Account, Act, Authorization, CallKind, Candidate, Child, Destination, Observed, Payout, Place, Realised, Scenario,
    System, Target, Word, slot_key, spoilings,
};
use parapet_executor::{BlockError, Listing, Mode};
use parapet_monitor::NoMonitor;
use parapet_types::Hardfork;

use crate::{
    cases::{RICH, add, poke, set_code},
    crews::{Crews, Disturbance, Seen, listing},
};

const COUNTER: Place = Place::Contract(0);
const FACTORY: Place = Place::Contract(1);
const PROBE: Place = Place::Contract(2);
const CHILD: Place = Place::Child { factory: 1, salt: 0, child: 0 };
const AUTHORITY: Place = Place::Authority(0);
const MINER: Place = Place::Stranger(9);
const HEIR: Place = Place::Stranger(1);

/// Everything that has an entry of a kind of its own, and transactions that lead one to the next.
fn scenario() -> Scenario {
    let mut scenario = Scenario::empty(Hardfork::Osaka);
    scenario.beneficiary = MINER;
    scenario.accounts = (0..10).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    scenario.accounts.push(Account::funded(AUTHORITY, RICH));
    scenario.accounts.push(Account::contract(COUNTER, vec![add(1, 1)]));
    let destroy = Act::When(Word::Argument(0), vec![Act::SelfDestruct(Target::Place(HEIR))]);
    scenario.children = vec![Child { constructor: Vec::new(), runtime: vec![destroy, Act::Increment(0)] }];
    let call = Act::Call {
        kind: CallKind::Call,
        target: Target::Place(CHILD),
        value: Word::Literal(0),
        selector: 0,
        argument: Word::Argument(0),
        gas: None,
        remember: Some(2),
    };
    let create = Act::Create { child: 0, salt: Some(Word::Literal(0)), value: Word::CallValue, remember: Some(1) };
    scenario.accounts.push(Account::contract(FACTORY, vec![create, call]));
    let probe = vec![
        Act::Store { key: Word::Key(1), value: Word::BalanceOf(Target::Place(MINER)) },
        Act::Store { key: Word::Key(2), value: Word::CodeHashOf(Target::Place(CHILD)) },
        Act::Store { key: Word::Key(3), value: Word::BalanceOf(Target::Place(Place::Stranger(5))) },
    ];
    scenario.accounts.push(Account::contract(PROBE, probe));
    let argument = |number| vec![parapet_equivalence::Argument::Number(number)];
    scenario.transactions = vec![
        Candidate::transfer(Place::Person(0), Place::Stranger(3), 5),
        poke(1, COUNTER),
        poke(2, COUNTER),
        Candidate { value: 7, ..Candidate::call(Place::Person(3), FACTORY, argument(1)) },
        Candidate { value: 9, ..Candidate::call(Place::Person(3), FACTORY, argument(0)) },
        poke(4, PROBE),
        set_code(5, AUTHORITY, vec![Authorization::of(0, Some(COUNTER))]),
        poke(6, AUTHORITY),
        set_code(7, AUTHORITY, vec![Authorization::of(0, None)]),
        Candidate::transfer(Place::Stranger(3), Place::Stranger(4), 1),
        Candidate { to: Destination::Create(0), ..poke(8, COUNTER) },
        poke(9, PROBE),
    ];
    // What the chain itself calls: without code, the block would fail.
    let asked = [System::Withdrawals, System::Consolidations];
    scenario.accounts.extend(asked.map(|system| Account::contract(Place::System(system), vec![add(1, 1)])));
    scenario.withdrawals = vec![Payout { to: Place::Person(0), gwei: 3 }, Payout { to: Place::Stranger(6), gwei: 0 }];
    scenario
}

fn recorded(block: &Realised) -> (Observed, BlockAccessList) {
    let seen = listing(block, &NoMonitor, Mode::Sequential, Listing::Record);
    let seen = seen.unwrap_or_else(|error| panic!("the block failed: {error}"));
    let list = seen.access_list.clone().expect("it was asked for");
    (seen, list)
}

fn entry(list: &BlockAccessList, address: Address) -> &AccountChanges {
    list.iter().find(|entry| entry.address == address).unwrap_or_else(|| panic!("{address} is not listed"))
}

/// Indices and values of the changes of a slot.
fn slot(entry: &AccountChanges, number: u8) -> Vec<(u64, u64)> {
    let changes = entry.storage_changes.iter().find(|changes| changes.slot == slot_key(number));
    let changes = changes.map(|changes| changes.changes.clone()).unwrap_or_default();
    changes.iter().map(|change| (change.block_access_index.get(), change.new_value.to())).collect()
}

#[test]
fn a_list_says_what_every_part_of_the_block_did() {
    let block = scenario().realise();
    let (seen, list) = recorded(&block);
    assert_eq!(seen.included.len(), 11, "the one that nobody funded is left out: {:?}", seen.left_out);
    let of = |place| entry(&list, block.address(place));
    assert_eq!(slot(of(COUNTER), 1), [(2, 1), (3, 2)]);
    assert_eq!(slot(of(Place::System(System::Withdrawals)), 1), [(12, 1)], "after eleven transactions");
    // Created and destroyed by one transaction: no trace but the accesses; then created for good.
    let child = of(CHILD);
    assert_eq!(child.nonce_changes.iter().map(|change| change.block_access_index.get()).collect::<Vec<_>>(), [5]);
    assert_eq!(child.code_changes.len(), 1);
    assert_eq!(child.balance_changes.len(), 1);
    assert_eq!(slot(child, 0), [(5, 1)]);
    assert_eq!(of(HEIR).balance_changes.len(), 1);
    let delegations = of(AUTHORITY).code_changes.iter();
    let delegations: Vec<_> = delegations.map(|one| (one.block_access_index.get(), one.new_code.len())).collect();
    assert_eq!(delegations, [(7, 23), (9, 0)]);
    // Met, and left as it was.
    assert_eq!(of(Place::Stranger(5)), &AccountChanges::new(block.address(Place::Stranger(5))));
    assert_eq!(of(Place::Stranger(6)), &AccountChanges::new(block.address(Place::Stranger(6))), "withdraws nothing");
    assert_eq!(of(MINER).balance_changes.len(), 11, "a fee from each transaction");
    let last = of(Place::Person(0)).balance_changes.last().unwrap();
    assert_eq!(last.block_access_index.get(), 12, "the withdrawal comes after eleven transactions");
    assert!(list.is_sorted_by_key(|entry| entry.address));
    let left_out = block.address(Place::Stranger(4));
    assert!(list.iter().all(|entry| entry.address != left_out), "who is left out meets nobody");
}

#[test]
fn what_the_block_writes_for_nothing_is_a_read() {
    let mut scenario = Scenario::empty(Hardfork::Osaka);
    scenario.hardfork = Hardfork::Cancun;
    scenario.accounts = vec![Account::funded(Place::Person(0), RICH)];
    let store = |value| Act::Store { key: Word::Key(1), value: Word::Literal(value) };
    scenario.accounts.push(Account { storage: vec![(1, 5)], ..Account::contract(COUNTER, vec![store(6), store(5)]) });
    scenario.transactions = vec![poke(0, COUNTER)];
    let block = scenario.realise();
    let (_, list) = recorded(&block);
    let entry = entry(&list, block.address(COUNTER));
    assert_eq!((entry.storage_reads.as_slice(), entry.has_changes()), ([slot_key(1)].as_slice(), false));
}

#[test]
fn every_mode_records_the_same_and_follows_it_to_the_same() {
    let crews = Crews::new();
    for seed in 0..30 {
        let part = crews.listed_difference(&scenario(), Disturbance::Hesitant(seed));
        assert_eq!(part, None, "{seed}");
    }
}

fn refusal(seen: &Seen) -> bool {
    let error = seen.as_ref().err();
    error.is_some_and(|error| {
        matches!(error, BlockError::AccessListForm(_) | BlockError::AccessListSize(_) | BlockError::AccessList(_))
    })
}

#[test]
fn every_single_spoiling_is_refused() {
    let block = scenario().realise();
    let (_, list) = recorded(&block);
    let crews = Crews::new();
    let mut tried = 0;
    for spoiling in spoilings(&list) {
        let Some(spoilt) = spoiling.of(&list) else { continue };
        tried += 1;
        let oracle = listing(&block, &NoMonitor, Mode::Sequential, Listing::Follow(&spoilt));
        assert!(refusal(&oracle), "{spoiling:?}: {oracle:?}");
        for workers in crews.each().filter(|workers| matches!(workers.threads().get(), 2 | 8)) {
            let seen = listing(&block, &NoMonitor, Mode::Parallel(workers), Listing::Follow(&spoilt));
            let texts = [&oracle, &seen].map(|seen| seen.as_ref().err().map(ToString::to_string));
            assert_eq!(texts[0], texts[1], "{spoiling:?} with {} threads", workers.threads());
        }
    }
    assert!(tried > 300, "only {tried} ways to spoil a list");
}

#[test]
fn a_list_longer_than_the_blocks_gas_allows_is_refused_before_anything_runs() {
    let block = scenario().realise();
    let gas_limit = block.block.gas_limit;
    let mut entry = AccountChanges::new(Address::ZERO);
    entry.storage_reads = (0..gas_limit / 2_000).map(U256::from).collect();
    let list = vec![entry];
    let seen = listing(&block, &NoMonitor, Mode::Sequential, Listing::Follow(&list));
    assert!(matches!(seen, Err(BlockError::AccessListSize(_))), "{seen:?}");
}

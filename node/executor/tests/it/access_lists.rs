//! The block-level access list (EIP-7928), held against lists written by hand. Whether modes agree on larger blocks is
//! asked elsewhere, of generated ones.

use std::num::NonZeroUsize;

use alloy_eip7928::{
    AccountChanges, BalanceChange, BlockAccessIndex, BlockAccessList, NonceChange, SlotChanges, StorageChange,
};
use alloy_eips::{eip4788::BEACON_ROOTS_ADDRESS, eip4895::Withdrawal};
use alloy_primitives::{Address, Bytes, TxKind, U256};
use parapet_executor::{
    Admission, BlockError, BlockInput, ListPart, Listing, Mislisted, Mode, Point, TxError, Workers, WrongEntry,
    execute_block,
};
use parapet_monitor::{BlockEnd, Decision, Monitor, NoMonitor, StateOp, StateUpdate};
use parapet_state::WorldState;
use parapet_types::{Ancestors, ChainParams, ExecutedBlock, Hardfork, REGISTRY, Transaction};

use crate::world::{ETHER, GAS_PRICE, MINER, ONE, SENDER, Scripted, TWO, asm, block, params, transaction, veto, world};

const STRANGER: Address = Address::repeat_byte(0x77);

type Outcome = Result<ExecutedBlock<TxError>, BlockError>;

fn run(world: &WorldState, txs: &[Transaction], monitor: &dyn Monitor, mode: Mode<'_>, list: Listing<'_>) -> Outcome {
    // Cancun: the fewest contracts that the chain itself calls.
    let params = ChainParams { hardfork: Hardfork::Cancun, ..params() };
    let mut context = block();
    context.withdrawals = vec![Withdrawal { address: ONE, amount: 2, ..Withdrawal::default() }];
    let at = Point { params: &params, world, ancestors: &Ancestors::new(), block: &context };
    let input = BlockInput { at, transactions: txs, admission: Admission::Import, access_list: list, deadline: None };
    execute_block(&input, monitor, mode)
}

fn crews() -> [Workers; 3] {
    [1, 2, 8].map(|threads| Workers::new(NonZeroUsize::new(threads).unwrap()))
}

/// The list, which every mode records and follows.
fn agreed(world: &WorldState, txs: &[Transaction], monitor: &dyn Monitor) -> BlockAccessList {
    let plain = run(world, txs, monitor, Mode::Sequential, Listing::Ignore).unwrap();
    assert_eq!(plain.access_list, None, "nobody asked");
    let recorded = run(world, txs, monitor, Mode::Sequential, Listing::Record).unwrap();
    let list = recorded.access_list.unwrap();
    let crews = crews();
    let modes = crews.iter().map(Mode::Parallel).chain([Mode::Sequential]);
    for mode in modes {
        for listing in [Listing::Record, Listing::Follow(&list)] {
            let seen = run(world, txs, monitor, mode, listing).unwrap();
            assert_eq!(seen.access_list.as_ref(), Some(&list));
            assert_eq!((seen.included.len(), seen.gas_used), (plain.included.len(), plain.gas_used));
            assert_eq!(seen.included, plain.included);
            assert_eq!(seen.changes, plain.changes);
        }
    }
    list
}

fn at(index: u64) -> BlockAccessIndex {
    BlockAccessIndex::new(index)
}

/// Two writes of slot 0, the second of which changes nothing, and a read of slot 5.
fn counter_world() -> WorldState {
    let code = asm::join(&[&asm::sstore(0, 1), &[0x60, 5, 0x54, 0x50], &asm::STOP]);
    world(&[(ONE, code)])
}

fn block_of_four() -> Vec<Transaction> {
    vec![
        transaction(0, TxKind::Call(STRANGER), 7, &[]),
        transaction(1, TxKind::Call(ONE), 0, &[]),
        transaction(2, TxKind::Call(ONE), 0, &[]),
        transaction(3, TxKind::Call(TWO), 0, &[]),
    ]
}

#[test]
fn a_list_is_what_one_would_write_by_hand() {
    let world = counter_world();
    let transactions = block_of_four();
    let list = agreed(&world, &transactions, &NoMonitor);
    let plain = run(&world, &transactions, &NoMonitor, Mode::Sequential, Listing::Ignore).unwrap();
    let mut expected: Vec<AccountChanges> = Vec::new();
    expected.push(AccountChanges::new(BEACON_ROOTS_ADDRESS));
    let mut one = AccountChanges::new(ONE);
    one.storage_changes = vec![SlotChanges::new(U256::ZERO, vec![StorageChange::new(at(2), U256::ONE)])];
    one.storage_reads = vec![U256::from(5)];
    one.balance_changes = vec![BalanceChange::new(at(5), U256::from(ETHER + 2_000_000_000))];
    expected.push(one);
    expected.push(AccountChanges::new(TWO));
    let mut sender = AccountChanges::new(SENDER);
    let mut miner = AccountChanges::new(MINER);
    let (mut left, mut earned) = (U256::from(100 * ETHER) - U256::from(7), U256::ZERO);
    for (index, included) in (1_u64..).zip(&plain.included) {
        left -= U256::from(included.executed.gas_used) * U256::from(GAS_PRICE);
        earned += U256::from(included.executed.gas_used) * U256::from(GAS_PRICE - 1_000_000_000);
        sender.balance_changes.push(BalanceChange::new(at(index), left));
        sender.nonce_changes.push(NonceChange::new(at(index), index));
        miner.balance_changes.push(BalanceChange::new(at(index), earned));
    }
    let mut stranger = AccountChanges::new(STRANGER);
    stranger.balance_changes = vec![BalanceChange::new(at(1), U256::from(7))];
    expected.extend([sender, stranger, miner]);
    expected.sort_by_key(|entry| entry.address);
    assert_eq!(list, expected);
}

#[test]
fn a_list_that_is_wrong_is_refused_with_the_place() {
    let (world, transactions) = (counter_world(), block_of_four());
    let mut list = agreed(&world, &transactions, &NoMonitor);
    let entry = list.iter_mut().find(|entry| entry.address == ONE).unwrap();
    entry.storage_changes[0].changes[0].new_value = U256::from(2);
    let crews = crews();
    for mode in crews.iter().map(Mode::Parallel).chain([Mode::Sequential]) {
        let error = run(&world, &transactions, &NoMonitor, mode, Listing::Follow(&list)).unwrap_err();
        let BlockError::AccessList(wrong) = error else { panic!("{error}") };
        let expected = WrongEntry {
            address: ONE,
            part: ListPart::Storage,
            slot: Some(U256::ZERO),
            index: Some(at(2)),
            what: Mislisted::Value,
        };
        assert_eq!(*wrong, expected);
        assert!(wrong.to_string().contains("slot 0x0, index 2"), "{wrong}");
    }
}

#[test]
fn guard_state_is_listed_as_storage_of_the_registry_and_what_guards_read_is_not() {
    let world = world(&[(ONE, asm::STOP.to_vec()), (REGISTRY, asm::STOP.to_vec())]);
    let monitor = Scripted {
        on_tx: Box::new(|_, _, view| {
            view.storage(parapet_monitor::Fork::Now, TWO, U256::from(3)).unwrap();
            Ok(Decision::Proceed)
        }),
        updates: vec![StateUpdate::set(U256::from(77), U256::from(5))],
        ..Scripted::default()
    };
    let transactions: Vec<_> = (0..5).map(|nonce| transaction(nonce, TxKind::Call(ONE), 0, &[])).collect();
    let list = agreed(&world, &transactions, &monitor);
    let registry = list.iter().find(|entry| entry.address == REGISTRY).unwrap();
    // The same value each time: only the first write changes anything.
    let changes = vec![StorageChange::new(at(1), U256::from(5))];
    assert_eq!(registry.storage_changes, vec![SlotChanges::new(U256::from(77), changes)]);
    assert!(list.iter().all(|entry| entry.address != TWO));
    assert_eq!(world.account(&TWO).unwrap(), None);
}

fn add(slot: u64, amount: u64) -> StateUpdate {
    let op = StateOp::Add { amount: U256::from(amount), cap: U256::MAX };
    StateUpdate { slot: U256::from(slot), ops: vec![op] }
}

#[test]
fn what_is_settled_at_a_blocks_end_is_listed_after_all_transactions() {
    // A call of the chain's own to the registry writes slot 0 there.
    let world = world(&[(ONE, asm::STOP.to_vec()), (REGISTRY, asm::join(&[&asm::sstore(0, 9), &asm::STOP]))]);
    let vetoes = |nonce: u64| nonce.is_multiple_of(2);
    let monitor = Scripted {
        on_tx: Box::new(move |trace, _, _| match vetoes(trace.context.nonce) {
            true => Ok(Decision::Veto(veto())),
            false => Ok(Decision::Proceed),
        }),
        updates: vec![add(76, 100)],
        tallies: vec![add(77, 5)],
        at_end: BlockEnd {
            updates: vec![StateUpdate::set(U256::from(76), U256::ZERO), add(77, 1)],
            calls: vec![Bytes::from_static(b"anything")],
            verdicts: Vec::new(),
        },
        ..Scripted::default()
    };
    let transactions: Vec<_> = (0..5).map(|nonce| transaction(nonce, TxKind::Call(ONE), 0, &[])).collect();
    let list = agreed(&world, &transactions, &monitor);
    let registry = list.iter().find(|entry| entry.address == REGISTRY).unwrap();
    let slot = |slot: u64, changes: &[(u64, u64)]| {
        let changes = changes.iter().map(|(index, value)| StorageChange::new(at(*index), U256::from(*value)));
        SlotChanges::new(U256::from(slot), changes.collect())
    };
    // Transactions 2 and 4 succeed and have guard state; all five are counted; what comes after them is number 6.
    let expected = [
        slot(0, &[(6, 9)]),
        slot(76, &[(2, 100), (4, 200), (6, 0)]),
        slot(77, &[(1, 5), (2, 10), (3, 15), (4, 20), (5, 25), (6, 26)]),
    ];
    assert_eq!(registry.storage_changes, expected);
}

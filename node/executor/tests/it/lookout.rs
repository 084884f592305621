//! Transactions that run without a record until they meet somebody: what guards see of them is what they would have seen
//! had everything been recorded from the start, and who meets nobody is never judged.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy_primitives::{Address, Bytes, TxKind, U256, keccak256};
use parapet_abi::ContextRecord;
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, TxError, Workers, execute_block};
use parapet_monitor::{
    Allowance, Attention, Decision, Examination, Fault, Judging, Monitor, NoMonitor, Remote, StateView, Subscriptions,
    Trace, Watchlist,
};
use parapet_state::WorldState;
use parapet_types::{AccountChange, AccountInfo, Ancestors, ExecutedBlock, StateChanges, Transaction};

use crate::world::{MINER, ONE, SENDER, Scripted, TWO, asm, block, params, transaction, veto, world};

/// Its first word tells the executor to ask.
const MARK: Address = Address::repeat_byte(0x3a);
/// Somebody is waited for.
const WATCHED: Address = Address::repeat_byte(0xaa);
/// Nobody meets this one.
const ELSEWHERE: Address = Address::repeat_byte(0xe1);

/// A monitor that tells whom it waits for.
struct Listed {
    inner: Scripted,
    list: Option<Arc<Watchlist>>,
    opened: AtomicUsize,
}

impl Listed {
    fn new(inner: Scripted, list: Option<Watchlist>) -> Self {
        Self { inner, list: list.map(Arc::new), opened: AtomicUsize::new(0) }
    }
}

impl Monitor for Listed {
    fn attention(&self) -> Attention {
        Attention::UnlessZero { address: MARK, slot: U256::ZERO }
    }

    fn watchlist(&self, word: U256, _: &mut dyn StateView) -> Result<Option<Arc<Watchlist>>, Fault> {
        assert_eq!(word, U256::from(7));
        Ok(self.list.clone())
    }

    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let opened = self.inner.open(context, view)?;
        self.opened.fetch_add(usize::from(opened.is_some()), Ordering::Relaxed);
        Ok(opened)
    }

    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault> {
        self.inner.admit(context, allowance, view)
    }
}

fn remote(tokens: bool, fees: bool) -> Remote {
    Remote { tokens, fees }
}

fn list(account: Address, remote: Remote) -> Option<Watchlist> {
    Some(Watchlist::new([account].into_iter().collect(), remote))
}

fn marked(contracts: &[(Address, Vec<u8>)]) -> WorldState {
    let mut changes = StateChanges::default();
    let info = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash: keccak256(asm::STOP) };
    let storage = [(U256::ZERO, U256::from(7))].into();
    changes.code.insert(info.code_hash, Bytes::from_static(&asm::STOP));
    changes.accounts.insert(MARK, AccountChange { info: Some(info), storage, ..AccountChange::default() });
    world(contracts).apply(&changes).unwrap()
}

fn run(
    world: &WorldState,
    transactions: &[Transaction],
    monitor: &dyn Monitor,
    mode: Mode<'_>,
) -> ExecutedBlock<TxError> {
    let (params, ancestors, block) = (params(), Ancestors::new(), block());
    let at = Point { params: &params, world, ancestors: &ancestors, block: &block };
    let (admission, access_list) = (Admission::Build, Listing::Record);
    execute_block(&BlockInput { at, transactions, admission, access_list, deadline: None }, monitor, mode).unwrap()
}

/// All that shows of a block.
fn shown(block: &ExecutedBlock<TxError>) -> impl PartialEq + std::fmt::Debug + use<> {
    let included = block.included.iter().map(|included| (included.executed.clone(), included.receipt.clone()));
    (included.collect::<Vec<_>>(), block.left_out.len(), block.changes.clone(), block.access_list.clone())
}

/// All that guards can see.
fn seen(monitor: &Listed) -> Option<impl PartialEq + std::fmt::Debug + use<>> {
    let trace: Trace = monitor.inner.seen.lock().unwrap().take()?;
    Some((trace.to_region(&[]), trace.inputs, trace.outputs, trace.log_data, trace.overflowed, trace.fee_flows))
}

fn everything() -> Subscriptions {
    [Subscriptions::ACCESSES, Subscriptions::FLOWS, Subscriptions::PREIMAGES, Subscriptions::FEES]
        .into_iter()
        .fold(Subscriptions::NONE, Subscriptions::union)
}

fn scripted() -> Scripted {
    Scripted { subscriptions: everything(), ..Scripted::default() }
}

/// `op(gas, to, [0,] in 0..4, out 0..0)`, of a kind of call; what it leaves is dropped.
fn enter(op: u8, to: Address) -> Vec<u8> {
    let value: &[u8] = if matches!(op, 0xf1 | 0xf2) { &[0x5f] } else { &[] };
    asm::join(&[&[0x5f, 0x5f, 0x60, 4, 0x5f], value, &[0x73], to.as_slice(), &[0x5a, op, 0x50]])
}

/// Something of everything, all of it before anybody is met: a log, writes, a hash, a precompile, a call that fails, a call
/// that writes and logs.
fn prelude() -> Vec<u8> {
    let transient = [0x60, 4, 0x60, 3, 0x5d];
    let hash = [0x60, 64, 0x5f, 0x20, 0x50];
    let identity = enter(0xf1, Address::with_last_byte(4));
    asm::join(&[&asm::log0(), &asm::sstore(1, 2), &transient, &hash, &identity, &enter(0xf1, TWO), &enter(0xf1, THREE)])
}

const THREE: Address = Address::repeat_byte(0x03);

fn contracts(ending: &[u8]) -> Vec<(Address, Vec<u8>)> {
    let two = asm::join(&[&asm::sstore(3, 4), &asm::log0(), &asm::REVERT]);
    let three = asm::join(&[&asm::sstore(5, 6), &asm::log0(), &asm::STOP]);
    let watched = asm::join(&[&asm::sstore(7, 8), &asm::log0(), &asm::STOP]);
    vec![(ONE, asm::join(&[&prelude(), ending])), (TWO, two), (THREE, three), (WATCHED, watched)]
}

/// LOG3 as ERC-20 has it, to somebody.
fn token_transfer(to: Address) -> Vec<u8> {
    let mut code = vec![0x60, 99, 0x5f, 0x52];
    for topic in [to.into_word(), ONE.into_word(), keccak256("Transfer(address,address,uint256)")] {
        code.push(0x7f);
        code.extend(topic);
    }
    code.extend([0x60, 32, 0x5f, 0xa3]);
    code
}

/// A way to meet somebody at the end of a transaction: code, who is met, and what is waited for.
fn ways() -> Vec<(&'static str, Vec<u8>, Address, Remote)> {
    let none = Remote::default();
    let delegated = |to: Address| enter(0xf1, to);
    let mut ways: Vec<_> = [("CALL", 0xf1), ("CALLCODE", 0xf2), ("DELEGATECALL", 0xf4), ("STATICCALL", 0xfa)]
        .into_iter()
        .map(|(name, op)| (name, enter(op, WATCHED), WATCHED, none))
        .collect();
    // The first creation of a contract with nonce 1; creation code is empty.
    ways.push(("CREATE", vec![0x5f, 0x5f, 0x5f, 0xf0, 0x50], ONE.create(1), none));
    let create2 = vec![0x60, 9, 0x5f, 0x5f, 0x5f, 0xf5, 0x50];
    ways.push(("CREATE2", create2, ONE.create2(U256::from(9).to_be_bytes::<32>(), keccak256([])), none));
    ways.push(("SELFDESTRUCT", asm::selfdestruct(WATCHED), WATCHED, none));
    ways.push(("a call with ether", asm::join(&[&asm::call(WATCHED, 3), &asm::POP]), WATCHED, none));
    ways.push(("a token", token_transfer(WATCHED), WATCHED, remote(true, false)));
    ways.push(("delegated code", delegated(DELEGATED), WATCHED, none));
    ways.push(("a frame that is reverted", enter(0xf1, REVERTS), WATCHED, none));
    ways
}

/// Runs the code of [`WATCHED`] (EIP-7702).
const DELEGATED: Address = Address::repeat_byte(0xde);
/// Calls [`WATCHED`] and reverts.
const REVERTS: Address = Address::repeat_byte(0x4e);

fn world_of(ending: &[u8]) -> WorldState {
    let mut contracts = contracts(&asm::join(&[ending, &asm::STOP]));
    contracts.push((DELEGATED, [&[0xef, 0x01, 0x00], WATCHED.as_slice()].concat()));
    contracts.push((REVERTS, asm::join(&[&enter(0xf1, WATCHED), &asm::REVERT])));
    marked(&contracts)
}

fn calls(count: u64) -> Vec<Transaction> {
    (0..count).map(|nonce| transaction(nonce, TxKind::Call(ONE), 5, &[1, 2, 3, 4, 5])).collect()
}

fn workers() -> Workers {
    Workers::new(NonZeroUsize::new(2).unwrap())
}

#[test]
fn who_is_met_late_sees_all_that_came_before() {
    let workers = workers();
    for (name, ending, met, remote) in ways() {
        let world = world_of(&ending);
        for mode in [Mode::Sequential, Mode::Parallel(&workers)] {
            let recorded = Listed::new(scripted(), None);
            let expected = run(&world, &calls(1), &recorded, mode);
            let expected_seen = seen(&recorded).unwrap();
            let late = Listed::new(scripted(), list(met, remote));
            let found = run(&world, &calls(1), &late, mode);
            assert_eq!(shown(&found), shown(&expected), "{name}");
            assert_eq!(seen(&late).as_ref(), Some(&expected_seen), "{name}");
            assert_eq!(late.opened.load(Ordering::Relaxed), 1, "{name}");
            assert!(found.included[0].executed.succeeded(), "{name}");
        }
    }
}

#[test]
fn who_meets_nobody_is_not_judged_and_costs_what_it_costs_without_a_monitor() {
    let workers = workers();
    for (name, ending, ..) in ways() {
        let world = world_of(&ending);
        for mode in [Mode::Sequential, Mode::Parallel(&workers)] {
            let monitor = Listed::new(scripted(), list(ELSEWHERE, remote(true, true)));
            let found = run(&world, &calls(3), &monitor, mode);
            assert_eq!(shown(&found), shown(&run(&world, &calls(3), &NoMonitor, mode)), "{name}");
            assert_eq!(monitor.opened.load(Ordering::Relaxed), 0, "{name}");
            assert!(seen(&monitor).is_none());
        }
    }
}

#[test]
fn whom_a_transaction_names_is_met_before_it_runs() {
    let created = SENDER.create(0);
    let named = [
        (TxKind::Call(ONE), SENDER, Remote::default()),
        (TxKind::Call(ONE), ONE, Remote::default()),
        (TxKind::Call(ONE), MINER, remote(false, true)),
        (TxKind::Call(ONE), Address::ZERO, remote(false, true)),
        (TxKind::Create, created, Remote::default()),
        (TxKind::Call(DELEGATED), WATCHED, Remote::default()),
        // A plain transfer, which takes no EVM.
        (TxKind::Call(ELSEWHERE), ELSEWHERE, Remote::default()),
        (TxKind::Call(ELSEWHERE), SENDER, Remote::default()),
        (TxKind::Call(ELSEWHERE), MINER, remote(false, true)),
    ];
    let (world, workers) = (world_of(&[]), workers());
    for (to, met, remote) in named {
        let transactions = [transaction(0, to, 5, &[])];
        for mode in [Mode::Sequential, Mode::Parallel(&workers)] {
            let (recorded, early) = (Listed::new(scripted(), None), Listed::new(scripted(), list(met, remote)));
            let expected = run(&world, &transactions, &recorded, mode);
            assert_eq!(shown(&run(&world, &transactions, &early, mode)), shown(&expected), "{to:?} {met}");
            assert_eq!(seen(&early), seen(&recorded), "{to:?} {met}");
            assert_eq!(early.opened.load(Ordering::Relaxed), 1, "{to:?} {met}");
        }
    }
}

#[test]
fn the_fee_recipient_is_met_only_by_who_waits_for_fees() {
    let monitor = Listed::new(scripted(), list(MINER, Remote::default()));
    run(&world_of(&[]), &calls(2), &monitor, Mode::Sequential);
    assert_eq!(monitor.opened.load(Ordering::Relaxed), 0);
}

#[test]
fn a_party_of_a_token_flow_is_met_only_by_who_waits_for_tokens_and_if_the_flow_stands() {
    let opened = |ending: &[u8], remote| {
        let monitor = Listed::new(scripted(), list(WATCHED, remote));
        run(&world_of(ending), &calls(1), &monitor, Mode::Sequential);
        monitor.opened.load(Ordering::Relaxed)
    };
    assert_eq!(opened(&token_transfer(WATCHED), remote(true, false)), 1);
    assert_eq!(opened(&token_transfer(WATCHED), Remote::default()), 0);
    assert_eq!(opened(&asm::join(&[&token_transfer(WATCHED), &asm::REVERT]), remote(true, false)), 0);
}

#[test]
fn a_late_veto_is_as_final_as_an_early_one() {
    let vetoing = || Scripted {
        on_call: Box::new(|trace, frame, _| {
            let target = trace.frames[frame as usize].target.bytes;
            Ok(if target == WATCHED.0 { Decision::Veto(veto()) } else { Decision::Proceed })
        }),
        ..scripted()
    };
    let workers = workers();
    let world = world_of(&enter(0xf1, WATCHED));
    for mode in [Mode::Sequential, Mode::Parallel(&workers)] {
        let expected = run(&world, &calls(6), &Listed::new(vetoing(), None), mode);
        let found = run(&world, &calls(6), &Listed::new(vetoing(), list(WATCHED, Remote::default())), mode);
        assert_eq!(shown(&found), shown(&expected));
        assert!(found.included.iter().all(|included| !included.executed.succeeded()));
        assert_eq!(found.included.len(), 6);
    }
}

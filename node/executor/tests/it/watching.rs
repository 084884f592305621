//! What the trace says, and that watching changes nothing.

use alloy_primitives::{Address, TxKind, U256, keccak256};
use parapet_abi::{AccessKind, Asset, CodeChangeKind, FlowReason, FrameKind, FrameStatus, NO_FRAME};
use parapet_monitor::{Decision, Fork, NoMonitor, Subscriptions, Trace};

use crate::world::{ONE, SENDER, Scripted, TWO, asm, execute, transaction, world};

const HEIR: Address = Address::repeat_byte(0xbe);

fn trace_of(contracts: &[(Address, Vec<u8>)], to: TxKind, value: u128, input: &[u8]) -> Trace {
    let monitor = Scripted { subscriptions: Subscriptions::ACCESSES, ..Scripted::default() };
    execute(&world(contracts), &[transaction(0, to, value, input)], &monitor);
    monitor.seen.lock().unwrap().take().unwrap()
}

fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

#[test]
fn frames_nest_and_reverted_ones_stay() {
    let one = asm::join(&[&asm::call(TWO, 5), &asm::POP, &asm::call(HEIR, 1), &asm::STOP]);
    let trace = trace_of(&[(ONE, one), (TWO, asm::REVERT.to_vec())], TxKind::Call(ONE), 3, &[1, 2, 3, 4, 5]);
    let [outer, reverted, plain] = &trace.frames[..] else { panic!("three frames: {:?}", trace.frames) };
    assert_eq!((outer.parent, reverted.parent, plain.parent), (NO_FRAME, 0, 0));
    assert_eq!((outer.depth, reverted.depth), (0, 1));
    assert_eq!(outer.selector, [1, 2, 3, 4]);
    assert_eq!(&trace.inputs[0][..], [1, 2, 3, 4, 5]);
    assert_eq!(outer.status, u8::from(FrameStatus::Succeeded));
    assert_eq!(reverted.status, u8::from(FrameStatus::Reverted));
    assert_eq!(outer.caller.bytes, SENDER.0);
    assert_eq!(reverted.target.bytes, TWO.0);
    assert_eq!(reverted.code_hash, keccak256(asm::REVERT).0);
    assert!(outer.start_seq < reverted.start_seq && reverted.end_seq < plain.start_seq);
    assert!(plain.end_seq < outer.end_seq);
    assert!(reverted.gas_used > 0 && reverted.gas_used < outer.gas_used);
    // The reverted call's 5 wei did not flow; the transaction's 3 and the plain call's 1 did.
    let amounts: Vec<_> = trace.flows.iter().map(|flow| (flow.frame, flow.amount)).collect();
    assert_eq!(amounts, [(0, word(3)), (2, word(1))]);
}

#[test]
fn accesses_are_in_order_with_old_and_new_values() {
    // SSTORE(0,1) SSTORE(0,2) SLOAD(0) TSTORE(3,4) TLOAD(3)
    let transient = [0x60, 4, 0x60, 3, 0x5d, 0x60, 3, 0x5c, 0x50];
    let code = asm::join(&[&asm::sstore(0, 1), &asm::sstore(0, 2), &[0x5f, 0x54, 0x50], &transient, &asm::STOP]);
    let trace =
        trace_of(&[(ONE, asm::join(&[&asm::call(TWO, 0), &asm::STOP])), (TWO, code)], TxKind::Call(ONE), 0, &[]);
    let seen: Vec<_> =
        trace.accesses.iter().map(|a| (AccessKind::from_u8(a.kind).unwrap(), a.frame, a.slot, a.old, a.new)).collect();
    assert_eq!(
        seen,
        [
            (AccessKind::StorageWrite, 1, word(0), word(0), word(1)),
            (AccessKind::StorageWrite, 1, word(0), word(1), word(2)),
            (AccessKind::StorageRead, 1, word(0), word(2), word(2)),
            (AccessKind::TransientWrite, 1, word(3), word(0), word(4)),
            (AccessKind::TransientRead, 1, word(3), word(4), word(4)),
        ]
    );
    let [change] = &trace.slot_changes[..] else { panic!("one net change") };
    assert_eq!((change.address.bytes, change.old, change.new), (TWO.0.0, word(0), word(2)));
}

#[test]
fn accesses_are_recorded_from_the_moment_they_are_asked_for() {
    let code = asm::join(&[&asm::sstore(0, 1), &asm::STOP]);
    let monitor = Scripted::default();
    execute(&world(&[(ONE, code)]), &[transaction(0, TxKind::Call(ONE), 0, &[])], &monitor);
    let trace = monitor.seen.lock().unwrap().take().unwrap();
    assert!(trace.accesses.is_empty());
    assert_eq!(trace.slot_changes.len(), 1, "net changes come from the journal");
}

#[test]
fn logs_belong_to_their_frame_and_vanish_with_it() {
    let two = asm::join(&[&asm::log0(), &asm::REVERT]);
    let one = asm::join(&[&asm::log0(), &asm::call(TWO, 0), &asm::POP, &asm::call(HEIR, 0), &asm::log0(), &asm::STOP]);
    let heir = asm::join(&[&asm::log0(), &asm::STOP]);
    let trace = trace_of(&[(ONE, one), (TWO, two), (HEIR, heir)], TxKind::Call(ONE), 0, &[]);
    let frames: Vec<_> = trace.logs.iter().map(|log| log.frame).collect();
    assert_eq!(frames, [0, 2, 0]);
    assert!(trace.logs.is_sorted_by_key(|log| log.seq));
}

#[test]
fn selfdestruct_flows_to_its_heir() {
    let trace = trace_of(&[(ONE, asm::selfdestruct(HEIR))], TxKind::Call(ONE), 0, &[]);
    let [flow] = &trace.flows[..] else { panic!("one flow") };
    assert_eq!(flow.reason, u8::from(FlowReason::SelfDestruct));
    assert_eq!((flow.from.bytes, flow.to.bytes), (ONE.0.0, HEIR.0.0));
    assert_eq!(flow.amount, U256::from(1_000_000_000_000_000_000_u64).to_be_bytes::<32>());
    assert_eq!(trace.code_changes[0].kind, u8::from(CodeChangeKind::SelfDestruct));
}

#[test]
fn token_transfers_are_decoded_from_logs() {
    let transfer = keccak256("Transfer(address,address,uint256)");
    let mut code = vec![0x60, 99, 0x5f, 0x52];
    for topic in [HEIR.into_word(), ONE.into_word(), transfer] {
        code.push(0x7f);
        code.extend(topic);
    }
    // LOG3 of memory 0..32: the stack has topics below offset and length.
    code.extend([0x60, 32, 0x5f, 0xa3, 0x00]);
    let trace = trace_of(&[(TWO, code)], TxKind::Call(TWO), 0, &[]);
    let [flow] = &trace.flows[..] else { panic!("one flow: {:?}", trace.flows) };
    assert_eq!(flow.asset, u8::from(Asset::Erc20));
    assert_eq!((flow.token.bytes, flow.from.bytes, flow.to.bytes), (TWO.0.0, ONE.0.0, HEIR.0.0));
    assert_eq!(flow.amount, word(99));
}

#[test]
fn creations_and_precompiles_are_frames_too() {
    // Init code that returns nothing: an empty contract.
    let trace = trace_of(&[], TxKind::Create, 0, &asm::STOP);
    let [frame] = &trace.frames[..] else { panic!("one frame") };
    assert_eq!(frame.kind, u8::from(FrameKind::Create));
    assert_eq!(frame.target.bytes, SENDER.create(0).0);
    let identity = Address::with_last_byte(4);
    let trace = trace_of(&[(ONE, asm::join(&[&asm::call(identity, 0), &asm::STOP]))], TxKind::Call(ONE), 0, &[]);
    assert_eq!((trace.frames[0].is_precompile, trace.frames[1].is_precompile), (0, 1));
}

#[test]
fn input_that_costs_no_gas_is_not_kept_without_bound() {
    // 1 MiB of memory is grown once, then handed to an empty account's call again and again: 300 times here.
    let grow = [0x60, 1, 0x62, 0x0f, 0xff, 0xff, 0x53];
    let counter = [0x61, 0x01, 0x2c]; // PUSH2 300
    let top = u8::try_from(grow.len() + counter.len()).unwrap();
    // JUMPDEST; CALL(gas, HEIR, 0, in 0..1 MiB, out 0..0); POP; decrement; loop
    let mut cycle = vec![0x5b, 0x5f, 0x5f, 0x62, 0x10, 0x00, 0x00, 0x5f, 0x5f, 0x73];
    cycle.extend(HEIR);
    cycle.extend([0x60, 0, 0xf1, 0x50, 0x60, 1, 0x90, 0x03, 0x80, 0x60, top, 0x57, 0x00]);
    let code = asm::join(&[&grow, &counter, &cycle]);
    let monitor = Scripted::default();
    let mut transaction = transaction(0, TxKind::Call(ONE), 0, &[]);
    if let alloy_consensus::TxEnvelope::Eip1559(tx) = transaction.inner_mut() {
        tx.tx_mut().gas_limit = 10_000_000;
    }
    let block = execute(&world(&[(ONE, code)]), &[transaction], &monitor);
    assert!(block.included[0].executed.succeeded());
    let trace = monitor.seen.lock().unwrap().take().unwrap();
    assert_eq!(trace.frames.len(), 301);
    assert!(trace.frames[1..].iter().all(|frame| frame.input_len == 1 << 20));
    assert!(trace.overflowed);
    let kept: usize = trace.inputs.iter().map(|input| input.len()).sum();
    let max = parapet_monitor::TRACE_DATA_BYTES_MAX;
    assert!((max / 2..=max).contains(&kept));
}

#[test]
fn state_can_be_seen_before_the_transaction_and_now() {
    let code = asm::join(&[&asm::sstore(0, 7), &asm::STOP]);
    let monitor = Scripted {
        on_tx: Box::new(|_, _, view| {
            assert_eq!(view.storage(Fork::PreTx, ONE, U256::ZERO)?, U256::ZERO);
            assert_eq!(view.storage(Fork::Now, ONE, U256::ZERO)?, U256::from(7));
            let gained = view.balance(Fork::Now, ONE)? - view.balance(Fork::PreTx, ONE)?;
            assert_eq!(gained, U256::from(11));
            assert!(view.code_hash(Fork::Now, HEIR)?.is_zero());
            assert!(!view.code(Fork::PreTx, ONE)?.is_empty());
            Ok(Decision::Proceed)
        }),
        ..Scripted::default()
    };
    let block = execute(&world(&[(ONE, code)]), &[transaction(0, TxKind::Call(ONE), 11, &[])], &monitor);
    assert!(block.included[0].executed.succeeded());
}

#[test]
fn a_watching_monitor_changes_nothing() {
    let two = asm::join(&[&asm::log0(), &asm::sstore(0, 9), &[0x5f, 0x54, 0x50], &asm::STOP]);
    let one = asm::join(&[&asm::call(TWO, 5), &asm::POP, &asm::call(HEIR, 1), &asm::selfdestruct(HEIR)]);
    let world = world(&[(ONE, one), (TWO, two)]);
    let transactions = [
        transaction(0, TxKind::Call(ONE), 3, &[]),
        transaction(1, TxKind::Create, 0, &asm::join(&[&asm::sstore(1, 1), &asm::STOP])),
        transaction(2, TxKind::Call(TWO), 0, &[]),
    ];
    let watching = Scripted {
        subscriptions: Subscriptions::ACCESSES.union(Subscriptions::FLOWS),
        on_call: Box::new(|_, _, view| {
            view.balance(Fork::Now, TWO)?;
            view.storage(Fork::Now, TWO, U256::ZERO)?;
            view.storage(Fork::PreTx, HEIR, U256::ZERO)?;
            Ok(Decision::Proceed)
        }),
        ..Scripted::default()
    };
    let watched = execute(&world, &transactions, &watching);
    let alone = execute(&world, &transactions, &NoMonitor);
    assert_eq!(watched.included, alone.included);
    assert_eq!(watched.changes, alone.changes);
}

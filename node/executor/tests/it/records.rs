//! Records beyond frames and accesses: authorizations, delegations, destroyed code, fees, preimages; and that nothing is
//! drawn up for a transaction that stirs nobody.

use std::sync::{Arc, Mutex};

use alloy_consensus::{SignableTransaction as _, TxEip7702, TxEnvelope, transaction::Recovered};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip4895::Withdrawal,
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use parapet_abi::{CodeChangeKind, FlowReason, FrameKind, FrameStatus, NO_FRAME, TX_TYPE_CHAIN};
use parapet_monitor::{Decision, Fault, Fuel, Mode, NoMonitor, Outcome, Subscriptions, Trace, Verdict};
use parapet_types::{BlockContext, Transaction};

use crate::world::{
    GAS_PRICE, MINER, ONE, SENDER, Scripted, TWO, asm, block, execute, execute_in, transaction, veto, world,
};

const HEIR: Address = Address::repeat_byte(0xbe);

fn signer() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).unwrap()
}

fn authorize(chain_id: u64, delegate: Address, nonce: u64) -> SignedAuthorization {
    let unsigned = Authorization { chain_id: U256::from(chain_id), address: delegate, nonce };
    let signature = signer().sign_hash_sync(&unsigned.signature_hash()).unwrap();
    unsigned.into_signed(signature)
}

fn set_code(to: Address, authorization_list: Vec<SignedAuthorization>) -> Transaction {
    let tx = TxEip7702 {
        chain_id: 31_337,
        gas_limit: 1_000_000,
        max_fee_per_gas: GAS_PRICE,
        max_priority_fee_per_gas: GAS_PRICE,
        to,
        authorization_list,
        ..TxEip7702::default()
    };
    Recovered::new_unchecked(TxEnvelope::Eip7702(tx.into_signed(Signature::test_signature())), SENDER)
}

fn traced(contracts: &[(Address, Vec<u8>)], tx: Transaction, subscriptions: Subscriptions) -> Trace {
    let monitor = Scripted { subscriptions, ..Scripted::default() };
    execute(&world(contracts), &[tx], &monitor);
    monitor.seen.lock().unwrap().take().unwrap()
}

fn designator(delegate: Address) -> B256 {
    keccak256([&[0xef, 0x01, 0x00], delegate.as_slice()].concat())
}

#[test]
fn authorizations_are_told_one_by_one_and_come_before_the_first_frame() {
    let authority = signer().address();
    let list = vec![
        authorize(31_337, ONE, 0),
        authorize(31_337, ONE, 0), // its nonce is used
        authorize(1, ONE, 1),      // another chain's
        authorize(0, Address::ZERO, 1),
        authorize(31_337, TWO, 2),
    ];
    let contracts = [(ONE, asm::STOP.to_vec()), (TWO, asm::join(&[&asm::log0(), &asm::STOP]))];
    let trace = traced(&contracts, set_code(authority, list), Subscriptions::NONE);
    let seen: Vec<_> = trace.authorizations.iter().map(|a| (a.index, a.applied, a.nonce, a.delegate.bytes)).collect();
    let (one, two) = (ONE.0.0, TWO.0.0);
    assert_eq!(seen, [(0, 1, 0, one), (1, 0, 0, one), (2, 0, 1, one), (3, 1, 1, [0; 20]), (4, 1, 2, two)]);
    assert!(trace.authorizations.iter().all(|a| a.authority.bytes == authority.0.0));
    let seqs: Vec<_> = trace.authorizations.iter().filter(|a| a.applied == 1).map(|a| a.seq).collect();
    assert_eq!((seqs.as_slice(), trace.frames[0].start_seq), (&[1, 2, 3][..], 4));
    let [change] = &trace.code_changes[..] else { panic!("one net change: {:?}", trace.code_changes) };
    assert_eq!((change.kind, change.frame, change.seq), (CodeChangeKind::Delegation.into(), NO_FRAME, 3));
    assert_eq!(change.new, designator(TWO).0);
    // The authority was called: the code of TWO ran there.
    let [delegate] = &trace.delegates[..] else { panic!("one frame ran by a delegation") };
    assert_eq!((delegate.frame, delegate.account.bytes, delegate.delegate.bytes), (0, authority.0.0, two));
    assert_eq!(trace.frames[0].code_hash, keccak256(&contracts[1].1).0);
    assert_eq!(trace.logs[0].address.bytes, authority.0.0);
}

#[test]
fn a_delegation_that_outlives_a_failed_transaction_is_in_its_trace() {
    let list = vec![authorize(31_337, ONE, 0)];
    let trace = traced(&[(TWO, asm::REVERT.to_vec())], set_code(TWO, list), Subscriptions::NONE);
    assert_eq!(trace.context.status, u8::from(FrameStatus::Reverted));
    assert_eq!((trace.authorizations[0].applied, trace.code_changes.len()), (1, 1));
}

#[test]
fn code_is_destroyed_only_with_what_was_created_in_the_same_transaction() {
    let code = asm::selfdestruct(HEIR);
    let hash = keccak256(&code);
    let old = traced(&[(ONE, code)], transaction(0, TxKind::Call(ONE), 0, &[]), Subscriptions::NONE);
    let [change] = &old.code_changes[..] else { panic!("one change: {:?}", old.code_changes) };
    assert_eq!((change.kind, change.old, change.new), (CodeChangeKind::SelfDestruct.into(), hash.0, hash.0));
    assert_eq!(old.flows[0].reason, u8::from(FlowReason::SelfDestruct), "its ether moves all the same");
    let new = traced(&[], transaction(0, TxKind::Create, 5, &asm::selfdestruct(HEIR)), Subscriptions::NONE);
    let destroyed: Vec<_> =
        new.code_changes.iter().filter(|c| c.kind == u8::from(CodeChangeKind::SelfDestruct)).collect();
    assert_eq!((destroyed.len(), destroyed[0].new), (1, [0; 32]));
    let moved: Vec<_> = new.flows.iter().map(|flow| (flow.reason, flow.to.bytes)).collect();
    let created = SENDER.create(0).0.0;
    assert_eq!(moved, [(FlowReason::Create.into(), created), (FlowReason::SelfDestruct.into(), HEIR.0.0)]);
}

#[test]
fn fees_are_what_the_transaction_costs_and_stand_behind_all_other_flows() {
    // Clearing a slot that was set gives gas back.
    let code = asm::join(&[&asm::sstore(0, 1), &asm::sstore(0, 0), &asm::STOP]);
    for input in [&[][..], &[1; 5_000]] {
        let monitor = Scripted { subscriptions: Subscriptions::FEES, ..Scripted::default() };
        let tx = transaction(0, TxKind::Call(ONE), 3, input);
        let block = execute(&world(&[(ONE, code.clone())]), &[tx], &monitor);
        let trace = monitor.seen.lock().unwrap().take().unwrap();
        let used = U256::from(block.included[0].executed.gas_used);
        let (others, fees) = trace.flows.split_at(trace.flows.len() - trace.fee_flows);
        assert_eq!((others.len(), others), (1, trace.flows_but_fees()));
        let told: Vec<_> = fees.iter().map(|fee| (fee.to.bytes, U256::from_be_bytes(fee.amount))).collect();
        let gwei = U256::from(1_000_000_000);
        assert_eq!(told, [(MINER.0.0, used * gwei), ([0; 20], used * gwei)], "{} bytes of input", input.len());
        assert!(fees.iter().all(|fee| fee.reason == u8::from(FlowReason::Fee) && fee.from.bytes == SENDER.0.0));
    }
    let unasked = traced(&[], transaction(0, TxKind::Call(ONE), 3, &[]), Subscriptions::FLOWS);
    assert_eq!((unasked.flows.len(), unasked.fee_flows), (1, 0));
}

#[test]
fn preimages_are_recorded_for_who_asks() {
    // MSTORE(0, 5) MSTORE(32, 3) KECCAK256(0, 64) POP KECCAK256(0, 32) POP
    let code = vec![
        0x60, 5, 0x5f, 0x52, 0x60, 3, 0x60, 32, 0x52, 0x60, 64, 0x5f, 0x20, 0x50, 0x60, 32, 0x5f, 0x20, 0x50, 0x00,
    ];
    let tx = || transaction(0, TxKind::Call(ONE), 0, &[]);
    let trace = traced(&[(ONE, code.clone())], tx(), Subscriptions::PREIMAGES);
    let [preimage] = &trace.preimages[..] else { panic!("64 bytes only: {:?}", trace.preimages) };
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    assert_eq!((preimage.frame, preimage.key, preimage.base), (0, word(5), word(3)));
    assert_eq!(preimage.hash, keccak256([word(5), word(3)].concat()).0);
    assert!(trace.accesses.is_empty());
    assert!(traced(&[(ONE, code)], tx(), Subscriptions::ACCESSES).preimages.is_empty());
}

#[test]
fn nothing_is_drawn_up_for_a_transaction_that_stirs_nobody() {
    let monitor = Scripted { stirs: false, ..Scripted::default() };
    let tx = transaction(0, TxKind::Call(ONE), 3, &Bytes::new());
    execute(&world(&[(ONE, asm::join(&[&asm::log0(), &asm::STOP]))]), &[tx], &monitor);
    assert!(monitor.seen.lock().unwrap().is_none(), "the monitor is not asked about it");
}

fn verdict() -> Verdict {
    Verdict {
        attachment: B256::ZERO,
        module: B256::ZERO,
        guard: "probe".to_owned(),
        mode: Mode::Enforce,
        outcome: Outcome::Alert,
        hook: None,
        frame: None,
        code: 1,
        detail: Bytes::new(),
        fuel: Fuel(0),
        elapsed_ns: 0,
        origin: Default::default(),
    }
}

#[test]
fn what_the_chain_does_itself_is_seen_and_cannot_be_vetoed() {
    let traces: Arc<Mutex<Vec<Trace>>> = Arc::default();
    let kept = traces.clone();
    let monitor = Scripted {
        sees_chain: true,
        verdicts: vec![verdict()],
        on_call: Box::new(|_, _, _| Ok(Decision::Veto(veto()))),
        on_tx: Box::new(move |trace, _, _| {
            kept.lock().unwrap().push(trace.clone());
            Ok(Decision::Veto(veto()))
        }),
        ..Scripted::default()
    };
    let withdrawal = Withdrawal { index: 0, validator_index: 0, address: HEIR, amount: 3 };
    let block = BlockContext { withdrawals: vec![withdrawal, Withdrawal { amount: 0, ..withdrawal }], ..block() };
    let world = world(&[(ONE, asm::STOP.to_vec())]);
    let transactions = [transaction(0, TxKind::Call(ONE), 0, &[])];
    let watched = execute_in(&block, &world, &transactions, &monitor);
    let alone = execute_in(&block, &world, &transactions, &NoMonitor);
    assert_eq!((watched.included, watched.changes), (alone.included, alone.changes));
    let traces = traces.lock().unwrap();
    let last = traces.last().unwrap();
    assert!(traces.iter().all(|trace| trace.context.tx_type == TX_TYPE_CHAIN && trace.context.block_number == 1));
    let frames: Vec<_> = traces.iter().flat_map(|trace| &trace.frames).collect();
    let system = u8::from(FrameKind::System);
    assert!(frames.iter().any(|frame| frame.kind == system && frame.target.bytes == HISTORY_STORAGE_ADDRESS.0.0));
    assert!(frames.iter().all(|frame| frame.kind == system && frame.depth == 0));
    assert_eq!(watched.chain_acts.len(), traces.len());
    assert!(last.frames.is_empty());
    let flows: Vec<_> = last.flows.iter().map(|flow| (flow.reason, flow.to.bytes, flow.amount)).collect();
    let wei = U256::from(3_000_000_000_u64).to_be_bytes::<32>();
    assert_eq!(flows, [(FlowReason::Withdrawal.into(), HEIR.0.0, wei)], "nothing added is no flow");
}

#[test]
fn a_guard_that_fails_does_not_stop_the_chain() {
    let monitor =
        Scripted { sees_chain: true, on_call: Box::new(|_, _, _| Err(Fault::Unsettled)), ..Scripted::default() };
    let block = execute(&world(&[]), &[transaction(0, TxKind::Call(ONE), 0, &[])], &monitor);
    assert!(block.included[0].executed.succeeded());
}

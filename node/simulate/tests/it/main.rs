//! Calls, estimates and traces on a small world.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod endless;
mod heavy;
mod recordings;
mod tryouts;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope, transaction::Recovered};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use alloy_rpc_types_trace::geth::{CallFrame, GethDebugBuiltInTracerType, GethDebugTracingOptions, GethTrace};
use parapet_abi::ContextRecord;
use parapet_monitor::{
    Allowance, Decision, Examination, Fault, Judgement, Judging, Monitor, NoMonitor, StateView, Subscriptions, Trace,
    Veto,
};
use parapet_simulate::{CallRequest, EstimateError, Point, call, create_access_list, estimate_gas, trace_transaction};
use parapet_state::WorldState;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, Destiny, ExecutionLimits, GuardParams, Hardfork,
    StateChanges, Transaction,
};

const SENDER: Address = Address::repeat_byte(0x51);
const OUTER: Address = Address::repeat_byte(0x01);
const INNER: Address = Address::repeat_byte(0x02);

/// OUTER calls INNER with all but 1/64 of its gas and reverts when that fails; INNER writes two slots.
fn world() -> WorldState {
    let mut outer = vec![0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x73];
    outer.extend(INNER);
    outer.extend([0x5a, 0xf1, 0x60, 35, 0x57, 0x5f, 0x5f, 0xfd, 0x5b, 0x00]);
    let dest = outer.len() - 2;
    let push = outer.iter().position(|byte| *byte == 35).unwrap();
    outer[push] = u8::try_from(dest).unwrap();
    let inner = vec![0x60, 1, 0x5f, 0x55, 0x60, 2, 0x60, 1, 0x55, 0x00];
    let mut changes = StateChanges::default();
    let balance = U256::from(10_u128.pow(20));
    let rich = AccountInfo { balance, ..AccountInfo::default() };
    changes.accounts.insert(SENDER, AccountChange { info: Some(rich), ..AccountChange::default() });
    for (address, code) in [(OUTER, outer), (INNER, inner)] {
        let code_hash = keccak256(&code);
        changes.code.insert(code_hash, Bytes::from(code));
        let info = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash };
        changes.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
    }
    WorldState::of(&changes)
}

/// Gives the closure a point on the world.
fn at<R>(test: impl FnOnce(&Point<'_>) -> R) -> R {
    on(&world(), test)
}

/// Gives the closure a point on a world.
fn on<R>(world: &WorldState, test: impl FnOnce(&Point<'_>) -> R) -> R {
    let params = ChainParams {
        chain_id: 31_337,
        hardfork: Hardfork::Osaka,
        block_gas_limit: 30_000_000,
        guards: GuardParams::default(),
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    };
    let block = BlockContext {
        number: 1,
        timestamp: 1,
        gas_limit: 30_000_000,
        base_fee: 1_000_000_000,
        parent_beacon_block_root: Some(B256::ZERO),
        excess_blob_gas: Some(0),
        ..BlockContext::default()
    };
    test(&Point { params: &params, world, ancestors: &Ancestors::new(), block: &block })
}

fn request() -> CallRequest {
    CallRequest { from: Some(SENDER), to: Some(OUTER), ..CallRequest::default() }
}

/// Vetoes every frame of INNER.
struct NoInner;

impl Monitor for NoInner {
    fn open(&self, _: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok(Some(Box::new(Self)))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

fn veto() -> Veto {
    Veto { guard: INNER, attachment: B256::repeat_byte(3), code: 9, detail: Bytes::from_static(b"not this one") }
}

impl Judging for NoInner {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::NONE
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        let inner = trace.frames[frame as usize].target.bytes == INNER.0;
        Ok(if inner { Decision::Veto(veto()) } else { Decision::Proceed })
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_tx(&mut self, _: &Trace, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn close(self: Box<Self>) -> Judgement {
        Judgement::default()
    }
}

#[test]
fn estimate_is_enough_and_hardly_more() {
    at(|point| {
        let estimate = estimate_gas(point, &request(), &NoMonitor).unwrap();
        let succeeds = |gas| {
            let request = CallRequest { gas: Some(gas), ..request() };
            call(point, &request, &NoMonitor).unwrap().succeeded()
        };
        assert!(succeeds(estimate));
        let least = (21_000..=estimate).rev().take_while(|gas| succeeds(*gas)).last().unwrap();
        assert!((estimate - least) * 1_000 <= estimate * 15, "{estimate} is more than 1.5% above {least}");
    });
}

#[test]
fn estimate_of_a_transfer_is_exact() {
    at(|point| {
        let transfer = CallRequest { to: Some(Address::repeat_byte(9)), value: U256::ONE, ..request() };
        assert_eq!(estimate_gas(point, &transfer, &NoMonitor).unwrap(), 21_000);
    });
}

#[test]
fn estimate_of_a_vetoed_call_carries_the_veto() {
    at(|point| match estimate_gas(point, &request(), &NoInner) {
        Err(EstimateError::Failed(executed)) => {
            assert_eq!(executed.destiny, Destiny::from(&veto()));
            assert_eq!(executed.output, veto().output());
        }
        other => panic!("{other:?}"),
    });
}

#[test]
fn call_takes_any_sender_nonce_and_price() {
    at(|point| {
        let nobody = CallRequest { from: None, nonce: Some(77), ..request() };
        assert!(call(point, &nobody, &NoMonitor).unwrap().succeeded());
        let poor = CallRequest { from: None, value: U256::ONE, ..request() };
        assert!(call(point, &poor, &NoMonitor).is_err(), "value must be covered");
    });
}

#[test]
fn access_list_names_what_is_touched() {
    at(|point| {
        let (list, executed) = create_access_list(point, &request(), &NoMonitor).unwrap();
        assert!(executed.succeeded());
        let inner = list.0.iter().find(|item| item.address == INNER).unwrap();
        assert_eq!(inner.storage_keys, [B256::ZERO, B256::with_last_byte(1)]);
    });
}

fn transaction() -> Transaction {
    let tx = TxEip1559 {
        chain_id: 31_337,
        gas_limit: 200_000,
        max_fee_per_gas: 2_000_000_000,
        to: TxKind::Call(OUTER),
        ..TxEip1559::default()
    };
    Recovered::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), SENDER)
}

fn call_frame(monitor: &dyn Monitor) -> CallFrame {
    at(|point| {
        let options = GethDebugTracingOptions::new_tracer(GethDebugBuiltInTracerType::CallTracer);
        match trace_transaction(point, &[], &transaction(), options, monitor).unwrap() {
            GethTrace::CallTracer(frame) => frame,
            other => panic!("{other:?}"),
        }
    })
}

#[test]
fn trace_of_a_vetoed_transaction_is_a_complete_tree() {
    let free = call_frame(&NoMonitor);
    assert_eq!((free.error.clone(), free.calls[0].error.clone()), (None, None));
    let vetoed = call_frame(&NoInner);
    assert_eq!(vetoed.calls.len(), 1);
    assert_eq!(vetoed.calls[0].to, Some(INNER));
    assert!(vetoed.calls[0].error.is_some() && vetoed.error.is_some());
    assert_eq!(vetoed.output, Some(veto().output()));
    assert!(vetoed.gas_used < free.gas_used);
}

#[test]
fn unknown_tracers_are_refused_in_words() {
    at(|point| {
        let options: GethDebugTracingOptions = GethDebugTracingOptions::default()
            .with_tracer(alloy_rpc_types_trace::geth::GethDebugTracerType::JsTracer("{}".into()));
        let error = trace_transaction(point, &[], &transaction(), options, &NoMonitor).unwrap_err();
        assert!(error.to_string().contains("tracer"), "{error}");
    });
}

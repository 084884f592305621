//! The shipped contract, which stock `cosmwasm-std` was compiled into, and the messages that it and others get.

use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, U256};
use parapet_abi::{Asset, FlowRecord};
use parapet_cosmwasm::{Contract, End, Session};
use parapet_monitor::{MemoryState, StateOp, Trace};
use parapet_vm::{HookCall, Subject};

use super::{
    Called, GUARDED, STORE, call_as, load,
    schema::{everything, seeing_everything},
    subject, trace,
};

const MODULE: &[u8] = include_bytes!("../../../../guards/artifacts/outflow_cap_cosmwasm.wasm");
const THIEF: Address = Address::repeat_byte(0xee);

/// Compiled once for all tests.
pub(crate) fn contract() -> Arc<Contract> {
    static CONTRACT: Mutex<Option<Arc<Contract>>> = Mutex::new(None);
    CONTRACT.lock().unwrap().get_or_insert_with(|| load(MODULE)).clone()
}

fn configured(configuration: &str) -> Subject {
    Subject { configuration: configuration.as_bytes().to_vec().into(), ..subject() }
}

fn paying(amount: u64) -> Trace {
    let flow = FlowRecord {
        asset: Asset::Ether.into(),
        from: GUARDED.into_array().into(),
        to: THIEF.into_array().into(),
        amount: U256::from(amount).to_be_bytes(),
        ..FlowRecord::default()
    };
    Trace { flows: vec![flow], ..trace() }
}

/// Judges, and keeps what the contract stored, as a chain does.
fn judge(state: &mut MemoryState, configuration: &str, trace: &Trace) -> Called {
    let called = call_as(&contract(), configured(configuration), HookCall::OnTx, trace, state).unwrap();
    let storage = &mut state.pre_tx.entry(STORE).or_default().storage;
    for update in &called.updates {
        let word = storage.entry(update.slot).or_default();
        *word = StateOp::apply_all(&update.ops, *word).unwrap();
    }
    called
}

#[test]
fn caps_outflow_per_transaction_and_per_window() {
    let configuration = r#"{"tx_max":"100","window_max":"150","window_seconds":"60"}"#;
    let mut state = MemoryState::default();
    assert_eq!(judge(&mut state, configuration, &paying(100)).end, End::Returned);
    let End::Vetoed { code, detail } = judge(&mut state, configuration, &paying(101)).end else { panic!("let pass") };
    assert_eq!((code, &detail[..]), (1, b"101 wei of ether left, at most 100 may in one transaction".as_slice()));
    let End::Vetoed { code, .. } = judge(&mut state, configuration, &paying(100)).end else { panic!("let pass") };
    assert_eq!(code, 2);
    assert_eq!(judge(&mut state, configuration, &paying(50)).end, End::Returned);
}

#[test]
fn a_changed_configuration_holds_from_the_next_transaction_on() {
    let mut state = MemoryState::default();
    assert_eq!(judge(&mut state, r#"{"tx_max":"100"}"#, &paying(100)).end, End::Returned);
    assert!(matches!(judge(&mut state, r#"{"tx_max":"99"}"#, &paying(100)).end, End::Vetoed { code: 1, .. }));
}

#[test]
fn a_configuration_is_refused_with_the_contracts_words_or_because_it_is_none() {
    let init = |configuration: &str| {
        call_as(&contract(), configured(configuration), HookCall::Init, &trace(), &mut MemoryState::default()).unwrap()
    };
    assert_eq!(init(r#"{"tx_max":"1"}"#).end, End::Returned);
    let End::Vetoed { code, detail } = init(r#"{"tx_max":"1","window_max":"5","window_seconds":"0"}"#).end else {
        panic!("accepted")
    };
    assert_eq!((code, detail.starts_with(b"window_seconds is 0")), (3, true));
    for none in ["{}", "", "[]", "not json", r#"{"tx_max":"1","other":1}"#, r#"{"tx_max":-1}"#] {
        assert!(matches!(init(none).end, End::Vetoed { .. } | End::Trapped { .. }), "{none}");
    }
}

#[test]
fn readers_query_configuration_and_window() {
    let configuration = r#"{"tx_max":"100","window_max":"150","window_seconds":"60"}"#;
    let mut state = MemoryState::default();
    judge(&mut state, configuration, &paying(70));
    let mut query = |query: &str| {
        let mut session = Session::new(contract(), Arc::new(configured(configuration)));
        session.query(query.as_bytes(), &trace(), &mut state).unwrap()
    };
    assert_eq!(query(r#"{"window":{}}"#), Ok(r#"{"level":"70","timestamp":"3"}"#.into()));
    assert!(matches!(query(r#"{"unknown":{}}"#), Err(End::Vetoed { code: 0, .. })));
}

#[test]
fn every_kind_of_record_is_understood_by_a_contract_that_is_shown_all() {
    const MODULE: &[u8] = include_bytes!("../../../../guards/artifacts/whole_message_cosmwasm.wasm");
    let contract = load(MODULE);
    let judged = |trace: &Trace| {
        let subject = Subject { configuration: b"{}".into(), ..seeing_everything() };
        call_as(&contract, subject, HookCall::OnTx, trace, &mut MemoryState::default()).unwrap().end
    };
    assert_eq!(judged(&everything()), End::Returned);
    let frameless = Trace { frames: Vec::new(), ..everything() };
    let detail = b"no frames, but 6 flows and 2 logs".into();
    assert_eq!(judged(&frameless), End::Vetoed { code: 1, detail });
}

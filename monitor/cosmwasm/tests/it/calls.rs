//! What contracts answer, and what becomes of it.

use std::sync::Arc;

use alloy_primitives::Bytes;
use parapet_abi::FrameRecord;
use parapet_cosmwasm::{
    Contract, End, Session,
    limits::{MESSAGE_BYTES_MAX, QUERY_BYTES_MAX},
};
use parapet_monitor::{MemoryState, Trace};
use parapet_vm::HookCall;

use super::{NO, OK, call_as, contract, contract_with, load, region, subject, sudo, trace};

#[test]
fn a_response_lets_pass_and_an_error_vetoes_with_its_code() {
    assert_eq!(sudo(&load(&contract("(global.get $ok)"))).end, End::Returned);
    let vetoed = sudo(&load(&contract("(global.get $no)")));
    assert_eq!(vetoed.end, End::Vetoed { code: 7, detail: "no".into() });
    assert!(vetoed.fuel.0 > 0);
}

#[test]
fn events_of_a_response_are_alerts() {
    let answer = br#"{"ok":{"messages":[],"attributes":[],"events":[{"type":"large","attributes":[{"key":"code","value":"12"}]}],"data":null}}"#;
    let called = sudo(&load(&contract_with("", &region(0x400, answer), "(i32.const 0x400)")));
    assert_eq!(called.end, End::Returned);
    let alerts: Vec<_> = called.alerts.iter().map(|alert| (alert.code, alert.detail.as_ref())).collect();
    assert_eq!(alerts, [(12, b"large code=12".as_slice())]);
}

#[test]
fn instantiate_is_called_at_attachment_and_frames_are_not_asked_about() {
    let contract = load(&contract("unreachable"));
    let mut view = MemoryState::default();
    let mut call = |call| call_as(&contract, subject(), call, &trace(), &mut view).unwrap();
    assert_eq!(call(HookCall::Init).end, End::Returned);
    for hook in [HookCall::OnCall(0), HookCall::OnCallEnd(0)] {
        let called = call(hook);
        assert_eq!((called.end, called.fuel.0), (End::Returned, 0));
    }
    assert!(matches!(call(HookCall::OnTx).end, End::Trapped { .. }));
}

#[test]
fn a_session_that_ended_says_no_more() {
    let contract = load(&contract("(global.get $no)"));
    let mut session = Session::new(contract, Arc::new(subject()));
    let mut view = MemoryState::default();
    assert!(matches!(session.call(HookCall::OnTx, &trace(), &mut view).unwrap(), End::Vetoed { .. }));
    assert_eq!(session.call(HookCall::OnTx, &trace(), &mut view).unwrap(), End::Returned);
}

#[test]
fn a_transaction_too_large_for_a_message_is_an_overload() {
    let contract = load(&contract("(global.get $ok)"));
    let frames = vec![FrameRecord::default(); MESSAGE_BYTES_MAX / 400];
    let call = |frames| {
        let trace = Trace { frames, ..trace() };
        call_as(&contract, subject(), HookCall::OnTx, &trace, &mut MemoryState::default()).unwrap().end
    };
    assert!(matches!(call(frames), End::Overloaded { .. }));
    assert_eq!(call(vec![FrameRecord::default(); 8]), End::Returned);
}

#[test]
fn an_error_that_a_query_ends_in_reaches_the_reader() {
    let query = format!(r#"(func (export "query") (param i32 i32) (result i32) (i32.const {NO}))"#);
    let contract = load(&contract_with("", &query, &format!("(i32.const {OK})")));
    assert_eq!(ask(&contract, b"{}"), Err(End::Vetoed { code: 7, detail: "no".into() }));
}

#[test]
fn what_is_no_answer_and_what_is_too_long_a_question_end_without_an_answer() {
    let answering = |answer: &[u8]| {
        let parts = format!(
            r#"{} (func (export "query") (param i32 i32) (result i32) (i32.const 0x400))"#,
            region(0x400, answer)
        );
        load(&contract_with("", &parts, &format!("(i32.const {OK})")))
    };
    let yes = answering(br#"{"ok":"eWVz"}"#);
    assert_eq!(ask(&yes, b"{}"), Ok("yes".into()));
    assert!(matches!(ask(&yes, &vec![b' '; QUERY_BYTES_MAX + 1]), Err(End::Overloaded { .. })));
    for none in [br#"{"ok":"no base64"}"#.as_slice(), br#"{"ok":{"messages":[]}}"#, b"yes", b""] {
        assert!(matches!(ask(&answering(none), b"{}"), Err(End::Trapped { .. })));
    }
}

#[test]
fn a_query_leaves_nothing_and_ends_its_session() {
    let contract = load(&contract("(global.get $no)"));
    let mut session = Session::new(contract, Arc::new(subject()));
    let mut view = MemoryState::default();
    assert!(session.query(b"{}", &trace(), &mut view).unwrap().is_err(), "it has no such entry point");
    assert_eq!(session.call(HookCall::OnTx, &trace(), &mut view).unwrap(), End::Returned);
    assert_eq!(session.into_updates(), []);
}

fn ask(contract: &Arc<Contract>, message: &[u8]) -> Result<Bytes, End> {
    let mut session = Session::new(contract.clone(), Arc::new(subject()));
    session.query(message, &trace(), &mut MemoryState::default()).unwrap()
}

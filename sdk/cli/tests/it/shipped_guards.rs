//! The shipped modules on the real guard VM: they say there what their native unit tests say.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use parapet_abi::{Asset, FlowRecord, FrameRecord, FrameStatus, NO_FRAME};
use parapet_cli::{parameters, shipped};
use parapet_monitor::{AttachmentId, Fuel, MemoryState, Trace};
use parapet_registry::REGISTRY_ADDRESS;
use parapet_vm::{Engine, EngineSettings, Guard, HookCall, HookEnd, Session, Subject};

const VAULT: Address = Address::repeat_byte(0xaa);
const ATTACKER: Address = Address::repeat_byte(0xee);
const WITHDRAW: [u8; 4] = [0x3c, 0xcf, 0xd6, 0x0b];
/// A tenth of what an attachment has by default.
const FUEL_MAX: u64 = 1_000_000;

fn load(name: &str) -> Arc<Guard> {
    let wasm = shipped::find(name).unwrap().wasm;
    let engine = Engine::new(EngineSettings { instances_max: 4, ..EngineSettings::default() }).unwrap();
    engine.load(keccak256(wasm), Bytes::from_static(wasm)).unwrap()
}

fn session(guard: &Arc<Guard>, given: &[(&str, &str)]) -> Session {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let configuration = parameters::encode(guard.descriptor(), &given).unwrap();
    configured(guard, configuration.into())
}

fn configured(guard: &Arc<Guard>, configuration: Bytes) -> Session {
    let subject = Subject {
        attachment: AttachmentId::repeat_byte(1),
        accounts: vec![parapet_abi::AccountRecord { address: VAULT.into_array().into() }],
        configuration,
        subscriptions: guard.subscriptions(),
        fuel_max: Fuel(FUEL_MAX),
        store_account: REGISTRY_ADDRESS,
    };
    Session::new(Arc::clone(guard), Arc::new(subject))
}

fn push_frame(trace: &mut Trace, caller: Address, target: Address, input: &[u8]) {
    let id = u32::try_from(trace.frames.len()).unwrap();
    let mut selector = [0; 4];
    selector[..input.len()].copy_from_slice(input);
    trace.frames.push(FrameRecord {
        id,
        parent: if id == 0 { NO_FRAME } else { id - 1 },
        start_seq: id + 1,
        depth: id,
        selector,
        input_len: u32::try_from(input.len()).unwrap(),
        caller: caller.into_array().into(),
        target: target.into_array().into(),
        code_address: target.into_array().into(),
        ..FrameRecord::default()
    });
    trace.inputs.push(Bytes::copy_from_slice(input));
    trace.outputs.push(Bytes::new());
}

fn call(session: &mut Session, call: HookCall, trace: &Trace) -> HookEnd {
    session.call(call, trace, &mut MemoryState::default()).unwrap()
}

/// The detail of a veto with a code.
fn words(end: HookEnd, expected: u16) -> String {
    match end {
        HookEnd::Vetoed { code, detail } if code == expected => String::from_utf8(detail.to_vec()).unwrap(),
        other => panic!("a veto with code {expected} was expected, not {other:?}"),
    }
}

#[test]
fn reentrancy_vetoes_the_attack_in_the_guard_vm_and_names_it() {
    let mut session = session(&load("reentrancy"), &[]);
    let mut trace = Trace::default();
    push_frame(&mut trace, Address::ZERO, ATTACKER, &[]);
    assert_eq!(call(&mut session, HookCall::Init, &trace), HookEnd::Returned);
    push_frame(&mut trace, ATTACKER, VAULT, &WITHDRAW);
    assert_eq!(call(&mut session, HookCall::OnCall(1), &trace), HookEnd::Returned);
    push_frame(&mut trace, VAULT, ATTACKER, &[]);
    assert_eq!(call(&mut session, HookCall::OnCall(2), &trace), HookEnd::Returned);
    push_frame(&mut trace, ATTACKER, VAULT, &WITHDRAW);
    let detail = words(call(&mut session, HookCall::OnCall(3), &trace), 1);
    assert_eq!(
        detail,
        "re-entered 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (withdraw selector 0x3ccfd60b) \
         from 0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee while frame 1 was open"
    );
    assert!(session.spent().0 < FUEL_MAX / 10, "{:?}", session.spent());
}

#[test]
fn reentrancy_allows_what_its_parameters_allow() {
    let attacker = ATTACKER.to_string();
    for parameter in [("allow_callers", attacker.as_str()), ("allow_selectors", "0x3ccfd60b")] {
        let mut session = session(&load("reentrancy"), &[parameter]);
        let mut trace = Trace::default();
        push_frame(&mut trace, Address::ZERO, VAULT, &WITHDRAW);
        push_frame(&mut trace, VAULT, ATTACKER, &[]);
        push_frame(&mut trace, ATTACKER, VAULT, &WITHDRAW);
        assert_eq!(call(&mut session, HookCall::OnCall(2), &trace), HookEnd::Returned, "{parameter:?}");
    }
}

#[test]
fn reentrancy_judges_the_deepest_call_stack_there_is() {
    let mut session = session(&load("reentrancy"), &[]);
    let mut trace = Trace::default();
    push_frame(&mut trace, Address::ZERO, VAULT, &WITHDRAW);
    for _ in 1..1_023 {
        push_frame(&mut trace, ATTACKER, ATTACKER, &[]);
    }
    push_frame(&mut trace, ATTACKER, VAULT, &[]);
    let detail = words(call(&mut session, HookCall::OnCall(1_023), &trace), 1);
    assert!(detail.contains("(plain transfer)") && detail.ends_with("while frame 0 was open"), "{detail}");
}

#[test]
fn outflow_cap_vetoes_what_exceeds_the_cap_of_a_transaction() {
    let mut trace = Trace::default();
    trace.context.status = FrameStatus::Succeeded.into();
    for _ in 0..20 {
        trace.flows.push(FlowRecord {
            asset: Asset::Ether.into(),
            from: VAULT.into_array().into(),
            to: ATTACKER.into_array().into(),
            amount: U256::from(5).to_be_bytes(),
            ..FlowRecord::default()
        });
    }
    let guard = load("outflow_cap");
    let mut within = session(&guard, &[("tx_max", "100")]);
    assert_eq!(call(&mut within, HookCall::Init, &trace), HookEnd::Returned);
    assert_eq!(call(&mut within, HookCall::OnTx, &trace), HookEnd::Returned);
    let mut beyond = session(&guard, &[("tx_max", "99")]);
    let detail = words(call(&mut beyond, HookCall::OnTx, &trace), 1);
    assert_eq!(detail, "100 wei of ether left, at most 99 may in one transaction");
    let mut window = session(&guard, &[("tx_max", "100"), ("window_max", "99")]);
    let detail = words(call(&mut window, HookCall::OnTx, &trace), 2);
    assert_eq!(detail, "100 more wei of ether left, at most 99 may within 86400 seconds");
    let mut filled = session(&guard, &[("tx_max", "100"), ("window_max", "150")]);
    assert_eq!(call(&mut filled, HookCall::OnTx, &trace), HookEnd::Returned);
    assert_eq!(filled.into_updates().len(), 1, "the window is guard state");
}

#[test]
fn shipped_guards_refuse_a_configuration_that_they_cannot_decode() {
    for name in ["outflow_cap", "reentrancy"] {
        let mut session = configured(&load(name), Bytes::from_static(&[1; 32]));
        let detail = words(call(&mut session, HookCall::Init, &Trace::default()), 0xfeff);
        assert!(detail.starts_with("configuration refused: "), "{name}: {detail}");
    }
}

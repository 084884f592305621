//! Executions that would not end, for whom nobody waits any longer.

use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes, hex, keccak256};
use alloy_rpc_types_trace::geth::{GethDebugBuiltInTracerType, GethDebugTracingOptions};
use parapet_monitor::NoMonitor;
use parapet_simulate::{CallRequest, Late, SimulateError, briefly, call, create_access_list, trace_call, until};
use parapet_state::WorldState;
use parapet_types::{AccountChange, AccountInfo, Destiny, StateChanges};

use crate::{NoInner, on, request};

/// Jumps to itself.
const LOOP: Address = Address::repeat_byte(0x0a);
/// Calls itself twice, and so on; there is no jump in it.
const TREE: Address = Address::repeat_byte(0x0b);

fn world() -> WorldState {
    let mut changes = StateChanges::default();
    let tree = hex!("5f5f5f5f5f305af150 5f5f5f5f5f305af150 00");
    for (address, code) in [(LOOP, Bytes::from_static(&hex!("5b5f56"))), (TREE, Bytes::copy_from_slice(&tree))] {
        let code_hash = keccak256(&code);
        changes.code.insert(code_hash, code);
        let info = AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() };
        changes.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
    }
    WorldState::of(&changes)
}

/// With more gas than could be spent in years.
fn endless(to: Address) -> CallRequest {
    CallRequest { to: Some(to), gas: Some(u64::MAX >> 2), ..CallRequest::default() }
}

fn soon<T>(work: impl FnOnce() -> T) -> T {
    until(Instant::now() + Duration::from_millis(20), work)
}

#[test]
fn an_execution_without_end_ends_when_its_time_is_up() {
    on(&world(), |point| {
        for to in [LOOP, TREE] {
            let ended = soon(|| call(point, &endless(to), &NoMonitor));
            assert!(matches!(ended, Err(SimulateError::Late(Late))), "{ended:?}");
            let ended = soon(|| create_access_list(point, &endless(to), &NoMonitor));
            assert!(matches!(ended, Err(SimulateError::Late(Late))), "{ended:?}");
        }
    });
}

#[test]
fn a_trace_of_it_ends_too() {
    on(&world(), |point| {
        let tracer = GethDebugTracingOptions::new_tracer(GethDebugBuiltInTracerType::CallTracer);
        let traced = soon(|| trace_call(point, &endless(LOOP), tracer, &NoMonitor).map(|_| ()));
        assert!(matches!(traced, Err(SimulateError::Late(Late))), "{traced:?}");
    });
}

#[test]
fn an_execution_that_ends_in_time_is_what_it_is_without_a_time() {
    let short = |to| CallRequest { gas: Some(300_000), ..endless(to) };
    on(&world(), |point| {
        for to in [LOOP, TREE] {
            let alone = call(point, &short(to), &NoMonitor).unwrap();
            let timed = until(Instant::now() + Duration::from_secs(3_600), || call(point, &short(to), &NoMonitor));
            assert_eq!(timed.unwrap(), alone);
        }
        let halted = call(point, &short(LOOP), &NoMonitor).unwrap();
        assert!(matches!(halted.destiny, Destiny::Halted { .. }), "{halted:?}");
    });
}

#[test]
fn what_is_done_briefly_asks_no_guard() {
    let end = Instant::now() + Duration::from_secs(3_600);
    crate::at(|point| {
        let judged = until(end, || call(point, &request(), &NoInner)).unwrap();
        assert!(matches!(judged.destiny, Destiny::Vetoed { .. }), "{judged:?}");
        let refused = briefly(end, || call(point, &request(), &NoInner));
        assert!(matches!(refused, Err(SimulateError::Late(Late))), "{refused:?}");
        let alone = briefly(end, || call(point, &request(), &NoMonitor)).unwrap();
        assert!(alone.succeeded());
    });
}

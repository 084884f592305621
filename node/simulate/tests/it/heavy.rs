//! Executions whose traces would be far longer than what their gas suggests.

use alloy_primitives::{Address, Bytes, hex, keccak256};
use alloy_rpc_types_trace::{
    geth::{GethDebugBuiltInTracerType, GethDebugTracerConfig, GethDebugTracingOptions},
    parity::TraceType,
};
use parapet_monitor::NoMonitor;
use parapet_simulate::{CallRequest, SimulateError, Steps, replay_call, replay_calls, trace_call};
use parapet_state::WorldState;
use parapet_types::{AccountChange, AccountInfo, StateChanges};

use crate::on;

/// Puts a thousand words on its stack, and jumps to and fro below them.
const DEEP: Address = Address::repeat_byte(0x0a);
/// Calls somebody with a MiB of memory, again and again.
const WIDE: Address = Address::repeat_byte(0x0b);
/// What a MiB of memory and the rest of a call of `WIDE` costs before its first call.
const WIDE_GAS: u64 = 2_219_056;
/// What each of its calls costs.
const CALL_GAS: u64 = 129;

fn world() -> WorldState {
    let mut changes = StateChanges::default();
    let deep = [&[0x5f; 1_000][..], &hex!("5b 6103e8 56")].concat();
    let wide = hex!("5b 5f5f 62100000 5f5f 60ff 5f f1 50 5f56").to_vec();
    for (address, code) in [(DEEP, deep), (WIDE, wide)] {
        let code_hash = keccak256(&code);
        changes.code.insert(code_hash, Bytes::from(code));
        let info = AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() };
        changes.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
    }
    WorldState::of(&changes)
}

fn request(to: Address, gas: u64) -> CallRequest {
    CallRequest { to: Some(to), gas: Some(gas), ..CallRequest::default() }
}

/// A call with so many MiB of input in it.
fn mebibytes(count: u64) -> CallRequest {
    request(WIDE, WIDE_GAS + count * CALL_GAS)
}

fn is_too_long<T>(traced: &Result<T, SimulateError>) -> bool {
    matches!(traced, Err(SimulateError::TraceBytes(_)))
}

#[test]
fn steps_with_more_stack_than_is_kept_are_told_and_without_the_stack_they_are_traced() {
    let deep = request(DEEP, 90_000);
    let erc7562 = GethDebugBuiltInTracerType::Erc7562Tracer;
    let without = GethDebugTracingOptions::default();
    let mut without_stack = without.clone();
    without_stack.config.disable_stack = Some(true);
    let mut first_ones = without.clone();
    first_ones.config.limit = Some(2_000);
    on(&world(), |point| {
        let traced = |options| trace_call(point, &deep, options, &NoMonitor).map(|_| ());
        assert!(is_too_long(&traced(GethDebugTracingOptions::default())));
        assert!(is_too_long(&traced(GethDebugTracingOptions::new_tracer(erc7562))));
        assert!(traced(without_stack).is_ok());
        assert!(traced(first_ones).is_ok());
    });
}

#[test]
fn inputs_are_counted_for_all_calls_of_a_request_together() {
    let types = || [TraceType::Trace].into_iter().collect();
    on(&world(), |point| {
        let one = replay_call(point, &mebibytes(250), &types(), Steps(1), &NoMonitor);
        let frames = one.unwrap().trace.len();
        assert!((240..=251).contains(&frames), "{frames} frames");
        let calls = [(mebibytes(250), types()), (mebibytes(250), types())];
        assert!(is_too_long(&replay_calls(point, &calls, Steps(1), &NoMonitor)));
    });
}

#[test]
fn tracers_within_others_keep_no_more_than_alone() {
    let within = || GethDebugTracingOptions {
        tracer_config: GethDebugTracerConfig(serde_json::json!({"callTracer": {}})),
        ..GethDebugTracingOptions::new_tracer(GethDebugBuiltInTracerType::MuxTracer)
    };
    on(&world(), |point| {
        let traced = |count, options| trace_call(point, &mebibytes(count), options, &NoMonitor).map(|_| ());
        assert!(traced(20, within()).is_ok());
        assert!(is_too_long(&traced(500, within())));
    });
}

//! Contracts in text form, and what comes of calling them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calls;
mod hostile;
mod memory;
mod records;
mod reuse;
mod schema;
mod shipped;
mod state;
mod twins;
mod vetting;

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use parapet_abi::{AccountRecord, ContextRecord};
use parapet_cosmwasm::{Contract, End, Engine, Session};
use parapet_monitor::{Fault, Fuel, MemoryState, StateUpdate, StateView, Subscriptions, Trace};
use parapet_vm::{Alert, HookCall, Subject};

const FUEL_MAX: u64 = 10_000_000;
const STORE: Address = Address::repeat_byte(0x50);
const GUARDED: Address = Address::repeat_byte(0xaa);

/// Where a text contract may put what it works with; below lie its regions, above it allocates.
const HEAP: u32 = 0x8000;

/// What every contract must have, with a heap that only grows. `$answer` is the region of what it answers.
fn prelude(parts: &str) -> String {
    format!(
        r#"(module
            {parts}
            (memory (export "memory") 2)
            (global $next (mut i32) (i32.const {HEAP}))
            (func (export "interface_version_8"))
            (func $allocate (export "allocate") (param $size i32) (result i32) (local $region i32)
                (local.set $region (global.get $next))
                (global.set $next (i32.and (i32.const -8)
                    (i32.add (i32.const 31) (i32.add (local.get $size) (global.get $next)))))
                (i32.store (local.get $region) (i32.add (i32.const 16) (local.get $region)))
                (i32.store offset=4 (local.get $region) (local.get $size))
                (i32.store offset=8 (local.get $region) (local.get $size))
                (local.get $region))
            (func (export "deallocate") (param i32)))"#
    )
}

/// A region, and the bytes it describes, as data segments.
fn region(at: u32, bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let len = u32::try_from(bytes.len()).unwrap();
    let words: String =
        [at + 16, len, len].iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {at}) \"{words}\") (data (i32.const {}) \"{escaped}\")", at + 16)
}

/// Where the answers of text contracts lie.
const OK: u32 = 0x100;
const NO: u32 = 0x200;

/// A contract whose `sudo` is `body`, which leaves the region of its answer: `$ok`, `$no`, or another.
fn contract_with(imports: &str, parts: &str, body: &str) -> Vec<u8> {
    let ok = region(OK, br#"{"ok":{"messages":[],"attributes":[],"events":[],"data":null}}"#);
    let no = region(NO, br#"{"error":"[7] no"}"#);
    let text = prelude(&format!(
        r#"{imports} {ok} {no} {parts}
        (global $ok i32 (i32.const {OK}))
        (global $no i32 (i32.const {NO}))
        (func (export "instantiate") (param $env i32) (param $info i32) (param $message i32) (result i32)
            (global.get $ok))
        (func (export "sudo") (param $env i32) (param $message i32) (result i32) {body})"#
    ));
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn contract(body: &str) -> Vec<u8> {
    contract_with("", "", body)
}

fn load(wasm: &[u8]) -> Arc<Contract> {
    Engine::new().load(keccak256(wasm), Bytes::copy_from_slice(wasm)).unwrap()
}

fn subject() -> Subject {
    Subject {
        attachment: B256::repeat_byte(0x77),
        accounts: vec![AccountRecord { address: GUARDED.into_array().into() }],
        configuration: Bytes::new(),
        subscriptions: Subscriptions::FLOWS,
        fuel_max: Fuel(FUEL_MAX),
        store_account: STORE,
    }
}

fn trace() -> Trace {
    let context = ContextRecord { chain_id: 1, block_number: 2, timestamp: 3, status: 1, ..ContextRecord::default() };
    Trace { context, ..Trace::default() }
}

/// What came of one call.
struct Called {
    end: End,
    fuel: Fuel,
    alerts: Vec<Alert>,
    updates: Vec<StateUpdate>,
}

fn call_as(
    contract: &Arc<Contract>,
    subject: Subject,
    call: HookCall,
    trace: &Trace,
    view: &mut dyn StateView,
) -> Result<Called, Fault> {
    let mut session = Session::new(contract.clone(), Arc::new(subject));
    let end = session.call(call, trace, view)?;
    Ok(Called { end, fuel: session.spent(), alerts: session.take_alerts(), updates: session.into_updates() })
}

fn sudo(contract: &Arc<Contract>) -> Called {
    call_as(contract, subject(), HookCall::OnTx, &trace(), &mut MemoryState::default()).unwrap()
}

//! Vetting refuses what may not run; what runs cannot escape its limits, and computes the same every time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod host;
mod hostile;
mod limits;
mod mutants;
mod specification;
mod state;
mod store;
mod vetting;
mod warm;

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use parapet_monitor::{Fuel, MemoryState, Subscriptions, Trace};
use parapet_vm::{Engine, EngineSettings, HookCall, HookEnd, Session, Subject};

/// Account in whose storage guard state lies in these tests.
const STORE: Address = Address::repeat_byte(0x5a);
const ATTACHMENT: B256 = B256::repeat_byte(0xa7);

const DESCRIPTOR: &str = r#"{"abi":1,"name":"probe","version":"1","triggers":["frame"]}"#;

const IMPORTS: &str = r#"
    (import "parapet_v1" "trace_count" (func $trace_count (param i32) (result i32)))
    (import "parapet_v1" "trace_read" (func $trace_read (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "trace_data" (func $trace_data (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "config_read" (func $config_read (param i32 i32 i32) (result i32)))
    (import "parapet_v1" "state_storage" (func $state_storage (param i32 i32 i32 i32)))
    (import "parapet_v1" "state_balance" (func $state_balance (param i32 i32 i32)))
    (import "parapet_v1" "state_code_hash" (func $state_code_hash (param i32 i32 i32)))
    (import "parapet_v1" "state_storage_at" (func $state_storage_at (param i32 i32 i32 i32 i32)))
    (import "parapet_v1" "state_balance_at" (func $state_balance_at (param i32 i32 i32 i32)))
    (import "parapet_v1" "state_code_hash_at" (func $state_code_hash_at (param i32 i32 i32 i32)))
    (import "parapet_v1" "view_call" (func $view_call (param i32 i32 i32 i32 i32 i64 i32) (result i32)))
    (import "parapet_v1" "view_output" (func $view_output (param i32 i32 i32) (result i32)))
    (import "parapet_v1" "store_get" (func $store_get (param i32 i32 i32) (result i32)))
    (import "parapet_v1" "store_set" (func $store_set (param i32 i32 i32)))
    (import "parapet_v1" "window_add" (func $window_add (param i32 i32 i32 i32 i64) (result i32)))
    (import "parapet_v1" "store_add" (func $store_add (param i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "store_max" (func $store_max (param i32 i32 i32)))
    (import "parapet_v1" "entry_get" (func $entry_get (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "entry_set" (func $entry_set (param i32 i32 i32 i32)))
    (import "parapet_v1" "entry_remove" (func $entry_remove (param i32 i32) (result i32)))
    (import "parapet_v1" "entry_seek" (func $entry_seek (param i32 i32 i32 i32 i32) (result i32)))
    (import "parapet_v1" "keccak256" (func $keccak256 (param i32 i32 i32)))
    (import "parapet_v1" "alert" (func $alert (param i32 i32 i32)))
    (import "parapet_v1" "veto" (func $veto (param i32 i32 i32)))"#;

/// A module with all imports, one page of memory, a descriptor, and `body`.
fn module(body: &str) -> Bytes {
    module_with(DESCRIPTOR, r#"(memory (export "memory") 1)"#, body)
}

fn module_with(descriptor: &str, memory: &str, body: &str) -> Bytes {
    let descriptor = descriptor.replace('"', "\\\"");
    let text = format!(r#"(module {IMPORTS} {memory} {body} (@custom "parapet.guard" "{descriptor}"))"#);
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).into()
}

/// A module whose `on_tx` is `code`.
fn on_tx(code: &str) -> Bytes {
    module(&format!(r#"(func (export "on_tx") {code})"#))
}

fn engine() -> Engine {
    Engine::new(EngineSettings { instances_max: 4, ..EngineSettings::default() }).unwrap()
}

fn subject() -> Subject {
    Subject {
        attachment: ATTACHMENT,
        accounts: Vec::new(),
        configuration: Bytes::from_static(b"configuration"),
        subscriptions: Subscriptions::ACCESSES.union(Subscriptions::FLOWS),
        fuel_max: Fuel(10_000_000),
        store_account: STORE,
    }
}

/// One attachment in one transaction, and what it looks at.
struct Bench {
    engine: Engine,
    subject: Subject,
    trace: Trace,
    state: MemoryState,
}

impl Bench {
    fn new() -> Self {
        Self { engine: engine(), subject: subject(), trace: Trace::default(), state: MemoryState::default() }
    }

    fn session(&self, module: &Bytes) -> Session {
        let guard = self.engine.load(keccak256(module), module.clone()).unwrap_or_else(|error| panic!("{error}"));
        Session::new(guard, Arc::new(self.subject.clone()))
    }

    fn call(&mut self, session: &mut Session, call: HookCall) -> HookEnd {
        session.call(call, &self.trace, &mut self.state).unwrap()
    }

    /// Runs `on_tx` of a fresh session.
    fn run(&mut self, module: &Bytes) -> (HookEnd, Session) {
        let mut session = self.session(module);
        let end = self.call(&mut session, HookCall::OnTx);
        (end, session)
    }
}

/// The words of a veto with code 1: how a probe reports what it found.
fn said(end: HookEnd) -> Bytes {
    match end {
        HookEnd::Vetoed { code: 1, detail } => detail,
        other => panic!("{other:?}"),
    }
}

fn trapped(end: &HookEnd) -> bool {
    matches!(end, HookEnd::Trapped { .. })
}

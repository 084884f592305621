//! Loops of one operator or host call on the guard VM.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use parapet_abi::{AccountRecord, ContextRecord, FrameRecord};
use parapet_monitor::{Fuel, MemoryAccounts, MemoryState, Subscriptions, Trace};
use parapet_vm::{Engine, EngineSettings, Guard, HookCall, HookEnd, Session, Subject};

use crate::{Error, shortest};

/// Turns of a loop.
const TURNS: u32 = 20_000;
/// Alerts are limited in number.
const ALERTS: u32 = 30;
const FUEL_MAX: u64 = 1_000_000_000;

/// What one turn takes, beyond the loop itself.
pub(crate) struct Price {
    pub(crate) name: &'static str,
    pub(crate) ns: f64,
    pub(crate) fuel: f64,
}

struct Loop {
    name: &'static str,
    turns: u32,
    body: &'static str,
}

/// A loop's body. Memory is zero; a key of 8 bytes lies at 0, an address at 64, a slot at 96, results go to 1024.
const LOOPS: [Loop; 18] = [
    Loop::of("instance and empty hook", ""),
    Loop::of("integer addition", "(local.set $x (i64.add (local.get $x) (i64.const 3)))"),
    Loop::of("load and store", "(i64.store (i32.const 8) (i64.load (i32.const 16)))"),
    Loop::of("division", "(local.set $x (i64.div_u (i64.const 123456789) (i64.or (local.get $x) (i64.const 3))))"),
    Loop::of("call of a function", "(call $nothing)"),
    Loop::of("trace_count", "(drop (call $trace_count (i32.const 2)))"),
    Loop::of(
        "trace_read, one frame",
        "(drop (call $trace_read (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 1024) (i32.const 192)))",
    ),
    Loop::of(
        "trace_read, ten frames",
        "(drop (call $trace_read (i32.const 2) (i32.const 0) (i32.const 10) (i32.const 1024) (i32.const 192)))",
    ),
    Loop::of(
        "trace_data, 1,024 bytes",
        "(drop (call $trace_data (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1024)))",
    ),
    Loop::of("config_read, 32 bytes", "(drop (call $config_read (i32.const 0) (i32.const 1024) (i32.const 32)))"),
    Loop::of("state_storage", "(call $state_storage (i32.const 1) (i32.const 64) (i32.const 96) (i32.const 1024))"),
    Loop::of("state_balance", "(call $state_balance (i32.const 1) (i32.const 64) (i32.const 1024))"),
    Loop::of("state_code_hash", "(call $state_code_hash (i32.const 1) (i32.const 64) (i32.const 1024))"),
    Loop::of("store_get", "(drop (call $store_get (i32.const 0) (i32.const 8) (i32.const 1024)))"),
    Loop::of("store_set", "(call $store_set (i32.const 0) (i32.const 8) (i32.const 96))"),
    Loop::of(
        "window_add",
        "(drop (call $window_add (i32.const 0) (i32.const 8) (i32.const 96) (i32.const 128) (i64.const 60)))",
    ),
    Loop::of("keccak256, 1,024 bytes", "(call $keccak256 (i32.const 0) (i32.const 1024) (i32.const 2048))"),
    Loop { name: "alert, 64 bytes", turns: ALERTS, body: "(call $alert (i32.const 1) (i32.const 0) (i32.const 64))" },
];

impl Loop {
    const fn of(name: &'static str, body: &'static str) -> Self {
        Self { name, turns: TURNS, body }
    }

    fn module(&self, turns: u32) -> Result<Bytes, Error> {
        let body = self.body;
        let text = format!(
            r#"(module
              (import "parapet_v1" "trace_count" (func $trace_count (param i32) (result i32)))
              (import "parapet_v1" "trace_read" (func $trace_read (param i32 i32 i32 i32 i32) (result i32)))
              (import "parapet_v1" "trace_data" (func $trace_data (param i32 i32 i32 i32 i32) (result i32)))
              (import "parapet_v1" "config_read" (func $config_read (param i32 i32 i32) (result i32)))
              (import "parapet_v1" "state_storage" (func $state_storage (param i32 i32 i32 i32)))
              (import "parapet_v1" "state_balance" (func $state_balance (param i32 i32 i32)))
              (import "parapet_v1" "state_code_hash" (func $state_code_hash (param i32 i32 i32)))
              (import "parapet_v1" "store_get" (func $store_get (param i32 i32 i32) (result i32)))
              (import "parapet_v1" "store_set" (func $store_set (param i32 i32 i32)))
              (import "parapet_v1" "window_add" (func $window_add (param i32 i32 i32 i32 i64) (result i32)))
              (import "parapet_v1" "keccak256" (func $keccak256 (param i32 i32 i32)))
              (import "parapet_v1" "alert" (func $alert (param i32 i32 i32)))
              (memory (export "memory") 1)
              (func $nothing)
              (func (export "on_tx") (local $i i32) (local $x i64)
                (loop $again
                  {body}
                  (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {turns}))))
                (i64.store (i32.const 40960) (local.get $x)))
              (@custom "parapet.guard"
                "{{\"abi\":1,\"name\":\"price\",\"version\":\"1\",\"triggers\":[\"frame\"],\"subscribes\":[]}}"))"#
        );
        let wasm = wat::parse_str(&text).map_err(|error| self.fail(error.to_string()))?;
        Ok(wasm.into())
    }

    fn fail(&self, reason: String) -> Error {
        Error::Guard { name: self.name, reason }
    }
}

/// What each turn takes; the first is what is there before the first turn.
pub(crate) fn measure() -> Result<Vec<Price>, Error> {
    let engine = Engine::new(EngineSettings::default())?;
    let trace = trace();
    let once = run(&engine, &LOOPS[0], 1, &trace)?;
    let empty = run(&engine, &LOOPS[0], TURNS, &trace)?;
    let per_turn = |(ns, fuel): (f64, f64), turns: u32| {
        let turns = f64::from(turns);
        ((ns - once.0) / turns, (fuel - once.1) / turns)
    };
    let idle = per_turn(empty, TURNS);
    let mut prices = vec![Price { name: LOOPS[0].name, ns: once.0, fuel: once.1 }];
    prices.push(Price { name: "empty turn", ns: idle.0, fuel: idle.1 });
    for measured in &LOOPS[1..] {
        let all = per_turn(run(&engine, measured, measured.turns, &trace)?, measured.turns);
        prices.push(Price { name: measured.name, ns: all.0 - idle.0, fuel: all.1 - idle.1 });
    }
    Ok(prices)
}

fn run(engine: &Engine, measured: &Loop, turns: u32, trace: &Trace) -> Result<(f64, f64), Error> {
    let bytes = measured.module(turns)?;
    let guard = engine.load(keccak256(&bytes), bytes).map_err(|error| measured.fail(error.to_string()))?;
    guard.prepare().map_err(|reason| measured.fail(reason))?;
    let subject = Arc::new(Subject {
        attachment: B256::repeat_byte(1),
        accounts: vec![AccountRecord { address: Address::repeat_byte(2).into_array().into() }],
        configuration: Bytes::from(vec![7; 64]),
        subscriptions: Subscriptions::NONE,
        fuel_max: Fuel(FUEL_MAX),
        store_account: Address::repeat_byte(3),
    });
    let mut view = MemoryState::unchanged(MemoryAccounts::new());
    let (ns, fuel) = shortest(|| session(&guard, &subject, trace, &mut view, measured))?;
    Ok((ns, fuel.0 as f64))
}

fn session(
    guard: &Arc<Guard>,
    subject: &Arc<Subject>,
    trace: &Trace,
    view: &mut MemoryState,
    measured: &Loop,
) -> Result<Fuel, Error> {
    let mut session = Session::new(guard.clone(), subject.clone());
    match session.call(HookCall::OnTx, trace, view) {
        Ok(HookEnd::Returned) => Ok(session.spent()),
        other => Err(measured.fail(format!("{other:?}"))),
    }
}

fn trace() -> Trace {
    let frames = 10;
    Trace {
        context: ContextRecord { timestamp: 1_000, ..ContextRecord::default() },
        frames: vec![FrameRecord::default(); frames],
        inputs: vec![Bytes::from(vec![9; 2_048]); frames],
        outputs: vec![Bytes::new(); frames],
        ..Trace::default()
    }
}

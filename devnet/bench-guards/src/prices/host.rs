//! Loops of one operator or host call on the guard VM, over a state in memory, and what memory costs.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use parapet_abi::{AccountRecord, ContextRecord, FrameRecord};
use parapet_monitor::{Fuel, MemoryAccounts, MemoryState, Subscriptions, Trace};
use parapet_vm::{Engine, EngineSettings, Guard, HookCall, HookEnd, Session, Subject};

use super::{Price, shortest};
use crate::{BenchError, guards};

/// Turns of a loop.
const TURNS: u32 = 20_000;
/// Alerts are limited in number.
const ALERTS: u32 = 30;
const FUEL_MAX: u64 = 1_000_000_000;

/// An `on_tx` that writes a byte into each system page below an address.
macro_rules! touching {
    ($end:literal) => {
        touching!($end, "")
    };
    ($end:literal, $first:literal) => {
        concat!(
            r#"(func (export "on_tx") (local $i i32) "#,
            $first,
            "(loop $again (i32.store8 (local.get $i) (i32.const 1))",
            "(br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4096))) (i32.const ",
            $end,
            ")))))"
        )
    };
}

struct Loop {
    name: &'static str,
    turns: u32,
    body: &'static str,
}

/// A loop's body. Memory is zero; a key of 8 bytes lies at 0, an address at 64, a slot at 96, results go to 1024.
const LOOPS: [Loop; 35] = [
    Loop::of("instance and empty hook", ""),
    Loop::of("integer addition", "(local.set $x (i64.add (local.get $x) (i64.const 3)))"),
    Loop::of("load and store", "(i64.store (i32.const 8) (i64.load (i32.const 16)))"),
    Loop::of("division", "(local.set $x (i64.div_u (i64.const 123456789) (i64.or (local.get $x) (i64.const 3))))"),
    Loop::of("call of a function", "(call $nothing)"),
    Loop::of("branch taken", "(block (br_if 0 (i32.const 1)) (local.set $x (i64.const 0)))"),
    Loop::of("indirect call", "(call_indirect (type $nothing) (i32.const 0))"),
    Loop::of("global set and get", "(global.set $g (i64.add (global.get $g) (i64.const 3)))"),
    // Each load says where the next one is, within 256 KiB and within 4 MiB, so that none is had ahead.
    Loop::of(
        "chased load, 256 KiB",
        "(local.set $i2 (i32.and (i32.add (i32.load (local.get $i2)) (i32.mul (local.get $i2) (i32.const 1664525))) (i32.const 0x3fffc)))",
    ),
    Loop::of("memory.fill, 4,096 bytes", "(memory.fill (i32.const 4096) (i32.const 0) (i32.const 4096))"),
    Loop::of("memory.copy, 4,096 bytes", "(memory.copy (i32.const 8192) (i32.const 4096) (i32.const 4096))"),
    Loop::of("memory.copy, no bytes", "(memory.copy (i32.const 8192) (i32.const 4096) (i32.const 0))"),
    Loop::of("trace_count", "(drop (call $trace_count (i32.const 3)))"),
    Loop::of(
        "trace_read, one frame",
        "(drop (call $trace_read (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 1024) (i32.const 192)))",
    ),
    Loop::of(
        "trace_read, ten frames",
        "(drop (call $trace_read (i32.const 3) (i32.const 0) (i32.const 10) (i32.const 1024) (i32.const 192)))",
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
    Loop::of("store_get of a long key", "(drop (call $store_get (i32.const 0) (i32.const 256) (i32.const 1024)))"),
    Loop::of("store_add", "(drop (call $store_add (i32.const 0) (i32.const 8) (i32.const 96) (i32.const 128)))"),
    Loop::of("store_max", "(call $store_max (i32.const 0) (i32.const 8) (i32.const 96))"),
    Loop {
        name: "store_set of another word each time",
        turns: 250,
        body: "(i32.store (i32.const 0) (local.get $i)) (call $store_set (i32.const 0) (i32.const 8) (i32.const 96))",
    },
    Loop {
        name: "window_add of another word each time",
        turns: 250,
        body: "(i32.store (i32.const 0) (local.get $i)) (drop (call $window_add (i32.const 0) (i32.const 8) (i32.const 96) (i32.const 128) (i64.const 60)))",
    },
    Loop {
        name: "entry_set of another entry each time",
        turns: 250,
        body: "(i32.store (i32.const 0) (i32.mul (local.get $i) (i32.const 0x9e3779b1))) (call $entry_set (i32.const 0) (i32.const 8) (i32.const 96) (i32.const 8))",
    },
    Loop {
        name: "entry_set of 8,192 bytes",
        turns: 7,
        body: "(i32.store (i32.const 0) (local.get $i)) (call $entry_set (i32.const 0) (i32.const 8) (i32.const 8192) (i32.const 8192))",
    },
    Loop {
        name: "entry_set and entry_seek",
        turns: 250,
        body: "(i32.store (i32.const 0) (i32.mul (local.get $i) (i32.const 0x9e3779b1))) (call $entry_set (i32.const 0) (i32.const 8) (i32.const 96) (i32.const 8)) (drop (call $entry_seek (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 1024) (i32.const 32)))",
    },
    Loop::of(
        "entry_get of nothing",
        "(drop (call $entry_get (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 1024) (i32.const 32)))",
    ),
    Loop::of("keccak256 of nothing", "(call $keccak256 (i32.const 0) (i32.const 0) (i32.const 2048))"),
    Loop::of("keccak256, 1,024 bytes", "(call $keccak256 (i32.const 0) (i32.const 1024) (i32.const 2048))"),
    Loop { name: "alert, 64 bytes", turns: ALERTS, body: "(call $alert (i32.const 1) (i32.const 0) (i32.const 64))" },
];

/// Guards that make the host's memory work, once in a transaction: name, pages they start with, functions.
const MEMORY: [(&str, u32, &str); 6] = [
    ("4 pages, nothing touched", 4, "(func (export \"on_tx\"))"),
    ("4 pages, a byte in each 4 KiB", 4, touching!("262144")),
    ("64 pages, nothing touched", 64, "(func (export \"on_tx\"))"),
    ("64 pages, a byte in each 4 KiB", 64, touching!("4194304")),
    ("63 pages grown, nothing touched", 1, "(func (export \"on_tx\") (drop (memory.grow (i32.const 63))))"),
    (
        "63 pages grown, a byte in each 4 KiB",
        1,
        concat!("(func $grow (drop (memory.grow (i32.const 63))))", touching!("4194304", "(call $grow)")),
    ),
];

impl Loop {
    const fn of(name: &'static str, body: &'static str) -> Self {
        Self { name, turns: TURNS, body }
    }

    fn fail(&self, reason: String) -> BenchError {
        BenchError::Module { name: self.name.to_owned(), reason }
    }
}

/// What each turn takes; the first is what is there before the first turn.
pub(super) fn measure() -> Result<Vec<Price>, BenchError> {
    let engine = Engine::new(EngineSettings::default())?;
    let trace = trace();
    let once = turned(&engine, &LOOPS[0], 1, &trace)?;
    let empty = turned(&engine, &LOOPS[0], TURNS, &trace)?;
    let per_turn = |(ns, fuel): (f64, f64), turns: u32| {
        let turns = f64::from(turns);
        ((ns - once.0) / turns, (fuel - once.1) / turns)
    };
    let idle = per_turn(empty, TURNS);
    let price = |name: &str, ns, paid| Price { name: name.to_owned(), ns, paid };
    let mut prices = vec![price(LOOPS[0].name, once.0, once.1), price("empty turn", idle.0, idle.1)];
    for measured in &LOOPS[1..] {
        let all = per_turn(turned(&engine, measured, measured.turns, &trace)?, measured.turns);
        prices.push(price(measured.name, all.0 - idle.0, all.1 - idle.1));
    }
    for (name, pages, functions) in MEMORY {
        let module = guards::module(name, pages, functions)?;
        let (ns, fuel) = run(&engine, &Loop::of(name, ""), module, &trace)?;
        prices.push(price(name, ns, fuel));
    }
    Ok(prices)
}

fn turned(engine: &Engine, measured: &Loop, turns: u32, trace: &Trace) -> Result<(f64, f64), BenchError> {
    run(engine, measured, guards::looping(measured.name, measured.body, turns)?, trace)
}

fn run(engine: &Engine, measured: &Loop, bytes: Bytes, trace: &Trace) -> Result<(f64, f64), BenchError> {
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
) -> Result<Fuel, BenchError> {
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

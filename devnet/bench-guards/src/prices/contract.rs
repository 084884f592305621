//! Loops of one operator or host call in a CosmWasm contract, over a state in memory, and what its memory and its failures
//! cost.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, hex, keccak256};
use parapet_abi::{AccountRecord, ContextRecord, FrameRecord};
use parapet_cosmwasm::{Contract, End, Engine, Session};
use parapet_monitor::{Fuel, MemoryAccounts, MemoryState, StateOp, Subscriptions, Trace};
use parapet_vm::{HookCall, Subject};

use super::{Price, shortest};
use crate::BenchError;

/// Turns of a loop.
const TURNS: u32 = 10_000;
/// Turns of a loop whose turn takes long, or is limited in number.
const FEW: u32 = 50;
const FUEL_MAX: u64 = 1_000_000_000;
const STORE: Address = Address::repeat_byte(3);

macro_rules! touching {
    () => {
        "(local.set $at (i32.const 8192))
        (loop $again (i32.store8 (local.get $at) (i32.const 1))
            (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096)))
                (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4096)))))"
    };
}
/// The number of frames stands behind the header that is read, at 4.
macro_rules! trapping {
    ($first:expr) => {
        concat!($first, "(if (i32.load offset=4 (i32.load (call $db_read (global.get $records)))) (then unreachable))")
    };
}

struct Loop {
    name: &'static str,
    turns: u32,
    body: &'static str,
}

/// A loop's body. `$i` counts turns. Regions lie at `$key` (8 bytes at 512), `$value` (8 bytes), `$long` (8,192 bytes),
/// `$records` (the key of frame records), `$address` (an account's) and `$question` (for its storage).
const LOOPS: [Loop; 23] = [
    Loop::of("instance and empty sudo", TURNS, ""),
    Loop::of("integer addition", TURNS, "(local.set $x (i64.add (local.get $x) (i64.const 3)))"),
    Loop::of("load and store", TURNS, "(i64.store (i32.const 8) (i64.load (i32.const 16)))"),
    Loop::of(
        "division",
        TURNS,
        "(local.set $x (i64.div_u (i64.const 123456789) (i64.or (local.get $x) (i64.const 3))))",
    ),
    Loop::of("call of a function", TURNS, "(call $nothing)"),
    Loop::of("branch taken", TURNS, "(block (br_if 0 (i32.const 1)) (local.set $x (i64.const 0)))"),
    Loop::of("indirect call", TURNS, "(call_indirect (type $none) (i32.const 0))"),
    Loop::of("global set and get", TURNS, "(global.set $g (i64.add (global.get $g) (i64.const 3)))"),
    // Each load says where the next one is, within 128 KiB, so that none is had ahead.
    Loop::of(
        "chased load, 128 KiB",
        TURNS,
        "(local.set $at (i32.and (i32.add (i32.load (local.get $at)) (i32.mul (local.get $at) (i32.const 1664525))) (i32.const 0x1fffc)))",
    ),
    Loop::of("records, ten frames", TURNS, "(drop (call $db_read (global.get $records)))"),
    Loop::of("db_read of nothing", TURNS, "(drop (call $db_read (global.get $key)))"),
    Loop::of("db_write of one entry", TURNS, "(call $db_write (global.get $key) (global.get $value))"),
    Loop::of(
        "db_write of another entry each time",
        FEW,
        "(i32.store (i32.const 512) (i32.mul (local.get $i) (i32.const 0x9e3779b1))) (call $db_write (global.get $key) (global.get $value))",
    ),
    Loop::of(
        "db_write of 8,192 bytes",
        3,
        "(i32.store (i32.const 512) (local.get $i)) (call $db_write (global.get $key) (global.get $long))",
    ),
    Loop::of(
        "db_write and db_remove",
        TURNS,
        "(call $db_write (global.get $key) (global.get $value)) (call $db_remove (global.get $key))",
    ),
    Loop::of(
        "db_scan and db_next of nothing",
        FEW,
        "(drop (call $db_next (call $db_scan (i32.const 0) (i32.const 0) (i32.const 1))))",
    ),
    Loop::of("query of a storage word", TURNS, "(drop (call $query_chain (global.get $question)))"),
    Loop::of("addr_validate", TURNS, "(drop (call $addr_validate (global.get $address)))"),
    Loop::of(
        "addr_canonicalize",
        TURNS,
        "(drop (call $addr_canonicalize (global.get $address) (call $allocate (i32.const 64))))",
    ),
    Loop::of(
        "addr_humanize",
        TURNS,
        "(drop (call $addr_humanize (global.get $canonical) (call $allocate (i32.const 64))))",
    ),
    Loop::of("debug", TURNS, "(call $debug (global.get $address))"),
    Loop::of(
        "ed25519_verify",
        FEW,
        "(if (call $ed25519_verify (global.get $empty) (global.get $signature) (global.get $public)) (then unreachable))",
    ),
    Loop::of(
        "bls12_381_hash_to_g1",
        FEW,
        "(if (call $bls12_381_hash_to_g1 (i32.const 0) (global.get $address) (global.get $address) (call $allocate (i32.const 48))) (then unreachable))",
    ),
];

/// What a `sudo` does once to the host's memory: name, pages that the contract starts with, body.
const MEMORY: [(&str, u32, &str); 7] = [
    ("4 pages, a byte in each 4 KiB", 4, TOUCHING),
    ("32 pages, nothing touched", 32, ""),
    ("32 pages, a byte in each 4 KiB", 32, TOUCHING),
    ("64 pages, nothing touched", 64, ""),
    ("64 pages, a byte in each 4 KiB", 64, TOUCHING),
    ("60 pages grown, nothing touched", 4, "(drop (memory.grow (i32.const 60)))"),
    ("60 pages grown, a byte in each 4 KiB", 4, GROWING),
];

const TOUCHING: &str = touching!();
const GROWING: &str = concat!("(drop (memory.grow (i32.const 60)))", touching!());

/// Calls that do not return, so that the next one needs an instance of its own: name, pages, body. They trap only where there
/// are frames, so that the contract's state has been made before.
const TRAPS: [(&str, u32, &str); 2] = [
    ("a trap at once", 4, trapping!("")),
    ("a trap with a byte in each 4 KiB of 32 pages", 32, trapping!(touching!())),
];

/// A signature of no bytes (RFC 8032, section 7.1, test 1), and the key that made it.
const SIGNATURE: [u8; 64] = hex!(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
);
const PUBLIC: [u8; 32] = hex!("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

impl Loop {
    const fn of(name: &'static str, turns: u32, body: &'static str) -> Self {
        Self { name, turns, body }
    }
}

/// What each turn takes; the first is what is there before the first turn.
pub(super) fn measure() -> Result<Vec<Price>, BenchError> {
    let price = |name: &str, ns, paid| Price { name: name.to_owned(), ns, paid };
    let once = turned(&LOOPS[0], 1)?;
    let idle = turned(&LOOPS[0], TURNS)?;
    let per_turn =
        |all: (f64, f64), turns: u32| ((all.0 - once.0) / f64::from(turns), (all.1 - once.1) / f64::from(turns));
    let idle = per_turn(idle, TURNS);
    let mut prices = vec![price(LOOPS[0].name, once.0, once.1), price("empty turn", idle.0, idle.1)];
    for measured in &LOOPS[1..] {
        let all = per_turn(turned(measured, measured.turns)?, measured.turns);
        prices.push(price(measured.name, all.0 - idle.0, all.1 - idle.1));
    }
    for (name, pages, body) in MEMORY {
        let (ns, fuel) = run(name, pages, body, |end| *end == End::Returned)?;
        prices.push(price(name, ns, fuel));
    }
    for (name, pages, body) in TRAPS {
        let (ns, fuel) = run(name, pages, body, |end| matches!(end, End::Trapped { .. }))?;
        prices.push(price(name, ns, fuel));
    }
    Ok(prices)
}

fn turned(measured: &Loop, turns: u32) -> Result<(f64, f64), BenchError> {
    let body = format!(
        "(loop $again {}
            (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {turns}))))
        (i64.store (i32.const 24) (i64.add (local.get $x) (i64.extend_i32_u (local.get $at))))",
        measured.body
    );
    run(measured.name, 4, &body, |end| *end == End::Returned)
}

fn run(name: &str, pages: u32, body: &str, expected: impl Fn(&End) -> bool) -> Result<(f64, f64), BenchError> {
    let fail = |reason: String| BenchError::Module { name: name.to_owned(), reason };
    let bytes = Bytes::from(wat::parse_str(contract(pages, body)).map_err(|error| fail(error.to_string()))?);
    let contract = Engine::new().load(keccak256(&bytes), bytes).map_err(|error| fail(error.to_string()))?;
    contract.prepare().map_err(fail)?;
    let subject = Arc::new(Subject {
        attachment: B256::repeat_byte(1),
        accounts: vec![AccountRecord { address: Address::repeat_byte(2).into_array().into() }],
        configuration: Bytes::new(),
        subscriptions: Subscriptions::NONE,
        fuel_max: Fuel(FUEL_MAX),
        store_account: STORE,
    });
    let trace = trace();
    let mut view = MemoryState::unchanged(MemoryAccounts::new());
    settle(&contract, &subject, &mut view)?;
    let (ns, fuel) = shortest(|| {
        let mut session = Session::new(contract.clone(), subject.clone());
        let end = session.call(HookCall::OnTx, &trace, &mut view)?;
        if expected(&end) { Ok(session.spent()) } else { Err(fail(format!("{end:?}"))) }
    })?;
    Ok((ns, fuel.0 as f64))
}

/// Keeps what a first transaction, without frames, stores, as a chain does, so that later ones find the contract
/// instantiated.
fn settle(contract: &Arc<Contract>, subject: &Arc<Subject>, view: &mut MemoryState) -> Result<(), BenchError> {
    let mut session = Session::new(contract.clone(), subject.clone());
    session.call(HookCall::OnTx, &Trace::default(), view)?;
    for update in session.into_updates() {
        for accounts in [&mut view.pre_tx, &mut view.now] {
            let word = accounts.entry(STORE).or_default().storage.entry(update.slot).or_default();
            *word = StateOp::apply_all(&update.ops, *word).unwrap_or(*word);
        }
    }
    Ok(())
}

/// A contract that does `body` when it judges. What the host writes always goes to the second page.
fn contract(pages: u32, body: &str) -> String {
    let region = |at: u32, start: u32, len: usize| {
        let words = [start, len as u32, len as u32].map(u32::to_le_bytes).concat();
        format!("(data (i32.const {at}) \"{}\")", escaped(&words))
    };
    let held = |name: &str, at: u32, start: u32, bytes: &[u8]| {
        format!(
            "(global ${name} i32 (i32.const {at})) {} (data (i32.const {start}) \"{}\")",
            region(at, start, bytes.len()),
            escaped(bytes)
        )
    };
    let long = format!("(global $long i32 (i32.const 288)) {}", region(288, 8_192, 8_192));
    let address = hex::encode_prefixed([0xca; 20]);
    let question = format!(
        r#"{{"custom":{{"storage":{{"fork":"now","address":"{address}","slot":"{}"}}}}}}"#,
        hex::encode_prefixed([0; 32])
    );
    let records = [b"\0parapet.records".as_slice(), &[3], &0_u32.to_be_bytes()].concat();
    let regions = [
        held("key", 256, 512, &[0; 8]),
        held("value", 272, 528, &[7; 8]),
        long,
        held("records", 304, 544, &records),
        held("address", 320, 576, address.as_bytes()),
        held("canonical", 336, 624, &[0xca; 20]),
        held("empty", 352, 648, &[]),
        held("signature", 368, 656, &SIGNATURE),
        held("public", 384, 720, &PUBLIC),
        held("ok", 400, 768, br#"{"ok":{}}"#),
        held("question", 416, 800, question.as_bytes()),
    ]
    .concat();
    format!(
        r#"(module
            (type $none (func))
            (import "env" "db_read" (func $db_read (param i32) (result i32)))
            (import "env" "db_write" (func $db_write (param i32 i32)))
            (import "env" "db_remove" (func $db_remove (param i32)))
            (import "env" "db_scan" (func $db_scan (param i32 i32 i32) (result i32)))
            (import "env" "db_next" (func $db_next (param i32) (result i32)))
            (import "env" "query_chain" (func $query_chain (param i32) (result i32)))
            (import "env" "addr_validate" (func $addr_validate (param i32) (result i32)))
            (import "env" "addr_canonicalize" (func $addr_canonicalize (param i32 i32) (result i32)))
            (import "env" "addr_humanize" (func $addr_humanize (param i32 i32) (result i32)))
            (import "env" "debug" (func $debug (param i32)))
            (import "env" "ed25519_verify" (func $ed25519_verify (param i32 i32 i32) (result i32)))
            (import "env" "bls12_381_hash_to_g1" (func $bls12_381_hash_to_g1 (param i32 i32 i32 i32) (result i32)))
            (table 1 1 funcref) (elem (i32.const 0) $nothing)
            (memory (export "memory") {pages})
            (global $g (mut i64) (i64.const 0))
            {regions}
            (func $nothing)
            (func (export "interface_version_8"))
            (func $allocate (export "allocate") (param $size i32) (result i32)
                (i32.store (i32.const 432) (i32.const 65536))
                (i32.store (i32.const 436) (local.get $size))
                (i32.store (i32.const 440) (i32.const 0))
                (i32.const 432))
            (func (export "deallocate") (param i32))
            (func (export "instantiate") (param i32 i32 i32) (result i32) (global.get $ok))
            (func (export "sudo") (param i32 i32) (result i32) (local $i i32) (local $at i32) (local $x i64)
                {body}
                (global.get $ok))
            (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"measured\",\"version\":\"1\",\"triggers\":[\"frame\"],\"message\":[]}}"))"#
    )
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

fn trace() -> Trace {
    let frames = 10;
    Trace {
        context: ContextRecord { timestamp: 1_000, ..ContextRecord::default() },
        frames: vec![FrameRecord::default(); frames],
        inputs: vec![Bytes::new(); frames],
        outputs: vec![Bytes::new(); frames],
        ..Trace::default()
    }
}

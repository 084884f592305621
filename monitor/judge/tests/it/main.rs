//! Attachments wake, judge in order, act as they declared, and cannot be avoided.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod admission;
mod failures;
mod fuel;
mod index;
mod triggers;
mod verdicts;
mod waking;

use std::cell::Cell;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_abi::{ContextRecord, FlowRecord, FrameRecord, FrameStatus};
use parapet_judge::Judge;
use parapet_monitor::{
    Decision, Fork, Fuel, Judgement, MemoryAccounts, MemoryState, Mode, Monitor, Outcome, Trace, Veto,
};
use parapet_registry::{Attachment, RegistryImage, RegistryReader};
use parapet_vm::{Engine, EngineSettings};

const VAULT: Address = Address::repeat_byte(0x11);
const USER: Address = Address::repeat_byte(0x22);
const OTHER: Address = Address::repeat_byte(0x33);

const ON_CALL: &str = r#"(func (export "on_call") (param i32)"#;
const ON_TX: &str = r#"(func (export "on_tx")"#;

thread_local! {
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
}

/// Each look at this clock is 10 ns later.
fn clock() -> u64 {
    NOW_NS.replace(NOW_NS.get() + 10)
}

/// A guard with one trigger and `body`.
fn guard(trigger: &str, body: &str) -> Bytes {
    guard_subscribing(trigger, "", body)
}

fn guard_subscribing(trigger: &str, subscribes: &str, body: &str) -> Bytes {
    guard_described(&format!("\"{trigger}\""), subscribes, body)
}

/// A guard with one trigger in JSON, and `body`.
fn guard_described(trigger: &str, subscribes: &str, body: &str) -> Bytes {
    module(trigger, subscribes, "", body)
}

/// The same with one parameter.
fn guard_with_parameter(trigger: &str, name: &str, ty: &str, body: &str) -> Bytes {
    module(trigger, "", &format!(r#"{{"name":"{name}","type":"{ty}"}}"#), body)
}

fn module(trigger: &str, subscribes: &str, parameters: &str, body: &str) -> Bytes {
    let escaped = |json: &str| json.replace('"', "\\\"");
    let (trigger, parameters) = (escaped(trigger), escaped(parameters));
    let text = format!(
        r#"(module
            (import "parapet_v1" "alert" (func $alert (param i32 i32 i32)))
            (import "parapet_v1" "veto" (func $veto (param i32 i32 i32)))
            (import "parapet_v1" "store_set" (func $store_set (param i32 i32 i32)))
            (import "parapet_v1" "config_read" (func $config_read (param i32 i32 i32) (result i32)))
            (memory (export "memory") 1) {body}
            (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"probe\",\"version\":\"1\",\"triggers\":[{trigger}],\"subscribes\":[{subscribes}],\"parameters\":[{parameters}]}}"))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).into()
}

fn say(what: &str, code: u16) -> String {
    format!("(call ${what} (i32.const {code}) (i32.const 0) (i32.const 0))")
}

/// A guard that vetoes with `code` when a frame touches its account.
fn vetoing(code: u16) -> Bytes {
    guard("frame", &format!("{ON_CALL} {})", say("veto", code)))
}

/// A chain on which nothing but the registry matters.
#[derive(Clone, Default)]
struct Chain {
    image: RegistryImage,
    next: u8,
}

impl Chain {
    /// Attaches a guard to the vault, enforcing and closed, and gives the attachment for changes.
    fn attach(&mut self, module: Bytes) -> &mut Attachment {
        let hash = keccak256(&module);
        if !self.image.modules.contains(&module) {
            self.image.register(module);
        }
        self.next += 1;
        self.image.attachments.push(Attachment {
            id: B256::with_last_byte(self.next),
            module: hash,
            manager: USER,
            mode: Some(Mode::Enforce),
            fuel_max: Fuel(1_000_000),
            attached_at: 1,
            accounts: vec![VAULT],
            ..Attachment::default()
        });
        self.image.attachments.last_mut().unwrap()
    }

    fn accounts(&self) -> MemoryAccounts {
        let mut accounts = MemoryAccounts::new();
        self.image.write(&mut accounts);
        accounts
    }

    fn state(&self) -> MemoryState {
        MemoryState::unchanged(self.accounts())
    }
}

fn judge() -> Judge {
    Judge::with_clock(Engine::new(EngineSettings { instances_max: 128, ..EngineSettings::default() }).unwrap(), clock)
}

fn context(target: Address) -> ContextRecord {
    ContextRecord { target: target.into_array().into(), ..ContextRecord::default() }
}

fn frame(caller: Address, target: Address, wei: u64) -> FrameRecord {
    FrameRecord {
        caller: caller.into_array().into(),
        target: target.into_array().into(),
        code_address: target.into_array().into(),
        value: U256::from(wei).to_be_bytes(),
        ..FrameRecord::default()
    }
}

/// A transaction: its frames, all ended by `status`, and its flows.
#[derive(Clone)]
struct Tx {
    frames: Vec<FrameRecord>,
    flows: Vec<FlowRecord>,
    status: FrameStatus,
}

impl Tx {
    fn calling(target: Address) -> Self {
        Self { frames: vec![frame(USER, target, 0)], flows: Vec::new(), status: FrameStatus::Succeeded }
    }
}

/// What became of a transaction.
#[derive(Debug)]
struct Judged {
    veto: Option<Veto>,
    judgement: Judgement,
}

impl Judged {
    fn outcomes(&self) -> Vec<(u8, Outcome, u16)> {
        let verdicts = self.judgement.verdicts.iter();
        verdicts.map(|verdict| (verdict.attachment.0[31], verdict.outcome, verdict.code)).collect()
    }

    fn veto_code(&self) -> Option<u16> {
        self.veto.as_ref().map(|veto| veto.code)
    }
}

/// Runs a transaction as the executor does, frames one inside the other, until a veto.
fn execute(judge: &Judge, state: &mut MemoryState, tx: &Tx) -> Judged {
    let target = tx.frames.first().map_or(Address::ZERO, |frame| Address::from(frame.target.bytes));
    let mut trace = Trace { context: context(target), ..Trace::default() };
    let Some(mut judging) = judge.open(&trace.context, state).unwrap() else {
        return Judged { veto: None, judgement: Judgement::default() };
    };
    let mut veto = None;
    for (id, frame) in (0..).zip(&tx.frames) {
        trace.frames.push(FrameRecord { id, ..*frame });
        note(&mut veto, || judging.on_call(&trace, id, state).unwrap());
    }
    for id in (0..trace.frames.len()).rev() {
        (trace.frames[id].end_seq, trace.frames[id].status) = (1, tx.status.into());
        note(&mut veto, || judging.on_call_end(&trace, id as u32, state).unwrap());
    }
    trace.context.status = tx.status.into();
    trace.flows.clone_from(&tx.flows);
    note(&mut veto, || judging.on_tx(&trace, state).unwrap());
    Judged { veto, judgement: judging.close() }
}

fn note(veto: &mut Option<Veto>, ask: impl FnOnce() -> Decision) {
    if veto.is_none()
        && let Decision::Veto(found) = ask()
    {
        *veto = Some(found);
    }
}

/// Executes on a fresh judge.
fn run(chain: &Chain, tx: &Tx) -> Judged {
    execute(&judge(), &mut chain.state(), tx)
}

fn first_chunk(chain: &Chain, module: B256) -> Address {
    let mut state = chain.state();
    RegistryReader::new(&mut state, Fork::PreTx).module(module).unwrap().chunks[0]
}

//! State at forks and static calls, as guards see them: what is given, what is charged, what is refused.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_abi::{FrameRecord, FrameStatus};
use parapet_monitor::{
    CallOutcome, CallRequest, CallStatus, Fault, Fork, MemoryAccount, StateFault, StateView, VIEW_GAS_MAX,
};
use parapet_vm::{HookCall, HookEnd, Limit, Session, metering};

use crate::{Bench, module, on_tx, said, trapped};

const ACCOUNT: Address = Address::ZERO;

fn account(balance: u64) -> BTreeMap<Address, MemoryAccount> {
    let account = MemoryAccount { balance: U256::from(balance), ..MemoryAccount::default() };
    BTreeMap::from([(ACCOUNT, account)])
}

/// Frame 0 has ended, frame 1 runs.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let ended = FrameRecord { status: FrameStatus::Succeeded.into(), end_seq: 2, ..FrameRecord::default() };
    bench.trace.frames = vec![ended, FrameRecord { id: 1, ..FrameRecord::default() }];
    bench.state.pre_tx = account(1);
    bench.state.now = account(2);
    bench.state.at.insert(Fork::BeforeFrame(0), account(3));
    bench.state.at.insert(Fork::AfterFrame(0), account(4));
    bench.state.at.insert(Fork::BeforeFrame(1), account(5));
    bench
}

/// The balance at a fork, as the last byte of a veto.
fn balance_at(kind: u32, frame: u32) -> Bytes {
    on_tx(&format!(
        "(call $state_balance_at (i32.const {kind}) (i32.const {frame}) (i32.const 64) (i32.const 0))
         (call $veto (i32.const 1) (i32.const 31) (i32.const 1))"
    ))
}

#[test]
fn every_fork_shows_its_own_state() {
    for (kind, frame, wei) in [(0, 9, 1), (1, 9, 2), (2, 0, 3), (3, 0, 4), (2, 1, 5)] {
        assert_eq!(said(bench().run(&balance_at(kind, frame)).0)[..], [wei], "fork {kind} of frame {frame}");
    }
}

#[test]
fn forks_that_are_not_there_are_traps() {
    for (kind, frame) in [(2, 2), (3, 1), (3, 2), (4, 0), (2, u32::MAX)] {
        assert!(trapped(&bench().run(&balance_at(kind, frame)).0), "fork {kind} of frame {frame}");
    }
    let old = "(call $state_balance (i32.const 2) (i32.const 64) (i32.const 0))";
    assert!(trapped(&bench().run(&on_tx(old)).0), "the first functions know two forks");
}

/// A view whose forks are far, and whose calls use all gas but what is asked to be left.
struct Far {
    distance: u64,
    gas_used: u64,
    status: CallStatus,
    asked: Vec<CallRequest>,
}

impl StateView for Far {
    fn storage(&mut self, _: Fork, _: Address, _: U256) -> Result<U256, StateFault> {
        Ok(U256::ZERO)
    }

    fn balance(&mut self, _: Fork, _: Address) -> Result<U256, StateFault> {
        Ok(U256::ZERO)
    }

    fn code_hash(&mut self, _: Fork, _: Address) -> Result<B256, StateFault> {
        Ok(B256::ZERO)
    }

    fn code(&mut self, _: Fork, _: Address) -> Result<Bytes, StateFault> {
        Ok(Bytes::new())
    }

    fn distance(&mut self, fork: Fork) -> u64 {
        if matches!(fork, Fork::PreTx | Fork::Now) { 0 } else { self.distance }
    }

    fn call(&mut self, _: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        self.asked.push(request.clone());
        let output = Bytes::from_static(b"answer");
        Ok(CallOutcome { status: self.status, output, gas_used: self.gas_used.min(request.gas) })
    }
}

fn far() -> Far {
    Far { distance: 1_000, gas_used: 0, status: CallStatus::Succeeded, asked: Vec::new() }
}

fn run(bench: &Bench, module: &Bytes, view: &mut Far) -> (Result<HookEnd, Fault>, Session) {
    let mut session = bench.session(module);
    (session.call(HookCall::OnTx, &bench.trace, view), session)
}

#[test]
fn a_fork_is_paid_for_when_a_hook_turns_to_it() {
    let look =
        |kind: u32| format!("(call $state_balance_at (i32.const {kind}) (i32.const 0) (i32.const 64) (i32.const 0))");
    let fuel = |kinds: &[u32]| {
        let code: String = kinds.iter().map(|kind| look(*kind)).collect();
        run(&bench(), &on_tx(&code), &mut far()).1.spent().0
    };
    let turn = 1_000 * metering::FORK_ENTRY;
    let base = fuel(&[1, 1, 1]);
    assert_eq!(fuel(&[1, 2, 2]), base + turn, "looking again is only looking");
    assert_eq!(fuel(&[2, 3, 2]), base + 3 * turn, "turning back is turning");
}

fn view_call(gas: u64, len: u32) -> String {
    format!(
        "(drop (call $view_call (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 128) (i32.const {len})
            (i64.const {gas}) (i32.const 0)))"
    )
}

#[test]
fn a_static_call_tells_how_it_ended_and_what_it_returned() {
    let code = format!(
        r#"{} (drop (call $view_output (i32.const 2) (i32.const 16) (i32.const 100)))
           (call $veto (i32.const 1) (i32.const 0) (i32.const 24))"#,
        view_call(9_000, 4)
    );
    let body = format!(r#"(data (i32.const 128) "\01\02\03\04") (func (export "on_tx") {code})"#);
    for (status, number) in [(CallStatus::Succeeded, 1), (CallStatus::Reverted, 2), (CallStatus::Halted, 3)] {
        let mut view = Far { status, gas_used: 700, ..far() };
        let told = said(run(&bench(), &module(&body), &mut view).0.unwrap());
        assert_eq!(told[..4], [number, 0, 0, 0]);
        assert_eq!(told[4..16], [6, 0, 0, 0, 0xbc, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(told[16..20], *b"swer");
        let asked = CallRequest { to: ACCOUNT, input: Bytes::from_static(&[1, 2, 3, 4]), gas: 9_000 };
        assert_eq!(view.asked, [asked]);
    }
}

#[test]
fn gas_of_a_static_call_is_paid_in_fuel_and_limited_by_it() {
    let fuel = |gas_used: u64| {
        let mut view = Far { gas_used, ..far() };
        run(&bench(), &on_tx(&view_call(1_000_000, 0)), &mut view).1.spent().0
    };
    assert_eq!(fuel(5_000) - fuel(0), 5_000 * metering::VIEW_GAS);
    let mut bench = bench();
    bench.subject.fuel_max = parapet_monitor::Fuel(100_000);
    let mut view = Far { gas_used: u64::MAX, status: CallStatus::Halted, ..far() };
    let (end, session) = run(&bench, &on_tx(&view_call(1_000_000, 0)), &mut view);
    assert_eq!((end.unwrap(), session.spent().0), (HookEnd::OutOfFuel, 100_000));
    assert!(view.asked[0].gas < 50_000, "no more gas than fuel can pay");
}

#[test]
fn static_calls_keep_their_limits() {
    let end = |code: &str| run(&bench(), &on_tx(code), &mut far()).0.unwrap();
    assert_eq!(end(&view_call(VIEW_GAS_MAX + 1, 0)), HookEnd::LimitExceeded(Limit::ViewGas(VIEW_GAS_MAX + 1)));
    assert_eq!(end(&view_call(1, 131_073)), HookEnd::LimitExceeded(Limit::ViewInput(131_073)));
    assert!(trapped(&end(&view_call(1, 65_537 - 128))), "calldata must be the guard's own memory");
}

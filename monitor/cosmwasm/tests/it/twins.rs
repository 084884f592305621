//! The shipped contract and its native twin on the same traces, with the largest numbers and with time that jumps.
//! Whole chains of transactions are compared in `devnet/equivalence`.

use std::sync::Arc;

use alloy_primitives::{Bytes, U256, keccak256};
use parapet_abi::{Asset, FlowRecord};
use parapet_cosmwasm::{End, Session};
use parapet_monitor::{MemoryState, StateOp, StateUpdate, Trace};
use parapet_random::Random;
use parapet_vm::{Engine, EngineSettings, Guard, HookCall, HookEnd, Subject};

use super::{GUARDED, STORE, contract as contract_of, load, shipped::contract, subject, sudo, trace};

const NATIVE: &[u8] = include_bytes!("../../../../guards/artifacts/outflow_cap.wasm");

/// What a guard said: nothing, or a veto with code and words.
type Said = Option<(u16, Bytes)>;

/// A cap, as both forms take it.
struct Cap {
    tx_max: U256,
    window_max: U256,
    window_seconds: u64,
}

impl Cap {
    fn native(&self) -> Subject {
        // Of ether alone, and without the caps by share, which the contract does not have.
        let words = [U256::ZERO, self.tx_max, self.window_max, U256::from(self.window_seconds), U256::ZERO, U256::ZERO];
        let configuration: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect();
        Subject { configuration: configuration.into(), ..subject() }
    }

    fn contract(&self) -> Subject {
        let Self { tx_max, window_max, window_seconds } = self;
        let configuration =
            format!(r#"{{"tx_max":"{tx_max}","window_max":"{window_max}","window_seconds":"{window_seconds}"}}"#);
        Subject { configuration: configuration.into_bytes().into(), ..subject() }
    }
}

fn keep(state: &mut MemoryState, updates: Vec<StateUpdate>) {
    let storage = &mut state.pre_tx.entry(STORE).or_default().storage;
    for update in updates {
        let word = storage.entry(update.slot).or_default();
        *word = StateOp::apply_all(&update.ops, *word).unwrap();
    }
}

fn native(guard: &Arc<Guard>, cap: &Cap, trace: &Trace, state: &mut MemoryState) -> Said {
    let mut session = parapet_vm::Session::new(guard.clone(), Arc::new(cap.native()));
    let end = session.call(HookCall::OnTx, trace, state).unwrap();
    keep(state, session.into_updates());
    match end {
        HookEnd::Returned => None,
        HookEnd::Vetoed { code, detail } => Some((code, detail)),
        other => panic!("{other:?}"),
    }
}

fn contracted(cap: &Cap, trace: &Trace, state: &mut MemoryState) -> Said {
    let mut session = Session::new(contract(), Arc::new(cap.contract()));
    let end = session.call(HookCall::OnTx, trace, state).unwrap();
    keep(state, session.into_updates());
    match end {
        End::Returned => None,
        End::Vetoed { code, detail } => Some((code, detail)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_forms_agree_on_the_largest_numbers_and_on_any_clock() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let guard = engine.load(keccak256(NATIVE), Bytes::from_static(NATIVE)).unwrap();
    let one = U256::from(1);
    let amounts = [U256::ZERO, one, U256::from(77), (one << 192) - one, one << 192, U256::MAX >> 1, U256::MAX];
    let times = [0, 1, 1_000, 1_001, 86_400, u64::MAX / 2];
    for seed in 0..12 {
        let mut random = Random(seed);
        let cap = Cap {
            tx_max: random.pick(&[U256::from(77), one << 192, U256::MAX]),
            window_max: random.pick(&[U256::from(100), one << 192, U256::MAX - one, U256::MAX]),
            window_seconds: random.pick(&[1, 1_000, 86_400]),
        };
        let (mut of_native, mut of_contract) = (MemoryState::default(), MemoryState::default());
        for step in 0..25 {
            let mut trace = trace();
            trace.context.timestamp = random.pick(&times);
            let flow = |amount: U256, (from, to): (u8, u8)| FlowRecord {
                asset: Asset::Ether.into(),
                from: [from; 20].into(),
                to: [to; 20].into(),
                amount: amount.to_be_bytes(),
                ..FlowRecord::default()
            };
            let guarded = GUARDED.0[0];
            trace.flows =
                vec![flow(random.pick(&amounts), (guarded, 1)), flow(random.pick(&amounts[..3]), (1, guarded))];
            let said = native(&guard, &cap, &trace, &mut of_native);
            assert_eq!(contracted(&cap, &trace, &mut of_contract), said, "seed {seed}, step {step}");
        }
    }
}

/// Both engines learn of traps by signals, and each must leave the other's alone.
#[test]
fn traps_of_both_engines_end_their_own_calls_in_any_order() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let native = |body: &str| {
        let text = format!(
            r#"(module (memory (export "memory") 1) (func (export "on_tx") {body})
                (@custom "parapet.guard" "{{\"abi\":1,\"name\":\"probe\",\"version\":\"1\",\"triggers\":[\"flow\"]}}"))"#
        );
        let wasm = Bytes::from(wat::parse_str(text).unwrap());
        engine.load(keccak256(&wasm), wasm).unwrap()
    };
    let contracts =
        ["unreachable", "(drop (i32.load (i32.const -1))) unreachable"].map(|body| load(&contract_of(body)));
    let natives = ["unreachable", "(drop (i32.load (i32.const -1)))"].map(native);
    for _ in 0..3 {
        for contract in &contracts {
            assert!(matches!(sudo(contract).end, End::Trapped { .. }));
            for guard in &natives {
                let mut session = parapet_vm::Session::new(guard.clone(), Arc::new(subject()));
                let end = session.call(HookCall::OnTx, &trace(), &mut MemoryState::default()).unwrap();
                assert!(matches!(end, HookEnd::Trapped { .. }), "{end:?}");
            }
        }
    }
}

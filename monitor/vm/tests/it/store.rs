//! A guard's own state: words and windows.

use alloy_primitives::U256;
use parapet_monitor::{MemoryAccount, StateWrite};
use parapet_vm::{HookCall, HookEnd, Limit, state_slot, window_slot};

use crate::{ATTACHMENT, Bench, STORE, module, on_tx};

/// Writes `value` under key "k" (at 0), then reads it to 64 and reports what was found and the word.
const SET_AND_GET: &str = r#"
    (data (i32.const 0) "k")
    (func (export "on_call") (param i32)
        (i32.store8 (i32.const 63) (i32.add (local.get 0) (i32.const 1)))
        (call $store_set (i32.const 0) (i32.const 1) (i32.const 32)))
    (func (export "on_tx")
        (i32.store8 (i32.const 96) (call $store_get (i32.const 0) (i32.const 1) (i32.const 64)))
        (call $alert (i32.const 1) (i32.const 64) (i32.const 33)))"#;

fn stored(slot: U256, value: U256) -> Bench {
    let mut bench = Bench::new();
    bench.state.pre_tx.insert(STORE, MemoryAccount { storage: [(slot, value)].into(), ..MemoryAccount::default() });
    bench
}

#[test]
fn a_word_is_read_from_state_before_the_transaction_until_it_is_written() {
    let mut bench = stored(state_slot(ATTACHMENT, b"k"), U256::from(40));
    let module = module(SET_AND_GET);
    let mut session = bench.session(&module);
    assert_eq!(bench.call(&mut session, HookCall::OnTx), HookEnd::Returned);
    let found = |word: u64| [&U256::from(word).to_be_bytes::<32>()[..], &[1]].concat();
    assert_eq!(session.take_alerts()[0].detail[..], found(40));
    assert_eq!(bench.call(&mut session, HookCall::OnCall(6)), HookEnd::Returned);
    assert_eq!(bench.call(&mut session, HookCall::OnTx), HookEnd::Returned);
    assert_eq!(session.take_alerts()[0].detail[..], found(7));
    let write = StateWrite { slot: state_slot(ATTACHMENT, b"k"), value: U256::from(7) };
    assert_eq!(session.into_writes(), [write]);
}

#[test]
fn a_word_that_was_never_written_is_not_found() {
    let (end, mut session) = Bench::new().run(&module(SET_AND_GET));
    assert_eq!(end, HookEnd::Returned);
    assert_eq!(session.take_alerts()[0].detail[..], [0; 33]);
    assert_eq!(session.into_writes(), []);
}

#[test]
fn a_guard_that_does_not_end_well_writes_nothing() {
    let set = "(call $store_set (i32.const 0) (i32.const 1) (i32.const 32))";
    for end in ["unreachable", "(call $veto (i32.const 1) (i32.const 0) (i32.const 0))", "(loop $l (br $l))"] {
        let (_, session) = Bench::new().run(&on_tx(&format!("{set} {end}")));
        assert_eq!(session.into_writes(), [], "{end}");
    }
    assert_eq!(Bench::new().run(&on_tx(set)).1.into_writes().len(), 1);
}

#[test]
fn words_are_limited_by_number_and_not_by_writes() {
    let count_to = |count: u32| {
        on_tx(&format!(
            "(local $i i32) (loop $again
                (i32.store (i32.const 0) (i32.rem_u (local.get $i) (i32.const {count})))
                (call $store_set (i32.const 0) (i32.const 4) (i32.const 32))
                (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 300))))"
        ))
    };
    let (end, session) = Bench::new().run(&count_to(256));
    assert_eq!(end, HookEnd::Returned);
    let writes = session.into_writes();
    assert_eq!(writes.len(), 256);
    assert!(writes.is_sorted_by(|a, b| a.slot < b.slot), "by slot, each once");
    assert_eq!(Bench::new().run(&count_to(257)).0, HookEnd::LimitExceeded(Limit::StoreWrites));
}

#[test]
fn words_and_windows_and_attachments_do_not_meet() {
    let other = alloy_primitives::B256::repeat_byte(0xa8);
    let slots = [
        state_slot(ATTACHMENT, b"k"),
        window_slot(ATTACHMENT, b"k"),
        state_slot(other, b"k"),
        window_slot(other, b"k"),
        state_slot(ATTACHMENT, b"kk"),
    ];
    for (index, slot) in slots.iter().enumerate() {
        assert!(!slots[..index].contains(slot));
    }
    let preimage = [&b"parapet.guard-state.v1"[..], &ATTACHMENT[..], &alloy_primitives::keccak256(b"k")[..]].concat();
    assert_eq!(slots[0], U256::from_be_bytes(alloy_primitives::keccak256(preimage).0));
}

/// Adds `amount` twice to window "k" with cap 100 over 10 seconds, and says whether each was added.
fn add_twice(amount: u8) -> alloy_primitives::Bytes {
    let add = |out: u32| {
        format!(
            "(i32.store8 (i32.const {out}) (call $window_add (i32.const 200) (i32.const 1) (i32.const 0) (i32.const 32)
                (i64.const 10)))"
        )
    };
    let (first, second) = (add(100), add(101));
    module(&format!(
        r#"(data (i32.const 200) "k") (func (export "on_tx")
            (i32.store8 (i32.const 31) (i32.const {amount})) (i32.store8 (i32.const 63) (i32.const 100))
            {first} {second} (call $alert (i32.const 1) (i32.const 100) (i32.const 2)))"#
    ))
}

#[test]
fn a_window_refuses_what_would_exceed_its_cap_and_remembers_across_transactions() {
    let mut bench = Bench::new();
    bench.trace.context.timestamp = 1_000;
    let (_, mut session) = bench.run(&add_twice(60));
    assert_eq!(session.take_alerts()[0].detail[..], [1, 0]);
    let [write] = session.into_writes()[..] else { panic!("one window, one word") };
    assert_eq!(write.slot, window_slot(ATTACHMENT, b"k"));
    assert_eq!(write.value, U256::from(60) << 64 | U256::from(1_000));

    // 2 seconds later the level is 40: 60 fit exactly, once.
    let mut later = stored(write.slot, write.value);
    later.trace.context.timestamp = 1_002;
    assert_eq!(later.run(&add_twice(60)).1.take_alerts()[0].detail[..], [1, 0]);
    later.trace.context.timestamp = 1_001;
    assert_eq!(later.run(&add_twice(60)).1.take_alerts()[0].detail[..], [0, 0]);
    later.trace.context.timestamp = 1_010;
    assert_eq!(later.run(&add_twice(50)).1.take_alerts()[0].detail[..], [1, 1]);
}

#[test]
fn what_a_window_refuses_is_not_written() {
    let (_, session) = Bench::new().run(&add_twice(101));
    assert_eq!(session.into_writes(), []);
}

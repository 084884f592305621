//! A guard's own state: words and windows.

use alloy_primitives::U256;
use parapet_monitor::{MemoryAccount, StateOp, StateUpdate};
use parapet_store::{state_slot, window_slot};
use parapet_vm::{HookCall, HookEnd, Limit, metering};

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
    assert_eq!(session.into_updates(), [StateUpdate::set(state_slot(ATTACHMENT, b"k"), U256::from(7))]);
}

#[test]
fn a_word_that_was_never_written_is_not_found() {
    let (end, mut session) = Bench::new().run(&module(SET_AND_GET));
    assert_eq!(end, HookEnd::Returned);
    assert_eq!(session.take_alerts()[0].detail[..], [0; 33]);
    assert_eq!(session.into_updates(), []);
}

#[test]
fn a_guard_that_does_not_end_well_writes_nothing() {
    let set = "(call $store_set (i32.const 0) (i32.const 1) (i32.const 32))";
    for end in ["unreachable", "(call $veto (i32.const 1) (i32.const 0) (i32.const 0))", "(loop $l (br $l))"] {
        let (_, session) = Bench::new().run(&on_tx(&format!("{set} {end}")));
        assert_eq!(session.into_updates(), [], "{end}");
    }
    assert_eq!(Bench::new().run(&on_tx(set)).1.into_updates().len(), 1);
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
    let run = |count| {
        let mut bench = Bench::new();
        bench.subject.fuel_max = parapet_monitor::Fuel(100_000_000);
        bench.run(&count_to(count))
    };
    let (end, session) = run(256);
    assert_eq!(end, HookEnd::Returned);
    let writes = session.into_updates();
    assert_eq!(writes.len(), 256);
    assert!(writes.is_sorted_by(|a, b| a.slot < b.slot), "by slot, each once");
    assert_eq!(run(257).0, HookEnd::LimitExceeded(Limit::StoreWrites));
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
    let [update] = &session.into_updates()[..] else { panic!("one window, one word") };
    assert_eq!(update.slot, window_slot(ATTACHMENT, b"k"));
    let word = StateOp::apply_all(&update.ops, U256::ZERO).unwrap();
    assert_eq!(word, U256::from(60) << 64 | U256::from(1_000));

    // 2 seconds later the level is 40: 60 fit exactly, once.
    let mut later = stored(update.slot, word);
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
    assert_eq!(session.into_updates(), []);
}

/// Adds 60 within 100 to the word "k", twice, and says whether each was added.
const ADD_TWICE: &str = r#"(data (i32.const 200) "k") (func (export "on_tx")
    (i32.store8 (i32.const 31) (i32.const 60)) (i32.store8 (i32.const 63) (i32.const 100))
    (i32.store8 (i32.const 100) (call $store_add (i32.const 200) (i32.const 1) (i32.const 0) (i32.const 32)))
    (i32.store8 (i32.const 101) (call $store_add (i32.const 200) (i32.const 1) (i32.const 0) (i32.const 32)))
    (call $alert (i32.const 1) (i32.const 100) (i32.const 2)))"#;

#[test]
fn a_bounded_addition_is_told_at_once_whether_it_was_made_and_leaves_no_trace_of_the_word() {
    for (before, said, ops) in [(0, [1, 0], 1), (40, [1, 0], 1), (41, [0, 0], 0)] {
        let mut bench = stored(state_slot(ATTACHMENT, b"k"), U256::from(before));
        let (end, mut session) = bench.run(&module(ADD_TWICE));
        assert_eq!(end, HookEnd::Returned);
        assert_eq!(session.take_alerts()[0].detail[..], said, "{before}");
        let updates = session.into_updates();
        assert_eq!(updates.len(), ops);
        let add = StateOp::Add { amount: U256::from(60), cap: U256::from(100) };
        assert!(updates.iter().all(|update| update.ops == [add] && update.slot == state_slot(ATTACHMENT, b"k")));
    }
}

#[test]
fn a_maximum_never_looks_at_the_word() {
    let raise = r#"(i32.store8 (i32.const 31) (i32.const 7))
        (call $store_max (i32.const 200) (i32.const 1) (i32.const 0))"#;
    let mut bench = Bench::new();
    let (_, session) = bench.run(&module(&format!(r#"(data (i32.const 200) "k") (func (export "on_tx") {raise})"#)));
    assert_eq!(bench.state.reads, 0);
    let update = StateUpdate { slot: state_slot(ATTACHMENT, b"k"), ops: vec![StateOp::Max(U256::from(7))] };
    assert_eq!(session.into_updates(), [update]);
}

/// Sets the entries "ab", "b" and "c" (to 3, 4 and 5 bytes), removes "b", and says what is sought from "b".
const ENTRIES: &str = r#"(data (i32.const 0) "abcdefgh") (func (export "on_tx")
    (call $entry_set (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 3))
    (call $entry_set (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 4))
    (call $entry_set (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 5))
    (i32.store8 (i32.const 100) (call $entry_seek (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 110) (i32.const 1)))
    (i32.store8 (i32.const 101) (call $entry_remove (i32.const 1) (i32.const 1)))
    (i32.store8 (i32.const 102) (call $entry_remove (i32.const 1) (i32.const 1)))
    (i32.store8 (i32.const 103) (call $entry_seek (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 111) (i32.const 1)))
    (i32.store8 (i32.const 104) (call $entry_seek (i32.const 2) (i32.const 1) (i32.const 1) (i32.const 112) (i32.const 1)))
    (i32.store8 (i32.const 105) (call $entry_seek (i32.const 1) (i32.const 2) (i32.const 1) (i32.const 113) (i32.const 1)))
    (i32.store8 (i32.const 106) (call $entry_seek (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 114) (i32.const 1)))
    (i32.store8 (i32.const 107) (call $entry_get (i32.const 2) (i32.const 1) (i32.const 3) (i32.const 115) (i32.const 9)))
    (i32.store8 (i32.const 108) (call $entry_get (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 119) (i32.const 1)))
    (call $alert (i32.const 1) (i32.const 100) (i32.const 19)))"#;

#[test]
fn entries_are_set_sought_and_removed_by_key() {
    let (end, mut session) = Bench::new().run(&module(ENTRIES));
    assert_eq!(end, HookEnd::Returned);
    // Found: "b", then "c" above and "ab" below it, nothing above "c", and the last is "c".
    let said = [&[1, 1, 0, 1, 2, 0xff, 1, 5, 0xff, 0][..], b"bca\0cde", &[0, 0]].concat();
    assert_eq!(session.take_alerts()[0].detail[..], said);
    let updates = session.into_updates();
    assert!(updates.iter().all(|update| matches!(update.ops[..], [StateOp::Set(_)])));
    assert!(updates.is_sorted_by(|a, b| a.slot < b.slot), "by slot, each once");
}

#[test]
fn entries_have_limits_of_their_own() {
    let set = |key_len: u32, value_len: u32| {
        on_tx(&format!("(call $entry_set (i32.const 0) (i32.const {key_len}) (i32.const 0) (i32.const {value_len}))"))
    };
    assert_eq!(Bench::new().run(&set(0, 1)).0, HookEnd::LimitExceeded(Limit::Key(0)));
    assert_eq!(Bench::new().run(&set(257, 1)).0, HookEnd::LimitExceeded(Limit::Key(257)));
    assert_eq!(Bench::new().run(&set(1, 8_193)).0, HookEnd::LimitExceeded(Limit::Value(8_193)));
    // Nine entries of 8,192 bytes are more than 2,048 words.
    let nine: String = (1..=9)
        .map(|len| format!("(call $entry_set (i32.const 0) (i32.const {len}) (i32.const 0) (i32.const 8192))"))
        .collect();
    let mut bench = Bench::new();
    bench.subject.fuel_max = parapet_monitor::Fuel(1_000_000_000);
    assert_eq!(bench.run(&set(256, 8_192)).0, HookEnd::Returned);
    assert_eq!(bench.run(&on_tx(&nine)).0, HookEnd::LimitExceeded(Limit::EntryWords));
    let unknown = "(call $entry_seek (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)) drop";
    assert!(crate::trapped(&Bench::new().run(&on_tx(unknown)).0));
}

#[test]
fn a_walk_over_links_that_lead_in_a_circle_is_put_off_until_they_are_settled() {
    // "a" hangs on the right below itself: no settled state is like that.
    let (a, root) = (parapet_store::entry_slot(ATTACHMENT, b"a"), parapet_store::entries_root(ATTACHMENT));
    let mut bench = stored(root, a);
    let head = |byte: u8, shift: usize| U256::from(byte) << shift;
    let storage = &mut bench.state.pre_tx.get_mut(&STORE).unwrap().storage;
    storage.insert(a, U256::from(1) << 224);
    storage.insert(a + U256::from(1), U256::from(1) << 240 | head(b'a', 232));
    storage.insert(a + U256::from(3), a);
    let seek = on_tx("(call $entry_seek (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) drop");
    let mut session = bench.session(&seek);
    let fault = session.call(HookCall::OnTx, &bench.trace, &mut bench.state).unwrap_err();
    assert!(matches!(fault, parapet_monitor::Fault::Unsettled), "{fault}");
}

#[test]
fn a_word_pays_for_the_state_it_takes_once_in_a_transaction() {
    let spent = |ops: &[&str]| {
        let (end, session) = Bench::new().run(&on_tx(&ops.concat()));
        assert_eq!(end, HookEnd::Returned);
        session.spent().0
    };
    let set = |key: u32| format!("(call $store_set (i32.const {key}) (i32.const 1) (i32.const 32))");
    let add = "(drop (call $store_add (i32.const 8) (i32.const 1) (i32.const 32) (i32.const 32)))";
    // Keys 7, 8 and 9 are bytes of memory that differ.
    let keys = r#"(i32.store (i32.const 7) (i32.const 0x030201))"#;
    let once = spent(&[keys, &set(7)]) - spent(&[keys]);
    let again = spent(&[keys, &set(7), &set(7)]) - spent(&[keys, &set(7)]);
    let another = spent(&[keys, &set(7), &set(9)]) - spent(&[keys, &set(7)]);
    assert_eq!(once, another);
    assert_eq!(once - again, metering::STORE_WORD - metering::STORE_WRITE);
    let first = spent(&[keys, add]) - spent(&[keys]);
    assert_eq!(first - (spent(&[keys, add, add]) - spent(&[keys, add])), metering::STORE_WORD - metering::STORE_WRITE);
}

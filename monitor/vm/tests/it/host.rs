//! The functions of the host: what they give, and what they refuse.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_abi::{AccessRecord, AccountRecord, ContextRecord, FlowRecord, FrameRecord, LogRecord};
use parapet_monitor::{Fault, Fork, Hook, MemoryAccount, StateFault, StateView, Subscriptions};
use parapet_vm::{Alert, HookCall, HookEnd, Limit};

use crate::{Bench, module, on_tx, said, trapped};

/// Vetoes with `len` bytes of memory from 0.
fn say(len: u32) -> String {
    format!("(call $veto (i32.const 1) (i32.const 0) (i32.const {len}))")
}

fn limit(code: &str) -> Limit {
    match Bench::new().run(&on_tx(code)).0 {
        HookEnd::LimitExceeded(limit) => limit,
        other => panic!("{code}: {other:?}"),
    }
}

fn traced() -> Bench {
    let mut bench = Bench::new();
    let frame = |id: u32| FrameRecord { id, depth: id + 7, gas_limit: 1_000 + u64::from(id), ..FrameRecord::default() };
    bench.trace.context = ContextRecord { chain_id: 0x0102_0304, timestamp: 1_000, ..ContextRecord::default() };
    bench.trace.frames = vec![frame(0), frame(1), frame(2)];
    bench.trace.inputs = vec![Bytes::new(), Bytes::from_static(b"input of one"), Bytes::new()];
    bench.trace.outputs = vec![Bytes::from_static(b"output of zero"), Bytes::new(), Bytes::new()];
    bench.trace.accesses = vec![AccessRecord::default(); 4];
    bench.trace.flows = vec![FlowRecord::default(); 5];
    bench.trace.logs = vec![LogRecord::default(); 6];
    bench.trace.log_data = vec![Bytes::from_static(b"log"); 6];
    bench.subject.accounts = vec![AccountRecord { address: [9; 20].into() }];
    bench
}

/// Counts the records of each kind from 0 to 9.
fn counts(bench: &mut Bench) -> Vec<u8> {
    let code: String =
        (0..10).map(|kind| format!("(i32.store8 (i32.const {kind}) (call $trace_count (i32.const {kind})))")).collect();
    said(bench.run(&on_tx(&(code + &say(10)))).0).to_vec()
}

#[test]
fn trace_count_tells_what_this_guard_subscribed_to() {
    let mut bench = traced();
    assert_eq!(counts(&mut bench), [0, 1, 1, 3, 4, 5, 6, 0, 0, 0]);
    bench.subject.subscriptions = Subscriptions::ACCESSES;
    assert_eq!(counts(&mut bench), [0, 1, 1, 3, 4, 0, 0, 0, 0, 0]);
    bench.subject.subscriptions = Subscriptions::NONE;
    assert_eq!(counts(&mut bench), [0, 1, 1, 3, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn trace_read_copies_records_cut_or_filled_to_the_length_asked_for() {
    use zerocopy::IntoBytes as _;
    let mut bench = traced();
    let read = |kind: u32, first: u32, count: u32, len: u32| {
        on_tx(&format!(
            "(memory.fill (i32.const 0) (i32.const 255) (i32.const 1024))
             (i32.store8 (i32.const 1023) (call $trace_read (i32.const {kind}) (i32.const {first}) (i32.const {count})
                (i32.const 0) (i32.const {len})))
             (call $veto (i32.const 1) (i32.const 0) (i32.const 1024))"
        ))
    };
    let whole = said(bench.run(&read(3, 1, 9, 192)).0);
    assert_eq!(whole[1023], 2);
    assert_eq!(whole[..384], *bench.trace.frames[1..].as_bytes());
    assert_eq!(whole[384], 255, "beyond what was read nothing is touched");

    let cut = said(bench.run(&read(3, 2, 1, 4)).0);
    assert_eq!((cut[1023], &cut[..5]), (1, &[2, 0, 0, 0, 255][..]));

    let filled = said(bench.run(&read(2, 0, 1, 40)).0);
    assert_eq!((filled[1023], &filled[..20]), (1, &[9; 20][..]));
    assert_eq!(filled[20..41], [&[0; 20][..], &[255]].concat());

    for (kind, first, count, len) in [(3, 3, 1, 192), (3, u32::MAX, 1, 192), (99, 0, 1, 192), (3, 0, 0, 192)] {
        assert_eq!(said(bench.run(&read(kind, first, count, len)).0)[1023], 0);
    }
    assert_eq!(said(bench.run(&read(3, 0, 5, 0)).0)[1023], 3);
}

#[test]
fn trace_data_and_config_read_copy_from_an_offset() {
    let mut bench = traced();
    let mut data = |code: &str| {
        let code =
            format!("(i32.store8 (i32.const 40) {code}) (call $veto (i32.const 1) (i32.const 0) (i32.const 41))");
        let said = said(bench.run(&on_tx(&code)).0);
        said[..said[40] as usize].to_vec()
    };
    let part = |data: u32, index: u32, offset: u32, len: u32| {
        format!(
            "(call $trace_data (i32.const {data}) (i32.const {index}) (i32.const {offset}) (i32.const 0) (i32.const {len}))"
        )
    };
    assert_eq!(data(&part(0, 1, 0, 40)), b"input of one");
    assert_eq!(data(&part(0, 1, 9, 2)), b"on");
    assert_eq!(data(&part(1, 0, 10, 40)), b"zero");
    assert_eq!(data(&part(2, 5, 0, 40)), b"log");
    for (kind, index, offset) in [(0, 1, 12), (0, 1, u32::MAX), (0, 3, 0), (2, 6, 0), (3, 0, 0)] {
        assert_eq!(data(&part(kind, index, offset, 40)), b"");
    }
    assert_eq!(data("(call $config_read (i32.const 7) (i32.const 0) (i32.const 40))"), b"ration");
    assert_eq!(data("(call $config_read (i32.const 13) (i32.const 0) (i32.const 40))"), b"");
}

#[test]
fn the_data_of_logs_is_for_subscribers() {
    let mut bench = traced();
    bench.subject.subscriptions = Subscriptions::ACCESSES;
    let code = "(call $trace_data (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3))";
    let (end, _) = bench.run(&on_tx(&format!("(i32.store8 (i32.const 9) {code}) {}", say(10))));
    assert_eq!(said(end)[..], [0; 10]);
}

#[test]
fn state_is_read_at_both_forks() {
    let mut bench = Bench::new();
    let address = Address::repeat_byte(1);
    let account = |number: u64| MemoryAccount {
        balance: U256::from(number),
        code: vec![number as u8].into(),
        storage: [(U256::from_be_bytes([1; 32]), U256::from(number) << 248)].into(),
    };
    bench.state.pre_tx.insert(address, account(5));
    bench.state.now.insert(address, account(6));
    let read = |fork: u32| {
        on_tx(&format!(
            "(memory.fill (i32.const 200) (i32.const 1) (i32.const 32))
             (call $state_storage (i32.const {fork}) (i32.const 200) (i32.const 200) (i32.const 0))
             (call $state_balance (i32.const {fork}) (i32.const 200) (i32.const 32))
             (call $state_code_hash (i32.const {fork}) (i32.const 200) (i32.const 64))
             (call $state_code_hash (i32.const {fork}) (i32.const 300) (i32.const 96)) {}",
            say(128)
        ))
    };
    for (fork, number) in [(0, 5_u8), (1, 6)] {
        let said = said(bench.run(&read(fork)).0);
        let slot: U256 = U256::from(number) << 248;
        assert_eq!(said[..32], slot.to_be_bytes::<32>());
        assert_eq!(said[32..64], U256::from(number).to_be_bytes::<32>());
        assert_eq!(said[64..96], keccak256([number])[..]);
        assert_eq!(said[96..], [0; 32], "no account, no code hash");
    }
    assert!(trapped(&bench.run(&read(2)).0));
}

#[test]
fn keccak256_is_ethereums() {
    let code = "(call $keccak256 (i32.const 100) (i32.const 3) (i32.const 0))";
    let body = format!(r#"(data (i32.const 100) "abc") (func (export "on_tx") {code} {})"#, say(32));
    assert_eq!(said(Bench::new().run(&module(&body)).0)[..], keccak256(b"abc")[..]);
}

#[test]
fn alerts_keep_where_they_were_raised() {
    let body = r#"
        (data (i32.const 0) "look")
        (func (export "on_call") (param i32) (call $alert (i32.const 7) (i32.const 0) (i32.const 4)))
        (func (export "on_tx") (call $alert (i32.const 65279) (i32.const 0) (i32.const 0)))"#;
    let mut bench = Bench::new();
    let mut session = bench.session(&module(body));
    assert_eq!(bench.call(&mut session, HookCall::OnCall(3)), HookEnd::Returned);
    let first = Alert { hook: Hook::OnCall, frame: Some(3), code: 7, detail: Bytes::from_static(b"look") };
    assert_eq!(session.take_alerts(), [first]);
    assert_eq!(bench.call(&mut session, HookCall::OnTx), HookEnd::Returned);
    let second = Alert { hook: Hook::OnTx, frame: None, code: 0xfeff, detail: Bytes::new() };
    assert_eq!(session.take_alerts(), [second]);
}

#[test]
fn alerts_of_a_guard_that_breaks_later_are_kept() {
    let (end, mut session) =
        Bench::new().run(&on_tx("(call $alert (i32.const 1) (i32.const 0) (i32.const 0)) unreachable"));
    assert!(trapped(&end));
    assert_eq!(session.take_alerts().len(), 1);
}

#[test]
fn a_veto_ends_the_hook_at_once() {
    let code = "(call $veto (i32.const 513) (i32.const 0) (i32.const 0)) unreachable";
    let (end, _) = Bench::new().run(&on_tx(code));
    assert_eq!(end, HookEnd::Vetoed { code: 513, detail: Bytes::new() });
}

#[test]
fn what_exceeds_a_limit_of_the_interface_ends_the_hook() {
    for speech in ["$veto", "$alert"] {
        let speak = |code: u32, len: u32| format!("(call {speech} (i32.const {code}) (i32.const 0) (i32.const {len}))");
        assert_eq!(limit(&speak(0xff00, 0)), Limit::Code(0xff00));
        assert_eq!(limit(&speak(0x1_0001, 0)), Limit::Code(0x1_0001));
        assert_eq!(limit(&speak(1, 1_025)), Limit::Detail(1_025));
    }
    let alert = "(call $alert (i32.const 1) (i32.const 0) (i32.const 0))";
    assert_eq!(Bench::new().run(&on_tx(&alert.repeat(32))).0, HookEnd::Returned);
    assert_eq!(limit(&alert.repeat(33)), Limit::Alerts);
    let read = "(drop (call $trace_read (i32.const 3) (i32.const 0) (i32.const 65537) (i32.const 0) (i32.const 0)))";
    assert_eq!(limit(read), Limit::Records(65_537));
    let key = |len: u32| format!("(drop (call $store_get (i32.const 0) (i32.const {len}) (i32.const 0)))");
    assert_eq!(limit(&key(257)), Limit::Key(257));
    assert_eq!(limit(&key(0)), Limit::Key(0));
    let window = "(drop (call $window_add (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i64.const 0)))";
    assert_eq!(limit(window), Limit::Period);
}

#[test]
fn ranges_outside_of_memory_trap() {
    let end = "(i32.const 65533)";
    for code in [
        format!("(drop (call $trace_read (i32.const 3) (i32.const 0) (i32.const 1) {end} (i32.const 4)))"),
        "(drop (call $trace_read (i32.const 3) (i32.const 0) (i32.const 65536) (i32.const 0) (i32.const -1)))"
            .to_owned(),
        format!("(drop (call $trace_data (i32.const 0) (i32.const 0) (i32.const 0) {end} (i32.const 4)))"),
        format!("(drop (call $config_read (i32.const 0) {end} (i32.const -1)))"),
        format!("(call $state_storage (i32.const 0) {end} (i32.const 0) (i32.const 0))"),
        format!("(call $state_storage (i32.const 0) (i32.const 0) {end} (i32.const 0))"),
        format!("(call $state_storage (i32.const 0) (i32.const 0) (i32.const 0) {end})"),
        format!("(call $state_balance (i32.const 0) (i32.const 0) {end})"),
        format!("(call $state_code_hash (i32.const 0) (i32.const 0) {end})"),
        format!("(drop (call $store_get {end} (i32.const 4) (i32.const 0)))"),
        format!("(drop (call $store_get (i32.const 0) (i32.const 4) {end}))"),
        format!("(call $store_set (i32.const 0) (i32.const 4) {end})"),
        format!("(drop (call $window_add (i32.const 0) (i32.const 1) {end} (i32.const 0) (i64.const 1)))"),
        format!("(drop (call $window_add (i32.const 0) (i32.const 1) (i32.const 0) {end} (i64.const 1)))"),
        format!("(call $keccak256 {end} (i32.const 4) (i32.const 0))"),
        format!("(call $keccak256 (i32.const 0) (i32.const 4) {end})"),
        format!("(call $alert (i32.const 1) {end} (i32.const 4))"),
        format!("(call $veto (i32.const 1) {end} (i32.const 4))"),
    ] {
        let (end, _) = Bench::new().run(&on_tx(&code));
        assert!(trapped(&end), "{code}: {end:?}");
    }
}

/// State that cannot be read.
struct Unreadable;

impl StateView for Unreadable {
    fn storage(&mut self, _: Fork, _: Address, _: U256) -> Result<U256, StateFault> {
        Err(StateFault("the disk is gone".into()))
    }

    fn balance(&mut self, _: Fork, _: Address) -> Result<U256, StateFault> {
        Err(StateFault("the disk is gone".into()))
    }

    fn code_hash(&mut self, _: Fork, _: Address) -> Result<B256, StateFault> {
        Err(StateFault("the disk is gone".into()))
    }

    fn code(&mut self, _: Fork, _: Address) -> Result<Bytes, StateFault> {
        Err(StateFault("the disk is gone".into()))
    }
}

#[test]
fn state_that_cannot_be_read_is_a_fault_and_not_the_guards_doing() {
    for code in [
        "(call $state_storage (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        "(call $state_balance (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (call $store_get (i32.const 0) (i32.const 1) (i32.const 0)))",
        "(drop (call $window_add (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i64.const 1)))",
    ] {
        let bench = Bench::new();
        let fault = bench.session(&on_tx(code)).call(HookCall::OnTx, &bench.trace, &mut Unreadable).unwrap_err();
        assert!(
            matches!(&fault, Fault::State(StateFault(cause)) if cause.to_string() == "the disk is gone"),
            "{fault}"
        );
    }
}

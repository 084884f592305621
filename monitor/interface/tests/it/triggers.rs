//! Triggers as data: what descriptors may say, what it means for one configuration, what is refused.

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use parapet_abi::{
    Asset, CodeChangeKind, CodeChangeRecord, FlowReason, FlowRecord, FrameKind, FrameRecord, FrameStatus, LogRecord,
    PreimageRecord,
};
use parapet_monitor::{
    Descriptor, Subscriptions,
    trigger::{BindError, Condition, Moment, Preimages, Role, Side},
};

const PARAMETERS: &str = r#"[{"name":"slot","type":"uint256"},{"name":"list","type":"address[]"},
    {"name":"selector","type":"bytes4"},{"name":"text","type":"string"}]"#;

fn described(triggers: &str) -> Result<Descriptor, String> {
    let json = format!(r#"{{"abi":1,"name":"probe","version":"1","triggers":[{triggers}],"parameters":{PARAMETERS}}}"#);
    Descriptor::parse(json.as_bytes()).map_err(|error| error.to_string())
}

fn word(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

/// `slot` 7, `list` of two accounts, `selector` a9059cbb, `text` empty.
fn configuration() -> Vec<u8> {
    let mut selector = [0; 32];
    selector[..4].copy_from_slice(&hex!("a9059cbb"));
    let accounts = [Address::repeat_byte(1), Address::repeat_byte(2)].map(|account| account.into_word().0);
    [word(7), word(128), selector, word(224), word(2), accounts[0], accounts[1], word(0)].concat()
}

fn bound(trigger: &str) -> Condition {
    let descriptor = described(trigger).unwrap();
    descriptor.conditions(&configuration()).unwrap().remove(0)
}

fn frame() -> FrameRecord {
    FrameRecord {
        depth: 2,
        selector: hex!("a9059cbb"),
        input_len: 68,
        status: FrameStatus::Reverted.into(),
        code_hash: [9; 32],
        ..FrameRecord::default()
    }
}

#[test]
fn calls_are_told_apart_by_every_field() {
    let holds = |trigger: &str, frame: &FrameRecord, role: Role, moment: Moment| match bound(trigger) {
        Condition::Call(call) => call.holds(frame, role, moment),
        other => panic!("{other:?}"),
    };
    let code_hash = format!(r#"{{"on":"call","code_hash":"0x{}"}}"#, hex::encode([9; 32]));
    let cases = [
        (r#""frame""#, true),
        (r#"{"on":"call"}"#, true),
        (r#"{"on":"call","selector":"0xa9059cbb"}"#, true),
        (r#"{"on":"call","selector":"transfer(address,uint256)"}"#, true),
        (r#"{"on":"call","selector":"$selector"}"#, true),
        (r#"{"on":"call","selector":["0x00000000","0xa9059cbc"]}"#, false),
        (r#"{"on":"call","kind":"call"}"#, true),
        (r#"{"on":"call","kind":["staticcall","create2"]}"#, false),
        (r#"{"on":"call","role":"target"}"#, true),
        (r#"{"on":"call","role":["code","payer"]}"#, false),
        (r#"{"on":"call","depth_min":2,"depth_max":2}"#, true),
        (r#"{"on":"call","depth_max":1}"#, false),
        (code_hash.as_str(), true),
        (&code_hash.replace("09", "08"), false),
    ];
    for (trigger, expected) in cases {
        assert_eq!(holds(trigger, &frame(), Role::TARGET, Moment::Start), expected, "{trigger}");
    }
    let outcome = r#"{"on":"call","outcome":["reverted","halted"]}"#;
    assert!(!holds(outcome, &frame(), Role::TARGET, Moment::Start), "how it ends is not known yet");
    assert!(holds(outcome, &frame(), Role::TARGET, Moment::End));
    let succeeded = FrameRecord { status: FrameStatus::Succeeded.into(), ..frame() };
    assert!(!holds(outcome, &succeeded, Role::TARGET, Moment::End));
    let selector = r#"{"on":"call","selector":"0xa9059cbb"}"#;
    let precompile = r#"{"on":"call","kind":"precompile"}"#;
    let built_in = FrameRecord { is_precompile: 1, kind: FrameKind::StaticCall.into(), ..frame() };
    assert!(holds(precompile, &built_in, Role::TARGET, Moment::End), "however it was entered");
    assert!(!holds(precompile, &built_in, Role::TARGET, Moment::Start), "what it is is not known yet");
    assert!(!holds(precompile, &frame(), Role::TARGET, Moment::End));
    let unknown = FrameRecord { kind: 7, ..frame() };
    assert!(!holds(precompile, &unknown, Role::TARGET, Moment::End), "a kind of a later version is another thing");
    let either = r#"{"on":"call","kind":["precompile","call"]}"#;
    assert!(
        holds(either, &frame(), Role::TARGET, Moment::Start) && holds(either, &built_in, Role::TARGET, Moment::End)
    );
    let short = FrameRecord { input_len: 3, ..frame() };
    let creation = FrameRecord { kind: FrameKind::Create.into(), ..frame() };
    assert!(!holds(selector, &short, Role::TARGET, Moment::Start));
    assert!(!holds(selector, &creation, Role::TARGET, Moment::Start), "init code has no selector");
}

#[test]
fn callers_matter_only_where_they_are_named() {
    let calling = frame();
    let paying = FrameRecord { value: word(1), ..frame() };
    for (trigger, expected) in [
        (r#""frame""#, [false, true]),
        (r#"{"on":"call","role":"payer"}"#, [false, true]),
        (r#"{"on":"call","role":"caller"}"#, [true, true]),
    ] {
        let Condition::Call(call) = bound(trigger) else { panic!("a call") };
        let holds = [&calling, &paying].map(|frame| call.holds(frame, Role::of_caller(frame), Moment::Start));
        assert_eq!(holds, expected, "{trigger}");
    }
}

#[test]
fn slots_are_named_by_number_by_key_and_by_what_was_hashed() {
    let entry = |key: [u8; 32], base: [u8; 32]| keccak256([key, base].concat());
    let of_account = |account: u8| entry(Address::repeat_byte(account).into_word().0, word(3));
    let nested = entry(word(5), of_account(9).0);
    let record = |key: [u8; 32], base: [u8; 32]| PreimageRecord {
        key,
        base,
        hash: entry(key, base).0,
        ..PreimageRecord::default()
    };
    let seen = [record(Address::repeat_byte(9).into_word().0, word(3)), record(word(5), of_account(9).0)];
    let (none, seen) = (Preimages::default(), Preimages::new(&seen));
    let holds = |trigger: &str, slot: U256, preimages: &Preimages| match bound(trigger) {
        Condition::Slot(condition) => condition.holds(slot, preimages),
        other => panic!("{other:?}"),
    };
    let of = |hash: B256, more: u64| U256::from_be_bytes(hash.0) + U256::from(more);
    for (trigger, slot, preimages, expected) in [
        (r#"{"on":"slot"}"#, U256::from(99), &none, true),
        (r#"{"on":"slot","slot":"$slot"}"#, U256::from(7), &none, true),
        (r#"{"on":"slot","slot":["0x7","9"]}"#, U256::from(9), &none, true),
        (r#"{"on":"slot","slot":7}"#, U256::from(8), &none, false),
        (r#"{"on":"slot","mapping":3,"key":"$list"}"#, of(of_account(2), 0), &none, true),
        (r#"{"on":"slot","mapping":3,"key":"$list"}"#, of(of_account(9), 0), &seen, false),
        (r#"{"on":"slot","mapping":3,"key":"$list","words":2}"#, of(of_account(1), 1), &none, true),
        (r#"{"on":"slot","mapping":3,"key":"$list","words":2}"#, of(of_account(1), 2), &none, false),
        (r#"{"on":"slot","mapping":3}"#, of(of_account(9), 0), &seen, true),
        (r#"{"on":"slot","mapping":3}"#, of(of_account(9), 0), &none, false),
        (r#"{"on":"slot","mapping":3}"#, of(nested, 0), &seen, true),
        (r#"{"on":"slot","mapping":4}"#, of(nested, 0), &seen, false),
        (r#"{"on":"slot","mapping":3,"words":4}"#, of(nested, 3), &seen, true),
        (r#"{"on":"slot","mapping":3}"#, of(nested, 1), &seen, false),
    ] {
        assert_eq!(holds(trigger, slot, preimages), expected, "{trigger} {slot:#x}");
    }
}

#[test]
fn entries_of_nested_mappings_are_named_by_their_keys() {
    let entry = |key: u64, base: [u8; 32]| keccak256([word(key), base].concat()).0;
    let record = |key: u64, base: [u8; 32]| PreimageRecord {
        key: word(key),
        base,
        hash: entry(key, base),
        ..PreimageRecord::default()
    };
    // mapping 3: 5 => (6 => (8 => …)), and 9 => (6 => …).
    let (of_5, of_9) = (entry(5, word(3)), entry(9, word(3)));
    let (of_5_6, of_9_6) = (entry(6, of_5), entry(6, of_9));
    let of_5_6_8 = entry(8, of_5_6);
    let seen = [record(5, word(3)), record(9, word(3)), record(6, of_5), record(6, of_9), record(8, of_5_6)];
    let (none, seen) = (Preimages::default(), Preimages::new(&seen));
    let holds = |trigger: &str, slot: [u8; 32], preimages: &Preimages| match bound(trigger) {
        Condition::Slot(condition) => condition.holds(U256::from_be_bytes(slot), preimages),
        other => panic!("{other:?}"),
    };
    for (fields, slot, preimages, expected) in [
        (r#""key":5,"key2":6"#, of_5_6, &none, true),
        (r#""key":5,"key2":6"#, of_9_6, &seen, false),
        (r#""key":5,"key2":6"#, of_5, &seen, false),
        (r#""key":[5,9],"key2":[4,6]"#, of_9_6, &none, true),
        (r#""key":5,"key2":6,"key3":8"#, of_5_6_8, &none, true),
        (r#""key2":6"#, of_9_6, &seen, true),
        (r#""key2":6"#, of_9_6, &none, false),
        (r#""key2":7"#, of_9_6, &seen, false),
        (r#""key2":6"#, of_5_6_8, &seen, false),
        (r#""key":5,"depth":2"#, of_5_6, &seen, true),
        (r#""key":5,"depth":2"#, of_9_6, &seen, false),
        (r#""key":5,"depth":2"#, of_5, &seen, false),
        (r#""key3":8"#, of_5_6_8, &seen, true),
        (r#""key":9,"key3":8"#, of_5_6_8, &seen, false),
        (r#""depth":1"#, of_5, &seen, true),
        (r#""depth":1"#, of_5_6, &seen, false),
        (r#""depth":3"#, of_5_6_8, &seen, true),
    ] {
        let trigger = format!(r#"{{"on":"slot","mapping":3,{fields}}}"#);
        assert_eq!(holds(&trigger, slot, preimages), expected, "{trigger}");
    }
    let elsewhere = r#"{"on":"slot","mapping":4,"key2":6}"#;
    assert!(!holds(elsewhere, of_9_6, &seen));
}

#[test]
fn a_mapping_inside_a_struct_is_followed_as_far_as_the_struct_is_said_to_reach() {
    let entry = |key: u64, base: U256| U256::from_be_bytes(keccak256([word(key), base.to_be_bytes()].concat()).0);
    let record = |key: u64, base: U256| PreimageRecord {
        key: word(key),
        base: base.to_be_bytes(),
        hash: entry(key, base).to_be_bytes(),
        ..PreimageRecord::default()
    };
    // mapping 3: 5 => { two words, a mapping 6 => { a word, a mapping 8 => … } }.
    let outer = entry(5, U256::from(3));
    let inner = outer + U256::from(2);
    let middle = entry(6, inner);
    let innermost = entry(8, middle + U256::from(1));
    let seen = [record(5, U256::from(3)), record(6, inner), record(8, middle + U256::from(1))];
    let (none, seen) = (Preimages::default(), Preimages::new(&seen));
    for (fields, slot, preimages, expected) in [
        (r#""words":3"#, outer + U256::from(1), &seen, true),
        (r#""words":3"#, middle, &seen, true),
        (r#""words":3"#, innermost, &seen, true),
        (r#""words":2"#, middle, &seen, false),
        ("", middle, &seen, false),
        (r#""key":5,"key2":6,"words":3"#, middle, &none, true),
        (r#""key":5,"key2":6,"words":2"#, middle, &none, false),
        (r#""key":5,"key2":6,"key3":8,"words":3"#, innermost, &none, true),
        (r#""key":5,"depth":2,"words":3"#, middle, &seen, true),
        (r#""key":5,"depth":2,"words":3"#, middle, &none, false),
        (r#""key":4,"depth":2,"words":3"#, middle, &seen, false),
        (r#""key2":6,"words":3"#, middle, &seen, true),
        (r#""key2":7,"words":3"#, middle, &seen, false),
        (r#""key3":8,"words":3"#, innermost, &seen, true),
    ] {
        let comma = if fields.is_empty() { "" } else { "," };
        let trigger = format!(r#"{{"on":"slot","mapping":3{comma}{fields}}}"#);
        let Condition::Slot(condition) = bound(&trigger) else { panic!("a slot") };
        assert_eq!(condition.holds(slot, preimages), expected, "{trigger}");
    }
}

#[test]
fn logs_flows_and_code_changes_are_told_apart() {
    let transfer = keccak256("Transfer(address,address,uint256)");
    let from = Address::repeat_byte(1).into_word();
    let log = LogRecord { topic_count: 2, topics: [transfer.0, from.0, [0; 32], [0; 32]], ..LogRecord::default() };
    for (trigger, expected) in [
        (r#"{"on":"log"}"#, true),
        (r#"{"on":"log","topic0":"Transfer(address,address,uint256)"}"#, true),
        (r#"{"on":"log","topic0":"Approval(address,address,uint256)"}"#, false),
        (r#"{"on":"log","topic1":"$list"}"#, true),
        (r#"{"on":"log","topic2":"0"}"#, false),
    ] {
        let Condition::Log(condition) = bound(trigger) else { panic!("a log") };
        assert_eq!(condition.holds(&log), expected, "{trigger}");
    }
    let ether = FlowRecord { reason: FlowReason::SelfDestruct.into(), ..FlowRecord::default() };
    let token =
        FlowRecord { asset: Asset::Erc20.into(), reason: FlowReason::Log.into(), token: [2; 20].into(), ..ether };
    let fee = FlowRecord { reason: FlowReason::Fee.into(), ..ether };
    for (trigger, expected) in [
        (r#""flow""#, [true, true, false]),
        (r#"{"on":"flow","asset":"ether"}"#, [true, false, false]),
        (r#"{"on":"flow","token":"$list"}"#, [false, true, false]),
        (r#"{"on":"flow","direction":"in"}"#, [false, false, false]),
        (r#"{"on":"flow","reason":["fee","log"]}"#, [false, true, true]),
    ] {
        let Condition::Flow(condition) = bound(trigger) else { panic!("a flow") };
        assert_eq!([&ether, &token, &fee].map(|flow| condition.holds(flow, Side::Out)), expected, "{trigger}");
    }
    let change = |kind: CodeChangeKind| CodeChangeRecord { kind: kind.into(), ..CodeChangeRecord::default() };
    let Condition::Code(condition) = bound(r#"{"on":"code","change":"delegation"}"#) else { panic!("code") };
    assert!(condition.holds(&change(CodeChangeKind::Delegation)) && !condition.holds(&change(CodeChangeKind::Create)));
}

#[test]
fn what_wakes_by_a_kind_of_record_may_read_it() {
    let subscriptions = |trigger: &str| described(trigger).unwrap().subscriptions();
    assert_eq!(subscriptions(r#""frame""#), Subscriptions::NONE);
    assert_eq!(subscriptions(r#""flow""#), Subscriptions::FLOWS);
    assert_eq!(subscriptions(r#"{"on":"log"}"#), Subscriptions::FLOWS);
    assert_eq!(subscriptions(r#"{"on":"slot","mapping":1}"#), Subscriptions::PREIMAGES);
    assert_eq!(subscriptions(r#"{"on":"slot","mapping":1,"key":2}"#), Subscriptions::NONE);
    assert_eq!(subscriptions(r#"{"on":"slot","mapping":1,"key":2,"key2":3}"#), Subscriptions::NONE);
    assert_eq!(subscriptions(r#"{"on":"slot","mapping":1,"key2":3}"#), Subscriptions::PREIMAGES);
    assert_eq!(subscriptions(r#"{"on":"slot","mapping":1,"key":2,"depth":2}"#), Subscriptions::PREIMAGES);
    assert_eq!(subscriptions(r#"{"on":"transient","slot":1}"#), Subscriptions::ACCESSES);
    let both = Subscriptions::ACCESSES.union(Subscriptions::PREIMAGES);
    assert_eq!(subscriptions(r#"{"on":"transient","mapping":1}"#), both);
    assert!(subscriptions(r#"{"on":"flow","reason":"fee"}"#).contains(Subscriptions::FEES));
}

#[test]
fn what_means_nothing_is_refused_and_says_why() {
    for (trigger, says) in [
        (r#""block""#, "known are \"frame\", \"flow\""),
        (r#"7"#, "a name or an object"),
        (r#"{"selector":"0xa9059cbb"}"#, "\"on\""),
        (r#"{"on":"block"}"#, "known are \"call\""),
        (r#"{"on":"call","selektor":"0xa9059cbb"}"#, "unknown field `selektor`, expected"),
        (r#"{"on":"call","selector":"0xa9059c"}"#, "not four bytes"),
        (r#"{"on":"call","selector":[]}"#, "leave the field out"),
        (r#"{"on":"call","kind":"jump"}"#, "known are call, callcode"),
        (r#"{"on":"call","depth_min":3,"depth_max":2}"#, "above depth_max"),
        (r#"{"on":"call","selector":"$other"}"#, "no parameter \"other\""),
        (r#"{"on":"call","selector":"$slot"}"#, "is uint256"),
        (r#"{"on":"slot","slot":"$text"}"#, "is string"),
        (r#"{"on":"slot","slot":"-1"}"#, "is not a number"),
        (r#"{"on":"slot","key":1}"#, "which, in mapping"),
        (r#"{"on":"slot","depth":2}"#, "which, in mapping"),
        (r#"{"on":"slot","mapping":1,"depth":5}"#, "depth is 1 to 4"),
        (r#"{"on":"transient","mapping":1,"depth":0}"#, "depth is 1 to 4"),
        (r#"{"on":"slot","mapping":1,"key3":1,"depth":2}"#, "deeper than depth"),
        (r#"{"on":"slot","words":65}"#, "words is 1 to 64"),
        (r#"{"on":"flow","token":"0x01"}"#, "not an address"),
    ] {
        let error = described(trigger).unwrap_err();
        assert!(error.contains(says), "{trigger}: {error}");
    }
    let many = vec![r#""frame""#; 33].join(",");
    assert!(described(&many).unwrap_err().contains("33 triggers"));
    let values = vec!["1"; 65].join(",");
    assert!(described(&format!(r#"{{"on":"slot","slot":[{values}]}}"#)).unwrap_err().contains("65 values"));
}

#[test]
fn a_configuration_of_other_parameters_does_not_bind() {
    let descriptor = described(r#"{"on":"slot","mapping":1,"key":"$list"}"#).unwrap();
    let whole = configuration();
    for length in [0, 32, 64, 160, 192] {
        assert!(matches!(descriptor.conditions(&whole[..length]), Err(BindError::Configuration { .. })), "{length}");
    }
    let mut endless = whole;
    endless[128..160].fill(0xff);
    assert!(matches!(descriptor.conditions(&endless), Err(BindError::Configuration { .. })));
}

#[test]
fn a_descriptor_says_again_what_it_was_given() {
    let slot = r#"{"on":"slot","mapping":["3"],"key":["$list"],"key2":["1"],"depth":3}"#;
    let transient = r#"{"on":"transient","slot":["$slot"]}"#;
    let descriptor = described(&format!(r#""frame",{slot},{transient}"#)).unwrap();
    assert_eq!(
        serde_json::to_value(&descriptor.triggers).unwrap(),
        serde_json::from_str::<serde_json::Value>(&format!(r#"["frame",{slot},{transient}]"#)).unwrap()
    );
    assert_eq!(descriptor.triggers[0].to_string(), "frame");
}

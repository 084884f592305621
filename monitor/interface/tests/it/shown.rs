//! What a contract's message holds.

use parapet_monitor::{Descriptor, Subscriptions, shown::List};

fn described(message: &str) -> Result<Descriptor, String> {
    let text = format!(r#"{{"abi":1,"name":"probe","version":"1","triggers":["frame"]{message}}}"#);
    Descriptor::parse(text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_message_names_lists_or_nothing() {
    assert_eq!(described("").unwrap().message, None);
    assert_eq!(described(r#","message":[]"#).unwrap().message, Some(vec![]));
    let some = described(r#","message":["flows","transaction"]"#).unwrap();
    assert_eq!(some.message, Some(vec![List::Flows, List::Transaction]));
    let again: Descriptor = serde_json::from_str(&serde_json::to_string(&some).unwrap()).unwrap();
    assert_eq!(again, some);
}

#[test]
fn what_is_unknown_or_named_twice_is_refused() {
    let unknown = described(r#","message":["writes"]"#).unwrap_err();
    assert!(unknown.contains("\"writes\"") && unknown.contains("slot_changes"), "{unknown}");
    let twice = described(r#","message":["logs","frames","logs"]"#).unwrap_err();
    assert!(twice.contains("logs twice"), "{twice}");
}

#[test]
fn who_is_shown_a_list_subscribes_to_it() {
    for (message, subscriptions) in [
        ("[]", Subscriptions::NONE),
        (r#"["frames","slot_changes"]"#, Subscriptions::NONE),
        (r#"["logs"]"#, Subscriptions::FLOWS),
        (r#"["accesses","flows"]"#, Subscriptions::FLOWS.union(Subscriptions::ACCESSES)),
    ] {
        assert_eq!(described(&format!(r#","message":{message}"#)).unwrap().subscriptions(), subscriptions, "{message}");
    }
}

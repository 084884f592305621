//! Messages are what `sdk/cosmwasm` documents: its types read them, and its committed schema accepts them.

use std::path::{Path, PathBuf};

use parapet_abi::{
    AccessRecord, Asset, CodeChangeRecord, ContextRecord, FlowRecord, FrameRecord, LogRecord, NO_FRAME,
    SlotChangeRecord,
};
use parapet_contract::{GuardQuery, SudoMsg};
use parapet_cosmwasm::sudo_message;
use parapet_monitor::{Subscriptions, Trace, shown::List};
use parapet_vm::Subject;
use schemars::schema_for;
use serde_json::{Value, json};

use super::{subject, trace};

/// One record of each kind at least, with numbers that this version has names for, and with numbers that it has not.
pub(crate) fn everything() -> Trace {
    let unknown = FrameRecord { kind: 200, status: 200, parent: NO_FRAME, ..FrameRecord::default() };
    let flow = |asset, reason| FlowRecord { asset, reason, ..FlowRecord::default() };
    let tokens = [Asset::Erc20, Asset::Erc721, Asset::Erc1155].map(|asset| flow(asset.into(), 3));
    Trace {
        context: ContextRecord { value: [0xff; 32], chain_id: u64::MAX, ..trace().context },
        frames: (0..7).map(|kind| FrameRecord { kind, ..FrameRecord::default() }).chain([unknown]).collect(),
        accesses: [0, 1, 2, 3, 200].map(|kind| AccessRecord { kind, ..AccessRecord::default() }).to_vec(),
        flows: tokens.into_iter().chain([flow(0, 0), flow(0, 2), flow(200, 200)]).collect(),
        logs: vec![LogRecord { topic_count: 4, ..LogRecord::default() }, LogRecord::default()],
        slot_changes: vec![SlotChangeRecord::default()],
        code_changes: [0, 1, 2, 200]
            .map(|kind| CodeChangeRecord { kind, frame: NO_FRAME, ..CodeChangeRecord::default() })
            .to_vec(),
        ..trace()
    }
}

/// An attachment that subscribes to all there is.
pub(crate) fn seeing_everything() -> Subject {
    Subject { subscriptions: Subscriptions::FLOWS.union(Subscriptions::ACCESSES), ..subject() }
}

fn messages() -> Vec<Value> {
    let all = sudo_message(&everything(), &seeing_everything(), None).unwrap();
    let none = Subject { subscriptions: Subscriptions::NONE, ..subject() };
    let least = sudo_message(&trace(), &none, None).unwrap();
    [all, least].iter().map(|message| serde_json::from_slice(message).unwrap()).collect()
}

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/cosmwasm/schema").join(name)
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(committed(name)).unwrap()).unwrap()
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let made = [("sudo.json", schema_for!(SudoMsg)), ("query.json", schema_for!(GuardQuery))];
    for (name, made) in made {
        let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
        // Set to write the files instead, after a change of the types.
        if std::env::var_os("PARAPET_WRITE_SCHEMAS").is_some() {
            std::fs::write(committed(name), &text).unwrap();
        }
        let there = std::fs::read_to_string(committed(name)).unwrap_or_default();
        assert_eq!(there, text, "run this test with PARAPET_WRITE_SCHEMAS=1 and commit sdk/cosmwasm/schema/{name}");
    }
}

#[test]
fn the_types_for_authors_read_every_message_and_nothing_is_lost() {
    for message in messages() {
        let read: SudoMsg = serde_json::from_value(message.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), message);
    }
}

#[test]
fn a_message_holds_what_the_descriptor_names_and_nothing_else() {
    let members = |shown: &[List]| {
        let message = sudo_message(&everything(), &seeing_everything(), Some(shown)).unwrap();
        let message: Value = serde_json::from_slice(&message).unwrap();
        message["judge"].as_object().unwrap().clone()
    };
    assert!(members(&[]).is_empty());
    let all = members(&List::ALL);
    let whole = sudo_message(&everything(), &seeing_everything(), None).unwrap();
    assert_eq!(json!({ "judge": all }), serde_json::from_slice::<Value>(&whole).unwrap());
    for list in List::ALL {
        let one = members(&[list]);
        assert_eq!((one.len(), &one[list.name()]), (1, &all[list.name()]));
    }
}

#[test]
fn the_schema_accepts_every_message() {
    let schema = schema("sudo.json");
    for message in messages() {
        accepts(&schema, &schema, &message).unwrap();
    }
}

#[test]
fn the_schema_refuses_what_is_no_message() {
    let schema = schema("sudo.json");
    let good = messages().remove(0);
    for (pointer, bad) in [
        ("/judge/transaction/value", json!(1)),
        ("/judge/transaction/sender", json!("0xABCDEF")),
        ("/judge/frames/0/kind", json!("jump")),
        ("/judge/accounts", json!("none")),
    ] {
        let mut message = good.clone();
        *message.pointer_mut(pointer).unwrap() = bad;
        assert!(accepts(&schema, &schema, &message).is_err(), "{pointer}");
    }
    let mut message = good;
    message["judge"].as_object_mut().unwrap().remove("frames");
    assert!(accepts(&schema, &schema, &message).is_err());
}

/// As much of JSON Schema as the committed files use. What it does not know it refuses.
fn accepts(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, says) in schema.as_object().ok_or("a schema is an object")? {
        let fine = match keyword.as_str() {
            "$schema" | "title" | "description" | "definitions" | "default" | "format" | "additionalProperties" => true,
            "$ref" => {
                let pointer = says.as_str().unwrap().trim_start_matches('#');
                return accepts(root, root.pointer(pointer).ok_or("a reference to nothing")?, value);
            }
            "allOf" => says.as_array().unwrap().iter().all(|one| accepts(root, one, value).is_ok()),
            "anyOf" | "oneOf" => says.as_array().unwrap().iter().any(|one| accepts(root, one, value).is_ok()),
            "enum" => says.as_array().unwrap().contains(value),
            "type" => types(says).iter().any(|ty| is(value, ty)),
            "required" => says.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "minimum" => value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| hex(says.as_str().unwrap(), text)),
            "items" => match value.as_array() {
                Some(items) => return items.iter().try_for_each(|item| accepts(root, says, item)),
                None => true,
            },
            "properties" => {
                for (name, says) in says.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        accepts(root, says, member).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
                true
            }
            other => return Err(format!("keyword {other}")),
        };
        if !fine {
            return Err(format!("{keyword} of {says} refuses {value}"));
        }
    }
    Ok(())
}

fn types(says: &Value) -> Vec<&str> {
    match says {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn is(value: &Value, ty: &str) -> bool {
    match ty {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// The only patterns there are: hex digits behind `0x`, so many of them.
fn hex(pattern: &str, text: &str) -> bool {
    let count = pattern.strip_prefix("^0x[0-9a-f]{").and_then(|rest| rest.strip_suffix("}$"));
    let count: usize = count.and_then(|count| count.parse().ok()).expect("a pattern that this test knows");
    let digits = text.strip_prefix("0x").unwrap_or_default();
    digits.len() == count && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

//! The document that `rpc.discover` answers: it names what the server answers, no more and no less, and says of guards what
//! their methods answer.
//!
//! `PARAPET_OPENRPC_WRITE=1` writes it and the page `docs/RPC.md` from the sources.

mod document;
mod sources;

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc};

use alloy_primitives::B256;
use parapet_builder::Settings;
use parapet_rpc::Limits;
use serde_json::{Map, Value, json};

use crate::{fixture::Dev, tryouts::Speaks};
use document::Written;

const DOCUMENT: &str = "openrpc/document.json";
const PAGE: &str = "../../docs/RPC.md";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&fs::read_to_string(path(name)).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn drawn() -> Value {
    let written = Written {
        schemas: read("openrpc/schemas.json"),
        summaries: read("openrpc/summaries.json"),
        errors: read("openrpc/method_errors.json"),
        error_objects: read("openrpc/errors.json"),
    };
    document::document(&sources::methods(&path("src/api")), &written)
}

fn methods(document: &Value) -> &Vec<Value> {
    document["methods"].as_array().unwrap()
}

#[test]
fn the_document_and_its_page_are_what_the_sources_say() {
    let drawn = drawn();
    let (text, page) = (serde_json::to_string_pretty(&drawn).unwrap() + "\n", document::page(&drawn));
    if std::env::var_os("PARAPET_OPENRPC_WRITE").is_some() {
        fs::write(path(DOCUMENT), text).unwrap();
        fs::write(path(PAGE), &page).unwrap();
    }
    // Whether an object keeps the order of its fields depends on what else is built.
    let stored: Value = read(DOCUMENT);
    assert!(stored == drawn, "{DOCUMENT} is not what the sources say: run this with PARAPET_OPENRPC_WRITE=1");
    let stored = fs::read_to_string(path(PAGE)).unwrap_or_default();
    assert!(stored == page, "{PAGE} is not what the sources say: run this with PARAPET_OPENRPC_WRITE=1");
}

#[test]
fn every_method_says_what_it_does() {
    let silent: Vec<_> = methods(&drawn())
        .iter()
        .filter(|method| method["summary"] == "")
        .map(|method| method["name"].clone())
        .collect();
    assert!(silent.is_empty(), "a comment in the trait, or a line in openrpc/summaries.json, is missing: {silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_names_what_the_server_answers() {
    let dev = Dev::start().await;
    let document = dev.ask("rpc.discover", json!([])).await.unwrap();
    let named: BTreeSet<&str> = methods(&document).iter().map(|method| method["name"].as_str().unwrap()).collect();
    let answered: BTreeSet<&str> = dev.server.methods().iter().copied().collect();
    assert_eq!(named.difference(&answered).collect::<Vec<_>>(), Vec::<&&str>::new(), "named and not answered");
    assert_eq!(answered.difference(&named).collect::<Vec<_>>(), Vec::<&&str>::new(), "answered and not named");
    let modules = dev.ask("rpc_modules", json!([])).await.unwrap();
    for name in named {
        let (namespace, _) = name.split_once(['_', '.']).unwrap();
        assert!(modules.get(namespace).is_some(), "{namespace} is not in rpc_modules");
    }
}

#[test]
fn methods_of_guards_have_schemas_and_errors_that_exist() {
    let document = drawn();
    let resolve =
        |value: &Value| value["$ref"].as_str().map(|place| document.pointer(place.trim_start_matches('#')).is_some());
    let mut open = Vec::new();
    walk(&document, &mut |value| {
        if resolve(value) == Some(false) {
            open.push(value.clone());
        }
    });
    assert_eq!(open, Vec::<Value>::new(), "references to nothing");
    for method in methods(&document).iter().filter(|method| method["name"].as_str().unwrap().starts_with("guard_")) {
        assert!(
            method["errors"].as_array().is_some_and(|errors| !errors.is_empty()),
            "{} has no errors",
            method["name"]
        );
        walk(method, &mut |value| {
            let untold = value.as_object().is_some_and(|object| object.len() == 1 && object.contains_key("title"));
            assert!(!untold, "{}: no schema for {value}", method["name"]);
        });
    }
}

fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(value);
    match value {
        Value::Object(object) => object.values().for_each(|value| walk(value, visit)),
        Value::Array(array) => array.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_methods_of_guards_answer_fits_their_schemas() {
    let dev = Dev::with(Settings::default(), Limits::default(), Arc::new(Speaks(1))).await;
    let hash = dev.transfer().await.transaction_hash;
    let attachment = B256::with_last_byte(1);
    let candidate = json!({"module": "0x02", "accounts": [dev.address(0)]});
    let call = json!({"from": dev.address(0), "to": dev.address(1), "value": "0x1"});
    let backtest = dev
        .ask("guard_backtest", json!([{"candidates": [candidate], "fromBlock": "earliest", "toBlock": "latest"}]))
        .await
        .unwrap();
    let asked = [
        ("guard_getVerdicts", json!([hash])),
        ("guard_getVerdicts", json!([B256::ZERO])),
        ("guard_getBlockVerdicts", json!([])),
        ("guard_getAttachmentVerdicts", json!([{"attachment": attachment, "fromBlock": "earliest"}])),
        ("guard_getCounts", json!([attachment])),
        ("guard_registry", json!([])),
        ("guard_simulate", json!([call, "latest", [candidate]])),
        ("guard_simulateTransaction", json!([hash])),
        ("guard_record", json!([hash])),
        ("guard_backtestNext", json!([backtest["handle"]])),
        ("guard_backtestStop", json!(["0x99"])),
    ];
    let document = dev.ask("rpc.discover", json!([])).await.unwrap();
    let fits = |name: &str, answer: &Value| {
        let method = methods(&document).iter().find(|method| method["name"] == name).unwrap();
        let mut wrong = Vec::new();
        check(&document, &method["result"]["schema"], answer, name, &mut wrong);
        assert_eq!(wrong, Vec::<String>::new(), "{answer:#}");
    };
    fits("guard_backtest", &backtest);
    for (name, params) in asked {
        fits(name, &dev.ask(name, params).await.unwrap_or_else(|error| panic!("{name}: {error:?}")));
    }
}

/// Whether a value fits a schema, as far as these schemas go.
fn check(document: &Value, schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return check(document, schema, value, place, wrong);
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let fits = |option: &&Value| {
            let mut wrong = Vec::new();
            check(document, option, value, place, &mut wrong);
            wrong.is_empty()
        };
        if options.iter().filter(fits).count() != 1 {
            wrong.push(format!("{place}: {value} fits not exactly one of the forms"));
        }
        return;
    }
    if let Some(allowed) = schema["enum"].as_array() {
        if !allowed.contains(value) {
            wrong.push(format!("{place}: {value} is none of {allowed:?}"));
        }
        return;
    }
    let fits = match schema["type"].as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("string") => value.as_str().is_some_and(|text| schema.get("pattern").is_none() || text.starts_with("0x")),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !fits {
        wrong.push(format!("{place}: {value} is no {}", schema["type"]));
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, &schema["items"], item, &format!("{place}[]"), wrong);
    }
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    for required in schema["required"].as_array().into_iter().flatten() {
        if value.get(required.as_str().unwrap()).is_none() {
            wrong.push(format!("{place}: {required} is missing"));
        }
    }
    for (name, inner) in value.as_object().unwrap_or(&none) {
        let place = format!("{place}.{name}");
        match (properties.get(name), schema.get("additionalProperties")) {
            (Some(schema), _) => check(document, schema, inner, &place, wrong),
            (None, Some(Value::Bool(false))) => wrong.push(format!("{place}: not told in the schema")),
            (None, Some(schema)) => check(document, schema, inner, &place, wrong),
            (None, None) => {}
        }
    }
}

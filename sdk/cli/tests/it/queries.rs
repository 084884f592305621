//! `parapet guard query` against a scripted node.

use alloy_primitives::{B256, hex};
use parapet_cli::{CliError, Exit};
use serde_json::{Value, json};

use crate::{commands::run, scripted_node::ScriptedNode};

/// Answers of three kinds, and a refusal.
fn node() -> ScriptedNode {
    ScriptedNode::start(|method, params| match (method, &params[1]) {
        ("eth_getCode", _) => Ok(json!("0x60")),
        ("guard_query", message) if message.get("window").is_some() => {
            let answer = json!({ "level": "70", "timestamp": "3" });
            Ok(json!({ "answer": answer, "data": hex::encode_prefixed(answer.to_string()), "fuel": 12_345 }))
        }
        ("guard_query", message) if message.get("bytes").is_some() => {
            Ok(json!({ "answer": null, "data": "0x00ff", "fuel": 1 }))
        }
        ("guard_query", message) if message.get("none").is_some() => {
            Ok(json!({ "answer": null, "data": hex::encode_prefixed("null"), "fuel": 1 }))
        }
        ("guard_query", _) => Err(json!({ "code": -32_000, "message": "guard reentrancy is no CosmWasm contract" })),
        (other, _) => panic!("{other} was not expected"),
    })
}

fn query(node: &ScriptedNode, args: &[&str]) -> Result<parapet_cli::Report, CliError> {
    let id = B256::repeat_byte(0x77).to_string();
    run(&[&["query", &id], args, &["--rpc-url", &node.url]].concat())
}

#[test]
fn an_answer_is_readable_and_whole_as_json() {
    let node = node();
    let report = query(&node, &[r#"{"window":{}}"#]).unwrap();
    let expected = "{\n  \"level\": \"70\",\n  \"timestamp\": \"3\"\n}\n12,345 fuel, paid by nobody";
    assert_eq!(report.text, expected);
    assert_eq!((&report.json["answer"]["level"], &report.json["fuel"]), (&json!("70"), &json!(12_345)));
    assert_eq!(report.json["attachment"], json!(B256::repeat_byte(0x77)));
    let report = query(&node, &[r#"{"bytes":{}}"#, "--block", "7"]).unwrap();
    assert_eq!(report.text, "0x00ff\n1 fuel, paid by nobody");
    assert_eq!((&report.json["answer"], &report.json["data"]), (&Value::Null, &json!("0x00ff")));
    assert_eq!(query(&node, &[r#"{"none":{}}"#]).unwrap().text, "null\n1 fuel, paid by nobody");
    let asked = node.asked("guard_query");
    assert_eq!((&asked[0][2], &asked[1][2]), (&json!("latest"), &json!("0x7")));
    assert_eq!(asked[0][1], json!({ "window": {} }));
}

#[test]
fn a_refusal_is_told_in_the_nodes_words_and_what_is_no_json_is_not_sent() {
    let node = node();
    let error = query(&node, &["{}"]).unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("guard reentrancy is no CosmWasm contract"), "{error}");
    let error = query(&node, &["{window:{}}"]).unwrap_err();
    assert_eq!(error.exit(), Exit::WrongUse);
    assert!(error.to_string().contains("write JSON"), "{error}");
    assert_eq!(node.asked("guard_query").len(), 1);
}

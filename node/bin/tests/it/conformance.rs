//! `parapet conformance` from outside: what it prints, and how it ends.

use std::{fs, path::Path, process::Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::parapet;

/// A call of an account without code, worth one wei: 21,000 gas at ten wei, three of which are the coinbase's. `hash` is
/// the root of what that leaves.
fn state_test(hash: &str) -> String {
    let text = r#"{ "transfer": {
        "env": {
            "currentCoinbase": "0x00000000000000000000000000000000000000ff", "currentGasLimit": "0x01c9c380",
            "currentNumber": "0x01", "currentTimestamp": "0x03e8", "currentRandom": "0x00", "currentBaseFee": "0x07"
        },
        "pre": { "0x00000000000000000000000000000000000000aa": {
            "nonce": "0x00", "balance": "0x3b9aca00", "code": "0x", "storage": {}
        } },
        "transaction": {
            "sender": "0x00000000000000000000000000000000000000aa",
            "to": "0x00000000000000000000000000000000000000cc",
            "nonce": "0x00", "gasPrice": "0x0a", "gasLimit": ["0x5208"], "value": ["0x01"], "data": ["0x"]
        },
        "post": {
            "Osaka": [{ "hash": "HASH", "logs": "LOGS", "indexes": { "data": 0, "gas": 0, "value": 0 } }],
            "London": [{ "hash": "HASH", "logs": "LOGS", "indexes": { "data": 0, "gas": 0, "value": 0 } }]
        }
    } }"#;
    let logs = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";
    text.replace("HASH", hash).replace("LOGS", logs)
}

fn run(folder: &Path, args: &[&str]) -> Output {
    parapet(&[&["conformance", folder.to_str().unwrap()], args].concat()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The root that a first run finds.
fn found_root(folder: &Path) -> String {
    fs::write(folder.join("test.json"), state_test(&format!("0x{}", "00".repeat(32)))).unwrap();
    let text = stdout(&run(folder, &[]));
    text.split("the state root is ").nth(1).unwrap()[..66].to_owned()
}

#[test]
fn failures_are_told_one_by_one_and_end_with_code_1() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("test.json"), state_test(&format!("0x{}", "11".repeat(32)))).unwrap();
    let output = run(folder.path(), &[]);
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(lines[0].starts_with("failed: ") && lines[0].contains("test.json: transfer/Osaka/0: the state root is"));
    assert_eq!(lines[1], "skipped 1: the rules before the merge are not this node's (London)");
    assert_eq!(lines[2..], ["0 passed, 1 failed, 1 skipped"]);
    assert!(output.stderr.is_empty(), "progress is for terminals: {:?}", output.stderr);
}

#[test]
fn what_passes_ends_with_code_0_and_the_numbers_last() {
    let folder = TempDir::new().unwrap();
    let root = found_root(folder.path());
    fs::write(folder.path().join("test.json"), state_test(&root)).unwrap();
    for args in [&[][..], &["--threads", "2"], &["--filter", "transfer"]] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(stdout(&output).lines().last(), Some("1 passed, 0 failed, 1 skipped"), "{args:?}");
    }
    // A file by itself is a folder of one.
    assert_eq!(run(&folder.path().join("test.json"), &[]).status.code(), Some(0));
}

#[test]
fn the_report_is_one_json_object_when_asked_for() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("test.json"), state_test(&format!("0x{}", "11".repeat(32)))).unwrap();
    let output = run(folder.path(), &["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((&report["passed"], &report["failed"], &report["skipped"]), (&0.into(), &1.into(), &1.into()));
    assert_eq!(report["failures"][0]["test"], "transfer/Osaka/0");
    assert_eq!(report["skips"][0]["tests"], 1);
}

#[test]
fn nothing_to_run_is_one_readable_line() {
    let folder = TempDir::new().unwrap();
    let absent = folder.path().join("absent");
    for (path, args, expected) in
        [(absent.as_path(), &[][..], "absent does not exist"), (folder.path(), &[], "holds no tests")]
    {
        let output = run(path, args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.lines().count() == 1 && error.contains(expected), "{error}");
    }
    for threads in ["0", "257", "many"] {
        let output = run(folder.path(), &["--threads", threads]);
        assert_eq!(output.status.code(), Some(2), "{threads}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("1 to 256"), "{threads}");
    }
}

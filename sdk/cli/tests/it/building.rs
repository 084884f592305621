//! `guard build` and `guard check` on folders and files that are not what they should be.

use std::fs;

use parapet_cli::{CliError, Exit};

use crate::commands::run;

#[test]
fn a_folder_that_is_no_crate_is_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let error = run(&["build", path]).unwrap_err();
    assert!(matches!(error, CliError::NotACrate { .. }), "{error}");
    assert_eq!(error.exit(), Exit::WrongUse);

    fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
    let error = run(&["build", path]).unwrap_err();
    assert!(error.to_string().contains("name the folder of one member"), "{error}");

    fs::write(folder.path().join("Cargo.toml"), "not toml at all").unwrap();
    assert_eq!(run(&["build", path]).unwrap_err().exit(), Exit::WrongUse);
}

#[test]
fn check_shows_what_a_shipped_guard_says_about_itself() {
    let report = run(&["check", "reentrancy"]).unwrap();
    for part in ["guard      reentrancy 0.1.0", "hooks      init, on_call", "allow_views: bool, default false"] {
        assert!(report.text.contains(part), "{part} in {}", report.text);
    }
    assert_eq!(report.json["descriptor"]["name"], "reentrancy");
    assert_eq!(report.json["hooks"], serde_json::json!(["init", "on_call"]));
}

#[test]
fn check_says_that_a_contract_is_one_and_what_it_takes() {
    let report = run(&["check", "outflow_cap_cosmwasm"]).unwrap();
    for part in ["form       cosmwasm", "hooks      instantiate, sudo, query", "tx_max: uint256, required"] {
        assert!(report.text.contains(part), "{part} in {}", report.text);
    }
    assert_eq!(report.json["form"], "cosmwasm");
}

#[test]
fn check_estimates_fuel_that_grows_with_the_calls_of_a_transaction() {
    for guard in [
        &["check", "reentrancy"][..],
        &["check", "outflow_cap_cosmwasm", "--param", "tx_max=5", "--param", "window_max=9"],
    ] {
        let report = run(guard).unwrap();
        let fuel = &report.json["fuel"];
        let spent = |run: usize| fuel["runs"][run]["fuel"].as_u64().unwrap();
        assert!(0 < spent(0) && spent(0) < spent(1), "{fuel}");
        let (per_call, within) = (fuel["perCall"].as_u64().unwrap(), fuel["callsWithinLimit"].as_u64().unwrap());
        assert!(per_call > 0 && per_call * within < 2 * fuel["limit"].as_u64().unwrap(), "{fuel}");
        assert!(report.text.contains("for each further call"), "{}", report.text);
    }
    let report = run(&["check", "outflow_cap_cosmwasm"]).unwrap();
    assert!(report.json["fuel"].is_null() && report.text.contains("give the required parameters"), "{}", report.text);
    let refused = run(&["check", "outflow_cap", "--param", "window_seconds=0"]).unwrap_err();
    assert!(refused.to_string().contains("refuses its parameters"), "{refused}");
    assert_eq!(refused.exit(), Exit::Refused);
}

#[test]
fn check_refuses_what_is_no_module() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.wasm");
    for bytes in [b"".as_slice(), b"\0asm", b"\0asm\x01\0\0\0", b"#!/bin/sh"] {
        fs::write(&file, bytes).unwrap();
        let error = run(&["check", file.to_str().unwrap()]).unwrap_err();
        assert!(matches!(error, CliError::Vet { .. }), "{error}");
        assert_eq!(error.exit(), Exit::Refused);
    }
}

#[test]
fn a_missing_file_and_an_unknown_name_are_wrong_use() {
    let error = run(&["check", "no/such/file.wasm"]).unwrap_err();
    assert!(matches!(error, CliError::Read { .. }), "{error}");
    let error = run(&["check", "reentrance"]).unwrap_err();
    let shipped = parapet_cli::shipped::SHIPPED.map(|shipped| shipped.name).join(", ");
    assert!(error.to_string().ends_with(&format!("shipped are {shipped}")), "{error}");
    assert_eq!(error.exit(), Exit::WrongUse);
}

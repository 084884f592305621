//! Files that are damaged, endless, or made to do harm. Whatever they hold, a run ends with a report or an error, and no
//! test of it panics.

use std::{fs, fs::File, path::Path};

use parapet_conformance::{ConformanceError, Options, Report, run};
use parapet_fixtures::FixtureError;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixtures::{reasons, run_text, suite};

/// Nesting that would end the stack of a reader that follows it.
const DEEP: usize = 1_000_000;

fn unharmed(outcome: &Result<Report, ConformanceError>, what: &str) {
    if let Ok(report) = outcome {
        for reason in reasons(report) {
            assert!(!matches!(reason, ConformanceError::Panicked(_)), "{what}: {reason}");
        }
    }
}

/// A small file of each format that there is among the fixtures.
fn samples() -> Vec<(&'static str, String)> {
    let files = [
        "ethereum-tests-valid/bcExample/mergeExample.json",
        "ethereum-tests-invalid/bcEIP1559/baseFee.json",
        "witness-blocks/holesky-2971844.json",
    ];
    let found = files.into_iter().filter_map(|file| Some((file, fs::read_to_string(suite(file)?).unwrap())));
    found.collect()
}

#[test]
fn text_that_is_not_json_is_a_failure_of_its_file() {
    for text in ["", "{", "not json", "{\"a\": 1,}", "\u{0}", "{\"a\": [1, 2"] {
        let report = run_text(text).unwrap();
        assert!(matches!(reasons(&report)[..], [ConformanceError::Json(_)]), "{text:?}: {report}");
    }
    let report = run_text([0xff, 0xfe, 0x7b]).unwrap();
    assert!(matches!(reasons(&report)[..], [ConformanceError::Json(_)]));
}

#[test]
fn json_of_another_kind_is_no_test() {
    for text in ["[]", "1", "\"text\"", "null", "{}", r#"{"a": 1}"#, r#"{"a": {"b": []}}"#] {
        assert!(matches!(run_text(text), Err(ConformanceError::NoTests(_))), "{text}");
    }
}

#[test]
fn nesting_without_end_is_no_harm() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(DEEP), close.repeat(DEEP));
    let (lists, maps) = (deep("[", "]"), deep(r#"{"a":"#, "}"));
    let maps = maps.replace(":}", ":1}");
    for nested in [&lists, &maps] {
        let texts = [
            nested.clone(),
            format!(r#"{{"test": {nested}}}"#),
            format!(r#"{{"test": {{"blocks": {nested}}}}}"#),
            format!(r#"{{"test": {{"blocks": [], "network": "Osaka", "unknown": {nested}}}}}"#),
            format!(r#"{{"test": {{"transaction": {{}}, "post": {nested}, "pre": {nested}}}}}"#),
            format!(r#"{{"block_rlp": "0x", "witness": {nested}}}"#),
            format!(r#"{{"block_rlp": "0x", "pre": {nested}}}"#),
            nested[..DEEP].to_owned(),
        ];
        for text in texts {
            let outcome = run_text(&text);
            unharmed(&outcome, &text[..80]);
            assert!(outcome.is_err() || outcome.is_ok_and(|report| report.passed == 0), "{}", &text[..80]);
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for (name, text) in samples() {
        for part in 1..40 {
            let mut end = text.len() * part / 40;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let report = run_text(&text[..end]).unwrap();
            assert!(matches!(reasons(&report)[..], [ConformanceError::Json(_)]), "{name} cut at {end}: {report}");
        }
    }
}

#[test]
fn fields_that_are_absent_or_of_another_kind_fail_alone() {
    for (name, text) in samples() {
        let whole: Value = serde_json::from_str(&text).unwrap();
        for path in paths(&whole, "", 4) {
            for wrong in [Value::Null, 7.into(), "0x".into(), "0xzz".into(), Value::Array(vec![]), (-1).into()] {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&path).unwrap() = wrong;
                unharmed(&run_text(damaged.to_string()), &format!("{name} {path}"));
            }
        }
    }
}

/// Pointers to a file's fields down to a depth; of long lists and maps, the first few.
fn paths(value: &Value, at: &str, depth: usize) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().take(12).map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().take(2).enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, value) in below.into_iter().filter(|_| depth > 0) {
        let path = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.extend(paths(value, &path, depth - 1));
        found.push(path);
    }
    found
}

#[test]
fn changed_digits_never_panic() {
    for (name, text) in samples() {
        let digits: Vec<usize> =
            text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_hexdigit()).map(|(at, _)| at).collect();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..400 {
            let mut damaged = text.clone().into_bytes();
            for _ in 0..=round % 3 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = digits[usize::try_from(random >> 33).unwrap() % digits.len()];
                damaged[at] = b"0123456789abcdef"[usize::try_from(random >> 20 & 15).unwrap()];
            }
            unharmed(&run_text(&damaged), &format!("{name}, round {round}"));
        }
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let huge = format!("0x{}", "f".repeat(64));
    for (name, text) in samples() {
        let whole: Value = serde_json::from_str(&text).unwrap();
        for path in paths(&whole, "", 5) {
            let mut damaged = whole.clone();
            let field = damaged.pointer_mut(&path).unwrap();
            if field.as_str().is_some_and(|text| text.len() < 20) {
                *field = huge.clone().into();
                unharmed(&run_text(damaged.to_string()), &format!("{name} {path}"));
            }
        }
    }
}

#[test]
fn a_file_longer_than_any_suite_has_is_not_read() {
    let folder = TempDir::new().unwrap();
    File::create(folder.path().join("long.json")).unwrap().set_len(1 << 40).unwrap();
    let report = run(folder.path(), &Options::default(), |_| {}).unwrap();
    assert!(
        matches!(reasons(&report)[..], [ConformanceError::Fixture(FixtureError::FileTooLong { bytes, .. })] if *bytes == 1 << 40)
    );
}

#[test]
fn a_folder_that_holds_itself_ends() {
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    let outcome = run(folder.path(), &Options::default(), |_| {});
    assert!(
        matches!(outcome, Err(ConformanceError::Fixture(FixtureError::TooDeep { .. } | FixtureError::Read { .. }))),
        "{outcome:?}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let outcome = run(Path::new("/nowhere/at/all"), &Options::default(), |_| {});
    assert!(
        matches!(outcome, Err(ConformanceError::Fixture(FixtureError::NotFound(path))) if path == Path::new("/nowhere/at/all"))
    );
    let empty = TempDir::new().unwrap();
    assert!(matches!(run(empty.path(), &Options::default(), |_| {}), Err(ConformanceError::NoTests(_))));
}

#[test]
fn a_filter_that_lets_nothing_through_is_said() {
    let Some(folder) = suite("ethereum-tests-transition") else { return };
    let options = Options { filter: Some("no such test".into()), ..Options::default() };
    let outcome = run(&folder, &options, |_| {});
    assert!(matches!(outcome, Err(ConformanceError::NothingMatches(_))), "{outcome:?}");
}

#[test]
fn the_report_does_not_depend_on_who_ran_what() {
    let Some(folder) = suite("known-divergence") else { return };
    let lines = || {
        let report = run(&folder, &Options::default(), |_| {}).unwrap();
        report.failures.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(lines(), lines());
}

//! A first guard, as somebody makes it who has just built the program: new, test, build, check, without a network. And what
//! is said of what goes wrong on the way.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// Where the guards of these tests are compiled, each time again in the same place, so that only the first time is long.
fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("first_guard")
}

fn guard(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parapet"));
    command.current_dir(folder).arg("guard").args(args);
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target_dir());
    command.output().unwrap()
}

/// What it printed, if it succeeded.
fn done(folder: &Path, args: &[&str]) -> String {
    let output = guard(folder, args);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{args:?}: {stdout}{stderr}");
    stdout
}

/// What it said as it refused. A panic is no refusal; those of the guard's own tests are not the program's.
fn refused(folder: &Path, args: &[&str], exit: i32) -> String {
    let output = guard(folder, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {said}");
    assert!(!said.contains("thread 'main'"), "{args:?}: {said}");
    said
}

/// Whether guards can be compiled to Wasm here; said where not.
fn compiles_to_wasm(folder: &Path) -> bool {
    let found = parapet_cli::build::find(folder);
    if let Err(missing) = &found {
        println!("skipped: {missing}");
    }
    found.is_ok()
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_first_guard_is_made_tested_built_and_checked_with_nothing_else_typed() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["new", "first_demo"]);
    let demo = folder.path().join("first_demo");
    let tested: Value = serde_json::from_str(&done(&demo, &["test", "--json"])).unwrap();
    assert_eq!(tested["native"], "passed");
    if !compiles_to_wasm(&demo) {
        assert!(tested["reason"].as_str().unwrap().contains("to Wasm"), "{tested}");
        return;
    }
    assert!(
        tested["wasm"]["hooks"].as_u64().unwrap() > 100 && tested["wasm"]["vetoes"].as_u64().unwrap() > 1,
        "{tested}"
    );
    assert!(tested["wasm"]["fuelMost"].as_u64().unwrap() > 0, "{tested}");
    let built = done(&demo, &["build", "--out", "demo.wasm"]);
    let checked = done(&demo, &["check", "demo.wasm"]);
    for part in ["guard      first_demo 0.1.0", "parameter  most: uint64 in bps, default 10%", "hooks      init, on_tx"]
    {
        assert!(built.contains(part) && checked.contains(part), "{part} in {checked}");
    }
    assert_eq!(done(&demo, &["check"]), checked, "a crate's folder is built, and then the same");
    let again = done(&demo, &["build", "--out", "again.wasm"]);
    assert!(again.contains("first_demo"));
    assert_eq!(fs::read(demo.join("demo.wasm")).unwrap(), fs::read(demo.join("again.wasm")).unwrap());
}

#[test]
fn a_contract_is_made_and_tested_alike() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["new", "first_contract", "--cosmwasm"]);
    let tested: Value =
        serde_json::from_str(&done(&folder.path().join("first_contract"), &["test", "--json"])).unwrap();
    assert_eq!((tested["native"].as_str(), tested["wasm"].is_null()), (Some("passed"), true));
}

#[test]
fn a_guard_that_is_wrong_is_told_what_is_wrong_and_where() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["new", "first_wrong"]);
    let demo = folder.path().join("first_wrong");
    let (source, tests) = (demo.join("src/lib.rs"), demo.join("src/tests.rs"));

    // A property that does not hold.
    replace(&source, "if self.most.is_exceeded_by(left, held)", "if false && self.most.is_exceeded_by(left, held)");
    let said = refused(&demo, &["test", "--native"], 1);
    assert!(said.contains("lets_a_tenth_leave_and_no_more") && said.contains("did not pass"), "{said}");
    replace(&source, "if false && ", "if ");

    if compiles_to_wasm(&demo) {
        // Code that is not the same natively.
        replace(&source, "if self.most.is", "if cfg!(not(target_arch = \"wasm32\")) && self.most.is");
        let said = refused(&demo, &["test"], 1);
        let parts = ["says something else as a module", "OnTx", "natively it vetoes 1", "as a module it says nothing"];
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        replace(&source, "cfg!(not(target_arch = \"wasm32\")) && ", "");

        // A default that is no value.
        replace(&source, "default = \"10%\"", "default = \"half\"");
        let said = refused(&demo, &["check"], 2);
        assert!(said.contains("default of parameter most is \"half\"") && said.contains("50%"), "{said}");
        replace(&source, "default = \"half\"", "default = \"10%\"");

        // An import that no host has.
        let import = "#[link(wasm_import_module = \"env\")]\nunsafe extern \"C\" {\n    fn clock() -> u64;\n}\n";
        fs::write(&source, format!("{}\n{import}", fs::read_to_string(&source).unwrap())).unwrap();
        replace(
            &source,
            "if !tx.succeeded() {",
            "if cfg!(target_arch = \"wasm32\") && unsafe { clock() } == 0 || !tx.succeeded() {",
        );
        let said = refused(&demo, &["check"], 1);
        assert!(said.contains("cannot be a guard") && said.contains("clock"), "{said}");
    }

    // What the compiler refuses.
    fs::write(&tests, "this is no Rust").unwrap();
    let said = refused(&demo, &["test", "--native"], 1);
    assert!(said.contains("src/tests.rs") && said.contains("did not pass"), "{said}");
    fs::write(&source, "#![no_std]\nthis is no Rust").unwrap();
    if compiles_to_wasm(&demo) {
        let said = refused(&demo, &["build"], 1);
        assert!(said.contains("src/lib.rs") && said.contains("its errors stand above"), "{said}");
    }
}

#[test]
fn a_name_or_a_place_that_does_not_do_is_refused_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("there")).unwrap();
    for (args, says) in [
        (&["new", "there"][..], "exists already"),
        (&["new", "No"], "lower-case"),
        (&["new", "mod"], "Rust has that word"),
        (&["new", "1st"], "a letter comes first"),
        (&["new", "demo", "--sdk", "there"], "--sdk DIR"),
        (&["test", "there"], "Cargo.toml"),
        (&["build", "nowhere"], "Cargo.toml"),
        (&["check", "there"], "Cargo.toml"),
        (&["check", "nowhere.wasm"], "cannot read"),
    ] {
        let said = refused(folder.path(), args, 2);
        assert!(said.contains(says), "{args:?}: {said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the folder that was there");
}

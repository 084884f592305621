//! The vectors of ethereum/execution-apis, run against this program on the chain they belong to.
//!
//! They lie beside this project, with a runner of their own, and are not part of it: where they are absent, or Python is,
//! the test says so and is skipped. What fails is listed in `docs/RPC_COMPAT.md` with its reason.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use crate::process::Node;

/// Where the vectors lie, from this crate's folder.
const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/rpc-compat");
/// The document with the table of what fails.
const DOCS: &str = include_str!("../../../../docs/RPC_COMPAT.md");
/// The heading above the table.
const HEADING: &str = "### Vectors that fail";

/// Names in the first column of the table: those that must fail, and beginnings of those that may.
fn listed() -> (BTreeSet<&'static str>, Vec<&'static str>) {
    let section = DOCS.split_once(HEADING).expect("the heading is there").1;
    let section = section.split("\n#").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0));
    let (may, must): (Vec<_>, Vec<_>) = names.partition(|name| name.ends_with('*'));
    (must.into_iter().collect(), may.iter().map(|name| name.trim_end_matches('*')).collect())
}

/// The names of vectors that fail on a node, and how many there are in all. With a file of the secret that it shares with a
/// consensus client, the runner sets the head as one first.
fn failures(node: &Node, vectors: &Path, secret: Option<&Path>) -> (BTreeSet<String>, usize) {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.json");
    let mut runner = Command::new("python3");
    runner
        .arg(vectors.join("run.py"))
        .args(["--url", node.ready["http"].as_str().unwrap()])
        .arg("--tests")
        .arg(vectors.join("tests"))
        .arg("--spec")
        .arg(vectors.join("schemas.json"))
        .arg("--json")
        .arg(&report);
    if let Some(secret) = secret {
        runner.args(["--engine", node.ready["engine"].as_str().unwrap(), "--jwt"]).arg(secret);
    }
    let output = runner.output().unwrap();
    if secret.is_some() {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("\"status\":\"VALID\""), "the head is set: {said}");
    }
    let text = std::fs::read(&report).unwrap_or_else(|_| panic!("no report: {output:?}"));
    let report: Value = serde_json::from_slice(&text).unwrap();
    let results = report["results"].as_array().unwrap();
    let mut failed = BTreeSet::new();
    for result in results.iter().filter(|result| result["pass"] == false) {
        println!("{}: {}", result["name"], result["diff"]);
        failed.insert(result["name"].as_str().unwrap().to_owned());
    }
    (failed, results.len())
}

/// The vectors, if they are here with what runs them.
fn vectors() -> Option<&'static Path> {
    let vectors = Path::new(VECTORS);
    let has_python = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if vectors.join("run.py").exists() && has_python {
        return Some(vectors);
    }
    println!("skipped: ../shared/rpc-compat or python3 is not there");
    None
}

/// Runs all vectors on the chain that they belong to.
fn run(vectors: &Path, secret: Option<&Path>) {
    let path = |name: &str| vectors.join("tests").join(name).to_str().unwrap().to_owned();
    let (genesis, chain) = (path("genesis.json"), path("chain.rlp"));
    let mut args = vec!["--genesis", &genesis, "--import", &chain, "--no-mining", "--slots-in-an-epoch", "0"];
    if let Some(secret) = secret {
        args.extend(["--engine-port", "0", "--jwt-secret", secret.to_str().unwrap()]);
    }
    let node = Node::start(&args);
    let (failed, count) = failures(&node, vectors, secret);
    println!("{} of {count} vectors pass", count - failed.len());
    let (must, may) = listed();
    let permitted = |name: &&str| may.iter().any(|beginning| name.starts_with(beginning));
    let failed: BTreeSet<_> = failed.iter().map(String::as_str).filter(|name| !permitted(name)).collect();
    assert_eq!(failed, must, "what fails, and what docs/RPC_COMPAT.md lists");
}

#[test]
fn the_vectors_of_execution_apis_pass_but_for_those_that_are_listed() {
    if let Some(vectors) = vectors() {
        run(vectors, None);
    }
}

#[test]
fn so_they_do_where_a_consensus_client_has_set_the_head() {
    let Some(vectors) = vectors() else { return };
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "17".repeat(32)).unwrap();
    run(vectors, Some(secret.path()));
}

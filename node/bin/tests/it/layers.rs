//! Reads every manifest of the workspace and fails on an edge that the design forbids.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use toml::Table;

/// Kinds of dependencies, as manifests name them.
const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// A crate of the workspace.
struct Member {
    /// Its folder, from the root.
    folder: String,
    manifest: Table,
}

impl Member {
    /// Dependencies by kind and name.
    fn dependencies(&self) -> impl Iterator<Item = (&'static str, &str, &toml::Value)> {
        KINDS.into_iter().flat_map(|kind| {
            let table = self.manifest.get(kind).and_then(toml::Value::as_table);
            table.into_iter().flatten().map(move |(name, value)| (kind, name.as_str(), value))
        })
    }

    fn name(&self) -> &str {
        self.manifest["package"]["name"].as_str().unwrap()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn read(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn members() -> Vec<Member> {
    let root = root();
    let manifest = read(&root.join("Cargo.toml"));
    let folders = manifest["workspace"]["members"].as_array().unwrap();
    let member = |folder: &toml::Value| {
        let folder = folder.as_str().unwrap().to_owned();
        Member { manifest: read(&root.join(&folder).join("Cargo.toml")), folder }
    };
    folders.iter().map(member).collect()
}

/// Fails with every dependency on one of `names` outside `folders`.
fn only(names: &[&str], folders: &[&str], kinds: &[&str]) {
    let mut offences = Vec::new();
    for member in members().iter().filter(|member| !folders.contains(&member.folder.as_str())) {
        for (kind, name, _) in member.dependencies() {
            if kinds.contains(&kind) && names.contains(&name) {
                offences.push(format!("{} names {name} in its {kind}", member.folder));
            }
        }
    }
    assert!(offences.is_empty(), "only {folders:?} may name {names:?}, but:\n{}", offences.join("\n"));
}

#[test]
fn monitor_never_names_the_node_nor_the_evm() {
    let members = members();
    let node: BTreeSet<&str> =
        members.iter().filter(|member| member.folder.starts_with("node/")).map(Member::name).collect();
    let mut offences = Vec::new();
    for member in members.iter().filter(|member| member.folder.starts_with("monitor/")) {
        for (kind, name, _) in member.dependencies() {
            if node.contains(name) || name.starts_with("revm") {
                offences.push(format!("{} names {name} in its {kind}", member.folder));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_abi_and_the_guest_sdk_stand_below_everything() {
    for member in
        members().iter().filter(|member| ["sdk/abi", "sdk/bump", "sdk/guest"].contains(&member.folder.as_str()))
    {
        for (_, name, _) in member.dependencies() {
            let ours =
                name.starts_with("parapet-") && !["parapet-abi", "parapet-bump", "parapet-macros"].contains(&name);
            assert!(!ours, "{} names {name}", member.folder);
        }
    }
}

#[test]
fn only_execution_names_revm() {
    only(&["revm", "revm-inspectors"], &["node/executor", "node/simulate", "devnet/bench"], &KINDS);
}

#[test]
fn only_the_guard_vm_names_wasmtime() {
    // And the benchmark that runs guards without fuel, which the guard VM never does.
    only(&["wasmtime"], &["monitor/vm", "devnet/bench-guards"], &KINDS);
}

#[test]
fn only_the_comparison_of_engines_names_the_second_one() {
    only(&["wasmi"], &["devnet/differential"], &KINDS);
}

#[test]
fn only_the_vm_for_contracts_names_cosmwasm_vm() {
    only(&["cosmwasm-vm", "wasmer"], &["monitor/cosmwasm"], &KINDS);
    let users = ["monitor/judge", "sdk/cli", "devnet/bench-guards"];
    only(&["parapet-cosmwasm"], &users, &["dependencies", "build-dependencies"]);
}

#[test]
fn only_state_names_rocksdb() {
    only(&["rocksdb"], &["node/state"], &KINDS);
}

#[test]
fn only_the_fork_asks_other_nodes_for_state() {
    only(&["ureq"], &["node/fork"], &KINDS);
}

#[test]
fn wire_types_stay_at_the_edge() {
    let clients = ["node/rpc", "node/fork", "sdk/cli", "devnet/scenarios"];
    let wire = ["alloy-rpc-types-eth", "alloy-provider", "jsonrpsee"];
    // Tests are clients too, except those of the monitor.
    only(&wire, &clients, &["dependencies", "build-dependencies"]);
    for member in members().iter().filter(|member| member.folder.starts_with("monitor/")) {
        assert!(member.dependencies().all(|(_, name, _)| !wire.contains(&name)), "{}", member.folder);
    }
}

#[test]
fn every_manifest_inherits_the_lints_of_the_workspace() {
    for member in members() {
        let inherits = member.manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(inherits.and_then(toml::Value::as_bool), Some(true), "{} has lints of its own", member.folder);
    }
}

#[test]
fn versions_stand_only_in_the_root() {
    for member in members() {
        for (kind, name, value) in member.dependencies() {
            let inherited = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            assert!(inherited, "{}: {name} in {kind} does not inherit from the workspace", member.folder);
        }
        for field in ["version", "edition", "rust-version", "license"] {
            let inherited = member.manifest["package"].get(field).and_then(|field| field.get("workspace"));
            assert!(inherited.is_some(), "{}: {field} does not inherit from the workspace", member.folder);
        }
    }
}

#[test]
fn no_crate_is_an_empty_room() {
    for member in members() {
        let named = member.manifest.get("lib").and_then(|lib| lib.get("path")).and_then(toml::Value::as_str);
        let names = named.into_iter().chain(["src/lib.rs", "src/main.rs"]);
        let entry = names.map(|name| root().join(&member.folder).join(name)).find(|path| path.exists());
        let entry = entry.unwrap_or_else(|| panic!("{} has neither lib.rs nor main.rs", member.folder));
        let text = std::fs::read_to_string(entry).unwrap();
        let code = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
        assert!(code.count() > 1, "{} is empty", member.folder);
    }
}

#[test]
fn dependencies_between_crates_have_no_cycle() {
    let members = members();
    let names: BTreeSet<&str> = members.iter().map(Member::name).collect();
    // Tests may look up the layers; what is built may not.
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = members
        .iter()
        .map(|member| {
            let ours = member.dependencies().filter(|(kind, name, _)| *kind == "dependencies" && names.contains(name));
            (member.name(), ours.map(|(_, name, _)| name).collect())
        })
        .collect();
    while let Some(leaf) = edges.iter().find(|(_, to)| to.is_empty()).map(|(name, _)| *name) {
        edges.remove(leaf);
        for to in edges.values_mut() {
            to.remove(leaf);
        }
    }
    assert!(edges.is_empty(), "a cycle among {:?}", edges.keys());
}

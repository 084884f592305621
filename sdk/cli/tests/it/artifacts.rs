//! The committed modules are what their sources give.

use std::path::{Path, PathBuf};

use alloy_primitives::keccak256;
use parapet_cli::{
    artifacts::{self, CONTRACTS, NATIVE, SETS},
    build, parameters,
    shipped::{SHIPPED, Shipped},
};
use parapet_monitor::Hook;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Set to compile contracts too, and compare.
const EVERY_MODULE: &str = "PARAPET_COMPILE_CONTRACTS";

const REBUILD: &str = "run `make artifacts` and commit guards/artifacts";

#[test]
fn sources_of_the_shipped_guards_are_those_that_were_compiled() {
    for set in SETS {
        let manifest = artifacts::read_manifest(&root(), set).unwrap();
        let now = artifacts::source_hash(&root(), set).unwrap();
        assert_eq!(
            now, manifest.source_hash,
            "sources of {:?} changed since they were compiled: {REBUILD}",
            set.guards
        );
    }
}

#[test]
fn the_manifest_names_the_modules_that_are_part_of_the_program() {
    let artifacts: Vec<_> =
        SETS.iter().flat_map(|set| artifacts::read_manifest(&root(), *set).unwrap().guards).collect();
    // Two contracts are for tests and the benchmark alone.
    assert_eq!(artifacts.len(), SHIPPED.len() + 2);
    for shipped in SHIPPED {
        let artifact = artifacts.iter().find(|artifact| artifact.name == shipped.name).unwrap();
        assert_eq!((artifact.keccak256, artifact.bytes), (keccak256(shipped.wasm), shipped.wasm.len()), "{REBUILD}");
    }
}

/// Guards that look at one thing.
const SIMPLE: [&str; 1] = ["reentrancy"];
const SIMPLE_BYTES_MAX: usize = 20 * 1_024;
const BYTES_MAX: usize = 48 * 1_024;

#[test]
fn shipped_guards_pass_vetting_and_say_what_they_are() {
    for shipped in shipped(NATIVE.guards) {
        let vetted = parapet_vm::vet(shipped.wasm).unwrap();
        assert_eq!(vetted.descriptor.name, shipped.name);
        assert!(vetted.hooks.has(Hook::Init), "{} can refuse its configuration", shipped.name);
        let most = if SIMPLE.contains(&shipped.name) { SIMPLE_BYTES_MAX } else { BYTES_MAX };
        assert!(shipped.wasm.len() < most, "{} has {} bytes", shipped.name, shipped.wasm.len());
        parameters::check(&vetted.descriptor).unwrap();
    }
    let hooks = |name: &str| parapet_vm::vet(parapet_cli::shipped::find(name).unwrap().wasm).unwrap().hooks;
    assert!(hooks("reentrancy").has(Hook::OnCall) && !hooks("reentrancy").has(Hook::OnTx));
    assert!(hooks("outflow_cap").has(Hook::OnTx) && !hooks("outflow_cap").has(Hook::OnCall));
}

/// The shipped guards of a set.
fn shipped(names: &'static [&'static str]) -> impl Iterator<Item = Shipped> {
    SHIPPED.into_iter().filter(|shipped| names.contains(&shipped.name))
}

#[test]
fn shipped_contracts_pass_vetting_and_say_what_they_are() {
    for shipped in shipped(CONTRACTS.guards) {
        let vetted = parapet_cosmwasm::vet(shipped.hash(), shipped.wasm).unwrap();
        assert_eq!(vetted.descriptor.name, shipped.name);
        assert!(shipped.wasm.len() < 340 * 1_024, "{} has {} bytes", shipped.name, shipped.wasm.len());
        parameters::check(&vetted.descriptor).unwrap();
    }
}

#[test]
fn no_module_holds_a_path_of_the_machine_that_compiled_it() {
    let home = std::env::var("HOME").unwrap_or_else(|_| "/root".to_owned());
    for shipped in SHIPPED {
        for path in [home.as_str(), root().to_str().unwrap()] {
            let found = shipped.wasm.windows(path.len()).any(|bytes| bytes == path.as_bytes());
            assert!(!found, "{} holds {path}", shipped.name);
        }
    }
}

/// Where another compiler is at hand there is nothing to compare with, which is said.
#[test]
fn the_recorded_compiler_makes_the_same_bytes_again() {
    let toolchain = match build::find(&root().join("guards")) {
        Ok(toolchain) => toolchain,
        Err(error) => return println!("skipped: {error}"),
    };
    // CosmWasm's standard library takes two minutes to compile, more than all else that is tested here.
    let sets = if std::env::var_os(EVERY_MODULE).is_some() { &SETS[..] } else { &[NATIVE] };
    for set in sets.iter().copied() {
        let manifest = artifacts::read_manifest(&root(), set).unwrap();
        if toolchain.to_string() != manifest.toolchain {
            println!("skipped: this is {toolchain}, the modules were compiled with {}", manifest.toolchain);
            continue;
        }
        let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guards");
        for (name, wasm) in artifacts::compile_all(&root(), set, &toolchain, &target_dir).unwrap() {
            let artifact = manifest.guards.iter().find(|artifact| artifact.name == name).unwrap();
            assert_eq!(artifact.keccak256, keccak256(&wasm), "{name} compiles to other bytes: {REBUILD}");
        }
    }
}

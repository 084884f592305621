//! The committed modules are what their sources give.

use std::path::{Path, PathBuf};

use alloy_primitives::keccak256;
use parapet_cli::{artifacts, build, parameters, shipped::SHIPPED};
use parapet_monitor::Hook;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

const REBUILD: &str = "run `make artifacts` and commit guards/artifacts";

#[test]
fn sources_of_the_shipped_guards_are_those_that_were_compiled() {
    let manifest = artifacts::read_manifest(&root()).unwrap();
    let now = artifacts::source_hash(&root()).unwrap();
    assert_eq!(now, manifest.source_hash, "sources changed since the modules were compiled: {REBUILD}");
}

#[test]
fn the_manifest_names_the_modules_that_are_part_of_the_program() {
    let manifest = artifacts::read_manifest(&root()).unwrap();
    assert_eq!(manifest.guards.len(), SHIPPED.len());
    for (artifact, shipped) in manifest.guards.iter().zip(SHIPPED) {
        assert_eq!(artifact.name, shipped.name);
        assert_eq!((artifact.keccak256, artifact.bytes), (keccak256(shipped.wasm), shipped.wasm.len()), "{REBUILD}");
    }
}

#[test]
fn shipped_guards_pass_vetting_and_say_what_they_are() {
    for shipped in SHIPPED {
        let vetted = parapet_vm::vet(shipped.wasm).unwrap();
        assert_eq!(vetted.descriptor.name, shipped.name);
        assert!(vetted.hooks.has(Hook::Init), "{} can refuse its configuration", shipped.name);
        assert!(shipped.wasm.len() < 20 * 1_024, "{} has {} bytes", shipped.name, shipped.wasm.len());
        parameters::check(&vetted.descriptor).unwrap();
    }
    let hooks = |name: &str| parapet_vm::vet(parapet_cli::shipped::find(name).unwrap().wasm).unwrap().hooks;
    assert!(hooks("reentrancy").has(Hook::OnCall) && !hooks("reentrancy").has(Hook::OnTx));
    assert!(hooks("outflow_cap").has(Hook::OnTx) && !hooks("outflow_cap").has(Hook::OnCall));
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
    let manifest = artifacts::read_manifest(&root()).unwrap();
    let toolchain = match build::find(&root().join("guards")) {
        Ok(toolchain) => toolchain,
        Err(error) => return println!("skipped: {error}"),
    };
    if toolchain.to_string() != manifest.toolchain {
        return println!("skipped: this is {toolchain}, the modules were compiled with {}", manifest.toolchain);
    }
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guards");
    for (name, wasm) in artifacts::compile_all(&root(), &toolchain, &target_dir).unwrap() {
        let artifact = manifest.guards.iter().find(|artifact| artifact.name == name).unwrap();
        assert_eq!(artifact.keccak256, keccak256(&wasm), "{name} compiles to other bytes: {REBUILD}");
    }
}

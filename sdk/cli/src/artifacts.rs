//! The committed modules of the shipped guards: how they are made, and how it is told that they match their sources.
//!
//! A manifest in `guards/artifacts` names the compiler, the hash of every module, and [`source_hash`]. A test recomputes
//! that hash, so sources that changed without a rebuild are noticed even where nothing compiles to Wasm.

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::{B256, Keccak256};
use serde::{Deserialize, Serialize};

use crate::{
    CliError,
    build::{self, Toolchain},
    module::Module,
    shipped::NATIVE_NAMES,
};

/// Guards that are compiled together, and told by one manifest.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    /// Their crates.
    pub guards: &'static [&'static str],
    /// Folder of those.
    folder: &'static str,
    /// What they share; `Cargo.toml` and `src` of each of them come on top.
    shared: &'static [&'static str],
    manifest: &'static str,
}

/// The native guards.
pub const NATIVE: Set = Set { guards: NATIVE_NAMES, folder: "guards", shared: &SHARED, manifest: "MANIFEST.json" };

/// The CosmWasm contracts, those included that only tests and benchmarks use: their own crates, and thus their own sources
/// and compiler.
pub const CONTRACTS: Set = Set {
    guards: &["outflow_cap_cosmwasm", "light_cosmwasm", "whole_message_cosmwasm"],
    folder: "guards/contracts",
    shared: &SHARED_BY_CONTRACTS,
    manifest: "CONTRACTS.json",
};

/// All of them.
pub const SETS: [Set; 2] = [NATIVE, CONTRACTS];

/// As [`SHARED`], for contracts.
const SHARED_BY_CONTRACTS: [&str; 8] = [
    "guards/contracts/Cargo.lock",
    "guards/contracts/Cargo.toml",
    "sdk/abi/Cargo.toml",
    "sdk/abi/src",
    "sdk/bump/Cargo.toml",
    "sdk/bump/src",
    "sdk/cosmwasm/Cargo.toml",
    "sdk/cosmwasm/src",
];

/// Files and folders whose text decides the modules, beside the guards' own. The root's Cargo.toml is not among them: of
/// what it gives the guests, versions stand in `guards/Cargo.lock`, and the rest of it changes with every crate of the host.
const SHARED: [&str; 14] = [
    "guards/Cargo.lock",
    "guards/Cargo.toml",
    "guards/standing/Cargo.toml",
    "guards/standing/src",
    "guards/worth/Cargo.toml",
    "guards/worth/src",
    "sdk/abi/Cargo.toml",
    "sdk/abi/src",
    "sdk/bump/Cargo.toml",
    "sdk/bump/src",
    "sdk/guest/Cargo.toml",
    "sdk/guest/src",
    "sdk/macros/Cargo.toml",
    "sdk/macros/src",
];

impl Set {
    /// Files and folders whose text decides the modules.
    fn sources(&self) -> Vec<String> {
        let parts = |name| ["Cargo.toml", "src"].map(|part| format!("{}/{name}/{part}", self.folder));
        let own = self.guards.iter().flat_map(parts);
        self.shared.iter().map(|shared| (*shared).to_owned()).chain(own).collect()
    }
}

/// Where the shipped guards are compiled, whatever folder the project lies in. Cargo hashes a package's absolute path into
/// its symbols, and the order of symbols into the module: equal bytes need equal paths.
const WORKSHOP: &str = "/tmp/parapet-guards";
/// Held by who compiles there: two at once would mix their sources.
const WORKSHOP_LOCK: &str = "/tmp/parapet-guards.lock";

/// Parts of the sources that no module contains: unit tests and their scripted host.
const NOT_IN_MODULES: [&str; 3] = ["tests.rs", "mock", "scripted.rs"];

/// The manifest of a [`Set`], in `guards/artifacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The modules.
    pub guards: Vec<Artifact>,
    /// What `rustc --version` said of the compiler.
    pub rustc: String,
    /// The way it was used, in words.
    pub toolchain: String,
    /// [`source_hash`] of what was compiled.
    pub source_hash: B256,
}

/// One module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// The guard's name.
    pub name: String,
    /// Keccak-256 of the module, which is its name on chains.
    pub keccak256: B256,
    /// Its size.
    pub bytes: usize,
}

/// Folder of the modules, below the project's root.
#[must_use]
pub fn folder(root: &Path) -> PathBuf {
    root.join("guards/artifacts")
}

/// Reads the manifest.
///
/// # Errors
/// [`CliError`] when there is none, or it is not as it must be.
pub fn read_manifest(root: &Path, set: Set) -> Result<Manifest, CliError> {
    let path = folder(root).join(set.manifest);
    let text = fs::read_to_string(&path).map_err(|source| CliError::Read { path, source })?;
    serde_json::from_str(&text).map_err(|error| CliError::Shipped(error.to_string()))
}

/// Hash over paths and text of all sources, by path, with line ends as LF.
///
/// # Errors
/// [`CliError::Read`] when a source is missing.
pub fn source_hash(root: &Path, set: Set) -> Result<B256, CliError> {
    let mut paths = Vec::new();
    for source in set.sources() {
        collect(root, &source, &mut paths)?;
    }
    paths.sort();
    let mut hasher = Keccak256::new();
    for relative in &paths {
        let path = root.join(relative);
        let text = fs::read_to_string(&path).map_err(|source| CliError::Read { path, source })?.replace("\r\n", "\n");
        for part in [relative.as_bytes(), text.as_bytes()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    Ok(hasher.finalize())
}

/// Paths of files at and below one, with `/` on every system.
fn collect(root: &Path, relative: &str, paths: &mut Vec<String>) -> Result<(), CliError> {
    let path = root.join(relative);
    let read = |source| CliError::Read { path: path.clone(), source };
    if !path.is_dir() {
        paths.push(relative.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(&path).map_err(read)? {
        let name = entry.map_err(read)?.file_name().to_string_lossy().into_owned();
        if !NOT_IN_MODULES.contains(&name.as_str()) {
            collect(root, &format!("{relative}/{name}"), paths)?;
        }
    }
    Ok(())
}

/// Compiles every guard of a set, from a copy of the sources in one fixed folder.
///
/// # Errors
/// [`CliError`] as [`build::compile`] gives it, or when the sources cannot be copied.
pub fn compile_all(
    root: &Path,
    set: Set,
    toolchain: &Toolchain,
    target_dir: &Path,
) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let held = |source| CliError::Write { path: WORKSHOP_LOCK.into(), source };
    let lock = fs::File::create(WORKSHOP_LOCK).map_err(held)?;
    lock.lock().map_err(held)?;
    let workshop = Path::new(WORKSHOP);
    if workshop.exists() {
        fs::remove_dir_all(workshop).map_err(|source| CliError::Write { path: workshop.to_owned(), source })?;
    }
    for source in set.sources().into_iter().chain(["Cargo.toml".to_owned()]) {
        copy(&root.join(&source), &workshop.join(&source))?;
    }
    let compile = |name: &str| {
        let crate_dir = build::crate_root(&workshop.join(set.folder).join(name))?;
        Ok((name.to_owned(), build::compile(&crate_dir, toolchain, Some(target_dir))?.wasm))
    };
    set.guards.iter().map(|name| compile(name)).collect()
}

/// Copies a file, or a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<(), CliError> {
    let read = |source| CliError::Read { path: from.to_owned(), source };
    if !from.is_dir() {
        return write(to, &fs::read(from).map_err(read)?);
    }
    for entry in fs::read_dir(from).map_err(read)? {
        let name = entry.map_err(read)?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// Compiles every guard of a set and writes modules and manifest.
///
/// # Errors
/// [`CliError`] when there is no toolchain, a guard does not compile or pass vetting, or a file cannot be written.
pub fn rebuild(root: &Path, set: Set) -> Result<Manifest, CliError> {
    let toolchain = build::find(&root.join("guards")).map_err(CliError::NoToolchain)?;
    let source_hash = source_hash(root, set)?;
    let mut guards = Vec::new();
    for (name, wasm) in compile_all(root, set, &toolchain, &root.join("guards/target/artifacts"))? {
        write(&folder(root).join(format!("{name}.wasm")), &wasm)?;
        let module = Module::vet(&name, Cow::Owned(wasm))?;
        guards.push(Artifact { keccak256: module.hash, bytes: module.wasm.len(), name });
    }
    let manifest =
        Manifest { guards, rustc: toolchain.version().to_owned(), toolchain: toolchain.to_string(), source_hash };
    let mut text = serde_json::to_string_pretty(&manifest).map_err(|error| CliError::Shipped(error.to_string()))?;
    text.push('\n');
    write(&folder(root).join(set.manifest), text.as_bytes())?;
    Ok(manifest)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let wrong = |source| CliError::Write { path: path.to_owned(), source };
    path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, bytes)).map_err(wrong)
}

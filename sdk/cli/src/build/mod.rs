//! `parapet guard build`: the one place that finds a way to Wasm and takes it.
//!
//! The module depends on the sources and the compiler alone: one codegen unit, no paths of this machine, no symbols.
//! CosmWasm contracts are built the same way and then lowered.

mod lower;
mod toolchain;

use std::{
    borrow::Cow,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

pub use lower::{Lowered, NotLowered, lower};
pub use toolchain::{NoToolchain, Toolchain, find};

use crate::{BuildArgs, CliError, Report, module::Module, report::progress};

/// The target of every guest.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// Stack of a guest, in bytes: far more than a guard needs, far less than the linker's own 1 MiB.
const STACK_BYTES: u32 = 65_536;

/// How every guest is compiled, whatever its own profile says.
const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "false"),
];

/// Whether size or speed comes first.
const OPT_LEVEL: &str = "CARGO_PROFILE_RELEASE_OPT_LEVEL";

/// The crate that makes a contract of another one.
const COSMWASM: &str = "cosmwasm-std";

/// What a crate becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A native guard.
    Native,
    /// A CosmWasm contract.
    Contract,
}

impl Kind {
    /// A native guard is small and the engine's compiler optimises it; a contract's compiler does not.
    const fn opt_level(self) -> &'static str {
        match self {
            Self::Native => "s",
            Self::Contract => "3",
        }
    }
}

/// What cargo made.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where it lies.
    pub path: PathBuf,
    /// Its bytes.
    pub wasm: Vec<u8>,
}

pub(crate) fn run(args: &BuildArgs) -> Result<Report, CliError> {
    let crate_dir = crate_root(&args.crate_dir)?;
    let toolchain = find(&crate_dir).map_err(CliError::NoToolchain)?;
    progress(&format!("building with {toolchain}"));
    let mut built = compile(&crate_dir, &toolchain, None)?;
    let module = Module::vet(&built.path.display().to_string(), Cow::Owned(built.wasm.clone()))?;
    if let Some(out) = &args.out {
        std::fs::write(out, &built.wasm).map_err(|source| CliError::Write { path: out.clone(), source })?;
        built.path.clone_from(out);
    }
    let mut json = module.json();
    json["path"] = Value::from(built.path.display().to_string());
    json["toolchain"] = Value::from(toolchain.to_string());
    Ok(Report { text: format!("{}\nfile       {}", module.text(), built.path.display()), json })
}

/// The folder, if a single crate is there.
///
/// # Errors
/// [`CliError::NotACrate`] says what is missing.
pub fn crate_root(dir: &Path) -> Result<PathBuf, CliError> {
    let not = |reason: String| CliError::NotACrate { path: dir.to_owned(), reason };
    let manifest = dir.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).map_err(|error| not(format!("its Cargo.toml: {error}")))?;
    let parsed: toml::Table = toml::from_str(&text).map_err(|error| not(error.to_string()))?;
    if !parsed.contains_key("package") {
        return Err(not("its Cargo.toml describes a workspace; name the folder of one member".to_owned()));
    }
    dir.canonicalize().map_err(|error| not(error.to_string()))
}

/// Compiles a crate's module; cargo's own output goes to standard error as it comes.
///
/// # Errors
/// [`CliError`] when cargo cannot be started, fails, or makes no module.
pub fn compile(crate_dir: &Path, toolchain: &Toolchain, target_dir: Option<&Path>) -> Result<Built, CliError> {
    let mut command = Command::new("cargo");
    command.current_dir(crate_dir);
    command.args(["build", "--release", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    if let Some(target_dir) = target_dir {
        command.arg("--target-dir").arg(target_dir);
    }
    let kind = kind(crate_dir)?;
    command
        .envs(PROFILE)
        .env(OPT_LEVEL, kind.opt_level())
        .env("CARGO_ENCODED_RUSTFLAGS", flags(crate_dir, toolchain).join("\x1f"));
    // What the caller has set up for checking its own code is not for guests.
    command.env_remove("RUSTC_WORKSPACE_WRAPPER").env_remove("CARGO_BUILD_TARGET");
    toolchain.prepare(&mut command, kind);

    let start = |source| CliError::Start { program: "cargo".to_owned(), source };
    let mut cargo = command.stdout(Stdio::piped()).spawn().map_err(start)?;
    let stdout = cargo.stdout.take().expect("standard output is piped");
    let made = BufReader::new(stdout).lines().map_while(Result::ok).filter_map(|line| module_in(&line, crate_dir));
    let made = made.last();
    if !cargo.wait().map_err(start)?.success() {
        return Err(CliError::Cargo { path: crate_dir.to_owned() });
    }
    let path = made.ok_or_else(|| CliError::NoModule { path: crate_dir.to_owned() })?;
    let wasm = std::fs::read(&path).map_err(|source| CliError::Read { path: path.clone(), source })?;
    match kind {
        Kind::Native => Ok(Built { path, wasm }),
        Kind::Contract => lowered(&path, &wasm),
    }
}

/// Lowers a contract, and leaves it beside what cargo made.
fn lowered(path: &Path, wasm: &[u8]) -> Result<Built, CliError> {
    let Lowered { wasm, floats, bulk } =
        lower(wasm).map_err(|source| CliError::Lower { path: path.to_owned(), source })?;
    let path = path.with_extension("lowered.wasm");
    std::fs::write(&path, &wasm).map_err(|source| CliError::Write { path: path.clone(), source })?;
    progress(&format!("lowered {bulk} bulk memory operations to calls, {floats} calculations with floats to traps"));
    Ok(Built { path, wasm })
}

/// What a crate becomes: a contract, if it depends on CosmWasm's standard library.
pub(crate) fn kind(crate_dir: &Path) -> Result<Kind, CliError> {
    let path = crate_dir.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|source| CliError::Read { path: path.clone(), source })?;
    let manifest: toml::Table =
        text.parse().map_err(|error: toml::de::Error| CliError::NotACrate { path, reason: error.to_string() })?;
    let depends = manifest.get("dependencies").and_then(|dependencies| dependencies.get(COSMWASM)).is_some();
    Ok(if depends { Kind::Contract } else { Kind::Native })
}

/// The module that one of cargo's messages announces, if it is this crate's.
fn module_in(message: &str, crate_dir: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let manifest = Path::new(message["manifest_path"].as_str()?);
    if message["reason"] != "compiler-artifact" || manifest.parent()?.canonicalize().ok()? != crate_dir {
        return None;
    }
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    files.map(PathBuf::from).find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// Flags of every guest. Panic messages hold source paths: whatever could tell one machine from another is renamed.
fn flags(crate_dir: &Path, toolchain: &Toolchain) -> Vec<String> {
    let mut flags = vec!["-Clink-arg=--import-undefined".to_owned(), format!("-Clink-arg=-zstack-size={STACK_BYTES}")];
    let around = workspace_root(crate_dir);
    let around = around.parent().filter(|parent| parent.parent().is_some()).unwrap_or(&around);
    flags.push(format!("--remap-path-prefix={}=/source", around.display()));
    if let Some(cargo_home) = cargo_home() {
        flags.push(format!("--remap-path-prefix={}=/cargo", cargo_home.display()));
    }
    if let Some((sources, named)) = library_sources() {
        flags.push(format!("--remap-path-prefix={}={named}", sources.display()));
    }
    flags.extend(toolchain.flags());
    flags
}

/// Where rustup keeps the library's sources, if it was asked for them, and what the compiler calls that place where it
/// was not: a module must be the same with and without them.
fn library_sources() -> Option<(PathBuf, String)> {
    let sysroot = toolchain::ask(Command::new("rustc").args(["--print", "sysroot"]))?;
    let version =
        Command::new("rustc").arg("-vV").output().ok().and_then(|told| String::from_utf8(told.stdout).ok())?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "))?;
    Some((Path::new(sysroot.trim()).join("lib/rustlib/src/rust"), format!("/rustc/{}", commit.trim())))
}

fn cargo_home() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// The folder that holds the workspace's manifest, or the crate's own.
fn workspace_root(crate_dir: &Path) -> PathBuf {
    let located = toolchain::ask(Command::new("cargo").current_dir(crate_dir).args([
        "locate-project",
        "--workspace",
        "--message-format",
        "plain",
    ]));
    let manifest = located.map(PathBuf::from);
    manifest.as_deref().and_then(Path::parent).unwrap_or(crate_dir).to_owned()
}

//! Ways to Wasm, tried in order: rustup's target; Debian's compiler with the library's sources; none.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Kind, TARGET};

/// Debian's compiler, which lies beside rustup's in no one's way.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// Linkers that Debian's `lld` packages bring, the newest first.
const LINKERS: [&str; 5] = ["wasm-ld-22", "wasm-ld-21", "wasm-ld-20", "wasm-ld-19", "wasm-ld"];

/// A usable way to Wasm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler in PATH has the target's library.
    Target {
        /// What `rustc --version` says.
        version: String,
    },
    /// Debian's compiler; the library is compiled from its sources.
    BuildStd {
        /// The compiler.
        rustc: PathBuf,
        /// What `rustc --version` says.
        version: String,
        /// The linker.
        linker: &'static str,
    },
}

impl Toolchain {
    /// What `rustc --version` says.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Target { version } | Self::BuildStd { version, .. } => version,
        }
    }

    /// Adds to a call of cargo what this way needs.
    pub(super) fn prepare(&self, cargo: &mut Command, kind: Kind) {
        match self {
            Self::Target { .. } => {}
            Self::BuildStd { rustc, linker, .. } => {
                let library = match kind {
                    Kind::Native => "-Zbuild-std=core,alloc",
                    Kind::Contract => "-Zbuild-std=std,panic_abort",
                };
                cargo.env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1").arg(library);
                cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            }
        }
    }

    /// Compiler flags of this way. Where the library is compiled anyway, its panics are compiled to bare traps.
    pub(super) fn flags(&self) -> Vec<String> {
        match self {
            Self::Target { .. } => Vec::new(),
            Self::BuildStd { .. } => vec!["-Zunstable-options".to_owned(), "-Cpanic=immediate-abort".to_owned()],
        }
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target { version } => write!(f, "{version} and its installed target {TARGET}"),
            Self::BuildStd { rustc, version, linker } => {
                write!(f, "{} ({version}), the library from its sources, and {linker}", rustc.display())
            }
        }
    }
}

/// Nothing here compiles to Wasm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoToolchain {
    /// What each way lacks.
    pub lacking: Vec<String>,
}

impl fmt::Display for NoToolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "nothing here compiles Rust to Wasm. Each of these does:")?;
        writeln!(f, "  with rustup:  rustup target add {TARGET}")?;
        writeln!(f, "  on Debian, beside rustup's cargo:  apt-get install rustc-web rust-web-src lld-22")?;
        write!(f, "What was looked for: {}", self.lacking.join("; "))
    }
}

/// Finds a way for a crate; its folder can choose the compiler, by a rust-toolchain.toml.
///
/// # Errors
/// [`NoToolchain`] says what to install.
pub fn find(crate_dir: &Path) -> Result<Toolchain, NoToolchain> {
    let rustup = installed_target(crate_dir);
    let debian = || build_std(Path::new(DEBIAN_RUSTC), crate_dir);
    rustup.or_else(|first| debian().map_err(|second| NoToolchain { lacking: vec![first, second] }))
}

fn installed_target(crate_dir: &Path) -> Result<Toolchain, String> {
    let rustc = || {
        let mut rustc = Command::new("rustc");
        rustc.current_dir(crate_dir);
        rustc
    };
    let version = ask(rustc().arg("--version")).ok_or("no rustc in PATH")?;
    let libraries = ask(rustc().args(["--print", "target-libdir", "--target", TARGET]));
    let libraries = libraries.ok_or_else(|| format!("{version} does not know the target {TARGET}"))?;
    if has_core(Path::new(&libraries)) {
        Ok(Toolchain::Target { version })
    } else {
        Err(format!("{version} has no library for {TARGET} in {libraries}"))
    }
}

fn build_std(rustc: &Path, crate_dir: &Path) -> Result<Toolchain, String> {
    let name = rustc.display();
    let version = ask(Command::new(rustc).current_dir(crate_dir).arg("--version"));
    let version = version.ok_or_else(|| format!("no {name}"))?;
    let sysroot =
        ask(Command::new(rustc).args(["--print", "sysroot"])).ok_or_else(|| format!("{name} has no sysroot"))?;
    let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.toml");
    if !library.is_file() {
        return Err(format!("{name} ({version}) has no sources of its library at {}", library.display()));
    }
    let linker = LINKERS.into_iter().find(|linker| ask(Command::new(linker).arg("--version")).is_some());
    let linker = linker.ok_or_else(|| format!("none of the linkers {}", LINKERS.join(", ")))?;
    Ok(Toolchain::BuildStd { rustc: rustc.to_owned(), version, linker })
}

fn has_core(libraries: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(libraries) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

/// First line of a program's standard output, if it can be run and succeeds.
pub(super) fn ask(program: &mut Command) -> Option<String> {
    let output = program.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::{NoToolchain, Toolchain};

    #[test]
    fn says_what_to_install_for_each_way_when_there_is_none() {
        let text = NoToolchain { lacking: vec!["no rustc in PATH".into()] }.to_string();
        for part in ["rustup target add wasm32-unknown-unknown", "rust-web-src", "lld-22", "no rustc in PATH"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn says_which_compiler_it_took() {
        let way = Toolchain::BuildStd { rustc: "/x/rustc".into(), version: "rustc 1.2".into(), linker: "wasm-ld" };
        assert_eq!(way.to_string(), "/x/rustc (rustc 1.2), the library from its sources, and wasm-ld");
    }
}

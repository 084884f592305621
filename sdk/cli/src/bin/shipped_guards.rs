//! Compiles the shipped guards anew and writes them, with their manifests, to `guards/artifacts/`.
//!
//! For those who change a guard or the guest library; the program itself then has to be built again, because it contains
//! the modules.

use std::{io::Write as _, path::Path, process::ExitCode};

use parapet_cli::artifacts;

fn main() -> ExitCode {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    for set in artifacts::SETS {
        match artifacts::rebuild(root, set) {
            Ok(manifest) => {
                let mut out = std::io::stdout();
                for guard in &manifest.guards {
                    let _closed = writeln!(out, "{} {} {} bytes", guard.name, guard.keccak256, guard.bytes);
                }
                let _closed = writeln!(out, "compiled with {}", manifest.toolchain);
            }
            Err(error) => {
                let _closed = writeln!(std::io::stderr(), "error: {error}");
                return error.exit().into();
            }
        }
    }
    ExitCode::SUCCESS
}

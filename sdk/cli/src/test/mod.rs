//! `parapet guard test`: the tests of a guard's crate, and what their scenes showed once more to its module.
//!
//! The tests run natively, by cargo. Where there is a way to Wasm, the module is built first, scenes take down what they
//! show (`parapet_guest::mock::journal`), and [`replay`] shows that to the module in the guard VM: it must say the same.

mod replay;

use std::{
    borrow::Cow,
    io,
    path::Path,
    process::{Command, Stdio},
};

use parapet_guest::mock::journal::{FOLDER_VAR, Played};
use serde_json::json;

use crate::{
    CliError, Report, TestArgs,
    build::{self, Kind},
    module::Module,
    report::{grouped, progress},
};
pub use replay::Difference;
use replay::{Comparison, Host};

/// Names the module for tests that have a guard VM of their own.
const MODULE_VAR: &str = "PARAPET_GUARD_MODULE";

/// What the module was compared in, or why it was not.
enum Compared {
    Alike(Comparison),
    Not(&'static str),
}

pub(crate) fn run(args: &TestArgs) -> Result<Report, CliError> {
    let crate_dir = build::crate_root(&args.crate_dir)?;
    let (module, why_not) = module(args, &crate_dir)?;
    let folder = Folder::make()?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&crate_dir).args(["test", "--quiet"]).args(&args.cargo).env(FOLDER_VAR, &folder.0);
    if let Some((_, path)) = &module {
        cargo.env(MODULE_VAR, path);
    }
    // Standard output is the report's; cargo's own is for people.
    let stdout = Stdio::from(io::stderr());
    let status = cargo.stdout(stdout).status();
    let status = status.map_err(|source| CliError::Start { program: "cargo".to_owned(), source })?;
    if !status.success() {
        return Err(CliError::Tests { path: crate_dir });
    }
    let compared = match module {
        Some((module, _)) => compare(&module, &folder.0)?,
        None => Compared::Not(why_not),
    };
    Ok(report(&crate_dir, &compared))
}

/// The module and where it lies; else why there is none.
type Built = (Option<(Module, std::path::PathBuf)>, &'static str);

fn module(args: &TestArgs, crate_dir: &Path) -> Result<Built, CliError> {
    if args.native {
        return Ok((None, "not asked for"));
    }
    if build::kind(crate_dir)? == Kind::Contract {
        return Ok((None, "tests of contracts play no scenes"));
    }
    let toolchain = match build::find(crate_dir) {
        Ok(toolchain) => toolchain,
        Err(missing) => {
            progress(&missing.to_string());
            return Ok((None, "nothing here compiles to Wasm; what to install stands above"));
        }
    };
    progress(&format!("building with {toolchain}"));
    let built = build::compile(crate_dir, &toolchain, None)?;
    let module = Module::vet(&built.path.display().to_string(), Cow::Owned(built.wasm))?;
    Ok((Some((module, built.path)), ""))
}

/// Shows the module what the scenes of its guard showed.
fn compare(module: &Module, folder: &Path) -> Result<Compared, CliError> {
    let read = |source| CliError::Read { path: folder.to_owned(), source };
    let host = Host::new(module)?;
    let mut comparison = Comparison::default();
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        paths.push(entry.map_err(read)?.path());
    }
    paths.sort();
    for path in paths {
        let bytes = std::fs::read(&path).map_err(|source| CliError::Read { path, source })?;
        match Played::read(&bytes) {
            Ok(played) => host.replay(&played, &mut comparison)?,
            Err(_) => return Err(CliError::Journal { path: folder.to_owned() }),
        }
    }
    Ok(if comparison.hooks == 0 { Compared::Not("no test plays a scene to it") } else { Compared::Alike(comparison) })
}

fn report(crate_dir: &Path, compared: &Compared) -> Report {
    let folder = crate_dir.display().to_string();
    match compared {
        Compared::Not(why) => Report {
            text: format!("native     every test passed\nwasm       not compared: {why}"),
            json: json!({ "folder": folder, "native": "passed", "wasm": null, "reason": why }),
        },
        Compared::Alike(comparison) => {
            let Comparison { scenes, hooks, vetoes, cut, .. } = comparison;
            let (median, most) = (comparison.fuel_median(), comparison.fuel_most());
            let mut text = format!(
                "native     every test passed\nwasm       said the same in {hooks} hooks of {scenes} scenes, {vetoes} vetoes among \
                 them\nfuel       {} in the middle, {} at most, of a transaction",
                grouped(median),
                grouped(most)
            );
            if *cut > 0 {
                text.push_str(&format!("\nnote       {cut} scenes were too long to be compared to their end"));
            }
            let wasm = json!({ "scenes": scenes, "hooks": hooks, "vetoes": vetoes, "cut": cut, "fuelMedian": median, "fuelMost": most });
            Report { text, json: json!({ "folder": folder, "native": "passed", "wasm": wasm }) }
        }
    }
}

/// A folder of this run's own, which goes with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn make() -> Result<Self, CliError> {
        let base = std::env::temp_dir();
        let id = std::process::id();
        // Another run of this process, or of an earlier one with its number, may have left its own.
        for attempt in 0..u32::MAX {
            let path = base.join(format!("parapet-journal-{id}-{attempt}"));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(CliError::Write { path, source }),
            }
        }
        Err(CliError::Write { path: base, source: io::ErrorKind::AlreadyExists.into() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is the temporary folder's business.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

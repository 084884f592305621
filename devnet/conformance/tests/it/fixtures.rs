//! Where the fixtures are, and a place for files made here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parapet_conformance::{ConformanceError, Options, Report, run};
use parapet_fixtures::unpacked;
use tempfile::TempDir;

/// A folder of the fixtures; `None`, said aloud, where there are none.
pub(crate) fn suite(name: &str) -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    match unpacked(project).unwrap() {
        Some(folder) => Some(folder.join(name)),
        None => {
            println!("skipped: ../shared/fixtures is not there");
            None
        }
    }
}

/// Runs one file with this content.
pub(crate) fn run_text(text: impl AsRef<[u8]>) -> Result<Report, ConformanceError> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("test.json"), text).unwrap();
    run(folder.path(), &Options::default(), |_| {})
}

/// The reasons of a report's failures.
pub(crate) fn reasons(report: &Report) -> Vec<&ConformanceError> {
    report.failures.iter().map(|failure| &failure.reason).collect()
}

//! What a run was asked for, and what came of it.

use std::{collections::BTreeMap, fmt, num::NonZeroUsize, path::PathBuf};

use crate::{ConformanceError, Keep, Skip};

/// How tests are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that execute each block. With one, blocks are executed sequentially, and files are spread over the
    /// machine's cores instead.
    pub threads: NonZeroUsize,
    /// Only tests whose name, or whose file's path, contains this.
    pub filter: Option<String>,
    /// Where the states of tests lie.
    pub keep: Keep,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: NonZeroUsize::MIN, filter: None, keep: Keep::Memory }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Files that are done.
    pub files_done: usize,
    /// Files there are.
    pub files: usize,
}

/// A test that did not pass.
#[derive(Debug)]
pub struct Failure {
    /// Its file.
    pub file: PathBuf,
    /// Its name in the file; empty where the file itself cannot be read.
    pub test: String,
    /// Why.
    pub reason: ConformanceError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if !self.test.is_empty() {
            write!(f, ": {}", self.test)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// What came of a run. In the order of files and names, whatever the order in which tests were run.
#[derive(Debug, Default)]
pub struct Report {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that did not.
    pub failures: Vec<Failure>,
    /// How many tests were not run, by reason.
    pub skipped: BTreeMap<Skip, u64>,
}

impl Report {
    /// Tests that were not run.
    #[must_use]
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// No test at all was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.passed == 0
            && self.failures.is_empty()
            && self.skipped.keys().all(|reason| matches!(reason, Skip::UnknownFormat))
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }
}

/// The last line: `N passed, N failed, N skipped`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failures.len(), self.skipped_total())
    }
}

//! Runs every test of a folder. Files are taken one by one by as many threads as there are; the report does not depend
//! on who took which.

use std::{
    any::Any,
    collections::BTreeMap,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use parapet_executor::{Mode, Workers};
use parapet_fixtures::{find, read};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    ConformanceError, Failure, Keep, Options, Progress, Report, Skip, blockchain, error::Stop, keep::Folders, real,
    state_test,
};

/// Runs every test at or below a path; a path of a file is that file. `progress` is told after each file.
///
/// # Errors
/// [`ConformanceError`] where there is nothing to run. What a single file does wrong is in the report.
pub fn run(folder: &Path, options: &Options, mut progress: impl FnMut(Progress)) -> Result<Report, ConformanceError> {
    let files = find(folder)?;
    let workers = Workers::new(options.threads);
    let mode = if options.threads.get() == 1 { Mode::Sequential } else { Mode::Parallel(&workers) };
    let folders = match options.keep {
        Keep::Memory => None,
        Keep::Disk => Some(Folders::default()),
    };
    let runner = Runner { mode, folders: folders.as_ref(), filter: options.filter.as_deref() };
    // Where a block has threads of its own, one block at a time: two would share them.
    let runners = match mode {
        Mode::Sequential => thread::available_parallelism().unwrap_or(NonZeroUsize::MIN).get().min(files.len()),
        Mode::Parallel(_) => 1,
    };
    let mut report = Report::default();
    let next = AtomicUsize::new(0);
    let (done, reports) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..runners {
            let (done, next, files) = (done.clone(), &next, &files);
            scope.spawn(move || {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if done.send(runner.file(file)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        for (files_done, part) in (1..).zip(reports) {
            report.add(part);
            progress(Progress { files_done, files: files.len() });
        }
    });
    report.failures.sort_by(|a, b| (&a.file, &a.test).cmp(&(&b.file, &b.test)));
    match &options.filter {
        _ if !report.is_empty() => Ok(report),
        Some(filter) => Err(ConformanceError::NothingMatches(filter.clone())),
        None => Err(ConformanceError::NoTests(folder.to_owned())),
    }
}

/// What kind of thing an object of JSON is, told by its fields.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape {
    blocks: Option<IgnoredAny>,
    transaction: Option<IgnoredAny>,
    post: Option<IgnoredAny>,
    block_rlp: Option<IgnoredAny>,
    pre: Option<IgnoredAny>,
    witness: Option<IgnoredAny>,
}

enum Format {
    Blockchain,
    State,
    RealBlock,
    Unknown,
}

impl Shape {
    const fn format(&self) -> Format {
        match self {
            Self { blocks: Some(_), .. } => Format::Blockchain,
            Self { transaction: Some(_), post: Some(_), .. } => Format::State,
            Self { block_rlp: Some(_), witness: Some(_), .. } | Self { block_rlp: Some(_), pre: Some(_), .. } => {
                Format::RealBlock
            }
            _ => Format::Unknown,
        }
    }
}

#[derive(Clone, Copy)]
struct Runner<'a> {
    mode: Mode<'a>,
    folders: Option<&'a Folders>,
    filter: Option<&'a str>,
}

impl Runner<'_> {
    /// Every test of a file.
    fn file(&self, path: &Path) -> Report {
        let mut report = Report::default();
        let mut record = |test: String, outcome: Result<(), Stop>| match outcome {
            Ok(()) => report.passed += 1,
            Err(Stop::Skip(reason)) => *report.skipped.entry(reason).or_default() += 1,
            Err(Stop::Fail(reason)) => report.failures.push(Failure { file: path.to_owned(), test, reason }),
        };
        if let Err(error) = self.tests(path, &mut record) {
            record(String::new(), Err(error));
        }
        report
    }

    fn tests(&self, path: &Path, record: &mut impl FnMut(String, Result<(), Stop>)) -> Result<(), Stop> {
        let text = read(path)?;
        let entries: BTreeMap<String, &RawValue> = match serde_json::from_slice(&text) {
            Ok(entries) => entries,
            // Well-formed JSON of another shape is no test.
            Err(error) if error.is_data() => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        let name = path.to_string_lossy();
        match serde_json::from_slice::<Shape>(&text).unwrap_or_default().format() {
            Format::RealBlock if self.wants(&name, "") => {
                let outcome = guarded(|| real::run(serde_json::from_slice(&text)?, self.mode, self.folders));
                record(String::new(), outcome);
            }
            Format::RealBlock => {}
            Format::Blockchain | Format::State | Format::Unknown => {
                let mut known = 0;
                for (test, json) in entries {
                    known += usize::from(self.entry(&name, test, json, record));
                }
                if known == 0 && self.wants(&name, "") {
                    record(String::new(), Err(Skip::UnknownFormat.into()));
                }
            }
        }
        Ok(())
    }

    /// One entry of a file: a blockchain test, or the cases of a state test. Tells whether it is one of them.
    fn entry(
        &self,
        path: &str,
        test: String,
        json: &RawValue,
        record: &mut impl FnMut(String, Result<(), Stop>),
    ) -> bool {
        match serde_json::from_str::<Shape>(json.get()).unwrap_or_default().format() {
            Format::Blockchain => {
                if self.wants(path, &test) {
                    let outcome =
                        guarded(|| blockchain::run(&serde_json::from_str(json.get())?, self.mode, self.folders));
                    record(test, outcome);
                }
                true
            }
            Format::State => {
                match serde_json::from_str::<state_test::StateTest>(json.get()) {
                    Ok(cases) => self.cases(path, &test, &cases, record),
                    Err(error) => record(test, Err(error.into())),
                }
                true
            }
            Format::RealBlock | Format::Unknown => false,
        }
    }

    fn cases(
        &self,
        path: &str,
        test: &str,
        cases: &state_test::StateTest,
        record: &mut impl FnMut(String, Result<(), Stop>),
    ) {
        for (case, run) in cases.cases() {
            let name = format!("{test}/{case}");
            if self.wants(path, &name) {
                record(name, guarded(|| state_test::run(run, self.mode, self.folders)));
            }
        }
    }

    fn wants(&self, path: &str, test: &str) -> bool {
        self.filter.is_none_or(|filter| path.contains(filter) || test.contains(filter))
    }
}

/// A test that panics has failed; the others are run all the same.
fn guarded(test: impl FnOnce() -> Result<(), Stop>) -> Result<(), Stop> {
    catch_unwind(AssertUnwindSafe(test)).unwrap_or_else(|panic| {
        let text = |panic: &dyn Any| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
        };
        Err(ConformanceError::Panicked(text(&*panic)).into())
    })
}

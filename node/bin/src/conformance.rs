//! `parapet conformance`: Ethereum's public tests, and real blocks, through this node's own execution.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use parapet_conformance::{Keep, Options, Progress, Report, run as run_tests};
use serde::Serialize;

use crate::{args::ConformanceArgs, failure::Failure};

/// The report as JSON.
#[derive(Serialize)]
struct Json<'a> {
    passed: u64,
    failed: usize,
    skipped: u64,
    failures: Vec<JsonFailure<'a>>,
    skips: Vec<JsonSkip>,
}

#[derive(Serialize)]
struct JsonFailure<'a> {
    file: std::borrow::Cow<'a, str>,
    test: &'a str,
    reason: String,
}

#[derive(Serialize)]
struct JsonSkip {
    reason: String,
    tests: u64,
}

/// Runs the tests. Code 1 tells that some failed.
pub(crate) fn run(args: ConformanceArgs) -> Result<ExitCode, Failure> {
    let keep = if args.store { Keep::Disk } else { Keep::Memory };
    let options = Options { threads: args.threads, filter: args.filter, keep };
    let watched = std::io::stderr().is_terminal();
    let report = run_tests(&args.folder, &options, |progress| {
        if watched {
            show(progress);
        }
    })?;
    let text = if args.json { json(&report) } else { lines(&report) };
    let mut stdout = std::io::stdout().lock();
    // Whoever does not read the report still has the exit code.
    let _: Result<(), _> = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line that is written over and over, and is gone at the end.
fn show(Progress { files_done, files }: Progress) {
    let text = if files_done < files { format!("\r{files_done} of {files} files") } else { "\r\x1b[2K".to_owned() };
    // Progress that nobody sees is none the worse.
    let _: Result<(), _> = std::io::stderr().write_all(text.as_bytes());
}

/// Every failure, every reason to skip, and last the numbers.
fn lines(report: &Report) -> String {
    let mut text = String::new();
    for failure in &report.failures {
        text += &format!("failed: {failure}\n");
    }
    for (reason, tests) in &report.skipped {
        text += &format!("skipped {tests}: {reason}\n");
    }
    text + &format!("{report}\n")
}

/// One JSON object on one line.
fn json(report: &Report) -> String {
    let failure = |failure: &'_ parapet_conformance::Failure| failure.reason.to_string();
    let json = Json {
        passed: report.passed,
        failed: report.failures.len(),
        skipped: report.skipped_total(),
        failures: report
            .failures
            .iter()
            .map(|one| JsonFailure { file: one.file.to_string_lossy(), test: &one.test, reason: failure(one) })
            .collect(),
        skips: report
            .skipped
            .iter()
            .map(|(reason, tests)| JsonSkip { reason: reason.to_string(), tests: *tests })
            .collect(),
    };
    format!("{}\n", serde_json::to_string(&json).expect("plain data"))
}

//! Progress on standard error, results on standard output.

use std::{io::Write as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use parapet_state::{Progress, Step};
use serde::Serialize;

use crate::failure::Failure;

/// How often progress is drawn at most.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// Tells how far a command has come, where somebody looks.
pub(crate) struct Bar {
    bar: ProgressBar,
    step: Option<Step>,
}

impl Bar {
    /// Shown on a terminal, unless JSON is wanted.
    pub(crate) fn new(json: bool) -> Self {
        let bar = if json { ProgressBar::hidden() } else { ProgressBar::no_length() };
        bar.enable_steady_tick(DRAWN_EVERY);
        Self { bar, step: None }
    }

    pub(crate) fn tell(&mut self, progress: Progress) {
        if self.step != Some(progress.step) {
            self.step = Some(progress.step);
            self.begin(&what(progress.step), progress.total);
        }
        self.bar.set_position(progress.done);
    }

    /// Begins a step of this program's own.
    pub(crate) fn begin(&self, what: &str, total: Option<u64>) {
        let template = match total {
            Some(_) => "{msg} {wide_bar} {pos}/{len} {eta}",
            None => "{msg} {spinner} {pos} {per_sec}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar.reset();
        self.bar.set_style(style);
        total.map_or_else(|| self.bar.unset_length(), |total| self.bar.set_length(total));
        self.bar.set_message(what.to_owned());
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn what(step: Step) -> String {
    match step {
        Step::Blocks => "reading blocks".to_owned(),
        Step::Records => "comparing records with change sets".to_owned(),
        Step::State { block } => format!("computing the state of block {block} anew, accounts"),
        Step::Trie { block } => format!("reading the trie of block {block}, nodes"),
        Step::Follow => "following states from block to block".to_owned(),
        Step::WalkBack => "walking back to the first state".to_owned(),
        Step::Migrate => "taking blocks over".to_owned(),
        Step::Prune => "forgetting old states".to_owned(),
    }
}

/// Prints a result, for people or for programs.
pub(crate) fn print(json: bool, result: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
    let printed = if json { serde_json::to_string(result)? } else { text() };
    let mut out = std::io::stdout().lock();
    Ok(writeln!(out, "{printed}").and_then(|()| out.flush())?)
}

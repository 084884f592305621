//! What was measured, what was aimed at, as a table and as JSON.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use crate::BenchError;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name among the report's keys, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'static str>,
    /// What was measured.
    pub what: String,
    /// The figure; `None`: it was not measured.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: &'static str,
    /// What it should be at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// How it came about, or why there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Row {
    /// A figure without a target.
    #[must_use]
    pub fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { key: None, what: what.into(), value: Some(value), unit, target: None, note: String::new() }
    }

    /// A figure that could not be measured.
    #[must_use]
    pub fn missing(key: &'static str, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { key: Some(key), what: what.into(), value: None, unit: "", target: None, note: why.into() }
    }

    /// Under a key.
    #[must_use]
    pub const fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// At most so much is aimed at.
    #[must_use]
    pub const fn at_most(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    /// With a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Whether the figure is what was aimed at; `None` where there is no figure or no target.
    #[must_use]
    pub fn reached(&self) -> Option<bool> {
        Some(self.value? <= self.target?)
    }
}

/// All figures.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Figures with a key, by key; what was not measured is not there.
    #[serde(flatten)]
    pub keys: BTreeMap<&'static str, f64>,
    /// All of them, in order.
    pub rows: Vec<Row>,
}

impl Report {
    /// Adds figures.
    pub fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            if let (Some(key), Some(value)) = (row.key, row.value) {
                self.keys.insert(key, value);
            }
            self.rows.push(row);
        }
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        let wrong = |source| BenchError::Write { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(wrong)?;
        let mut text = serde_json::to_string_pretty(self).map_err(|error| wrong(io::Error::other(error)))?;
        text.push('\n');
        fs::write(path, text).map_err(wrong)
    }

    /// Prints it as a table.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let figures: Vec<String> = self.rows.iter().map(figure).collect();
        let what_width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        let figure_width = figures.iter().map(|figure| figure.chars().count()).max().unwrap_or(0);
        for (row, figure) in self.rows.iter().zip(&figures) {
            let aim = match (row.target, row.reached()) {
                (Some(target), Some(true)) => format!("≤ {} reached", number(target)),
                (Some(target), Some(false)) => format!("≤ {} MISSED", number(target)),
                _ => String::new(),
            };
            let line = format!("{:what_width$}  {figure:>figure_width$}  {aim:18}  {}", row.what, row.note);
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn figure(row: &Row) -> String {
    row.value.map_or_else(|| "not measured".to_owned(), |value| format!("{} {}", number(value), row.unit))
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 10.0 => format!("{value:.2}"),
        middle if middle < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

//! What a command has to say, and where it is said.

use std::io::Write as _;

use parapet_registry::contract::IGuardRegistry::{Failure, Mode};
use serde_json::{Value, json};

use crate::CliError;

/// The result of a command, for people and for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Readable text, without a line end.
    pub text: String,
    /// One JSON object.
    pub json: Value,
}

/// Prints the result. A reader that went away (a closed pipe) is no error of the command.
pub(crate) fn print(outcome: &Result<Report, CliError>, form: Form) {
    let _closed = match (outcome, form) {
        (Ok(report), Form::Json) => writeln!(std::io::stdout(), "{}", report.json),
        (Ok(report), Form::Text) => writeln!(std::io::stdout(), "{}", report.text),
        (Err(error), Form::Json) => writeln!(std::io::stdout(), "{}", json!({ "error": error.to_string() })),
        (Err(error), Form::Text) => writeln!(std::io::stderr(), "error: {error}"),
    };
}

/// For whom something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Whether anybody reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    There,
    Gone,
}

/// Writes one line of several, at once.
pub(crate) fn tell(form: Form, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) -> Reader {
    let mut stdout = std::io::stdout().lock();
    let written = match form {
        Form::Text => writeln!(stdout, "{}", text()),
        Form::Json => writeln!(stdout, "{}", json()),
    };
    if written.and_then(|()| stdout.flush()).is_ok() { Reader::There } else { Reader::Gone }
}

/// Tells a person that waits what is going on.
pub(crate) fn progress(line: &str) {
    let _closed = writeln!(std::io::stderr(), "{line}");
}

/// The name of a mode.
pub(crate) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Shadow => "shadow",
        Mode::Enforce => "enforce",
        Mode::None | Mode::__Invalid => "none",
    }
}

/// What follows when a guard cannot finish, by its name.
pub(crate) const fn failure(failure: Failure) -> &'static str {
    match failure {
        Failure::Closed => "closed",
        Failure::Open => "open",
        Failure::__Invalid => "unknown",
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn groups_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}

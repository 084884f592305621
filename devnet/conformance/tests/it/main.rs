//! The suites, files that are not what they should be, and state tests whose outcome was worked out by other means.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests; a skip is said")]

mod access_lists;
mod fixtures;
mod hostile;
mod real;
mod state;
mod suites;

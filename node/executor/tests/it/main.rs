//! Blocks executed on a small world, with monitors that veto, fail, or only watch.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests; a skip is said")]

mod access_lists;
mod cuts;
mod forks;
mod guard_gas;
mod lookout;
mod records;
mod unsigned;
mod veto;
mod watching;
mod world;

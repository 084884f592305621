//! Blocks executed on a small world, with monitors that veto, fail, or only watch.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod conformance;
mod veto;
mod watching;
mod world;

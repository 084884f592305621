//! Blocks that follow every rule are imported, and each rule that is broken is named.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod bodies;
mod decoding;
mod eras;
mod fixture;
mod headers;
mod outcomes;

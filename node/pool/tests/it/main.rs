//! The pool as others use it. Random runs print their seed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admission;
mod blobs;
mod delegations;
mod gas;
mod journal;
mod lanes;
mod model;
mod random;
mod support;

//! The pool as others use it. Random runs print their seed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admission;
mod gas;
mod lanes;
mod random;
mod support;

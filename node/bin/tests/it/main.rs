//! The program from outside, and the rules of the workspace it stands in.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod conformance;
mod guards;
mod layers;
mod process;
mod usage;
